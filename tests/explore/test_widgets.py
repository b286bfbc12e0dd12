"""The panel around an interactive figure, in a browser."""

import pytest
from playwright.sync_api import sync_playwright

from helpers.explore.widgets import Figure
from pages import launch

IPYWIDGETS = """.widget-label { width: 80px; height: 28px; line-height: 28px; flex-shrink: 0; white-space: nowrap;
    overflow: hidden; text-overflow: ellipsis; } .widget-hbox { display: flex; flex-direction: row; }"""
SENTENCE = (
    "stopped: lr must be a finite number above 0 and at most 2 / L_s, the largest step for which gradient descent "
    "follows the flow on the embeddings of these statements, got 12345.678"
)


@pytest.mark.parametrize("width", [390, 1000])
def test_the_sentence_of_an_error_is_read_to_its_end(width):
    body = f"""<style>{IPYWIDGETS}{Figure._css}</style><div class="rm-explorer">
        <div class="widget-hbox rm-live"><button>Train for real</button><div class="widget-label">{SENTENCE}</div></div>
        </div>"""
    with sync_playwright() as playwright:
        browser = launch(playwright)
        page = browser.new_page(viewport={"width": width, "height": 600})
        page.set_content(body)
        cut = "e => [e.scrollWidth > e.clientWidth, e.scrollHeight > e.clientHeight]"
        found = page.locator(".rm-live .widget-label").evaluate(cut)
        inside = page.locator(".rm-explorer").evaluate("e => e.scrollWidth <= e.clientWidth")
        browser.close()
    assert found == [False, False] and inside
