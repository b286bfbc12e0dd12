"""The dynamics against autograd on the whole unembedding, a brute-force N x N system and closed forms."""

import os
import subprocess
import sys
from dataclasses import FrozenInstanceError
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from helpers.dynamics.flow import (
    Trajectory,
    dimensionless_time,
    discretization_bound,
    gradient_descent,
    gradient_flow,
    interaction_matrix,
    noise_free_margin,
    paper_horizon,
    push,
    scalar_discretization_bound,
    smoothness,
)
from helpers.layouts import TokenLayout, chain, disjoint, grid, shared, star
from helpers.mixture import Sample, ValueMixture

SWAPPED = TokenLayout((("a", "b"), ("b", "a"), ("c", "a")))
LAYOUTS = [disjoint(3), chain(4), star(3), grid(4), shared(3), SWAPPED]
NAMES = ["disjoint", "chain", "star", "grid", "shared", "swapped"]
LOG3 = np.log(3)


def draw(layout, *, Q=5, d=9, v=0.4, l_b=0.5, seed=0, balanced=False):
    """A sample and a test sample; unbalanced and shuffled unless told otherwise."""
    rng = np.random.default_rng(seed)
    mixture = ValueMixture(layout, d, v, l_b)
    counts = np.full((layout.K, 2), Q) if balanced else rng.integers(1, Q + 1, (layout.K, 2))
    sample, test = mixture.sample(counts, rng), mixture.sample(2, rng)
    order = rng.permutation(len(sample))
    return Sample(sample.x[order], sample.value[order], sample.side[order]), test


def tokens_of(sample, layout):
    """Rows of the preferred and of the rejected token of each sample."""
    pairs = layout.indices[sample.value]
    aligned = sample.side[:, None] > 0
    return np.where(aligned, pairs, pairs[:, ::-1]).T


def response_differences(sample, layout):
    preferred, rejected = tokens_of(sample, layout)
    return np.eye(len(layout.tokens))[preferred] - np.eye(len(layout.tokens))[rejected]


class FullModel:
    """DPO by definition: W of the whole vocabulary, softmax likelihoods, a reference model, autograd."""

    def __init__(self, sample, layout, *, beta, seed=3, extra=4):
        generator = torch.Generator().manual_seed(seed)
        shape = (len(layout.tokens) + extra, sample.x.shape[1])
        self.reference = torch.randn(shape, generator=generator, dtype=torch.float64)
        self.sample, self.layout, self.beta = sample, layout, beta

    def margins(self, W, sample):
        preferred, rejected = (torch.as_tensor(rows) for rows in tokens_of(sample, self.layout))
        x, rows = torch.as_tensor(sample.x), torch.arange(len(sample.x))
        now, before = (torch.log_softmax(x @ matrix.T, dim=1) for matrix in (W, self.reference))
        log_ratio = now - before
        return self.beta * (log_ratio[rows, preferred] - log_ratio[rows, rejected])

    def loss(self, W, loss="dpo"):
        r = self.margins(W, self.sample)
        f = {"dpo": torch.nn.functional.softplus(-r), "ipo": (1 - r) ** 2, "slic": torch.relu(1 - r)}
        return f[loss].mean()


def brute_force(sample, layout, times, loss="dpo"):
    """The N equations of Lemma 4.1 with the full matrix in dimensionless time, by an implicit method."""
    dy = response_differences(sample, layout)
    C = (dy @ dy.T) * (sample.x @ sample.x.T)
    rate = layout.K / (2 * len(sample.x)) * C
    rhs = {"dpo": lambda _, r: rate @ (1 / (1 + np.exp(r))), "ipo": lambda _, r: rate @ (2 - 2 * r)}[loss]
    options = {"method": "Radau", "rtol": 1e-10, "atol": 1e-12}
    return solve_ivp(rhs, (0, times[-1]), np.zeros(len(dy)), t_eval=times, **options).y.T


@pytest.mark.theorem("4.1")
@pytest.mark.parametrize("layout", LAYOUTS, ids=NAMES)
def test_interaction_matrix_is_its_definition(layout):
    sample, test = draw(layout)
    dy, dy_test = response_differences(sample, layout), response_differences(test, layout)
    C, C_test = interaction_matrix(sample, layout), interaction_matrix(sample, layout, test)
    assert C.shape == (len(sample), len(sample)) and C_test.shape == (len(test), len(sample))
    for rows, x, matrix in ((dy, sample.x, C), (dy_test, test.x, C_test)):
        for j in range(len(rows)):
            for k in range(len(dy)):
                # Two orders of summation of nine products.
                assert matrix[j, k] == pytest.approx((rows[j] @ dy[k]) * (x[j] @ sample.x[k]), abs=1e-13)
    assert np.linalg.eigvalsh(C).min() > -1e-12 * np.trace(C)  # positive semidefinite up to rounding


@pytest.mark.theorem("4.1")
@pytest.mark.parametrize("layout", LAYOUTS, ids=NAMES)
def test_the_flow_of_margins_is_the_flow_of_the_whole_unembedding(layout):
    sample, test = draw(layout, Q=3)
    beta, tau = 0.3, 0.7
    model = FullModel(sample, layout, beta=beta)
    S = np.array([0.0, 0.5, 3.0])
    t = S * layout.K * tau / (2 * beta**2)

    def velocity(_, flat):
        W = torch.tensor(flat.reshape(model.reference.shape), requires_grad=True)
        (gradient,) = torch.autograd.grad(model.loss(W), W)
        return -gradient.numpy().ravel() / tau

    options = {"method": "RK45", "rtol": 1e-9, "atol": 1e-11}
    solution = solve_ivp(velocity, (0, t[-1]), model.reference.numpy().ravel(), t_eval=t, **options).y.T
    flow = gradient_flow(sample, layout, S, test=test)
    u = np.zeros((layout.K, len(model.reference)))
    u[:, : len(layout.tokens)] = layout.incidence
    for n, flat in enumerate(solution):
        W = torch.tensor(flat.reshape(model.reference.shape))
        # The other integrator's error, divided by beta: 1e-9 relative on entries of W of size about 1.
        np.testing.assert_allclose(flow.margins[n], model.margins(W, sample).numpy(), rtol=0, atol=2e-7)
        np.testing.assert_allclose(flow.test_margins[n], model.margins(W, test).numpy(), rtol=0, atol=2e-7)
        np.testing.assert_allclose(flow.w[n], beta * u @ (W - model.reference).numpy(), rtol=0, atol=2e-7)


@pytest.mark.theorem("4.1")
@pytest.mark.parametrize("loss", ["dpo", "ipo"])
@pytest.mark.parametrize("layout", LAYOUTS, ids=NAMES)
def test_the_flow_solves_the_n_by_n_system(layout, loss):
    sample, _ = draw(layout, seed=2)
    times = np.array([0.0, 0.4, 2.0, 20.0])
    flow = gradient_flow(sample, layout, times, loss=loss)
    assert np.array_equal(flow.S, times)
    # Both integrators are asked for about 1e-9; errors add up over the interval.
    np.testing.assert_allclose(flow.margins, brute_force(sample, layout, times, loss), rtol=1e-7, atol=1e-8)


def test_ipo_is_linear_and_solved_by_one_eigendecomposition():
    sample, _ = draw(chain(4), seed=5)
    values, vectors = np.linalg.eigh(4 / (2 * len(sample)) * interaction_matrix(sample, chain(4)))
    for S in (0.1, 1.0, 7.0):
        exact = vectors @ (-np.expm1(-2 * S * values) * (vectors.T @ np.ones(len(sample))))
        flow = gradient_flow(sample, chain(4), S, loss="ipo")
        np.testing.assert_allclose(flow.margins[0], exact, rtol=0, atol=1e-8)  # the integrator's tolerance


def test_slic_goes_straight_until_a_margin_reaches_one():
    sample, test = draw(star(3), seed=1)
    rho = 3 / (2 * len(sample)) * interaction_matrix(sample, star(3)).sum(axis=1)
    first = 1 / rho.max()
    flow = gradient_flow(sample, star(3), [0.0, first / 3, first * 0.999, 40.0], loss="slic", test=test)
    # All samples push with 1 until the first margin reaches 1, so Euler steps are exact up to rounding.
    np.testing.assert_allclose(flow.margins[:3], np.outer(flow.S[:3], rho), rtol=0, atol=1e-11)
    # d = 9 against so few samples: all can be fitted. A step moves a margin by at most h max sum |C| K / 2N.
    step = 40 / 4096 * 3 / (2 * len(sample)) * np.abs(interaction_matrix(sample, star(3))).sum(axis=1).max()
    assert (flow.margins[-1] > 1 - step).mean() > 0.9
    assert flow.test_margins.shape == (4, len(test))


@pytest.mark.theorem("N1")
@pytest.mark.parametrize("loss", ["dpo", "ipo", "slic"])
@pytest.mark.parametrize("layout", [disjoint(3), chain(5), star(4), grid(6), shared(4)], ids=NAMES[:5])
def test_without_noise_all_margins_follow_the_closed_form(layout, loss):
    sample, test = draw(layout, Q=2, v=0.0, l_b=0.9, balanced=True)
    S = np.array([0.0, 0.4 * LOG3, 1.3, 2 + LOG3, 12.0])
    flow = gradient_flow(sample, layout, S, loss=loss, test=test)
    expected = np.repeat(noise_free_margin(S, loss)[:, None], len(sample), axis=1)
    # The integrator's error; SLiC overshoots 1 by less than one of its 4096 steps.
    error = 12 / 4096 if loss == "slic" else 1e-8
    np.testing.assert_allclose(flow.margins, expected, rtol=0, atol=error)
    np.testing.assert_allclose(flow.test_margins, expected[:, : len(test)], rtol=0, atol=error)


@pytest.mark.theorem("N1")
@settings(deadline=None)
@given(st.floats(0, 1e300, allow_subnormal=False))  # a subnormal number has too few digits
def test_the_closed_form_solves_its_equation(S):
    r = noise_free_margin(S)
    # In logs where e^r would overflow the relative precision: r = log(1 + S - r).
    left = r + np.expm1(r) if S < 1 else np.exp(r - np.log(1 + S - r)) * S
    assert left == pytest.approx(S, rel=1e-12, abs=0)  # a few roundings, times log S in the exponent
    assert 0 <= r <= S / 2


@pytest.mark.theorem("N1")
def test_the_closed_form_is_smooth_where_the_method_changes():
    around = 500 * (1 + np.array([-1e-9, 0, 1e-9]))
    r = noise_free_margin(around)
    np.testing.assert_allclose(np.diff(r), 5e-7 / (1 + np.exp(r[1])), rtol=1e-5)  # slope sigma(-r), rounding of r


@pytest.mark.theorem("N1")
def test_reference_numbers_of_the_closed_form():
    assert noise_free_margin(0.4 * LOG3) == pytest.approx(0.208104, abs=5e-7)
    assert 0.4 * LOG3 == pytest.approx(0.439445, abs=5e-7)
    assert noise_free_margin(2 + LOG3) == pytest.approx(LOG3, rel=1e-14)
    assert (2 + LOG3) / (0.4 * LOG3) == pytest.approx(7.0512, abs=5e-5)
    S = 1e-3
    assert noise_free_margin(S) == pytest.approx(S / 2 - S**2 / 16, abs=S**3)
    # Section 10: thresholds of flipping at tau_1.
    assert np.exp(noise_free_margin(0.4 * LOG3) / 0.1) == pytest.approx(8.0, abs=0.05)
    assert np.exp(noise_free_margin(0.4 * LOG3) / 0.01) == pytest.approx(1.1e9, rel=0.02)


def test_closed_forms_of_ipo_and_slic():
    S = np.array([0.0, 1e-12, 0.3, 1.0, 5.0])
    np.testing.assert_allclose(noise_free_margin(S, "ipo"), 1 - np.exp(-2 * S), rtol=0, atol=1e-15)
    assert noise_free_margin(1e-12, "ipo") == pytest.approx(2e-12, rel=1e-11)
    assert noise_free_margin(S, "slic").tolist() == [0.0, 1e-12, 0.3, 1.0, 1.0]


def test_closed_forms_keep_the_shape():
    for loss in ("dpo", "ipo", "slic"):
        assert noise_free_margin(np.full((2, 3), 0.7), loss).shape == (2, 3)
        assert np.ndim(noise_free_margin(0.7, loss)) == 0 and noise_free_margin(0, loss) == 0


def test_initial_slopes_and_pushes():
    assert [push(loss)(0.0) for loss in ("dpo", "ipo", "slic")] == [0.5, 2.0, 1.0]
    r = np.linspace(-3, 3, 13)
    np.testing.assert_allclose(push("dpo")(r), 1 / (1 + np.exp(r)), rtol=1e-14)
    assert push("slic")(np.array([0.999, 1.0, 1.001])).tolist() == [1, 0, 0]
    assert push("dpo")(1000.0) == 0.0 and push("dpo")(-1000.0) == 1.0


@pytest.mark.theorem("N9")
def test_times_of_gradient_descent():
    assert paper_horizon(10, 0.01, 1e-3) == pytest.approx(2.197e7, rel=2e-4)
    assert paper_horizon(10, 0.1, 0.1) == pytest.approx(2197.2, abs=0.05)
    assert dimensionless_time(paper_horizon(7, 0.3, 0.2), 0.3, 0.2, 7) == pytest.approx(0.4 * LOG3, rel=1e-14)
    np.testing.assert_allclose(dimensionless_time(np.array([0, 10]), 0.1, 0.5, 4), [0, 0.025], rtol=1e-15)


@pytest.mark.theorem("N9")
@pytest.mark.parametrize("loss", ["dpo", "ipo", "slic"])
@pytest.mark.parametrize("layout", LAYOUTS, ids=NAMES)
def test_gradient_descent_is_sgd_on_the_whole_unembedding(layout, loss):
    sample, test = draw(layout)
    beta, lr, steps = 0.4, 0.9, 12
    model = FullModel(sample, layout, beta=beta)
    W = model.reference.clone().requires_grad_(True)
    optimizer = torch.optim.SGD([W], lr=lr)
    run = gradient_descent(sample, layout, steps, beta=beta, lr=lr, loss=loss, test=test)
    assert run.margins.shape == (steps + 1, len(sample)) and run.w.shape == (steps + 1, layout.K, 9)
    np.testing.assert_allclose(run.S, dimensionless_time(np.arange(steps + 1), beta, lr, layout.K), rtol=1e-14)
    for n in range(steps + 1):
        # Rounding of log-likelihoods of size 10.
        for margins, seen in ((run.margins, sample), (run.test_margins, test)):
            expected = model.margins(W, seen).detach().numpy()
            np.testing.assert_allclose(margins[n], expected, rtol=0, atol=1e-12)
        optimizer.zero_grad()
        model.loss(W, loss).backward()
        optimizer.step()


def test_gradient_descent_tends_to_the_flow():
    sample, _ = draw(chain(4))
    flow = gradient_flow(sample, chain(4), 2.0).margins[0]
    errors = []
    for steps in (20, 40, 80):
        lr = 2.0 * 4 / (2 * 0.1**2 * steps)
        run = gradient_descent(sample, chain(4), steps, beta=0.1, lr=lr)
        errors.append(np.abs(run.margins[-1] - flow).max())
    # First order: the error halves with the step, up to terms of second order.
    assert errors[0] / errors[1] == pytest.approx(2, rel=0.1)
    assert errors[1] / errors[2] == pytest.approx(2, rel=0.1)


@pytest.mark.theorem("N9")
@settings(deadline=None)
@given(h=st.floats(1e-3, 4), steps=st.integers(1, 60))
def test_scalar_gradient_descent_runs_ahead_by_at_most_the_bound(h, steps):
    r = np.zeros(steps + 1)
    for n in range(steps):
        r[n + 1] = r[n] + h / (1 + np.exp(r[n]))
    S = h * np.arange(steps + 1)
    ahead = r - noise_free_margin(S)
    rounding = 1e-12  # of 60 steps
    assert (ahead >= -rounding).all() and (ahead <= scalar_discretization_bound(h, S) + rounding).all()


@pytest.mark.theorem("N9")
def test_scalar_errors_of_the_reference():
    for h, largest in ((0.05, 0.0037), (0.5, 0.048), (2, 0.23), (4, 0.69)):
        sample, _ = draw(disjoint(1), Q=1, v=0.0, d=2, balanced=True)
        run = gradient_descent(sample, disjoint(1), 40, beta=1.0, lr=h / 2)
        ahead = (run.margins[:, 0] - noise_free_margin(run.S)).max()
        assert ahead == pytest.approx(largest, rel=0.02)  # the reference gives two digits


@pytest.mark.parametrize("layout", LAYOUTS, ids=NAMES)
def test_smoothness_is_the_largest_curvature(layout):
    sample, _ = draw(layout)
    C, beta = interaction_matrix(sample, layout), 0.3
    exact = beta**2 / 4 * np.linalg.eigvalsh(C).max() / len(sample)
    assert smoothness(sample, layout, beta) == pytest.approx(exact, rel=1e-9)  # the iteration stops at 1e-10
    model = FullModel(sample, layout, beta=beta)
    hessian = torch.autograd.functional.hessian(model.loss, model.reference)
    size = model.reference.numel()
    assert torch.linalg.eigvalsh(hessian.reshape(size, size)).max().item() == pytest.approx(exact, rel=1e-9)


@settings(max_examples=60, deadline=None)
@given(
    layout=st.sampled_from(LAYOUTS),
    v=st.sampled_from([0.0, 1e-9, 1e-3, 0.3, 2.0]),
    l_b=st.sampled_from([0.0, 0.5, 5.0, 40.0]),
    seed=st.integers(0, 2**32 - 1),
)
def test_smoothness_of_data_of_low_rank_and_of_nearly_equal_eigenvalues(layout, v, l_b, seed):
    sample, _ = draw(layout, v=v, l_b=l_b, seed=seed, Q=3)
    exact = np.linalg.eigvalsh(interaction_matrix(sample, layout)).max() / 4 / len(sample)
    # Eigenvalues that differ by 1e-9, at the second smallest v, may be taken for each other.
    assert smoothness(sample, layout, 1.0) == pytest.approx(exact, rel=1e-8)


def test_smoothness_of_the_smallest_cases():
    one = Sample(np.array([[2.0]]), np.array([0]), np.array([-1]))
    assert smoothness(one, disjoint(1), 0.5) == pytest.approx(0.25 / 4 * 2 * 4, rel=1e-9)
    zero = Sample(np.zeros((2, 3)), np.array([0, 1]), np.array([1, 1]))
    assert smoothness(zero, disjoint(2), 0.5) == 0
    assert not discretization_bound(zero, disjoint(2), beta=0.5, lr=9.0, steps=4).any()


@pytest.mark.theorem("N9")
@settings(max_examples=30, deadline=None)
@given(
    layout=st.sampled_from(LAYOUTS),
    v=st.floats(0, 2),
    l_b=st.floats(0, 5),
    share=st.floats(0.05, 1),
    steps=st.integers(1, 40),
    seed=st.integers(0, 2**32 - 1),
)
def test_gradient_descent_stays_within_the_bound(layout, v, l_b, share, steps, seed):
    sample, test = draw(layout, v=v, l_b=l_b, seed=seed)
    beta = 0.2
    lr = share * 2 / smoothness(sample, layout, beta) * (1 - 1e-9)
    run = gradient_descent(sample, layout, steps, beta=beta, lr=lr, test=test)
    flow = gradient_flow(sample, layout, run.S[-1], test=test)
    numbers = {"beta": beta, "lr": lr, "steps": steps}
    slack = 1e-7  # the integrator's error
    bound = discretization_bound(sample, layout, **numbers)
    assert bound.shape == (len(sample),)
    assert (np.abs(run.margins[-1] - flow.margins[0]) <= bound + slack).all()
    bound = discretization_bound(sample, layout, **numbers, test=test)
    assert bound.shape == (len(test),)
    assert (np.abs(run.test_margins[-1] - flow.test_margins[0]) <= bound + slack).all()


@pytest.mark.theorem("N9")
def test_the_bound_is_its_formula():
    sample, _ = draw(star(3))
    beta, lr, steps, N = 0.3, 0.7, 11, len(sample)
    C = interaction_matrix(sample, star(3))
    L_s = beta**2 / 4 * np.linalg.eigvalsh(C).max() / N
    gradient = beta / (2 * N) * np.sqrt(C.sum())
    expected = np.sqrt(2) * beta * np.linalg.norm(sample.x, axis=1) * lr * (steps * lr) / 2 * L_s * gradient
    bound = discretization_bound(sample, star(3), beta=beta, lr=lr, steps=steps)
    np.testing.assert_allclose(bound, expected, rtol=1e-8)  # the eigenvalue's tolerance
    assert not discretization_bound(sample, star(3), beta=beta, lr=lr, steps=0).any()


def test_scale_and_stiffness_of_language_model_embeddings():
    """Squared lengths in the thousands, nearly all of it shared, in float32, against an implicit method."""
    sample, test = draw(shared(4), Q=8, d=48, v=1.4, l_b=42.0, seed=4)
    single = Sample(sample.x.astype(np.float32), sample.value, sample.side)
    assert (single.x**2).sum(axis=1).mean() > 1500
    times = np.array([0.005, 0.3])
    flow = gradient_flow(single, shared(4), times, test=test)
    exact = brute_force(Sample(single.x.astype(float), single.value, single.side), shared(4), times)
    np.testing.assert_allclose(flow.margins, exact, rtol=1e-6, atol=1e-6)  # both integrators, over a stiff time
    assert flow.margins.dtype == flow.test_margins.dtype == np.float64


MEMORY = """
import resource, numpy as np
from helpers.dynamics.flow import gradient_flow
from helpers.layouts import grid
from helpers.mixture import Sample
rng, N, d = np.random.default_rng(0), 100_000, 576
x = rng.random((N, d), dtype=np.float32)
x -= np.float32(0.5)
x *= np.float32(0.1 * 12**0.5)
value, side = rng.integers(0, 16, N), rng.choice([1, -1], N)
x[np.arange(N), value] += side
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
test = Sample(x[:1000], value[:1000], side[:1000])
flow = gradient_flow(Sample(x, value, side), grid(16), [0.01], test=test)
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(before, after, flow.margins.mean(), flow.margins.shape, flow.test_margins.shape)
"""


@pytest.mark.slow
def test_a_hundred_thousand_samples_fit_in_memory():
    run = subprocess.run(
        [sys.executable, "-c", MEMORY],
        capture_output=True, text=True, check=True, timeout=300, env=os.environ | {"OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    before, after, mean, *shapes = run.stdout.split(maxsplit=3)
    unit = 1024 if sys.platform != "darwin" else 1  # ru_maxrss is in kilobytes, on macOS in bytes
    # The one copy of x in float64 is 0.46 GB; C alone would be 80 GB.
    assert (int(after) - int(before)) * unit < 0.7e9
    assert shapes == ["(1, 100000) (1, 1000)\n"]
    # Memorization adds d v^2 / 2Q = 9e-4 relative to the closed form (N6), noise and imbalance about 1e-3.
    assert float(mean) == pytest.approx(noise_free_margin(0.01), rel=0.01)


def test_a_trajectory_is_frozen_and_the_sample_is_left_alone():
    sample, _ = draw(chain(4))
    before = sample.x.copy()
    flow = gradient_flow(sample, chain(4), 1.0)
    assert isinstance(flow, Trajectory) and flow.test_margins is None and flow.S.shape == (1,)
    with pytest.raises(FrozenInstanceError):
        flow.S = None
    assert np.array_equal(sample.x, before)
    assert not gradient_flow(sample, chain(4), 0.0).margins.any()
    assert not gradient_flow(sample, chain(4), 0.0, loss="slic").margins.any()
    assert gradient_descent(sample, chain(4), 0, beta=0.1, lr=1.0).margins.tolist() == [[0.0] * len(sample)]


def test_a_value_without_samples_learns_only_from_its_neighbours():
    sample, _ = draw(chain(3))
    first = sample.value == 0
    only = Sample(sample.x[first], sample.value[first], sample.side[first])
    w = gradient_flow(only, chain(3), 1.0).w[0]
    np.testing.assert_allclose(w[1], -w[0] / 2, rtol=1e-12)
    assert not w[2].any()


GOOD = {"x": np.ones((4, 3)), "value": np.array([0, 0, 1, 1]), "side": np.array([1, -1, 1, -1])}
BAD_SAMPLES = [
    ({"x": np.ones(4)}, r"\.x must have shape \(N, (d|3)\) with N at least 1, got \(4,\)"),
    ({"x": np.ones((0, 3))}, r"\.x must have shape .* got \(0, 3\)"),
    ({"x": np.array([[1.0, np.nan, np.inf]] * 4)}, r"\.x must be finite, got 8 entries that are not"),
    ({"value": np.array([0, 0, 1, 2])}, r"\.value must hold 4 numbers from 0 to 1, got \[0 0 1 2\]"),
    ({"value": np.array([0, 0, 1, 0.5])}, r"\.value must hold"),
    ({"value": np.array([0, 1])}, r"\.value must hold"),
    ({"side": np.array([1, 0, 1, 1])}, r"\.side must hold 4 numbers 1 or -1, got \[1 0 1 1\]"),
    ({"side": np.array([1])}, r"\.side must hold"),
]


@pytest.mark.parametrize(("change", "message"), BAD_SAMPLES)
def test_bad_samples_are_named(change, message):
    good, bad = SimpleNamespace(**GOOD), SimpleNamespace(**(GOOD | change))
    layout, numbers = disjoint(2), {"beta": 0.1, "lr": 0.1, "steps": 2}
    for call in (
        lambda: gradient_flow(bad, layout, 1.0),
        lambda: gradient_descent(bad, layout, 2, beta=0.1, lr=0.1),
        lambda: interaction_matrix(bad, layout),
        lambda: smoothness(bad, layout, 0.1),
        lambda: discretization_bound(bad, layout, **numbers),
    ):
        with pytest.raises(ValueError, match="^sample" + message):
            call()
    for call in (
        lambda: gradient_flow(good, layout, 1.0, test=bad),
        lambda: gradient_descent(good, layout, 2, beta=0.1, lr=0.1, test=bad),
        lambda: discretization_bound(good, layout, **numbers, test=bad),
    ):
        with pytest.raises(ValueError, match="^test" + message):
            call()
    with pytest.raises(ValueError, match="^other" + message):
        interaction_matrix(good, layout, bad)


def test_a_test_sample_of_another_dimension_is_named():
    good, wide = SimpleNamespace(**GOOD), SimpleNamespace(**(GOOD | {"x": np.ones((4, 5))}))
    with pytest.raises(ValueError, match=r"^test.x must have shape \(N, 3\) with N at least 1, got \(4, 5\)$"):
        gradient_flow(good, disjoint(2), 1.0, test=wide)


SAMPLE = SimpleNamespace(**GOOD)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: noise_free_margin(-0.1), "^S must be finite and at least 0, got -0.1$"),
        (lambda: noise_free_margin(np.array([1.0, np.nan])), "^S must be finite"),
        (lambda: noise_free_margin(np.inf), "^S must be finite"),
        (lambda: noise_free_margin(1.0, "dop"), "^loss must .* did you mean 'dpo'"),
        (
            lambda: push("sigmoid"),
            "^loss must be a known name, got 'sigmoid'; allowed are 'dpo', 'ipo', 'slic'$",
        ),
        (
            lambda: gradient_flow(SAMPLE, disjoint(2), [1.0, 0.5]),
            "^S must be one number or an increasing list",
        ),
        (
            lambda: gradient_flow(SAMPLE, disjoint(2), [1.0, 1.0]),
            "^S must be one number or an increasing list",
        ),
        (lambda: gradient_flow(SAMPLE, disjoint(2), []), "^S must be one number or an increasing list"),
        (lambda: gradient_flow(SAMPLE, disjoint(2), [[1.0]]), "^S must be one number or an increasing list"),
        (lambda: gradient_flow(SAMPLE, disjoint(2), -1.0), "^S must be finite and at least 0, got -1.0$"),
        (lambda: gradient_flow(SAMPLE, disjoint(2), 1.0, loss="hinge"), "^loss must"),
        (lambda: gradient_descent(SAMPLE, disjoint(2), -1, beta=0.1, lr=0.1), "^steps must .* got -1$"),
        (lambda: gradient_descent(SAMPLE, disjoint(2), 2.5, beta=0.1, lr=0.1), "^steps must .* got 2.5$"),
        (lambda: gradient_descent(SAMPLE, disjoint(2), 2, beta=0, lr=0.1), "^beta must .* above 0, got 0$"),
        (lambda: gradient_descent(SAMPLE, disjoint(2), 2, beta=0.1, lr=-1.0), "^lr must .* got -1.0$"),
        (lambda: gradient_descent(SAMPLE, disjoint(2), 2, beta=0.1, lr=0.1, loss="x"), "^loss must"),
        (lambda: dimensionless_time(-1, 0.1, 0.1, 2), "^steps must be finite and at least 0, got -1$"),
        (lambda: dimensionless_time(1, -0.1, 0.1, 2), "^beta must"),
        (lambda: dimensionless_time(1, 0.1, 0, 2), "^lr must"),
        (lambda: dimensionless_time(1, 0.1, 0.1, 0), "^K must be a whole number of at least 1, got 0$"),
        (lambda: paper_horizon(0, 0.1, 0.1), "^K must"),
        (lambda: paper_horizon(1, 0.0, 0.1), "^beta must"),
        (lambda: paper_horizon(1, 0.1, np.nan), "^lr must"),
        (lambda: smoothness(SAMPLE, disjoint(2), 0.0), "^beta must"),
        (lambda: scalar_discretization_bound(4.5, 1.0), "^h must be above 0 and at most 4.* got 4.5$"),
        (lambda: scalar_discretization_bound(0.0, 1.0), "^h must be a finite number above 0, got 0.0$"),
        (lambda: scalar_discretization_bound(1.0, -1.0), "^S must be finite and at least 0, got -1.0$"),
        (lambda: discretization_bound(SAMPLE, disjoint(2), beta=0, lr=0.1, steps=1), "^beta must"),
        (lambda: discretization_bound(SAMPLE, disjoint(2), beta=0.1, lr=0, steps=1), "^lr must be a finite"),
        (lambda: discretization_bound(SAMPLE, disjoint(2), beta=0.1, lr=0.1, steps=-1), "^steps must"),
        # C has blocks of 6 and -6: lambda_max / N = 12 / 4, L_s = 0.0075.
        (
            lambda: discretization_bound(SAMPLE, disjoint(2), beta=0.1, lr=267.0, steps=1),
            r"^lr must be above 0 and at most 2 / L_s = 266\.667 for these data, got 267\.0$",
        ),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("bad", [None, 3, "x", np.ones((4, 3))])
def test_samples_and_layouts_that_are_none_are_named(bad):
    for call in (lambda s, y: gradient_flow(s, y, 1.0), interaction_matrix, lambda s, y: smoothness(s, y, 0.1)):
        with pytest.raises(ValueError, match="^sample must be a sample, as .* got "):
            call(bad, disjoint(2))
        with pytest.raises(ValueError, match="^layout must be a TokenLayout, got "):
            call(SAMPLE, bad)


@pytest.mark.parametrize("bad", ["5", True, None, {}, [1.0, "2"]])
def test_times_that_are_no_numbers_are_named(bad):
    for name, call in (("S", noise_free_margin), ("steps", lambda steps: dimensionless_time(steps, 0.1, 0.1, 2))):
        with pytest.raises(ValueError, match=f"^{name} must hold numbers, got "):
            call(bad)


def test_a_long_bad_array_is_shown_on_one_line():
    many = SimpleNamespace(x=np.ones((99, 3)), value=np.full(99, 7), side=np.ones(99))
    with pytest.raises(ValueError, match=r"^sample.value must hold 99 .*, got an array of shape \(99,\)$"):
        gradient_flow(many, disjoint(2), 1.0)
