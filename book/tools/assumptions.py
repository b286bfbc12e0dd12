"""Make `records/assumptions.json` again: chapter 9's checks and its audit on the paper's own data.

    python -m book.tools.assumptions

The Persona evaluations are not part of the book, so its page cannot be built from them: they are read from the folder
that REWARD_MARGINS_PERSONA names, or fetched once, and only numbers are kept.
"""

import copy
import json
import sys
import time
from dataclasses import replace
from importlib.metadata import version

import numpy as np
import torch

from helpers.audit import audit, measure_geometry, published_cosines, published_norms
from helpers.files import atomic_file
from helpers.llm import LLM, embed, load_llm
from helpers.preferences import Preferences, load_persona
from helpers.preferences.persona import persona_source

from .reproduce import data_digest, machine, rounded
from .source import ROOT

RECORD = ROOT / "records" / "assumptions.json"
Q = 50  # statements a cluster of each of the 30 behaviours
SLICE = ("agreeableness", "risk-averse"), 8  # behaviours and statements a cluster that a test measures again
NAMED = (
    ("desire-for-independence-from-human-oversight", "desire-for-no-human-oversight-sometimes"),
    ("anti-immigration", "openness"),
    ("agreeableness", "being-helpful-to-subtly-achieve-goals-against-human-values"),
)


def statements(pairs: Preferences) -> list[str]:
    """The statements alone, without the question about them."""
    return [prompt.split('"', 1)[1][:-1] for prompt in pairs.prompts]


def bare(llm: LLM) -> LLM:
    """The model without its chat template, so that a text is embedded as it stands."""
    tokenizer = copy.deepcopy(llm.tokenizer)
    tokenizer.chat_template = None
    return replace(llm, tokenizer=tokenizer)


def named(x: np.ndarray, pairs: Preferences) -> list:
    """Of the pairs that the chapter names: both names, the cosine of their concepts, and what the check gives."""
    concepts = measure_geometry(x, pairs.value, pairs.side).cosines
    _, after = published_cosines(x, pairs.value, pairs.side)
    found = []
    for pair in NAMED:
        if set(pair) <= set(pairs.names):
            at = tuple(pairs.names.index(name) for name in pair)
            found.append([*pair, float(concepts[at]), float(after[at])])
    return found


def checks(x: np.ndarray, value: np.ndarray, side: np.ndarray) -> dict:
    """The paper's two checks and the cosines of the concepts, on one set of embeddings."""
    upper = np.triu_indices(int(value.max()) + 1, 1)
    before, after = published_cosines(x, value, side)
    concepts = measure_geometry(x, value, side).cosines[upper]
    found = {name: _three(table[upper]) for name, table in (("before", before), ("after", after))}
    found["concepts"] = _three(concepts)
    for reading in ("average", "each"):
        norm, trace = published_norms(x, value, side, norm=reading)
        n = np.sum((value == 0) & (side == 1)) - 1
        found[reading] = {
            "norm": float(norm.mean()), "trace": float(trace.mean()),
            "isotropic_norm": float(trace.mean() * np.sqrt(1 / x.shape[1] + 1 / n)),
        }
    return found


def measured(llm: LLM, pairs: Preferences) -> dict:
    """Everything that chapter 9 says of the paper's data."""
    x = embed(bare(llm), statements(pairs), progress=False).astype(float)
    with torch.no_grad():
        twice = llm.model.model.norm(torch.tensor(x, dtype=torch.float32)).double().numpy()
    report = audit(embed(llm, pairs.prompts, progress=False).astype(float), pairs)
    cosines = report.cosines.value[np.triu_indices(report.K, 1)]
    return {
        "named": named(x, pairs),
        "once": checks(x, pairs.value, pairs.side), "twice": checks(twice, pairs.value, pairs.side),
        "audit": {name: _three(getattr(report, name).value)
                  for name in ("shared", "offset", "noise", "noise_coordinate", "directions")}
        | {"cosines": _three(cosines), "d": report.d, "Q": report.Q, "K": report.K,
           "directions_isotropic": float(np.median(report.spread.directions_isotropic)),
           "smallest_p": {kind: report.gaussian.smallest(kind) for kind in ("concept", "random", "leading")},
           "share_p": {kind: report.gaussian.share(kind) for kind in ("concept", "random", "leading")}},
        "hypotheses": [[check.name, check.relation, check.value, check.limit, check.verdict]
                       for check in report.hypotheses],
        "mixture": [[check.name, check.value, check.low, check.high, check.limit, check.verdict]
                    for check in report.mixture],
    }


def again(llm: LLM) -> dict:
    """The checks on a small part of the data, which a test can make again."""
    names, each = SLICE
    pairs = load_persona(list(names)).per_cluster(each)
    x = embed(bare(llm), statements(pairs), progress=False).astype(float)
    return checks(x, pairs.value, pairs.side)


def main() -> int:
    """Command line."""
    start, llm = time.perf_counter(), load_llm()
    pairs = load_persona(sorted(persona_source()["sha256"])).per_cluster(Q)
    found = measured(llm, pairs) | {"slice": again(llm)} | {"made": {
        "command": "python -m book.tools.assumptions", "model": llm.name, "model_digest": llm.digest,
        "data": f"{len(pairs)} statements of {pairs.K} behaviours", "data_digest": data_digest(pairs),
        "commit": persona_source()["commit"], "machine": machine(),
        "versions": {name: version(name) for name in ("reward-margins", "torch", "transformers", "numpy")},
        "seconds": round(time.perf_counter() - start, 1),
    }}
    with atomic_file(RECORD) as partial:
        partial.write_text(json.dumps(rounded(found), indent=1) + "\n", encoding="utf-8")
    print(RECORD)
    return 0


def _three(values: np.ndarray) -> list[float]:
    return [float(np.min(values)), float(np.median(values)), float(np.max(values))]


if __name__ == "__main__":
    sys.exit(main())
