"""Searches for counterexamples to the paper's results, as repaired, inside their regions; one search a result."""

import numpy as np
import pytest
from hypothesis import assume
from hypothesis import strategies as st
from scipy.special import expit
from scipy.stats import chi2, norm

from helpers.bounds.concentration import deviations, noise_parts, rate_bracket, rate_tolerance
from helpers.bounds.envelopes import training_envelope
from helpers.bounds.guarantees import refined_exponent, risk_bound
from helpers.dynamics.flow import gradient_flow
from helpers.dynamics.rates import pull
from helpers.mixture import Sample, ValueMixture
from helpers.risk.exact import log_exact_risk
from theorems import ANY_LAYOUT, LAYOUTS, SEEDS, on_event, regions, search

pytestmark = pytest.mark.slow  # `make check` has no time for it

ROUND = 1e-9  # of the flow's integrator, relative to margins of size 1
LOG3 = np.log(3)
NODES = np.polynomial.legendre.leggauss(400)


@search("4.1", layout=ANY_LAYOUT, N=st.integers(1, 12), d=st.integers(1, 6), beta=st.floats(0.01, 3), seed=SEEDS)
def test_lemma_4_1(layout, N, d, beta, seed):
    """The chain rule by brute force, at any weights, for a sample trained on or not."""
    rng = np.random.default_rng(seed)
    x, value, side = rng.normal(size=(N, d)), rng.integers(layout.K, size=N), rng.choice([1, -1], N)
    delta_y = side[:, None] * layout.incidence[value]
    delta_W = rng.normal(size=(len(layout.tokens), d))
    pushes = expit(-beta * np.einsum("nt,td,nd->n", delta_y, delta_W, x))
    velocity = beta / N * (pushes[:, None] * delta_y).T @ x  # tau dW/dt = -grad L
    new = Sample(rng.normal(size=(3, d)), rng.integers(layout.K, size=3), rng.choice([1, -1], 3))
    for rows in (Sample(x, value, side), new):
        direct = beta * np.einsum("nt,td,nd->n", rows.side[:, None] * layout.incidence[rows.value], velocity, rows.x)
        lemma = beta**2 / N * pull(Sample(x, value, side), layout, pushes, test=rows)
        np.testing.assert_allclose(lemma, direct, rtol=1e-9, atol=1e-12 * beta**2 * d)  # sums of N d float64 products


@search("B.1", region=regions())
def test_lemma_b_1_its_six_cases(region):
    """Where both parts of every product stray by at most epsilon v, each of the six statements holds."""
    mixture, sample = on_event(region)
    noise_square = mixture.d * mixture.v**2
    parts = noise_parts(sample, mixture.means, noise_square)
    related = mixture.layout.gram[np.ix_(sample.value, sample.value)] != 0
    allowed = max(float(np.abs(part[related]).max()) for part in parts) + 1e-12
    rows = deviations(sample, mixture.layout, means=mixture.means, noise_square=noise_square, allowed=allowed)
    assert all(row.holds for row in rows) and sum(row.pairs for row in rows) == len(sample) ** 2
    # And the table's centres themselves, written out as the lemma has them.
    C = 2 * mixture.layout.gram[np.ix_(sample.value, sample.value)] * np.outer(sample.side, sample.side)
    C = C * (sample.x @ sample.x.T)
    length, same = region.l_b**2, sample.value[:, None] == sample.value
    side = np.outer(sample.side, sample.side)
    centre = np.where(same, np.where(side > 0, 2 * (1 + length), 2 * (1 - length)),
                      side * 2 * mixture.layout.gram[np.ix_(sample.value, sample.value)] * length)
    centre = centre + 2 * noise_square * np.eye(len(sample))
    limit = np.where(same, 4 * allowed, 2 * allowed * related)
    assert (np.abs(C - centre) <= limit + 1e-9).all()


@search("B.1", l_b=st.floats(0, 0.5), epsilon=st.floats(0, 40))
def test_lemma_b_1_its_linear_tail(l_b, epsilon):
    """Exact Gaussian tails against 2 exp(-epsilon^2/16), for variances 2(1 + l_b^2) and 4(1 + l_b^2)."""
    for variance in (2 * (1 + l_b**2), 4 * (1 + l_b**2)):
        assert 2 * norm.sf(epsilon / np.sqrt(variance)) <= 2 * np.exp(-(epsilon**2) / 16)


@search("4a", d=st.integers(1, 2000), log_t=st.floats(-3, 3))
def test_lemma_4a_on_the_diagonal(d, log_t):
    """Exact tails of chi-squared against 2 exp(-min(t^2/d, t)/8)."""
    t = d * 10**log_t
    assert chi2.sf(d + t, d) + chi2.cdf(d - t, d) <= 2 * np.exp(-min(t * t / d, t) / 8)


@search("4a", d=st.integers(1, 60), log_t=st.floats(-1.5, 1))
def test_lemma_4a_off_the_diagonal(d, log_t):
    """sum g g' is half the difference of two independent chi-squareds; its tail by quadrature, c = 1/4."""
    t = d * 10**log_t
    # Nodes in the cumulative probability of the one: the integrand is bounded and smooth there.
    tail = float((NODES[1] / 2) @ chi2.sf(2 * t + chi2.ppf((NODES[0] + 1) / 2, d), d))
    assert 2 * tail <= 2 * np.exp(-min(t * t / d, t) / 4) * (1 + 1e-6)  # 1e-6: the quadrature, against quad


@search("B.2", region=regions(), scale=st.floats(0.01, 1))
def test_lemma_b_2(region, scale):
    """Any pushes whatever, not only those that training gives."""
    mixture, sample = on_event(region)
    pushes = scale * np.random.default_rng(region.seed + 1).uniform(size=len(sample)) ** 3
    Z, noise_square = mixture.layout.Z, mixture.d * mixture.v**2
    bracket = rate_bracket(sample, mixture.layout, pushes, l_b=region.l_b, noise_square=noise_square)
    off = np.abs(pull(sample, mixture.layout, pushes) - bracket).max()
    assert off <= rate_tolerance(region.Q, Z, pushes, allowed=1 / (16 * (Z + 2))) * (1 + 1e-9)


@search("4.2", "B.3", region=regions())
def test_theorem_4_2(region):
    mixture, sample = on_event(region)
    S = 0.4 * LOG3 * np.array([0.05, 0.3, 0.7, 1.0])
    margins, (lower, upper) = gradient_flow(sample, mixture.layout, S).margins, training_envelope(S)
    assert (margins >= lower[:, None] - ROUND).all() and (margins <= upper[:, None] + ROUND).all()


@search("T4.2'", region=regions())
def test_theorem_4_2_with_new_constants(region):
    mixture, sample = on_event(region)
    form = {"form": "improved", "Q": region.Q, "d": region.d, "v": mixture.v}
    end = 32 * LOG3 / (19 + 8 * region.d * mixture.v**2 / region.Q)
    S = end * np.array([0.05, 0.3, 0.7, 1 - 1e-12])
    margins, (lower, upper) = gradient_flow(sample, mixture.layout, S).margins, training_envelope(S, **form)
    assert (margins >= lower[:, None] - ROUND).all() and (margins <= upper[:, None] + ROUND).all()


@search("B.4", region=regions())
def test_theorem_b_4(region):
    """The exact risk of the trained layer, on the event with the added products |mu . alpha| <= epsilon v."""
    mixture, sample = on_event(region)
    assume(mixture.v > 0 and mixture.K * region.Q >= 2 * (1 + 2 * mixture.layout.Z))
    allowed = 1 / (16 * (mixture.layout.Z + 2))
    alpha = sample.x - mixture.means[sample.value, (1 - sample.side) // 2]
    assume(np.abs(mixture.means.reshape(-1, mixture.d) @ alpha.T).max() <= allowed)
    w = gradient_flow(sample, mixture.layout, [0.4 * LOG3]).w[-1]
    exponent = refined_exponent(region.Q, Z=mixture.layout.Z, l_b=region.l_b, d=region.d, v=mixture.v)
    assert log_exact_risk(w, mixture) <= np.log(2 * mixture.K * region.Q**2) - exponent


@search("4.3", Q=st.integers(40, 10**7), Z=st.integers(1, 4), shrink=st.floats(1e-3, 1), noise=st.floats(1e-3, 1),
        spread=st.floats(0, 1))
def test_theorem_4_3_follows_from_b_4(Q, Z, shrink, noise, spread):
    """Everywhere in the region of the main text the exponent of B.4 is at least Q/45."""
    l_b, d, v = 0.25 + spread * (1 / (2 * np.sqrt(Z)) - 0.25), max(1, int(shrink * 5 * Q)), noise / (32 * np.sqrt(Q))
    assert refined_exponent(Q, Z=Z, l_b=l_b, d=d, v=v) >= Q / 45


@search("4.3", layout=LAYOUTS, noise=st.floats(0.05, 1), shared=st.floats(0, 1), seed=SEEDS)
def test_theorem_4_3_on_drawn_data(layout, noise, shared, seed):
    Q = 40
    l_b = 0.25 + shared * (min(0.5, 1 / np.sqrt(4 * layout.Z)) - 0.25)
    mixture = ValueMixture(layout, 12, noise / (32 * np.sqrt(Q)), l_b)
    w = gradient_flow(mixture.sample(Q, np.random.default_rng(seed)), layout, [0.4 * LOG3]).w[-1]
    assert log_exact_risk(w, mixture) <= np.log(risk_bound(layout.K, Q)) - 100 * Q  # true with very much room


@search("C.2", K=st.integers(1, 6), extra=st.integers(1, 4), delta=st.floats(0, 1), seed=SEEDS)
def test_lemma_c_2(K, extra, delta, seed):
    """Any unit vectors that the definition admits, tilted at random, of either sign."""
    rng = np.random.default_rng(seed)
    basis = np.eye(K + 1, K + extra)
    sign, short = rng.choice([1, -1], K)[:, None], delta**2 / 8 * rng.uniform(size=(K, 1)) ** 0.2
    tilt = rng.normal(size=(K, K + extra)) * rng.choice([0.01, 1, 10], (1, K + extra))
    tilt -= (tilt * basis[1:]).sum(axis=1, keepdims=True) * basis[1:]
    tilt /= np.linalg.norm(tilt, axis=1, keepdims=True) if K + extra > 1 else 1
    c = sign * ((1 - short) * basis[1:] + np.sqrt(short * (2 - short)) * tilt)
    tiny = 1e-12  # rounding of a few products of numbers of size 1
    assert (np.linalg.norm(c - sign * basis[1:], axis=1) <= delta / 2 + tiny).all()
    assert (np.abs(c[:, 0]) <= delta / 2 + tiny).all()
    assert (np.abs(c @ c.T - np.diag(np.diag(c @ c.T))) <= delta + tiny).all()


@search("C.5", "C.3", "C.4", region=regions(), share=st.floats(0, 1))
def test_theorem_c_5(region, share):
    """Nearly orthogonal concepts, delta up to epsilon v / 8; the sharpened envelope lies inside the paper's."""
    allowed = 1 / (16 * (region.layout.Z + 2))
    mixture, sample = on_event(region, delta=share * allowed / 8)
    form = {"Q": region.Q, "d": region.d, "v": mixture.v}
    end = LOG3 / (39 / 64 + region.d * mixture.v**2 / (4 * region.Q))
    S = np.concatenate([0.4 * LOG3 * np.array([0.05, 0.5, 1.0]), [end * (1 - 1e-12)]])
    margins = gradient_flow(sample, mixture.layout, S).margins
    for name in ("paper C", "improved C"):
        lower, upper = training_envelope(S, form=name, **form)
        stated = ~np.isnan(lower)
        assert stated.sum() >= 3
        assert (margins[stated] >= lower[stated, None] - ROUND).all()
        assert (margins[stated] <= upper[stated, None] + ROUND).all()


@search("C.6", region=regions(), share=st.floats(0, 1))
def test_theorem_c_6(region, share):
    allowed = 1 / (16 * (region.layout.Z + 2))
    mixture, sample = on_event(region, delta=share * allowed / 8)
    assume(mixture.v > 0 and mixture.K * region.Q >= 2 * (1 + 2 * mixture.layout.Z))
    alpha = sample.x - mixture.means[sample.value, (1 - sample.side) // 2]
    assume(np.abs(mixture.means.reshape(-1, mixture.d) @ alpha.T).max() <= allowed)
    w = gradient_flow(sample, mixture.layout, [0.4 * LOG3]).w[-1]
    setting = {"Z": mixture.layout.Z, "l_b": region.l_b, "d": region.d, "v": mixture.v, "approximate": True}
    assert log_exact_risk(w, mixture) <= np.log(2 * mixture.K * region.Q**2) - refined_exponent(region.Q, **setting)
