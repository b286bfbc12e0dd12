"""The data card says what was measured, on the data that are here; the probe's parts do what they say."""

import json

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import expit

from book.tools import data_card
from book.tools.data_card import (
    CARD,
    RECORD,
    data_digest,
    filled,
    folds,
    held_out_hits,
    logistic,
    probe_value,
)
from helpers.preferences.bank import load_values
from helpers.statistics import wilson_interval


@pytest.fixture(scope="module")
def record():
    return json.loads(RECORD.read_text("utf-8"))


def test_the_card_holds_the_record_and_the_registry(record):
    text = CARD.read_text("utf-8")
    assert filled(text, record) == text, "run: python -m book.tools.data_card --tables"
    assert all(f"| {name} | {row['right']} of 128 |" in text for name, row in record["values"].items())


def test_the_record_is_of_the_data_that_are_here(record):
    assert record["data_sha256"] == data_digest(), "run: python -m book.tools.data_card"
    assert tuple(record["values"]) == load_values().names


def test_the_probe_separates_the_sides_of_every_value(record):
    for name, row in record["values"].items():
        assert row["low"] > 0.5, name  # chance lies below the whole interval
        assert row["accuracy"] == pytest.approx(row["right"] / row["statements"], abs=5e-5)  # four decimals


def test_the_record_of_bare_words_is_that_of_the_data(record):
    pairs = load_values("tidiness")
    found = held_out_hits(data_card.word_table(pairs.prompts), pairs.side)
    # A statement within rounding of the boundary may fall on either side on another machine.
    assert abs(found - record["values"]["tidiness"]["right_by_words"]) <= 1


@pytest.mark.parametrize(("hits", "n"), [(64, 128), (128, 128), (0, 7), (1700, 2048)])
def test_the_interval_is_wilsons(hits, n):
    z, p = 1.959963984540054, hits / n
    middle, half = p + z**2 / (2 * n), z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    expected = (middle - half) / (1 + z**2 / n), (middle + half) / (1 + z**2 / n)
    assert wilson_interval(hits / n, n) == pytest.approx(expected, rel=1e-12, abs=1e-15)


def test_the_record_holds_the_intervals_of_its_shares(record):
    for row in record["values"].values():
        low, high = wilson_interval(row["right"] / row["statements"], row["statements"])
        assert (row["low"], row["high"]) == pytest.approx((low, high), abs=5.1e-5)  # four decimals


def test_logistic_in_one_dimension_is_the_root_of_its_gradient():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=50), rng.choice([1.0, -1.0], 50)
    root = brentq(lambda w: 0.7 * w - np.sum(x * y * expit(-y * x * w)), -5, 5)
    assert logistic(x[:, None], y, 0.7)[0] == pytest.approx(root, abs=1e-4)  # its gradient at the stop


def test_every_statement_is_held_out_once_and_sides_stay_balanced():
    side = np.repeat([1, -1], 64)
    fold = folds(side)
    for k in range(4):
        assert np.sum((fold == k) & (side == 1)) == np.sum((fold == k) & (side == -1)) == 16


def test_the_probe_finds_a_direction_and_finds_none_in_noise():
    rng = np.random.default_rng(1)
    side = np.repeat([1, -1], 64)
    noise = rng.normal(size=(128, 40))
    assert held_out_hits(noise + 8 * side[:, None] * np.eye(40)[3], side) == 128  # eight deviations apart
    low, high = wilson_interval(held_out_hits(noise, side) / 128, 128)
    assert low < 0.5 < high


@pytest.mark.model
@pytest.mark.parametrize("name", ["nature", "sport"])
def test_measured_again_it_is_as_recorded(name, record):
    from helpers.llm.embedding import embed
    from helpers.llm.loading import load_llm

    llm, pairs = load_llm(), load_values(name)
    assert llm.digest == record["model_digest"]
    found = probe_value(embed(llm, pairs.prompts), pairs)
    # Another machine rounds otherwise; that may move a statement or two that lie at the boundary.
    assert abs(found["right"] - record["values"][name]["right"]) <= 2
