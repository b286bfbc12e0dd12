"""One update of the language model on packed preference pairs: what is trained, the pass, the step."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from functools import partial

import numpy as np
import torch

from ..checks import one_line
from ..llm.model import LLM
from ..llm.packing import hidden_states
from ..losses import Loss
from .frozen import FrozenTrunk, rows_in_play, top_blocks
from .gated import gated_mlps, keeping_less
from .packed_pairs import PackedPairs, pack_pairs, policy_readings
from .processes import Processes

ADAMW = dict(betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0)  # as TRL: PyTorch's defaults, without weight decay
# Numbers in the weights that are updated together, at least: 16 MB, about a block of the default model.  Weight by
# weight, the calls themselves cost as much as the arithmetic.
TOGETHER = 2**22
LOST = "beta and lr must keep the margins finite, got NaN or infinity; choose smaller ones"


def finite(gaps: np.ndarray, step: int) -> np.ndarray:
    """The gaps after `step` updates; `ValueError` (one sentence) where one is NaN or infinite."""
    if not np.isfinite(gaps).all():
        raise ValueError(LOST if step else "llm must give finite probabilities, got NaN or infinity before training")
    return gaps


class Updater:
    """One update: packed rows forward and back, then AdamW; each of several processes takes its share of the batch."""

    def __init__(
        self, model, pairs: PackedPairs, trunk, weights: dict, objective: Loss, beta: float, lr: float, dtype: str,
        together: Processes,
    ):
        self.model, self.pairs, self.trunk, self.objective, self.beta = model, pairs, trunk, objective, beta
        self.together, self.seen, self.at_start = together, None, False
        self.weights = list(weights.values())
        self.optimizer = torch.optim.AdamW(self.weights, lr=lr, fused=True, **ADAMW)
        self.device = self.weights[0].device
        # Both savings of memory add small operations, which cost a CPU little and leave a GPU waiting.
        saving = self.device.type == "cpu"
        self.mlps = gated_mlps(model) if saving and dtype == "float32" else []
        self.early = saving and together.count == 1  # the gradients of several processes are added up first
        self.autocast = partial(torch.autocast, self.device.type, torch.bfloat16, enabled=dtype == "bfloat16")

    def refer(self, order: np.ndarray, known: np.ndarray | None) -> np.ndarray:
        """Gaps (N,) under the reference for the pairs of all batches, NaN for others; fills the frozen trunk's states.

        For `whole` pairs log p(chosen) stands below the gaps: (2, N). A process reads the pairs of its own shares, and
        is told what the others read.
        Raises `ValueError` for numbers that are not finite, and for blocks that hand on more than their states.
        """
        used = np.unique(np.concatenate([order[:0].ravel(), *map(self.together.share, order)]))
        shape = 1 + self.pairs.whole, len(self.pairs)
        self.reference = np.full(shape, np.nan, np.float32) if known is None else known.reshape(shape)
        if len(used) and (known is None or self.trunk is not None):
            found = self.reference.copy()
            with torch.no_grad():
                for part, row, context in self._rows(used, FrozenTrunk.record):
                    found[:, used[part]] = self._read(row, context).cpu().numpy()
            if known is None:
                self.reference = self.together.known(found)
                finite(self.reference[:, np.unique(order)], 0)
            if self.trunk is not None:
                self._check_trunk(used, found)
        return self.reference if self.pairs.whole else self.reference[0]

    @torch.no_grad()
    def _check_trunk(self, used: np.ndarray, found: np.ndarray) -> None:
        """Raise `ValueError` unless the upper blocks, given what the trunk kept, lead to the same gaps."""
        wanted = f"blocks must be None for {type(self.model).__name__}, whose blocks"
        part, row, context = next(self._rows(used, FrozenTrunk.replay))
        known = found[:, used[part]]
        try:
            again = self._read(row, context).cpu().numpy()
        except Exception as error:  # whatever a model raises that needs more than the states of its lower blocks
            raise ValueError(f"{wanted} hand on more than their states ({one_line(error)})") from error
        if not np.allclose(again, known, rtol=0, atol=1e-4 * (1 + np.abs(known).max())):
            raise ValueError(f"{wanted} hand on more than their states: without, gaps are off by "
                             f"{np.abs(again - known).max():.2g}")

    def step(self, batch: np.ndarray, rng: np.random.Generator, first: bool) -> dict[str, float]:
        """Update the weights on the pairs `batch`; what was measured before the update.

        Before the `first` update every reward is 0. For a loss that has a kink there, or weighs pairs by how their
        margins spread, it must not be what rounding makes of it.
        Raises `ValueError` where a margin is not finite; the weights are then as they were before it.
        """
        start = time.perf_counter()
        self.at_start = first and (self.objective.of_chosen or self.objective.of_batch)
        share, whole = self.together.share(np.arange(len(batch))), self.pairs.whole
        mine = np.full((1 + whole, len(share)), np.nan, np.float32)
        loss, slopes, rows = self.objective, None, list(self._rows(batch[share], FrozenTrunk.replay))
        if loss.of_batch:
            ahead = self._ahead(batch, share, rows)
            loss, self.seen = loss.on_batch(ahead[0], beta=self.beta, seen=self.seen, rng=rng)
            slopes = loss.slopes(ahead)[:, share]
        for number, (part, row, context) in enumerate(rows, 1):
            with keeping_less(self.mlps):
                rewards = self._rewards(batch[share[part]], row, context)
            mine[:, part] = rewards.detach().cpu().numpy()
            if not np.isfinite(mine[:, part]).all():
                break
            push = loss.slopes(mine[:, part]) if slopes is None else slopes[:, part]
            with self._updating() if self.early and number == len(rows) else nullcontext():
                rewards.backward(gradient=torch.from_numpy(push / len(batch)).to(rewards))
        rewards = _finite_rewards(self.together.gather(mine, share, len(batch)))
        self.together.add_gradients(self.weights)
        # All of them on a GPU; else what is left of the last row, and what it did not use, as experts may be.
        self._update([weight for weight in self.weights if weight.grad is not None])
        more = dict(batch_chosen=rewards[1].mean()) if whole else {}
        if self.objective.of_batch:
            more["batch_betas"] = self.beta * getattr(loss, "scale", 1.0)
        return dict(batch_losses=loss.value(*rewards).mean(), batch_margins=rewards[0].mean(),
                    batch_accuracies=(rewards[0] > 0).mean(), seconds=time.perf_counter() - start, **more)

    @torch.no_grad()
    def _ahead(self, batch: np.ndarray, share: np.ndarray, rows: list) -> np.ndarray:
        """The rewards of the whole batch before its first gradient, for a loss that looks at all of them."""
        mine = np.empty((1 + self.pairs.whole, len(share)), np.float32)
        for part, row, context in rows:
            mine[:, part] = self._rewards(batch[share[part]], row, context).cpu().numpy()
        return _finite_rewards(self.together.gather(mine, share, len(batch)))

    @contextmanager
    def _updating(self) -> Iterator[None]:
        """Update weights and free their gradients soon after the backward pass inside has added to them.

        The gradients of all weights then never exist at once.  Nothing needs them together: there is no clipping.
        """
        ready: list = []

        def add(weight: torch.Tensor) -> None:
            ready.append(weight)
            if sum(w.numel() for w in ready) >= TOGETHER:
                self._update(ready)
                ready.clear()

        hooks = [weight.register_post_accumulate_grad_hook(add) for weight in self.weights]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def _update(self, weights: list) -> None:
        """AdamW on some of the weights, whose gradients are freed; moments and step count belong to each weight."""
        if weights:
            self.optimizer.param_groups[0]["params"] = list(weights)
            self.optimizer.step()
            self.optimizer.zero_grad(set_to_none=True)

    def _rows(self, chosen: np.ndarray, trunk_context):
        """Rows of the pairs `chosen`: places in `chosen`, the row, and a context to run it in."""
        pairs, places = self.pairs.take(chosen)
        for part, row, row_places in pairs.rows(self.device):
            context = nullcontext() if self.trunk is None else trunk_context(self.trunk, places[row_places])
            yield part, row, context

    def _rewards(self, chosen: np.ndarray, row: PackedPairs, context) -> torch.Tensor:
        """Margins of the pairs in a row, and for `whole` pairs the rewards of their chosen answers: (1 or 2, n)."""
        found = self._read(row, context)
        rewards = self.beta * (found - torch.from_numpy(self.reference[:, chosen]).to(found))
        return rewards - rewards.detach() if self.at_start else rewards

    def _read(self, row: PackedPairs, context) -> torch.Tensor:
        head = self.model.get_output_embeddings()
        with context, self.autocast():
            hidden = hidden_states(self.model, row.packing)
        return policy_readings(hidden, row, head.weight, head.bias)


def _finite_rewards(rewards: np.ndarray) -> np.ndarray:
    if not np.isfinite(rewards).all():
        raise ValueError(LOST)
    return rewards


def pack_preferences(llm: LLM, preferences, *, whole: bool = False) -> PackedPairs:
    """The preferences' tokens: prompts as the language model encodes them, answers as they are (see `pack_pairs`)."""
    answers = {answer: llm.tokens(answer) for answer in {*preferences.chosen, *preferences.rejected}}
    prompts = llm.encode_all(preferences.prompts)
    chosen, rejected = ([answers[a] for a in column] for column in (preferences.chosen, preferences.rejected))
    return pack_pairs(prompts, chosen, rejected, whole=whole)


def trainable(stack: ExitStack, model, pairs: dict[str, PackedPairs], blocks: int | None, in_place: bool):
    """The weights to train, by name, and the frozen trunk or None; `stack` undoes all that was done to the model."""
    stack.callback(model.train, model.training)
    stack.callback(model.zero_grad)
    model.eval()
    trunk = None
    if blocks is None:
        if not any(part.normalised for part in pairs.values()):
            tokens = np.unique(np.concatenate([part.tokens() for part in pairs.values()]))
            stack.enter_context(rows_in_play(model, tokens))
            pairs.update({name: part.renumbered(tokens) for name, part in pairs.items()})
        trained = set(model.parameters())
    else:
        lower, upper = top_blocks(model, blocks)
        trunk = FrozenTrunk(lower, len(pairs["train"].packing)) if lower else None
        trained = {p for block in upper for p in block.parameters()}
    for p in model.parameters():
        stack.callback(p.requires_grad_, p.requires_grad)
        p.requires_grad_(p in trained)
    weights = {name: p for name, p in model.named_parameters() if p in trained}
    if not in_place:
        before = {p: p.detach().clone() for p in weights.values()}
        stack.callback(lambda: [p.data.copy_(value) for p, value in before.items()])
    return weights, trunk
