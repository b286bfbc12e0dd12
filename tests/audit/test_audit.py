"""The audit: constants and intervals right where the truth is known, verdicts that follow from them, bad input."""

import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

from helpers.audit import audit, groups_of_pairs, jackknife, measure_geometry, normality
from helpers.audit.intervals import standard_error
from helpers.bounds import conditions
from helpers.layouts import chain, disjoint, shared
from helpers.mixture import ValueMixture
from helpers.preferences import Preferences

K, D, N, LENGTH = 3, 30, 32, 1.4
SCALES = np.linspace(0.6, 0.1, D)
GRAM = LENGTH**2 * (0.6 + 0.4 * np.eye(K))
CONCEPTS, OFFSETS, B = np.zeros((K, D)), np.zeros((K, D)), np.zeros(D)
CONCEPTS[:, :K] = np.linalg.cholesky(GRAM)
OFFSETS[:, 10] = 2 * np.array([1, -0.5, -0.5])
B[5:9] = 3  # of length 6
TRUTH = {
    "concept_length": np.full(K, LENGTH),
    "shared": np.full(K, 6 / LENGTH),
    "offset": np.array([2, 1, 1]) / LENGTH,
    "noise": np.sqrt((CONCEPTS**2 * SCALES**2).sum(axis=1)) / LENGTH**2,
    "noise_coordinate": np.full(K, np.sqrt((SCALES**2).mean()) / LENGTH),
    "directions": np.full(K, (SCALES**2).sum() ** 2 / (SCALES**4).sum()),
    "cosines": np.full((K, K), 0.6) + 0.4 * np.eye(K),
}


def draw(seed, n=N, noise=lambda rng, shape: rng.standard_normal(shape)):
    """Statements of a mixture that is none: tilted concepts, offsets, noise of another size in each direction."""
    value, side = np.repeat(np.arange(K), 2 * n), np.tile(np.repeat([1, -1], n), K)
    x = B + OFFSETS[value] + side[:, None] * CONCEPTS[value]
    return x + SCALES * noise(np.random.default_rng(seed), x.shape), SimpleNamespace(value=value, side=side)


@pytest.fixture(scope="module")
def reports():
    return [audit(*draw(1000 + seed), layout=disjoint(K), seed=seed) for seed in range(60)]


@pytest.mark.parametrize("name", TRUTH)
def test_intervals_hold_the_planted_constants(reports, name):
    found = [getattr(report, name) for report in reports]
    off = ~np.eye(K, dtype=bool) if name == "cosines" else np.full(np.shape(TRUTH[name]), True)
    held = np.mean([((one.low <= TRUTH[name]) & (TRUTH[name] <= one.high))[off] for one in found])
    # 180 intervals of 60 draws, nominal 0.95; the standard error of the share is at most sqrt(.05 * .95 / 60) = .028.
    assert held > 0.95 - 3 * 0.028
    # and they are no wider than need be: at most half as wide again as those that the spread over draws would give.
    half = np.mean([(one.high - one.low)[off] / 2 for one in found])
    spread = stats.t.ppf(0.975, 9) * np.std([one.value[off] for one in found], axis=0, ddof=1).mean()
    assert 0.7 * spread < half < 1.5 * spread
    mean = np.mean([one.value for one in found], axis=0)
    np.testing.assert_allclose(mean[off], TRUTH[name][off], rtol=0.06)  # ratios and roots of unbiased estimates


def test_the_report_is_the_chapters_measurement(reports):
    x, labels = draw(1000)
    found = measure_geometry(x, labels.value, labels.side)
    report = reports[0]
    np.testing.assert_array_equal(report.concept_length.value, found.lengths)
    np.testing.assert_array_equal(report.cosines.value, found.cosines)
    np.testing.assert_array_equal(report.noise.value, found.along / found.lengths)
    np.testing.assert_array_equal(report.geometry.trace, found.trace)
    off = measure_geometry(x, labels.value, labels.side).offset_lengths / found.lengths
    np.testing.assert_allclose(report.offset.value, off, rtol=1e-9)


def test_a_bootstrap_is_wrong_where_the_jackknife_is_right():
    x, labels = draw(7, n=20, noise=lambda rng, shape: 4 * rng.standard_normal(shape))
    rng, rows = np.random.default_rng(0), np.arange(len(x)).reshape(2 * K, 20)
    whole = np.diag(measure_geometry(x, labels.value, labels.side).gram)
    again = []
    for _ in range(100):
        take = np.concatenate([rng.choice(cluster, 20) for cluster in rows])
        again.append(np.diag(measure_geometry(x[take], labels.value[take], labels.side[take]).gram))
    group = groups_of_pairs(labels.value, labels.side)
    left = [np.diag(measure_geometry(x[group != h], labels.value[group != h], labels.side[group != h]).gram)
            for h in range(10)]
    # A statement that is drawn twice agrees with itself: about tr Sigma (1/20 + 1/20) / 4 is added to a squared length.
    extra = 16 * (SCALES**2).sum() * 2 / 20 / 4
    assert np.mean(again) - whole.mean() == pytest.approx(extra, rel=0.35)
    assert abs(np.mean(left) - whole.mean()) < 0.1 * extra


def test_groups_share_every_cluster_and_keep_neighbours_together():
    value, side = np.repeat([0, 1], [41, 64]), np.concatenate([np.repeat([1, -1], [20, 21]), np.repeat([1, -1], 32)])
    group = groups_of_pairs(value, side, groups=10)
    assert set(group) == set(range(10))
    for i in (0, 1):
        for s in (1, -1):
            mine = group[(value == i) & (side == s)]
            assert (mine[0 : len(mine) // 2 * 2 : 2] == mine[1::2]).all()
            assert np.bincount(mine[::2], minlength=10).min() >= 1
    assert groups_of_pairs(value, side, groups=100).max() == 9  # as many as the smallest cluster has pairs
    with pytest.raises(ValueError, match="at least 6 statements, got one of 5"):
        groups_of_pairs(np.zeros(12, int), np.repeat([1, -1], [7, 5]))


def test_the_jackknife_of_a_mean_is_its_standard_error():
    draws = np.random.default_rng(0).normal(size=12)
    left = np.array([np.delete(draws, k).mean() for k in range(12)])
    assert standard_error(left) == pytest.approx(stats.sem(draws), rel=1e-12)
    found = jackknife(draws.mean(), left)
    expected = stats.t.interval(0.95, 11, draws.mean(), stats.sem(draws))
    assert (found.low, found.high) == pytest.approx(expected, rel=1e-12)
    wider = jackknife(draws.mean(), left, times=20)
    assert wider.high - wider.low > 1.5 * (found.high - found.low)
    logs = jackknife(2.0, np.array([1.9, 2.0, 2.2]), log=True)
    assert logs.low * logs.high == pytest.approx(4.0, rel=1e-12)
    with pytest.raises(ValueError, match="must be above 0"):
        jackknife(2.0, np.array([1.9, -2.0, 2.2]), log=True)


def test_data_of_the_mixture_refute_nothing_but_by_chance():
    layout, refuted, failed = chain(4), 0, 0
    for seed in range(20):
        mixture = ValueMixture(layout, d=40, v=0.002, l_b=0.4)
        report = audit((sample := mixture.sample(60, np.random.default_rng(seed))).x, sample, layout=layout)
        refuted += sum(check.verdict == "fails" for check in report.mixture)
        failed += sum(check.verdict == "fails" for check in report.hypotheses)
    assert failed == 20  # Z = 2 > 1 / (4 * 0.4^2), and nothing else
    # Eight assumptions, seven of them at a level of 5 %: 7 of 140 by chance, and three standard errors more.
    assert refuted <= 7 + 3 * 7**0.5


def test_each_broken_assumption_is_named():
    x, labels = draw(3, n=60)
    layout = shared(K)
    report = audit(x, labels, layout=layout)
    verdict = {check.name: check.verdict for check in report.mixture}
    assert verdict == {
        "cosine of two concepts": "fails", "cosine of a concept with b": "not refuted",
        "squared offset of the values": "fails", "length of a concept / mean": "not refuted",
        "noise along / of a coordinate": "fails", "directions of the noise": "fails",
        "smallest p of normal noise": "not refuted", "largest / smallest cluster": "holds",
    }
    expected = conditions(layout, Q=60, d=D, l_b=float(np.median(report.shared.value)),
                          v=float(np.median(report.noise.value)))
    assert [(c.name, c.value, c.limit, c.relation) for c in report.hypotheses] == [
        (c.name, pytest.approx(c.value), pytest.approx(c.limit), c.relation) for c in expected]
    assert {c.name for c in report.hypotheses if c.verdict == "fails"} == {
        "values with the same two answers", "Z", "l_b", "v"}
    assert not report.holds()


def test_a_hypothesis_within_its_interval_is_undecided():
    mixture = ValueMixture(disjoint(2), d=20, v=0.3, l_b=0.5)
    sample = mixture.sample(20, np.random.default_rng(1))
    check = next(c for c in audit(sample.x, sample, layout=mixture.layout).hypotheses
                 if c.name == "l_b" and c.relation == "<=")
    assert check.verdict == "undecided" and check.low < 0.5 < check.high


def test_a_mixture_inside_the_region_holds():
    mixture = ValueMixture(disjoint(3), d=60, v=0.001, l_b=0.3)
    sample = mixture.sample(40, np.random.default_rng(5))
    report = audit(sample.x, sample, layout=mixture.layout, seed=2)
    assert report.holds() and all(check.excess < 1.3 for check in report.hypotheses)


def test_centring_takes_the_shared_component_and_nothing_else():
    x, labels = draw(4)
    raw, centred = (audit(x, labels, layout=disjoint(K), centred=flag) for flag in (False, True))
    assert raw.shared.value.min() > 4 and centred.shared.value.max() < 1e-12
    for name in ("concept_length", "offset", "noise", "directions", "cosines"):
        np.testing.assert_allclose(getattr(raw, name).value, getattr(centred, name).value, rtol=1e-9, atol=1e-9)
    assert "cosine of a concept with b" not in [check.name for check in centred.mixture]
    assert "centred" in str(centred) and "as they are" in str(raw)


def test_spread_against_brute_force():
    x, labels = draw(6, n=20)
    spread = audit(x, labels, layout=disjoint(K)).spread
    for i in range(K):
        parts = [x[(labels.value == i) & (labels.side == s)] for s in (1, -1)]
        pooled = sum(np.cov(part.T) * (len(part) - 1) for part in parts) / 38
        assert spread.norm_sample[i] == pytest.approx(np.linalg.norm(pooled), rel=1e-10)
        assert spread.directions_isotropic[i] == pytest.approx(1 / (1 / D + 1 / 38), rel=1e-12)


def test_a_sample_of_isotropic_noise_shows_what_is_said():
    rng, shown = np.random.default_rng(0), []
    for _ in range(20):
        mixture = ValueMixture(disjoint(2), d=200, v=0.5, l_b=0.5)
        sample = mixture.sample(30, rng)
        spread = audit(sample.x, sample, layout=mixture.layout).spread
        shown.append(spread.directions_sample / spread.directions_isotropic)
    assert np.mean(shown) == pytest.approx(1, rel=0.02)  # 40 values; the spread of one is about 2 %


def test_imbalance_and_the_side_that_it_loses():
    rng = np.random.default_rng(0)
    value = np.repeat([0, 1], [30, 20])
    side = np.concatenate([np.repeat([1, -1], [20, 10]), np.repeat([1, -1], [10, 10])])
    x = side[:, None] * np.eye(2, 12)[value] + 3 * np.eye(12)[5] + 0.1 * rng.standard_normal((50, 12))
    report = audit(x, SimpleNamespace(value=value, side=side), layout=shared(2))
    np.testing.assert_allclose(report.imbalance, [1 / 3, 0])
    np.testing.assert_allclose(report.lean, [10 / 25, 10 / 25])  # with shared answers both values lean
    assert report.lost.all()  # 0.4 * 9 > 30/25 and 20/25
    alone = audit(x, SimpleNamespace(value=value, side=side), layout=disjoint(2))
    np.testing.assert_allclose(alone.lean, [10 / 25, 0])
    assert alone.lost.tolist() == [True, False]
    assert "one side lost after the first step, for the imbalance: value 1" in str(alone)


def test_normal_noise_passes_and_other_noise_is_seen_where_it_is():
    x, labels = draw(8, n=100)
    found = normality(x, labels.value, labels.side)
    assert found.kinds == ("concept",) + ("random",) * 5 + ("leading",) * 3
    assert found.smallest() > 0.05 and found.p.shape == (K, 9) and (found.tested == 100).all()

    def skewed(rng, shape):
        noise = rng.standard_normal(shape)
        noise[:, 20] = 8 * (rng.exponential(size=shape[0]) - 1)  # by far the direction of the largest noise
        return noise

    x, labels = draw(8, n=100, noise=skewed)
    found = normality(x, labels.value, labels.side)
    assert found.smallest("leading") < 1e-6 and found.smallest("leading") < found.smallest("concept")
    assert found.smallest() == min(found.smallest(kind) for kind in ("concept", "random", "leading"))
    # Shapiro's and Wilk's p, skewness and kurtosis of the same numbers, by hand, along the first random direction.
    direction = np.random.default_rng([0, 9]).normal(size=(5, D))[0]
    parts = [x[(labels.value == 1) & (labels.side == s)][1::2] @ direction for s in (1, -1)]
    noise = np.concatenate([part - part.mean() for part in parts])
    assert found.p[1, 1] == pytest.approx(stats.shapiro(noise).pvalue, rel=1e-6)
    assert found.skewness[1, 1] == pytest.approx(stats.skew(noise), rel=1e-9)
    assert found.kurtosis[1, 1] == pytest.approx(stats.kurtosis(noise), rel=1e-9)


def test_normality_is_uniform_where_it_should_be():
    p = np.concatenate([normality(*(part if k else part for k, part in enumerate(flat(seed)))).p[:, :6].ravel()
                        for seed in range(20)])
    assert stats.kstest(p, "uniform").pvalue > 1e-3  # 360 values of p


def flat(seed):
    x, labels = draw(seed, n=40)
    return x, labels.value, labels.side


def test_the_report_as_text_and_as_frames(reports):
    report, text = reports[0], str(reports[0])
    assert text.splitlines()[0] == "3 values, 192 statements, 32 a cluster, d = 30, as they are"
    assert max(map(len, text.splitlines())) <= 100
    frame = report.frame()
    assert list(frame.index) == ["value 1", "value 2", "value 3"]
    np.testing.assert_array_equal(frame["noise_high"], report.noise.high)
    rows = report.frame("hypotheses")
    assert len(rows) == len(report.hypotheses) + len(report.mixture)
    assert (rows["verdict"].isin(["holds", "fails", "undecided", "not refuted"])).all()
    np.testing.assert_array_equal(report.frame("cosines"), report.cosines.value)
    with pytest.raises(ValueError, match="^of must be a known name, got 'rows'"):
        report.frame("rows")


def test_preferences_bring_their_names_and_their_layout():
    x, labels = draw(9)
    words = [(" Yes", " No")[:: s] for s in labels.side]
    pairs = Preferences([f"p{j}" for j in range(len(x))], *zip(*words, strict=True), labels.value, labels.side,
                        ("honesty", "art", "sport"))
    report = audit(x, pairs, Q=10)
    assert report.names == ("honesty", "art", "sport") and report.Q == 10
    assert next(check for check in report.hypotheses if check.name == "Z").value == 3


def test_one_value_has_no_pairs():
    x, labels = draw(10)
    only = labels.value == 0
    report = audit(x[only], SimpleNamespace(value=labels.value[only], side=labels.side[only]), layout=disjoint(1))
    assert "cosine of two concepts" not in [check.name for check in report.mixture] and "1 value," in str(report)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (dict(preferences=3), "preferences must be preferences, with value and side, got 3"),
        (dict(layout=None), "layout must be given where the preferences have none"),
        (dict(layout=disjoint(2)), "layout must have 3 values, as the preferences have, got 2"),
        (dict(Q=0), "Q must be a whole number of at least 1, got 0"),
        (dict(groups=1), "groups must be a whole number of at least 2, got 1"),
        (dict(theorem="4.4"), "theorem must be a known name, got '4.4'"),
        (dict(centred=1), "centred must be True or False, got 1"),
        (dict(embeddings=np.zeros((192, 4))), "value 0: x must hold two clusters with different means"),
        (dict(seed=-1), "seed must be a whole number of at least 0, got -1"),
    ],
)
def test_bad_input_gets_one_sentence(change, said):
    x, labels = draw(11)
    with pytest.raises(ValueError, match=f"^{said}"):
        audit(**dict(embeddings=x, preferences=labels, layout=disjoint(K)) | change)


def test_memory_grows_with_the_statements_not_with_their_pairs():
    rng, n = np.random.default_rng(12), 10_000
    side = np.repeat([1, -1], n)
    x = side[:, None] + rng.standard_normal((2 * n, 8))
    tracemalloc.start()
    audit(x, SimpleNamespace(value=np.zeros(2 * n, int), side=side), layout=disjoint(1))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 30 * x.nbytes  # 38 MB; the products of all pairs of one side alone would take 800 MB
