"""Loss, margins and gradient equal those of TRL's DPOTrainer, for the same weights and batch.

Its losses `sigmoid` and `hinge` are "dpo" and "slic". Its `ipo`, (Delta - 1/(2 beta))^2 for log-ratios Delta averaged
over tokens, is "ipo" of twice its beta, over the square of that beta.

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
from helpers.losses import DPO, get_loss
from helpers.preferences.bank import load_values
from helpers.training.fine_tuning import fine_tune
from helpers.training.packed_pairs import evaluate_gaps, pack_pairs, policy_gaps

# TRL 1.16 itself uses names that transformers has deprecated.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*gradient_checkpointing` is deprecated:FutureWarning"), pytest.mark.slow,
]
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


# TRL's name, its beta over ours, and our loss over its.
NAMES = {"dpo": ("sigmoid", 1.0, 1.0), "slic": ("hinge", 1.0, 1.0), "ipo": ("ipo", 0.5, BETA**2)}
EPSILON = 0.2


class Robust:
    """TRL's `robust`, by its printed formula: the push is that of DPO and a constant one."""

    def value(self, r):
        return ((1 - EPSILON) * DPO().value(r) - EPSILON * DPO().value(-r)) / (1 - 2 * EPSILON)

    def slope(self, r):
        return DPO().slope(r) - EPSILON / (1 - 2 * EPSILON)


def compare(llm, pairs, folder, scale, loss="dpo", objective=None, **settings):
    """Loss and mean margin of both, and the relative distance of the gradients, at the same perturbed weights.

    With an `objective` of ours, `loss` is TRL's own name.
    """
    name, of_beta, of_loss = (loss, 1.0, 1.0) if objective else NAMES[loss]
    objective = objective or get_loss(loss)
    trainer, rows = trainer_of(llm, pairs, folder, beta=of_beta * BETA, loss_type=[name], **settings)
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
    found, margin = margins.detach().numpy(), margins.mean().item()
    ours = objective.value(found).mean()
    margins.backward(torch.tensor(objective.slope(found) / len(found), dtype=torch.float32))
    gradients = [torch.cat([p.grad.flatten() for p in m.parameters()]) for m in (llm.model, trainer.model)]
    distance = (gradients[0] - of_loss * gradients[1]).norm() / (of_loss * gradients[1]).norm()
    metric = trainer._metrics["train"]["rewards/margins"][-1] / of_beta
    return (ours, margin), (of_loss * theirs.item(), metric), distance.item()


@pytest.mark.parametrize(
    ("answers", "loss"),
    [("one token", "dpo"), ("several tokens", "dpo"), ("one token", "ipo"), ("one token", "slic"),
     ("several tokens", "slic")],
)
def test_loss_margins_and_gradient_equal_trl(tmp_path, answers, loss):
    pairs = load_values(4, answers="shared").per_cluster(2)
    if answers != "one token":
        longer = {" Yes": " Yes I do", " No": " No not I at all"}
        pairs = type(pairs)(
            pairs.prompts, [longer[a] for a in pairs.chosen], [longer[a] for a in pairs.rejected],
            pairs.value, pairs.side, pairs.names,
        )
    ours, theirs, distance = compare(load_llm("tiny", device="cpu"), pairs, tmp_path, scale=0.1, loss=loss)
    # 1e-5 relative, on a loss of 0.7 and on margins whose sums (log-probabilities) are of order 10.
    assert abs(ours[0] - theirs[0]) < 1e-5 * theirs[0]
    assert abs(ours[1] - theirs[1]) < 1e-5 * max(abs(theirs[1]), BETA)
    assert abs(theirs[1]) > 1e-3 and distance < 1e-5


@pytest.mark.parametrize(("name", "objective"), [("robust", Robust()), ("sigmoid", DPO())])
def test_trls_label_smoothing_is_a_constant_push_in_robust_and_nothing_in_sigmoid(tmp_path, name, objective):
    pairs = load_values(4, answers="shared").per_cluster(2)
    ours, theirs, distance = compare(load_llm("tiny", device="cpu"), pairs, tmp_path, 0.1, name, objective,
                                     label_smoothing=EPSILON)
    assert abs(ours[0] - theirs[0]) < 1e-5 * abs(theirs[0])  # float32, as above
    assert abs(theirs[1]) > 1e-3 and distance < 1e-5


@pytest.mark.parametrize("loss", NAMES)
def test_training_follows_trl(tmp_path, loss):
    llm, pairs = load_llm("tiny", device="cpu"), load_values(4, answers="shared").per_cluster(1)
    name, of_beta, of_loss = NAMES[loss]
    trainer, _ = trainer_of(llm, pairs, tmp_path, max_steps=4, learning_rate=1e-3, beta=of_beta * BETA,
                            loss_type=[name])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the libraries' own deprecations
        trainer.train()
    logged = [(of_loss * entry["loss"], entry["rewards/margins"] / of_beta)
              for entry in trainer.state.log_history if "loss" in entry]
    run = fine_tune(llm, pairs, beta=BETA, lr=1e-3, steps=4, batch=len(pairs), evaluate_every=1, progress=False,
                    loss=loss)
    # Adam divides by the size of the gradient: rounding of coordinates that are nearly 0 moves weights by up to lr.
    assert np.abs(run.batch_losses - [loss for loss, _ in logged]).max() < 1e-4
    assert np.abs(run.margins[1:] - [margin for _, margin in logged]).max() < 1e-3
    assert run.batch_losses[-1] < 0.9 * run.batch_losses[0]


@pytest.mark.model
def test_the_default_model_equals_trl(tmp_path):
    pairs = load_values(2, answers="shared").per_cluster(1)
    ours, theirs, distance = compare(load_llm(device="cpu"), pairs, tmp_path, scale=0.02)
    assert abs(ours[0] - theirs[0]) < 1e-5 * theirs[0]
    # Log-probabilities of order 20 after 30 blocks in float32: about 1e-4 absolute in a gap, times beta.
    assert abs(ours[1] - theirs[1]) < 1e-4 * BETA
    assert distance < 1e-4
