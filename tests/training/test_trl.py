"""Loss, margins and gradient equal those of TRL's DPOTrainer, for the same weights and batch and each loss of margins.

TRL appends an end-of-text token to every answer, trains in bfloat16 and recomputes activations unless it is told not
to: the collator below takes the token away, and the settings switch the other two off.
"""

import warnings

import numpy as np
import pytest
import torch
from datasets import Dataset
from datasets.utils.logging import disable_progress_bar
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import DPOConfig, DPOTrainer
from trl.trainer.dpo_trainer import DataCollatorForPreference

from helpers.llm.loading import load_llm
from helpers.llm.packing import hidden_states
from helpers.losses import DPO, IPO, SLiC
from helpers.preferences.bank import load_values
from helpers.training.fine_tuning import fine_tune
from helpers.training.packed_pairs import evaluate_gaps, pack_pairs, policy_gaps

# TRL 1.16 itself uses names that transformers has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:.*gradient_checkpointing` is deprecated:FutureWarning")
BETA = 0.3
disable_progress_bar()


class WithoutEndOfText(DataCollatorForPreference):
    def torch_call(self, examples):
        return super().torch_call(
            [{**e, "chosen_ids": e["chosen_ids"][:-1], "rejected_ids": e["rejected_ids"][:-1]} for e in examples]
        )


def trainer_of(llm, pairs, folder, **settings):
    """TRL's trainer with the model's weights as both policy and reference, each its own copy."""
    llm.model.save_pretrained(folder / "model")
    llm.tokenizer.save_pretrained(folder / "model")
    tokenizer = AutoTokenizer.from_pretrained(folder / "model")
    prompts = [tokenizer.decode(llm.encode(p)) for p in pairs.prompts]
    data = Dataset.from_dict(dict(prompt=prompts, chosen=list(pairs.chosen), rejected=list(pairs.rejected)))
    options = dict(
        output_dir=str(folder / "out"), beta=BETA, bf16=False, gradient_checkpointing=False, use_cpu=True,
        per_device_train_batch_size=len(prompts), report_to="none", save_strategy="no", disable_tqdm=True,
        lr_scheduler_type="constant", max_grad_norm=0, logging_steps=1, dataloader_pin_memory=False,
    )
    policy, reference = (AutoModelForCausalLM.from_pretrained(folder / "model") for _ in range(2))
    trainer = DPOTrainer(
        model=policy, ref_model=reference, args=DPOConfig(**{**options, **settings}), train_dataset=data,
        processing_class=tokenizer, data_collator=WithoutEndOfText(pad_token_id=tokenizer.pad_token_id),
    )
    rows = list(trainer.train_dataset)
    for row, prompt, chosen in zip(rows, pairs.prompts, pairs.chosen, strict=True):
        assert row["prompt_ids"] == llm.encode(prompt) and row["chosen_ids"][:-1] == llm.tokens(chosen)
    return trainer, rows


def perturb(model, scale, seed=0):
    noise = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in model.parameters():
            p += scale * p.std() * torch.randn(p.shape, generator=noise)


def softplus(margins):
    """The mean DPO loss in PyTorch, which differentiates it."""
    return torch.nn.functional.softplus(-margins).mean()


def compare(llm, pairs, folder, scale, ours_of=softplus, **settings):
    """Loss and mean margin of both, and the relative distance of the gradients, at the same perturbed weights."""
    trainer, rows = trainer_of(llm, pairs, folder, **settings)
    reference = evaluate_gaps(llm.model, packed := pack_pairs(
        [llm.encode(p) for p in pairs.prompts],
        [llm.tokens(a) for a in pairs.chosen], [llm.tokens(a) for a in pairs.rejected],
    ))
    perturb(llm.model, scale)
    perturb(trainer.model, scale)
    trainer.model.train()  # it records margins under the name of the mode; there is no dropout
    theirs = trainer.compute_loss(trainer.model, trainer.data_collator(rows))
    theirs.backward()
    hidden = hidden_states(llm.model, packed.packing)
    gaps = policy_gaps(hidden, packed, llm.model.get_output_embeddings().weight)
    margins = BETA * (gaps - torch.tensor(reference))
    ours = ours_of(margins)
    ours.backward()
    gradients = [torch.cat([p.grad.flatten() for p in m.parameters()]) for m in (llm.model, trainer.model)]
    distance = (gradients[0] - gradients[1]).norm() / gradients[1].norm()
    metric = trainer._metrics["train"]["rewards/margins"][-1]
    return (ours.item(), margins.mean().item()), (theirs.item(), metric), distance.item()


@pytest.mark.parametrize("answers", ["one token", "several tokens"])
def test_loss_margins_and_gradient_equal_trl(tmp_path, answers):
    pairs = load_values(4, answers="shared").per_cluster(2)
    if answers != "one token":
        longer = {" Yes": " Yes I do", " No": " No not I at all"}
        pairs = type(pairs)(
            pairs.prompts, [longer[a] for a in pairs.chosen], [longer[a] for a in pairs.rejected],
            pairs.value, pairs.side, pairs.names,
        )
    ours, theirs, distance = compare(load_llm("tiny", device="cpu"), pairs, tmp_path, scale=0.1)
    # 1e-5 relative, on a loss of 0.7 and on margins whose sums (log-probabilities) are of order 10.
    assert abs(ours[0] - theirs[0]) < 1e-5 * theirs[0]
    assert abs(ours[1] - theirs[1]) < 1e-5 * max(abs(theirs[1]), BETA)
    assert abs(theirs[1]) > 1e-3 and distance < 1e-5


EPSILON = 0.2
# Loss of TRL -> its settings, and value and slope of one pair by the book's own losses, in the margin r = beta Delta.
BY_MARGIN = {
    "sigmoid": ({}, DPO().value, DPO().slope),
    "hinge": ({}, SLiC().value, SLiC().slope),
    # (Delta - 1/(2 beta))^2 is our (r - 1)^2 at twice the beta, divided by (2 beta)^2.
    "ipo": ({}, lambda r: IPO().value(2 * r) / (2 * BETA) ** 2, lambda r: 2 * IPO().slope(2 * r) / (2 * BETA) ** 2),
    # The push is that of DPO and a constant one; the value is TRL's printed formula.
    "robust": (
        dict(label_smoothing=EPSILON),
        lambda r: ((1 - EPSILON) * DPO().value(r) - EPSILON * DPO().value(-r)) / (1 - 2 * EPSILON),
        lambda r: DPO().slope(r) - EPSILON / (1 - 2 * EPSILON),
    ),
    # `sigmoid` takes no notice of label smoothing.
    "sigmoid, smoothed": (dict(label_smoothing=EPSILON), DPO().value, DPO().slope),
}


class ByMargin(torch.autograd.Function):
    """The mean of a loss of margins by its NumPy value, differentiated by its NumPy slope."""

    @staticmethod
    def forward(ctx, margins, value, slope):
        r = margins.detach().double().numpy()
        ctx.save_for_backward(torch.tensor(slope(r) / len(r), dtype=margins.dtype))
        return torch.tensor(value(r).mean(), dtype=margins.dtype)

    @staticmethod
    def backward(ctx, gradient):
        return gradient * ctx.saved_tensors[0], None, None


@pytest.mark.slow
@pytest.mark.parametrize("name", BY_MARGIN)
def test_each_loss_of_margins_equals_trl(tmp_path, name):
    settings, value, slope = BY_MARGIN[name]
    pairs = load_values(4, answers="shared").per_cluster(2)
    ours, theirs, distance = compare(
        load_llm("tiny", device="cpu"), pairs, tmp_path, 0.1, lambda margins: ByMargin.apply(margins, value, slope),
        loss_type=[name.partition(",")[0]], **settings,
    )
    # 1e-5 relative, as above: float32 sums of log-probabilities of order 10.
    assert abs(ours[0] - theirs[0]) < 1e-5 * abs(theirs[0])
    assert abs(ours[1] - theirs[1]) < 1e-5 * max(abs(theirs[1]), BETA) and abs(theirs[1]) > 1e-3
    assert distance < 1e-5


def test_training_follows_trl(tmp_path):
    llm, pairs = load_llm("tiny", device="cpu"), load_values(4, answers="shared").per_cluster(1)
    trainer, _ = trainer_of(llm, pairs, tmp_path, max_steps=4, learning_rate=1e-3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the libraries' own deprecations
        trainer.train()
    logged = [(entry["loss"], entry["rewards/margins"]) for entry in trainer.state.log_history if "loss" in entry]
    run = fine_tune(llm, pairs, beta=BETA, lr=1e-3, steps=4, batch=len(pairs), evaluate_every=1, progress=False)
    # Adam divides by the size of the gradient: rounding of coordinates that are nearly 0 moves weights by up to lr.
    assert np.abs(run.batch_losses - [loss for loss, _ in logged]).max() < 1e-4
    assert np.abs(run.margins[1:] - [margin for _, margin in logged]).max() < 1e-3
    assert run.batch_losses[-1] < 0.6


@pytest.mark.model
def test_the_default_model_equals_trl(tmp_path):
    pairs = load_values(2, answers="shared").per_cluster(1)
    ours, theirs, distance = compare(load_llm(device="cpu"), pairs, tmp_path, scale=0.02)
    assert abs(ours[0] - theirs[0]) < 1e-5 * theirs[0]
    # Log-probabilities of order 20 after 30 blocks in float32: about 1e-4 absolute in a gap, times beta.
    assert abs(ours[1] - theirs[1]) < 1e-4 * BETA
    assert distance < 1e-4
