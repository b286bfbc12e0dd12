"""The built pages in a browser: nothing foreign or broken, sliders that compute what Python computes."""

import re

import pytest
from playwright.sync_api import sync_playwright

from book.tools.bench_pages import first_load
from pages import (
    SITE,
    Panel,
    launch,
    open_folds,
    overflow,
    pages_with_explorers,
    served,
    site_pages,
    violations,
    visit,
)

pytestmark = pytest.mark.pages

# The caption shows three digits; what is compared is the unrounded number behind it. The coarsest of them is
# the law's floor, which Python takes at 10^12 samples (see test_explore).
EQUAL = {"rel": 1e-6, "abs": 1e-15, "nan_ok": True}

# Mathematics in running text that is wider than its paragraph: the page cuts it off, and nothing scrolls.
CUT_OFF = """[...document.querySelectorAll('.bd-article mjx-container:not([display])')].filter(formula => {
    const block = formula.closest('p, li, dd');
    return block && formula.firstElementChild.getBoundingClientRect().right > block.getBoundingClientRect().right + 2;
}).map(formula => formula.textContent)"""

# How large formulas are beside the text around them: all distinct ratios, to two digits.
SIZES = """[...new Set([...document.querySelectorAll('.bd-article mjx-container:not([display])')].map(formula =>
    (parseFloat(getComputedStyle(formula).fontSize) / parseFloat(getComputedStyle(formula.parentElement).fontSize))
        .toFixed(2)))]"""


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def site():
    with served() as base:
        yield base


@pytest.mark.parametrize("name", site_pages())
def test_page_is_whole_and_needs_no_other_host(browser, site, name):
    with visit(browser, site, name) as (page, log):
        open_folds(page)
        assert page.locator(".bd-article .toggle-hidden").count() == 0
        assert page.locator(".bd-article details:not([open])").count() == 0
        broken = "[...document.images].filter(i => i.complete && !i.naturalWidth).map(i => i.src)"
        assert page.evaluate(broken) == []
        assert set(page.evaluate(SIZES)) <= {"1.07"}  # as _config.yml sets it, whichever of script and font comes first
        dead = "[...document.querySelectorAll('a[href^=\"#\"]')].map(a => decodeURIComponent(a.hash.slice(1)))"
        assert [name for name in page.evaluate(dead) if name and not page.locator(f'[id="{name}"]').count()] == []
        assert log == []


@pytest.mark.parametrize("name", site_pages())
def test_a_first_load_is_below_1800_kilobytes(browser, site, name):
    assert 100e3 < first_load(browser, site, name) < 1.8e6  # the promise; less than 100 kB would not be a page


@pytest.mark.parametrize("name", site_pages())
def test_page_opens_from_a_folder_without_a_server(browser, name):
    with visit(browser, f"{SITE.as_uri()}/", name) as (page, log):
        for index in range(page.locator(".rm-explorer").count()):
            panel = Panel(page, index)
            before = panel.caption.text_content()
            _press(panel, 0)
            assert panel.numbers() == pytest.approx(panel.expected(), **EQUAL)
            assert panel.caption.text_content() != before
        assert log == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", site_pages())
def test_page_is_accessible(browser, site, name, scheme):
    with visit(browser, site, name, scheme=scheme) as (page, log):
        assert page.locator("html").get_attribute("data-theme") == scheme
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (sum(map(int, re.findall(r"\d+", colour)[:3])) > 600) == (scheme == "light")
        open_folds(page)
        assert violations(page) == []
        assert log == []


@pytest.mark.parametrize("name", site_pages())
def test_page_fits_a_phone(browser, site, name):
    with visit(browser, site, name, width=390, height=844) as (page, log):
        open_folds(page)
        assert overflow(page) <= 0
        assert page.evaluate(CUT_OFF) == []
        for box in page.locator(".rm-plot").all():
            size = box.bounding_box()
            assert size["x"] >= 0 and size["x"] + size["width"] <= 390
        assert log == []


@pytest.mark.parametrize("name", pages_with_explorers())
def test_every_slider_moves_its_figure_and_the_caption_is_pythons(browser, site, name):
    with visit(browser, site, name) as (page, log):
        panels = [Panel(page, index) for index in range(page.locator(".rm-explorer").count())]
        assert panels, "the page has no explorer"
        for panel in panels:
            assert panel.box.locator(".rm-plot").get_attribute("role") == "img"
            assert panel.box.locator(".rm-plot").get_attribute("aria-label")
            assert panel.box.locator("button:visible").count() == 0  # it could do nothing without a kernel
            assert panel.numbers() == pytest.approx(panel.expected(), **EQUAL)
            for handle in range(panel.handles.count()):
                drawing, caption, at = panel.drawing(), panel.caption.text_content(), panel.sliders()
                numbers = panel.numbers()
                _press(panel, handle)
                assert panel.sliders() != at, "a slider does not move"
                assert panel.caption.text_content() != caption, f"a caption stays as it is: {at}"
                assert panel.numbers() == pytest.approx(panel.expected(), **EQUAL)
                seen = {drawing, panel.drawing()}
                # Only where all that the caption tells is the same, as errors of neighbouring runs may be.
                assert len(seen) == 2 or panel.numbers() == numbers, f"a slider does not move its figure: {at}"
                for key in ("Home", "End"):
                    panel.handles.nth(handle).press(key)
                    assert panel.numbers() == pytest.approx(panel.expected(), **EQUAL)
                    seen.add(panel.drawing())
                assert len(seen) > 1, f"a slider does not move its figure: {at}"
        assert log == []


@pytest.mark.parametrize("name", pages_with_explorers())
def test_sliders_follow_the_mouse(browser, site, name):
    with visit(browser, site, name) as (page, log):
        for index in range(page.locator(".rm-explorer").count()):
            panel = Panel(page, index)
            for handle in range(panel.handles.count()):
                before = panel.sliders()
                panel.handles.nth(handle).scroll_into_view_if_needed()
                box = panel.handles.nth(handle).bounding_box()
                x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
                far = 0.6 * panel.tracks.nth(handle).bounding_box()["width"]  # past the half, for two options
                for way in (-far, far):
                    if panel.sliders() == before:                   # the second way where it stood at its left end
                        page.mouse.move(x, y)
                        page.mouse.down()
                        page.mouse.move(x + way, y, steps=4)
                        page.mouse.up()
                assert panel.sliders() != before, f"a slider does not follow the mouse: {before}"
                assert panel.numbers() == pytest.approx(panel.expected(), **EQUAL)
        assert log == []


def _press(panel: Panel, handle: int) -> None:
    """One key press to the right, or to the left at the right end."""
    before = panel.sliders()
    panel.handles.nth(handle).press("ArrowRight")
    if panel.sliders() == before:
        panel.handles.nth(handle).press("ArrowLeft")
