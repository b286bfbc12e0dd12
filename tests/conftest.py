"""Shapes checked at every call, a browser, the theme of figures, fewer draws for `make check` and their count."""

import os
from pathlib import Path

import matplotlib
import pytest
from hypothesis import settings
from playwright.sync_api import sync_playwright
from shapes import checked_shapes

from book.tools.site import launch, served
from helpers.figures.theme import theme
from theorems import DRAWS

checked_shapes()  # before any test binds a name
# A draw that takes long on a busy machine is no failure: no deadlines.
settings.register_profile("test", deadline=None)
settings.register_profile("check", deadline=None, max_examples=40)
settings.load_profile("test")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items) -> None:
    """What opens a browser, `make check` leaves out."""
    for item in items:
        if "browser" in item.fixturenames:
            item.add_marker("pages")


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        opened = launch(playwright)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def site():
    """The address at which the built book is served."""
    with served() as base:
        yield base


@pytest.fixture(scope="session")
def persona_folder():
    """The paper's data; without it a test is skipped, but under CI, where it must be there, it fails."""
    found = Path(os.environ.get("REWARD_MARGINS_PERSONA") or Path(__file__).resolve().parents[2] / "shared" / "persona")
    if not found.is_dir():
        said = f"the persona data is not at {found}: set REWARD_MARGINS_PERSONA to its folder"
        pytest.fail(said) if os.environ.get("CI") else pytest.skip(said)
    return found


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
