"""What the page of errata says of the paper's numbers, held against what its cells print."""

import re

import numpy as np
import pytest
from claims import found, page
from scipy.stats import chi2

from helpers.bounds.guarantees import failure_probability


@pytest.fixture(scope="module")
def text():
    return page("errata", folder="book")


def test_Z_is_at_most_four_and_only_one_is_allowed_at_the_longest_component(text):
    most = found(r"Z may be at most (\d+)", text)
    assert most[0] == max(most) == 4 and most[-1] == 1


def test_the_experiments_leave_two_hypotheses(text):
    assert len(re.findall(r"fails, (?:values|Z)", text)) == 2 and len(re.findall(r": fails, ", text)) == 2


def test_eight_times_the_noise_needs_far_more_samples(text):
    first, second = (float(n.replace(",", "")) for n in re.findall(r"from about Q = ([\d,]+)", text))
    assert 638 <= first <= 650 and second > 50 * first  # the search goes in steps of a percent


def test_slopes(text):
    (low, high), (least, most) = np.reshape(found(r"(?:lower line|margin): ([\d.]+) to ([\d.]+)", text)[:4], (2, 2))
    assert 7 < low < high < 8.5 and 4.5 < least < most < 5.5
    assert 5 / 2 / (1 / 16) == 40  # "differ by a factor of forty"


def test_probability_and_bound(text):
    main = float(re.search(r"endless c: from Q = ([\d,]+)", text)[1].replace(",", ""))
    assert main == pytest.approx(1.4e5, rel=0.03)
    assert failure_probability(1, int(main) - 1, c=np.inf) >= 1
    assert float(re.search(r"Q = 40: ([\d,]+)", text)[1].replace(",", "")) > 1000
    assert found(r"crosses 0.05 at Q = ([\d.]+)", text)[0] == pytest.approx(880, abs=0.5)
    assert found(r"Z = 4: at most 10\^(-\d+)", text)[0] < -60
    assert found(r"at Q = 880: at most (\S+)", text)[0] > 1


@pytest.mark.theorem("4a")
def test_the_constant_c(text):
    (ratio,) = found(r"min\(theta\^2, theta\): ([\d.]+)", text)
    assert ratio == 0.153 and ratio > 1 / 8
    # The exponent is that of chi-squared: exact tails approach it from below as d grows.
    d, theta = 4000, 1.0
    assert -chi2.logsf(d * (1 + theta), d) / d == pytest.approx((theta - np.log1p(theta)) / 2, rel=0.02)


def test_distinct_answers_make_the_risk_independent_of_K(text):
    risks = found(r"after one step on Q = 10: ([\d.]+)", text)
    assert len(risks) == 3 and len(set(risks)) == 1


def test_fixed_noise_has_a_floor(text):
    risks = np.array(found(r"risk ([\d.]+), floor ([\d.]+)", text)).reshape(-1, 2)
    assert (np.diff(risks[:, 0]) < 0).all() and (risks[:, 0] > risks[:, 1]).all()
    assert risks[-1, 0] < 1.01 * risks[-1, 1]


@pytest.mark.theorem("B.4")
def test_the_gap_is_real_but_no_larger(text):
    same, others = found(r"same cluster ([\d.]+), all others ([\d.]+)", text)
    assert others > same


def test_tilting_changes_no_noise(text):
    for deviation in found(r"of c . alpha ([\d.]+)", text):
        assert deviation == pytest.approx(0.3, rel=0.01)  # 100,000 draws: 0.2 % standard error


def test_signs_and_normalizers(text):
    repaired, paper = found(r"(?:repaired|paper\s*): off by (\S+)", text)
    assert repaired < 1e-6 < 0.1 < paper  # central differences with a step of 1e-6
    printed, fixed = found(r"as printed off by (\S+), with the softmax term by (\S+)", text)
    assert fixed < 1e-6 < 0.01 < printed
    assert found(r"difference of the two: (\S+)", text)[0] < 1e-6


def test_the_barrier_moves(text):
    odds = found(r"odds up to (\S+) are flipped", text)
    assert odds[0] == pytest.approx(8.0, abs=0.05) and odds[0] < 59049 and odds[-1] > 59049


def test_anisotropy(text):
    dimension, isotropic = found(r"effective dimension (\d+), norm if isotropic ([\d.]+)", text)
    assert dimension == 15 and 0.058 / isotropic == pytest.approx(16, abs=1)


def test_growth_with_K_is_the_clock(text):
    margins = np.array(found(r"margin ([\d.]+) after 1000 steps, ([\d.]+) at S = 2", text)).reshape(-1, 2)
    assert (np.diff(margins[:, 0]) < 0).all() and len(set(margins[:, 1])) == 1


def test_one_table_of_two_has_a_constant(text):
    qwen, mistral = (np.array(found(rf"{name} +z sqrt K = ([\d.]+) ([\d.]+) ([\d.]+)", text))
                     for name in ("Qwen3-8B", "Mistral-7B"))
    assert np.ptp(qwen) / qwen.mean() < 0.07 and np.ptp(mistral) / mistral.mean() > 0.25


@pytest.mark.theorem("N5")
def test_the_limit_of_diversity(text):
    assert found(r"at most ([\d.]+) values", text) == [36.96, 9.24, 4.11]
    assert found(r"a million samples: risk ([\d.]+)", text)[0] > 0.05
