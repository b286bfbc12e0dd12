"""What chapter 8 says of its runs, held against what the built page prints."""

import numpy as np
import pytest
from claims import found, numbers, page

from helpers.statistics import wilson_interval

VALUES = ("honesty", "frugality", "curiosity", "solitude")


class TestChapter08:
    text = property(lambda self: page("08_many_tokens"))

    def test_every_checked_identity_holds_to_rounding(self):
        off = found(r"largest difference: (\S+)", self.text)
        assert len(off) == 5 and max(off) < 1e-13  # float64, numbers of order 1
        assert found(r"off Lemma 4\.1 by (\S+)", self.text)[0] < 1e-14
        assert found(r"through the means: .* off by (\S+)", self.text)[0] < 1e-12  # sums over 49,152 tokens

    def test_only_the_first_token_is_linear(self):
        first, whole = found(r"margin off the linear form by (\S+)", self.text)
        assert first < 1e-14 and whole > 0.1

    @pytest.mark.theorem("D")
    def test_theorem_d_agrees_and_the_printed_sign_does_not(self):
        largest, off = found(r"rates up to (\S+), off by (\S+)\n", self.text)
        assert off < 1e-14 * max(1, largest)
        missed, largest = found(r"printed form: off by (\S+), the largest rate is (\S+)", self.text)
        assert missed > 0.5 * largest  # "of the size of the rates themselves"

    def test_the_rate_of_a_response_needs_the_softmax_term(self):
        largest, off = found(r"chosen responses: rates up to (\S+), without the softmax term off by (\S+)", self.text)
        assert off > 0.05 * largest

    def test_the_reference_matters_for_longer_answers_alone(self):
        assert found(r"one token +the rates of the margins change by (\S+)", self.text)[0] < 1e-14
        assert found(r"many tokens the rates of the margins change by (\S+)", self.text)[0] > 0.01

    def test_sizes_of_the_softmax_terms(self):
        assert found(r"V = ([\d,]+), d", self.text.replace("49,152", "49152")) == [49152]
        assert max(found(r"different positions: median p (\S+), median d_p (\S+)", self.text)) < 1e-3
        table = np.reshape(found(r"equal: p (\S+), d_p (\S+), so 1 - p \+ d_p is (\S+)", self.text), (4, 3))
        assert table[0, 0] < 0.01 and abs(table[0, 2] - 1) < 0.1  # the reading is right at the first token
        assert table[1:, 0].min() > 0.5  # "of order one"
        assert table[1, 2] < 0.05 and (0.1 < table[2:, 2]).all() and (table[2:, 2] < 0.6).all()

    @pytest.mark.theorem("D")
    def test_every_held_out_token_moves_as_predicted(self):
        low, high = found(r"rates from (\S+) to (\S+)", self.text)
        off, printed = found(r"Theorem D: off by at most (\S+); with the printed p: (\S+)", self.text)
        assert off < 0.005 * (high - low) and printed > 0.1 * (high - low)
        assert printed > 50 * off
        (ratio,) = found(r"four times the step: the difference is (\S+) times as large", self.text)
        assert 3.8 < ratio < 4.2  # first order in the step, float64
        assert max(found(r"the fourth token alone: (\S+) to (\S+)", self.text)) < 0

    def test_without_noise_one_token_is_not_displaced(self):
        chosen, rejected = found(r"chosen at least (\S+), rejected at most (\S+)", self.text)
        assert chosen > 0 > rejected

    def test_both_answers_move_to_the_predicted_side(self):
        line = r"chosen (\S+) \(predicted (\S+)\), rejected (\S+) \(predicted (\S+)\), margin (\S+)"
        numbers = np.reshape(found(line, self.text), (4, 5))
        chosen, chosen_predicted, rejected, rejected_predicted, margin = numbers.T
        assert (np.sign(chosen) == np.sign(rejected)).all()
        assert (np.sign(chosen) == np.sign(chosen_predicted)).all()
        assert (np.sign(rejected) == np.sign(rejected_predicted)).all()
        assert (margin > 0).all()  # the chosen answer stays ahead
        assert (chosen < 0).sum() == 3 and chosen[VALUES.index("curiosity")] > 0
        # A short run: the rates at the start hold to about a sixth.
        assert np.abs(chosen / chosen_predicted - 1).max() < 1 / 6

    def test_at_least_half_of_the_margin_is_in_the_deviations(self):
        numbers = np.reshape(found(r"rate of the margin (\S+), through the deviations (\S+)\n", self.text), (4, 2))
        assert (numbers[:, 1] >= 0.5 * numbers[:, 0]).all() and (numbers[:, 0] > 0).all()

    def test_with_one_token_the_answers_part_and_with_many_both_fall(self):
        said = numbers("08_many_tokens")
        assert said["tested"] == [16, 16]
        intervals = [wilson_interval(share, 16) for share in said["right"]]
        assert np.transpose(intervals) == pytest.approx(np.array([said["low"], said["high"]]), rel=1e-12)
        line = r"token\(s\), the longest run: chosen (\S+), rejected (\S+), margin (\S+), right (\d+)%"
        (up, down, *_), (chosen, rejected, margin, _) = np.reshape(found(line, self.text), (2, 4))
        assert up > 0 > down and rejected < chosen < 0 < margin
        line = r"Q = +\d+, whole answers, beta = \S+: chosen (\S+), rejected (\S+)\n"
        moved = np.reshape(found(line, self.text), (3, 2))
        assert (moved < 0).all() and np.ptp(moved[:, 0]) > 0.5 * np.abs(moved[:, 0]).max()  # "depends on the draw"
