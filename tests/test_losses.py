"""Losses against finite differences, torch and their definitions."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from helpers.dynamics.flow import push
from helpers.losses import DPO, IPO, SLiC, get_loss

TORCH = {
    "dpo": lambda r: -torch.nn.functional.logsigmoid(r),
    "ipo": lambda r: (r - 1) ** 2,
    "slic": lambda r: torch.relu(1 - r),
}


@pytest.mark.parametrize("loss", [DPO(), IPO(), SLiC()], ids=lambda loss: loss.name)
def test_value_and_slope_agree_with_autograd(loss):
    r = np.concatenate([np.linspace(-40, 40, 4001), [-700.0, 700.0]])
    r = r[r != 1.0]  # SLiC has no slope there
    tensor = torch.tensor(r, requires_grad=True)
    value = TORCH[loss.name](tensor)
    (slope,) = torch.autograd.grad(value.sum(), tensor)
    # Two float64 formulas of the same function: a few units in the last place.
    np.testing.assert_allclose(loss.value(r), value.detach().numpy(), rtol=1e-14, atol=1e-300)
    np.testing.assert_allclose(loss.slope(r), slope.numpy(), rtol=1e-14, atol=1e-300)
    assert np.array_equal(loss.slope(r), -push(loss.name)(r))


@pytest.mark.parametrize("loss", [DPO(), IPO(), SLiC()], ids=lambda loss: loss.name)
@given(a=st.floats(-50, 50), b=st.floats(-50, 50))
def test_losses_are_convex(loss, a, b):
    middle, ends = loss.value(np.array((a + b) / 2)), loss.value(np.array([a, b])).mean()
    assert middle <= ends * (1 + 1e-14) + 1e-14  # rounding


def test_the_start_and_the_far_ends():
    assert DPO().value(0.0) == np.log(2) and DPO().slope(0.0) == -0.5
    assert DPO().value(-1e4) == 1e4 and DPO().value(1e4) == 0.0 and DPO().slope(-1e4) == -1.0
    assert IPO().value(0.0) == 1.0 and IPO().slope(0.0) == -2.0 and IPO().slope(1.0) == 0.0
    assert SLiC().value(0.0) == 1.0 and SLiC().slope(0.0) == -1.0 and SLiC().slope(1.0) == 0.0


def test_dpo_losses_of_r_and_of_minus_r_differ_by_r():
    r = np.linspace(-30, 30, 101)
    np.testing.assert_allclose(DPO().value(-r) - DPO().value(r), r, rtol=0, atol=1e-13)  # 30 in float64


def test_lists_and_whole_numbers_are_fine():
    for loss in (DPO(), IPO(), SLiC()):
        assert loss.value([0, 1]).shape == loss.slope([0, 1]).shape == (2,)


def test_get_loss_by_name():
    assert [type(get_loss(name)) for name in ("dpo", "ipo", "slic")] == [DPO, IPO, SLiC]
    assert get_loss("dpo") == DPO() and get_loss("dpo") != IPO()
    with pytest.raises(ValueError, match="^loss must be a known name, got 'dpoo'; did you mean 'dpo'"):
        get_loss("dpoo")
