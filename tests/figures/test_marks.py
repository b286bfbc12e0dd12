"""The key: one set of colours in Python and in the page, and marks that stay what they are."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from helpers.figures import glyph, picture_names
from helpers.figures.marks import DARK, LIGHT, STYLE, THEMES, arrow, colour, proved, small, statements

ROOT = Path(__file__).resolve().parents[2]
CSS = (ROOT / "book" / "static" / "marks.css").read_text(encoding="utf-8")
GLYPHS = [name for name in picture_names() if name != "00_marks"]


def variables(block):
    return dict(re.findall(r"--rm-(\w+): ([^;]+);", block))


def test_the_page_has_the_same_colours_in_every_scheme():
    blocks = {selector.strip(): variables(block) for selector, block in re.findall(r"([^{}]+)\{([^{}]*)\}", CSS)}
    light = blocks[next(name for name in blocks if name.endswith("html"))]
    assert light.pop("card") == "transparent" and light == LIGHT
    assert blocks['html[data-theme="dark"]'] == DARK
    assert blocks["html:not([data-theme])"] == DARK  # within prefers-color-scheme: dark
    assert blocks["html, html[data-theme]"] == LIGHT  # on paper


@pytest.mark.parametrize("name", ["explorer", "stage"])
def test_interactive_figures_have_the_same_colours_and_follow_the_same_notebooks(name):
    css = (ROOT / "src" / "helpers" / "explore" / "js" / f"{name}.css").read_text(encoding="utf-8")
    light = dict(re.findall(r"var\(--rm-(\w+), (#[0-9a-f]+)\)", css))
    assert light and light.items() <= LIGHT.items()
    selector, block = re.search(r"\n([^{}\n]*data-jp-theme-light[^{}]*)\{([^{}]*)\}", css).groups()
    assert [part.strip() for part in selector.split(",")] == [f"{theme} .rm-{name}" for theme in THEMES]
    assert dict(re.findall(r"--(\w+): (#[0-9a-f]+)", block)) == {role: DARK[role] for role in light}


def test_a_role_is_a_variable_with_its_light_value():
    assert colour("margin") == "var(--rm-margin,#a36600)"
    with pytest.raises(ValueError, match="role must be a known name, got 'purple'"):
        colour("purple")


def test_a_drawing_that_stands_alone_follows_the_readers_scheme_and_brings_a_card():
    assert "background:var(--rm-card,var(--rm-page,#fff))" in STYLE
    alone = re.search(r"@media\(prefers-color-scheme:dark\)\{\.rm-picture:root\{([^}]*)\}", STYLE)[1]
    assert dict(re.findall(r"--rm-(\w+):([^;]+);", alone)) == DARK
    for rule in re.findall(r"([^{}]+)\{[^{}]*\}", re.sub(r"@media[^{]*\{", "", STYLE)):
        assert all(".rm-picture" in selector for selector in rule.split(",")), rule  # nothing else on the page changes


def test_an_arrow_is_as_long_as_its_amount_and_none_has_no_arrow():
    tip = re.findall(r'd="M([\d.]+),([\d.]+)', arrow(0, 0, 30, 40))[1]
    assert tip == ("30", "40") and arrow(5, 5, 5, 5) == ""


def test_hatches_stand_on_the_side_where_nothing_can_be():
    above = re.search(r'd="([^"]*)"', proved([(0, 50), (100, 50)], -1))[1]
    below = re.search(r'd="([^"]*)"', proved([(0, 50), (100, 50)], 1))[1]
    ends = [[float(y) for _, y in re.findall(r" ([\d.]+),([\d.]+)", path)] for path in (above, below)]
    assert all(y < 50 for y in ends[0]) and all(y > 50 for y in ends[1])


def test_statements_for_are_full_and_against_are_hollow():
    assert "page-f" not in statements([(1, 2)], 1) and "page-f" in statements([(1, 2)], -1)


@pytest.mark.parametrize("name", GLYPHS)
def test_a_glyph_is_small_valid_hidden_and_in_the_keys_colours(name):
    svg = glyph(name)
    root = ET.fromstring(svg)
    assert root.get("viewBox") == "0 0 80 50" and root.get("aria-hidden") == "true" and len(svg) < 3000
    assert set(re.findall(r"#[0-9a-f]{3,6}", svg)) <= set(LIGHT.values())
    assert "<text" not in svg and "class=" not in re.sub(r"<svg[^>]*>", "", svg)


def test_an_unknown_glyph_is_refused():
    with pytest.raises(ValueError, match="glyph must be a known name, got '00_marks'"):
        glyph("00_marks")


def test_a_glyph_takes_the_style_of_a_mark_along():
    line = "fill:none;stroke-width:1.75;stroke-linejoin:round;stroke:var(--rm-ink,#22262b)"
    assert f'style="{line};stroke-width:2.5"' in small(arrow(0, 0, 9, 0))
