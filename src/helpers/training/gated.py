"""The gated MLP of most language models, keeping two of the four wide arrays that its backward pass needs.

down(silu(gate) * up) keeps gate, up, silu(gate) and the product, each some three times as wide as the model: more than
a third of all that is kept between the passes.  The last two are made again from the first two, at the cost of
reading and writing them once.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import torch
from torch.nn import functional as F


class GatedDown(torch.autograd.Function):
    """(silu(gate) * up) W^T for gate and up of shape (..., m), W of shape (d, m), as autograd computes it."""

    @staticmethod
    def forward(ctx, gate, up, weight):
        ctx.save_for_backward(gate, up, weight)
        return F.linear(F.silu(gate).mul_(up), weight)

    @staticmethod
    def backward(ctx, grad):
        gate, up, weight = ctx.saved_tensors
        for_gate = for_up = for_weight = None
        silu = F.silu(gate)
        if ctx.needs_input_grad[2]:
            for_weight = grad.flatten(0, -2).T @ (silu * up).flatten(0, -2)
        if ctx.needs_input_grad[0] or ctx.needs_input_grad[1]:
            product = grad @ weight
            for_up = silu.mul_(product)
            for_gate = torch.ops.aten.silu_backward(product.mul_(up), gate)
        return for_gate, for_up, for_weight


def gated_mlps(model: torch.nn.Module) -> list[torch.nn.Module]:
    """The MLPs of a float32 model that `keeping_less` can take; those of another kind are left out."""
    return [module for module in model.modules() if _gated(module)]


@contextmanager
def keeping_less(mlps: Sequence[torch.nn.Module]) -> Iterator[None]:
    """Let `gated_mlps` keep less for the backward pass of a forward pass inside."""
    for mlp in mlps:
        mlp.forward = partial(_forward, mlp)
    try:
        yield
    finally:
        for mlp in mlps:
            del mlp.forward


def _forward(mlp: torch.nn.Module, x: torch.Tensor) -> torch.Tensor:
    return GatedDown.apply(mlp.gate_proj(x), mlp.up_proj(x), mlp.down_proj.weight)


@torch.no_grad()
def _gated(module: torch.nn.Module) -> bool:
    """Whether `module` has the three matrices of a gated MLP and gives, bit for bit, what `_forward` gives."""
    parts = [getattr(module, name, None) for name in ("gate_proj", "up_proj", "down_proj")]
    if not all(type(part) is torch.nn.Linear for part in parts) or parts[2].bias is not None:
        return False
    x = torch.linspace(-2, 2, parts[0].in_features, device=parts[0].weight.device)[None, None]
    found = module(x)
    return isinstance(found, torch.Tensor) and torch.equal(found, _forward(module, x))
