"""The theme for tests of figures; and, at the end of a run, how many draws the searches for counterexamples made."""

import matplotlib
import pytest

from helpers.figures.theme import theme
from theorems import DRAWS


@pytest.fixture
def themed():
    """The book's look for the figures of one test."""
    with matplotlib.rc_context():
        theme()
        yield


def pytest_terminal_summary(terminalreporter) -> None:
    if DRAWS:
        total, fewest = sum(DRAWS.values()), min(DRAWS.values())
        terminalreporter.write_line(
            f"{total:,} property draws in {len(DRAWS)} searches for a counterexample, at least {fewest:,} in each"
        )
