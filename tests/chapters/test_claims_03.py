"""What chapter 3 says of its runs, held against the numbers that it records."""

import numpy as np
import pytest
from claims import numbers

from helpers.dynamics.flow import dimensionless_time, noise_free_margin, paper_horizon
from helpers.statistics import wilson_interval


class TestChapter03:
    said = property(lambda self: numbers("03_interaction"))

    def test_every_checked_identity_holds_to_rounding(self):
        assert max(self.said["cancels"], self.said["gradients"]) < 1e-12  # float64
        assert self.said["rates"] < 1e-6  # finite difference, step 1e-6

    def test_what_the_first_value_moves(self):
        moved = dict(zip(self.said["layout_of"], self.said["moved"], strict=True))
        kappa = dict(zip(self.said["layout_of"], self.said["kappa"], strict=True))
        assert moved["disjoint"] == [0] and moved["shared"] == [0, 1, 2, 3]
        assert self.said["G"][0] == [[2, -1, 0], [-1, 2, -1], [0, -1, 2]]  # as printed
        assert kappa["disjoint"] == pytest.approx(1) and kappa["shared"] == pytest.approx(4)

    @pytest.mark.theorem("N1")
    def test_all_layouts_follow_the_closed_form(self):
        said = self.said
        assert said["of"] == ["disjoint", "chain", "star", "shared"]
        for total in said["least_pull"] + said["most_pull"]:
            assert total == pytest.approx(4, abs=1e-9)  # "4Q times sigma(-r)", rounding
        assert max(said["gap"]) < 1e-6  # tolerance of the integrator

    @pytest.mark.theorem("N9")
    def test_gradient_descent_runs_ahead_by_less_than_the_bound(self):
        least, most, bound = (np.array(self.said[f"ahead_{name}"]) for name in ("least", "most", "bound"))
        assert self.said["h"] == [0.05, 0.5, 2, 4]
        assert (least >= 0).all() and (most <= bound).all()
        given_away = bound / most
        assert given_away[0] < 2 and given_away[-1] > 50  # "a factor below two ..., and more than fifty"

    @pytest.mark.theorem("N9")
    def test_each_step_of_the_proof_for_any_data(self):
        said = self.said
        assert said["curvature"] <= said["largest"] * (1 + 1e-12)
        assert said["closer"] <= said["apart"] * (1 + 1e-12)
        assert said["err"] <= said["room"]

    @pytest.mark.theorem("4.1")
    def test_every_held_out_margin_is_where_the_lemma_puts_it(self):
        said = self.said
        assert said["inside"] == 1 and said["used"] < 1 and said["tested"] == 128
        assert said["off_most"] < 0.001  # "misses none by a thousandth"
        assert round(said["highest"] - said["lowest"]) == 7  # "spread over seven nats"
        assert said["lowest"] < 0  # "lie below zero"
        assert said["tolerance_least"] < 0.01 * (said["highest"] - said["lowest"])  # "thinner than the line"

    @pytest.mark.theorem("4.1")
    def test_the_statement_that_the_reader_guesses_falls_as_the_interactions_say(self):
        said = self.said
        assert said["ends_at"] < -0.5  # "moves the wrong way"
        assert 0 < said["push_side"] < -(said["push_other"] + said["push_rest"])  # "push it down harder"
        assert said["push_other"] < 0 and said["push_rest"] < 0

    @pytest.mark.theorem("N9")
    def test_four_times_the_step_is_four_times_the_difference(self):
        assert 3 < self.said["ratio"] < 5  # first order in the step, and float64 in between

    def test_the_common_component_dwarfs_the_concepts(self):
        assert self.said["common"] > 5 * self.said["longest"] > 5 * self.said["shortest"]
        assert self.said["factor"] > 10

    @pytest.mark.theorem("N5")
    def test_the_risk_law_holds_at_first_and_32_statements_say_no_more(self):
        said = self.said
        last, low, high = said["error"][1], said["low"][0], said["high"][1]
        assert said["tested_one"] == [32, 32] and last == 0  # "none of the 32 statements is misjudged"
        for error, *interval in zip(said["error"], said["low"], said["high"], strict=True):
            assert interval == pytest.approx(wilson_interval(error, 32))
        assert low < said["law"] < said["high"][0]  # "The first steps are compatible with the law"
        assert last < said["floor"] < said["law"] < high  # 32 statements do not tell it from the law
        assert round(high, 2) == 0.11 and high - said["law"] < 0.01  # "up to .11, just above the law"

    @pytest.mark.theorem("N1")
    def test_where_one_curve_for_all_holds_and_where_not(self):
        sides = ("for", "against")
        few, many = (np.array([self.said[f"{side}_{which}"] for side in sides]) for which in ("few", "many"))
        assert self.said["answers_of"] == ["answers of their own"] * 4 + ["Yes and No for all"] * 4
        own, shared = many[:, :4], many[:, 4:]
        assert (round(own.min(), 1), round(own.max(), 1)) == (0.8, 1.6)
        assert (round(shared.min()), round(shared.max())) == (2, 4)  # "two to four times the curve"
        change = (few / many)[:, :4]
        assert 0.6 < change.min() < 0.7 and change.max() < 4 / 3  # "by up to a third"
        assert 3.6 < self.said["faster"] < 4  # "nearly four times as far at first": the curve bends a little by then

    def test_the_two_maps_differ_as_told(self):
        said = self.said
        assert said["how"] == ["as they are", "centred"]
        assert said["where"] == ["within a value", "across values"] * 2
        assert said["help_same"][:2] == [1, 1] and said["help_opposite"][:2] == [0, 0]  # "the sign to the answers"
        assert said["product_low"][0] > 0.85 * said["product_high"][0]  # "how alike two prompts are says nothing"
        assert said["product_low"][1] < 0 < said["product_high"][1]
        assert all(0.2 < share < 0.8 for share in said["help_same"][2:] + said["help_opposite"][2:])
        assert said["help_opposite"][3] > 0.5 > said["help_opposite"][2]
        assert said["help_opposite"][3] > said["help_same"][3]  # "across values opposite sides help more often"


def test_numbers_in_the_prose():
    steps = [(2 + np.log(3)) / dimensionless_time(1, *of) for of in ((0.1, 0.1, 10), (0.01, 1e-3, 10))]
    assert steps == pytest.approx([15_500, 155e6], rel=0.01)  # "some 15,500", "155 million"
    assert noise_free_margin(2 + np.log(3)) == pytest.approx(np.log(3), rel=1e-12)
    assert 4.0 > dimensionless_time(paper_horizon(3, 0.2, 0.5), 0.2, 0.5, 3)  # one step of h = 4 covers tau_1
