"""Make `records/more_values.json` again: chapter 10's runs on the paper's own data.

    python -m book.tools.more_values

Last-layer training on the Persona evaluations, for K = 1, 2, 4, 8, 16 behaviours: in balanced groups of the paper's
sixteen (every K trains on the same behaviours), and on the paper's own list for each K. The data are read from the
folder that REWARD_MARGINS_PERSONA names, or fetched once, and only numbers are kept.
"""

import json
import sys
import time
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version

import numpy as np

from helpers.audit import measure_geometry
from helpers.files import atomic_file
from helpers.llm import LLM, embed, load_llm
from helpers.mixture import Sample
from helpers.preferences import Preferences, load_persona
from helpers.preferences.persona import persona_source
from helpers.risk import law_from_interactions
from helpers.training import train_last_layer

from .reproduce import data_digest, machine, rounded
from .source import ROOT

RECORD = ROOT / "records" / "more_values.json"
VALUES = (1, 2, 4, 8, 16)
ANSWERS = ("shared", "own")
GD, ADAM = dict(beta=0.1, lr=1.0), dict(beta=0.01, lr=1e-3, optimizer="adam")  # ADAM as in the paper


@dataclass(frozen=True)
class Size:
    """How much is measured: statements a cluster, share held out, splits, steps, and the numbers of values."""

    each: int = 100
    test: float = 0.25
    splits: int = 10
    steps: int = 100
    values: tuple = VALUES


SLICE = Size(each=24, splits=2, steps=20, values=(1, 2, 4))  # of the first four behaviours: a test makes it again


def groups(K: int, names: tuple[str, ...], seed: int) -> list[list[str]]:
    """All names, in groups of K: a partition by lot, in which smaller groups lie within larger ones."""
    order = [names[i] for i in np.random.default_rng([seed, 10]).permutation(len(names))]
    return [order[start : start + K] for start in range(0, len(order), K)]


def with_answers(pairs: Preferences, answers: str) -> Preferences:
    """The same pairs with Yes and No for all ("shared"), or each value with two answers of its own ("own")."""
    if answers == "shared":
        return pairs
    told = [tuple(f"{word} {i}" for i in pairs.value) for word in (" Yes", " No")]
    chosen, rejected = zip(*[(a, b)[::s] for a, b, s in zip(*told, pairs.side, strict=True)], strict=True)
    return replace(pairs, chosen=chosen, rejected=rejected)


def measured(x: np.ndarray, train: Preferences, x_test: np.ndarray, test: Preferences, steps: int) -> dict:
    """The law before training, and what training gave: errors of held-out pairs, mean margins of all pairs.

    Gradient descent sees embeddings less the mean of the training ones; Adam sees them as they are.
    """
    centre, Q = x.mean(axis=0), int(train.counts.min())
    sample = Sample((x - centre).astype(float), train.value, train.side)
    law = law_from_interactions(sample, train.layout, Q)
    once, run = (train_last_layer(x - centre, train, steps=n, test=(x_test - centre, test), every=n, **GD)
                 for n in (1, steps))
    adam = train_last_layer(x, train, steps=steps, test=(x_test, test), every=steps, **ADAM)
    found = {"law": law, "gd_first": 1 - once.test_accuracies[-1], "gd_last": 1 - run.test_accuracies[-1],
             "gd_margin": run.test_margins[-1], "adam": 1 - adam.test_accuracies[-1],
             "adam_margin": adam.margins[-1], "adam_test_margin": adam.test_margins[-1]}
    return {name: float(np.mean(value)) for name, value in found.items()}


def splits(llm: LLM, pairs: Preferences, choose, size: Size) -> dict:
    """answers -> quantity -> a list for each split, a number for each K; `choose(K, seed)` gives the groups."""
    x = embed(llm, pairs.prompts, progress=False)
    row = {prompt: j for j, prompt in enumerate(pairs.prompts)}
    found: dict = {answers: {} for answers in ANSWERS}
    for seed in range(size.splits):
        parts = pairs.split(test=size.test, seed=seed)
        for answers in ANSWERS:
            lines: dict = {}
            for K in size.values:
                each = []
                for names in choose(K, seed):
                    train, test = (with_answers(part.of(names), answers) for part in parts)
                    rows = [x[[row[prompt] for prompt in part.prompts]] for part in (train, test)]
                    each.append(measured(rows[0], train, rows[1], test, size.steps))
                for name in each[0]:
                    lines.setdefault(name, []).append(float(np.mean([one[name] for one in each])))
            for name, line in lines.items():
                found[answers].setdefault(name, []).append(line)
    return found


def again(llm: LLM) -> dict:
    """The same on a small part of the data, which a test can make again."""
    names = tuple(persona_source()["paper_runs"]["16"][:4])
    pairs = load_persona(list(names)).per_cluster(SLICE.each)
    return splits(llm, pairs, lambda K, seed: groups(K, names, seed), SLICE)


def main() -> int:
    """Command line."""
    start, llm, size = time.perf_counter(), load_llm(), Size()
    lists = {int(K): names for K, names in persona_source()["paper_runs"].items()}
    every = tuple(sorted({name for names in lists.values() for name in names}))
    pairs = load_persona(list(every)).per_cluster(size.each)
    sixteen = tuple(lists[16])
    all_of = pairs.of(list(sixteen))
    geometry = measure_geometry(embed(llm, all_of.prompts, progress=False), all_of.value, all_of.side)
    cosines = geometry.cosines[np.triu_indices(16, 1)]
    found = {
        "K": list(size.values),
        "balanced": splits(llm, pairs, lambda K, seed: groups(K, sixteen, seed), size),
        "lists": splits(llm, pairs, lambda K, seed: [lists[K]], size),
        "cosines": {"least": float(cosines.min()), "mean": float(cosines.mean()), "most": float(cosines.max())},
        "slice": again(llm),
        "made": {
            "command": "python -m book.tools.more_values", "model": llm.name, "model_digest": llm.digest,
            "data": f"{len(pairs)} statements of {pairs.K} behaviours", "data_digest": data_digest(pairs),
            "commit": persona_source()["commit"], "settings": asdict(size) | {"gd": GD, "adam": ADAM},
            "machine": machine(), "seconds": round(time.perf_counter() - start, 1),
            "versions": {name: version(name) for name in ("reward-margins", "torch", "transformers", "numpy")},
        },
    }
    with atomic_file(RECORD) as partial:
        partial.write_text(json.dumps(rounded(found)) + "\n", encoding="utf-8")
    print(RECORD)
    return 0


if __name__ == "__main__":
    sys.exit(main())
