"""DPO on the language model itself: the whole model or its last blocks, at the cost of the tokens that matter."""

import hashlib
import os
from contextlib import ExitStack
from itertools import pairwise

import numpy as np
import torch
from tqdm.auto import tqdm

from ..checks import at_least, flag, holds, one_of, path_of, positive
from ..llm.embedding import model_key
from ..llm.model import LLM
from ..llm.packing import check_packing
from ..losses import Loss, Seen, get_loss
from .batches import draws_of, in_batches
from .checkpoints import held, load_checkpoint, save_checkpoint
from .packed_pairs import PackedPairs, evaluate
from .processes import processes
from .products import faster_products
from .runs import Run
from .updates import Updater, finite, pack_preferences, trainable


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
    loss: str | Loss = "dpo",
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
    Processes that `accelerate launch` or `torchrun` started share every batch and make the same updates as one process,
    to rounding; each returns the same record, and the main one alone writes and shows progress.

    Parameters
    ----------
    llm : from `load_llm`, in float32.  Its weights are given back unchanged, unless `in_place`.
    preferences, test : `Preferences` (only prompts and answers are used); `test` may be None.
    beta, lr : > 0.   steps : updates.   batch : pairs an update, at most the number of pairs.
    blocks : None trains all weights; m trains the last m transformer blocks alone, and computes what is below them
        once for each prompt.
    evaluate_every : test margins, in float32, at every that many steps and at the last.
    seed : order of the pairs, each epoch a new permutation.
    loss : "dpo", "ipo", "slic", "dpop" or "beta-dpo", or a `Loss` with other options, such as `DPOPositive(5)`.  "dpop"
        reads the probability of whole answers, so that the head over all tokens is computed; "beta-dpo" reads each
        batch once more, without gradients, before its update.
    dtype : "float32", "bfloat16" (autocast; weights and evaluation stay float32), or None for bfloat16 on a GPU that
        has it and float32 elsewhere.
    checkpoint : file to go on from and to write every `checkpoint_every` steps (weights, moments, record), which all
        processes can read.  On a CPU with the same number of threads and processes a run that was interrupted ends bit
        for bit like one that was not.
    in_place : leave the trained weights in `llm`; also saves the memory of a copy.

    Returns
    -------
    Run recorded at steps 0, evaluate_every, ..., steps; `losses`, `margins` (means) and `accuracies` at a record are
    over the batches since the record before it, each taken before its update.  "dpop" adds `chosen` (means, likewise)
    and `test_chosen`, "beta-dpo" `batch_betas`.

    Raises `ValueError` (one sentence) for settings out of range, a batch smaller than the number of processes, a model
    that takes no packed rows, margins or weights that are no longer finite, and a checkpoint that is damaged or another
    run's; `OSError` where the checkpoint cannot be written, `TimeoutError` where
    another process holds it.
    """
    beta, lr = float(positive("beta", beta)), float(positive("lr", lr))
    flag("progress", progress)
    flag("in_place", in_place)
    at_least("steps", steps, 0, 10**6)
    for name, value, low in (("batch", batch, 1), ("evaluate_every", evaluate_every, 1),
                             ("checkpoint_every", checkpoint_every, 1), ("seed", seed, 0)):
        at_least(name, value, low)
    one_of("dtype", "float32" if dtype is None else dtype, ("float32", "bfloat16"))
    holds("llm", llm, "model tokenizer encode_all", "a model of load_llm")
    sets = {"train": preferences} | ({} if test is None else {"test": test})
    for name, part in zip(("preferences", "test"), sets.values(), strict=False):
        holds(name, part, "prompts chosen rejected", "Preferences")
        if not len(part.prompts):
            raise ValueError(f"{name} must hold at least one pair, got none")
    objective = get_loss(loss)
    model, device = llm.model, llm.model.get_input_embeddings().weight.device
    if batch > len(preferences.prompts):
        raise ValueError(f"batch must be at most {len(preferences.prompts)}, the number of pairs, got {batch}")
    if any(p.dtype != torch.float32 for p in model.parameters()):
        raise ValueError(f"llm must hold float32 weights, got {model.dtype}; load it with dtype='float32'")
    if dtype is None:
        dtype = "bfloat16" if device.type == "cuda" and torch.cuda.is_bf16_supported() else "float32"
    together = processes(device)
    if batch < together.count:
        raise ValueError(f"batch must be at least {together.count}, the number of processes, got {batch}")
    pairs = {name: pack_preferences(llm, part, whole=objective.of_chosen) for name, part in sets.items()}
    settings = dict(kind="fine-tune", model=llm.name, weights=model_key(llm), data=_digest(pairs), beta=beta, lr=lr,
                    steps=steps, batch=batch, blocks=blocks, evaluate_every=evaluate_every, seed=seed,
                    loss=objective.label, dtype=dtype, optimizer="AdamW", N=len(preferences.prompts))
    with ExitStack() as stack:
        stack.enter_context(faster_products(device))
        if checkpoint is not None:
            checkpoint = path_of("checkpoint", checkpoint)
            if together.main:
                stack.enter_context(held(checkpoint))
            together.wait()
        for part in pairs.values():
            check_packing(model, part.packing)
        weights, trunk = trainable(stack, model, pairs, blocks, in_place)
        updater = Updater(model, pairs["train"], trunk, weights, objective, beta, lr, dtype, together)
        history = {"batch_losses": np.empty(0)}
        if checkpoint is not None and checkpoint.exists():
            history = load_checkpoint(checkpoint, settings, weights, updater.optimizer)
        if "seen" in history:
            updater.seen = Seen(*history["seen"].tolist())
        order = in_batches(len(pairs["train"]), batch, steps, seed)
        history["reference"] = updater.refer(order, history.get("reference"))
        recorded = _recorded(steps, evaluate_every)
        done = len(history["batch_losses"])

        def read(part: PackedPairs, step: int) -> np.ndarray:
            found = together.work(len(part), 1 + part.whole, lambda some: evaluate(model, part.take(some)[0]))
            return finite(found, step)

        with tqdm(desc="fine-tuning", total=steps, initial=done, disable=not (progress and together.main)) as bar:
            for step in range(done, steps + 1):
                known = len(history.get("test_gaps", ()))
                if "test" in pairs and known < len(recorded) and step == recorded[known]:
                    for name, found in zip(("test_gaps", "test_chosen"), read(pairs["test"], step), strict=False):
                        history[name] = np.stack([*history.get(name, ()), found])
                elif step == steps > done:  # no step comes after the last one that would notice
                    read(pairs["train"].take(order[-1])[0], step)
                due = step > done and (step % checkpoint_every == 0 or step == steps)
                if checkpoint is not None and due and together.main:
                    save_checkpoint(checkpoint, settings, weights, updater.optimizer, history)
                if step < steps:
                    for name, value in updater.step(order[step], draws_of(seed, step), step == 0).items():
                        history[name] = np.append(history.get(name, ()), value)
                    if updater.seen is not None:
                        history["seen"] = np.array([updater.seen.mean, updater.seen.spread])
                    bar.update()
    return _run(history, recorded, settings, objective)


def _recorded(steps: int, every: int) -> list[int]:
    return [*range(0, steps, every), steps]


def _digest(pairs: dict[str, PackedPairs]) -> str:
    """SHA-256 of all token ids: they depend on the tokenizer and the chat template besides the texts."""
    found = hashlib.sha256()
    for name, part in pairs.items():
        for array in (part.packing.tokens, part.packing.parents, *part.terms):
            found.update(f"{name} {array.shape}".encode() + array.astype("<i8").tobytes())
    return found.hexdigest()


def _run(history: dict[str, np.ndarray], recorded: list[int], settings: dict, objective: Loss) -> Run:
    """The record: at step 0 the reference, at a later one the means over the batches since the record before."""

    def means(name: str, start: float = 0.0) -> np.ndarray:
        return np.array([start] + [history[name][a:b].mean() for a, b in pairwise(recorded)])

    beta, gaps, chosen = settings["beta"], history.get("test_gaps"), history.get("test_chosen")
    margins = None if gaps is None else beta * (gaps - gaps[0])
    return Run(
        steps=np.array(recorded),
        losses=means("batch_losses", objective.at_start()),
        margins=means("batch_margins"),
        accuracies=means("batch_accuracies"),
        test_margins=margins,
        test_accuracies=None if gaps is None else (margins > 0).mean(1),
        test_gaps=gaps,
        ranking_accuracies=None if gaps is None else (gaps > 0).mean(1),
        chosen=means("batch_chosen") if objective.of_chosen else None,
        test_chosen=None if chosen is None else beta * (chosen - chosen[0]),
        batch_losses=history["batch_losses"],
        batch_betas=history.get("batch_betas"),
        seconds=history.get("seconds", np.empty(0)),
        settings=settings,
    )
