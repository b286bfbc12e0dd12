"""What chapter 7 says of its proofs' constants and of its runs, held against what the built page prints."""

import re

import numpy as np
import pytest
from claims import found, numbers, page

from helpers.bounds.envelopes import LOG3, training_envelope
from helpers.dynamics.rates import initial_rates
from helpers.exercises.chapter_07 import ANSWERS
from helpers.layouts import shared
from helpers.statistics import wilson_interval

NUMBER = r"([-+.\deinf]+)"


def pairs(line, text):
    """(left, right) of every "left <= right" in the lines that match."""
    lines = [row for row in text.splitlines() if re.search(line, row)]
    assert lines, line
    found = [pair for row in lines for pair in re.findall(rf"{NUMBER} <= {NUMBER}", row)]
    assert found, lines
    return np.array(found, dtype=float)


class TestChapter07:
    text = property(lambda self: page("07_not_orthogonal"))

    @pytest.mark.theorem("C.2")
    def test_drawn_concepts_obey_the_lemma_and_two_attain_it(self):
        rows = np.reshape(found(r"delta_o (\S+): (\S+) and (\S+) <= (\S+), (\S+) <= (\S+), attained (\S+)", self.text),
                          (-1, 7))
        assert len(rows) == 3
        delta, away, along, half, product, most, attained = rows.T
        np.testing.assert_allclose(half, delta / 2)
        assert (away <= half + 5e-5).all() and (along <= half + 5e-5).all()  # four printed digits
        assert (product <= most).all() and (most <= delta).all()
        np.testing.assert_allclose(attained, most, atol=1e-4)

    @pytest.mark.theorem("C.3")
    @pytest.mark.parametrize("line", ["same cluster", "opposite", "sharing  ", "nothing shared", "squared mean"])
    def test_interactions_stay_within_the_lemma(self, line):
        text = self.text.replace("7/4", "1.75")
        sides = pairs(line, text)
        assert (sides[:, 0] <= sides[:, 1]).all()

    @pytest.mark.theorem("C.3")
    def test_noise_along_a_tilted_concept_is_that_along_any(self):
        tilted, straight = found(r"noise along c_1: (\S+) v when tilted, (\S+) v when not", self.text)
        assert abs(tilted - 1) < 0.01 and abs(straight - 1) < 0.01  # 10^5 draws: standard error 0.0022

    @pytest.mark.theorem("C.4")
    @pytest.mark.theorem("C.5")
    def test_rates_and_margins_stay_within_the_bounds(self):
        for line in ("stopping time: off by", "itself", "sharing at most", "error ", r"(paper|improved) C +S ="):
            sides = pairs(line, self.text)
            assert (sides[:, 0] <= sides[:, 1]).all(), line
        for line in ("own", "sum", "pushes"):
            low, high, a, b = found(rf"\n{line} +(\S+) to (\S+), in \[(\S+), (\S+)\]", self.text)
            assert a <= low <= high <= b, line

    def test_the_theorem_promises_nothing_at_this_sample_size(self):
        assert found(r"may fail with probability (\S+)", self.text)[0] > 1
        once, twice = found(r"from Q = (\d+) on, doubled as in the paper from Q = (\d+) on", self.text)
        assert 120 < once < twice

    @pytest.mark.theorem("C.6")
    def test_the_bound_on_the_risk_is_below_one_and_the_risk_has_thousands_of_zeros(self):
        bound, power = found(r"bound on the risk at Q = 120: (\S+), true risk 10\^(\S+)", self.text)
        assert np.log10(bound) < 0 and power < -1000
        for step in ("step 1", "step 2"):
            sides = pairs(step, self.text)
            assert (sides[:, 0] <= sides[:, 1]).all()

    def test_first_rates_and_the_lead_of_training_samples(self):
        off, low, _ = found(r"\(b\) off by (\S+); rates from (\S+) to (\S+)", self.text)
        assert off < 1e-4 and low < 0  # second order in S = 1e-7
        lead, error, predicted = found(r"lead by (\S+) \+- (\S+), predicted (\S+)", self.text)
        assert abs(lead - predicted) < 4 * error and predicted > 5 * error

    def test_no_value_is_lost_by_the_tilt_and_same_roles_gain(self):
        rows = np.reshape(found(r"smallest rate +(\S+) +(\S+) +(\S+) +(\S+)", self.text), (4, 4))
        assert rows.min() > 0 and (rows[2:, 1:] > 1).all() and (rows[:2, 1:] < 1).all()

    def test_the_lone_value_recovers_unless_the_opposition_is_total(self):
        rows = found(r"a = (\S+): gamma (\S+) = (\S+), positive from S = (\S+), at the latest (\S+)", self.text)
        a, gamma, formula, first, latest = np.reshape(rows, (4, 5)).T
        np.testing.assert_allclose(gamma, formula, atol=1e-4)
        assert (first[:3] <= latest[:3]).all() and (np.diff(first[:3]) > 0).all()
        assert a[3] == 1 and np.isinf([first[3], latest[3]]).all()

    def test_all_cosines_of_the_model_are_positive_and_far_beyond_the_theorem(self):
        low, high, plain_low, plain_high = found(
            r"cosines (\S+) to (\S+), without the correction (\S+) to (\S+)", self.text)
        assert 0 < plain_low <= low < 0.3 and 0.7 < plain_high <= high
        assert found(r"delta_o is (\d+) times too large", self.text)[0] > 100  # "hundreds of times"
        assert found(r"pairs in conflict with shared answers: (\d+) of 28", self.text) == [0]
        text = self.text.split("without the correction")[1].split("delta_o is")[0]
        for name in ("l_b <= 0.5", "d <= 160", r"v <= ", "delta <= "):
            assert re.search(rf"{name}\S*: fails|{name}: fails", text), name

    def test_predictions_are_right_within_the_sampling_error(self):
        rows = found(r"correlation (\S+), error in standard errors: rms (\S+), largest (\S+); right sign (\d+) of 16",
                     self.text)
        correlation, rms, largest, right = np.reshape(rows, (4, 4)).T
        assert (correlation > 0.85).all() and (right >= 14).all()
        # The rms of 16 independent standard normal variables lies in this range with probability 0.998.
        assert (rms > 0.5).all() and (rms < 1.55).all() and (largest < 4).all()

    def test_sharing_speeds_up_and_each_dissenter_is_outvoted(self):
        slow, fast = found(r"multiply the first rate by (\S+) \(\S+\) to (\S+) \(", self.text)
        assert 1 < slow < fast
        text = self.text.split("when it alone is turned round:")[1].split("cosines of concepts")[0]
        rates = np.reshape(found(r"\n +\S+ +(-?[\d.]+) +(-?[\d.]+)", "\n" + text), (8, 2))
        assert (rates < 0).all()
        assert found(r"caution +rates +(\S+) to +\S+, negative: (\d+) of 16", self.text)[1] == 2
        assert found(r"shared +rates +(\S+) to +\S+, negative: (\d+) of 16", self.text)[1] == 0

    def test_without_centring_one_side_of_every_value_is_unlearned(self):
        low, high = found(r"cosines of concepts with b: (\S+) to (\S+), length", self.text)
        assert max(abs(low), abs(high)) < 0.15
        rows = np.reshape(found(r"side: predicted +(\S+) to +(\S+), measured +(\S+) to +(\S+)", self.text), (2, 4))
        assert (rows[0] < 0).all() and (rows[1] > 0).all()

    def test_caution_recovers_without_noise_and_not_on_unseen_statements(self):
        assert found(r"caution without noise: mean margin positive from S = (\S+)", self.text)[0] < 20
        assert np.isinf(found(r"caution held out: mean margin positive from S = (\S+)", self.text)[0])
        rows = np.reshape(found(r"own answers (\S+), shared (\S+), shared, caution (\S+)\n", self.text + "\n"), (-1, 3))
        assert len(rows) >= 3 and (rows[:, 2] < 0.5).all() and (rows[:, :2] > 0.75).all()

    def test_training_statements_are_learned_one_after_the_other(self):
        rows = found(r"right on (\S+) of the training statements, on (\S+) of the held-out ones; "
                     r"mean margins (\S+), (\S+)\n", self.text)
        seen, unseen, up, down = np.reshape(rows, (3, 4)).T
        assert (np.diff(seen) > 0).all() and seen[-1] > 0.95 and (unseen < 0.5).all()
        assert (np.diff(up) > 0).all() and (np.diff(down) < 0).all()
        gamma, latest = found(r"training statements (\S+), their margins are positive at the latest from S = (\S+)",
                              self.text)
        assert gamma > 0 and latest > 1000  # "long before the guaranteed time"
        own, same, caution = found(r"the other values, .*: held-out (\S+)", self.text)
        said = numbers("07_not_orthogonal")
        assert said["tested"] == [64, 448]
        for share, tested, low, high in zip(*(said[name] for name in ("share", "tested", "low", "high")), strict=True):
            assert wilson_interval(share, tested) == pytest.approx((low, high), rel=1e-12)
        assert said["high"][0] < 0.5 < said["low"][1]  # caution is lost on unseen statements, the others are not
        assert caution < min(own, same)

    def test_the_order_of_the_first_rates_fades(self):
        rows = found(r"margin (\S+) to (\S+), accuracy (\S+) to (\S+)\n", self.text + "\n")
        first, last, accuracy, at_last = np.reshape(rows, (3, 4)).T
        assert (first > 0.75).all() and (last < first).all() and (last > 0.4).all()
        assert at_last[0] < 0.2 and (at_last[1:] > 0.5).all()


@pytest.mark.theorem("C.5")
def test_constants_in_the_prose():
    S = 0.4 * LOG3
    assert training_envelope(S, form="paper C")[0] == pytest.approx(LOG3 / 80)
    paper, ours = (training_envelope(1e-3, form=form, Q=100, d=10, v=0.001)[0] for form in ("paper C", "improved C"))
    assert ours / paper == pytest.approx(4.5)
    end = LOG3 / (39 / 64)
    assert end / S == pytest.approx(4.1, abs=0.01)  # "about four times as long"
    assert 1 / (128 * 3) == pytest.approx(1 / 16 / 3 / 8)  # epsilon v / 8 at Z = 1


def test_the_lone_value_is_outvoted_beyond_one_half():
    for a in (0.2, 0.49, 0.51, 0.9):
        c = np.array([[1, 0, 0], [-a, np.sqrt(1 - a**2), 0], [-a, np.sqrt(1 - a**2), 0]])
        rates = initial_rates(shared(3), c, np.array([0, 0, 1.0]))
        np.testing.assert_allclose(rates[:, 0], [1 - 2 * a, 2 - a, 2 - a])


def test_numbers_in_the_solutions():
    assert ANSWERS["07.1"].judge(-0.5).right and ANSWERS["07.3"].judge(77 / 512).right
    assert 9 / 64 == pytest.approx(0.141, abs=5e-4) and 77 / 512 == pytest.approx(0.150, abs=5e-4)
    assert ANSWERS["07.4"].value() == pytest.approx(0.0032, abs=5e-5) and ANSWERS["07.4"].value() > 1 / 384
