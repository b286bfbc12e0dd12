"""Online DPO: the expected push against enumeration and automatic differentiation, its samples, its dynamics."""

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp
from scipy.special import expit, logit, softmax

from helpers.training.online import OnlinePrompts, expected_push, pair_pulls, sampled_push, train_online


def some_prompts(seed=0, N=6, d=4, A=5, m=3):
    rng = np.random.default_rng(seed)
    rewards = rng.integers(-1, 2, size=(N, m, A)).astype(float)  # ties among them
    return OnlinePrompts(rng.normal(size=(N, d)), rng.normal(size=(N, A)), rewards, rng.dirichlet(np.ones(m), size=N))


def surrogate(change, prompts, beta, label):
    """Mean over prompts of the expected loss, whose sampling probabilities are not differentiated, pair by pair."""
    x, start = torch.tensor(prompts.x), torch.tensor(prompts.logits)
    logits = start + x @ change.T
    log_ratio = torch.log_softmax(logits, 1) - torch.log_softmax(start, 1)
    pi, total = torch.softmax(logits, 1).detach(), 0.0
    for n in range(len(prompts)):
        for first in range(logits.shape[1]):
            for second in range(logits.shape[1]):
                rewards, weights = prompts.rewards[n], prompts.weights[n]
                if label == "sum":
                    rewards, weights = (weights @ rewards)[None], [1.0]
                for reward, weight in zip(rewards, weights, strict=True):
                    if reward[first] != reward[second]:
                        w, l = (first, second) if reward[first] > reward[second] else (second, first)  # noqa: E741
                        loss = -torch.nn.functional.logsigmoid(beta * (log_ratio[n, w] - log_ratio[n, l]))
                        total = total + pi[n, first] * pi[n, second] * weight * loss
    return total / len(prompts)


@pytest.mark.parametrize("label", ["sum", "each"])
def test_the_expected_push_is_the_gradient_of_the_surrogate(label):
    prompts, beta = some_prompts(), 0.7
    change = torch.tensor(np.random.default_rng(1).normal(size=(5, 4)), requires_grad=True)
    (gradient,) = torch.autograd.grad(surrogate(change, prompts, beta, label), change)
    logits = prompts.logits + prompts.x @ change.detach().numpy().T
    push = expected_push(logits, prompts, beta=beta, label=label)
    found = -push.T @ prompts.x / len(prompts)
    assert np.abs(found - gradient.numpy()).max() < 1e-14  # entries of order 0.1
    assert np.abs(push.sum(axis=1)).max() < 1e-15
    # Without the probabilities of the draw it is another gradient.
    pulls = pair_pulls(logits, prompts, beta=beta, label=label)
    without = -(2 * beta * pulls.sum(axis=2)).T @ prompts.x / len(prompts)
    assert np.abs(without - gradient.numpy()).max() > 0.1


@pytest.mark.parametrize("label", ["sum", "each"])
def test_drawn_pairs_push_as_expected_on_average(label):
    prompts, rng = some_prompts(2, N=3), np.random.default_rng(3)
    logits = prompts.logits + rng.normal(size=prompts.logits.shape)
    wanted = expected_push(logits, prompts, beta=0.7, label=label)
    draws = np.array([sampled_push(logits, prompts, beta=0.7, rng=rng, label=label) for _ in range(4000)])
    error = draws.std(axis=0) / np.sqrt(len(draws))
    # 15 numbers within five standard errors; half the expectation would be off by more.
    assert (np.abs(draws.mean(axis=0) - wanted) < 5 * error + 1e-12).all()
    assert (np.abs(draws.mean(axis=0) - wanted / 2) > 5 * error).any()


def test_the_two_readings_are_one_for_one_reward_and_ties_do_not_push():
    prompts = some_prompts(4, m=1)
    prompts = OnlinePrompts(prompts.x, prompts.logits, prompts.rewards, np.ones((6, 1)))
    logits = prompts.logits + 1.0 * np.arange(5)
    assert np.array_equal(*(pair_pulls(logits, prompts, beta=0.3, label=label) for label in ("sum", "each")))
    tied = OnlinePrompts(prompts.x, prompts.logits, np.ones((6, 1, 5)), np.ones((6, 1)))
    for label in ("sum", "each"):
        assert not expected_push(logits, tied, beta=0.3, label=label).any()


def two_answers(x, weights, logits=None):
    """Two rewards of opposite minds: the first likes answer 0, the second answer 1."""
    N = len(x)
    rewards = np.tile([[1.0, -1.0], [-1.0, 1.0]], (N, 1, 1))
    return OnlinePrompts(x, np.zeros((N, 2)) if logits is None else logits, rewards, weights)


def test_two_answers_slow_down_as_the_policy_makes_up_its_mind():
    """tau d nu/dt = 4 beta |g|^2 sigma(nu) sigma(-nu) sigma(-beta (nu - nu_0)), and 2 p q times the offline speed."""
    beta, lr, steps, start = 0.5, 0.02, 2000, 0.4
    x = np.array([[1.2, -0.7]])
    prompts = two_answers(x, np.array([[1.0, 0.0]]), np.array([[start, 0.0]]))
    run = train_online(prompts, beta=beta, lr=lr, steps=steps, every=200)
    nu = run.logits[:, 0, 0] - run.logits[:, 0, 1]
    g2 = (x**2).sum()
    flow = solve_ivp(lambda t, y: 4 * beta * g2 * expit(y) * expit(-y) * expit(-beta * (y - start)), (0, lr * steps),
                     [start], t_eval=lr * run.steps, rtol=1e-10, atol=1e-12)
    assert np.abs(nu - flow.y[0]).max() < 1e-2 < 0.01 * np.ptp(nu)  # first order in lr
    push = expected_push(run.logits[5], prompts, beta=beta)[0, 0]
    p, offline = expit(nu[5]), beta * expit(-beta * (nu[5] - start))
    assert push == pytest.approx(2 * p * (1 - p) * offline, rel=1e-12)


def test_one_label_a_reward_comes_to_rest_at_its_weights_and_one_label_in_all_does_not():
    share, beta = 0.7, 0.5
    prompts = two_answers(np.ones((1, 1)), np.array([[share, 1 - share]]))
    run = train_online(prompts, beta=beta, lr=2.0, steps=3000, label="each", every=3000)
    assert beta * np.diff(run.logits[-1, 0])[0] == pytest.approx(-logit(share), rel=1e-6)
    other = train_online(prompts, beta=beta, lr=2.0, steps=3000, label="sum", every=3000)
    assert -beta * np.diff(other.logits[-1, 0])[0] > 2 * logit(share)


def test_nothing_is_steered_where_embeddings_do_not_show_the_weights():
    weights = np.array([[0.9, 0.1], [0.1, 0.9]])
    blind, seeing = np.ones((2, 1)), np.array([[1.0, 0.8], [1.0, -0.8]])
    for label in ("sum", "each"):
        run = train_online(two_answers(blind, weights), beta=0.5, lr=1.0, steps=50, label=label)
        assert not run.logits.any()
        run = train_online(two_answers(seeing, weights), beta=0.5, lr=1.0, steps=50, label=label)
        first, second = softmax(run.logits[-1], axis=1)[:, 0]
        assert first > 0.6 > 0.4 > second


def test_draws_train_towards_the_mean_and_repeat():
    prompts, test = some_prompts(5), some_prompts(6, N=2)
    given = dict(beta=0.5, lr=0.05, steps=200, every=100, test=test)
    mean, drawn, again, other = (train_online(prompts, batch=batch, seed=seed, **given)
                                 for batch, seed in ((None, 0), (64, 1), (64, 1), (64, 2)))
    assert mean.steps.tolist() == [0, 100, 200] and mean.test_logits.shape == (3, 2, 5)
    moved = np.abs(mean.change).max()
    assert np.abs(drawn.change - mean.change).max() < 0.3 * moved  # 12,800 pairs
    assert np.array_equal(drawn.change, again.change) and not np.array_equal(drawn.change, other.change)
    assert np.allclose(mean.test_logits[-1], test.logits + test.x @ mean.change.T, rtol=0, atol=1e-14)


def test_bad_arguments_are_named():
    good = some_prompts()
    arrays = dict(x=good.x, logits=good.logits, rewards=good.rewards, weights=good.weights)
    fine = dict(beta=0.1, lr=0.1, steps=1)
    for call, said in (
        (lambda: OnlinePrompts(**arrays | dict(x=good.x[:2])), r"x must have shape \(6, 4\), got \(2, 4\)"),
        (lambda: OnlinePrompts(**arrays | dict(weights=-good.weights)), "weights must be at least 0"),
        (lambda: OnlinePrompts(**arrays | dict(rewards=good.rewards[0])), "rewards must be an array of dimension 3"),
        (lambda: OnlinePrompts(**arrays | dict(logits=good.logits * np.nan)), "logits must be finite"),
        (lambda: train_online(None, **fine), "prompts must be OnlinePrompts, got None"),
        (lambda: train_online(good, **fine, label="both"), "label must be a known name, got 'both'"),
        (lambda: train_online(good, **fine, batch=0), "batch must be a whole number of at least 1, got 0"),
        (lambda: train_online(good, **fine, test=some_prompts(A=4)), "test must have 5 answers and dimension 4, got 4"),
        (lambda: train_online(good, **fine | dict(beta=0)), "beta must be a finite number above 0"),
        (lambda: expected_push(good.logits[:2], good, beta=1), r"logits must have shape \(6, 5\), got \(2, 5\)"),
        (lambda: sampled_push(good.logits, good, beta=1, rng=3), "rng must be a numpy.random.Generator"),
    ):
        with pytest.raises(ValueError, match=f"^{said}"):
            call()
