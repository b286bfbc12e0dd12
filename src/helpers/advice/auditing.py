"""From a file of pairs to the page of its audit: which report fits, and the one file that is written."""

from collections.abc import Callable
from pathlib import Path

from ..checks import holds, inside, one_of, path_of
from ..files import saved
from ..preferences import Preferences, read_pairs
from .pair_page import pair_page
from .pair_report import PairReport, report_on_pairs
from .value_page import value_page
from .value_report import LEAST, ValueReport, report_on_values

KINDS = ("auto", "values", "answers")


def audit_preferences(
    preferences: Preferences, llm, out: str | Path | None = None, *, kind: str = "auto", target: float = 0.1,
    title: str | None = None, seed: int = 0, tell: Callable[[str], None] | None = None,
) -> ValueReport | PairReport:
    """Audit pairs with a model before any training, and write the page that says what was found.

    Parameters
    ----------
    preferences : such as `read_pairs` gives.   llm : from `load_llm`.
    out : the HTML file to be written, or None for the report alone.
    kind : "values" for two single-token answers a value on both sides, "answers" for any others; "auto" takes "values"
        where it can.
    target : of values, the error that is wanted.   title : of the page.   seed : of folds, halves and coins.
    tell : called with a few words before each part.

    Returns
    -------
    `ValueReport` or `PairReport`; `print` shows it as text, `.frame()` of the second and of the plan as a table.

    Raises `ValueError` for pairs that the report cannot take, `OSError` where the page cannot be written.
    """
    holds("preferences", preferences, "prompts chosen rejected value side names", "Preferences")
    holds("llm", llm, "model tokenizer tokens", "a model of load_llm")
    one_of("kind", kind, KINDS), inside("target", target, 0, 0.5)
    if kind == "values" or (kind == "auto" and are_values(preferences, llm)):
        report = report_on_values(llm, preferences, target=target, seed=seed, tell=tell)
        page = value_page(report, title=title)
    else:
        report = report_on_pairs(llm, preferences, seed=seed, tell=tell)
        page = pair_page(report, title=title)
    if out is not None:
        with saved(path_of("out", out)) as partial:
            partial.write_text(page, encoding="utf-8")
    return report


def audit_file(data: str | Path, model: str | None = None, out: str | Path | None = None, **options):
    """`audit_preferences` of a file of pairs (see `read_pairs`) and a model's name or folder (see `load_llm`)."""
    from ..llm.loading import load_llm

    preferences = read_pairs(data)
    return audit_preferences(preferences, load_llm(model), out, **({"title": Path(data).name} | options))


def are_values(preferences: Preferences, llm) -> bool:
    """Whether each value has one pair of answers, each one token of the model, and enough pairs on both sides."""
    try:
        tokens = [answer for pair in preferences.layout.pairs for answer in pair]
    except ValueError:
        return False
    return preferences.counts.min() >= LEAST and all(len(llm.tokens(answer)) == 1 for answer in tokens)
