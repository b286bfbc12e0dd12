"""The theme for tests of figures; fewer draws for `make check`; and, at the end of a run, how many were made."""

import matplotlib
import pytest
from hypothesis import settings

from helpers.figures.theme import theme
from theorems import DRAWS

settings.register_profile("check", max_examples=40)


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
