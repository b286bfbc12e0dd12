"""The right answers of all exercises, by number: one module of answers for each chapter."""

from . import answers_01, answers_03
from .marking import Exercise

ANSWERS: dict[str, Exercise] = answers_01.ANSWERS | answers_03.ANSWERS
