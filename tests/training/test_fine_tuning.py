"""fine_tune against a plain loop with full logits, and what it promises about weights, checkpoints and records."""

import os
import signal
import subprocess
import sys
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import SafetensorError
from safetensors.torch import save_file
from tuning import CHEAP, some_pairs

from helpers.llm import packing
from helpers.llm.loading import load_llm
from helpers.llm.packing import ROW_TOKENS
from helpers.losses import BetaDPO, DPOPositive
from helpers.preferences.pairs import Preferences
from helpers.training import checkpoints
from helpers.training.batches import draws_of, in_batches
from helpers.training.fine_tuning import fine_tune
from helpers.training.runs import Run
from helpers.training.updates import Updater


@pytest.fixture
def llm():
    return load_llm("tiny", device="cpu")


def weights(llm):
    return {name: p.detach().clone() for name, p in llm.model.named_parameters()}


def same_bits(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def same_record(a, b):
    x, y = a.arrays(), b.arrays()
    return x.keys() == y.keys() and all(np.array_equal(x[name], y[name]) for name in x if name != "seconds")


def plain_gaps(model, llm, pairs, rows):
    """One forward pass a sequence, all logits, the log-softmax over the whole vocabulary."""
    gaps = []
    for i in rows:
        prompt, gap = llm.encode(pairs.prompts[i]), 0
        for sign, answer in ((1, pairs.chosen[i]), (-1, pairs.rejected[i])):
            ids = llm.tokens(answer)
            table = torch.log_softmax(model(input_ids=torch.tensor([prompt + ids])).logits[0], 1)
            gap = gap + sign * sum(table[len(prompt) + t - 1, token] for t, token in enumerate(ids))
        gaps.append(gap)
    return torch.stack(gaps)


def dpo(r):
    return -torch.nn.functional.logsigmoid(r)


def plain_loop(llm, pairs, test, *, beta, lr, steps, batch, trained, seed=0, f=dpo):
    """A loss f of the margins, as one would train on it first: batch losses and mean margins, test gaps at the end."""
    model = llm.model
    for name, p in model.named_parameters():
        p.requires_grad_(trained(name))
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=lr, weight_decay=0)
    with torch.no_grad():
        reference = plain_gaps(model, llm, pairs, range(len(pairs)))
    losses, margins = [], []
    for rows in in_batches(len(pairs), batch, steps, seed):
        r = beta * (plain_gaps(model, llm, pairs, rows) - reference[rows])
        loss = f(r).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        margins.append(r.mean().item())
    with torch.no_grad():
        return np.array(losses), np.array(margins), plain_gaps(model, llm, test, range(len(test))).numpy()


@pytest.mark.parametrize("answers", [(" Yes", " No"), (" good work", " bad day time"), (" Yes", " Yes people")])
@pytest.mark.parametrize("blocks", [None, 1, 2])
def test_equals_a_plain_loop(llm, blocks, answers):
    pairs, test = some_pairs(answers=answers), some_pairs(5, seed=1, answers=answers)
    run = fine_tune(llm, pairs, test=test, blocks=blocks, **CHEAP)
    kept = tuple(f"model.layers.{i}." for i in range(2 - (blocks or 0), 2))
    losses, margins, gaps = plain_loop(
        llm, pairs, test, beta=0.5, lr=3e-3, steps=6, batch=4,
        trained=lambda name: blocks is None or name.startswith(kept),
    )
    # Adam divides by the size of the gradient, so float32 rounding of small coordinates grows to about 1e-4.
    assert np.abs(run.batch_losses - losses).max() < 1e-3 * (1 + np.abs(losses).max())
    assert np.abs(run.test_gaps[-1] - gaps).max() < 2e-3 * (1 + np.abs(gaps).max())
    assert np.abs(run.margins[1:] - margins.reshape(3, 2).mean(1)).max() < 1e-3 * (1 + np.abs(margins).max())
    assert abs(run.losses[0] - np.log(2)) < 1e-12 and run.batch_losses[-1] < 0.6


@pytest.mark.parametrize(("loss", "f"), [("ipo", lambda r: (r - 1) ** 2), ("slic", lambda r: (1 - r).relu())])
def test_other_losses_equal_a_plain_loop(llm, loss, f):
    pairs, test = some_pairs(), some_pairs(5, seed=1)
    gentle = dict(beta=0.1, lr=1e-3, steps=6, batch=4)  # margins stay away from SLiC's kink, where rounding decides
    run = fine_tune(llm, pairs, test=test, loss=loss, progress=False, **gentle)
    losses, margins, gaps = plain_loop(llm, pairs, test, trained=lambda name: True, f=f, **gentle)
    assert run.losses[0] == 1 and np.abs(margins).max() < 0.9
    assert np.abs(run.batch_losses - losses).max() < 1e-3
    assert np.abs(run.test_gaps[-1] - gaps).max() < 2e-3


def plain_log_p(model, llm, pairs, rows):
    """log p of the chosen and of the rejected answers, (n, 2): one forward pass a sequence, all logits."""
    found = []
    for i in rows:
        prompt = llm.encode(pairs.prompts[i])
        for answer in (pairs.chosen[i], pairs.rejected[i]):
            ids = llm.tokens(answer)
            table = torch.log_softmax(model(input_ids=torch.tensor([prompt + ids])).logits[0], 1)
            found.append(sum(table[len(prompt) + t - 1, token] for t, token in enumerate(ids)))
    return torch.stack(found).reshape(-1, 2)


def size_of(gradients):
    return float(sum((g**2).sum() for g in gradients)) ** 0.5


def printed_loop(llm, pairs, test, f, *, beta, lr, steps, batch, seed=0, sizes=None):
    """Plain training with f(log-ratios (n, 2), step): losses, mean chosen rewards, and the test's at the end (M, 2).

    The list `sizes` gets the length of every gradient.
    """
    model = llm.model
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=0)
    with torch.no_grad():
        reference, before = (plain_log_p(model, llm, part, range(len(part))) for part in (pairs, test))
    losses, chosen = [], []
    for step, rows in enumerate(in_batches(len(pairs), batch, steps, seed)):
        ratios = plain_log_p(model, llm, pairs, rows) - reference[rows]
        loss = f(ratios, step)
        optimizer.zero_grad()
        loss.backward()
        if sizes is not None:
            sizes.append(size_of(p.grad for p in model.parameters()))
        optimizer.step()
        losses.append(loss.item())
        chosen.append(beta * ratios[:, 0].mean().item())
    with torch.no_grad():
        end = beta * (plain_log_p(model, llm, test, range(len(test))) - before).numpy()
    return np.array(losses), np.array(chosen), end


def sizes_of_updates(monkeypatch):
    """The lengths of the gradients of all updates to come, which AdamW does not show."""
    sizes, update = [], Updater._update
    monkeypatch.setattr(Updater, "_updating", lambda self: nullcontext())
    monkeypatch.setattr(
        Updater, "_update", lambda self, ws: (sizes.append(size_of(w.grad for w in ws)), update(self, ws))[1])
    return sizes


# One row, and several, with answers that begin alike.
@pytest.mark.parametrize(("limit", "answers"), [(768, (" Yes", " No")), (12, (" good work", " good day time"))])
def test_dpo_positive_equals_a_plain_loop(llm, limit, answers, monkeypatch):
    monkeypatch.setitem(ROW_TOKENS, "cpu", limit)
    strength, given = 5.0, dict(beta=0.5, lr=1e-3, steps=6, batch=4)

    def f(ratios, step):
        return dpo(0.5 * (ratios[:, 0] - ratios[:, 1] - strength * torch.relu(-ratios[:, 0]))).mean()

    pairs, test = some_pairs(answers=answers), some_pairs(5, seed=1, answers=answers)
    found, printed = sizes_of_updates(monkeypatch), []
    run = fine_tune(llm, pairs, test=test, loss=DPOPositive(strength), evaluate_every=2, progress=False, **given)
    losses, chosen, end = printed_loop(llm, pairs, test, f, sizes=printed, **given)
    assert np.allclose(found, printed, rtol=1e-2)
    # As for the other losses; log-ratios are of order 0.1 to 1.
    assert np.abs(run.batch_losses - losses).max() < 1e-3
    assert np.abs(run.chosen[1:] - chosen.reshape(3, 2).mean(1)).max() < 1e-3 and run.chosen[0] == 0
    assert np.abs(run.test_chosen[-1] - end[:, 0]).max() < 2e-3 < np.abs(end).max()
    assert np.abs(run.test_margins[-1] - (end[:, 0] - end[:, 1])).max() < 2e-3
    assert not run.test_chosen[0].any() and run.settings["loss"] == "dpop(strength=5.0)"
    plain = fine_tune(load_llm("tiny", device="cpu"), pairs, progress=False, **given)
    assert np.abs(run.batch_losses - plain.batch_losses).max() > 1e-3  # the penalty is in play


def test_dpo_positive_without_strength_is_dpo(llm):
    pairs, test = some_pairs(answers=(" good work", " good day time")), some_pairs(5, seed=1)
    gentle = {**CHEAP, "lr": 1e-3}
    plain, calm = (fine_tune(llm, pairs, test=test, loss=loss, **gentle) for loss in ("dpo", DPOPositive(0.0)))
    # The same sums with terms that cancel, in float32 and through Adam.
    assert np.abs(plain.batch_losses - calm.batch_losses).max() < 1e-3
    assert np.abs(plain.test_margins - calm.test_margins).max() < 2e-3 and plain.test_chosen is None


@pytest.mark.parametrize(("limit", "loss"), [(12, BetaDPO(alpha=2.0, keep=1.0)), (768, BetaDPO(keep=0.5))])
def test_beta_dpo_equals_a_plain_loop(llm, limit, loss, monkeypatch):
    monkeypatch.setitem(ROW_TOKENS, "cpu", limit)
    given, state = dict(beta=0.5, lr=1e-3, steps=8, batch=6), dict(mean=0.0, seen=None, betas=[])

    def f(ratios, step):
        gaps = ratios[:, 0] - ratios[:, 1]
        # Which pairs are kept is the draw's to say; the rest is as printed.
        drawn, state["seen"] = loss.on_batch(
            0.5 * gaps.detach().numpy(), beta=0.5, seen=state["seen"], rng=draws_of(0, step))
        kept = torch.from_numpy(drawn.weight > 0)
        assert kept.sum() == int(loss.keep * 6)
        state["mean"] = 0.9 * state["mean"] + 0.1 * gaps.detach().mean()
        state["betas"].append(0.5 * float(1 + loss.alpha * (gaps[kept].detach().mean() - state["mean"])))
        return dpo(state["betas"][-1] * gaps[kept]).mean()

    pairs, test = some_pairs(), some_pairs(5, seed=1)
    found, printed = sizes_of_updates(monkeypatch), []
    run = fine_tune(llm, pairs, test=test, loss=loss, evaluate_every=2, progress=False, **given)
    losses, _, end = printed_loop(llm, pairs, test, f, sizes=printed, **given)
    assert np.allclose(found, printed, rtol=1e-2)
    assert np.abs(run.batch_losses - losses).max() < 1e-3
    assert np.abs(run.batch_betas - state["betas"]).max() < 1e-3 < np.ptp(run.batch_betas)
    assert np.abs(run.test_margins[-1] - (end[:, 0] - end[:, 1])).max() < 2e-3
    assert run.losses[0] == np.log(2)


def test_beta_dpo_that_follows_and_filters_nothing_is_dpo(llm):
    plain, calm = (fine_tune(llm, some_pairs(), **CHEAP, loss=loss) for loss in ("dpo", BetaDPO(alpha=0, keep=1)))
    # The first margins are 0 here, and 0 to rounding there.
    assert np.abs(plain.batch_losses - calm.batch_losses).max() < 1e-3 and (calm.batch_betas == 0.5).all()
    assert calm.batch_losses[0] == np.log(2) and calm.settings["loss"] == "beta-dpo(alpha=0, keep=1)"


@pytest.mark.parametrize("loss", [DPOPositive(5.0), BetaDPO(keep=0.5)], ids=["dpop", "beta-dpo"])
def test_these_runs_go_on_as_if_they_had_not_stopped(llm, loss, tmp_path, monkeypatch):
    given = dict(test=some_pairs(5, seed=1), loss=loss, **CHEAP)
    whole = fine_tune(llm, some_pairs(), **given)
    step, count = Updater.step, []
    monkeypatch.setattr(Updater, "step", lambda *a: (count.append(0), 1 / 0 if len(count) == 5 else step(*a))[1])
    with pytest.raises(ZeroDivisionError):
        fine_tune(llm, some_pairs(), checkpoint=tmp_path / "run", checkpoint_every=2, **given)
    again = fine_tune(llm, some_pairs(), checkpoint=tmp_path / "run", checkpoint_every=2, **given)
    assert len(count) == 5 + 2 and same_record(again, whole)


def test_a_batch_in_several_rows_equals_a_plain_loop(llm, monkeypatch):
    monkeypatch.setitem(ROW_TOKENS, "cpu", 12)
    pairs, test = some_pairs(), some_pairs(5, seed=1)
    run = fine_tune(llm, pairs, test=test, **CHEAP)
    losses, _, gaps = plain_loop(llm, pairs, test, beta=0.5, lr=3e-3, steps=6, batch=4, trained=lambda name: True)
    # Tolerances as above.  AdamW would hide a wrong scale of all rows, not one that differs from row to row.
    assert np.abs(run.batch_losses - losses).max() < 1e-3
    assert np.abs(run.test_gaps[-1] - gaps).max() < 2e-3


@pytest.mark.parametrize("answers", [(" Yes", " No"), (" Yes", " Yes people")])
def test_a_head_with_a_bias_equals_a_plain_loop(llm, answers):
    head = llm.model.get_output_embeddings()
    head.bias = torch.nn.Parameter(torch.linspace(-1, 1, head.out_features))
    pairs, test = some_pairs(answers=answers), some_pairs(5, seed=1, answers=answers)
    run = fine_tune(llm, pairs, test=test, **CHEAP)
    losses, _, gaps = plain_loop(llm, pairs, test, beta=0.5, lr=3e-3, steps=6, batch=4, trained=lambda name: True)
    # As for a head without one.
    assert np.abs(run.batch_losses - losses).max() < 1e-3 * (1 + np.abs(losses).max())
    assert np.abs(run.test_gaps[-1] - gaps).max() < 2e-3 * (1 + np.abs(gaps).max())


def test_held_out_pairs_may_have_tokens_that_training_has_not(llm):
    pairs, test = some_pairs(4), some_pairs(5, seed=1)
    test = Preferences([f"Zebras {p}" for p in test.prompts], *(getattr(test, name) for name in
                       ("chosen", "rejected", "value", "side", "names")))
    with torch.no_grad():
        gaps = plain_gaps(llm.model, llm, test, range(5)).numpy()
    found = fine_tune(llm, pairs, test=test, **{**CHEAP, "steps": 0}).test_gaps[0]
    assert np.abs(found - gaps).max() < 2e-5  # float32 sums in another order, gaps of order 1


def test_held_out_answers_may_be_longer_than_those_of_training(llm):
    pairs, test = some_pairs(4), some_pairs(5, seed=1, answers=(" good work", " bad day time"))
    with torch.no_grad():
        gaps = plain_gaps(llm.model, llm, test, range(5)).numpy()
    found = fine_tune(llm, pairs, test=test, **{**CHEAP, "steps": 0}).test_gaps[0]
    assert np.abs(found - gaps).max() < 1e-4  # several terms, each a sum over the vocabulary in another order


@pytest.mark.parametrize(("dtype", "used"), [("float32", 2), ("bfloat16", 0)])
def test_mlps_keep_less_in_steps_and_there_alone(llm, dtype, used, monkeypatch):
    asked, hidden_states = [], packing.hidden_states

    def noted(model, row):
        replaced = sum("forward" in vars(block.mlp) for block in model.model.layers)
        asked.append((torch.is_grad_enabled(), replaced))
        return hidden_states(model, row)

    monkeypatch.setattr("helpers.training.updates.hidden_states", noted)
    fine_tune(llm, some_pairs(), dtype=dtype, **CHEAP)
    assert asked == [(False, 0), *[(True, used)] * CHEAP["steps"]]


def test_a_model_that_ignores_the_mask_is_refused(llm, monkeypatch):
    plan = packing.plan
    monkeypatch.setattr("helpers.llm.packing.plan", lambda *given: (plan(*given)[0], torch.zeros_like(plan(*given)[1])))
    with pytest.raises(ValueError, match="model must take packed rows, but LlamaForCausalLM gives logits"):
        fine_tune(llm, some_pairs(), **CHEAP)


def test_the_held_out_pairs_are_checked_as_well(llm):
    """All training prompts equal, so that their row is one text; the model reads the held-out row wrongly."""
    pairs, test = some_pairs(), some_pairs(20, seed=1)
    pairs = replace(pairs, prompts=[pairs.prompts[0]] * len(pairs))
    forward = llm.model.base_model.forward
    llm.model.base_model.forward = lambda **given: forward(**{**given, "position_ids": None})
    fine_tune(llm, pairs, **{**CHEAP, "steps": 1})
    with pytest.raises(ValueError, match="model must take packed rows"):
        fine_tune(llm, pairs, test=test, **{**CHEAP, "steps": 1})


def test_a_model_in_training_mode_trains_without_dropout_and_stays_in_it(llm, monkeypatch):
    modes, step = [], Updater.step
    monkeypatch.setattr(Updater, "step", lambda self, *a: (modes.append(self.model.training), step(self, *a))[1])
    llm.model.train()
    fine_tune(llm, some_pairs(), **CHEAP)
    assert modes == [False] * CHEAP["steps"] and all(module.training for module in llm.model.modules())


def test_the_record(llm):
    pairs, test = some_pairs(), some_pairs(5, seed=1)
    first = fine_tune(llm, pairs, **{**CHEAP, "steps": 1, "evaluate_every": 1})
    assert first.accuracies[1] == first.margins[1] == 0  # taken before the update; a margin of 0 is not right
    run = fine_tune(llm, pairs, test=test, **CHEAP)
    assert run.steps.tolist() == [0, 2, 4, 6] and len(run.batch_losses) == len(run.seconds) == 6
    assert np.allclose(run.losses[1:], run.batch_losses.reshape(3, 2).mean(1), rtol=1e-15)
    assert run.test_gaps.shape == (4, 5) and not run.test_margins[0].any()
    assert np.array_equal(run.test_margins, 0.5 * (run.test_gaps - run.test_gaps[0]))
    assert np.array_equal(run.test_accuracies, (run.test_margins > 0).mean(1))
    assert np.array_equal(run.ranking_accuracies, (run.test_gaps > 0).mean(1))
    assert run.accuracies[0] == 0 and run.accuracies[-1] > 0.5
    none = fine_tune(llm, pairs, test=test, **{**CHEAP, "steps": 0})
    assert none.steps.tolist() == [0] and np.array_equal(none.test_gaps[0], run.test_gaps[0])
    alone = fine_tune(llm, pairs, **CHEAP)
    assert alone.test_margins is None and np.array_equal(alone.batch_losses, run.batch_losses)


@pytest.mark.parametrize("fails", ["step", "_update"])  # before anything, and in the middle of the backward pass
@pytest.mark.parametrize("blocks", [None, 1])
def test_weights_come_back_bit_for_bit(llm, blocks, fails, monkeypatch):
    before, embedding = weights(llm), llm.model.get_input_embeddings().weight
    fine_tune(llm, some_pairs(), blocks=blocks, **CHEAP)
    monkeypatch.setattr(f"helpers.training.updates.Updater.{fails}", lambda *given: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        fine_tune(llm, some_pairs(), blocks=blocks, **CHEAP)
    assert same_bits(weights(llm), before)
    assert llm.model.get_input_embeddings().weight is embedding is llm.model.get_output_embeddings().weight
    assert llm.model.get_input_embeddings().padding_idx == 0
    assert all(p.requires_grad and p.grad is None for p in llm.model.parameters())
    assert not any("forward" in vars(module) for module in llm.model.modules())


def test_in_place_leaves_the_trained_model(llm):
    before = weights(llm)
    pairs, test = some_pairs(), some_pairs(5, seed=1)
    run = fine_tune(llm, pairs, test=test, in_place=True, **CHEAP)
    with torch.no_grad():
        gaps = plain_gaps(llm.model, llm, test, range(5)).numpy()
    assert np.abs(gaps - run.test_gaps[-1]).max() < 2e-5  # float32 sums in another order, gaps of order 1
    after = weights(llm)
    used = {token for p in pairs.prompts for token in llm.encode(p)} | {llm.token(" Yes"), llm.token(" No")}
    unused = sorted(set(range(len(llm.tokenizer))) - used)
    name = "model.embed_tokens.weight"
    assert torch.equal(after[name][unused], before[name][unused]) and not torch.equal(after[name], before[name])


def test_lower_blocks_are_computed_once_and_stay(llm, monkeypatch):
    before, calls = weights(llm), []
    llm.model.model.layers[0].register_forward_hook(lambda *given: calls.append(given[2][0].grad_fn))
    forward = type(llm.model.model.layers[0]).forward
    computed = []
    monkeypatch.setattr(
        type(llm.model.model.layers[0]), "forward",
        lambda self, *a, **k: (computed.append(self.self_attn.layer_idx), forward(self, *a, **k))[1],
    )
    fine_tune(llm, some_pairs(), blocks=1, in_place=True, **{**CHEAP, "steps": 12})
    assert computed.count(1) >= 12 and computed.count(0) <= 11  # check, reference, last evaluation; not the steps
    assert all(call is None for call in calls)
    changed = {name for name, p in weights(llm).items() if not torch.equal(p, before[name])}
    assert changed == {name for name in before if name.startswith("model.layers.1.")}


@pytest.mark.parametrize("missing", [(), (0,)])  # where nothing was left: an error, or a number
def test_upper_blocks_that_read_more_than_the_states_of_the_lower_ones_are_refused(llm, missing, monkeypatch):
    """The last block adds what the first one left elsewhere, which a kept state does not bring along."""
    (lower, upper), left = llm.model.model.layers, {}
    plain = type(lower).forward

    def forward(self, states, **given):
        if self is upper:
            states = states + left.pop("state", *missing)
        states = plain(self, states, **given)
        if self is lower:
            left["state"] = states
        return states

    monkeypatch.setattr(type(lower), "forward", forward)
    with pytest.raises(ValueError, match="^blocks must be None for LlamaForCausalLM, whose blocks hand on more"):
        fine_tune(llm, some_pairs(), blocks=1, **CHEAP)


@pytest.mark.parametrize("together", [1, 3000])  # each weight alone, and groups with some left for the end
@pytest.mark.parametrize("limit", [ROW_TOKENS["cpu"], 12])
def test_weights_updated_as_they_are_done_have_the_bits_of_plain_adamw(monkeypatch, limit, together):
    """One update for all weights when every gradient is there, against each weight as its gradient is done."""
    monkeypatch.setitem(ROW_TOKENS, "cpu", limit)  # one row, and several whose gradients are added
    monkeypatch.setattr("helpers.training.updates.TOGETHER", together)
    runs, trained, calls = [], [], []
    original = torch.optim.AdamW.step
    monkeypatch.setattr(torch.optim.AdamW, "step", lambda self, *a: (calls.append(0), original(self, *a))[1])
    for updating in (Updater._updating, lambda self: nullcontext()):
        monkeypatch.setattr(Updater, "_updating", updating)
        fresh = load_llm("tiny", device="cpu")
        calls.clear()
        runs.append(fine_tune(fresh, some_pairs(), in_place=True, **CHEAP))
        trained.append(weights(fresh))
        updates = len(calls) / CHEAP["steps"]
        assert updates == 1 if len(runs) == 2 else updates == len(trained[0]) if together == 1 else updates > 2
        assert not any(p._post_accumulate_grad_hooks for p in fresh.model.parameters())
    assert same_record(*runs) and same_bits(*trained)


def test_bfloat16_trains_near_float32(llm):
    pairs, test = some_pairs(), some_pairs(5, seed=1)
    gentle = {**CHEAP, "lr": 3e-4}
    exact, rough = (fine_tune(llm, pairs, test=test, dtype=dtype, **gentle) for dtype in (None, "bfloat16"))
    assert exact.settings["dtype"] == "float32" and rough.test_gaps.dtype == np.float32
    assert not np.array_equal(exact.batch_losses, rough.batch_losses)
    # bfloat16 keeps 8 bits, gaps are of order 1 and beta is 0.5: the loss, which falls by 0.1, is off by hundredths.
    assert np.abs(exact.batch_losses - rough.batch_losses).max() < 0.03 < np.ptp(exact.batch_losses)
    assert np.array_equal(exact.test_gaps[0], rough.test_gaps[0])


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 30), st.data())
def test_every_epoch_sees_every_pair_once(N, data):
    batch, steps = data.draw(st.integers(1, N)), data.draw(st.integers(0, 40))
    order = in_batches(N, batch, steps, data.draw(st.integers(0, 5)))
    assert order.shape == (steps, batch)
    stream = order.ravel()
    for start in range(0, len(stream), N):
        epoch = stream[start : start + N]
        assert len(set(epoch)) == len(epoch) and set(epoch) <= set(range(N))


def test_every_epoch_and_every_seed_has_an_order_of_its_own():
    epochs = [tuple(row) for seed in range(4) for row in in_batches(12, 12, 4, seed)]
    assert len(set(epochs)) == 16  # of 12! orders
    assert np.array_equal(in_batches(12, 12, 4, 3), in_batches(12, 12, 4, 3))


# What a killed process runs: the same pairs and settings as the test, and a signal that nothing can catch.
KILLED = """
import os, signal, sys
sys.path.insert(0, {folder!r})
from tuning import CHEAP, some_pairs
from helpers.training import fine_tuning, updates
from helpers.llm.loading import load_llm
die = lambda: os.kill(os.getpid(), signal.SIGKILL)
step, save, count = updates.Updater.step, fine_tuning.save_checkpoint, []
def counted(*given):
    count.append(0)
    return die() if {where!r} == "step" and len(count) == 4 else step(*given)
updates.Updater.step = counted
replace = os.replace
os.replace = lambda *given: die() if {where!r} == "write" and len(count) == 4 else replace(*given)
fine_tuning.fine_tune(load_llm("tiny", device="cpu"), some_pairs(), test=some_pairs(5, seed=1), blocks={blocks},
                     checkpoint={path!r}, checkpoint_every=2, **CHEAP)
"""


@pytest.mark.slow
@pytest.mark.parametrize(("where", "blocks"), [("step", None), ("write", 1)])
def test_a_killed_run_goes_on_to_the_same_bits(llm, tmp_path, where, blocks):
    path = tmp_path / "run.safetensors"
    code = KILLED.format(folder=str(Path(__file__).parents[1] / "support"), where=where, blocks=blocks, path=str(path))
    # The same number of threads in both processes, since it fixes the order of sums.
    threads = {"OMP_NUM_THREADS": str(torch.get_num_threads())}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, **threads})
    assert done.returncode == -signal.SIGKILL, done.stderr
    left = {p.name for p in tmp_path.iterdir()}
    assert "run.safetensors" in left and any("partial" in name for name in left) == (where == "write")
    given = dict(test=some_pairs(5, seed=1), blocks=blocks, **CHEAP)
    whole = fine_tune(llm, some_pairs(), **given)
    steps = []
    original = Updater.step
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Updater, "step", lambda self, *a: (steps.append(0), original(self, *a))[1])
        resumed = fine_tune(llm, some_pairs(), checkpoint=path, checkpoint_every=2, in_place=True, **given)
    assert len(steps) == 4  # two were done
    assert same_record(resumed, whole)
    assert not any("partial" in p.name for p in tmp_path.iterdir())
    # A finished run is read, not run, and gives its record and weights again.
    after, fresh = weights(llm), load_llm("tiny", device="cpu")
    again = fine_tune(fresh, some_pairs(), checkpoint=path, checkpoint_every=2, in_place=True, **given)
    assert same_record(again, whole) and same_bits(weights(fresh), after)


def test_checkpoints_of_other_runs_and_damaged_ones_are_refused(llm, tmp_path):
    path = tmp_path / "run.safetensors"
    fine_tune(llm, some_pairs(), checkpoint=path, **CHEAP)
    before = path.read_bytes()
    for change in (dict(lr=1e-3), dict(seed=1), dict(blocks=1), dict(loss="ipo")):
        with pytest.raises(ValueError, match=f"checkpoint must belong to this run, but .*{next(iter(change))}"):
            fine_tune(llm, some_pairs(), checkpoint=path, **{**CHEAP, **change})
    other_model = load_llm("tiny", device="cpu")
    with torch.no_grad():
        other_model.model.get_input_embeddings().weight[0] += 1
    with pytest.raises(ValueError, match="checkpoint must belong to this run, but .*weights"):
        fine_tune(other_model, some_pairs(), checkpoint=path, **CHEAP)
    pairs = some_pairs()
    longer, other = (f"{pairs.prompts[0]} again", *pairs.prompts[1:]), (" people", *pairs.rejected[1:])
    turned = replace(pairs, chosen=pairs.rejected, rejected=pairs.chosen)
    for data in (some_pairs(seed=3), replace(pairs, prompts=longer), replace(pairs, rejected=other), turned):
        with pytest.raises(ValueError, match="checkpoint must belong to this run, but .*data"):
            fine_tune(llm, data, checkpoint=path, **CHEAP)
    assert path.read_bytes() == before
    save_file({"x": torch.zeros(1)}, path)  # no settings in it
    with pytest.raises(ValueError, match="checkpoint must be a file written by fine_tune"):
        fine_tune(llm, pairs, checkpoint=path, **CHEAP)
    for damaged in (before[:100], before[: len(before) // 2], b""):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match="checkpoint must be a file written by fine_tune"):
            fine_tune(llm, some_pairs(), checkpoint=path, **CHEAP)


@pytest.mark.slow
def test_every_flipped_bit_of_a_checkpoint_is_noticed_before_a_weight_is_changed(llm, tmp_path):
    path, before = tmp_path / "run.safetensors", weights(llm)
    given = {**CHEAP, "steps": 2}
    fine_tune(llm, some_pairs(), test=some_pairs(5, seed=1), checkpoint=path, checkpoint_every=1, **given)
    whole, rng = bytearray(path.read_bytes()), np.random.default_rng(0)
    header = 8 + int.from_bytes(whole[:8], "little")
    places = [*rng.integers(8, header, 15), *rng.integers(header, len(whole), 25)]
    for place in places:
        damaged = bytearray(whole)
        damaged[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match="^checkpoint must be a file written by fine_tune, got") as caught:
            fine_tune(llm, some_pairs(), test=some_pairs(5, seed=1), checkpoint=path, in_place=True, **given)
        assert "\n" not in str(caught.value)
    assert same_bits(weights(llm), before)


def test_another_chat_template_is_another_run(llm, tmp_path):
    path = tmp_path / "run.safetensors"
    fine_tune(llm, some_pairs(), checkpoint=path, **CHEAP)
    llm.tokenizer.chat_template = llm.tokenizer.chat_template.replace("<|assistant|>", "<|assistant|> I")
    with pytest.raises(ValueError, match="checkpoint must belong to this run, but .*data"):
        fine_tune(llm, some_pairs(), checkpoint=path, **CHEAP)


def test_one_process_a_checkpoint(llm, tmp_path):
    from helpers.files import locked

    with locked(tmp_path / "run"), pytest.raises(TimeoutError, match="another process has held"):
        fine_tune(llm, some_pairs(), checkpoint=tmp_path / "run", **CHEAP)


def test_a_record_can_be_saved(llm, tmp_path):
    run = fine_tune(llm, some_pairs(), **CHEAP)
    assert same_record(Run.load(run.save(tmp_path / "run.npz")), run)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(beta=0), "beta must be a finite number above 0, got 0"),
        (dict(lr=float("nan")), "lr must be a finite number above 0"),
        (dict(batch=11), "batch must be at most 10, the number of pairs, got 11"),
        (dict(batch=0), "batch must be a whole number of at least 1, got 0"),
        (dict(blocks=3), "blocks must be at most 2, the blocks of the model, got 3"),
        (dict(blocks=0), "blocks must be a whole number of at least 1, got 0"),
        (dict(dtype="float16"), "dtype must be a known name, got 'float16'"),
        (dict(loss="ipoo"), "did you mean 'ipo'"),
        (dict(lr=1e30), "lr must keep the margins finite"),
    ],
)
def test_bad_settings_get_one_sentence(llm, change, message):
    before = weights(llm)
    with pytest.raises(ValueError, match=message):
        fine_tune(llm, some_pairs(), **{**CHEAP, **change})
    assert same_bits(weights(llm), before)


@pytest.mark.parametrize("test", [None, some_pairs(5, seed=1)])
def test_a_last_step_that_loses_the_margins_is_noticed(llm, test, tmp_path):
    for lr in (1e10, 1e30):
        with pytest.raises(ValueError, match="lr must keep the margins finite"):
            fine_tune(llm, some_pairs(), test=test, checkpoint=tmp_path / "run", **{**CHEAP, "lr": lr, "steps": 1})
        assert not (tmp_path / "run").exists()


def test_a_model_that_gives_no_probabilities_is_not_blamed_on_the_settings(llm, monkeypatch):
    monkeypatch.setattr("helpers.training.fine_tuning.check_packing", lambda *given: None)
    llm.model.model.norm.weight.data[0] = torch.nan
    for test in (None, some_pairs(5, seed=1)):
        with pytest.raises(ValueError, match="llm must give finite probabilities"):
            fine_tune(llm, some_pairs(), test=test, **CHEAP)


def test_weights_must_be_float32():
    with pytest.raises(ValueError, match="llm must hold float32 weights, got torch.bfloat16"):
        fine_tune(load_llm("tiny", device="cpu", dtype="bfloat16"), some_pairs(), **CHEAP)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(llm="tiny"), "llm must be a model of load_llm, got 'tiny'"),
        (dict(preferences=None), "preferences must be Preferences, got None"),
        (dict(preferences=some_pairs().take([])), "preferences must hold at least one pair, got none"),
        (dict(test=3), "test must be Preferences, got 3"),
        (dict(test=some_pairs().take([])), "test must hold at least one pair, got none"),
        (dict(dtype=""), "dtype must be a known name, got ''"),
        (dict(checkpoint=3), "checkpoint must be a path, got 3"),
        (dict(checkpoint=""), "checkpoint must be a path, got ''"),
    ],
)
def test_what_is_no_data_is_named(llm, change, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        fine_tune(**dict(llm=llm, preferences=some_pairs(), **CHEAP) | change)


def test_prompts_longer_than_the_model_are_refused(llm):
    pairs = some_pairs()
    long = replace(pairs, prompts=["a " * 3000, *pairs.prompts[1:]])
    with pytest.raises(ValueError, match=r"prompts must have at most 2048 tokens of tiny, got \d{4}"):
        fine_tune(llm, long, **CHEAP)


def test_a_checkpoint_where_no_file_can_be_is_named(llm, tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path, tmp_path / "file" / "run"):
        with pytest.raises(OSError, match="checkpoint must be a file that can be written, got '"):
            fine_tune(llm, some_pairs(), checkpoint=path, **CHEAP)
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_a_full_disk_names_the_checkpoint_and_keeps_the_one_before(tmp_path, monkeypatch):
    path = tmp_path / "run.safetensors"
    path.write_bytes(b"before")

    def full(tensors, part, metadata):
        part.write_bytes(b"half")
        raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(checkpoints, "save_file", full)
    wanted = "run.safetensors could not be written .*No space left.* as it was before"
    with pytest.raises(OSError, match=wanted) as caught:
        checkpoints.save_checkpoint(path, {}, {}, None, {})
    assert str(caught.value).startswith(str(path))  # and not with "[Errno None]"
    assert path.read_bytes() == b"before" and not [p for p in tmp_path.iterdir() if "partial" in p.name]


def test_settings_of_numpy_make_a_checkpoint(llm, tmp_path):
    given = {**CHEAP, "steps": np.int64(CHEAP["steps"]), "beta": np.float64(CHEAP["beta"])}
    run = fine_tune(llm, some_pairs(), checkpoint=tmp_path / "run", **given)
    assert same_record(fine_tune(llm, some_pairs(), checkpoint=tmp_path / "run", **given), run)
