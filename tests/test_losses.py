"""Losses against automatic differentiation of their printed formulas, and against their definitions."""

from itertools import permutations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from helpers.dynamics.flow import push
from helpers.losses import DPO, IPO, LOSSES, BetaDPO, DPOPositive, Seen, SLiC, WeightedDPO, get_loss, margin_loss

PLAIN = [DPO(), IPO(), SLiC()]
TORCH = {
    "dpo": lambda r: -torch.nn.functional.logsigmoid(r),
    "ipo": lambda r: (r - 1) ** 2,
    "slic": lambda r: torch.relu(1 - r),
}


@pytest.mark.parametrize("loss", PLAIN, ids=lambda loss: loss.name)
def test_value_and_slope_agree_with_autograd(loss):
    r = np.concatenate([np.linspace(-40, 40, 4001), [-700.0, 700.0]])
    r = r[r != 1.0]  # SLiC has no slope there
    tensor = torch.tensor(r, requires_grad=True)
    value = TORCH[loss.name](tensor)
    (slope,) = torch.autograd.grad(value.sum(), tensor)
    # Two float64 formulas of the same function: a few units in the last place.
    np.testing.assert_allclose(loss.value(r), value.detach().numpy(), rtol=1e-14, atol=1e-300)
    np.testing.assert_allclose(loss.slope(r), slope.numpy(), rtol=1e-14, atol=1e-300)
    assert np.array_equal(loss.slope(r), -push(loss.name)(r))
    # What DPO-Positive needs besides is ignored, and its slope is 0.
    assert np.array_equal(loss.value(r, r), loss.value(r)) and not loss.chosen_slope(r, r).any()
    assert loss.on_batch(r, beta=0.1) == (loss, None)


@pytest.mark.parametrize("loss", PLAIN, ids=lambda loss: loss.name)
@given(a=st.floats(-50, 50), b=st.floats(-50, 50))
def test_losses_are_convex(loss, a, b):
    middle, ends = loss.value(np.array((a + b) / 2)), loss.value(np.array([a, b])).mean()
    assert middle <= ends * (1 + 1e-14) + 1e-14  # rounding


def test_the_start_and_the_far_ends():
    assert DPO().value(0.0) == np.log(2) and DPO().slope(0.0) == -0.5
    assert DPO().value(-1e4) == 1e4 and DPO().value(1e4) == 0.0 and DPO().slope(-1e4) == -1.0
    assert IPO().value(0.0) == 1.0 and IPO().slope(0.0) == -2.0 and IPO().slope(1.0) == 0.0
    assert SLiC().value(0.0) == 1.0 and SLiC().slope(0.0) == -1.0 and SLiC().slope(1.0) == 0.0


def test_dpo_losses_of_r_and_of_minus_r_differ_by_r():
    r = np.linspace(-30, 30, 101)
    np.testing.assert_allclose(DPO().value(-r) - DPO().value(r), r, rtol=0, atol=1e-13)  # 30 in float64


def test_lists_and_whole_numbers_are_fine():
    for loss in PLAIN:
        assert loss.value([0, 1]).shape == loss.slope([0, 1]).shape == (2,)


def test_get_loss_by_name():
    kinds = {"dpo": DPO, "ipo": IPO, "slic": SLiC, "dpop": DPOPositive, "beta-dpo": BetaDPO}
    assert kinds == LOSSES and all(type(get_loss(name)) is kind for name, kind in kinds.items())
    assert get_loss("dpo") == DPO() and get_loss("dpo") != IPO()
    with pytest.raises(ValueError, match="^loss must be a known name, got 'dpoo'; did you mean 'dpo'"):
        get_loss("dpoo")


def test_what_margins_alone_cannot_decide_is_refused():
    assert [margin_loss(name).name for name in ("dpo", "ipo", "slic")] == ["dpo", "ipo", "slic"]
    for call in (
        lambda: margin_loss("dpop"), lambda: get_loss("dpop").value(np.zeros(3)),
        lambda: get_loss("dpop").slope(np.zeros(3)), lambda: get_loss("dpop").chosen_slope(np.zeros(3)),
    ):
        with pytest.raises(ValueError, match="'dpop',? (which )?needs the reward of every chosen answer"):
            call()
    for call in (
        lambda: margin_loss("beta-dpo"), lambda: get_loss("beta-dpo").value(np.zeros(3)),
        lambda: get_loss("beta-dpo").slope(np.zeros(3)), lambda: push("beta-dpo"),
    ):
        with pytest.raises(ValueError, match="'beta-dpo',? (which )?needs to see every batch anew"):
            call()


# DPO-Positive


def model(seed, N=12, V=7, d=5):
    """Fixed states, chosen and rejected tokens, a reference and a matrix beyond it: one-token answers."""
    rng = np.random.default_rng(seed)
    g, W_0 = rng.standard_normal((N, d)), rng.standard_normal((V, d))
    W = W_0 + 0.3 * rng.standard_normal((V, d))
    answers = np.array([rng.permutation(V)[:2] for _ in range(N)])
    return torch.tensor(g), torch.tensor(W_0), torch.tensor(W, requires_grad=True), answers


def log_ratios(g, W_0, W, answers):
    """log pi/pi_ref of the chosen and of the rejected answers."""
    change = torch.log_softmax(g @ W.T, 1) - torch.log_softmax(g @ W_0.T, 1)
    rows = torch.arange(len(g))
    return change[rows, answers[:, 0]], change[rows, answers[:, 1]]


@pytest.mark.parametrize("strength", [0.0, 5.0, 50.0])
def test_dpo_positive_is_the_printed_formula_on_a_model(strength):
    beta, loss = 0.3, DPOPositive(strength)
    g, W_0, W, answers = model(0)
    chosen, rejected = log_ratios(g, W_0, W, answers)
    printed = -torch.nn.functional.logsigmoid(beta * ((chosen - rejected) - strength * torch.relu(-chosen)))
    (wanted,) = torch.autograd.grad(printed.mean(), W, retain_graph=True)
    r, reward = (beta * (chosen - rejected)), beta * chosen
    numbers = r.detach().numpy(), reward.detach().numpy()
    np.testing.assert_allclose(loss.value(*numbers), printed.detach().numpy(), rtol=1e-13)  # one formula, twice
    # The gradient in W from the two slopes alone, by the chain rule.
    slopes = [torch.tensor(slope(*numbers) / len(g)) for slope in (loss.slope, loss.chosen_slope)]
    (found,) = torch.autograd.grad([r, reward], W, slopes)
    np.testing.assert_allclose(found.numpy(), wanted.numpy(), rtol=0, atol=1e-14)  # entries of order 0.1
    assert strength == 0 or 0 < (numbers[1] < 0).sum() < len(g)  # both branches are in play


def test_dpo_positive_without_strength_is_dpo_and_continuous_where_the_penalty_begins():
    r, reward = np.linspace(-3, 3, 13), np.linspace(-2, 2, 13)
    assert np.array_equal(DPOPositive(0.0).value(r, reward), DPO().value(r))
    assert np.array_equal(DPOPositive(0.0).slope(r, reward), DPO().slope(r))
    loss = DPOPositive(7.0)
    assert np.array_equal(loss.value(r, np.zeros(13)), DPO().value(r)) and not loss.chosen_slope(r, np.zeros(13)).any()
    # Just below, the value moves by strength times the step at most.
    assert np.abs(loss.value(r, np.full(13, -1e-9)) - DPO().value(r)).max() <= 7e-9
    assert loss.chosen_slope(r, np.full(13, -1e-9)) == pytest.approx(7 * DPO().slope(r))


def test_the_penalty_outside_of_beta_has_strength_over_beta():
    beta, strength, rng = 0.2, 30.0, np.random.default_rng(1)
    gap, ratio = rng.standard_normal(50), rng.standard_normal(50)
    outside = -np.log(1 / (1 + np.exp(-(beta * gap - strength * np.maximum(0, -ratio)))))
    np.testing.assert_allclose(DPOPositive(strength / beta).value(beta * gap, beta * ratio), outside, rtol=1e-12)


# beta-DPO


def printed_beta_dpo(gaps, kept, mean, *, beta, alpha, least=1e-3, detach=True):
    """Mean of -log sigma(beta_t gap) over the pairs kept, as the released trainer writes it."""
    beta_t = torch.clamp(beta * (1 + alpha * (gaps[kept].mean() - mean)), min=least)
    return -torch.nn.functional.logsigmoid((beta_t.detach() if detach else beta_t) * gaps[kept]).mean()


@pytest.mark.parametrize("alpha", [0.6, -0.0, 40.0])
def test_beta_dpo_is_the_printed_formula_with_no_gradient_through_beta(alpha):
    beta, rng = 0.1, np.random.default_rng(2)
    gaps = torch.tensor(rng.standard_normal(16) + 0.5, requires_grad=True)
    r, before = beta * gaps.detach().numpy(), Seen(0.2, 0.7)
    loss, now = BetaDPO(alpha=alpha, keep=0.8).on_batch(r, beta=beta, seen=before, rng=np.random.default_rng(3))
    mean = 0.9 * 0.2 + 0.1 * r.mean() / beta
    assert now.mean == pytest.approx(mean) and now.spread == pytest.approx(0.63 + 0.1 * r.std(ddof=1) / beta)
    kept = np.flatnonzero(loss.weight)
    value = printed_beta_dpo(gaps, kept, mean, beta=beta, alpha=alpha)
    assert loss.value(r).mean() == pytest.approx(value.item(), rel=1e-12)
    (wanted,) = torch.autograd.grad(value, gaps)
    np.testing.assert_allclose(beta * loss.slope(r) / 16, wanted.numpy(), rtol=1e-12, atol=1e-300)
    if alpha:
        bent = torch.autograd.grad(printed_beta_dpo(gaps, kept, mean, beta=beta, alpha=alpha, detach=False), gaps)[0]
        assert (bent - wanted).abs().max() > 0.01 * wanted.abs().max()  # the stop-gradient matters


def test_beta_dpo_that_keeps_all_and_follows_nothing_is_dpo_bit_for_bit():
    r = 0.1 * np.random.default_rng(4).standard_normal(20)
    loss, _ = BetaDPO(alpha=0.0, keep=1.0).on_batch(r, beta=0.1)
    assert np.array_equal(loss.value(r), DPO().value(r)) and np.array_equal(loss.slope(r), DPO().slope(r))


KEPT = [(10, 0.8, 8), (10, 0.7, 7), (9, 0.5, 4), (3, 0.1, 1), (64, 0.8, 51)]


@pytest.mark.parametrize(("size", "keep", "count"), KEPT)
def test_the_number_of_pairs_kept(size, keep, count):
    r = np.random.default_rng(5).standard_normal(size)
    loss, _ = BetaDPO(keep=keep).on_batch(r, beta=0.1, rng=np.random.default_rng(6))
    assert (loss.weight > 0).sum() == count and loss.weight.sum() == pytest.approx(size)  # a mean over those kept


def test_pairs_are_kept_as_drawn_without_replacement():
    gaps, keep, seen = np.array([0.0, 0.3, 1.0, 2.2]), 0.5, Seen(0.4, 0.9)
    rule = BetaDPO(keep=keep, momentum=1.0)  # the averages stay what they are
    weight = np.exp(-(((gaps - 0.4) / 0.9) ** 2) / 2)
    exact = np.zeros(4)
    for first, second in permutations(range(4), 2):
        exact[[first, second]] += weight[first] / weight.sum() * weight[second] / (weight.sum() - weight[first])
    rng, draws = np.random.default_rng(7), 20_000
    found = sum(rule.on_batch(gaps, beta=1.0, seen=seen, rng=rng)[0].weight > 0 for _ in range(draws)) / draws
    assert exact.sum() == pytest.approx(2) and np.ptp(exact) > 0.3
    assert np.abs(found - exact).max() < 4 * np.sqrt(0.25 / draws)  # four standard errors


def test_the_first_batch_and_the_least_beta():
    first, seen = BetaDPO(keep=0.5).on_batch(np.zeros(8), beta=0.1, rng=np.random.default_rng(8))
    assert seen == Seen(0.0, 0.0) and first.scale == 1 and (first.weight > 0).sum() == 4  # all weights equal at s = 0
    low, _ = BetaDPO(keep=1.0, alpha=100.0, momentum=1.0).on_batch(np.full(4, -1.0), beta=0.1)
    assert low.scale * 0.1 == pytest.approx(1e-3, rel=1e-15)
    # One unusual pair beyond all bounds is dropped, not an error.
    far, _ = BetaDPO(keep=0.75, momentum=1.0).on_batch(
        np.array([0.0, 0.0, 0.0, 1e10]), beta=1.0, seen=Seen(0.0, 1e-300), rng=np.random.default_rng(9))
    assert far.weight[3] == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: DPOPositive(-1.0), "strength must lie between 0 and 1e\\+09, got -1.0"),
        (lambda: DPOPositive().value(np.zeros(3), np.zeros(2)), r"chosen must have one reward .* \(3,\), got \(2,\)"),
        (lambda: DPOPositive().value("a", np.zeros(2)), "r must hold numbers, got 'a'"),
        (lambda: BetaDPO(alpha=-1), "alpha must lie between 0 and"),
        (lambda: BetaDPO(keep=0), "keep must lie above 0 and at most 1, got 0"),
        (lambda: BetaDPO(momentum=2), "momentum must lie between 0 and 1, got 2"),
        (lambda: BetaDPO(least=0), "least must be a finite number above 0, got 0"),
        (lambda: BetaDPO().on_batch(np.zeros(4), beta=0.1), "rng must be a numpy.random.Generator for keep below 1"),
        (lambda: BetaDPO().on_batch(np.zeros((2, 2)), beta=0.1), "r must be a list of margins"),
        (lambda: BetaDPO().on_batch([np.nan], beta=0.1), "r must be finite, got"),
        (lambda: BetaDPO().on_batch([], beta=0.1), "r must be a list of margins"),
        (lambda: BetaDPO().on_batch([1.0], beta=1, seen=0.3), "seen must be None or what on_batch gave"),
        (lambda: BetaDPO().on_batch([0.0], beta=0), "beta must be a finite number above 0, got 0"),
        (lambda: WeightedDPO(1.0, np.ones(3)).value(np.zeros(2)), "r must be the batch of 3 margins, got shape"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        call()
