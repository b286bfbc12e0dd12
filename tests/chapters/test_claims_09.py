"""What chapter 9 says of the checks and of the audit, held against the numbers that its cells recorded."""

import json
from pathlib import Path

import numpy as np
import pytest
from claims import ROOT, numbers

from book.tools.assumptions import NAMED
from helpers.exercises.chapter_09 import ANSWERS

CHAPTER = (ROOT / "chapters" / "09_assumptions.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def said():
    """The numbers by name; what was said more often is an array, words stay a list."""
    return {key: np.array(value) if isinstance(value, list) and not isinstance(value[0], str) else value
            for key, value in numbers("09_assumptions").items()}


@pytest.fixture(scope="module")
def verdicts(said):
    """Verdict, measured value and excess of each hypothesis of the audit."""
    rows = zip(*(said[name] for name in ("hypothesis", "relation", "verdict", "at", "excess")), strict=True)
    return {(name, relation): (verdict, float(at), float(excess)) for name, relation, verdict, at, excess in rows}


@pytest.fixture(scope="module")
def record():
    return json.loads((ROOT / "records" / "assumptions.json").read_text(encoding="utf-8"))


def test_the_published_check_sees_nothing_and_the_prediction_holds(said):
    check, half = said["reports"]
    told, true = said["told"]
    np.testing.assert_array_equal(true, np.linspace(0, 1, 5))
    assert np.abs(check).max() < 0.04  # "about zero ... and for all between"
    assert (np.diff(told) > 0).all() and (told < 0).all()  # "identical concepts look more orthogonal"
    assert check[-1] > check[0]
    np.testing.assert_allclose(half, true, atol=0.01)
    # Ten draws, five places and two checks: Student's t with 9 degrees exceeds 3.7 in one of 200.
    assert (said["errors"] < 3.7).all()


def test_the_proposition_on_the_language_model(said):
    assert said["mean_product"] == pytest.approx(said["must_be"], rel=1e-9) and said["must_be"] < 0
    assert abs(said["off_mean"]) < 0.02  # "the second step to length one changes little": still about zero, negative
    assert said["off_mean"] < 0


def test_figure_3_is_reproduced_where_its_conclusion_is_false(said):
    assert said["table"] == ["before", "after", "concepts"]
    before, after, concepts = zip(said["smallest"], said["median"], said["largest"], strict=True)
    assert before[0] > 0.85  # "high before"
    assert abs(after[1]) < 0.02 and max(map(abs, after)) < 0.2  # "near zero after"
    assert concepts[1] > 0.7 and concepts[0] > 0 and concepts[2] > 1  # "most are nearly parallel"; "can exceed one"


def test_the_second_normalization_is_one_and_decides_nothing(said):
    assert said["state_gap"] < said["state_below"] == 1e-3  # embeddings of length up to 60, other batches
    assert said["times"] == ["once", "twice"]
    assert (np.abs(said["check_low"]) < 0.25).all() and (said["check_high"] < 0.25).all()
    assert (said["concept_median"] > 0.6).all()


def test_norms_and_directions_of_the_noise(said):
    assert said["normed"] == ["once", "once", "twice", "twice"] and said["reading"] == ["average", "each"] * 2
    for name in ("norm", "trace"):
        average, each = said[name].reshape(2, 2).T
        np.testing.assert_allclose(average, each, rtol=0.05)  # "the two readings hardly differ"
    assert ((said["norm"] / said["flat_norm"] > 1.8) & (said["norm"] / said["flat_norm"] < 2.5)).all()  # "about twice"
    np.testing.assert_allclose(said["flat"], 1 / (1 / 576 + 1 / 63), rtol=1e-9)


def test_noise_is_nearly_gaussian_along_single_directions(said):
    assert said["kind"] == ["concept", "leading", "random"]
    concept, leading, random = zip(said["share"], said["smallest_p"], strict=True)
    assert concept[0] > 0.2 and concept[1] > 0.05  # "more are below .05", none with all tests counted
    assert leading[1] < 0.05 < random[1] and random[0] < 0.2
    assert (said["all"] == 9 * 16).all() and said["tests"].tolist() == [16, 48, 80]


def test_each_verdict_of_the_audit(said, verdicts):
    assert (said["d"], said["Q"]) == (576, 64)
    fails = {key for key, (verdict, *_) in verdicts.items() if verdict == "fails"}
    assert len(fails) == said["failing"] == 10 and len(verdicts) == said["hypotheses"] == 14
    assert {key for key in verdicts if key not in fails} == {
        ("values with the same two answers", "<="), ("l_b", ">="), ("length of a concept / mean", "="),
        ("largest / smallest cluster", "=")}
    assert 150 < verdicts["v", "<="][2] < 250 and said["too_large"] == pytest.approx(verdicts["v", "<="][2])  # "200"
    assert 60 < verdicts["l_b", "<="][2] < 100  # "about 80"
    assert 3000 < verdicts["Z", "<="][2] < 10_000  # "several thousand"
    assert 1.5 < verdicts["d", "<="][2] < 2  # "a little beyond"
    assert 0.7 < said["noise"] < 0.8 and said["noise_low"] < said["noise"] < said["noise_high"]  # "three quarters"
    assert 25 < said["directions"] < 40  # "about thirty directions"
    assert said["cosine"] > 0.8
    assert (said["zero_low"] > 0.5).all()  # "these two should be zero"


def test_centring_only_exchanges_what_fails(said):
    assert said["centred_b"] < 1e-9
    fails = numbers("09_assumptions")["centred_fails"]
    assert fails == [["l_b", ">="], ["d", "<="], ["v", "<="]]


def test_every_bootstrap_sample_makes_concepts_longer(said):
    assert said["square"] < said["boot_low"] < said["boot_high"]


def test_the_recorded_numbers_of_the_paper_s_data(record):
    def two(values, places=2):
        return [f"{value:.{places}f}".replace("-0.", "−.").replace("-", "−") for value in values]

    def short(value):
        return value[1:] if value.startswith("0.") else value

    for row, key in (("cosines before", "before"), ("cosines after subtracting the mean", "after"),
                     ("cosines of concepts, from both sides", "concepts")):
        cells = [" to ".join(map(short, two([record[which][key][0], record[which][key][2]])))
                 for which in ("once", "twice")]
        assert f"| {row} | {cells[0]} | {cells[1]} |" in CHAPTER
    for row, key in (("norm of the covariance", "norm"), ("its trace", "trace"),
                     ("norm that isotropic noise would show", "isotropic_norm")):
        cells = [short(f"{record[which]['average'][key]:.3f}") for which in ("once", "twice")]
        assert f"| {row} | {cells[0]} | {cells[1]} |" in CHAPTER
    assert record["once"]["concepts"][1] == pytest.approx(0.13, abs=0.005)  # "with a median of .13"
    found = record["audit"]
    assert (found["K"], found["Q"], found["d"]) == (30, 50, 576)
    assert found["shared"][1] == pytest.approx(41, abs=0.5) and found["noise"][1] == pytest.approx(0.93, abs=0.005)
    assert [row[:2] for row in record["named"]] == [list(pair) for pair in NAMED]
    concepts, check = np.array([row[2:] for row in record["named"]]).T
    np.testing.assert_allclose(concepts, [1.02, -0.51, -0.56], atol=0.005)
    np.testing.assert_allclose(check, [0.04, -0.03, 0.00], atol=0.005)
    limit = next(row[3] for row in record["hypotheses"] if row[0] == "v")
    assert found["noise"][1] / limit == pytest.approx(210, abs=0.5)
    assert found["directions"][1] == pytest.approx(24, abs=0.5)
    assert found["directions_isotropic"] == pytest.approx(84, abs=0.5)
    fails = [row[:2] for row in record["hypotheses"] if row[-1] == "fails"]
    assert fails == [["values with the same two answers", "<="], ["Z", "<="], ["l_b", "<="], ["d", "<="], ["v", "<="]]
    smallest = next(row for row in record["mixture"] if row[0] == "smallest p of normal noise")
    assert smallest[1] == pytest.approx(0.11, abs=0.005) and smallest[-1] == "not refuted" and 9 * 30 == 270
    assert {"command", "model_digest", "data_digest", "commit", "versions", "machine", "seconds"} <= set(record["made"])


def test_the_record_holds_numbers_and_no_statement(record):
    text = (ROOT / "records" / "assumptions.json").read_text(encoding="utf-8")
    assert len(text) < 6000 and "I " not in text.replace("AI ", "")


def test_numbers_in_the_solutions():
    assert ANSWERS["09.1"].judge(1 / (1 / 4096 + 1 / 200)).right
    assert 1 / (1 / 4096 + 1 / 200) == pytest.approx(191, abs=0.5)
    v = ANSWERS["09.4"].value
    assert v == pytest.approx(0.027, abs=5e-4) and 1 / (32 * 450**0.5) == pytest.approx(0.0015, abs=5e-5)
    assert v * 32 * 450**0.5 == pytest.approx(18, abs=0.5)  # "eighteen times the limit"
    assert 8e9 / 135e6 == pytest.approx(60, abs=1)  # "sixty times smaller"
    # Two camps of five: twenty pairs alike, twenty-five opposed, and the mean is -1/9.
    assert (20 - 25) / 45 == pytest.approx(-1 / 9)


def test_the_table_is_made_by_its_command():
    assert "python -m book.tools.assumptions" in CHAPTER and Path(ROOT / "book" / "tools" / "assumptions.py").exists()
