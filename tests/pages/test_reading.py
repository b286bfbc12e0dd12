"""Reading the built pages: the first screen, the keyboard, the phone, paper, and the search."""

import pytest

from book.tools.pdf import COLUMN
from pages import open_folds, site_pages, visit

CHAPTERS = [name for name in site_pages() if name.startswith("chapters/")] or ["index.html"]
STOPS = "document.querySelectorAll('mjx-container[tabindex=\"0\"]').length"
BOTTOM = "document.querySelector('details.aims').getBoundingClientRect().bottom"
# Formulas that are wider than their column and show no shadow where more of them is.
SILENT = """[...document.querySelectorAll('.bd-article mjx-container[display]')].filter(formula =>
    formula.scrollWidth > formula.clientWidth + 1 && !getComputedStyle(formula).backgroundImage.includes('gradient')
    && !formula.closest('.exercise')).map(formula => formula.textContent)"""
# What would be cut off at the side of the paper: code, what it prints, figures.
CUT = """[...document.querySelectorAll('.bd-article :is(pre, figure, .rm-explorer, .rm-stage, table)')].filter(part =>
    part.getClientRects().length && (part.scrollWidth > part.clientWidth + 1 && part.matches('pre')
    || part.getBoundingClientRect().right > innerWidth + 1)).map(part => part.textContent.slice(0, 80))"""
# What moves a figure. The rail of a proof stays, since its buttons hold what each line costs; the field that follows
# the keyboard along an axis is never seen.
CONTROLS = """[...document.querySelectorAll('.bd-article :is(input[type=range], button, .headerlink, .rm-skip)')]
    .filter(part => !part.matches('.rm-rail button'))
    .filter(part => part.getClientRects().length && !part.matches('.rm-cursor'))
    .map(part => part.outerHTML.slice(0, 80))"""


@pytest.mark.parametrize("name", CHAPTERS)
def test_question_picture_answer_and_aims_are_on_the_first_screen(browser, site, name):
    with visit(browser, site, name, width=1280, height=800) as (page, log):
        order = page.evaluate("""['.question', 'figure.picture', '.answer', 'details.aims']
            .map(part => document.querySelector('.bd-article ' + part).getBoundingClientRect().top)""")
        assert order == sorted(order) and page.evaluate(BOTTOM) <= 800
        assert log == []


@pytest.mark.parametrize("name", site_pages())
def test_the_keyboard_stops_at_no_formula_and_has_a_way_to_the_first_figure(browser, site, name):
    with visit(browser, site, name) as (page, log):
        assert page.evaluate(STOPS) == 0
        way = page.locator(".bd-article a.rm-skip")
        assert way.count() == (page.locator(".bd-article figure.numbered[id]").count() > 0)
        if way.count():
            way.focus()
            assert way.bounding_box()["x"] >= 0, "it is seen while it has the focus"
            page.keyboard.press("Enter")
            target = way.get_attribute("href").removeprefix("#")
            assert page.evaluate("location.hash") == f"#{target}"
            page.keyboard.press("Tab")
            here = f"document.activeElement.compareDocumentPosition(document.getElementById('{target}'))"
            assert page.evaluate(here) & 10, "the next stop is in the figure or after it"
        assert log == []


@pytest.mark.parametrize("name", site_pages())
def test_a_formula_wider_than_a_phone_says_that_it_goes_on(browser, site, name):
    with visit(browser, site, name, width=390, height=844) as (page, log):
        open_folds(page)
        assert page.evaluate(SILENT) == []
        assert log == []


@pytest.mark.parametrize("name", site_pages())
def test_paper_cuts_nothing_off_and_shows_no_control(browser, site, name):
    with visit(browser, site, name, width=COLUMN, height=1000) as (page, log):
        page.emulate_media(media="print")
        assert page.evaluate(CUT) == []
        assert page.evaluate(CONTROLS) == []
        assert log == []


def test_search_quotes_words(browser, site):
    with visit(browser, site, "search.html") as (page, log):
        page.goto(f"{site}search.html?q=margin", wait_until="networkidle")
        page.wait_for_selector("#search-results p.context")
        results = page.locator("#search-results").inner_text()
        assert "margin" in results and not {"\\", "$", "{"} & set(results)
        icon, field = (page.locator(f"form.bd-search {part}").last for part in (".fa-magnifying-glass", "input"))
        text = field.bounding_box()["x"] + float(field.evaluate("e => parseFloat(getComputedStyle(e).paddingLeft)"))
        assert icon.bounding_box()["x"] + icon.bounding_box()["width"] <= text
        assert log == []
