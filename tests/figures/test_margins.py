"""Figures of margins: predictions alone, then what was measured on them; thresholds, accuracies, interactions."""

import re

import numpy as np
import pytest
from looks import draw
from matplotlib.colors import same_color

from helpers.figures.agreement import Group, agreement
from helpers.figures.margins import flips, interaction_blocks, predicted_against_measured, two_accuracies
from helpers.figures.theme import MARGIN, MEASURED, PAGE, PREDICTED

pytestmark = [pytest.mark.usefixtures("themed"), pytest.mark.slow]  # `make check` has no time for it
RNG = np.random.default_rng(0)
T = np.arange(0, 101, 10.0)
SAID = RNG.normal(size=30)
FOUND = SAID + RNG.uniform(-0.08, 0.08, 30)
SIDE = np.where(np.arange(30) % 2, 1, -1)
MANY = RNG.normal(size=256)
THRESHOLD, MARGINS = np.array([-0.1, 0.05, 0.1]), np.array([-0.4, 0.2, 1.0])
MAKERS = {
    "against": lambda: predicted_against_measured(SAID, FOUND, side=SIDE, tolerance=0.1),
    "against, without tolerance": lambda: predicted_against_measured(SAID, FOUND),
    "against, prediction first": lambda: predicted_against_measured(SAID, side=SIDE, tolerance=0.1),
    "many": lambda: predicted_against_measured(MANY, MANY + 1e-4, tolerance=np.full(256, 1e-3)),
    "many, prediction first": lambda: predicted_against_measured(MANY),
    "accuracies": lambda: two_accuracies(T, 1 - 0.5 * np.exp(-T / 9), 1 - 0.6 * np.exp(-T / 50)),
    "flips": lambda: flips(THRESHOLD, MARGINS, MARGINS > THRESHOLD),
    "flips, prediction first": lambda: flips(THRESHOLD),
    "blocks": lambda: interaction_blocks({"shared": np.eye(4) * 2 - 1, "own": np.eye(4)},
                                         [f"{name} {s}" for name in ("honesty", "tidiness") for s in "+−"]),
}


@pytest.mark.parametrize("name", MAKERS)
def test_axes_are_labelled_with_units_and_every_rule_is_kept(name):
    sheet = MAKERS[name]()
    for label in (sheet.panels[0].get_ylabel(), sheet.panels[-1].get_xlabel()):
        # A unit in brackets, or what one step, one number or one row is.
        assert re.search(r"\((nats|%)\)|Training step|each held-out|cluster that", label), label
    draw(sheet)


def dots(axes):
    """Positions of all red dots, and whether each is full."""
    found = [group for group in axes.collections
             if hasattr(group, "get_sizes") and same_color(group.get_edgecolor()[0], MEASURED)]
    where = np.concatenate([np.asarray(group.get_offsets()) for group in found])
    full = np.concatenate([np.full(len(g.get_offsets()), same_color(g.get_facecolor()[0], MEASURED)) for g in found])
    return where, full


def predicted(axes):
    """Heights of all blue dashes, from left to right."""
    found = [group for group in axes.collections
             if not hasattr(group, "get_sizes") and same_color(group.get_edgecolor()[0], PREDICTED)]
    ends = np.concatenate([np.array(group.get_segments()) for group in found])
    assert (ends[:, 0, 1] == ends[:, 1, 1]).all()
    return ends[:, :, 0].mean(axis=1), ends[:, 0, 1]


def test_predictions_are_sorted_on_each_side_and_measurements_stand_on_their_own_prediction():
    top, residuals = MAKERS["against"]().panels
    x, said = predicted(top)
    np.testing.assert_allclose(said, np.concatenate([np.sort(SAID[SIDE == s]) for s in (1, -1)]))
    where, _ = dots(top)
    np.testing.assert_allclose(where[:, 0], x)
    order = np.concatenate([np.flatnonzero(SIDE == s)[np.argsort(SAID[SIDE == s])] for s in (1, -1)])
    np.testing.assert_allclose(where[:, 1], FOUND[order])
    off, _ = dots(residuals)
    np.testing.assert_allclose(off[:, 1], ((FOUND - SAID) / 0.1)[order])  # in units of the tolerance
    assert "tolerances" in residuals.get_ylabel()
    assert residuals.get_ylim()[0] < -1 and residuals.get_ylim()[1] > 1  # the tolerance is seen, however small the rest


def test_nothing_measured_is_drawn_before_it_is_measured():
    (axes,) = MAKERS["against, prediction first"]().panels
    assert len(predicted(axes)[1]) == 30
    assert not any(same_color(group.get_edgecolor()[0], MEASURED) for group in axes.collections)
    assert "easured" not in axes.get_ylabel()


def test_residuals_without_a_tolerance_are_in_the_unit_of_the_numbers():
    residuals = MAKERS["against, without tolerance"]().panels[1]
    np.testing.assert_allclose(dots(residuals)[0][:, 1], (FOUND - SAID)[np.argsort(SAID)])
    assert "(nats)" in residuals.get_ylabel()


def test_very_small_residuals_are_counted_in_a_power_of_ten():
    residuals = predicted_against_measured(SAID, SAID + 2e-6).panels[1]
    np.testing.assert_allclose(dots(residuals)[0][:, 1], 2, rtol=1e-6)
    assert residuals.get_ylabel() == "measured − predicted (10⁻⁶ nats)"


def test_many_predictions_are_one_line():
    (axes,) = MAKERS["many, prediction first"]().panels
    (line,) = [line for line in axes.get_lines() if line.get_color() == PREDICTED]
    np.testing.assert_allclose(line.get_ydata(), np.sort(MANY))


def test_a_group_may_keep_its_order_and_ring_one():
    sheet = agreement({"one": Group(np.array([3.0, 1, 2]), ring=2, ordered=True)}, up="x (nats)", each="value")
    np.testing.assert_allclose(predicted(sheet.panels[0])[1], [3, 1, 2])
    rings = [group.get_offsets()[0] for group in sheet.panels[0].collections
             if hasattr(group, "get_sizes") and group.get_sizes()[0] > 100]
    np.testing.assert_allclose(rings, [[2, 2]])


def test_accuracies_are_percentages():
    where, full = dots(MAKERS["accuracies"]().panels[0])
    np.testing.assert_allclose(where[full, 1], 100 - 50 * np.exp(-T / 9))
    np.testing.assert_allclose(where[~full, 1], 100 - 60 * np.exp(-T / 50))
    assert len(dots(two_accuracies(T, T / 100).panels[0])[0]) == len(T)


def test_flips_put_right_rankings_above_the_predicted_border():
    axes = MAKERS["flips"]().panels[0]
    where, full = dots(axes)
    assert (where[full, 1] > where[full, 0]).all() and (where[~full, 1] <= where[~full, 0]).all()
    (border,) = [line for line in axes.get_lines() if line.get_color() == PREDICTED]
    np.testing.assert_allclose(border.get_xdata(), border.get_ydata())


def test_flips_give_thresholds_the_whole_width_and_show_every_point():
    axes = MAKERS["flips"]().panels[0]
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    assert left == -right == pytest.approx(-0.11) and low < -0.4 and high > 1.0


def test_panels_of_different_sizes_have_each_its_own_largest_square():
    large = np.array([[3000.0, -1.0], [0.0, 1.0]])
    sheet = interaction_blocks({"whole": large, "centred": large / 100}, ["one", "two"], own_scale=True)
    sides = [np.ptp(axes.patches[0].get_path().vertices[:5, 0]) for axes in sheet.panels]
    assert sides[0] == pytest.approx(sides[1])
    titles = [axes.get_title(loc="left") for axes in sheet.panels]
    assert titles == ["whole: largest 3,000 units²", "centred: largest 30 units²"]


def test_pushes_are_golden_squares_full_up_and_hollow_down_with_the_area_of_their_size():
    sheet = interaction_blocks({"own": np.array([[4.0, -1.0], [0.0, 1.0]])}, ["one", "two"])
    full, hollow = sheet.panels[0].patches
    assert same_color(full.get_facecolor(), MARGIN)
    assert same_color(hollow.get_facecolor(), PAGE) and same_color(hollow.get_edgecolor(), MARGIN)
    corners = full.get_path().vertices.reshape(-1, 5, 2)
    sides = np.ptp(corners[:, :, 0], axis=1)
    np.testing.assert_allclose(corners.mean(axis=1).round(), [[0, 0], [1, 1]])
    assert (sides[0] / sides[1]) ** 2 == pytest.approx(4)
    assert len(hollow.get_path().vertices) == 5  # one negative entry; zero has no square
