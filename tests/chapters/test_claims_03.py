"""What chapter 3 says of its runs, held against what the built page prints."""

import numpy as np
import pytest
from claims import found, numbers, page

from helpers.dynamics.flow import dimensionless_time, noise_free_margin, paper_horizon
from helpers.statistics import wilson_interval


class TestChapter03:
    text = property(lambda self: page("03_interaction"))

    def test_every_checked_identity_holds_to_rounding(self):
        cancels, gradient = found(r"largest difference: (\S+)", self.text)
        assert max(cancels, gradient) < 1e-12  # float64
        assert found(r"largest relative difference: (\S+)", self.text)[0] < 1e-6  # finite difference, step 1e-6

    @pytest.mark.theorem("N1")
    def test_all_layouts_follow_the_closed_form(self):
        assert max(found(r"largest difference from N1: (\S+)", self.text)) < 1e-6  # tolerance of the integrator

    @pytest.mark.theorem("N9")
    def test_gradient_descent_runs_ahead_by_less_than_the_bound(self):
        numbers = np.reshape(found(r"ahead of the flow by (\S+) to (\S+), bound (\S+)", self.text), (-1, 3))
        assert len(numbers) == 4
        assert (numbers[:, 0] >= 0).all() and (numbers[:, 1] <= numbers[:, 2]).all()
        given_away = numbers[:, 2] / numbers[:, 1]
        assert given_away[0] < 2 and given_away[-1] > 50  # "a factor below two ..., and more than fifty"

    @pytest.mark.theorem("4.1")
    def test_every_held_out_margin_is_where_the_lemma_puts_it(self):
        assert found(r"inside: (\d+)%", self.text) == [100.0]
        low, high = found(r"margins from (\S+) to (\S+)", self.text)
        off = found(r"largest difference (\S+), smallest", self.text)[0]
        assert off < 0.001 and round(high - low) == 7  # "spread over seven nats", none missed "by a thousandth"
        assert found(r"smallest tolerance (\S+),", self.text)[0] < 0.01 * (high - low)  # "hidden by the markers"

    def test_four_times_the_step_is_four_times_the_difference(self):
        (ratio,) = found(r"the difference is (\S+) times as large", self.text)
        assert 3 < ratio < 5  # first order in the step, and float64 in between

    def test_the_common_component_dwarfs_the_concepts(self):
        common, _, longest = found(r"common component (\S+), of the concepts (\S+) to (\S+)", self.text)
        assert common > 5 * longest
        assert found(r"centring divides L_s by (\d+)", self.text)[0] > 10

    @pytest.mark.theorem("N5")
    def test_the_risk_law_holds_at_first_and_is_left_behind(self):
        said = numbers("03_interaction")
        last, low, high = said["error"][1], said["low"][0], said["high"][1]
        assert said["tested"] == [32, 32] and last == 0  # "none of the 32 statements is misjudged"
        for error, *interval in zip(said["error"], said["low"], said["high"], strict=True):
            assert interval == pytest.approx(wilson_interval(error, 32))
        assert low < said["law"] < said["high"][0]
        assert last < said["floor"] < said["law"] < high  # 32 statements do not tell it from the law
        assert round(high, 2) == 0.11 and high - said["law"] < 0.01  # "up to .11, just above the law"

    def test_the_two_maps_differ_as_told(self):
        said = numbers("03_interaction")
        assert said["how"] == ["as they are", "centred"]
        assert said["where"] == ["within a value", "across values"] * 2
        assert said["help_same"][:2] == [1, 1] and said["help_opposite"][:2] == [0, 0]  # "to the answers alone"
        assert said["product_low"][0] > 0.85 * said["product_high"][0]  # "how alike two prompts are says nothing"
        assert said["product_low"][1] < 0 < said["product_high"][1]
        assert all(0.2 < share < 0.8 for share in said["help_same"][2:] + said["help_opposite"][2:])
        assert said["help_opposite"][3] > 0.5 > said["help_opposite"][2]  # "across values ... often pull together"


def test_numbers_in_the_prose():
    assert (2 + np.log(3)) / dimensionless_time(1, 0.01, 1e-3, 10) > 1e8  # "more than a hundred million steps"
    assert noise_free_margin(2 + np.log(3)) == pytest.approx(np.log(3), rel=1e-12)
    assert 4.0 > dimensionless_time(paper_horizon(3, 0.2, 0.5), 0.2, 0.5, 3)  # one step of h = 4 covers tau_1
