"""Speed and memory of the training code against the usual way of doing the same; writes records/bench.json.

    python -m book.tools.bench [--model NAME] [--rounds 2] [--steps 3]

Every measurement is a process of its own, and the two sides take turns.  Both start from the same weights, train on
the same 32 pairs of 4 values in every step, and must report the same losses.  Two settings:

as installed   TRL's defaults, except float32 for its bfloat16, no gradient clipping and a constant learning rate
               (so that both sides follow the same path), and without the end-of-text token it appends to answers;
               `fine_tune` sends its products through oneDNN by itself.
tuned          besides, no recomputation of activations, reference precomputed; on both sides a C allocator that
               keeps memory between steps, and float32 matrix products through oneDNN.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from helpers.files import atomic_file

from .bench_tasks import BETA, LR, SAMPLES, SEED, D, V
from .run import machine
from .source import ROOT

TASKS = Path(__file__).with_name("bench_tasks.py")
ALLOCATOR = {"MALLOC_MMAP_THRESHOLD_": "4294967296", "MALLOC_TRIM_THRESHOLD_": "17179869184"}
SETTINGS = {"as installed": {}, "tuned": ALLOCATOR}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="as for load_llm; the book's default model if not given")
    parser.add_argument("--rounds", type=int, default=2, help="processes a side and setting")
    parser.add_argument("--steps", type=int, default=3, help="steps a process; the first is not counted")
    parser.add_argument("--out", type=Path, default=ROOT / "records" / "bench.json")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        record = dict(
            command=" ".join(["python -m book.tools.bench", *sys.argv[1:]]),
            seed=SEED,
            machine=machine(),
            settings=dict(beta=BETA, lr=LR, pairs=32, values=4, dtype="float32", rounds=given.rounds,
                          steps=given.steps, threads=os.environ.get("OMP_NUM_THREADS", "all")),
        )
        record |= child("prepare", "as installed", folder, given)
        record["fine_tune"] = {setting: compare(setting, folder, given) for setting in SETTINGS}
        record["train_last_layer"] = child("last_layer", "as installed", folder, given)
    record |= dict(rows=table(record), notes=notes(record))
    given.out.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(given.out) as part:
        part.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    report(record)


def compare(setting: str, folder: str, given) -> dict:
    """The two sides in turns: medians over all counted steps, and their ratios."""
    sides = {"ours": [], "trl": []}
    for _ in range(given.rounds):
        for side, runs in sides.items():
            runs.append(child(side, setting, folder, given))
            print(f"{setting}, {side}: {[round(s, 2) for s in runs[-1]['seconds']]} s", file=sys.stderr, flush=True)
    apart = max(abs(a / b - 1) for ours, trl in zip(*sides.values(), strict=True)
                for a, b in zip(ours["losses"], trl["losses"], strict=True))
    # The first step is equal to rounding; Adam then moves coordinates with tiny gradients by rounding's sign.
    if apart > 1e-4:
        raise SystemExit(f"losses must be equal to 1e-4 relative, but differ by {apart:.1e}: {sides}")
    result = {"largest relative difference of losses": apart, "environment": SETTINGS[setting]}
    for side, runs in sides.items():
        steps = {key: [s for run in runs for s in run[key][1:]] for key in ("seconds", "cpu_seconds")}
        result[side] = {key: statistics.median(values) for key, values in steps.items()} | {
            "all seconds": [run["seconds"] for run in runs], "losses": runs[0]["losses"],
            "peak_mb": statistics.median(run["peak_mb"] for run in runs), "tokens": runs[0]["tokens"],
        }
    for key in ("seconds", "cpu_seconds", "tokens"):
        result[f"{key} ratio"] = result["trl"][key] / result["ours"][key]
    result["peak_mb ratio"] = result["ours"]["peak_mb"] / result["trl"]["peak_mb"]
    return result


def child(task: str, setting: str, folder: str, given) -> dict:
    """Run one task in a fresh process and read the JSON in its last line."""
    command = [sys.executable, str(TASKS), task, setting, folder, str(given.steps)]
    command += [given.model] if given.model else []
    environment = {**os.environ, **SETTINGS[setting], "HF_HUB_OFFLINE": "1", "HF_HOME": folder}
    done = subprocess.run(command, env=environment, text=True, capture_output=True)
    if done.returncode:
        raise SystemExit(f"{task} ({setting}) failed:\n{done.stderr[-4000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def table(record: dict) -> list[dict]:
    """The rows of the status page: what was measured, ours, theirs, the unit, the ratio (of speed, or of memory)."""
    rows = []
    for setting, result in record["fine_tune"].items():
        for what, key, unit in (("step", "seconds", "s"), ("step, processor time", "cpu_seconds", "s"),
                                ("tokens a step", "tokens", "tokens"), ("peak memory", "peak_mb", "MB")):
            rows.append(dict(name=f"fine_tune, TRL {setting}: {what}", ours=result["ours"][key],
                             theirs=result["trl"][key], unit=unit, ratio=result[f"{key} ratio"]))
    last = record["train_last_layer"]
    rows.append(dict(name=f"train_last_layer against a dense {V} x {D} head, {SAMPLES} samples: step of Adam",
                     ours=1e3 * last["step_seconds"], theirs=1e3 * last["dense_step_seconds"], unit="ms",
                     ratio=last["ratio"]))
    rows += [dict(name=f"train_last_layer, {SAMPLES} samples: {name.removeprefix('seconds of ')}", ours=last[name],
                  unit="s") for name in last if name.startswith("seconds of")]
    return [*rows, dict(name=f"load_llm, {record['model']}, once converted", ours=record["load_seconds"], unit="s")]


def notes(record: dict) -> list[str]:
    """The sentences below the table of the status page: what was compared, and how."""
    apart = max(result["largest relative difference of losses"] for result in record["fine_tune"].values())
    return [
        f"TRL {version('trl')}, from the book's chat prompts, whose common beginning is in every one of its sequences.",
        "As installed: TRL's defaults (recomputed activations, live reference), except float32 for bfloat16, no "
        "gradient clipping and a constant learning rate so that both sides follow the same path, and without the "
        "end-of-text token that it appends to answers; `fine_tune` sends its products through oneDNN by itself.",
        "Tuned: besides, no recomputation, reference precomputed; on both sides a C allocator that keeps memory "
        "between steps and float32 matrix products through oneDNN.",
        f"Losses of all steps differ by at most {apart:.0e} relative. "
        "A memory ratio is ours over theirs, the others are theirs over ours.  On a machine with other work, "
        "processor time is the steadier measure.",
    ]


def report(record: dict) -> None:
    """Print rows and notes."""
    for row in record["rows"]:
        theirs = f" against {row['theirs']:.4g} {row['unit']}, ratio {row['ratio']:.3g}" if "theirs" in row else ""
        print(f"{row['name']}: {row['ours']:.4g} {row['unit']}{theirs}")
    for note in record["notes"]:
        print(note)


if __name__ == "__main__":
    main()
