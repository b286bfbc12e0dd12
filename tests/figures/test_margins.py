"""The static figures: what they draw, labels with units, alternative texts, fonts, contrast."""

import base64
import io
import re

import numpy as np
import pytest
from looks import draw
from PIL import Image

from helpers.figures import theme as appearance
from helpers.figures.margins import (
    flips,
    histogram_of_margins,
    interaction_blocks,
    margin_trajectories,
    predicted_against_measured,
    two_accuracies,
)
from helpers.figures.theme import GREY, LINES, PALETTE, show

pytestmark = pytest.mark.usefixtures("themed")
T = np.arange(0, 101, 10.0)
MARGINS = np.log1p(T[:, None] / 40 * np.linspace(0.5, 1.5, 30))
SIDE = np.where(np.arange(30) % 2, 1, -1)
ENVELOPE = (np.where(T < 50, T / 100, np.nan), np.where(T < 50, T / 20, np.nan))
MAKERS = {
    "trajectories": lambda: margin_trajectories(T, MARGINS, np.log1p(T / 40), ENVELOPE),
    "prediction first": lambda: margin_trajectories(T, predicted=np.log1p(T / 40)),
    "against": lambda: predicted_against_measured(MARGINS[5], MARGINS[6], side=SIDE, tolerance=0.1),
    "against, prediction first": lambda: predicted_against_measured(MARGINS[5], side=SIDE),
    "accuracies": lambda: two_accuracies(T, 1 - 0.5 * np.exp(-T / 9), 1 - 0.6 * np.exp(-T / 50)),
    "flips": lambda: flips(MARGINS[3] - 0.05, MARGINS[6], MARGINS[6] > MARGINS[3] - 0.05),
    "flips, prediction first": lambda: flips(MARGINS[3] - 0.05),
    "blocks": lambda: interaction_blocks({"shared": np.eye(4) * 2 - 1, "own": np.eye(4)}, list("abcd")),
    "histogram": lambda: histogram_of_margins(MARGINS[-1], SIDE, predicted=1.2),
    "histogram of one group": lambda: histogram_of_margins(MARGINS[-1]),
}


def contrast(one, other):
    """WCAG 2.1 contrast ratio of two colours."""

    def luminance(colour):
        parts = np.array([int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)])
        linear = np.where(parts <= 0.03928, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        return linear @ [0.2126, 0.7152, 0.0722]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("page", ["#ffffff", "#121212"])
@pytest.mark.parametrize("colour", [*LINES, GREY])
def test_line_colours_can_be_seen_on_both_themes(colour, page):
    assert contrast(colour, page) >= 3  # WCAG 1.4.11 for graphics


def test_contrast_of_black_on_white_is_21():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)  # the standard's own example


def test_lines_come_from_the_palette_and_differ():
    assert set(LINES) <= set(PALETTE) and len(set(PALETTE)) == 6


@pytest.mark.parametrize("name", MAKERS)
def test_axes_are_labelled_with_units_and_nothing_is_cut_off(name):
    figure = MAKERS[name]()
    axes = figure.axes[0]
    for label in (axes.get_xlabel(), axes.get_ylabel()):
        # A unit in brackets, a count that says of what, or a list of clusters.
        assert re.search(r"\((nats|%)\)|Training step|Number of samples|[Cc]luster of", label), label
    draw(figure)


def lines_of(figure):
    return {line.get_label(): line for line in figure.axes[0].get_lines()}


def test_trajectories_draw_the_median_the_prediction_and_the_envelope():
    figure = MAKERS["trajectories"]()
    lines = lines_of(figure)
    np.testing.assert_allclose(lines["measured: median and 90 %"].get_ydata(), np.median(MARGINS, axis=1))
    np.testing.assert_allclose(lines["predicted"].get_ydata(), np.log1p(T / 40))
    assert [text.get_text() for text in figure.legends[0].get_texts()][0] == "proved envelope"
    assert list(lines_of(MAKERS["prediction first"]()))[1:] == ["predicted"]


def test_points_stand_at_prediction_and_measurement():
    figure = MAKERS["against"]()
    points = {c.get_label(): c.get_offsets() for c in figure.axes[0].collections if "side" in c.get_label()}
    expected = np.column_stack([MARGINS[5], MARGINS[6]])
    np.testing.assert_allclose(points["aligned side"], expected[SIDE == 1])
    np.testing.assert_allclose(points["misaligned side"], expected[SIDE == -1])
    first = MAKERS["against, prediction first"]().axes[0].collections[0].get_offsets()
    np.testing.assert_allclose(first[:, 0], first[:, 1])


def test_accuracies_are_percentages():
    lines = lines_of(MAKERS["accuracies"]())
    np.testing.assert_allclose(lines["margin accuracy: r > 0"].get_ydata(), 100 - 50 * np.exp(-T / 9))
    assert len(lines) == 2 and len(lines_of(two_accuracies(T, T / 100))) == 1


def test_a_histogram_counts_every_sample():
    figure = MAKERS["histogram"]()
    heights = sum(patch.get_height() for container in figure.axes[0].containers for patch in container)
    assert heights == 30
    assert lines_of(figure)["predicted"].get_xdata() == [1.2, 1.2]


def test_show_gives_an_image_with_alternative_text_and_caption(monkeypatch):
    shown = []
    monkeypatch.setattr(appearance, "display", lambda bundle, raw: shown.append((bundle, raw)))
    show(MAKERS["histogram"](), caption="Margins < 0 are wrong & rare.", alt='Bars, most right of "0".')
    ((bundle, raw),) = shown
    assert raw and bundle["text/plain"].endswith('Bars, most right of "0".')
    page = bundle["text/html"]
    assert 'alt="Bars, most right of &quot;0&quot;."' in page
    assert "<figcaption>Margins &lt; 0 are wrong &amp; rare.</figcaption>" in page
    image = Image.open(io.BytesIO(base64.b64decode(re.search(r"base64,([^\"]+)", page)[1])))
    width = int(re.search(r'width="(\d+)"', page)[1])
    # Two pixels of the image for one of the page: sharp on a dense screen. Small enough for a page of ten.
    assert image.width == 2 * width and len(page) < 150_000


@pytest.mark.parametrize(("caption", "alt"), [("", "a"), ("c", "  "), ("c", None)])
def test_show_insists_on_caption_and_alternative_text(caption, alt):
    with pytest.raises(ValueError, match="(caption|alt) must be a text that says what the figure shows"):
        show(MAKERS["histogram"](), caption=caption, alt=alt)


def test_flips_put_right_rankings_above_the_diagonal():
    figure = MAKERS["flips"]()
    groups = {c.get_label(): np.asarray(c.get_offsets()) for c in figure.axes[0].collections}
    assert (groups["ranked right"][:, 1] > groups["ranked right"][:, 0]).all()
    assert len(groups["ranked right"]) + len(groups["ranked wrong"]) == 30


def test_flips_give_thresholds_the_whole_width_and_show_every_point():
    threshold, margins = [-0.1, 0.05, 0.1], [-0.4, 0.2, 1.0]
    axes = flips(threshold, margins, np.greater(margins, threshold)).axes[0]
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    assert left == -right == pytest.approx(-0.11) and low < -0.4 and high > 1.0


def test_interaction_blocks_share_one_colour_scale():
    first, second = MAKERS["blocks"]().axes[:2]
    limits = [axes.collections[0].get_clim() for axes in (first, second)]
    assert limits[0] == limits[1] == (-1.0, 1.0)
