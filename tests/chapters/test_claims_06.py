"""What chapter 6 says of its runs, held against what the built page prints."""

import re

import numpy as np
import pytest
from claims import found, numbers, page

from helpers.bounds.guarantees import risk_bound, samples_for_bound, samples_for_confidence
from helpers.layouts import disjoint
from helpers.mixture import ValueMixture
from helpers.risk.laws import risk_law

PANELS = ("K = 1", "K = 4, own answers", "K = 4, Yes and No")


def many(pattern, text):
    return [float(number.replace(",", "").replace("−", "-")) for number in _texts(pattern, text)]


def _texts(pattern, text):
    matches = re.findall(pattern, text)
    assert matches, f"the page prints no line like {pattern!r}"
    return [part for match in matches for part in ((match,) if isinstance(match, str) else match)]


class TestChapter06:
    text = property(lambda self: page("06_generalization"))
    said = property(lambda self: numbers("06_generalization"))

    def test_training_margins_are_a_poor_witness(self):
        trained, wrong = found(r"trained pairs: mean margin (\S+) S/2, at most zero: (\S+)%", self.text)
        unseen, misjudged = found(r"unseen  pairs: mean margin (\S+) S/2, at most zero: (\S+)%", self.text)
        (own,) = found(r"the self term adds d v\^2 / \(2Q\) = (\S+)", self.text)
        assert own > trained / 2  # "more than half of their margin to themselves"
        assert wrong == 0 and misjudged > 5
        assert trained - unseen == pytest.approx(own, rel=0.05)  # one data set of 160 samples

    @pytest.mark.theorem("N2")
    def test_the_exact_risk_is_that_of_the_simulation(self):
        assert found(r"farthest simulated share: (\S+) standard", self.text)[0] < 4  # 8 clusters: chance 5e-4
        assert found(r"changes the risk by (\S+)", self.text)[0] < 1e-14  # rounding of a number below 1

    @pytest.mark.theorem("B.4")
    def test_every_step_of_the_proof_holds_on_the_data(self):
        for kind in ("old", "new"):
            most, allowed = found(rf"{kind} noise: at most (\S+) of (\S+)", self.text)
            assert most < allowed == pytest.approx(1 / 64, abs=1e-5)
        longest, bound = found(r"longest (\S+), bound (\S+)", self.text)
        assert longest < bound
        tails = np.reshape(found(r"epsilon = \d: (\S+), bound (\S+)", self.text), (-1, 2))
        assert len(tails) == 7 and (tails[:, 0] <= tails[:, 1]).all()
        counts = [self.said[name] for name in ("related", "all_pairs", "counted")]
        assert counts == sorted(counts) and counts[2] == counts[1] * 120 / 2  # "by Q/2", Q = 120
        rate, needed = found(r"smallest rate (\S+) Q, needed (\S+) Q", self.text)
        assert rate > needed == 5 / 8
        assert found(r"smallest new margin at tau_1: (\S+)", self.text)[0] > 0

    @pytest.mark.theorem("B.4")
    def test_the_gap_is_real_and_its_repair_is_cheap(self):
        assert "the event of B.1: holds" in self.text
        assert found(r"old noise (\S+) epsilon v, B.4 needs at most 1", self.text)[0] > 1
        costs = found(r"adds (\S+) of B.1's probability at Q = 40, (\S+) at Q", self.text)
        assert len(costs) == 4 and max(costs) <= 0.02  # "next to nothing", already at Q = 40

    @pytest.mark.theorem("B.4")
    def test_the_risk_bites_and_the_probability_does_not(self):
        text = self.text
        start = text.index("the event of B.1")
        lines = [line for line in text[start:text.index("exact risk of this run")].splitlines() if "fails," in line]
        assert not lines  # all hypotheses hold
        risk, failure = found(r"risk at most (\S+), except with probability at most (\S+)", text)
        assert risk < 1 < failure
        assert many(r"exact risk of this run: 10\^(\S+)", text)[0] < -10_000

    @pytest.mark.theorem("4.3")
    def test_exponents_and_values_of_the_bound(self):
        assert found(r"exponent Q/(\S+)", self.text) == [5.83, 9.29, 13.92, 19.59]
        bounds = many(r"K = +(\d+), Q = +(\d+): risk at most (\S+)", self.text)
        for K, Q, shown in np.reshape(bounds, (-1, 3)):
            assert shown == pytest.approx(2 * K * Q**2 * np.exp(-Q / 45), rel=1e-3)  # four digits are shown
        said = self.said
        assert said["many_K"] == [1, 10, 100]
        assert said["bound_below_1"] == pytest.approx([608.1, 727.9, 845.0], abs=0.05)
        assert said["failure_below_1"] == [143_469, 160_708, 178_268]

    def test_the_exponent_is_where_the_bound_is_lost(self):
        (paper, proof), (also, sharp) = np.reshape(many(r"exponent, .*?: (\S+) <= (\S+)", self.text), (2, 2))
        assert paper == pytest.approx(120 / 45, abs=0.01) and proof == also == pytest.approx(120 / 9.29, abs=0.01)
        assert 1000 < sharp / proof < 64**2  # "thousands of times"; "the square of that number"

    @pytest.mark.theorem("4.3")
    def test_the_scaling_curve_is_that_of_bisection(self):
        rows = np.reshape(many(r"K = +(\d+): Q = +(\S+), by bisection +(\S+)", self.text), (-1, 3))
        assert len(rows) == 10 and (rows[:, 1] == rows[:, 2]).all()
        for K, Q, _ in rows:
            assert risk_bound(int(K), Q) == pytest.approx(0.05, rel=2e-3)  # Q is shown to 0.05: 0.05/45 in the risk

    def test_one_sample_is_enough_in_the_region(self):
        alone, own, shared = self.said["one_sample"]
        assert alone == pytest.approx(own, rel=1e-12) and own < shared < -60

    @pytest.mark.theorem("N5")
    def test_with_fixed_noise_there_is_a_floor(self):
        law, floor = found(r"law at Q = 10,000 (\S+), floor (\S+)", self.text)
        assert floor < law < 1.05 * floor

    def test_no_sample_size_meets_the_hypothesis_on_noise(self):
        low, most = self.said["noise_low"], self.said["least_Q"]
        assert most < 1 and low * 32 * np.sqrt(48) > 100  # "more than a hundred times larger than allowed"
        assert self.text.count("v <= 0.004511: fails") == 2

    def _rows(self):
        """For both laws, by panel: expected and measured at the smallest and largest Q, interval of law - error."""
        said = self.said
        assert said["panel"] == [*PANELS, *PANELS] and len(said["off"]) == 6 * 7
        ends = np.column_stack([said["first"], said["last"], np.array(said["mean"])])
        off = np.stack([said["off_low"], said["off"], said["off_high"]], axis=-1).reshape(6, 7, 3)
        rows = list(zip(ends, off, strict=True))
        return dict(zip(PANELS, rows[:3], strict=True)), dict(zip(PANELS, rows[3:], strict=True))

    @pytest.mark.theorem("4.3")
    def test_the_bound_goes_the_wrong_way_above_one(self):
        bounds = np.column_stack([self.said["bound_first"], self.said["bound_last"]])
        assert (bounds > 1).all() and (bounds[:, 1] > bounds[:, 0]).all()
        measured = np.array([row[2:4] for row, _ in self._rows()[0].values()])
        assert (measured[:, 1] < measured[:, 0]).all()
        powers = np.log10(bounds / measured)
        assert 2 <= powers.min() and powers.max() < 5  # "two to five powers of ten"
        assert bounds[1] == pytest.approx(4 * bounds[0], rel=1e-12)  # "multiplied by four"

    @pytest.mark.theorem("N5")
    def test_the_law_holds_for_own_answers_and_not_for_shared_ones(self):
        first, _ = self._rows()
        (alone, off_alone), (_, off_own), (shared, off_shared) = (first[panel] for panel in PANELS)
        off = np.array([off_alone, off_own])
        assert np.abs(off[..., 1]).max() < 0.035  # "by .03 at most", which is rounded
        missed = (off[..., 0] > 0) | (off[..., 2] < 0)
        assert np.argwhere(missed).tolist() == [[1, self.said["off_Q"][:7].index(16)]]  # "once in fourteen, at Q = 16"
        assert off_shared[:, 0].min() > 0.1 and off_shared[:, 1] == pytest.approx(np.full(7, 0.2), abs=0.03)
        assert (shared[:2] > 2 * shared[2:]).all()
        assert (shared[2:] < alone[2:]).all()  # "easier to learn than one value alone"
        assert (shared[:2] > alone[:2]).all()  # the law says the opposite

    def test_the_law_with_measured_products_holds_for_all_three(self):
        _, second = self._rows()
        off = np.array([off for _, off in second.values()])
        assert (off[..., 0] <= 0).all() and (off[..., 2] >= 0).all()  # "at all seven Q in all three panels"
        assert 0.5 < self.said["cosine_low"] and 1 < self.said["cosine_high"] < 1.05

    def test_long_training_goes_below_the_floor(self):
        said = self.said
        assert said["late_of"] == list(PANELS) and said["n"] == [8, 8, 8]
        assert said["steps"] == [160] * 3 and said["Q"] == [48] * 3
        assert max(said["late_high"]) < said["floor_low"] < said["floor"]  # "the two intervals are apart"


def test_numbers_in_the_prose():
    assert np.argmax(risk_bound(10, np.arange(1, 2000))) + 1 == 90
    ten, hundred = samples_for_bound(10, 0.05), samples_for_bound(100, 0.05)
    assert ten == pytest.approx(879.8, abs=0.05)
    assert hundred - ten == pytest.approx(115, abs=0.5) and hundred / ten == pytest.approx(1.13, abs=0.005)
    assert ten == pytest.approx(45 * np.log(2 * 10 * ten**2 / 0.05), rel=1e-9)
    assert risk_bound(10, 875) > 0.05  # so 875 is a reading of the curve, and 879.8 the crossing
    assert samples_for_confidence(1, c=1e9) > 140_000  # step 3 of the proof of 4.3
    assert samples_for_confidence(10, c=1e9) == pytest.approx(160_000, rel=0.01)
    # Exercise 5: the floor is above 0.005, and the law at any Q above the floor.
    assert risk_law(ValueMixture(disjoint(1), 1000, 0.4, 0.5), 10**12)[0] == pytest.approx(0.0062, abs=5e-5)
