"""Figures of clusters and layouts: what they draw, in which shape and colour, labels."""

import numpy as np
import pytest
from looks import draw
from matplotlib.colors import same_color

from helpers.figures.geometry import cluster_margins, planes, square_maps, token_graphs
from helpers.figures.theme import INK, MEASURED, PAGE
from helpers.layouts import chain, disjoint, shared
from helpers.mixture import ValueMixture

pytestmark = pytest.mark.usefixtures("themed")
MIXTURE = ValueMixture(disjoint(3), d=6, v=0.2, l_b=0.5)
SAMPLE = MIXTURE.sample(9, np.random.default_rng(0))
ACROSS, UP = ("along concept 1", MIXTURE.concepts[0]), ("along concept 2", MIXTURE.concepts[1])
SAID = {"own": np.array([[0.1, 0.2], [0.3, 0.4]]), "hub": np.array([[-0.1, 0.0], [0.2, 0.1]])}
FOUND = {name: margins + 0.05 for name, margins in SAID.items()}
ERROR = {name: np.full((2, 2), 0.01) for name in SAID}
PLACES = {"chain": [(0, 1), (1, 0), (2, 1), (3, 0)], "shared": [(0, 1), (0, 0)]}
MAKERS = {
    "planes": lambda: planes(SAMPLE.x, SAMPLE.value, SAMPLE.side, [(ACROSS, UP), (UP, ACROSS)]),
    "maps": lambda: square_maps({"a": chain(4).gram, "b": np.eye(4)}, ["one", "two", "three", "four"], of="value"),
    "numbers": lambda: square_maps({"a": np.eye(3)}, [1, 2, 3], unit="ĝ", of="value", numbers=True),
    "graphs": lambda: token_graphs({"chain": chain(3), "shared": shared(2)}, PLACES, value=1, name="thrift"),
    "margins": lambda: cluster_margins(SAID, FOUND, ERROR, mixture=0.15),
    "margins, prediction first": lambda: cluster_margins(SAID, mixture=0.15),
}


@pytest.mark.parametrize("name", MAKERS)
def test_axes_are_labelled_and_every_rule_is_kept(name):
    sheet = MAKERS[name]()
    draw(sheet)
    assert sheet.panels[-1].get_xlabel()
    assert sheet.panels[0].get_ylabel() or name in ("maps", "numbers", "graphs")


def groups(axes):
    return {c.get_label(): np.asarray(c.get_offsets()) for c in axes.collections if c.get_label()[0] != "_"}


def dots(axes, colour):
    found = [c for c in axes.collections if hasattr(c, "get_sizes") and same_color(c.get_edgecolor()[0], colour)]
    return np.concatenate([np.asarray(group.get_offsets()) for group in found])


def test_planes_show_each_cluster_from_its_directions_full_for_and_hollow_against():
    axes = MAKERS["planes"]().panels[0]
    found = groups(axes)
    assert len(found) == 6
    at = (SAMPLE.value == 1) & (SAMPLE.side == -1)
    expected = SAMPLE.x[at] @ np.stack([ACROSS[1], UP[1]], axis=1)
    np.testing.assert_allclose(found["value 2, against"], expected)
    fills = {c.get_label().split(", ")[1]: c.get_facecolor()[0] for c in axes.collections}
    assert same_color(fills["for"], INK) and same_color(fills["against"], PAGE)


def arrows_of(axes):
    return [text for text in axes.texts if text.arrow_patch is not None]


def test_graphs_have_an_arrow_from_the_rejected_answer_to_the_chosen_one():
    chained, alike = MAKERS["graphs"]().panels
    assert [axes.get_xlabel() for axes in (chained, alike)] == ["chain", "shared"]
    tiles = np.asarray(chained.collections[0].get_offsets())
    np.testing.assert_allclose(tiles, PLACES["chain"])
    arrows = [(tuple(arrow.xyann), tuple(arrow.xy)) for arrow in arrows_of(chained)]
    assert arrows == [((1, 0), (0, 1)), ((2, 1), (1, 0)), ((3, 0), (2, 1))]  # value i rejects i + 1 and chooses i
    widths = [arrow.arrow_patch.get_linewidth() for arrow in arrows_of(chained)]
    assert widths[1] > widths[0] == widths[2]
    first, second = (arrow.arrow_patch.get_connectionstyle().rad for arrow in arrows_of(alike))
    assert first < 0 < second  # two values with one pair of answers do not hide each other


def test_maps_have_full_squares_for_positive_and_hollow_ones_for_negative_entries():
    chained, alone = MAKERS["maps"]().panels
    assert [axes.get_title(loc="left") for axes in (chained, alone)] == ["a", "b"]
    full, hollow = chained.patches
    assert same_color(full.get_facecolor(), INK) and same_color(hollow.get_facecolor(), PAGE)
    centres = {name: part.get_path().vertices.reshape(-1, 5, 2)[:, :4].mean(axis=1) for name, part in
               (("full", full), ("hollow", hollow))}
    gram = chain(4).gram
    for name, sign in (("full", 1), ("hollow", -1)):  # a row of the matrix is a height
        np.testing.assert_allclose(centres[name][:, ::-1], np.argwhere(np.sign(gram) == sign))
    assert len(alone.patches) == 1


def test_maps_write_numbers_where_asked():
    texts = [text.get_text() for text in MAKERS["numbers"]().panels[0].texts]
    assert texts.count("1.00") == 3 and texts.count("0.00") == 6
    assert {text.get_text() for text in MAKERS["maps"]().panels[0].texts} == {""}


def test_cluster_margins_lie_on_their_prediction_with_residuals_in_standard_errors():
    top, residuals = MAKERS["margins"]().panels
    expected = np.concatenate([np.sort(FOUND[name].ravel()) for name in FOUND])  # the same shift for all
    np.testing.assert_allclose(dots(top, MEASURED)[:, 1], expected)
    np.testing.assert_allclose(dots(residuals, MEASURED)[:, 1], 5)
    (level,) = [line for line in top.get_lines() if line.get_linestyle() == "--"]
    assert list(level.get_ydata()) == [0.15, 0.15]
