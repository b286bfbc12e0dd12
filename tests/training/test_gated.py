"""Gated MLPs that keep less have the same numbers and gradients."""

import copy

import pytest
import torch
import transformers

from helpers.llm.loading import load_llm
from helpers.training.gated import gated_mlps, keeping_less


def passed(model, x):
    """What an MLP gives, the gradients of its weights and input, and how many numbers autograd kept for them."""
    kept = {}
    x = x.clone().requires_grad_()

    def noted(tensor):
        kept[tensor.untyped_storage().data_ptr()] = tensor.numel()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(noted, lambda tensor: tensor):
        found = model(x)
    found.square().sum().backward()
    weights = [p.grad for p in model.parameters() if p.grad is not None]
    model.zero_grad()
    return [found.detach(), x.grad, *weights], sum(kept.values())


@pytest.mark.parametrize("frozen", [(), ("gate_proj",), ("down_proj",), ("gate_proj", "up_proj", "down_proj")])
def test_numbers_and_gradients_are_the_same_and_less_is_kept(frozen):
    """The same operations on the same numbers, kept or made again: no rounding, so no tolerance."""
    mlp = copy.deepcopy(load_llm("tiny", device="cpu").model.model.layers[0].mlp)
    for name in frozen:
        getattr(mlp, name).weight.requires_grad_(False)
    x = torch.randn(1, 50, 64, generator=torch.Generator().manual_seed(0))
    plain, before = passed(mlp, x)
    with keeping_less(gated_mlps(mlp)):
        lean, after = passed(mlp, x)
    assert "forward" not in vars(mlp)
    assert len(plain) == len(lean) == 5 - len(frozen) and all(map(torch.equal, plain, lean))
    wide = 50 * 128
    assert before - after == (wide if "down_proj" in frozen else 2 * wide)  # without its gradient no product is kept


SMALL = dict(vocab_size=61, hidden_size=32, intermediate_size=48, num_hidden_layers=1, num_attention_heads=4,
             num_key_value_heads=2, pad_token_id=0, bos_token_id=0, eos_token_id=0)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "changes", "replaced"),
    [("Qwen2", {}, 1), ("Gemma", {}, 0), ("Llama", dict(hidden_act="gelu"), 0), ("Llama", dict(mlp_bias=True), 0),
     ("Mixtral", {}, 0)],
)  # fmt: skip
def test_mlps_of_another_kind_stay_as_they_are(name, changes, replaced):
    config = getattr(transformers, name + "Config")(**SMALL, **changes)
    model = transformers.AutoModelForCausalLM.from_config(config)
    assert len(gated_mlps(model)) == replaced
