"""Make the long records of `records/` again: full fine-tuning of the language model, one run a file.

    python -m book.tools.reproduce [--only TEXT] [--list]

A record that is there and whole is kept; a run that was interrupted goes on from its checkpoint in `_build/reproduce`
and ends with the same numbers. Each record holds what made it: command, settings, digests, versions, machine, time.
"""

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np

from helpers.files import atomic_file, locked
from helpers.llm import LLM, embed, load_llm
from helpers.preferences import Preferences, load_persona, load_values
from helpers.training import Run, fine_tune

from .source import ROOT

RECORDS = ROOT / "records" / "full"
CHECKPOINTS = ROOT / "_build" / "reproduce"
FEATURES = 2  # statements a cluster whose embeddings are compared before and after training
VERSIONS = ("reward-margins", "torch", "transformers", "numpy")


@dataclass(frozen=True)
class Setting:
    """One run of full fine-tuning: the paper's steps, batch, learning rate and beta, on one choice of values.

    data : "persona" (the paper's list of behaviours for each K) or "values" (groups of the book's 16 values, a
        random partition by seed). answers : "shared" (Yes and No for all) or "own".
    most : training pairs a cluster, at most.   tested : held-out pairs in all, the same number of every cluster.
    """

    data: str
    answers: str
    K: int
    seed: int
    steps: int = 60
    batch: int = 32
    beta: float = 0.01
    lr: float = 1e-5
    evaluate_every: int = 20
    most: int = 200
    tested: int = 256

    @property
    def name(self) -> str:
        """The record's name."""
        return f"{self.data}-{self.answers}-K{self.K:02d}-seed{self.seed}"


def settings() -> list[Setting]:
    """All runs, three seeds each: every K of the paper with shared answers; K = 4 and 16 with own ones beside them.

    First one of each, then the further seeds of the book's own values.
    """
    first = (1, 4, 16, 2, 8)
    values = [("values", "shared", K) for K in first] + [("values", "own", K) for K in (4, 16)]
    persona = [("persona", "shared", K) for K in first]
    kinds = [(persona + values, (0,)), (values, (1, 2)), (persona, (1, 2))]
    return [Setting(*kind, seed) for group, seeds in kinds for seed in seeds for kind in group]


def pairs(setting: Setting) -> tuple[Preferences, Preferences]:
    """Training and held-out pairs of a run."""
    if setting.data == "persona":
        whole = load_persona(setting.K)
    else:
        bank = load_values(answers=setting.answers)
        order = np.random.default_rng([setting.seed, 16]).permutation(bank.K)
        whole = bank.of([bank.names[i] for i in sorted(order[: setting.K])])
    train, test = whole.split(test=0.25, seed=setting.seed)
    each = min(int(test.counts.min()), max(1, setting.tested // (2 * setting.K)))
    return train.per_cluster(min(int(train.counts.min()), setting.most), seed=setting.seed), test.per_cluster(each)


def data_digest(*parts: Preferences) -> str:
    """SHA-256 over the texts of the pairs, in their order."""
    texts = [[list(part.prompts), list(part.chosen), list(part.rejected)] for part in parts]
    return hashlib.sha256(json.dumps(texts).encode()).hexdigest()


def train(setting: Setting, llm: LLM, checkpoint: Path | None, *, steps: int | None = None) -> tuple[Run, Preferences]:
    """The run itself, trained in place, and its held-out pairs; `steps` cuts it short."""
    training, test = pairs(setting)
    run = fine_tune(
        llm, training, test=test, beta=setting.beta, lr=setting.lr, steps=setting.steps if steps is None else steps,
        batch=setting.batch, evaluate_every=setting.evaluate_every, seed=setting.seed, dtype="float32",
        checkpoint=checkpoint, checkpoint_every=setting.evaluate_every, in_place=True, progress=False,
    )
    return run, test


def record(setting: Setting, llm: LLM) -> dict:
    """Train in place, and say everything that the chapters need of the run, and what made it."""
    training, test = pairs(setting)
    watched = test.per_cluster(min(FEATURES, int(test.counts.min())))
    before = embed(llm, watched.prompts, progress=False)
    CHECKPOINTS.mkdir(parents=True, exist_ok=True)
    checkpoint = CHECKPOINTS / f"{setting.name}.safetensors"
    start = time.perf_counter()
    run, _ = train(setting, llm, checkpoint)
    seconds = time.perf_counter() - start
    after = embed(llm, watched.prompts, progress=False)
    found = {
        "setting": asdict(setting),
        "names": list(test.names),
        "pairs": {"train": len(training), "test": len(test)},
        "steps": run.steps.tolist(),
        "batch_losses": rounded(run.batch_losses),
        "train_margins": rounded(run.margins),
        "train_accuracies": rounded(run.accuracies),
        "test_margins": rounded(run.test_margins),
        "test_gaps": rounded(run.test_gaps),
        "value": test.value.tolist(),
        "side": test.side.tolist(),
        "features": {
            "value": watched.value.tolist(), "side": watched.side.tolist(), "prompts": list(watched.prompts),
            "gram_before": rounded(before @ before.T), "gram_after": rounded(after @ after.T),
        },
        "made": {
            "command": f"python -m book.tools.reproduce --only {setting.name}",
            "model": llm.name, "model_digest": llm.digest, "data_digest": data_digest(training, test),
            "versions": {name: version(name) for name in VERSIONS},
            "machine": machine(), "seconds": round(seconds, 1),
        },
    }
    checkpoint.unlink(missing_ok=True)
    return found


def machine() -> str:
    """The machine in words."""
    from .run import machine as measured

    found = measured()
    return f"{found['cores']} cores of {found['processor']}, {found['memory']:.0f} GB of memory"


def whole(path: Path, setting: Setting) -> bool:
    """Whether the record is there, readable, and of this setting."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))["setting"] == asdict(setting)
    except (OSError, ValueError, KeyError):
        return False


def missing(only: str = "") -> Iterator[tuple[Setting, Path]]:
    """The runs that have no whole record, of those whose name holds `only`."""
    for setting in settings():
        path = RECORDS / f"{setting.name}.json"
        if only in setting.name and not whole(path, setting):
            yield setting, path


def rounded(found, digits: int = 5):
    """What JSON holds, or arrays, with every number that is not whole cut to so many digits."""
    if isinstance(found, dict):
        return {key: rounded(value, digits) for key, value in found.items()}
    if isinstance(found, np.ndarray):
        return rounded(found.astype(float).tolist(), digits)
    if isinstance(found, list):
        return [rounded(value, digits) for value in found]
    return float(f"{found:.{digits}g}") if isinstance(found, float) else found


def main(arguments: list[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="make the records whose name holds this text")
    parser.add_argument("--list", action="store_true", help="say which records are missing, and make none")
    options = parser.parse_args(arguments)
    RECORDS.mkdir(parents=True, exist_ok=True)
    for setting, path in missing(options.only):
        print(setting.name, flush=True)
        if options.list:
            continue
        CHECKPOINTS.mkdir(parents=True, exist_ok=True)
        with locked(CHECKPOINTS / setting.name):
            if whole(path, setting):
                continue  # another process made it meanwhile
            text = json.dumps(record(setting, load_llm()), indent=None, sort_keys=True, separators=(",", ":"))
            with atomic_file(path) as partial:
                partial.write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
