"""The whole book as one document: links lead to their places, solutions stand at the end, and a browser prints it."""

import re

import pytest
from bs4 import BeautifulSoup
from sample import build, make_book

from book.tools import pdf

pytestmark = pytest.mark.slow

SOLUTION = """
::::{exercise} Two samples
:label: ex-05-1
:nonumber:
Add, as in [](#fig-tube).
::::

::::{solution} ex-05-1
:class: dropdown
Two.
::::
"""


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    root = make_book(tmp_path_factory.mktemp("book"))
    with open(root / "chapters" / "05_sample.md", "a", encoding="utf-8") as file:
        file.write(SOLUTION)
    status, log = build(root)
    assert status == 0, log
    return root


@pytest.fixture(scope="module")
def whole(book):
    pages = pdf.names(book)
    assert pages == ["book/index", "chapters/05_sample"]
    return BeautifulSoup(pdf.document(book / "_build" / "html", pages, "Small"), "html.parser")


def test_every_link_of_the_book_leads_to_a_place_in_it(whole):
    targets = [link["href"] for link in whole.select("article a[href]") if not link["href"].startswith("http")]
    places = {node["id"] for node in whole.select("[id]")}
    assert len(targets) >= 7 and {target.removeprefix("#") for target in targets} <= places
    texts = [link.get_text() for link in whole.select('[id="book/index"] a[href="#chapters/05_sample--fig-widening"]')]
    assert texts == ["Figure 5.2"]


def test_ids_are_unique_and_pages_follow_their_order(whole):
    ids = [node["id"] for node in whole.select("[id]") if not node.find_parent("svg")]
    assert len(ids) == len(set(ids))
    assert [page["id"] for page in whole.select(".rm-page")] == ["book/index", "chapters/05_sample", "solutions"]


def test_folds_are_open_and_solutions_stand_at_the_end(whole):
    assert whole.select("article details") and not whole.select("article details:not([open])")
    assert not whole.select(".toggle, .dropdown") and not whole.select("article button")
    assert not whole.select('[id="chapters/05_sample"] .solution')
    assert "Two." in whole.select_one("#solutions").get_text()


def test_widgets_bring_their_state(whole):
    state = whole.select_one('script[type="application/vnd.jupyter.widget-state+json"]')
    view = whole.select_one('article script[type="application/vnd.jupyter.widget-view+json"]')
    assert re.search(r'"model_id": ?"(\w+)"', view.get_text())[1] in state.get_text()


@pytest.mark.pages
def test_a_browser_prints_it(book):
    path = pdf.write(book, book / "_build" / "html")
    printed = path.read_bytes()
    assert path == book / "_build" / "reward-margins.pdf" and printed.startswith(b"%PDF")
    assert printed.count(b"/Type /Page\n") >= 3 and b"/Outlines" in printed and b"/StructTreeRoot" in printed
    assert len(re.findall(rb"/Subtype /Link", printed)) >= 7
    assert not (book / "_build" / "html" / "_whole.html").exists()
