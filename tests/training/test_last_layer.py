"""train_last_layer against a dense V x d head trained by PyTorch, and against the dynamics of Lemma 4.1."""

import time
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.dynamics.flow import gradient_descent, gradient_flow
from helpers.layouts import chain, disjoint, grid, shared, star
from helpers.training.last_layer import train_last_layer

MAKERS = {"disjoint": disjoint, "chain": chain, "star": star, "grid": grid, "shared": shared}


def some_data(layout, N, d, seed=0, dtype=np.float64):
    rng = np.random.default_rng(seed)
    value, side = rng.integers(layout.K, size=N), rng.choice([-1, 1], size=N)
    x = (rng.normal(size=(N, d)) + side[:, None] * np.eye(layout.K, d)[value]).astype(dtype)
    return x, SimpleNamespace(value=value, side=side, layout=layout)


def dense_head(x, data, *, V, beta, lr, steps, optimizer, loss):
    """The published way: a full unembedding matrix, log-softmax over all tokens, PyTorch's optimizer."""
    x = torch.from_numpy(x)
    reference = torch.randn(V, x.shape[1], dtype=x.dtype, generator=torch.Generator().manual_seed(1))
    head = reference.clone().requires_grad_()
    a, b = torch.from_numpy(data.layout.indices[data.value].T.copy())
    up = torch.from_numpy(data.side) > 0
    chosen, rejected = torch.where(up, a, b), torch.where(up, b, a)
    rows = torch.arange(len(x))
    update = {"gd": torch.optim.SGD, "adam": torch.optim.Adam}[optimizer]([head], lr=lr)
    margins = []
    for step in range(steps + 1):
        gap = [torch.log_softmax(x @ w.T, 1) for w in (head, reference.detach())]
        gap = [p[rows, chosen] - p[rows, rejected] for p in gap]
        r = beta * (gap[0] - gap[1])
        margins.append(r.detach().numpy())
        value = {"dpo": torch.nn.functional.softplus(-r), "ipo": (r - 1) ** 2, "slic": torch.relu(1 - r)}[loss]
        if step < steps:
            update.zero_grad()
            value.mean().backward()
            update.step()
    return np.array(margins), (head - reference).detach().numpy()


@pytest.mark.parametrize("optimizer", ["gd", "adam"])
@pytest.mark.parametrize("loss", ["dpo", "ipo", "slic"])
@pytest.mark.parametrize("maker", MAKERS)
def test_equals_a_dense_head(maker, loss, optimizer):
    layout = MAKERS[maker](5)
    x, data = some_data(layout, 40, 7)
    options = dict(beta=0.7, lr=0.05 if optimizer == "gd" else 0.01, steps=25, optimizer=optimizer, loss=loss)
    run = train_last_layer(x, data, **options)
    margins, change = dense_head(x, data, V=len(layout.tokens) + 6, **options)
    # float64; Adam divides by |gradient| + 1e-8, which lifts rounding of 1e-16 to about 1e-9 in the softmax path.
    assert np.abs(run.margins - margins).max() < 1e-7
    pairs = layout.indices
    assert np.abs(run.w - options["beta"] * (change[pairs[:, 0]] - change[pairs[:, 1]])).max() < 1e-7
    if optimizer == "gd":  # the rows of no answer stay where they are
        assert np.abs(change[len(layout.tokens) :]).max() < 1e-15


@settings(deadline=None, max_examples=25)
@given(
    maker=st.sampled_from(sorted(MAKERS)),
    K=st.integers(1, 6),
    N=st.integers(1, 30),
    d=st.integers(1, 9),
    beta=st.floats(0.01, 2),
    lr=st.floats(1e-3, 0.5),
    loss=st.sampled_from(["dpo", "ipo", "slic"]),
    seed=st.integers(0, 99),
)
def test_gradient_descent_equals_the_dynamics(maker, K, N, d, beta, lr, loss, seed):
    layout = MAKERS[maker](K)
    x, data = some_data(layout, N, d, seed)
    y, held = some_data(layout, 5, d, seed + 100)
    sample = SimpleNamespace(x=x, value=data.value, side=data.side)
    test = SimpleNamespace(x=y, value=held.value, side=held.side)
    run = train_last_layer(x, data, beta=beta, lr=lr, steps=6, loss=loss, test=(y, held))
    wanted = gradient_descent(sample, layout, 6, beta=beta, lr=lr, loss=loss, test=test)
    # Two orders of the same float64 sums; unstable settings (large lr, IPO) grow, and their rounding with them.
    scale = 1e-9 * (1 + np.abs(wanted.margins).max() + np.abs(wanted.test_margins).max())
    if loss != "slic":  # at the hinge's corner, rounding may decide which side a sample is on
        assert np.abs(run.margins - wanted.margins).max() <= scale
        assert np.abs(run.test_margins - wanted.test_margins).max() <= scale
    assert np.abs(run.margins[1] - wanted.margins[1]).max() <= scale


@pytest.mark.theorem("N9")
def test_small_steps_follow_the_flow():
    layout = chain(3)
    x, data = some_data(layout, 60, 12)
    beta, horizon = 0.5, 1.0
    flow = gradient_flow(SimpleNamespace(x=x, value=data.value, side=data.side), layout, np.array([0, horizon]))
    errors = []
    for steps in (50, 100, 200):
        lr = horizon * layout.K / (2 * beta**2 * steps)  # n steps make S = 2 beta^2 lr n / K
        run = train_last_layer(x, data, beta=beta, lr=lr, steps=steps, every=steps)
        errors.append(np.abs(run.margins[-1] - flow.margins[-1]).max())
    # First order: halving the step halves the error, up to second-order terms.
    assert errors[0] < 0.05 and 1.8 < errors[0] / errors[1] < 2.2 and 1.8 < errors[1] / errors[2] < 2.2


def test_the_final_w_gives_the_margins_of_new_samples():
    layout = star(4)
    x, data = some_data(layout, 50, 6)
    y, held = some_data(layout, 20, 6, seed=1)
    run = train_last_layer(x, data, beta=0.3, lr=0.5, steps=30, optimizer="adam", test=(y, held), every=7)
    assert run.steps.tolist() == [0, 7, 14, 21, 28, 30] and run.test_accuracies[0] == 0
    direct = held.side * np.einsum("nd,nd->n", run.w[held.value], y)
    assert np.abs(direct - run.test_margins[-1]).max() < 1e-12  # float64 sums of six terms
    assert run.test_accuracies[-1] == np.mean(run.test_margins[-1] > 0) and run.accuracies[-1] > 0.6


@pytest.mark.parametrize("optimizer", ["gd", "adam"])
def test_starts_at_the_reference_and_keeps_precision(optimizer):
    x, data = some_data(shared(3), 30, 5, dtype=np.float32)
    run = train_last_layer(x, data, beta=0.1, lr=0.1, steps=10, optimizer=optimizer)
    assert abs(run.losses[0] - np.log(2)) < 1e-15  # a mean of equal float64 numbers
    assert not run.margins[0].any() and run.accuracies[0] == 0
    assert run.margins.dtype == np.float32
    exact = train_last_layer(x.astype(float), data, beta=0.1, lr=0.1, steps=10, optimizer=optimizer)
    assert exact.margins.dtype == np.float64
    assert np.abs(run.margins - exact.margins).max() < 1e-5  # float32 sums of margins of order 0.1
    assert np.all(np.diff(run.losses) < 0)


@pytest.mark.parametrize("optimizer", ["gd", "adam"])
def test_the_kept_w_give_the_margins_of_every_recorded_step(optimizer):
    x, data = some_data(chain(4), 30, 6)
    options = dict(beta=0.5, lr=0.05, steps=7, every=3, optimizer=optimizer)
    run = train_last_layer(x, data, keep_w=True, **options)
    assert run.w_by_step.shape == (len(run), 4, 6) and run.steps.tolist() == [0, 3, 6, 7]
    again = data.side * np.einsum("tnd,nd->tn", run.w_by_step[:, data.value], x)
    np.testing.assert_allclose(again, run.margins, atol=1e-12)  # float64
    np.testing.assert_array_equal(run.w_by_step[-1], run.w)
    assert train_last_layer(x, data, **options).w_by_step is None


def test_shared_answers_are_one_problem_whatever_their_order():
    # Value 1 answers with the same two tokens the other way round: aligned there is misaligned here.
    flipped = SimpleNamespace(**vars(some_data(shared(2), 40, 5)[1]))
    x, data = some_data(shared(2), 40, 5)
    layout = type(data.layout)(((0, 1), (1, 0)))
    flipped.layout, flipped.side = layout, np.where(data.value == 1, -data.side, data.side)
    a = train_last_layer(x, data, beta=0.5, lr=0.2, steps=20)
    b = train_last_layer(x, flipped, beta=0.5, lr=0.2, steps=20)
    assert np.array_equal(a.margins, b.margins) and np.array_equal(b.w[0], -b.w[1])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(beta=0), "beta must be a finite number above 0, got 0"),
        (dict(lr=-1.0), "lr must be"),
        (dict(steps=-1), "steps must be a whole number of at least 0, got -1"),
        (dict(every=0), "every must be"),
        (dict(optimizer="adm"), "optimizer must be a known name, got 'adm'; did you mean 'adam'"),
        (dict(loss="ipoo"), "loss must be a known name, got 'ipoo'; did you mean 'ipo'"),
        (dict(loss="dpop"), "head must be given, since loss 'dpop' needs the reward of every chosen answer"),
        (dict(batch=11), "batch must be at most 10, the number of pairs, got 11"),
        (dict(batch=0), "batch must be a whole number of at least 1, got 0"),
        (dict(seed=-1), "seed must be a whole number of at least 0, got -1"),
        (dict(head=3), "head must be a Head of last_layer_head, or None, got 3"),
    ],
)
def test_bad_settings_get_one_sentence(change, message):
    x, data = some_data(disjoint(2), 10, 4)
    with pytest.raises(ValueError, match=message):
        train_last_layer(x, data, **{**dict(beta=0.1, lr=0.1, steps=1), **change})


def test_a_run_that_diverges_says_so():
    x, data = some_data(disjoint(2), 10, 4)
    with pytest.raises(ValueError, match="lr must keep the margins finite, got 1000.0, which does not after"):
        train_last_layer(x, data, beta=1.0, lr=1e3, steps=400, loss="ipo")


def test_bad_embeddings_get_one_sentence():
    x, data = some_data(disjoint(2), 10, 4)
    hole = np.where(x == x[3, 2], np.nan, x)
    for bad, message in ((x[:9], r"embeddings must have shape \(10, d\)"), (x[0], "shape"), (hole, "finite, got 1 ")):
        with pytest.raises(ValueError, match=message):
            train_last_layer(bad, data, beta=0.1, lr=0.1, steps=1)
    for wrong in (2, -1):
        data.value[3] = wrong
        with pytest.raises(ValueError, match=f"the values of embeddings must lie between 0 and 1, got {wrong}$"):
            train_last_layer(x, data, beta=0.1, lr=0.1, steps=1)
    x, data = some_data(disjoint(2), 10, 4)
    data.side = data.side.astype(str)
    with pytest.raises(ValueError, match=r"sides of embeddings .* and <U\d+ of shape \(10,\)"):
        train_last_layer(x, data, beta=0.1, lr=0.1, steps=1)
    x, data = some_data(disjoint(2), 10, 4)
    with pytest.raises(ValueError, match=r"test embeddings must have shape \(10, 4\), .* got \(10, 3\)"):
        train_last_layer(x, data, beta=0.1, lr=0.1, steps=1, test=(x[:, :3], data))


def test_cost_grows_with_samples_not_with_vocabulary_or_pairs_of_samples():
    # 20,000 samples: an interaction matrix would take 1.6 GB in float32 and minutes; N d products take a second.
    x, data = some_data(disjoint(4), 20_000, 64, dtype=np.float32)
    start = time.process_time()
    train_last_layer(x, data, beta=0.1, lr=0.1, steps=20, every=20)
    assert time.process_time() - start < 20



def test_held_out_pairs_must_have_the_same_values():
    x, data = some_data(disjoint(2), 10, 4)
    data.names, other = ("honesty", "sport"), SimpleNamespace(**vars(data), names=("sport", "honesty"))
    with pytest.raises(ValueError, match=r"test must hold the values \('honesty', 'sport'\) in this order, got"):
        train_last_layer(x, data, beta=0.1, lr=0.1, steps=1, test=(x, other))


def test_what_is_no_data_is_named():
    x, data = some_data(disjoint(2), 10, 4)
    for change, said in (
        (dict(preferences=None), "preferences must be Preferences, got None"),
        (dict(embeddings=x.astype(str)), "embeddings must hold real numbers, got <U32"),
        (dict(embeddings=x.astype(complex)), "embeddings must hold real numbers, got complex128"),
        (dict(test=3), r"test must be None or a pair \(embeddings, preferences\), got 3"),
        (dict(test=(x, data, data)), "test must be None or a pair"),
        (dict(progress="bar"), "progress must be None or a function of the steps done and all steps, got 'bar'"),
        (dict(test=(data, x)), "the second of test must be Preferences, got an array of shape"),
    ):
        with pytest.raises(ValueError, match=f"^{said}"):
            train_last_layer(**dict(embeddings=x, preferences=data, beta=0.1, lr=0.1, steps=1) | change)
