"""How a figure is shown: themed SVG, the same bytes each time, twice where a phone needs it, safe beside others."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from looks import SVG, contrast, svgs
from matplotlib.figure import Figure

from helpers.figures import showing
from helpers.figures.drawing import PHONE, Sheet, _apart
from helpers.figures.marks import DARK, LIGHT
from helpers.figures.showing import STYLE, show
from helpers.figures.theme import INK, MEASURED, PREDICTED

pytestmark = pytest.mark.usefixtures("themed")


def two_panels():
    sheet = Sheet("time (s)", "height (m)", panels=2, height=3.0)
    for axes in sheet.panels:
        axes.plot([0, 1, 2], [0, 1, 4], color=PREDICTED)
        axes.scatter([0, 1], [0.1, 0.9], color=MEASURED)
        sheet.name(axes, 2, 4, "up", INK, dodge=True)
    return sheet


@pytest.fixture
def shown(monkeypatch):
    bundles = []
    monkeypatch.setattr(showing, "display", lambda bundle, raw: bundles.append(bundle) or raw)
    return bundles


def test_show_gives_inline_svg_whose_name_says_what_the_axes_are(shown):
    show(two_panels())
    (bundle,) = shown
    page = bundle["text/html"]
    assert page.startswith('<div class="rm-figure"><style>') and page.endswith("</svg></div>")
    assert bundle["text/plain"] == "Figure: height (m) against time (s); time (s)"
    wide, phone = re.findall(r"<svg [^>]*>", page)
    assert 'role="img" aria-label="height (m) against time (s); time (s)"' in wide and 'width="720"' in wide
    assert 'aria-hidden="true"' in phone and 'class="rm-narrow"' in phone


def test_signs_in_the_name_of_an_axis_are_no_markup(shown):
    figure = Figure(figsize=(4, 3))
    figure.subplots().set(xlabel='0 < x & "y"', ylabel="margin")
    show(figure)
    assert 'aria-label="margin against 0 &lt; x &amp; &quot;y&quot;"' in shown[0]["text/html"]


def test_what_is_no_figure_gets_one_sentence():
    with pytest.raises(ValueError, match="figure must be a matplotlib figure, got 'a plot'"):
        show("a plot")


def test_any_matplotlib_figure_can_be_shown(shown):
    figure = Figure(figsize=(4, 3))
    figure.subplots().plot([0, 1], [1, 2], color=INK)
    show(figure)
    assert shown[0]["text/html"].count("<svg") == 1  # no wider than a phone


@pytest.mark.slow
def test_the_same_figure_gives_the_same_bytes():
    assert svgs(two_panels()) == svgs(two_panels())
    sheet = two_panels()
    assert svgs(sheet) == svgs(sheet)  # drawing for a phone leaves no trace


def test_two_drawings_of_one_page_share_no_name():
    names = [set(re.findall(r' id="([^"]+)"', svg)) for svg in svgs(two_panels())]
    assert names[0] and not names[0] & names[1]


def test_on_a_phone_panels_stand_below_one_another():
    sheet = two_panels()
    sheet.settle()
    assert sheet.panels[0].get_position().y0 == pytest.approx(sheet.panels[1].get_position().y0)
    with sheet.on_a_phone():
        sheet.settle()
        first, second = (axes.get_position() for axes in sheet.panels)
        assert first.y0 > second.y1 and first.x0 == pytest.approx(second.x0)
        assert sheet.get_figwidth() == PHONE and sheet.panels[1].get_ylabel() == "height (m)"
    assert sheet.panels[1].get_ylabel() == "" and sheet.get_figwidth() == 7.2


def test_colours_follow_the_page_and_text_is_text_in_its_font():
    root = ET.fromstring(svgs(two_panels())[0])
    words = ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]
    assert words.count("height (m)") == 1 and words.count("time (s)") == 2 and words.count("up") == 2
    assert f"var(--rm-predicted,{LIGHT['predicted']})" in svgs(two_panels())[0]


def test_a_key_has_as_many_columns_as_fit():
    sheet = two_panels()
    (line,) = sheet.panels[0].get_lines()
    sheet.key(*((line, f"a curve with a long name {n}") for n in range(3)))
    sheet.settle()
    assert sheet.legends[0]._ncols == 2
    with sheet.on_a_phone():
        sheet.settle()
        assert sheet.legends[0]._ncols == 1


def test_names_are_moved_apart_no_farther_than_needed():
    class Box:
        def __init__(self, y):
            self.y0, self.y1, self.height = y - 5, y + 5, 10

    moves = _apart([Box(0), Box(4), Box(50)], gap=2)
    np.testing.assert_allclose(moves, [-4, 4, 0])
    assert len(_apart([])) == 0


@pytest.mark.parametrize("role", ["ink", "soft", "predicted", "measured", "proved", "margin"])
@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
def test_every_colour_of_a_mark_can_be_read_on_the_page(role, scheme):
    assert contrast(scheme[role], scheme["page"]) >= 4.5  # WCAG 1.4.3, for text


def test_contrast_of_black_on_white_is_21():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)  # the standard's own example


def test_the_style_is_that_of_figures_alone():
    for rule in re.findall(r"([^{}]+)\{[^{}]*\}", re.sub(r"@media[^{]*\{", "", STYLE)):
        assert all(".rm-figure" in selector for selector in rule.split(",")), rule
