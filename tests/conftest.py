"""Shapes checked at every call, the theme for tests of figures, fewer draws for `make check`, and a count of draws."""

import matplotlib
import pytest
from hypothesis import settings
from shapes import checked_shapes

from helpers.figures.theme import theme
from theorems import DRAWS

checked_shapes()  # before any test binds a name
settings.register_profile("check", max_examples=40)


@pytest.fixture
def themed():
    """The book's look for the figures of one test."""
    with matplotlib.rc_context():
        theme()
        yield


def pytest_sessionfinish(session) -> None:
    """A worker hands its draws on."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["draws"] = dict(DRAWS)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node) -> None:
    """The main process adds those of a worker that ends; one that crashed has none."""
    DRAWS.update(getattr(node, "workeroutput", {}).get("draws", {}))


def pytest_terminal_summary(terminalreporter) -> None:
    if DRAWS:
        total, fewest = sum(DRAWS.values()), min(DRAWS.values())
        terminalreporter.write_line(
            f"{total:,} property draws in {len(DRAWS)} searches for a counterexample, at least {fewest:,} in each"
        )
