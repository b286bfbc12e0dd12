"""The record of fine-tuning on the example pairs: complete, of these pairs, and its first part made again."""

import json
from pathlib import Path

import numpy as np
import pytest

from book.tools.audit_pairs import RECORD, SLICE, Settings, deal, trained
from book.tools.reproduce import data_digest
from helpers.llm import load_llm
from helpers.preferences import example_pairs
from helpers.records import recorded


@pytest.fixture(scope="module")
def record():
    return json.loads(Path(RECORD).read_text(encoding="utf-8"))


def test_the_record_is_of_these_pairs_and_what_the_chapter_reads(record):
    assert record["made"]["data_digest"] == data_digest(example_pairs()) and recorded("audit_pairs") == record
    settings = Settings(**record["settings"])
    assert settings == Settings() and record["fold"] == deal(40, settings).tolist()
    assert record["steps"] == [0, 3, 6, 9, 12] and np.shape(record["margins"]) == (5, 40)
    assert np.isfinite(np.array(record["margins"], dtype=float)).all() and not np.any(record["margins"][0])
    assert {"command", "model_digest", "versions", "machine", "seconds"} <= set(record["made"])
    np.testing.assert_allclose(record["pushes"], np.transpose(record["pushes"]), rtol=1e-4)


@pytest.mark.model
@pytest.mark.slow
def test_a_part_of_it_is_made_again(record):
    _, margins = trained(load_llm(), example_pairs(), SLICE, folds=1)
    # The same arithmetic in another order of sums; Adam's first step is a sign, so that a gradient near 0 may turn.
    np.testing.assert_allclose(margins[:, record["slice"]["pairs"]], record["slice"]["margins"], atol=2e-3)
