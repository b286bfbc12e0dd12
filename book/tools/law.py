"""Make `records/law.json` again: chapter 12's test of its predictions of the risk on the paper's own data.

    python -m book.tools.law

The protocol, fixed before the behaviours `UNSEEN` were looked at. They were looked at once.

1. Data. The 30 behaviours of the Persona evaluations that the paper names, sorted by name. The first 16 served to make
   the law and to find where it is biased (`LOOKED_AT`); the other 14 are the test (`UNSEEN`). 150 statements a cluster,
   chat prompts, the last state of SmolLM2-135M-Instruct.
2. Splits. Ten, seeds 0 to 9. Each deals the statements of every cluster into two halves of 75 and the behaviours into
   groups of K, so that every K has the same behaviours. The halves then change places, and both results are averaged.
3. Prediction. From one half alone: its mean is the centre, and `one_step_risk_from_interactions` of its centred
   statements is the prediction; the law N5, `law_from_interactions`, is recorded beside it. No constant is fitted, and
   the other half is not used.
4. Measurement. In the other half, centred by the same centre, Q statements a cluster are learned by the first step and
   all others are judged; four draws of the Q, averaged. Own answers, one answer in common (`star`), Yes and No for all.
5. What is reported. Over all settings (answers, K, Q; at K = 1 answers do not matter): mean absolute difference of
   prediction and error, mean difference with Student's interval over the splits, the largest difference, and R^2 of
   the settings' means. And the same for one half alone, without exchange, since a reader has one set of statements.

How the bias was found, on `LOOKED_AT` and the book's values: N5 says too much at few samples (by .012 at Q = 4), in
every split. In the mixture the estimate from products has no such bias, so it is the last line of N5 itself,
which takes T to be normal. Given the new statement T is a mean over training statements and much nearer to normal; the
prediction in 3 uses only that.

The Persona evaluations are not part of the book, so its page cannot be built from them: they are read from the folder
that REWARD_MARGINS_PERSONA names, or fetched once, and only numbers are kept. For the runs of full fine-tuning
(`reproduce`) the law of the last layer's first step is recorded too, from statements that the run does not test on.
"""

import json
import sys
import time
from importlib.metadata import version

import numpy as np

from helpers import layouts
from helpers.files import atomic_file
from helpers.llm import LLM, embed, load_llm
from helpers.mixture import Sample
from helpers.preferences import Preferences, load_persona
from helpers.preferences.persona import persona_source
from helpers.risk import first_step_errors, law_from_interactions, one_step_risk_from_interactions

from . import reproduce
from .source import ROOT

RECORD = ROOT / "records" / "law.json"
SORTED = tuple(sorted(persona_source()["sha256"]))
LOOKED_AT, UNSEEN = SORTED[:16], SORTED[16:]
EACH, SPLITS, DRAWS = 150, 10, 4  # statements a cluster, splits, and draws of the training statements in each
ANSWERS = {"own answers": layouts.disjoint, "one in common": layouts.star, "Yes and No": layouts.shared}
QS = (4, 8, 16, 32, 64)
WHAT = ("predictions", "laws", "errors")
PARTS = {"looked_at": (LOOKED_AT, (1, 2, 4, 8, 16)), "unseen": (UNSEEN, (1, 2, 7, 14))}
SLICE = ("agreeableness", "risk-averse"), 12, (2, 4)  # behaviours, statements a cluster, and Q, that a test takes again


def trial(x: np.ndarray, pairs: Preferences, Ks: tuple, Qs: tuple, seed: int) -> np.ndarray:
    """Predictions, laws and errors of one split, shape (3, answers, directions, Ks, Qs)."""
    rng = np.random.default_rng([seed, pairs.K])
    order = rng.permutation(pairs.K)
    row = {key: j for j, key in enumerate(zip(pairs.prompts, pairs.value, pairs.side, strict=True))}
    parts = pairs.split(test=0.5, seed=seed)
    where = [np.array([row[key] for key in zip(part.prompts, part.value, part.side, strict=True)]) for part in parts]
    found = np.empty((len(WHAT), len(ANSWERS), 2, len(Ks), len(Qs)))
    for direction, (known, held) in enumerate((where, where[::-1])):
        for k, K in enumerate(Ks):
            groups = order.reshape(-1, K)
            for a, layout_of in enumerate(ANSWERS.values()):
                if K == 1 and a:  # one value has no answers to share
                    found[:, a, direction, k] = found[:, 0, direction, k]
                    continue
                each = [one_group(x, pairs, known, held, group, layout_of(K), Qs, rng) for group in groups]
                found[:, a, direction, k] = np.mean(each, axis=0)
    return found


def one_group(x, pairs, known, held, group, layout, Qs, rng) -> np.ndarray:
    """Prediction and law from the rows `known`, errors on the rows `held`, of one group of values; shape (3, Qs)."""
    number = np.full(pairs.K, -1)
    number[group] = np.arange(len(group))
    known, held = (rows[number[pairs.value[rows]] >= 0] for rows in (known, held))
    centre = x[known].mean(axis=0)
    samples = [Sample(x[rows] - centre, number[pairs.value[rows]], pairs.side[rows]) for rows in (known, held)]
    said = [of(samples[0], layout, Qs).mean(axis=1) for of in (one_step_risk_from_interactions, law_from_interactions)]
    errors = [first_step_errors(samples[1], layout, Qs, rng).mean(axis=(1, 2)) for _ in range(DRAWS)]
    return np.array([*said, np.mean(errors, axis=0)])


def measured(x: np.ndarray, pairs: Preferences, Ks: tuple, Qs: tuple = QS, splits: int = SPLITS) -> dict:
    """Predictions, laws and errors of all splits, by answers: lists of shape (splits, directions, Ks, Qs)."""
    found = np.array([trial(x, pairs, Ks, Qs, seed) for seed in range(splits)])
    return {"names": list(pairs.names), "Ks": list(Ks), "Qs": list(Qs)} | {
        what: {name: found[:, part, a].tolist() for a, name in enumerate(ANSWERS)} for part, what in enumerate(WHAT)
    }


def before_full(llm: LLM, setting: reproduce.Setting) -> dict:
    """The law N5 of the first step for a run of full fine-tuning, from statements that it does not test on."""
    training, test = reproduce.pairs(setting)
    pool = load_persona(setting.K).per_cluster(EACH) if setting.data == "persona" else training
    tested = set(test.prompts)
    pool = pool.take([j for j, prompt in enumerate(pool.prompts) if prompt not in tested])
    x = embed(llm, pool.prompts, progress=False).astype(float)
    Q = int(training.counts.min())
    sample = Sample(x - x.mean(axis=0), pool.value, pool.side)
    at, floor = law_from_interactions(sample, training.layout, [Q, np.inf]).mean(axis=1)
    return {"name": setting.name, "Q": Q, "known": int(pool.counts.min()), "law": float(at), "floor": float(floor)}


def again(llm: LLM) -> dict:
    """A small trial that a test can make again."""
    names, each, Qs = SLICE
    pairs = load_persona(list(names)).per_cluster(each)
    return measured(embed(llm, pairs.prompts, progress=False).astype(float), pairs, (1, 2), Qs, splits=1)


def main() -> int:
    """Command line."""
    start, llm, found = time.perf_counter(), load_llm(), {}
    every = []
    for part, (names, Ks) in PARTS.items():
        pairs = load_persona(list(names)).per_cluster(EACH)
        found[part] = measured(embed(llm, pairs.prompts, progress=False).astype(float), pairs, Ks)
        every.append(pairs)
    found["before_full"] = [before_full(llm, setting) for setting in reproduce.settings() if setting.seed == 0]
    found["slice"] = again(llm)
    found["made"] = {
        "command": "python -m book.tools.law", "model": llm.name, "model_digest": llm.digest,
        "data": f"{sum(map(len, every))} statements of {sum(pairs.K for pairs in every)} behaviours",
        "data_digest": reproduce.data_digest(*every), "commit": persona_source()["commit"],
        "machine": reproduce.machine(), "seconds": round(time.perf_counter() - start, 1),
        "versions": {name: version(name) for name in ("reward-margins", "torch", "transformers", "numpy")},
    }
    with atomic_file(RECORD) as partial:
        partial.write_text(json.dumps(reproduce.rounded(found, 4), separators=(",", ":")) + "\n", encoding="utf-8")
    print(RECORD)
    return 0


if __name__ == "__main__":
    sys.exit(main())
