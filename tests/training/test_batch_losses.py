"""Losses that see the chosen answer or their batch, on the last layer.

Against a dense head under PyTorch, which differentiates the printed formula; against the same flow in the space of
logits, without any weights; and against what the losses become in their limits.
"""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.special import expit, log_softmax, softmax
from torch.nn.functional import logsigmoid

from helpers.layouts import TokenLayout, chain, disjoint, shared, star
from helpers.llm.embedding import embed
from helpers.llm.loading import load_llm
from helpers.losses import DPO, BetaDPO, DPOPositive, Loss
from helpers.preferences.bank import load_values
from helpers.training.batches import in_batches
from helpers.training.full_softmax import FullSoftmax, Head, last_layer_head, rows_that_move
from helpers.training.last_layer import train_last_layer

V = 12


def some_data(layout, N, d, seed=0):
    rng = np.random.default_rng(seed)
    value, side = rng.integers(layout.K, size=N), rng.choice([-1, 1], size=N)
    x = rng.normal(size=(N, d)) + side[:, None] * np.eye(layout.K, d)[value]
    return x, SimpleNamespace(value=value, side=side, layout=layout)


def some_head(layout, d, seed=9, **more):
    """A head of V rows in which the answers stand in any order."""
    rng = np.random.default_rng(seed)
    rows = rng.permutation(V)[: len(layout.tokens)]
    answers = {token: int(row) for token, row in zip(layout.tokens, rows, strict=True)}
    return Head(rng.normal(size=(V, d)), answers, rng.normal(size=V), **more)


def answers_of(data, head):
    """Rows of the chosen and of the rejected answers."""
    pairs = [data.layout.pairs[i][::s] for i, s in zip(data.value, data.side, strict=True)]
    return np.array([[head.answers[token] for token in pair] for pair in pairs]).T


def printed(loss, beta, ratio_w, ratio_l, part, state):
    """The loss of a batch as its paper prints it, from log-ratios log pi/pi_ref of both answers."""
    gap = ratio_w - ratio_l
    if loss.name == "dpop":  # -log sigma(beta [Delta - lambda max(0, log pi_ref/pi)])
        return -logsigmoid(beta * (gap - loss.strength * torch.relu(-ratio_w))).mean()
    if loss.name == "beta-dpo":  # the released trainer, for the pairs that it keeps
        gaps = gap.detach()
        state["mean"] = loss.momentum * state["mean"] + (1 - loss.momentum) * gaps.mean()
        keep = torch.from_numpy(state["kept"][part])
        assert keep.sum() == max(1, int(loss.keep * len(part) + 1e-9))
        now = max(float(beta * (1 + loss.alpha * (gaps[keep].mean() - state["mean"]))), loss.least)
        state["betas"].append(now)
        return -logsigmoid(now * gap[keep]).mean()
    r = beta * gap
    return {"dpo": -logsigmoid(r), "ipo": (r - 1) ** 2, "slic": torch.relu(1 - r)}[loss.name].mean()


def dense_head(x, data, head, *, beta, lr, loss, optimizer, order, kept=None):
    """All V rows, log-softmax over all tokens, automatic differentiation: rewards (T, 2, N) and what beta-DPO did."""
    x, bias = torch.from_numpy(x), torch.from_numpy(head.bias)
    start = torch.from_numpy(np.asarray(head.W_0))
    W = start.clone().requires_grad_()
    answers = [torch.from_numpy(rows) for rows in answers_of(data, head)]
    update = {"gd": torch.optim.SGD, "adam": torch.optim.Adam}[optimizer]([W], lr=lr)
    state, rewards, everything = dict(mean=0.0, betas=[]), [], torch.arange(len(x))
    for step in range(len(order) + 1):
        change = torch.log_softmax(x @ W.T + bias, 1) - torch.log_softmax(x @ start.T + bias, 1)
        ratio_w, ratio_l = (change[everything, rows] for rows in answers)
        rewards.append(beta * torch.stack([ratio_w - ratio_l, ratio_w]).detach().numpy())
        if step < len(order):
            if kept is not None:
                state["kept"] = np.diff(kept, axis=0)[step] > 0
            update.zero_grad()
            part = order[step]
            printed(loss, beta, ratio_w[part], ratio_l[part], part, state).backward()
            update.step()
    return np.array(rewards), (W - start).detach().numpy(), state["betas"]


def largest_difference(found, wanted):
    return np.abs(found - wanted).max() / np.abs(wanted).max()


LOSSES = [DPO(), DPOPositive(0.0), DPOPositive(5.0), DPOPositive(), BetaDPO(), BetaDPO(alpha=3.0, keep=0.5)]


@pytest.mark.parametrize("batch", [None, 6])
@pytest.mark.parametrize("optimizer", ["gd", "adam"])
@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.label)
@pytest.mark.parametrize("layout", [disjoint(3), chain(4), star(4), shared(3)], ids=["own", "chain", "star", "shared"])
def test_equals_a_dense_head_that_is_differentiated(layout, loss, optimizer, batch):
    beta, steps, N = 0.7, 20, 30
    x, data = some_data(layout, N, 6)
    y, held = some_data(layout, 9, 6, seed=1)
    head = some_head(layout, 6)
    # A kink is no place to compare: lr is small enough that steps do not end near one by chance.
    lr = 0.01 if optimizer == "adam" else 0.3 / (1 + getattr(loss, "strength", 0))
    run = train_last_layer(x, data, beta=beta, lr=lr, steps=steps, optimizer=optimizer, loss=loss, head=head,
                           batch=batch, seed=3, test=(y, held))
    order = in_batches(N, batch, steps, 3) if batch else np.tile(np.arange(N), (steps, 1))
    rewards, change, betas = dense_head(x, data, head, beta=beta, lr=lr, loss=loss, optimizer=optimizer, order=order,
                                        kept=run.kept)
    # float64; Adam divides by |gradient| + 1e-8, which lifts rounding of 1e-16 to about 1e-9.
    tolerance = 1e-11 if optimizer == "gd" else 1e-6
    assert largest_difference(run.margins, rewards[:, 0]) < tolerance
    assert largest_difference(run.chosen, rewards[:, 1]) < tolerance
    if betas:
        assert largest_difference(run.batch_betas, betas) < tolerance
    pairs = np.array([[head.answers[t] for t in pair] for pair in layout.pairs])
    assert largest_difference(run.w, beta * (change[pairs[:, 0]] - change[pairs[:, 1]])) < tolerance
    # The held-out rewards, from the dense head's weights.
    logits = y @ (head.W_0 + change).T + head.bias, y @ head.W_0.T + head.bias
    ratios = log_softmax(logits[0], 1) - log_softmax(logits[1], 1)
    chosen, rejected = (beta * ratios[np.arange(9), rows] for rows in answers_of(held, head))
    assert np.abs(run.test_chosen[-1] - chosen).max() < tolerance
    assert np.abs(run.test_margins[-1] - (chosen - rejected)).max() < tolerance


def test_without_a_head_batches_train_the_same():
    x, data = some_data(chain(3), 10, 5)
    # 7 of 10: the end of one epoch and the start of the next, so that a batch may hold a pair twice.
    assert any(len(set(part)) < 7 for part in in_batches(10, 7, 15, 4).tolist())
    for loss in ("dpo", "ipo", "slic", BetaDPO()):
        given = dict(beta=0.5, lr=0.2, steps=15, loss=loss, batch=7, seed=4, every=5)
        alone, full = (train_last_layer(x, data, head=head, **given) for head in (None, some_head(chain(3), 5)))
        # Two orders of the same float64 sums.
        assert np.abs(alone.margins - full.margins).max() < 1e-13 and np.abs(alone.w - full.w).max() < 1e-13
        assert np.abs(alone.batch_losses - full.batch_losses).max() < 1e-13 and alone.chosen is None
        assert (alone.kept is None) == (loss in ("dpo", "ipo", "slic"))


# DPO-Positive


def in_logits(x, data, head, *, beta, lr, steps, strength, softmax_term=True):
    """The dynamics without weights: logits at the samples move by lr beta/N sum_i sigma(-u_i) c_i K_ij.

    c_i = a_i + strength m_i (e_w - pi_i) with m_i = 1 where the chosen answer has lost probability.
    """
    K, N = x @ x.T, len(x)
    w, l = answers_of(data, head)  # noqa: E741
    start = x @ head.W_0.T + head.bias
    logits, rows, found = start.copy(), np.arange(N), []
    for _ in range(steps + 1):
        ratios = log_softmax(logits, 1) - log_softmax(start, 1)
        gap, chosen = ratios[rows, w] - ratios[rows, l], ratios[rows, w]
        found.append(beta * np.stack([gap, chosen]))
        weight = expit(-beta * (gap - strength * np.maximum(0, -chosen)))
        c = np.zeros_like(logits)
        c[rows, w] += 1
        c[rows, l] -= 1
        lost = strength * (chosen < 0)
        c[rows, w] += lost
        if softmax_term:
            c -= lost[:, None] * softmax(logits, 1)
        logits = logits + lr * beta / N * K @ (weight[:, None] * c)
    return np.array(found)


def test_dpo_positive_follows_the_dynamics_of_the_logits():
    layout, beta, lr, strength = chain(4), 0.8, 0.05, 6.0
    x, data = some_data(layout, 40, 5, seed=2)
    head = some_head(layout, 5)
    run = train_last_layer(x, data, beta=beta, lr=lr, steps=30, loss=DPOPositive(strength), head=head)
    wanted = in_logits(x, data, head, beta=beta, lr=lr, steps=30, strength=strength)
    assert largest_difference(run.margins, wanted[:, 0]) < 1e-11  # rounding of float64 over 30 steps
    assert largest_difference(run.chosen, wanted[:, 1]) < 1e-11
    assert (run.chosen < 0).any()
    wrong = in_logits(x, data, head, beta=beta, lr=lr, steps=30, strength=strength, softmax_term=False)
    assert largest_difference(run.margins, wrong[:, 0]) > 1e-3  # the check can fail


def test_logits_move_against_each_other_alone():
    """The gradient over all tokens adds up to 0: softmax and answers alike are differences."""
    layout = star(3)
    x, data = some_data(layout, 15, 4)
    head, rng = some_head(layout, 4), np.random.default_rng(0)
    full = FullSoftmax(x, *answers_of(data, head), head, rows_that_move(head, np.array(list(head.answers.values())), x))
    change = rng.normal(size=full.shape)
    _, gradient = full.step(change, None, lambda found: rng.normal(size=found.shape))
    assert np.abs(gradient).max() > 0.1 and np.abs(gradient.sum(axis=0)).max() < 1e-12


def two_sides(N, d, spread, seed=0):
    """One pair of answers; both sides in clusters of opposite means."""
    rng = np.random.default_rng(seed)
    side = np.tile([1, -1], N // 2)
    x = side[:, None] * np.eye(1, d) + spread * rng.normal(size=(N, d))
    return x, SimpleNamespace(value=np.zeros(N, int), side=side, layout=shared(1))


def test_with_one_pair_of_answers_and_no_negative_margin_dpo_positive_is_dpo():
    x, data = two_sides(30, 8, 0.1)
    given = dict(beta=0.5, lr=0.5, steps=60)
    positive = train_last_layer(x, data, loss="dpop", head=some_head(shared(1), 8), **given)
    plain = train_last_layer(x, data, **given)
    assert (positive.margins >= 0).all() and positive.margins[-1].min() > 1
    assert np.abs(positive.margins - plain.margins).max() < 1e-13  # two orders of the same float64 sums
    assert (np.diff(positive.chosen, axis=0) > 0).all()


def test_with_one_pair_of_answers_a_chosen_answer_falls_where_its_margin_falls_alone():
    x, data = two_sides(40, 4, 1.0)
    small = dict(beta=0.5, lr=1e-3, steps=400)  # close to the flow, of which it is proved
    run = train_last_layer(x, data, loss=DPOPositive(0.0), head=some_head(shared(1), 4), **small)
    margins, chosen = np.diff(run.margins, axis=0), np.diff(run.chosen, axis=0)
    moving = np.abs(margins) > 1e-2 * np.abs(margins).max()
    assert (margins[moving] < 0).any() and np.array_equal(margins[moving] > 0, chosen[moving] > 0)
    # With answers that several pairs share in opposite roles it is otherwise.
    other = chain(2)
    y, held = np.ones((5, 1)), SimpleNamespace(value=np.array([0, 0, 0, 1, 1]), side=np.ones(5, int), layout=other)
    run = train_last_layer(y, held, loss=DPOPositive(0.0), head=some_head(other, 1), **small)
    assert run.margins[-1, -1] > 0 > run.chosen[-1, -1]


def test_the_chain_of_three_answers():
    """3 of A over B and 2 of B over C on one feature: B's logit falls under DPO and is held by DPO-Positive."""
    layout = TokenLayout((("A", "B"), ("B", "C")))
    x, data = np.ones((5, 1)), SimpleNamespace(value=np.array([0, 0, 0, 1, 1]), side=np.ones(5, int), layout=layout)
    head = Head(np.zeros((3, 1)), dict(A=0, B=1, C=2))
    beta, ends = 0.5, {}
    for strength in (0.0, 10.0):
        lr = 0.5 / (1 + strength) ** 2
        run = train_last_layer(x, data, beta=beta, lr=lr, steps=round(20 / lr), loss=DPOPositive(strength), head=head,
                               every=10**6)
        ends[strength] = run.margins[-1, -1] / beta, run.chosen[-1, -1] / beta
    assert ends[0.0][0] > 0.1 and ends[0.0][1] < -0.1
    assert ends[10.0][0] > ends[0.0][0] and abs(ends[10.0][1]) < 0.01


def test_tokens_below_the_floor_count_but_stay():
    layout, d = chain(3), 6
    x, data = some_data(layout, 25, d)
    rng = np.random.default_rng(5)
    answers = {token: 100 + token for token in layout.tokens}
    bias = np.where(np.arange(2000) < 60, 0.0, -12.0) + rng.normal(size=2000)  # 60 likely tokens
    bias[list(answers.values())] = 0
    W_0 = 0.3 * rng.normal(size=(2000, d))
    given = dict(beta=0.5, lr=0.02, steps=25, loss=DPOPositive(10.0))
    whole, part = (train_last_layer(x, data, head=Head(W_0, answers, bias, floor), **given) for floor in (0.0, 1e-4))
    assert whole.settings["rows"] == 2000 and 60 <= part.settings["rows"] < 100
    assert (whole.chosen < 0).any()
    # Rows that stay would move by 1e-4 of what an answer's moves, and there are about 2000.
    assert 0 < np.abs(whole.margins - part.margins).max() < 1e-3 * np.abs(whole.margins).max()
    assert np.abs(whole.chosen - part.chosen).max() < 1e-2 * np.abs(whole.chosen).max()
    assert not part.chosen[0].any()


# beta-DPO


@pytest.mark.parametrize("batch", [None, 6])
def test_beta_dpo_that_follows_and_filters_nothing_is_dpo(batch):
    x, data = some_data(star(3), 20, 5)
    given = dict(beta=0.5, lr=0.2, steps=15, batch=batch, seed=2)
    calm = train_last_layer(x, data, loss=BetaDPO(alpha=0.0, keep=1.0), **given)
    plain = train_last_layer(x, data, loss="dpo", **given)
    exact = np.array_equal if batch else lambda a, b: np.abs(a - b).max() < 1e-13  # full batches sum block by block
    assert exact(calm.margins, plain.margins) and exact(calm.losses, plain.losses) and exact(calm.w, plain.w)
    assert (calm.batch_betas == 0.5).all() and len(calm.batch_betas) == 15
    moved = train_last_layer(x, data, loss=BetaDPO(keep=1.0), **given)
    assert np.abs(moved.margins - plain.margins).max() > 1e-4  # following matters


def test_the_record_of_what_was_kept():
    x, data = some_data(disjoint(2), 24, 5)
    run = train_last_layer(x, data, beta=0.5, lr=0.2, steps=12, loss=BetaDPO(keep=0.5), batch=8, seed=1, every=3)
    assert run.kept.shape == (5, 24) and not run.kept[0].any()
    assert run.kept.sum(axis=1).tolist() == [0, 12, 24, 36, 48]  # 4 of 8 in each step
    seen = np.bincount(in_batches(24, 8, 12, 1).ravel(), minlength=24)
    assert (run.kept[-1] <= seen).all() and (np.diff(run.kept, axis=0) >= 0).all()
    again = train_last_layer(x, data, beta=0.5, lr=0.2, steps=12, loss=BetaDPO(keep=0.5), batch=8, seed=1, every=3)
    other = train_last_layer(x, data, beta=0.5, lr=0.2, steps=12, loss=BetaDPO(keep=0.5), batch=8, seed=2, every=3)
    assert np.array_equal(run.margins, again.margins) and not np.array_equal(run.margins, other.margins)


# All of them


def test_the_first_step_is_the_same_for_every_loss():
    x, data = some_data(chain(3), 30, 6)
    given = dict(beta=0.4, lr=0.1, steps=1)
    ws = [train_last_layer(x, data, loss=loss, head=some_head(chain(3), 6), **given).w.ravel()
          for loss in ("dpo", "ipo", "slic", "dpop", BetaDPO(keep=1.0))]
    for w in ws:
        assert ws[0] @ w / np.linalg.norm(ws[0]) / np.linalg.norm(w) == pytest.approx(1, abs=1e-12)  # rounding
    assert np.linalg.norm(ws[1]) == pytest.approx(4 * np.linalg.norm(ws[0]))  # the clocks differ: 2 against 1/2


class Robust(Loss):
    """A loss of a reader's own: DPO for labels of which a share is flipped."""

    name = "robust"

    def value(self, r, chosen=None):
        return (0.8 * DPO().value(r) - 0.2 * DPO().value(-np.asarray(r))) / 0.6

    def slope(self, r, chosen=None):
        return (0.8 * DPO().slope(r) + 0.2 * DPO().slope(-np.asarray(r))) / 0.6


def test_a_loss_of_ones_own():
    x, data = some_data(disjoint(2), 20, 5)
    run = train_last_layer(x, data, beta=0.5, lr=1e-3, steps=2, loss=Robust())
    assert run.settings["loss"] == "robust" and run.losses[0] == pytest.approx(np.log(2))
    # -log sigma(r) differs from -log sigma(-r) by r, so the loss falls as (0.8 r / 0.6 ...): by its slope at 0.
    fall = run.losses[0] - run.losses[1]
    assert fall == pytest.approx(-Robust().slope(0.0) * run.margins[1].mean(), rel=1e-3)


def test_names_and_instances_are_one_setting():
    x, data = some_data(disjoint(2), 10, 4)
    labels = [train_last_layer(x, data, beta=0.1, lr=0.1, steps=1, loss=loss, head=some_head(disjoint(2), 4)).settings
              ["loss"] for loss in ("dpop", DPOPositive(), DPOPositive(5.0), BetaDPO(keep=0.5, alpha=1.0))]
    assert labels == ["dpop", "dpop", "dpop(strength=5.0)", "beta-dpo(alpha=1.0, keep=0.5)"]


@pytest.fixture(scope="module")
def tiny():
    return load_llm("tiny", device="cpu")


def test_the_head_of_a_model_gives_its_probabilities(tiny):
    pairs = load_values(2, answers="shared").per_cluster(4)
    x = embed(tiny, pairs.prompts, progress=False).astype(float)
    centre = x.mean(axis=0)
    head = last_layer_head(tiny, pairs, centre=centre)
    logits = (x - centre) @ head.W_0.T.astype(float) + head.bias
    with torch.no_grad():
        ids = torch.tensor([tiny.encode(pairs.prompts[3])])
        wanted = torch.log_softmax(tiny.model(input_ids=ids).logits[0, -1].double(), 0).numpy()
    assert np.abs(log_softmax(logits[3]) - wanted).max() < 1e-4  # the model computes in float32
    run = train_last_layer(x - centre, pairs, beta=0.1, lr=0.05, steps=10, loss=DPOPositive(5), head=head)
    assert run.chosen.shape == (11, 16) and np.isfinite(run.chosen).all() and run.margins[-1].mean() > 0
    single = train_last_layer((x - centre).astype(np.float32), pairs, beta=0.1, lr=0.05, steps=10,
                              loss=DPOPositive(5), head=head)
    assert single.chosen.dtype == np.float32 and np.abs(single.margins - run.margins).max() < 1e-4


def test_heads_that_do_not_fit_get_one_sentence(tiny):
    x, data = some_data(chain(2), 10, 4)
    W_0, answers = np.zeros((5, 4)), {0: 0, 1: 1, 2: 2}
    for call, said in (
        (lambda: Head(np.zeros(5), answers), r"W_0 must have shape \(V, d\)"),
        (lambda: Head(W_0 * np.nan, answers), "W_0 must be finite"),
        (lambda: Head(W_0, answers, np.zeros(4)), r"bias must have shape \(5,\)"),
        (lambda: Head(W_0, [0, 1, 2]), "answers must be a dictionary of rows by answer"),
        (lambda: Head(W_0, {0: 5}), "answers must be rows of W_0, from 0 to 4"),
        (lambda: Head(W_0, answers, floor=2), "floor must lie between 0 and 1"),
        (lambda: train_last_layer(x, data, beta=1, lr=1, steps=1, head=Head(W_0, {0: 0, 1: 1})),
         "head must give the row of every answer, but has none for 2"),
        (lambda: train_last_layer(x, data, beta=1, lr=1, steps=1, head=Head(np.zeros((5, 3)), answers)),
         "head must have rows of the embeddings' dimension 4, got 3"),
        (lambda: last_layer_head(tiny, load_values(1), centre=np.zeros(3)), r"centre must have shape \(64,\)"),
        (lambda: last_layer_head(None, load_values(1)), "llm must be a model of load_llm"),
        (lambda: train_last_layer(x, data, beta=1.0, lr=1e300, steps=2, loss="dpop", head=Head(W_0, answers)), "lr"),
        (lambda: train_last_layer(x, data, beta=1.0, lr=1e3, steps=400, loss="ipo", head=Head(W_0, answers)),
         "lr must keep the margins finite"),
    ):
        with pytest.raises(ValueError, match=f"^{said}"):
            call()
