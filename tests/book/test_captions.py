"""Numbered figures and the first screen of a chapter, on the page and in the notebook, from one sample."""

import base64
import json
import re
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from sample import SAMPLE, build, make_book

from book.extensions.captions import named
from book.tools import export
from book.tools.references import Book
from book.tools.source import SourceError


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The sample as a built page, and the page before it."""
    root = make_book(tmp_path_factory.mktemp("book"))
    status, log = build(root)
    assert status == 0, log[-3000:]
    html = root / "_build" / "html"
    return [BeautifulSoup((html / name).read_text(encoding="utf-8"), "html.parser")
            for name in ("chapters/05_sample.html", "book/index.html")]


@pytest.mark.slow
def test_figures_are_numbered_in_order_and_hold_what_was_displayed(page):
    figures = page[0].select("figure.numbered")
    assert [figure["id"] for figure in figures] == ["fig-tube", "fig-widening", "fig-slider", "fig-file"]
    for place, figure in enumerate(figures, 1):
        assert figure.figcaption.get_text(" ", strip=True).startswith(f"Figure 5.{place}.")
    assert figures[1].svg and figures[3].img and "widget-view" in str(figures[2])
    assert "math notranslate" in str(figures[1].figcaption), "mathematics in a caption"
    assert "margins stray by 0.3" not in figures[1].get_text(), "printed text is no part of a figure"
    assert "margins stray by 0.3" in page[0].get_text()


@pytest.mark.slow
def test_links_to_equations_keep_their_words(page):
    links = page[1].select('article a.reference[href="#equation-eq-law"]')
    assert [link.get_text() for link in links] == ["the law", "(1)"] and links[0].em


@pytest.mark.slow
def test_the_alternative_text_names_the_drawing_or_the_figure(page):
    tube, widening, slider, file = page[0].select("figure.numbered")
    assert tube.svg["aria-label"] == "Training margins grow inside a tube between two proved lines."
    assert not tube.svg.has_attr("aria-labelledby") and tube.svg["role"] == "img"
    assert widening.svg["aria-label"] == 'The tube widens as $t$ grows & "ends".'
    assert file.img["alt"] == "A drawing in a file of its own."
    assert slider["aria-label"] == "A slider that moves the time." and not tube.has_attr("aria-label")


@pytest.mark.slow
def test_a_text_in_a_widget_does_not_end_its_script(page):
    state = page[0].select_one('script[type="application/vnd.jupyter.widget-state+json"]')
    assert "a </SCRIPT> b" in str(json.loads(state.get_text())["state"])


@pytest.mark.slow
def test_the_keyboard_has_a_way_to_the_figure_that_moves(page):
    link = page[0].select_one("article a.rm-skip")
    assert link["href"] == "#fig-slider" and page[0].select_one("#fig-slider")["tabindex"] == "-1"
    assert page[1].select_one("a.rm-skip") is None


@pytest.mark.slow
def test_no_page_may_ask_another_host(page):
    for soup in page:
        policy = soup.head.select_one('meta[http-equiv="Content-Security-Policy"]')["content"]
        assert "default-src 'self' data: blob:" in policy and "http" not in policy


@pytest.mark.slow
def test_a_folded_cell_leaves_its_figure_visible(page):
    widening = page[0].select_one("#fig-widening")
    assert widening.find_parent("details") is None and widening.find_parent(class_="cell_output")
    assert "text/html" in widening.find_parent(class_="cell").details.get_text()


@pytest.mark.slow
@pytest.mark.parametrize("at", [0, 1])
def test_links_to_figures(page, at):
    texts = {link["href"].rpartition("#")[2]: link.get_text() for link in page[at].select("article a[href*='#fig-']")}
    assert texts["fig-widening"] == "Figure 5.2"
    assert at or (texts["fig-slider"], texts["fig-tube"]) == ("the slider", "Figure 5.1")


@pytest.mark.slow
def test_the_first_screen_has_question_picture_answer_and_one_line_of_aims(page):
    article = page[0].select_one("article")
    order = [article.select_one(name) for name in (".question", "#fig-tube", ".answer", "details.aims")]
    assert all(order) and order == sorted(order, key=lambda node: (node.sourceline, node.sourcepos))
    assert not order[-1].has_attr("open") and order[-1].summary.get_text(strip=True) == "Aims, prerequisites, cost"
    assert "After this chapter you can" in order[-1].get_text()
    assert "set up by 111" not in article.get_text()


BROKEN = {  # what is written in place of what, and what the build says of it
    "the figure needs its :alt:": (":alt: A slider", ":class: A slider"),
    "the caption fig-file stands after no code cell": ("display(SVG(DRAWING", "len(str(DRAWING"),
    "the caption fig-widening stands after no code cell": ("```{caption} fig-w", "Words.\n\n```{caption} fig-w"),
    "picture must be a known name, got '05_tub'": ("```{picture} 05_tube", "```{picture} 05_tub"),
}


@pytest.mark.slow
def test_a_figure_without_its_parts_stops_the_build(tmp_path):
    text = SAMPLE
    for old, new in BROKEN.values():
        assert old in text
        text = text.replace(old, new)
    status, log = build(make_book(tmp_path, text))
    assert status == 1
    for words in BROKEN:
        assert re.search(rf"05_sample\.md:\d+: WARNING: .*{re.escape(words)}", log), log[-2000:]


def exported(root: Path) -> str:
    """The Markdown of the sample's notebook."""
    node = nbformat.reads(export.export(root / "chapters" / "05_sample.md", Book.load(root)), nbformat.NO_CONVERT)
    return "\n\n".join(cell.source for cell in node.cells if cell.cell_type == "markdown")


def test_the_notebook_has_the_same_figures(tmp_path):
    text = exported(make_book(tmp_path))
    caption = "*Figure 5.2. The tube widens with $t$, at the rate of the largest push.*"
    assert f'<a id="fig-widening"></a>\n\n{caption}' in text
    drawn = re.search(r"!\[Training margins grow [^\]]*\]\(data:image/svg\+xml;base64,([^)]*)\)", text)
    assert base64.b64decode(drawn[1]).decode().startswith("<svg ")
    assert "[Figure 5.2](#fig-widening), [the slider](#fig-slider) and [Figure 5.1](#fig-tube)" in text
    assert "**Question.** How long can a theorem promise what training does?" in text
    assert "**Answer.** As long as" in text and "<summary>Aims, prerequisites, cost</summary>" in text


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (":alt: The tube widens as", ":class: The tube widens as", "the figure needs its :alt:"),
        ("```{picture} 05_tube", "```{picture} 05_tub", "picture must be a known name, got '05_tub'"),
    ],
)
def test_the_export_refuses_them_too(tmp_path, old, new, words):
    with pytest.raises(SourceError, match=rf"05_sample\.md:\d+: .*{re.escape(words)}"):
        exported(make_book(tmp_path, SAMPLE.replace(old, new)))


def test_a_name_replaces_those_that_a_drawing_has():
    assert named('<p>a</p><img alt="old" src="x"/>', 'a "b"') == '<p>a</p><img src="x" alt="a &quot;b&quot;"/>'
    assert named("<p>no drawing</p>", "a") == "<p>no drawing</p>"
