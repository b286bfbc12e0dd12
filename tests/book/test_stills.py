"""Where scripts are off, the page shows the still picture of an interactive figure."""

from base64 import b64decode
from xml.etree import ElementTree

from docutils import nodes
from docutils.utils import new_document
from explorers import grid, margins, risks

from book.extensions.stills import MOVES, STANDS, AddStills, still
from helpers.explore import guess, proof_explorer


def bundle(*forms):
    """An output of a cell in several forms."""
    held = nodes.container(nb_element="mime_bundle")
    for kind, text in forms:
        held += nodes.container("", nodes.raw("", text, format="html"), mime_type=kind)
    return held


def test_the_picture_joins_the_form_that_moves_and_nothing_else():
    document = new_document("a chapter")
    figure = '<figure><img alt="a line" src="data:,"><figcaption>Run this cell.</figcaption></figure>'
    document += bundle((STANDS, figure), (MOVES, "view"))
    document += bundle((STANDS, "<table></table>"), ("text/plain", "a table"))
    document += bundle((MOVES, "view"))
    AddStills(document).run()
    moving, table, alone = document.children
    added = '<noscript><img alt="a line" src="data:,"><p>This figure moves where scripts are on.</p></noscript>'
    assert moving.children[1].astext() == f"view\n\n{added}"
    assert [form.astext() for form in table.children] == ["<table></table>", "a table"] and alone.astext() == "view"


def test_the_books_figures_have_one_or_say_that_they_have_none():
    point = guess("When?", key="a", kind="point", prediction=1.0, measured=2.0, y_name="time", y_range=(0, 3))
    for figure in (point, grid(), margins(), risks()):
        found = still(figure._repr_mimebundle_()["text/html"])
        assert found.startswith("<noscript><img alt=") and "Run this cell" not in found
        picture = ElementTree.fromstring(b64decode(found.partition("base64,")[2].partition('"')[0]))
        assert picture.tag == "{http://www.w3.org/2000/svg}svg" and len(picture) > 3
    assert still(proof_explorer()._repr_mimebundle_()["text/html"]) == (
        "<noscript><p>This figure needs scripts, and they are off.</p></noscript>"
    )
