"""What chapter 4 says of its runs, held against what the built page prints."""

import numpy as np
import pytest
from claims import found, page

from helpers.bounds.guarantees import samples_for_confidence


class TestChapter04:
    text = property(lambda self: page("04_concentration"))

    def test_the_parts_add_up_and_have_the_predicted_sizes(self):
        assert found(r"add up to the products, but for (\S+)", self.text)[0] < 1e-12  # float64
        linear, bilinear = np.reshape(found(r"(?:linear|bilinear) +part: sd (\S+), predicted (\S+)", self.text), (2, 2))
        np.testing.assert_allclose([linear[0], bilinear[0]], [linear[1], bilinear[1]], rtol=0.05)  # 480 samples
        assert linear[0] > 10 * bilinear[0]  # "by far the larger one"

    @pytest.mark.theorem("B.1")
    def test_each_kind_of_pair_lies_around_its_centre_within_the_tolerance(self):
        rows = np.reshape(found(r"mean (\S+), centre (\S+), farthest (\S+)", self.text), (6, 3))
        np.testing.assert_allclose(rows[:, 0], rows[:, 1], atol=0.005)  # linear parts share noises
        assert not rows[5].any()
        table = np.reshape(found(r" (\S+) of (\S+): holds", self.text), (6, 2))
        assert (table[:, 0] <= table[:, 1]).all()

    @pytest.mark.theorem("4a")
    def test_the_constants_and_the_tails(self):
        one, two = found(r"one sample (\S+), at least 1/8 = 0.125; different samples (\S+), at least", self.text)
        assert (one, two) == (0.153, 0.377)
        assert max(found(r"tail over bound at most (\S+) for one sample, (\S+) for two", self.text)) <= 1
        assert found(r"up to 0.79: (\S+)", self.text)[0] > 0

    def test_the_union_bound_gives_away_more_than_tenfold(self):
        rows = np.reshape(
            found(r"below 1 from Q = (\d+), (\d+), (\d+); observed: .* fail from Q = (\d+)", self.text), (2, 4))
        assert rows[0, 0] == samples_for_confidence(4, form="appendix", Z=1)
        assert rows[1, 0] == samples_for_confidence(4, form="appendix", Z=4)
        assert (rows[:, 0] > 10 * rows[:, 3]).all()  # "more than ten times", "less than a tenth"
        ratio = rows[:, 2] / rows[:, 3]
        assert (ratio > 0.5).all() and (ratio < 1.5).all()  # the estimate meets the observed shares

    @pytest.mark.theorem("B.2")
    def test_the_slack_of_the_rates_and_its_reasons(self):
        slack = found(r"off by at most .* slack (\S+)", self.text)
        assert 4 < slack[1] < 8  # "about six times"
        signs, largest, tolerance = found(r"factors (\S+)  (\S+)  (\S+)", self.text)
        assert signs < 1.5 < largest and tolerance > 1  # "close to one", "the price of one number"
        assert largest >= max(signs, tolerance)  # "mostly because one number has to serve all pairs"
        equal, other = found(r"pushes (?:equal|arbitrary) +: sharing term at most (\S+)", self.text)
        assert equal < 1e-12 < other

    def test_the_lemma_says_nothing_at_this_size(self):
        assert self.text.count("holds, ") >= 7 and "fails, " not in self.text
        assert found(r"B.1 fails with probability at most (\S+)", self.text.replace(",", ""))[0] > 1e4

    def test_noise_of_the_model_has_directions(self):
        (dimension,) = found(r"effective dimension (\d+)", self.text)
        assert 20 < dimension < 60  # "a few dozen"
        pattern = r"part *: sd isotropic (\S+) \(simulated (\S+)\), covariance (\S+), measured (\S+)"
        rows = np.reshape(found(pattern, self.text), (2, 4))
        np.testing.assert_allclose(rows[:, 0], rows[:, 1], rtol=0.05)  # "Simulated data follow the theory"
        np.testing.assert_allclose(rows[:, 2], rows[:, 3], rtol=0.06)  # "within a few percent"
        assert (rows[:, 3] > 3 * rows[:, 0]).all()  # "several times"
        strays = np.reshape(found(r"strays by +(\S+), allowed (\S+)", self.text), (-1, 2))
        assert (strays[:3, 0] > 200 * strays[:3, 1]).all()  # "hundreds of times"

    @pytest.mark.theorem("N6")
    def test_the_rates_spread_as_the_covariance_says(self):
        isotropic, covariance = np.reshape(found(r"(?:noise|covariance) *: mean (\S+), sd (\S+)", self.text), (2, 2))
        mean, sd = found(r"measured: mean (\S+), sd (\S+),", self.text)
        assert mean == pytest.approx(covariance[0], rel=0.1) and mean == pytest.approx(isotropic[0], rel=0.1)
        assert sd == pytest.approx(covariance[1], rel=0.1) and sd > 3 * isotropic[1]
        assert 0 < found(r"below zero (\S+)%", self.text)[0] < 20  # "Some statements start with a falling margin"
        assert found(r"against Lemma 4.1: (\S+) apart", self.text)[0] < 0.02

    def test_what_the_reader_sees_when_the_sliders_move(self):
        pattern = r"(?:own|all) +Q = +(\d+): measured +(\S+) to +(\S+), N6 +(\S+) to +(\S+)"
        own, shared = np.reshape(found(pattern, self.text), (2, -1, 5))
        middle, width = (own[:, 3] + own[:, 4]) / 2, own[:, 4] - own[:, 3]
        assert (np.diff(middle) < 0).all()  # "the bands sink"
        assert width[-1] / width[0] > 1.5 * middle[-1] / middle[0]  # "narrow far less"
        assert (own[:, 2] > own[:, 4]).all()  # "above even the wide band"
        assert (shared[:, 4] - shared[:, 3] > 1.5 * width).all() and (shared[:, 2] < shared[:, 4]).all()

    def test_the_bracket_allows_far_more_than_the_rates(self):
        line = next(line for line in self.text.splitlines() if "off the bracket" in line)
        low, high, mean, off, allowed, slack = found(r"(-?\d+)", line.replace(",", ""))
        assert low < 0 < mean < high and off < allowed and slack > 10


def test_numbers_in_the_prose():
    assert samples_for_confidence(4, form="appendix", Z=2) > 1000  # "must take Q above a thousand"
    assert 6 * 20 * 20 + 4 * 210 == 3240 and (4 * 4 + 2) * 4 * 100 == 7200  # exercise 2
