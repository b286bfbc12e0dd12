"""Intervals that the chapters share: of a share that was counted."""

from scipy.stats import binomtest

from .checks import at_least, between


def wilson_interval(error: float, tested: int) -> tuple[float, float]:
    """Wilson's 95 % interval for a share of errors seen on `tested` independent statements.

    `error` lies between 0 and 1 and is a whole number of the `tested`; a mean over draws is rounded to one.
    Raises `ValueError` for a share outside of 0 to 1 or fewer than one statement.
    """
    tested = at_least("tested", tested, 1)
    wrong = round(between("error", error, 0, 1) * tested)
    interval = binomtest(wrong, tested).proportion_ci(0.95, method="wilson")
    return float(interval.low), float(interval.high)
