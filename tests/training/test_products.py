"""Products go another way only where it is as exact, and only inside."""

import numpy as np
import pytest
import torch

from helpers.training import products
from helpers.training.products import faster_products

CPU = torch.device("cpu")
switch = getattr(torch.backends.mkldnn, "matmul", None)
pytestmark = pytest.mark.skipif(not hasattr(switch, "fp32_precision"), reason="this torch has no such switch")


@pytest.fixture(autouse=True)
def fresh():
    before, clear = switch.fp32_precision, products._as_exact.cache_clear
    clear()
    yield
    clear()
    switch.fp32_precision = before


@pytest.mark.parametrize(("worse", "inside"), [(3, "bf16"), (1000, "none")])
def test_products_that_round_to_bfloat16_are_not_taken(monkeypatch, worse, inside):
    """Another order of sums is off by a few times as much, bfloat16 by a thousand times."""
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: True)
    monkeypatch.setattr(products, "_errors", lambda: np.ones(3) * (1 if switch.fp32_precision == "none" else worse))
    with faster_products(CPU):
        assert switch.fp32_precision == inside
    assert switch.fp32_precision == "none"


def test_bfloat16_would_be_noticed(monkeypatch):
    """The measured errors themselves, with products that really round their factors."""
    own = products._errors()
    matmul = torch.Tensor.__matmul__

    def rounding(a, b):
        return matmul(a.bfloat16().float(), b.bfloat16().float()) if a.dtype == torch.float32 else matmul(a, b)

    monkeypatch.setattr(torch.Tensor, "__matmul__", rounding)
    assert (products._errors() > 100 * own).all() and (own < 2e-6).all()


def test_the_setting_comes_back_after_an_error_and_a_readers_own_stays():
    with pytest.raises(ZeroDivisionError), faster_products(CPU):
        1 / 0  # noqa: B018
    assert switch.fp32_precision == "none"
    switch.fp32_precision = "ieee"
    with faster_products(CPU):
        assert switch.fp32_precision == "ieee"
    assert switch.fp32_precision == "ieee"


def test_a_gpu_is_left_alone():
    with faster_products(torch.device("cuda")):
        assert switch.fp32_precision == "none"


@pytest.mark.parametrize(("exact", "inside"), [(True, "bf16"), (False, "none")])
def test_fine_tune_takes_them_from_the_check_to_the_last_evaluation(monkeypatch, exact, inside):
    from helpers.llm import packing
    from helpers.llm.loading import load_llm
    from helpers.preferences.pairs import Preferences
    from helpers.training.fine_tuning import fine_tune

    seen, pack = [], packing.plan
    monkeypatch.setattr(products, "_as_exact", lambda: exact)
    monkeypatch.setattr(packing, "plan", lambda *given: (seen.append(switch.fp32_precision), pack(*given))[1])
    pairs = Preferences(["I believe it", "I love it"], [" Yes"] * 2, [" No"] * 2, [0, 0], [1, 1], ("a value",))
    fine_tune(load_llm("tiny", device="cpu"), pairs, test=pairs, beta=0.1, lr=1e-4, steps=2, batch=2, progress=False)
    assert set(seen) == {inside} and switch.fp32_precision == "none"
