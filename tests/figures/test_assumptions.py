"""Figures of the assumptions: what they draw, in which colour, and the rules of all figures."""

from types import SimpleNamespace

import numpy as np
import pytest
from looks import draw
from matplotlib.colors import same_color

from helpers.audit import audit
from helpers.figures.assumptions import seen_by_checks, verdicts
from helpers.figures.theme import MEASURED, PREDICTED, PROVED
from helpers.layouts import disjoint
from helpers.mixture import ValueMixture

pytestmark = pytest.mark.usefixtures("themed")
TRUE = [0.0, 0.5, 1.0]
SAID = {"published check": [-0.01, -0.005, 0.0], "half differences": TRUE}
FOUND = {name: (np.array(line) + 0.02, np.array(line) - 0.05, np.array(line) + 0.05) for name, line in SAID.items()}
WORDS = dict(x_name="true cosine (1)", y_name="reported cosine (1)")
CHECKS = [SimpleNamespace(name=name, value=value, low=value / 2, high=value * 2, relation=relation, limit=limit)
          for name, value, relation, limit in (("v", 0.6, "<=", 0.004), ("l_b", 40.0, ">=", 0.25), ("d", 30, "=", 576),
                                               ("cosine", 0.3, "=", 0.0))]


def report():
    mixture = ValueMixture(disjoint(3), d=20, v=0.1, l_b=0.4)
    sample = mixture.sample(20, np.random.default_rng(0))
    found = audit(sample.x, sample, layout=mixture.layout)
    return verdicts({"Theorem 4.2": found.hypotheses, "mixture": found.mixture})


MAKERS = {
    "predicted": lambda: seen_by_checks(TRUE, SAID, **WORDS),
    "measured": lambda: seen_by_checks(TRUE, SAID, FOUND, **WORDS),
    "verdicts": lambda: verdicts({"Theorem 4.2": CHECKS[:2], "mixture": CHECKS[2:]}),
    "an audit": report,
}


@pytest.mark.parametrize("name", MAKERS)
def test_axes_are_labelled_and_every_rule_is_kept(name):
    sheet = MAKERS[name]()
    draw(sheet)
    assert sheet.panels[-1].get_xlabel()


def lines(axes, colour):
    return [line for line in axes.lines if same_color(line.get_color(), colour) and line.get_linestyle() != "None"]


def dots(axes):
    found = [c for c in axes.collections if hasattr(c, "get_sizes") and same_color(c.get_edgecolor()[0], MEASURED)]
    return np.concatenate([np.asarray(group.get_offsets()) for group in found])


def test_a_check_is_a_line_and_what_it_found_are_dots():
    axes = MAKERS["predicted"]().panels[0]
    assert [list(line.get_ydata()) for line in lines(axes, PREDICTED)] == list(SAID.values())
    assert not [c for c in axes.collections if hasattr(c, "get_sizes")]
    axes, below = MAKERS["measured"]().panels
    expected = [(x, y) for name in SAID for x, y in zip(TRUE, FOUND[name][0], strict=True)]
    np.testing.assert_allclose(dots(axes), expected)
    np.testing.assert_allclose(dots(below)[:, 1], 0.4)  # 0.02 off, half-intervals of 0.05


def test_a_verdict_is_the_ratio_to_its_limit_beside_what_is_allowed():
    axes = MAKERS["verdicts"]().panels[0]
    np.testing.assert_allclose(dots(axes), [(0.6 / 0.004, 0), (160, 1), (30 / 576, 2)])  # a limit of 0 has no ratio
    low, high = axes.get_xlim()
    allowed = [tuple(line.get_xdata()) for line in lines(axes, PROVED)]
    assert allowed == [(low, 1.0), (1.0, high), (1.0, 1.0)]
    measured = [tuple(line.get_xdata()) for line in lines(axes, MEASURED)]
    np.testing.assert_allclose(measured, [(75, 300), (80, 320), (15 / 576, 60 / 576)])
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["v ≤ 0.004", "l_b ≥ 0.25", "d = 576"]
