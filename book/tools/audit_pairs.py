"""Make `records/audit_pairs.json` again: what fine-tuning does to the example pairs of chapter 20.

    python -m book.tools.audit_pairs

Every pair is kept back once, in one of four folds; each fold is judged by a model that was trained on the other three,
the last eight of its thirty blocks, with the labels that the file has. The prediction, from the last layer at the
reference, stands beside it.
"""

import json
import sys
import time
from dataclasses import asdict, dataclass
from importlib.metadata import version

import numpy as np

from helpers.files import atomic_file
from helpers.llm import LLM, answer_states, load_llm
from helpers.preferences import Preferences, example_pairs
from helpers.sequences import push_matrix
from helpers.training import fine_tune

from .reproduce import data_digest, machine
from .source import ROOT

RECORD = ROOT / "records" / "audit_pairs.json"


@dataclass(frozen=True)
class Settings:
    """Of the recorded runs; `seed` deals the folds and orders the batches."""

    folds: int = 4
    beta: float = 0.1
    lr: float = 1e-4
    steps: int = 12
    every: int = 3
    batch: int = 10
    blocks: int = 8
    seed: int = 0


SLICE = Settings(folds=20, steps=1, every=1, blocks=2)  # of the first fold alone: what a test makes again


def deal(N: int, settings: Settings) -> np.ndarray:
    """The fold of every pair, shape (N,)."""
    return np.random.default_rng([settings.seed, 20]).permutation(np.arange(N) % settings.folds)


def trained(llm: LLM, pairs: Preferences, settings: Settings, folds: int | None = None) -> tuple[list[int], np.ndarray]:
    """Recorded steps, and the margins of the pairs that were kept back, shape (steps, N), NaN where not judged."""
    fold, margins, steps = deal(len(pairs), settings), None, []
    for n in range(settings.folds if folds is None else folds):
        known, new = np.flatnonzero(fold != n), np.flatnonzero(fold == n)
        run = fine_tune(llm, pairs.take(known), beta=settings.beta, lr=settings.lr, steps=settings.steps,
                        batch=settings.batch, blocks=settings.blocks, test=pairs.take(new),
                        evaluate_every=settings.every, seed=settings.seed,
                        dtype="float32", progress=False)
        margins = np.full((len(run.steps), len(pairs)), np.nan) if margins is None else margins
        margins[:, new], steps = run.test_margins, run.steps.tolist()
        print("fold", n, "seconds", round(float(run.seconds.sum())), flush=True)
    return steps, margins


def main() -> int:
    """Command line."""
    begin, llm, pairs, settings = time.perf_counter(), load_llm(), example_pairs(), Settings()
    _, first = trained(llm, pairs, SLICE, folds=1)
    new = np.flatnonzero(deal(len(pairs), SLICE) == 0)
    steps, margins = trained(llm, pairs, settings)
    read = answer_states(llm, pairs.prompts, pairs.chosen, pairs.rejected)
    pushes = push_matrix(llm.unembedding(), read)
    found = {
        "settings": asdict(settings), "steps": steps, "fold": deal(len(pairs), settings).tolist(),
        "margins": _rounded(margins), "pushes": _rounded(pushes), "lengths": read.lengths.tolist(),
        "slice": {"pairs": new.tolist(), "margins": _rounded(first[:, new])},
        "made": {
            "command": "python -m book.tools.audit_pairs", "model": llm.name, "model_digest": llm.digest,
            "data": f"{len(pairs)} pairs of helpers.preferences.example_pairs", "data_digest": data_digest(pairs),
            "machine": machine(),
            "versions": {name: version(name) for name in ("reward-margins", "torch", "transformers", "numpy")},
            "seconds": round(time.perf_counter() - begin, 1),
        },
    }
    with atomic_file(RECORD) as partial:
        partial.write_text(json.dumps(found, separators=(",", ":")) + "\n", encoding="utf-8")
    print(RECORD)
    return 0


def _rounded(values: np.ndarray) -> list:
    return [[None if np.isnan(x) else float(f"{x:.5g}") for x in row] for row in values]


if __name__ == "__main__":
    sys.exit(main())
