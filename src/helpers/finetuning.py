"""DPO on the language model itself: the whole model or its last blocks, at the cost of the tokens that matter."""

import hashlib
import json
import os
import time
from contextlib import ExitStack, nullcontext
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from tqdm.auto import tqdm

from .checkpoints import held, load_checkpoint, save_checkpoint
from .checks import at_least, one_of, positive
from .gaps import PackedPairs, evaluate_gaps, pack_pairs, policy_gaps
from .llm import LLM
from .losses import get_loss
from .packing import check_packing, hidden_states
from .runs import Run
from .trunks import FrozenTrunk, rows_in_play, top_blocks

ADAMW = dict(betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0)  # as TRL: PyTorch's defaults, without weight decay


def fine_tune(
    llm: LLM,
    preferences,
    *,
    beta: float,
    lr: float,
    steps: int,
    batch: int = 32,
    blocks: int | None = None,
    test=None,
    evaluate_every: int = 10,
    seed: int = 0,
    loss: str = "dpo",
    dtype: str | None = None,
    checkpoint: str | os.PathLike | None = None,
    checkpoint_every: int = 10,
    progress: bool = True,
    in_place: bool = False,
) -> Run:
    """Train a language model on preference pairs with AdamW (betas 0.9 and 0.999, eps 1e-8, no weight decay).

    Prompts with a common beginning are packed into rows that hold it once; only the last position of a prompt and
    the rows of its two answers are read, for the normaliser cancels.  An answer of several tokens is a branch after
    its prompt and has its true log-softmax.  Reference gaps are computed once.  The learning rate is constant.

    Parameters
    ----------
    llm : from `load_llm`, in float32.  Its weights are given back unchanged, unless `in_place`.
    preferences, test : `Preferences` (only prompts and answers are used); `test` may be None.
    beta, lr : > 0.   steps : updates.   batch : pairs an update, at most the number of pairs.
    blocks : None trains all weights; m trains the last m transformer blocks alone, and computes what is below them
        once for each prompt.
    evaluate_every : test margins, in float32, at every that many steps and at the last.
    seed : order of the pairs, each epoch a new permutation.
    loss : "dpo", "ipo" or "slic".
    dtype : "float32", "bfloat16" (autocast; weights and evaluation stay float32), or None for bfloat16 on a GPU that
        has it and float32 elsewhere.
    checkpoint : file to go on from and to write every `checkpoint_every` steps (weights, moments, record).  On a CPU
        with the same number of threads a run that was interrupted ends bit for bit like one that was not.
    in_place : leave the trained weights in `llm`; also saves the memory of a copy.

    Returns
    -------
    Run recorded at steps 0, evaluate_every, ..., steps; `losses`, `margins` (means) and `accuracies` at a record are
    over the batches since the record before it, each taken before its update.
    """
    positive("beta", beta)
    positive("lr", lr)
    for name, value, low in (("steps", steps, 0), ("batch", batch, 1), ("evaluate_every", evaluate_every, 1),
                             ("checkpoint_every", checkpoint_every, 1), ("seed", seed, 0)):
        at_least(name, value, low)
    one_of("dtype", dtype or "float32", ("float32", "bfloat16"))
    objective = get_loss(loss)
    model, device = llm.model, llm.model.get_input_embeddings().weight.device
    if batch > len(preferences.prompts):
        raise ValueError(f"batch must be at most {len(preferences.prompts)}, the number of pairs, got {batch}")
    if any(p.dtype != torch.float32 for p in model.parameters()):
        raise ValueError(f"llm must hold float32 weights, got {model.dtype}; load it with dtype='float32'")
    if dtype is None:
        dtype = "bfloat16" if device.type == "cuda" and torch.cuda.is_bf16_supported() else "float32"
    sets = {"train": preferences} | ({} if test is None else {"test": test})
    settings = dict(kind="fine-tune", model=llm.name, digest=llm.digest, data=_digest(sets), beta=beta, lr=lr,
                    steps=steps, batch=batch, blocks=blocks, evaluate_every=evaluate_every, seed=seed, loss=loss,
                    dtype=dtype, optimizer="AdamW", N=len(preferences.prompts))
    with ExitStack() as stack:
        if checkpoint is not None:
            checkpoint = Path(checkpoint)
            stack.enter_context(held(checkpoint))
        pairs = {name: _pack(llm, part) for name, part in sets.items()}
        check_packing(model, [pairs["train"].sequence(i) for i in (0, -1)])
        weights, trunk = _trainable(stack, model, pairs, blocks, in_place)
        tuner = _Tuner(model, pairs["train"], trunk, weights, objective, beta, lr, dtype)
        history = dict.fromkeys(("batch_losses", "batch_margins", "batch_accuracies", "seconds"), np.empty(0))
        if checkpoint is not None and checkpoint.exists():
            history = load_checkpoint(checkpoint, settings, weights, tuner.optimizer)
        order = _order(len(pairs["train"]), batch, steps, seed)
        history["reference"] = tuner.refer(np.unique(order), history.get("reference"))
        recorded = _recorded(steps, evaluate_every)
        done = len(history["batch_losses"])
        with tqdm(desc="fine-tuning", total=steps, initial=done, disable=not progress) as bar:
            for step in range(done, steps + 1):
                known = history.get("test_gaps", ())
                if "test" in pairs and len(known) < len(recorded) and step == recorded[len(known)]:
                    history["test_gaps"] = np.stack([*known, evaluate_gaps(model, pairs["test"])])
                if checkpoint is not None and step > done and (step % checkpoint_every == 0 or step == steps):
                    save_checkpoint(checkpoint, settings, weights, tuner.optimizer, history)
                if step < steps:
                    for name, value in tuner.step(order[step]).items():
                        history[name] = np.append(history[name], value)
                    bar.update()
    return _run(history, recorded, settings)


class _Tuner:
    """One update: packed rows forward and back, then AdamW."""

    def __init__(self, model, pairs: PackedPairs, trunk, weights: dict, objective, beta: float, lr: float, dtype: str):
        self.model, self.pairs, self.trunk, self.objective, self.beta = model, pairs, trunk, objective, beta
        self.optimizer = torch.optim.AdamW(weights.values(), lr=lr, fused=True, **ADAMW)
        device = next(iter(weights.values())).device
        self.autocast = partial(torch.autocast, device.type, torch.bfloat16, enabled=dtype == "bfloat16")

    def refer(self, used: np.ndarray, known: np.ndarray | None) -> np.ndarray:
        """Gaps (N,) under the reference for the pairs `used`, NaN for others; fills the frozen trunk's states."""
        self.reference = np.full(len(self.pairs), np.nan, np.float32) if known is None else known
        if known is None or self.trunk is not None:
            gaps = self.reference.copy()
            with torch.no_grad():
                for chosen, row, context in self._rows(used, FrozenTrunk.record):
                    gaps[chosen] = self._gaps(row, context).cpu().numpy()
            if known is None:
                self.reference = gaps
        return self.reference

    def step(self, batch: np.ndarray) -> dict[str, float]:
        """Update the weights on the pairs `batch`; what was measured before the update."""
        start = time.perf_counter()
        margins = []
        for chosen, row, context in self._rows(batch, FrozenTrunk.replay):
            gaps = self._gaps(row, context)
            r = self.beta * (gaps - torch.from_numpy(self.reference[chosen]).to(gaps))
            margins.append(r.detach().cpu().numpy())
            r.backward(gradient=torch.from_numpy(self.objective.slope(margins[-1]) / len(batch)).to(r))
        margins = np.concatenate(margins)
        if not np.isfinite(margins).all():
            raise ValueError("lr must keep the margins finite, got NaN or infinity; choose a smaller lr")
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return dict(batch_losses=self.objective.value(margins).mean(), batch_margins=margins.mean(),
                    batch_accuracies=(margins > 0).mean(), seconds=time.perf_counter() - start)

    def _rows(self, chosen: np.ndarray, trunk_context):
        pairs, places = self.pairs.take(chosen)
        for part, row, row_places in pairs.rows():
            context = nullcontext() if self.trunk is None else trunk_context(self.trunk, places[row_places])
            yield chosen[part], row, context

    def _gaps(self, row: PackedPairs, context) -> torch.Tensor:
        head = self.model.get_output_embeddings()
        with context, self.autocast():
            hidden = hidden_states(self.model, row.packing)
        return policy_gaps(hidden, row, head.weight, head.bias)


def _pack(llm, preferences) -> PackedPairs:
    """The preferences' tokens: prompts as the language model encodes them, answers as they are."""
    answers = {answer: llm.tokens(answer) for answer in {*preferences.chosen, *preferences.rejected}}
    prompts = llm.encode_all(preferences.prompts)
    return pack_pairs(prompts, [answers[a] for a in preferences.chosen], [answers[a] for a in preferences.rejected])


def _trainable(stack: ExitStack, model, pairs: dict[str, PackedPairs], blocks: int | None, in_place: bool):
    """The weights to train, by name, and the frozen trunk or None; `stack` undoes all that was done to the model."""
    stack.callback(model.train, model.training)
    model.eval()
    trunk = None
    if blocks is None:
        if not any(part.normalised for part in pairs.values()):
            tokens = np.unique(np.concatenate([part.tokens() for part in pairs.values()]))
            stack.enter_context(rows_in_play(model, tokens, keep=in_place))
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


def _order(N: int, batch: int, steps: int, seed: int) -> np.ndarray:
    """Pair numbers of every batch, (steps, batch): one permutation of all pairs after the other."""
    epochs = -(-steps * batch // N)
    stream = [np.random.default_rng([seed, epoch]).permutation(N) for epoch in range(epochs)]
    return np.concatenate([np.empty(0, np.int64), *stream])[: steps * batch].reshape(steps, batch)


def _recorded(steps: int, every: int) -> list[int]:
    return [*range(0, steps, every), steps]


def _digest(sets: dict) -> str:
    texts = {name: [list(part.prompts), list(part.chosen), list(part.rejected)] for name, part in sets.items()}
    return hashlib.sha256(json.dumps(texts).encode()).hexdigest()


def _run(history: dict[str, np.ndarray], recorded: list[int], settings: dict) -> Run:
    """The record: at step 0 the reference, at a later one the means over the batches since the record before."""
    start = {"batch_losses": float(get_loss(settings["loss"]).value(np.zeros(1))[0])}
    mean = {
        name: np.array([start.get(name, 0.0)] + [history[name][a:b].mean() for a, b in pairwise(recorded)])
        for name in ("batch_losses", "batch_margins", "batch_accuracies")
    }
    gaps = history.get("test_gaps")
    margins = None if gaps is None else settings["beta"] * (gaps - gaps[0])
    return Run(
        steps=np.array(recorded),
        losses=mean["batch_losses"],
        margins=mean["batch_margins"],
        accuracies=mean["batch_accuracies"],
        test_margins=margins,
        test_accuracies=None if gaps is None else (margins > 0).mean(1),
        test_gaps=gaps,
        ranking_accuracies=None if gaps is None else (gaps > 0).mean(1),
        batch_losses=history["batch_losses"],
        seconds=history["seconds"],
        settings=settings,
    )
