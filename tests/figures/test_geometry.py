"""Figures of clusters and layouts: what they draw, labels, fonts, nothing cut off."""


import numpy as np
import pytest
from looks import draw

from helpers.figures.geometry import alignments, cluster_margins, lengths, planes, square_maps
from helpers.layouts import chain, disjoint
from helpers.mixture import ValueMixture

pytestmark = pytest.mark.usefixtures("themed")
MIXTURE = ValueMixture(disjoint(3), d=6, v=0.2, l_b=0.5)
SAMPLE = MIXTURE.sample(9, np.random.default_rng(0))
ACROSS, UP = ("along concept 1", MIXTURE.concepts[0]), ("along concept 2", MIXTURE.concepts[1])
GROUPS = ["own", "hub"], ["x", "y", "z"]
COSINES = np.array([[0.9, 0.2, -0.4], [0.8, 0.5, 0.1]])
PREDICTED = {"own": np.array([[0.1, 0.2], [0.3, 0.4]]), "hub": np.array([[-0.1, 0.0], [0.2, 0.1]])}
MEASURED = {name: margins + 0.05 for name, margins in PREDICTED.items()}
ERROR = {name: np.full((2, 2), 0.01) for name in PREDICTED}
MAKERS = {
    "planes": lambda: planes(SAMPLE.x, SAMPLE.value, SAMPLE.side, [(ACROSS, UP), (UP, ACROSS)]),
    "maps": lambda: square_maps({"a": chain(4).gram, "b": np.eye(4)}, ["one", "two", "three", "four"], of="value"),
    "numbers": lambda: square_maps({"a": np.eye(3)}, [1, 2, 3], unit=r"$\hat{g}$", of="value", numbers=True),
    "lengths": lambda: lengths({"shared": [30, 40], "noise": [0.1, 0.3]}, {"shared": (0.25, 0.5)}, "concept lengths"),
    "aligned": lambda: alignments(*GROUPS, mixture=COSINES, means=COSINES, measured=COSINES / 2),
    "predicted": lambda: alignments(*GROUPS, mixture=COSINES, means=COSINES),
    "margins": lambda: cluster_margins(PREDICTED, MEASURED, ERROR, 0.15),
}


@pytest.mark.parametrize("name", MAKERS)
def test_axes_are_labelled_in_the_books_font_and_nothing_is_cut_off(name):
    figure = MAKERS[name]()
    draw(figure)
    assert figure.axes[0].get_xlabel() and (figure.axes[0].get_ylabel() or name == "lengths")
    drawn, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    pixel = 0.01  # of rounding, in inches
    assert drawn.x0 >= -pixel and drawn.y0 >= -pixel and drawn.x1 <= width + pixel and drawn.y1 <= height + pixel


def groups(axes):
    return {c.get_label(): np.asarray(c.get_offsets()) for c in axes.collections if c.get_label()[0] != "_"}


def test_planes_show_each_cluster_from_its_directions():
    figure = MAKERS["planes"]()
    found = groups(figure.axes[0])
    assert len(found) == 6
    at = (SAMPLE.value == 1) & (SAMPLE.side == -1)
    expected = SAMPLE.x[at] @ np.stack([ACROSS[1], UP[1]], axis=1)
    np.testing.assert_allclose(found["value 2, misaligned"], expected)


def test_maps_share_one_scale_and_keep_their_entries():
    figure = MAKERS["maps"]()
    first, second = (axes.collections[0] for axes in figure.axes[:2])
    assert first.get_clim() == second.get_clim() == (-1, 1)
    np.testing.assert_allclose(np.ravel(first.get_array()), chain(4).gram.ravel())
    assert [axes.get_title() for axes in figure.axes[:2]] == ["a", "b"]


def test_maps_write_numbers_where_asked():
    texts = [text.get_text() for text in MAKERS["numbers"]().axes[0].texts]
    assert texts.count("1.00") == 3 and texts.count("0.00") == 6
    assert not MAKERS["maps"]().axes[0].texts


def test_lengths_put_a_dot_for_each_and_a_bar_for_what_is_wanted():
    axes = MAKERS["lengths"]().axes[0]
    np.testing.assert_allclose(axes.collections[1].get_offsets(), [[0.1, 1], [0.3, 1]])
    (bar,) = [line for line in axes.get_lines() if line.get_label() == "what the theorems allow"]
    np.testing.assert_allclose(bar.get_xdata(), [0.25, 0.5])
    assert axes.get_xscale() == "log" and [t.get_text() for t in axes.get_yticklabels()] == ["shared", "noise"]


def test_alignments_stand_side_by_side_and_the_prediction_can_be_drawn_alone():
    found = groups(MAKERS["aligned"]().axes[0])
    np.testing.assert_allclose(found["trained"][:, 1], COSINES.ravel() / 2)
    np.testing.assert_array_equal(found["trained"][:, 0], found["orthonormal concepts"][:, 0])
    assert list(groups(MAKERS["predicted"]().axes[0])) == ["orthonormal concepts", "measured concepts"]


def test_cluster_margins_lie_at_prediction_and_measurement():
    axes = MAKERS["margins"]().axes[0]
    found = groups(axes)
    np.testing.assert_allclose(found["hub"], np.stack([PREDICTED["hub"][:, 0], MEASURED["hub"][:, 0]], axis=1))
    (line,) = [line for line in axes.get_lines() if line.get_label() == "orthonormal concepts"]
    assert line.get_ydata() == [0.15, 0.15]
