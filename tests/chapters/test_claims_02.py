"""What chapter 2 says of its runs, held against what the built page prints."""

import re

import numpy as np
import pytest
from claims import found, numbers, page

from helpers.statistics import wilson_interval

VALUES = 6


class TestChapter02:
    text = property(lambda self: page("02_mixture"))

    def layouts(self, pattern):
        """The numbers of a printed line for each of the five layouts of the run, by name."""
        rows = re.findall(rf"^(own|shared|chain|zigzag|hub) +{pattern}", self.text, re.MULTILINE)
        assert [row[0] for row in rows] == ["own", "shared", "chain", "zigzag", "hub"]
        return {name: tuple(map(float, numbers)) for name, *numbers in rows}

    def test_samples_have_the_means_and_covariances_of_the_definition(self):
        for count, spread, largest in np.reshape(
            found(r"(\d+) deviations, standard deviation (\S+), largest (\S+)", self.text), (-1, 3)
        ):
            assert spread == pytest.approx(1, abs=4 / np.sqrt(2 * count))  # four standard errors of a deviation
            assert 2 < largest < 4.5  # "near three"; 4.5 has a chance below 1 % among 1,260 normal numbers

    def test_the_spread_of_measured_concepts_is_as_predicted(self):
        for spread, predicted, _ in np.reshape(
            found(r"standard deviation (\S+), predicted (\S+), mean (\S+)", self.text), (-1, 3)
        ):
            assert spread == pytest.approx(predicted, rel=0.04)  # 400 draws of 20 coordinates: 0.8 % each

    def test_identities_hold_to_rounding(self):
        assert found(r"largest difference: (\S+)", self.text)[0] < 1e-14  # float64
        assert max(found(r"off by (\S+)", self.text)) < 1e-12  # float64, cosines and one step on the model

    def test_balance_and_centring_protect_as_said(self):
        rows = np.reshape(found(r"balanced (\S+), 220 to 180 (\S+), centred (\S+)", self.text), (3, 3))
        (_, loses, _), (balanced, lost, _), (long, gone, _) = rows
        assert loses < 0.01 and balanced < 0.01 and min(lost, gone) > 0.99
        assert long > 0.05  # "balance alone is no longer enough"
        assert rows[:, 2].max() < 0.01

    def test_the_table_of_layouts_and_the_three_readings(self):
        assert re.findall(r"as in the table: (\w+)", self.text) == ["True"] * 5
        for first, second, third, Z in np.reshape(found(r"\[(\d+), (\d+), (\d+)\] (\d+)", self.text), (-1, 4)):
            assert first == Z and second == 2 * Z and third == 2 * 40 * Z
        assert found(r"none violates a bound, (\d+) reach it", self.text)[0] > 0

    def test_z_is_one_to_four_and_the_grid_exhausts_it(self):
        assert found(r"Z at most (\d+)", self.text) == [4, 3, 2, 2, 1, 1]
        rows = re.findall(r"distinct pairs: (\w+) +Z = +(\d+), allowed at l_b = 1/4: (\w+)", self.text)
        assert [row[1] for row in rows] == ["1", "2", "4", "16", "16"]
        assert [row[2] for row in rows] == ["True", "True", "True", "False", "False"]
        assert [row[0] for row in rows] == ["True"] * 4 + ["False"]

    def test_the_models_geometry(self):
        assert found(r"as they are: smallest cosine (\S+), pred", self.text)[0] > 0.99
        low, _ = found(r"the two sides of a value: (\S+) to (\S+), predicted -1", self.text)
        assert low > 0  # "they even lean the same way"
        low, _ = found(r"same sides of different values: (\S+) to (\S+), predicted 0", self.text)
        assert low > 0.5  # "far from orthogonal"
        low, high, median = found(r"cosines of two concepts: (\S+) to (\S+), median (\S+)", self.text)
        assert low > 0.5 and median > 0.8 and high > 1  # "nearly parallel", and one estimate beyond one
        common, shortest, longest = found(r"component (\S+), of the concepts (\S+) to (\S+)", self.text)
        assert 20 < common / longest and common / shortest < 100  # "tens of concept lengths"

    def test_the_models_noise(self):
        assert found(r"of a coordinate: (\S+)", self.text)[0] > 2  # "several times larger"
        low, high, d = found(r"participation ratio (\d+) to (\d+), d = (\d+)", self.text)
        assert 20 < low <= high < 60 and d == 576  # "a few dozen"
        for ratio in found(r"on the mixture: (\S+) (\S+)", self.text):
            assert ratio == pytest.approx(576, rel=0.2)  # 96 samples of one value
        said = numbers("02_mixture")
        assert round(said["paper"]) == 15 and round(said["seen"]) == 446
        assert said["paper"] < 0.1 * said["seen"]  # "far below"
        limit, noise = found(r"v <= (\S+): fails, v = (\S+)", self.text)
        assert noise > 100 * limit  # "more than a hundred times"

    def test_which_hypotheses_fail(self):
        verdicts = re.findall(r"^(.+?) (?:<=|>=) \S+: (holds|fails)", self.text, re.MULTILINE)
        assert verdicts == [
            ("values with the same two answers", "holds"), ("Z", "fails"), ("l_b", "holds"), ("l_b", "fails"),
            ("d", "fails"), ("v", "fails"),
        ]

    def test_offsets_are_longer_than_concepts(self):
        assert found(r"offsets (\S+) to \S+ times as long", self.text)[0] > 1

    def test_the_direction_of_the_first_step_lasts(self):
        means, mixture = found(r"concepts' prediction (\S+), from the mixture's (\S+)", self.text)
        assert means < 0.2 and mixture > 1

    def test_cluster_margins_follow_the_measured_concepts(self):
        correlation, low, high, mixture = found(
            r"correlation (\S+); margins from (\S+) to (\S+), mixture (\S+)", self.text
        )
        assert correlation > 0.9 and low < 0 < 3 * mixture < high

    @pytest.mark.theorem("N5")
    def test_errors_by_layout(self):
        said = numbers("02_mixture")
        assert said["layout"] == ["own", "shared", "chain", "zigzag", "hub"]
        for name, tested in (("wrong_all", 32 * VALUES), ("wrong_one", 32)):
            for error, low, high, of in said[name]:
                assert of == tested and (low, high) == pytest.approx(wilson_interval(error, tested))
        law = dict(zip(said["layout"], said["law_all"], strict=True))
        everyone = dict(zip(said["layout"], said["wrong_all"], strict=True))
        frugality = dict(zip(said["layout"], said["wrong_one"], strict=True))
        assert set(said["value"][:5]) == {"frugality"}
        error, low, high, _ = everyone["own"]
        assert low <= law["own"] <= high  # "about the right error"
        assert np.round([law["own"], error, low, high], 2).tolist() == [0.12, 0.09, 0.06, 0.14]
        assert everyone["shared"][2] < law["shared"]  # "a large loss that does not occur"
        assert everyone["chain"][1] > law["chain"] == law["zigzag"]
        error, low, high, _ = frugality["chain"]
        assert low < 0.5 < high  # "toss a coin"
        assert np.round([error, low, high], 2).tolist() == [0.5, 0.34, 0.66]
        assert everyone["zigzag"][0] <= everyone["own"][0]  # "nothing is lost"
        assert frugality["hub"][0] > 0.8  # "more than eight of ten"
        assert frugality["hub"][1] > 0.5  # worse than a coin, whatever the luck of the split

    def test_without_centring_one_side_is_lost(self):
        said = numbers("02_mixture")
        assert said["embeddings"] == ["as they are", "centred"]
        (aligned, one), (misaligned, other) = said["wrong_aligned"], said["wrong_misaligned"]
        assert max(aligned[1], misaligned[1]) > 0.5  # "most of one side", by the lower end of its interval
        assert max(one[0], other[0]) < 0.25
        for error, low, high, of in (aligned, one, misaligned, other):
            assert of == 16 and (low, high) == pytest.approx(wilson_interval(error, 16))

    def test_what_the_check_of_figure_3_cannot_see(self):
        said = numbers("errata")  # the experiment stands there
        assert np.round([said["after_low"], said["after_high"]], 2).tolist() == [-0.11, 0.04]
        assert np.round([said["concept_low"], said["concept_high"]], 2).tolist() == [0.68, 1.02]

    def test_what_the_sliders_show(self):
        rows = self.layouts(r"margin half-way at beta 0.1: +(\S+), at the end with the largest beta: +(\S+)")
        half = {name: numbers[0] for name, numbers in rows.items()}
        assert half["shared"] > half["zigzag"] > half["own"] > abs(half["chain"])
        assert half["hub"] < 0 < rows["hub"][1]  # "turns round and becomes positive"
        said = numbers("02_mixture")
        few, *_, many = said["part"]
        assert many > few - 0.1  # "do not help": three of 32 statements
        assert min(said["low"]) > 0.5  # most are misjudged with any number of samples
        for error, *interval in zip(said["part"], said["low"], said["high"], strict=True):
            assert interval == pytest.approx(wilson_interval(error, 32))


def test_numbers_in_the_prose():
    assert round(0.227**2 / 0.058**2) == 15 and round(1 / (1 / 4096 + 1 / 500)) == 446
    assert 5 * 450 == 2250 < 4096  # d <= 5Q in the paper's own experiments
    assert 20 * 6 == 120 and 6 * 20 * 21 // 2 == 1260  # means and covariances that are compared
    assert 1 / (4 * 0.25**2) == 4 and 1 / (4 * 0.5**2) == 1
