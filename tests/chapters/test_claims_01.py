"""What chapter 1 says of its runs, held against what the built page prints."""

import re

import numpy as np
import pytest
from claims import found, page

from helpers.statistics import wilson_interval


class TestChapter01:
    text = property(lambda self: page("01_preferences"))

    def test_every_checked_identity_holds_to_rounding(self):
        policies, maxima = found(r"policies differ by (\S+), maxima by (\S+)", self.text)
        assert policies < 1e-4 and maxima < 1e-8  # the optimizer stops at a flat maximum: its error is the root
        assert abs(found(r"minus log 2: (\S+)", self.text)[0]) < 1e-12
        assert found(r"largest difference: (\S+)", self.text)[0] < 1e-3  # float32 logits of size 20, 49,152 summands
        assert found(r"-sigma\(-r\), largest difference: (\S+)", self.text)[0] < 1e-8  # finite difference, step 1e-6

    def test_the_ranking_condition_holds_for_every_pair(self):
        assert found(r"the proposition holds for (\d+)% of the pairs", self.text) == [100.0]

    def test_the_model_first_moves_towards_one_answer(self):
        sides = re.findall(r"side [+-]1: +(\d+)% +(\d+)%", self.text)
        first = sorted(int(shares[1]) for shares in sides)
        assert [int(shares[0]) for shares in sides] == [0, 0]  # every margin is 0 before training
        assert first[0] <= 10 and first[1] >= 90
        # "a few steps later it has swung to the other answer": the side that was right is mostly wrong
        rows = [list(map(int, re.findall(r"(\d+)%", line))) for line in re.findall(r"side [+-]1:.*", self.text)]
        ahead, behind = sorted(rows, key=lambda row: -row[1])
        assert max(there - here for here, there in zip(ahead[2:5], behind[2:5], strict=True)) > 50

    def test_training_teaches_the_value(self):
        low, high = found(r"margin accuracy [\d.]+, 95 % interval ([\d.]+) to ([\d.]+)", self.text)
        assert low > 0.5
        assert (high - low) / 2 == pytest.approx(0.1, abs=0.05)  # "known to about a tenth"
        below, above = found(r"ranking accuracy [\d.]+, 95 % interval ([\d.]+) to ([\d.]+)", self.text)
        assert max(low, below) < min(high, above)  # "the two cannot be told apart"

    def test_the_reference_ranks_no_better_than_a_coin(self):
        (share,) = found(r"the reference ranks (\d+)% of 32", self.text)
        low, high = wilson_interval(share / 100, 32)
        assert low < 0.5 < high


def test_numbers_in_the_prose():
    assert np.exp(2) == pytest.approx(7, rel=0.06)  # "judged seven to one"
