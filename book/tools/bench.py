"""Speed and memory of the training code against the usual way of doing the same; writes records/bench.json.

    python book/tools/bench.py [--model NAME] [--rounds 2] [--steps 3]

Every measurement is a process of its own, and the two sides take turns.  Both start from the same weights, train on
the same 32 pairs of 4 values in every step, and must report the same losses.  Two settings:

as installed   TRL's defaults, except float32 for its bfloat16, no gradient clipping and a constant learning rate
               (so that both sides follow the same path), and without the end-of-text token it appends to answers.
tuned          besides, no recomputation of activations, reference precomputed; on both sides a C allocator that
               keeps memory between steps, and float32 matrix products through oneDNN.
"""

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BETA, LR, SEED = 0.1, 1e-5, 0
ALLOCATOR = {"MALLOC_MMAP_THRESHOLD_": "4294967296", "MALLOC_TRIM_THRESHOLD_": "17179869184"}
SETTINGS = {"as installed": {}, "tuned": ALLOCATOR}
SAMPLES, D, V, LAST_LAYER_STEPS = 1024, 576, 49152, 400


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="as for load_llm; the book's default model if not given")
    parser.add_argument("--rounds", type=int, default=2, help="processes a side and setting")
    parser.add_argument("--steps", type=int, default=3, help="steps a process; the first is not counted")
    parser.add_argument("--out", type=Path, default=ROOT / "records" / "bench.json")
    parser.add_argument("--child", nargs=3, metavar=("TASK", "SETTING", "FOLDER"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        task, setting, folder = given.child
        print(json.dumps(TASKS[task](Path(folder), setting, given)))
        return
    from helpers.files import atomic_file

    with tempfile.TemporaryDirectory() as folder:
        record = dict(command=" ".join(["python", "book/tools/bench.py", *sys.argv[1:]]), seed=SEED, machine=machine(),
                      versions=versions(), settings=dict(beta=BETA, lr=LR, pairs=32, values=4, dtype="float32",
                                                         rounds=given.rounds, steps=given.steps))
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
    result["memory ratio"] = result["ours"]["peak_mb"] / result["trl"]["peak_mb"]
    return result


def child(task: str, setting: str, folder: str, given) -> dict:
    """Run one task in a fresh process and read the JSON in its last line."""
    command = [sys.executable, __file__, "--child", task, setting, folder, "--steps", str(given.steps)]
    command += ["--model", given.model] if given.model else []
    environment = {**os.environ, **SETTINGS[setting], "HF_HUB_OFFLINE": "1", "HF_HOME": folder}
    done = subprocess.run(command, env=environment, text=True, capture_output=True)
    if done.returncode:
        raise SystemExit(f"{task} ({setting}) failed:\n{done.stderr[-4000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def prepare(folder: Path, setting: str, given) -> dict:
    """Weights and the batch for both sides, and the seconds that loading the model takes."""
    from helpers.llm import load_llm
    from helpers.preferences import load_values

    seconds = []
    for _ in range(4):  # the first may fetch and convert
        start = time.perf_counter()
        llm = load_llm(given.model, device="cpu")
        seconds.append(time.perf_counter() - start)
    llm.model.save_pretrained(folder / "model")
    llm.tokenizer.save_pretrained(folder / "model")
    pairs = load_values(4).per_cluster(4, seed=SEED)
    prompts = [llm.tokenizer.decode(llm.encode(p)) for p in pairs.prompts]
    batch = dict(prompt=prompts, chosen=list(pairs.chosen), rejected=list(pairs.rejected))
    (folder / "batch.json").write_text(json.dumps(batch), encoding="utf-8")
    return dict(model=llm.name, digest=llm.digest, load_seconds=statistics.median(seconds[1:]))


def tune(setting: str) -> None:
    import torch

    if setting == "tuned":
        torch.backends.mkldnn.matmul.fp32_precision = "bf16"


def ours(folder: Path, setting: str, given) -> dict:
    from helpers import finetuning, updates
    from helpers.llm import load_llm
    from helpers.preferences import load_values

    tune(setting)
    llm, pairs = load_llm(str(folder / "model"), device="cpu"), load_values(4).per_cluster(4, seed=SEED)
    cpu, step = [], updates.Updater.step

    def timed(*arguments):
        start = time.process_time()
        result = step(*arguments)
        cpu.append(time.process_time() - start)
        return result

    updates.Updater.step = timed
    run = finetuning.fine_tune(llm, pairs, beta=BETA, lr=LR, steps=given.steps, in_place=True, progress=False)
    tokens = sum(len(row.packing) for _, row, _ in updates.pack_preferences(llm, pairs).rows(llm.device))
    return measured(run.seconds.tolist(), cpu, run.batch_losses.tolist(), tokens)


def trl(folder: Path, setting: str, given) -> dict:
    from datasets import Dataset
    from transformers import AutoTokenizer, TrainerCallback
    from trl import DPOConfig, DPOTrainer
    from trl.trainer.dpo_trainer import DataCollatorForPreference

    tune(setting)
    tokens, seconds, cpu = [], [], []

    class WithoutEndOfText(DataCollatorForPreference):
        def torch_call(self, examples):
            cut = [{**e, **{k: e[k][:-1] for k in ("chosen_ids", "rejected_ids")}} for e in examples]
            batch = super().torch_call(cut)
            tokens.append(batch["input_ids"].numel())
            return batch

    class Clock(TrainerCallback):
        def on_step_begin(self, *_, **__):
            self.start = time.perf_counter(), time.process_time()

        def on_step_end(self, *_, **__):
            seconds.append(time.perf_counter() - self.start[0])
            cpu.append(time.process_time() - self.start[1])

    tokenizer = AutoTokenizer.from_pretrained(folder / "model")
    tuned = dict(gradient_checkpointing=False, precompute_ref_log_probs=True) if setting == "tuned" else {}
    options = DPOConfig(
        output_dir=str(folder / "out"), beta=BETA, learning_rate=LR, max_steps=given.steps, bf16=False, use_cpu=True,
        per_device_train_batch_size=32, lr_scheduler_type="constant", max_grad_norm=0, logging_steps=1, seed=SEED,
        save_strategy="no", report_to="none", disable_tqdm=True, dataloader_pin_memory=False, **tuned,
    )
    data = Dataset.from_dict(json.loads((folder / "batch.json").read_text(encoding="utf-8")))
    trainer = DPOTrainer(
        model=str(folder / "model"), args=options, train_dataset=data, processing_class=tokenizer, callbacks=[Clock()],
        data_collator=WithoutEndOfText(pad_token_id=tokenizer.pad_token_id or tokenizer.eos_token_id),
    )
    trainer.train()
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    # With a live reference, every token passes through two models.
    return measured(seconds, cpu, losses, tokens[-1])


def measured(seconds: list, cpu: list, losses: list, tokens: int) -> dict:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    return dict(seconds=seconds, cpu_seconds=cpu, losses=losses, tokens=tokens, peak_mb=peak)


def last_layer(folder: Path, setting: str, given) -> dict:
    """Seconds of the last layer on random samples of the default model's width, and of a dense head's step."""
    from types import SimpleNamespace

    import numpy as np
    import torch

    from helpers.layouts import disjoint
    from helpers.training import train_last_layer

    rng, layout = np.random.default_rng(SEED), disjoint(16)
    value, side = np.arange(SAMPLES) % 16, np.where(np.arange(SAMPLES) // 16 % 2, 1, -1)
    x = rng.normal(size=(SAMPLES, D)).astype(np.float32)
    data, result = SimpleNamespace(value=value, side=side, layout=layout), {}
    runs = {}
    for optimizer in ("gd", "adam"):
        start = time.perf_counter()
        runs[optimizer] = train_last_layer(
            x, data, beta=BETA, lr=1e-3, steps=LAST_LAYER_STEPS, optimizer=optimizer
        )
        result[f"seconds of {LAST_LAYER_STEPS} steps, {optimizer}"] = time.perf_counter() - start
    pair = torch.from_numpy(layout.indices[value])
    chosen = torch.where(torch.from_numpy(side > 0), pair[:, 0], pair[:, 1])
    rejected = pair.sum(1) - chosen
    head = torch.zeros(V, D, requires_grad=True)
    adam, inputs, seconds, margins = torch.optim.Adam([head], lr=1e-3), torch.from_numpy(x), [], []
    for _ in range(4):
        start = time.perf_counter()
        log_p = torch.log_softmax(inputs @ head.T, 1)
        r = BETA * (log_p.gather(1, chosen[:, None]) - log_p.gather(1, rejected[:, None]))[:, 0]
        adam.zero_grad()
        torch.nn.functional.softplus(-r).mean().backward()
        adam.step()
        seconds.append(time.perf_counter() - start)
        margins.append(r.detach().numpy())
    apart = float(np.abs(np.array(margins) - runs["adam"].margins[:4]).max())
    if apart > 1e-4 * np.abs(margins).max():
        raise SystemExit(f"margins of the dense head must be equal, but differ by {apart:.1e}")
    step = result[f"seconds of {LAST_LAYER_STEPS} steps, adam"] / LAST_LAYER_STEPS
    dense = statistics.median(seconds[1:])
    return result | dict(samples=SAMPLES, d=D, V=V, dense_step_seconds=dense, step_seconds=step, ratio=dense / step,
                         largest_difference_of_margins=apart)


TASKS = dict(prepare=prepare, ours=ours, trl=trl, last_layer=last_layer)


def machine() -> dict:
    cpu = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        cpu = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), cpu)
    return dict(cpu=cpu, cores=os.cpu_count(), system=platform.system(), threads=os.environ.get("OMP_NUM_THREADS"))


def versions() -> dict:
    packages = ("torch", "transformers", "trl", "numpy", "reward-margins")
    return {"python": platform.python_version(), **{name: version(name) for name in packages}}


def table(record: dict) -> list[dict]:
    """The rows of the status page: what was measured, ours, theirs, the unit, the ratio (of speed, or of memory)."""
    rows = []
    for setting, result in record["fine_tune"].items():
        for what, key, ratio in (("step", "seconds", "seconds ratio"), ("peak memory", "peak_mb", "memory ratio"),
                                 ("tokens a step", "tokens", "tokens ratio")):
            unit = {"seconds": "s", "peak_mb": "MB", "tokens": "tokens"}[key]
            rows.append(dict(name=f"fine_tune, TRL {setting}: {what}", ours=result["ours"][key],
                             theirs=result["trl"][key], unit=unit, ratio=result[ratio]))
    last = record["train_last_layer"]
    rows.append(dict(name=f"train_last_layer against a dense {V} x {D} head, {SAMPLES} samples: step of Adam",
                     ours=1e3 * last["step_seconds"], theirs=1e3 * last["dense_step_seconds"], unit="ms",
                     ratio=last["ratio"]))
    rows += [dict(name=f"train_last_layer, {SAMPLES} samples: {name.removeprefix('seconds of ')}", ours=last[name],
                  unit="s") for name in last if name.startswith("seconds of")]
    return [*rows, dict(name=f"load_llm, {record['model']}, once converted", ours=record["load_seconds"], unit="s")]


def notes(record: dict) -> list[str]:
    installed = "; ".join(f"{name} {number}" for name, number in record["versions"].items())
    apart = max(result["largest relative difference of losses"] for result in record["fine_tune"].values())
    return [
        "As installed: TRL's defaults (recomputed activations, live reference), except float32 for bfloat16, no gradient "
        "clipping and a constant learning rate so that both sides follow the same path, and without the end-of-text "
        "token that it appends to answers.",
        "Tuned: besides, no recomputation, reference precomputed; on both sides a C allocator that keeps memory between "
        "steps and float32 matrix products through oneDNN.",
        f"Losses of all steps differ by at most {apart:.0e} relative. A speed ratio is theirs over ours, a memory ratio "
        "ours over theirs.",
        f"Measured with {installed}.",
    ]


def report(record: dict) -> None:
    for row in record["rows"]:
        theirs = f" against {row['theirs']:.4g} {row['unit']}, ratio {row['ratio']:.3g}" if "theirs" in row else ""
        print(f"{row['name']}: {row['ours']:.4g} {row['unit']}{theirs}")
    for note in record["notes"]:
        print(note)


if __name__ == "__main__":
    main()
