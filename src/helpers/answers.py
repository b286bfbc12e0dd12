"""The right answers of all exercises, by number: one module of answers for each chapter."""

from . import answers_01, answers_02, answers_03, answers_04, answers_05, answers_06, answers_07, answers_08
from .marking import Exercise

ANSWERS: dict[str, Exercise] = {
    name: answer
    for module in (answers_01, answers_02, answers_03, answers_04, answers_05, answers_06, answers_07, answers_08)
    for name, answer in module.ANSWERS.items()
}
