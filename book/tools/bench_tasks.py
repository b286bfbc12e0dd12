"""The measurements of the bench, each the work of one process; the last line it prints is its result as JSON.

    python -m book.tools.bench_tasks TASK SETTING FOLDER STEPS [MODEL]
"""

import json
import resource
import statistics
import sys
import time
from pathlib import Path

BETA, LR, SEED = 0.1, 1e-5, 0
SAMPLES, D, V, LAST_LAYER_STEPS = 1024, 576, 49152, 400


def prepare(folder: Path, setting: str, steps: int, model: str | None) -> dict:
    """Weights and the batch for both sides, and the seconds that loading the model takes."""
    from helpers.llm.loading import load_llm
    from helpers.preferences.bank import load_values

    seconds = []
    for _ in range(4):  # the first may fetch and convert
        start = time.perf_counter()
        llm = load_llm(model, device="cpu")
        seconds.append(time.perf_counter() - start)
    llm.model.save_pretrained(folder / "model")
    llm.tokenizer.save_pretrained(folder / "model")
    pairs = load_values(4).per_cluster(4, seed=SEED)
    prompts = [llm.tokenizer.decode(llm.encode(p)) for p in pairs.prompts]
    batch = dict(prompt=prompts, chosen=list(pairs.chosen), rejected=list(pairs.rejected))
    (folder / "batch.json").write_text(json.dumps(batch), encoding="utf-8")
    return dict(model=llm.name, digest=llm.digest, load_seconds=statistics.median(seconds[1:]))


def tune(setting: str) -> None:
    """Send float32 products through oneDNN in the tuned setting."""
    import torch

    if setting == "tuned":
        torch.backends.mkldnn.matmul.fp32_precision = "bf16"


def ours(folder: Path, setting: str, steps: int, model: str | None) -> dict:
    """Steps of `fine_tune` on the batch."""
    from helpers.llm.loading import load_llm
    from helpers.preferences.bank import load_values
    from helpers.training import fine_tuning, updates

    tune(setting)
    llm, pairs = load_llm(str(folder / "model"), device="cpu"), load_values(4).per_cluster(4, seed=SEED)
    cpu, update = [], updates.Updater.step

    def timed(*arguments):
        start = time.process_time()
        result = update(*arguments)
        cpu.append(time.process_time() - start)
        return result

    updates.Updater.step = timed
    run = fine_tuning.fine_tune(llm, pairs, beta=BETA, lr=LR, steps=steps, in_place=True, progress=False)
    tokens = sum(len(row.packing) for _, row, _ in updates.pack_preferences(llm, pairs).rows(llm.device))
    return measured(run.seconds.tolist(), cpu, run.batch_losses.tolist(), tokens)


def trl(folder: Path, setting: str, steps: int, model: str | None) -> dict:
    """Steps of TRL's trainer on the batch."""
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
        output_dir=str(folder / "out"), beta=BETA, learning_rate=LR, max_steps=steps, bf16=False, use_cpu=True,
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
    """The result of a side, with the peak memory of its process in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    return dict(seconds=seconds, cpu_seconds=cpu, losses=losses, tokens=tokens, peak_mb=peak)


def last_layer(folder: Path, setting: str, steps: int, model: str | None) -> dict:
    """Seconds of the last layer on random samples of the default model's width, and of a dense head's step."""
    from types import SimpleNamespace

    import numpy as np
    import torch

    from helpers.layouts import disjoint
    from helpers.training.last_layer import train_last_layer

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
    ours = result[f"seconds of {LAST_LAYER_STEPS} steps, adam"] / LAST_LAYER_STEPS
    dense = statistics.median(seconds[1:])
    return result | dict(samples=SAMPLES, d=D, V=V, dense_step_seconds=dense, step_seconds=ours, ratio=dense / ours,
                         largest_difference_of_margins=apart)


if __name__ == "__main__":
    task, setting, folder, steps, *model = sys.argv[1:]
    tasks = dict(prepare=prepare, ours=ours, trl=trl, last_layer=last_layer)
    print(json.dumps(tasks[task](Path(folder), setting, int(steps), model[0] if model else None)))
