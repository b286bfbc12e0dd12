"""What chapter 5 says of its runs, held against the numbers that it records."""

import numpy as np
import pytest
from claims import numbers

from helpers.bounds.guarantees import failure_probability, samples_for_confidence
from helpers.statistics import wilson_interval


class TestChapter05:
    said = property(lambda self: numbers("05_training_guarantee"))

    def test_the_hypotheses_hold_on_the_mixture(self):
        assert len(self.said["assumed"]) == 7 and all(self.said["assumed_holds"])

    @pytest.mark.theorem("B.3")
    def test_every_inequality_of_the_proof_holds_on_the_data(self):
        said = self.said
        assert said["event"] is True
        rows = np.transpose([said[name] for name in ("side_low", "least", "most", "side_high")])
        assert len(rows) == 6
        assert (np.diff(rows, axis=1) >= 0).all()
        assert said["growing"] is True and said["largest"] <= said["log3"] == pytest.approx(np.log(3))
        assert said["inside_lines"] == said["training"] == 640

    def test_where_the_factor_goes(self):
        said = self.said
        assert 1.7 < said["rate_low"] < said["rate_high"] < 2.1
        order = "pushes frozen", "and the sample itself", "and sharing", "and the error", "the paper's lines"
        stages = np.array([said["stages"][name] for name in order])
        assert [said["proof_low"], said["proof_high"]] == pytest.approx(stages[3].tolist())
        assert stages[0].tolist() == [1, 2] and stages[-1].tolist() == [0.25, 10]
        assert (np.diff(stages[:, 0]) <= 0).all() and (np.diff(stages[:, 1]) >= 0).all()
        assert (2 / 1) * (1 / 0.625) * (0.625 / 0.25) == pytest.approx(8)
        assert (2.375 / 2) * (10 / 2.375) == pytest.approx(5)
        assert said["side_low"][0] == 0.25
        assert said["least"][0] == pytest.approx(0.45, abs=0.005)  # "although they end at 0.45"

    @pytest.mark.theorem("4.2′")
    def test_the_closer_lines_hold_for_longer(self):
        said = self.said
        assert said["held_sharper"] == said["training_sharper"]
        assert said["longer_by"] == pytest.approx(4.2, abs=0.05)  # "four times as long"
        assert said["end_low"] < said["end_least"] < said["end_most"] < said["end_high"]
        assert said["promised"] > 0.26

    @pytest.mark.theorem("4.2")
    def test_the_table_of_first_useful_samples(self):
        rows = np.array(self.said["useful_from"])
        forms = [{"form": "paper", "c": np.inf}] + [{"form": "appendix", "Z": Z} for Z in (1, 2, 3, 4)]
        expected = [[samples_for_confidence(K, **form) for K in (1, 10, 100)] for form in forms]
        np.testing.assert_array_equal(rows, expected)
        assert rows[0].tolist() == [143_469, 160_708, 178_268]
        assert rows[0].min() > 140_000 and 500 < rows[1:].min() and rows[1:].max() < 4000
        assert len(self.said["found"]) == 2 and min(self.said["found"]) > 1  # "neither says anything"

    @pytest.mark.theorem("4.2")
    def test_the_term_in_c_may_be_left_out(self):
        Q = np.logspace(0, 12, 400)  # step 2' of the proof
        assert all((8 * Q / (Z + 2) >= Q**0.75 / 256).all() for Z in (1, 2, 3, 4))
        for c in (1 / 4, 1 / 8):  # "a smaller c in its minimum would only ask for more"
            assert samples_for_confidence(1, c=c) > samples_for_confidence(1, c=np.inf)

    @pytest.mark.theorem("N7")
    def test_the_tube_is_narrow_and_holds_without_hypotheses(self):
        said = self.said
        assert 0.8 * said["allowed"] < said["stray"] <= said["allowed"] < 0.05  # "narrow, and nearly filled"
        assert said["in_tube"] is True
        assert said["E"] <= said["gronwall"] <= said["tube"]  # steps 3 and 4
        assert len(said["by_flow"]) == 3 and max(said["by_flow"] + said["by_steps"]) <= 1
        assert said["before"] < 0.1
        assert said["n8_fails"] < 2e-5

    def test_the_envelope_breaks_where_the_mechanism_says(self):
        said = self.said
        load, share = np.array(said["load"]), np.array(said["load_share"])
        assert (share[load <= 3] == 0).all() and (share[load >= 4] > 0.8).all()  # predicted: 4
        assert said["danger"] > 5 * said["asked"]  # "more than five times"
        levels = np.array(said["levels"])
        for shares in said["broken"].values():
            assert shares[0] == 0 and shares[-1] >= 0.9  # "from none at the left to nearly all at the right"
            half = levels[np.flatnonzero(np.array(shares) >= 0.5)[0]]
            assert 0.7 <= half <= 1.2  # "near the predicted 7/8"
        assert wilson_interval(0.5, said["draws"]) == pytest.approx((0.30, 0.70), abs=0.005)

    def test_what_each_inequality_gives_away(self):
        said = self.said
        assert said["taken_key"] == ["linear", "B.1", "union", "B.2", "pushes", "sharing", "envelope", "horizon"]
        left, right = np.array(said["left"]), np.array(said["right"])
        assert said["verdict"] == ["fails"] + 7 * ["holds"] and left[0] > right[0] and (left[1:] <= right[1:]).all()
        with np.errstate(divide="ignore"):
            slack = dict(zip(said["taken_key"], right / left, strict=True))
        assert left[2] == 0 and right[2] > 1e5  # "in none of six further data sets", "above a hundred thousand"
        assert round(wilson_interval(0.0, 6)[1], 2) == 0.39  # "room for a share of .39"
        assert slack["sharing"] == np.sort(list(slack.values()))[-2]  # "The sharing term comes next"
        assert slack["envelope"] == pytest.approx(7, abs=0.6) and slack["horizon"] == pytest.approx(7, abs=0.6)
        assert slack["B.2"] == pytest.approx(6, abs=0.7) and 1 < slack["pushes"] < 2

    def test_without_the_event_the_envelope_still_holds(self):
        assert list(zip(self.said["edge_Z"], self.said["edge_Q"], strict=True)) == [(2, 40), (4, 80)]
        assert min(self.said["edge_stray"]) > 1  # "that fails as well"
        assert self.said["edge_room"] == pytest.approx([7.4, 7.5], abs=0.1)  # "with the same factor"

    def test_the_hypotheses_on_the_model(self):
        said = self.said
        assert [len(lines) for lines in said["model_conditions"].values()] == [6, 6]
        centred = said["model_conditions"]["centred"]
        assert any(line.startswith("Z <= inf: holds") for line in centred)
        assert any(line.startswith("v <= ") for line in centred)
        assert any(line.startswith("d <= 160: fails") for line in centred)
        assert said["too_noisy"] > 20  # "tens of times"
        assert said["need_Q"] == 116
        assert said["model_length"] > 20  # "far too long"

    def test_how_many_margins_of_the_model_stay_inside(self):
        said = self.said
        expected, seen = 100 * np.array(said["expected"]), 100 * np.array(said["share"])
        assert seen[0] == pytest.approx(expected[0], abs=3) and seen[0] == pytest.approx(90, abs=3)  # "nine in ten"
        assert 45 < seen[1] < 60 and 5 < abs(seen[1] - expected[1]) < 15  # "about half", "about ten in a hundred"
        assert (round(seen[1]), round(expected[1])) == (53, 43)  # as the last section says
        assert said["lowest"] < 0 < said["clean"] < said["median"] < said["highest"]
        assert 0 < said["negative"] < 0.1  # "a few percent are negative"
        assert said["model_tube"] > 5

    def test_ten_splits_say_the_same(self):
        said = self.said
        assert said["splits"] == [10, 10]
        assert said["seen_mean"][0] == pytest.approx(0.9, abs=0.03)  # "nine margins in ten"
        assert round(said["seen_mean"][1], 2) == 0.44 == round(said["told_mean"][1], 2)  # "44 %", "more than half" lost
        assert max(np.abs(said["gap"])) < 3 and max(said["gap_errors"]) < 2  # in points; "the predicted ones"
        for low, high in zip(said["gap_low"], said["gap_high"], strict=True):
            assert low < 0 < high

    def test_what_changes_with_fewer_samples_and_with_shared_answers(self):
        said = self.said
        rows = np.transpose([said[name] for name in ("Q_of", "least_times", "median_times", "most_times")])
        own, shared = np.reshape(rows, (2, -1, 4))
        assert round(own[0, 3]) == 8 and [round(own[k, 2], 1) for k in (0, -1)] == [3.0, 1.2]
        assert own[0, 3] > 5 and (np.diff(own[:, 2]) < 0).all() and own[-1, 2] < 1.5  # "the median comes down"
        assert (own[:, 1] < 0).all()  # "below zero throughout"
        assert 1.6 < shared[-1, 3] / own[-1, 3] < 2.1  # "nearly twice as large"


def test_numbers_in_the_prose():
    assert 6561 == (2 * 4 + 1) ** 4 and 6561**0.75 / 256 < 2.9  # step 3 of the proof of 4.2
    Q = np.arange(1, 6562)
    assert (np.log(8) + 9 / 4 * np.log(Q) - Q**0.75 / 256 > 0).all()  # below that the main text says nothing
    assert failure_probability(10, 40, form="appendix") > 1
