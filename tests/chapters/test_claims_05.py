"""What chapter 5 says of its runs, held against what the built page prints."""

import numpy as np
import pytest
from claims import found, numbers, page

from helpers.bounds.guarantees import failure_probability, samples_for_confidence


class TestChapter05:
    text = property(lambda self: page("05_training_guarantee"))
    said = property(lambda self: numbers("05_training_guarantee"))

    @pytest.mark.theorem("B.3")
    def test_every_inequality_of_the_proof_holds_on_the_data(self):
        assert "the event of B.1 holds: True" in self.text
        rows = np.transpose([self.said[name] for name in ("side_low", "least", "most", "side_high")])
        assert len(rows) == 6
        assert (np.diff(rows, axis=1) >= 0).all()
        assert "all margins grow: True" in self.text
        assert found(r"inside the envelope: (\d+) of (\d+)", self.text) == [640, 640]

    def test_where_the_factor_goes(self):
        low, high = found(r"rates that occur: (\S+) to (\S+)", self.text)
        assert 1.7 < low < high < 2.1  # "a narrow band near 1.9"
        assert (2 / 1) * (1 / 0.625) * (0.625 / 0.25) == pytest.approx(8)
        assert (2.375 / 2) * (10 / 2.375) == pytest.approx(5)
        assert self.said["side_low"][0] == 0.25
        smallest = self.said["least"][0]
        assert smallest == pytest.approx(0.45, abs=0.005)  # "although they end at 0.45"

    @pytest.mark.theorem("4.2′")
    def test_the_closer_lines_hold_for_longer(self):
        times, kept, all_of_them = found(r"up to (\S+) tau_1: (\d+) of (\d+) inside", self.text)
        assert kept == all_of_them and times == pytest.approx(4.2, abs=0.05)  # "four times as long"
        low, high, allowed, most = found(r"at the end (\S+) to (\S+), allowed (\S+) to (\S+)", self.text)
        assert allowed < low < high < most
        assert found(r"promised at the end: (\S+) log 3", self.text)[0] > 0.26

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
        stray, allowed = found(r"margins stray by (\S+), N7 allows (\d\.\d+)", self.text)
        assert 0.8 * allowed < stray <= allowed < 0.05  # "narrow, and nearly filled"
        assert "inside at all times: True" in self.text
        assert max(found(r"(\d+)% by the flow, (\d+)% by steps", self.text)) <= 100
        assert found(r"margins within (\S+)% of the noise-free", self.text)[0] < 10
        assert found(r"N8 fails with probability at most (\S+)", self.text)[0] < 2e-5

    def test_the_envelope_breaks_where_the_mechanism_says(self):
        load, share = np.reshape(found(r"\(2Q\) = (\S+): (\d+)% of the data sets", self.text), (-1, 2)).T
        assert (share[load <= 3] == 0).all() and (share[load >= 4] > 80).all()  # predicted: 4
        asked, danger = found(r"asks for v <= (\S+) at Q = 30; .* from v = (\S+)", self.text)
        assert danger > 5 * asked  # "more than five times"

    def test_what_each_inequality_gives_away(self):
        said = self.said
        assert said["taken_key"] == ["linear", "B.1", "union", "B.2", "pushes", "sharing", "envelope", "horizon"]
        left, right = np.array(said["left"]), np.array(said["right"])
        assert said["verdict"] == ["fails"] + 7 * ["holds"] and left[0] > right[0] and (left[1:] <= right[1:]).all()
        with np.errstate(divide="ignore"):
            slack = dict(zip(said["taken_key"], right / left, strict=True))
        assert left[2] == 0 and right[2] > 1e5  # "in none of the six data sets", "above a hundred thousand"
        assert slack["sharing"] == np.sort(list(slack.values()))[-2]  # "The sharing term comes next"
        assert slack["envelope"] == pytest.approx(7, abs=0.6) and slack["horizon"] == pytest.approx(7, abs=0.6)
        assert slack["B.2"] == pytest.approx(6, abs=0.7) and 1 < slack["pushes"] < 2

    def test_without_the_event_the_envelope_still_holds(self):
        assert list(zip(self.said["edge_Z"], self.said["edge_Q"], strict=True)) == [(2, 40), (4, 80)]
        assert min(self.said["edge_stray"]) > 1  # "that fails as well"
        assert self.said["edge_room"] == pytest.approx([7.4, 7.5], abs=0.1)  # "with the same factor"

    def test_the_hypotheses_on_the_model(self):
        before, after = self.text.split("embeddings centred")[:2]
        assert "Z <= inf: holds" in after and "v <= " in after and "d <= 160: fails" in after
        assert found(r"the noise is (\d+) times too large", self.text)[0] > 20  # "tens of times"
        assert found(r"d <= 5Q needs Q >= (\d+)", self.text) == [116]
        assert found(r"l_b = (\S+)", before)[-1] > 20  # "far too long"

    def test_how_many_margins_of_the_model_stay_inside(self):
        expected, seen = 100 * np.array(self.said["expected"]), 100 * np.array(self.said["share"])
        assert seen[0] == pytest.approx(expected[0], abs=3) and seen[0] == pytest.approx(90, abs=3)  # "nine in ten"
        assert 45 < seen[1] < 60 and 5 < abs(seen[1] - expected[1]) < 15  # "about half", "about ten in a hundred"
        assert (round(seen[1]), round(expected[1])) == (53, 43)  # as the last section says
        low, high, median, clean, negative = found(
            r"margins from (\S+) to (\S+), median (\S+), without noise (\S+), below zero (\d+)%", self.text)
        assert low < 0 < clean < median < high and 0 < negative < 10  # "a few percent are negative"
        assert found(r"within (\d+) times the noise-free margin", self.text)[0] > 5

    def test_what_the_reader_sees_when_the_sliders_move(self):
        rows = found(r"(?:own|all) +Q = +(\d+): +(\S+), median +(\S+), +(\S+) times the noise-free", self.text)
        own, shared = np.reshape(rows, (2, -1, 4))
        assert own[0, 3] > 5 and (np.diff(own[:, 2]) < 0).all() and own[-1, 2] < 1.5  # "the median comes down"
        assert (own[:, 1] < 0).all()  # "below zero throughout"
        assert 1.6 < shared[-1, 3] / own[-1, 3] < 2.1  # "nearly twice as large"


def test_numbers_in_the_prose():
    assert 6561 == (2 * 4 + 1) ** 4 and 6561**0.75 / 256 < 2.9  # step 3 of the proof of 4.2
    Q = np.arange(1, 6562)
    assert (np.log(8) + 9 / 4 * np.log(Q) - Q**0.75 / 256 > 0).all()  # below that the main text says nothing
    assert failure_probability(10, 40, form="appendix") > 1
