"""The built pages in a browser: nothing foreign or broken, sliders that compute what Python computes."""

import re

import pytest

from book.tools.bench_pages import first_load
from helpers.explore import statement_margins
from pages import (
    SITE,
    Panel,
    open_folds,
    overflow,
    pages_with_explorers,
    site_pages,
    violations,
    visit,
)

# The caption shows three digits; what is compared is the unrounded number behind it, read from the same bytes.
EQUAL = {"rel": 1e-12, "abs": 1e-15, "nan_ok": True}

# Mathematics in running text that is wider than its paragraph: the page cuts it off, and nothing scrolls.
CUT_OFF = """[...document.querySelectorAll('.bd-article mjx-container:not([display])')].filter(formula => {
    const block = formula.closest('p, li, dd');
    return block && formula.firstElementChild.getBoundingClientRect().right > block.getBoundingClientRect().right + 2;
}).map(formula => formula.textContent)"""

# How large formulas are beside the text around them: all distinct ratios, to two digits.
SIZES = """[...new Set([...document.querySelectorAll('.bd-article mjx-container:not([display])')].map(formula =>
    (parseFloat(getComputedStyle(formula).fontSize) / parseFloat(getComputedStyle(formula.parentElement).fontSize))
        .toFixed(2)))]"""


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
def test_a_first_load_is_below_1500_kilobytes_and_4000_unpacked(browser, site, name):
    compressed, unpacked = first_load(browser, site, name)
    assert 100e3 < compressed < 1.5e6 and unpacked < 4e6  # the promise; less than 100 kB would not be a page


@pytest.mark.parametrize("name", site_pages())
def test_page_opens_from_a_folder_without_a_server(browser, name):
    with visit(browser, f"{SITE.as_uri()}/", name) as (page, log):
        for panel in panels_of(page):
            before = panel.caption.text_content()
            panel.press(panel.controls()[0])
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
def test_every_control_moves_its_figure_and_the_caption_is_pythons(browser, site, name):
    with visit(browser, site, name) as (page, log):
        for panel in panels_of(page):
            assert panel.box.locator(".rm-plot").get_attribute("role") == "img"
            assert panel.box.locator(".rm-plot").get_attribute("aria-label")
            assert panel.box.locator("button:visible").count() == 0  # it could do nothing without a kernel
            assert panel.numbers() == pytest.approx(panel.expected(), **EQUAL)
            for control in panel.controls():
                drawing, caption, at = panel.drawing(), panel.caption.text_content(), panel.sliders()
                numbers = panel.numbers()
                panel.press(control)
                assert panel.sliders() != at, "a control does not move"
                assert panel.caption.text_content() != caption, f"a caption stays as it is: {at}"
                assert panel.numbers() == pytest.approx(panel.expected(), **EQUAL)
                seen = {drawing, panel.drawing()}
                # Only where all that the caption tells is the same, as errors of neighbouring runs may be.
                assert len(seen) == 2 or panel.numbers() == numbers, f"a control does not move its figure: {at}"
                for end in ("first", "last"):
                    panel.to(control, end)
                    assert panel.numbers() == pytest.approx(panel.expected(), **EQUAL)
                    seen.add(panel.drawing())
                assert len(seen) > 1, f"a control does not move its figure: {at}"
        assert log == []


@pytest.mark.parametrize("name", pages_with_explorers())
def test_controls_follow_the_mouse(browser, site, name):
    with visit(browser, site, name) as (page, log):
        for panel in panels_of(page):
            for control in panel.controls():
                before = panel.sliders()
                panel.pull(control)
                assert panel.sliders() != before, f"a control does not follow the mouse: {before}"
                assert panel.numbers() == pytest.approx(panel.expected(), **EQUAL)
        assert log == []


@pytest.mark.parametrize("name", pages_with_explorers())
def test_beads_stand_where_python_says(browser, site, name):
    with visit(browser, site, name) as (page, log):
        for index in range(page.locator(".rm-explorer").count()):
            panel = Panel(page, index)
            if panel.kind != "statement":
                continue
            panel.box.scroll_into_view_if_needed()
            setting, places = panel.state["setting"], [panel.state["knob_0"], panel.state["knob_1"]]
            answers, embeddings = (labels[at] for (_, labels), at in zip(setting["sliders"], places, strict=True))
            panel.box.locator(".rm-ring").wait_for(state="attached")     # the first click happens by itself
            for clicks in ([setting["first"]], [setting["first"], -1]):
                told = {"answers": answers, "embeddings": embeddings}
                expected = statement_margins(setting, panel.state["data"], clicks, **told)[-1]
                assert panel.beads() == pytest.approx(expected, abs=0.0051)      # they announce two digits
                panel.box.get_by_role("button", name="Train on all").first.click()
        assert log == []


def panels_of(page) -> list[Panel]:
    """The explorers of a page whose captions Python computes: those of curves over a grid."""
    found = [Panel(page, index) for index in range(page.locator(".rm-explorer").count())]
    return [panel for panel in found if panel.kind == "grid"]
