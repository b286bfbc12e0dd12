"""What chapter 6 says of its runs, held against what the built page prints."""

import re

import numpy as np
import pytest
from claims import found, page

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
        counts = found(r"2 n_rel = (\d+), 4Q\(1\+2Z\) = (\d+), 2KQ\^2 = (\d+)", self.text)
        assert counts == sorted(counts)
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
        pairs = np.reshape(many(r"below 1 from Q = (\S+), failure probability below 1 from Q = (\S+) even", self.text),
                           (-1, 2))
        assert pairs.tolist() == [[608.1, 143_469], [727.9, 160_708], [845.0, 178_268]]

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
        alone, own, shared = many(r"Q = 1: risk at most 10\^(\S+)", self.text)
        assert alone == own < shared < -60

    @pytest.mark.theorem("N5")
    def test_with_fixed_noise_there_is_a_floor(self):
        law, floor = found(r"law at Q = 10,000 (\S+), floor (\S+)", self.text)
        assert floor < law < 1.05 * floor

    def test_no_sample_size_meets_the_hypothesis_on_noise(self):
        low, high, most = found(r"noise (\S+) to (\S+): v <= 1/\(32 sqrt\(Q\)\) would need Q <= (\S+)", self.text)
        assert most < 1 and low * 32 * np.sqrt(48) > 100  # "more than a hundred times larger than allowed"
        assert self.text.count("v <= 0.004511: fails") == 2

    def _rows(self):
        """For each report: law at the smallest and largest Q, measured there, Q where the law is within the seeds."""
        pattern = r"law (\S+), (\S+); measured (\S+), (\S+); law within the seeds at (\d+) of 7 Q"
        rows = np.reshape(many(pattern, self.text), (6, 5))
        return dict(zip(PANELS, rows[:3], strict=True)), dict(zip(PANELS, rows[3:], strict=True))

    @pytest.mark.theorem("4.3")
    def test_the_bound_goes_the_wrong_way_above_one(self):
        bounds = np.reshape(many(r"bound (\S+), (\S+)\n", self.text), (3, 2))
        assert (bounds > 1).all() and (bounds[:, 1] > bounds[:, 0]).all()
        measured = np.array([row[2:4] for row in self._rows()[0].values()])
        assert (measured[:, 1] < measured[:, 0]).all()
        powers = np.log10(bounds / measured)
        assert 2 <= powers.min() and powers.max() < 5  # "two to five powers of ten"
        assert bounds[1] == pytest.approx(4 * bounds[0], rel=0.02)  # "multiplied by four"; whole numbers are shown

    @pytest.mark.theorem("N5")
    def test_the_law_holds_for_own_answers_and_not_for_shared_ones(self):
        first, _ = self._rows()
        assert first[PANELS[0]][4] == 7 and first[PANELS[1]][4] == 7
        alone, shared = first[PANELS[0]], first[PANELS[2]]
        assert shared[4] == 0 and (shared[:2] > 2 * shared[2:4]).all()
        assert (shared[2:4] < alone[2:4]).all()  # "easier to learn than one value alone"
        assert (shared[:2] > alone[:2]).all()  # the law says the opposite

    def test_the_law_with_measured_products_holds_for_all_three(self):
        _, second = self._rows()
        assert all(row[4] >= 6 for row in second.values())
        low, _ = found(r"cosines of two concepts: (\S+) to (\S+)", self.text)
        assert low > 0.5

    def test_long_training_goes_below_the_floor(self):
        late = found(r"160 steps, Q = 48: (\S+) \(", self.text)
        (floor,) = found(r"floor of the law for one value: (\S+)", self.text)
        assert len(late) == 3 and max(late) < floor


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
