"""Measure how well a linear probe tells the two sides of each value apart, and write it into the data card.

    python -m book.tools.data_card            measure, write records/values_probe.json and the card's tables
    python -m book.tools.data_card --tables   write the card's tables from the record and the registry alone
"""

import argparse
import hashlib
import json
import platform
import re
from importlib.metadata import version
from importlib.resources import files

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from helpers.preferences.bank import load_values, value_glosses
from helpers.preferences.pairs import Preferences
from helpers.statistics import wilson_interval

from .source import ROOT

RECORD = ROOT / "records" / "values_probe.json"
CARD = ROOT / "book" / "data-card.md"
MARKS = "<!-- {}: written by book/tools/data_card.py -->", "<!-- end of {} -->"
FOLDS, PENALTY, SEED = 4, 1.0, 0


def logistic(x: np.ndarray, y: np.ndarray, penalty: float) -> np.ndarray:
    """The w, shape (p,), that minimizes sum_j log(1 + exp(-y_j w.x_j)) + penalty |w|^2 / 2, y in {+1, -1}."""

    def objective(w):
        margin = y * (x @ w)
        return np.logaddexp(0, -margin).sum() + penalty / 2 * w @ w, penalty * w - x.T @ (y * expit(-margin))

    found = minimize(objective, np.zeros(x.shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": 1000})
    return found.x


def folds(side: np.ndarray, seed: int = SEED) -> np.ndarray:
    """A fold 0..FOLDS-1 for each statement, shape (N,): each side is shuffled and dealt out evenly."""
    fold = np.empty(len(side), dtype=int)
    rng = np.random.default_rng(seed)
    for s in (1, -1):
        rows = rng.permutation(np.flatnonzero(side == s))
        fold[rows] = np.arange(len(rows)) % FOLDS
    return fold


def held_out_hits(x: np.ndarray, side: np.ndarray) -> int:
    """Statements whose side a probe, trained on the other folds, gets right.

    x has shape (N, p). Coordinates are centred and scaled by the training folds' mean and deviation. There is
    no bias: the two sides are equally many and the mean is taken out.
    """
    hits, fold = 0, folds(side)
    for k in range(FOLDS):
        train, test = fold != k, fold == k
        scale = x[train].std(axis=0)
        z = (x - x[train].mean(axis=0)) / np.where(scale > 0, scale, 1.0)
        w = logistic(z[train], side[train], PENALTY)
        hits += int(np.sum(side[test] * (z[test] @ w) > 0))
    return hits


def word_table(prompts: tuple[str, ...]) -> np.ndarray:
    """Which word stands in which statement, shape (N, words), 0 or 1."""
    sets = [set(re.findall(r"[a-z']+", prompt.split("\n", 1)[1].lower())) for prompt in prompts]
    words = sorted(set().union(*sets))
    return np.array([[word in found for word in words] for found in sets], dtype=float)


def probe_value(embeddings: np.ndarray, pairs: Preferences) -> dict:
    """The probe of one value on embeddings (N, d), and the same probe on bare words."""
    hits = held_out_hits(embeddings.astype(np.float64), pairs.side)
    low, high = wilson_interval(hits / len(pairs), len(pairs))
    words = held_out_hits(word_table(pairs.prompts), pairs.side)
    rounded = {"accuracy": round(hits / len(pairs), 4), "low": round(low, 4), "high": round(high, 4)}
    return {"statements": len(pairs), "right": hits, **rounded, "right_by_words": words}


def data_digest() -> str:
    """SHA-256 of the statements of all values, file after file."""
    folder = files("helpers").joinpath("data/values")
    found = hashlib.sha256()
    for name in load_values().names:
        found.update(folder.joinpath(f"{name}.jsonl").read_bytes())
    return found.hexdigest()


def measure() -> dict:
    """The whole record: settings, versions, digests, and by value what `probe_value` gives."""
    from helpers.llm.embedding import embed
    from helpers.llm.loading import load_llm

    llm, bank = load_llm(), load_values()
    embeddings = embed(llm, bank.prompts)
    return {
        "command": "python -m book.tools.data_card",
        "model": llm.name,
        "model_digest": llm.digest,
        "data_sha256": data_digest(),
        "versions": {name: version(name) for name in ("numpy", "scipy", "torch", "transformers")},
        "python": platform.python_version(),
        "settings": {"folds": FOLDS, "penalty": PENALTY, "seed": SEED},
        "values": {n: probe_value(embeddings[bank.value == i], bank.of(n)) for i, n in enumerate(bank.names)},
    }


def table(record: dict) -> str:
    """The record as a Markdown table, a row a value and one for all."""
    lines = ["| value | right of held out | accuracy | 95 % interval | words alone |", "|" + " --- |" * 5]
    rows = dict(sorted(record["values"].items(), key=lambda item: -item[1]["right"]))
    total = {key: sum(row[key] for row in rows.values()) for key in ("statements", "right", "right_by_words")}
    accuracy = total["right"] / total["statements"]
    low, high = wilson_interval(accuracy, total["statements"])
    rows["all"] = {**total, "accuracy": accuracy, "low": low, "high": high}
    for name, row in rows.items():
        words = row["right_by_words"] / row["statements"]
        lines.append(
            f"| {name} | {row['right']} of {row['statements']} | {percent(row['accuracy'])} "
            f"| {percent(row['low'])} to {percent(row['high'])} | {percent(words)} |"
        )
    return "\n".join(lines)


def registry() -> str:
    """The values, what they mean and their answers, as a Markdown table."""
    lines = ["| value | meaning | first answer | second answer |", "|" + " --- |" * 4]
    answers = load_values().layout.pairs
    for (name, gloss), (first, second) in zip(value_glosses().items(), answers, strict=True):
        lines.append(f"| {name} | {gloss} | {first.strip()} | {second.strip()} |")
    return "\n".join(lines)


def percent(share: float) -> str:
    """A share in percent, to a tenth."""
    return f"{100 * share:.1f} %"


def with_block(text: str, name: str, block: str) -> str:
    """The text with `block` between the marks called `name`."""
    start, end = (mark.format(name) for mark in MARKS)
    return f"{text[: text.index(start) + len(start)]}\n\n{block}\n\n{text[text.index(end) :]}"


def filled(text: str, record: dict) -> str:
    """The card's text with both its tables written anew."""
    return with_block(with_block(text, "registry", registry()), "table", table(record))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", action="store_true", help="do not measure, only write the tables")
    if not parser.parse_args().tables:
        RECORD.parent.mkdir(exist_ok=True)
        RECORD.write_text(json.dumps(measure(), indent=1) + "\n", "utf-8")
    record = json.loads(RECORD.read_text("utf-8"))
    CARD.write_text(filled(CARD.read_text("utf-8"), record), "utf-8")
    print(table(record))


if __name__ == "__main__":
    main()
