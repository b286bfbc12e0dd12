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
from .frozen import FrozenTrunk, rows_in_play, top_blocks
from .gated import gated_mlps, keeping_less
from .packed_pairs import PackedPairs, pack_pairs, policy_gaps
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
        self, model, pairs: PackedPairs, trunk, weights: dict, objective, beta: float, lr: float, dtype: str,
        together: Processes,
    ):
        self.model, self.pairs, self.trunk, self.objective, self.beta = model, pairs, trunk, objective, beta
        self.together = together
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

        A process reads the pairs of its own shares, and is told the gaps of the others'.
        Raises `ValueError` for gaps that are not finite, and for blocks that hand on more than their states.
        """
        used = np.unique(np.concatenate([order[:0].ravel(), *map(self.together.share, order)]))
        self.reference = np.full(len(self.pairs), np.nan, np.float32) if known is None else known
        if len(used) and (known is None or self.trunk is not None):
            gaps = self.reference.copy()
            with torch.no_grad():
                for part, row, context in self._rows(used, FrozenTrunk.record):
                    gaps[used[part]] = self._gaps(row, context).cpu().numpy()
            if known is None:
                self.reference = self.together.known(gaps)
                finite(self.reference[np.unique(order)], 0)
            if self.trunk is not None:
                self._check_trunk(used, gaps)
        return self.reference

    @torch.no_grad()
    def _check_trunk(self, used: np.ndarray, gaps: np.ndarray) -> None:
        """Raise `ValueError` unless the upper blocks, given what the trunk kept, lead to the same gaps."""
        wanted = f"blocks must be None for {type(self.model).__name__}, whose blocks"
        part, row, context = next(self._rows(used, FrozenTrunk.replay))
        known = gaps[used[part]]
        try:
            again = self._gaps(row, context).cpu().numpy()
        except Exception as error:  # whatever a model raises that needs more than the states of its lower blocks
            raise ValueError(f"{wanted} hand on more than their states ({one_line(error)})") from error
        if not np.allclose(again, known, rtol=0, atol=1e-4 * (1 + np.abs(known).max())):
            raise ValueError(f"{wanted} hand on more than their states: without, gaps are off by "
                             f"{np.abs(again - known).max():.2g}")

    def step(self, batch: np.ndarray) -> dict[str, float]:
        """Update the weights on the pairs `batch`; what was measured before the update.

        Raises `ValueError` where a margin is not finite; the weights are then as they were before it.
        """
        start = time.perf_counter()
        share = self.together.share(np.arange(len(batch)))
        mine, rows = np.full(len(share), np.nan, np.float32), list(self._rows(batch[share], FrozenTrunk.replay))
        for number, (part, row, context) in enumerate(rows, 1):
            with keeping_less(self.mlps):
                gaps = self._gaps(row, context)
            r = self.beta * (gaps - torch.from_numpy(self.reference[batch[share[part]]]).to(gaps))
            mine[part] = r.detach().cpu().numpy()
            if not np.isfinite(mine[part]).all():
                break
            with self._updating() if self.early and number == len(rows) else nullcontext():
                r.backward(gradient=torch.from_numpy(self.objective.slope(mine[part]) / len(batch)).to(r))
        margins = self.together.gather(mine, share, len(batch))
        if not np.isfinite(margins).all():
            raise ValueError(LOST)
        self.together.add_gradients(self.weights)
        # All of them on a GPU; else what is left of the last row, and what it did not use, as experts may be.
        self._update([weight for weight in self.weights if weight.grad is not None])
        return dict(batch_losses=self.objective.value(margins).mean(), batch_margins=margins.mean(),
                    batch_accuracies=(margins > 0).mean(), seconds=time.perf_counter() - start)

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

    def _gaps(self, row: PackedPairs, context) -> torch.Tensor:
        head = self.model.get_output_embeddings()
        with context, self.autocast():
            hidden = hidden_states(self.model, row.packing)
        return policy_gaps(hidden, row, head.weight, head.bias)


def pack_preferences(llm: LLM, preferences) -> PackedPairs:
    """The preferences' tokens: prompts as the language model encodes them, answers as they are."""
    answers = {answer: llm.tokens(answer) for answer in {*preferences.chosen, *preferences.rejected}}
    prompts = llm.encode_all(preferences.prompts)
    return pack_pairs(prompts, [answers[a] for a in preferences.chosen], [answers[a] for a in preferences.rejected])


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
