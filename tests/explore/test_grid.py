"""The explorer of curves over any grid: what JavaScript draws and says is what Python was given."""

import itertools
import math
import re
from base64 import b64decode
from xml.etree import ElementTree

import numpy as np
import pytest
from explorers import BETAS, LAYOUTS, MEASURED, RISK, X
from explorers import grid as panel
from scripts import drawings, numbers, value

from helpers.explore.curves import Curve, Guide
from helpers.explore.grid import GridFigure, grid_numbers


def everywhere(setting):
    """All places of the sliders, and their labels there."""
    for place in itertools.product(*(range(len(labels)) for _, labels in setting["sliders"])):
        yield place, {name: labels[i] for (name, labels), i in zip(setting["sliders"], place, strict=True)}


def expected(q, b, k):
    """The caption's numbers, straight from the arrays."""
    found = {"risk": RISK[b, k, q]}
    if X[q] < 1000:
        found |= {"bound": [math.inf, 40, 4][q], "band.lower": RISK[b, k, q] / 2, "band.upper": RISK[b, k, q] * 2}
    elif b == 0:
        found |= {"horizon": 50.0}
    if not np.isnan(MEASURED[b, k, q]):
        m = MEASURED[b, k, q]
        found |= {"measured": m, "measured.lower": m - 0.01, "measured.upper": m + 0.01}
    return found


def test_the_caption_says_what_the_arrays_hold_at_every_place_of_the_sliders():
    figure = panel().figure
    places = list(everywhere(figure.setting))
    drawn = drawings(figure, "drawGrid", [place for place, _ in places])
    for (place, labels), picture in zip(places, drawn, strict=True):
        said, python = numbers(picture["caption"]), grid_numbers(figure.setting, figure.data, labels)
        # The page holds float32: 24 bits, 6e-8 of relative rounding.
        assert python == pytest.approx(expected(*place), rel=1e-7)
        assert said == python                            # both read the same bytes as double precision
        assert f"At <b>{labels['Q']}</b>, β = <b>{labels['β']}</b> and <b>{labels['layout']}</b>" in picture["caption"]
        assert "NaN" not in picture["svg"] + picture["caption"] and "undefined" not in picture["svg"]
    texts = [picture["caption"] for picture in drawn]
    assert any("No bound at" in text for text in texts) and any("∞" in text for text in texts)
    assert len({picture["svg"] for picture in drawn}) == len(drawn)     # every place has its own drawing


def test_options_and_labels_name_the_same_place():
    figure = panel().figure
    by_option = grid_numbers(figure.setting, figure.data, {"Q": 1000, "β": 0.1, "layout": "chain"})
    assert by_option == grid_numbers(figure.setting, figure.data, {"Q": "1,000", "β": "0.1", "layout": "chain"})


def test_curves_are_drawn_where_they_are_and_broken_where_nothing_is_stated():
    line = np.array([0.1, np.nan, 0.2, 0.3, np.nan]).reshape(1, -1)
    figure = panel(x=[0, 1, 2, 3, 4], knobs={"β": BETAS}, guides=[], log_x=False, percent=True, y_range=(0, 1), curves=[
        Curve("risk", np.vstack([line, line * 2]), "predicted"),
        Curve("band", np.array([line / 2, line * 2]), "band"),
    ], caption="{Q} {β} {risk}").figure
    svg = drawings(figure, "drawGrid", [(0, 0)], width=640)[0]["svg"]
    # The frame of `axes`: 46 to 626 across, 26 to 291 down (height 0.52 * 640 = 333).
    where = [(46 + 145 * i, 291 - 265 * share) for i, share in ((0, 0.1), (2, 0.2), (3, 0.3))]
    (x0, y0), (x2, y2), (x3, y3) = where
    predicted = re.search(r'rm-as-predicted rm-v1" d="([^"]*)"', svg)[1]
    assert predicted == f"M{x0:.1f} {y0:.1f}h0M{x2:.1f} {y2:.1f}L{x3:.1f} {y3:.1f}"
    band = re.search(r'rm-area rm-as-band rm-v1" d="([^"]*)"', svg)[1]
    assert band.count("M") == 2 and band.count("Z") == 2  # the lone place and the stretch of two


def test_a_logarithmic_axis_takes_bounds_and_zeros_of_any_size():
    tiny = np.array([[1e4, 1.0, 1e-8, 0.0]])
    figure = panel(
        knobs={"β": BETAS}, guides=[], log_y=True, y_range=(1e-6, None), caption="{Q} {β} {a} {b}",
        curves=[Curve("a", np.vstack([tiny, tiny]), "predicted"), Curve("b", tiny, "points")],
    ).figure
    for place, picture in zip(range(4), drawings(figure, "drawGrid", [(i, 0) for i in range(4)]), strict=True):
        assert "NaN" not in picture["svg"] and "Infinity" not in picture["svg"]
        assert ">10<tspan" in picture["svg"]                                     # powers of ten
        circles = len(re.findall(r'<circle [^>]*class="rm-spot', picture["svg"]))
        triangles = len(re.findall(r'<path class="rm-spot', picture["svg"]))
        # Two of the four points lie below the edge; so does the cursor's spot on the line at the last two places.
        assert (circles, triangles) == ((3, 2) if place < 2 else (2, 3))


def test_equal_factors_are_equal_distances_on_a_logarithmic_axis():
    figure = panel(
        knobs={"β": BETAS}, guides=[], log_y=True, y_range=(1e-6, 1e4), caption="{Q} {β}",
        curves=[Curve("a", np.array([[1e4, 1.0, 1e-3, 1e-6]] * 2), "points")],
    ).figure
    svg = drawings(figure, "drawGrid", [(0, 0)])[0]["svg"]
    spots = re.findall(r'<circle cx="[\d.]+" cy="([\d.]+)" class="rm-spot', svg)
    assert spots == ["26.0", "132.0", "211.5", "291.0"]     # ten decades over the frame's 265 pixels
    ticks = re.findall(r'y="([\d.]+)" dy="0.32em"[^>]*>10<tspan class="rm-raised">([^<]*)<', svg)
    assert ("291.0", "⁻⁶") in ticks and ("132.0", "⁰") in ticks and ("26.0", "⁴") in ticks


def test_values_given_as_log10_are_said_as_powers_of_ten():
    powers = np.array([[-4500.25, -400.0, -2.0, 0.5]])
    figure = panel(
        knobs={"β": BETAS}, guides=[], log10=True, caption="{Q} {β} {chance}, {S}",
        curves=[Curve("chance", np.vstack([powers, 2 * powers]), "predicted"), Curve("S", powers, "caption")],
    ).figure
    first, second, third, last = drawings(figure, "drawGrid", [(i, 0) for i in range(4)])
    assert numbers(first["caption"]) == {"chance": -4500.25, "S": -4500.25}
    words = [re.sub("<[^>]*>", "", picture["caption"]) for picture in (first, second, third, last)]
    assert words[0] == "1 0.1 5.6 × 10⁻⁴⁵⁰¹, −4,500"       # 10^0.75 = 5.6; a "caption" curve is a plain number
    assert words[1] == "10 0.1 1 × 10⁻⁴⁰⁰, −400"
    assert words[2] == "100 0.1 0.01, −2" and words[3] == "1,000 0.1 3.16, 0.5"
    assert "Infinity" not in first["svg"] and "NaN" not in first["svg"]


def test_ticks_of_a_logarithmic_axis_are_powers_of_ten_or_their_one_two_five():
    script = str(GridFigure._esm)
    cases = [[-5, 0], [-4500, 0], [-0.5, 0.6], [2.01, 2.04], [0, 1.6]]
    found = value("cases.map(([low, high]) => powerTicks(high, 6, low))", script, cases=cases)
    assert found[0] == [-5, -4, -3, -2, -1, 0]
    assert found[1] == [-4000, -3000, -2000, -1000, 0]
    np.testing.assert_allclose(10 ** np.array(found[2]), [0.5, 1, 2], rtol=1e-12)
    for (low, high), ticks in zip(cases, found, strict=True):
        assert 2 <= len(ticks) <= 7 and min(ticks) >= low - 1e-9 and max(ticks) <= high + 1e-9


def test_round_ticks_lie_between_the_ends():
    script = str(GridFigure._esm)
    cases = [[0, 1], [0, 400], [-0.3, 1], [980, 1010], [3, 3.001], [-0.049, 0.055]]
    found = value("cases.map(([low, high]) => roundTicks(high, 5, low))", script, cases=cases)
    assert found[0] == [0, 0.2, 0.4, 0.6, 0.8, 1] and found[5] == [-0.04, -0.02, 0, 0.02, 0.04]
    assert found[2] == [0, 0.5, 1] and found[3] == [980, 990, 1000, 1010]
    for (low, high), ticks in zip(cases, found, strict=True):
        assert len(ticks) >= 3 and min(ticks) >= low - 1e-9 and max(ticks) <= high + 1e-9


def test_a_loose_bound_does_not_flatten_the_curves():
    wide = np.array([np.full((2, 4), -50.0), np.full((2, 4), 1e4)])
    figure = panel(
        knobs={"β": BETAS}, guides=[], caption="{Q} {β}",
        curves=[Curve("a", np.array([[0.1, 0.2, 0.3, 0.5]] * 2), "predicted"), Curve("b", wide, "band")],
    ).figure
    svg = drawings(figure, "drawGrid", [(0, 0)])[0]["svg"]
    ticks = re.findall(r'dy="0.32em"[^>]*>([−\d.,]+)<', svg)
    ticks = [float(tick.replace(",", "").replace("−", "-")) for tick in ticks]
    assert max(ticks) < 1.6 and min(ticks) > -0.7
    line = re.search(r'rm-as-predicted rm-v1" d="(.*?)"', svg)[1]
    heights = [float(y) for y in re.findall(r"[ML][\d.]+ ([\d.]+)", line)]
    # The axis holds 3.6 times what curve and zero span, and air above and below; the curve is 4/5 of that span.
    assert max(heights) - min(heights) > 0.18 * 265


def test_words_are_escaped_and_long_ones_wrapped():
    picture = drawings(panel(y_name="a <very> long name " * 6).figure, "drawGrid", [(0, 0, 0)], width=340)[0]
    assert "&lt;very&gt;" in picture["svg"] and "<very>" not in picture["svg"]
    assert picture["svg"].count('class="rm-label"') > 2             # one text a line
    assert "ends &amp; stops" in picture["svg"]


def test_an_empty_figure_is_drawn():
    nothing = np.full((2, 3, 1), np.nan)
    for log in (False, True):
        figure = panel(curves=[Curve("a", nothing, "predicted")], log_y=log, caption="{Q} {β} {layout}").figure
        assert "NaN" not in drawings(figure, "drawGrid", [(0, 0, 0)])[0]["svg"]


def test_controls_begin_where_they_are_told_and_say_what_they_are():
    figure = panel(at={"Q": 10, "layout": "one answer for all"}).figure
    assert [name for name, _ in figure.setting["sliders"]] == ["Q", "β", "layout"]
    assert figure.at() == [1, 1, 2]
    assert figure.setting["controls"] == ["none", "segments", "segments"] and figure.setting["cursor"]
    many = panel(knobs={"β": np.linspace(0.1, 1, 6), "layout": [f"way {i}" for i in range(6)]}, guides=[],
                 curves=[Curve("risk", np.arange(144.0).reshape(6, 6, 4), "predicted")], caption="{Q} {β} {layout}")
    assert many.figure.setting["controls"] == ["none", "slider", "segments"]     # words are buttons, however many


def test_the_cursor_stands_at_stops_and_curves_run_between_them():
    figure = panel(stops=[10, 1000], at={"Q": 1000}).figure
    assert figure.setting["sliders"][0] == ["Q", ["10", "1,000"]] and figure.at()[0] == 1
    first, second = drawings(figure, "drawGrid", [(0, 0, 0), (1, 0, 0)])
    assert numbers(first["caption"])["risk"] == pytest.approx(RISK[0, 0, 1], rel=1e-7)
    assert numbers(second["caption"])["risk"] == pytest.approx(RISK[0, 0, 3], rel=1e-7)
    line = re.search(r'rm-as-predicted rm-v1" d="([^"]*)"', first["svg"])[1]
    assert len(re.findall("[ML]", line)) == 4
    with pytest.raises(ValueError, match=r"stops must be positions of x, got \[5\]"):
        panel(stops=[1, 5])


def ticks(picture):
    """Where the labels of the vertical axis stand, and what they say."""
    return re.findall(r'y="([\d.]+)" dy="0.32em"[^>]*>([^<]*)<', picture["svg"])


def test_axes_stay_where_they_are_when_a_control_moves():
    figure = panel().figure
    places = [place for place, _ in everywhere(figure.setting)]
    assert len({tuple(ticks(picture)) for picture in drawings(figure, "drawGrid", places)}) == 1
    low, high = figure.setting["yRange"]
    everything = np.concatenate([RISK.ravel(), (MEASURED + 0.01)[~np.isnan(MEASURED)]])
    # Nothing measured or predicted is cut off, and the bound, 40, leaves it more than half of the axis.
    assert low == 0 and everything.max() < high < 1.1 * 1.6 * everything.max()


def test_an_axis_on_which_nothing_would_be_seen_is_enlarged_and_says_so():
    values = np.array([0.01, 1.0])[:, None] * np.array([0.0, 0.2, 0.5, 1.0])
    given = {"knobs": {"β": BETAS}, "guides": [], "caption": "{Q} {β}", "log_x": False, "y_name": "margin",
             "curves": [Curve("a", values, "predicted")]}
    small, large = drawings(panel(**given).figure, "drawGrid", [(0, 0), (0, 1)])
    assert ">margin, enlarged 64 times<" in small["svg"] and ">margin<" in large["svg"]
    top = [max(float(word) for _, word in ticks(picture)) for picture in (small, large)]
    assert top == [0.015, 1.0]              # the ends of the axis are 1.08 / 64 and 1.08
    kept = drawings(panel(**given, y_range=(0, 1)).figure, "drawGrid", [(0, 0)])[0]["svg"]
    assert "enlarged" not in kept           # where the author says how far it goes, it goes there


def test_the_former_curves_stay_as_ghosts_until_the_next_move():
    figure = panel().figure
    (now,) = drawings(figure, "drawGrid", [(1, 1, 0)])
    (moved,) = drawings(figure, "drawGrid", [(1, 1, 0)], before=[1, 0, 0])
    (former,) = drawings(figure, "drawGrid", [(1, 0, 0)])
    assert "rm-ghost" not in now["svg"] + now["key"]
    line = r'class="rm-ink rm-as-predicted rm-v1" d="([^"]*)"'
    ghost = re.search(r'<path class="rm-ghost" d="([^"]*)"', moved["svg"])[1]
    assert ghost == re.search(line, former["svg"])[1] != re.search(line, moved["svg"])[1]
    assert "before: β = 0.1<" in moved["key"] and moved["caption"] == now["caption"]
    assert moved["svg"].count('class="rm-ghost"') == 1      # the bound is the same before and after: no ghost of it


def test_a_margin_has_a_golden_measure_from_zero():
    figure = panel(margin="risk", log_x=False).figure
    svg = drawings(figure, "drawGrid", [(2, 1, 1)])[0]["svg"]
    x, foot, top = map(float, re.search(r'rm-measure" d="M([\d.]+) ([\d.]+)h10M[\d.]+ [\d.]+V([\d.]+)', svg).groups())
    spot = re.search(r'<circle cx="([\d.]+)" cy="([\d.]+)" class="rm-spot rm-as-predicted', svg)
    assert (x + 5, top) == (float(spot[1]), float(spot[2])) and foot == 291.0
    assert "rm-measure" not in drawings(panel().figure, "drawGrid", [(2, 1, 1)])[0]["svg"]
    with pytest.raises(ValueError, match="margin must be a known name, got 'rsik'; did you mean 'risk'"):
        panel(margin="rsik")


def test_what_is_proved_is_hatched_where_nothing_can_be():
    x, value = [0, 1, 2, 3], np.array([[0.4, 0.4, 0.4, 0.4]] * 2)
    arguments = {"x": x, "knobs": {"β": BETAS}, "guides": [], "log_x": False, "caption": "{Q} {β}", "y_range": (0, 1)}
    def strokes(**changes):
        curve = Curve("c", **{"values": value, "style": "bound"} | changes)
        svg = drawings(panel(curves=[curve], **arguments).figure, "drawGrid", [(0, 0)])[0]["svg"]
        return {float(step) for found in re.findall(r'rm-hatch[^"]*" d="([^"]*)"', svg)
                for step in re.findall(r"l4 (-?\d+)", found)}
    assert strokes() == {-6} and strokes(closed="below") == {6} and strokes(closed="nowhere") == set()
    assert strokes(values=np.array([value, value * 2]), style="band") == {-6, 6}


def test_a_hint_says_that_the_figure_can_be_dragged():
    assert ">drag →<" in drawings(panel().figure, "drawGrid", [(0, 0, 0)], hint=True)[0]["svg"]
    assert ">← drag<" in drawings(panel().figure, "drawGrid", [(3, 0, 0)], hint=True)[0]["svg"]
    assert "drag" not in drawings(panel().figure, "drawGrid", [(0, 0, 0)])[0]["svg"]


def test_a_notebook_without_a_kernel_shows_a_sentence_and_a_picture():
    bundle = panel(title="Risk </SCRIPT> & co")._repr_mimebundle_()
    assert bundle["text/plain"].startswith("Interactive figure: Risk </SCRIPT> & co. Run this cell to move")
    assert "Explorer(" not in bundle["text/plain"]
    html = bundle["text/html"]
    assert "</SCRIPT>" not in html and "Risk &lt;/SCRIPT&gt; &amp; co" in html

    def image(html):
        return b64decode(re.search('src="data:image/svg.xml;base64,([^"]*)"', html)[1]).decode()

    picture = ElementTree.fromstring(image(html))      # one well-formed picture
    assert "risk <share>" in [text.text for text in picture.iter("{http://www.w3.org/2000/svg}text")]
    line = next(p.get("d") for p in picture.iter("{http://www.w3.org/2000/svg}path") if p.get("stroke") == "#2467b0")
    points = np.array([list(map(float, pair.split())) for pair in line[1:].split("L")])
    low, high = panel().figure.setting["yRange"]
    # 56 to 546 across, 256 to 28 up, written to a tenth of a pixel; the middle of the controls.
    np.testing.assert_allclose(points[:, 0], 56 + np.arange(4) / 3 * 490, atol=0.06)
    np.testing.assert_allclose(points[:, 1], 256 - (RISK[1, 1] - low) / (high - low) * 228, atol=0.06)
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"]
    for changes in ({"log_y": True}, {"log10": True}, {"curves": [Curve("a", np.full((2, 3, 1), np.nan), "points")],
                                                       "caption": "{Q} {β} {layout}"}):
        svg = image(panel(**changes)._repr_mimebundle_()["text/html"])
        assert "nan" not in svg and "inf" not in svg


def test_training_for_real_adds_points_and_lines():
    results = iter([0.25, (np.array([1, 10]), np.array([0.4, 0.3]))])
    seen = []

    def train(at, progress):
        progress(1, 2)
        seen.append(at)
        return next(results)

    live = panel(train=train, at={"Q": 100, "β": 0.1, "layout": "chain"})
    live.train()
    live.train()
    assert seen == [{"Q": 100, "β": 0.1, "layout": "chain"}] * 2
    assert live.figure.live["runs"] == [
        {"at": [0, 1], "line": False, "x": [100.0], "y": [0.25]},
        {"at": [0, 1], "line": True, "x": [1.0, 10.0], "y": [0.4, 0.3]},
    ]
    here, elsewhere = drawings(live.figure, "drawGrid", [(2, 0, 1), (2, 1, 1)])
    assert numbers(here["caption"])["live"] == 0.25 and "rm-live-line" in here["svg"] and "rm-live-dot" in here["svg"]
    assert "live" not in numbers(elsewhere["caption"]) and "rm-live" not in elsewhere["svg"]


def test_the_caption_tells_the_last_run_at_these_settings():
    results = iter([0.25, 0.5, 0.125])
    live = panel(train=lambda at, progress: next(results), at={"Q": 10, "β": 0.1, "layout": "chain"})
    live.train()
    live.figure.knob_0 = 3
    live.train()
    live.figure.knob_1 = 1
    live.train()
    here, there = drawings(live.figure, "drawGrid", [(0, 0, 1), (0, 1, 1)])
    assert numbers(here["caption"])["live"] == 0.5 and "at Q = 1,000." in here["caption"]
    assert numbers(there["caption"])["live"] == 0.125 and there["svg"].count('class="rm-live-dot"') == 1


def test_the_cursor_goes_to_the_nearest_stop():
    script = str(GridFigure._esm)
    stops, pixels = [1, 10, 100], [-5, 0, 4.9, 5.1, 14.9, 15.1, 99]
    found = value("pixels.map((p) => nearest({ xs: stops, sx: (x) => 10 * Math.log10(x) }, p))", script,
                  stops=stops, pixels=pixels)
    assert found == [0, 0, 0, 1, 1, 2, 2]


def test_numbers_are_written_to_three_digits():
    script = str(GridFigure._esm)
    cases = [0, 0.12345, -0.00099, 12.345, 999.5, 1234.5, -1234.5, 999999.4, 1e6, 6.02e23, 0.001]
    assert value("cases.map(short)", script, cases=cases) == [
        "0", "0.123", "-9.9 × 10⁻⁴", "12.3", "1,000", "1,235", "-1,234", "999,999", "1.0 × 10⁶", "6.0 × 10²³", "0.001"]
    assert value("[NaN, Infinity, -Infinity].map(short)", script) == ["–", "∞", "−∞"]
    cases = [0, 0.00095, 0.001, 0.12345, 1, 9.99, -0.05, -10]
    found = value("cases.map(percent)", script, cases=cases)
    assert found == ["0 %", "9.5 × 10⁻⁴", "0.1 %", "12.3 %", "100 %", "999 %", "-5 %", "-10"]
    assert value("[-2, 0.5, -400, 350.3].map(tenTo)", script) == ["0.01", "3.16", "1 × 10⁻⁴⁰⁰", "2 × 10³⁵⁰"]


def test_the_same_run_once_more_is_one_run():
    live = panel(train=lambda at, progress: 0.25)
    live.train()
    live.train()
    assert len(live.figure.live["runs"]) == 1


def test_a_run_of_the_wrong_shape_is_refused():
    live = panel(train=lambda at, progress: [1.0, 2.0])
    with pytest.raises(ValueError, match="train must return one number or a pair"):
        live.train()
    assert "train must return one number or a pair (x, y) of arrays" in live.figure.status
    assert live.figure.live == {}


def test_scripts_and_styles_stay_local_and_small():
    script, style = str(GridFigure._esm), str(GridFigure._css)
    assert "http" not in script.replace("http://www.w3.org", "") and "import " not in script  # nothing is fetched
    assert len(script) < 50_000                                     # one copy a figure lies in the page
    assert "url(" not in style and "@import" not in style and not re.search(r"\drem\b", style)


BIG = np.zeros((2, 3, 4))


@pytest.mark.parametrize(("changes", "sentence"), [
    ({"x": [1, 1, 2, 3]}, "x must be numbers that increase"),
    ({"x": [0, 1, 2, 3]}, "x must be above 0 on a logarithmic axis, got 0"),
    ({"x_name": "β"}, "x_name must differ from the knobs' names, got 'β'"),
    ({"knobs": {"β": (0.1,), "layout": LAYOUTS}}, "β must have two or more options"),
    ({"knobs": {"β": (0.1, 0.1), "layout": LAYOUTS}}, "β must have two or more options with labels that differ"),
    ({"knobs": {"{β}": BETAS, "layout": LAYOUTS}}, "a slider must have a name without braces"),
    ({"knobs": dict.fromkeys("abcdef", BETAS)}, "there must be at most 6 sliders, got 7"),
    ({"at": {"β": 0.3}}, r"at β must be one of \[0.1, 0.5\], got 0.3"),
    ({"at": {"steps": 1}}, r"at must name only Q, β, layout, got \['steps'\]"),
    ({"caption": "{Q} {β} {layout} {rsik}"}, "the caption must be a known name, got 'rsik'; did you mean 'risk'"),
    ({"caption": "{Q} {risk}"}, "the caption must name every slider, and does not name β, layout"),
    ({"curves": [Curve("a", BIG, "dotted")]}, "style of 'a' must be a known name"),
    ({"curves": [Curve("a", BIG, "bound", show="euro")]}, "show of 'a' must be a known name"),
    ({"curves": [Curve("a", np.zeros((2, 4)), "bound")]}, r"values of 'a' must have shape \(2, 3, 4\), or 1 in places"),
    ({"curves": [Curve("a", np.zeros((2, 2, 4)), "bound")]}, r"or 1 in places, got \(2, 2, 4\)"),
    ({"curves": [Curve("a", BIG, "band")]}, r"values of 'a.lower' must have shape \(2, 3, 4\)"),
    ({"curves": [Curve("a", BIG[:, :, :3].reshape(3, 3, 2), "band")]}, r"the band 'a' must have shape \(2, ...\)"),
    ({"curves": [Curve("a", BIG, "predicted", lower=BIG)]}, "lower and upper must be given together, for predicted"),
    ({"curves": [Curve("a", BIG, "bound"), Curve("a", BIG, "bound")]}, "must have names that differ"),
    ({"curves": [Curve(name, BIG, "bound") for name in "abcd"]}, "at most three curves may have one style"),
    ({"curves": [Curve("a", BIG + 1e-60, "bound")]}, "values of 'a' must lie between 1e-38 and 1e38 in size"),
    ({"curves": [Curve("a", BIG + 1e60, "bound")]}, "values of 'a' must lie between 1e-38 and 1e38 in size"),
    ({"curves": [Curve("risk", RISK[:, :1], "predicted")], "caption": "{Q} {β} {layout}"},
     "layout must change a curve that is drawn or a guide; all have size 1 along it"),
    ({"guides": [Guide("end", [1.0, 2.0])]}, "values of 'end' must have shape"),
    ({"y_range": "3"}, "y_range must be a pair .low, high. of numbers or None, low below high, got '3'"),
    ({"y_range": (1, 0)}, "y_range must be a pair"),
    ({"y_range": (0, 1), "log_y": True}, "y_range must be a pair .low, high. of numbers or None above 0"),
    ({"curves": 3}, "curves must be a list of Curve objects, got 3"),
    ({"curves": [3]}, "curves must be a list of Curve objects, got 3 in it"),
    ({"knobs": [1]}, "knobs must map names to lists of options"),
    ({"knobs": {"β": 3}}, "β must be a list of options, got 3"),
    ({"log_x": "yes"}, "log_x must be True or False, got 'yes'"),
    ({"at": 3}, "at must map names to values, got 3"),
    ({"caption": None}, "caption must be a list of sentences, got None"),
    ({"x": [1]}, "x must hold at least two numbers"),
])
def test_bad_arguments(changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        panel(**changes)


def test_a_figure_too_heavy_for_a_page_is_refused():
    x, options = list(range(201)), list(range(250))
    heavy = {"x": x, "knobs": {"a": options}, "log_x": False, "caption": "{Q} {a}", "guides": []}
    with pytest.raises(ValueError, match="at most 200,000 bytes of numbers, got 201,000: take fewer options"):
        panel(curves=[Curve("c", np.zeros((250, 201)), "bound")], **heavy)
    light = panel(curves=[Curve("c", np.zeros((1, 201)), "bound"), Curve("e", np.zeros((250, 1)), "floor")], **heavy)
    assert len(light.figure.data) == 4 * (201 + 250)
