"""Chapter 10's proposition: values with answers of their own do not meet, held against automatic differentiation."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import logsigmoid

from helpers.layouts import disjoint
from helpers.mixture import ValueMixture

LOSSES = {"dpo": lambda r: -logsigmoid(r), "ipo": lambda r: (r - 1) ** 2, "slic": lambda r: (1 - r).clamp(min=0)}


def trained(sample, layout, loss, make, steps=4, beta=0.7):
    """Change of a dense unembedding matrix, from a random start, by an optimizer of torch; shape (tokens, d)."""
    pairs = torch.tensor(layout.indices[sample.value])
    side, x = torch.tensor(sample.side), torch.tensor(sample.x)
    start = torch.tensor(np.random.default_rng(1).normal(size=(2 * layout.K, x.shape[1])))
    W = start.clone().requires_grad_(True)
    optimizer = make([W])
    rows = torch.arange(len(x))
    for _ in range(steps):
        optimizer.zero_grad()
        moved = x @ (W - start).T  # the normalizer cancels in a margin
        r = beta * side * (moved[rows, pairs[:, 0]] - moved[rows, pairs[:, 1]])
        LOSSES[loss](r).mean().backward()
        optimizer.step()
    return (W - start).detach().numpy()


@pytest.mark.parametrize("loss", LOSSES)
@given(K=st.integers(1, 5), Q=st.integers(1, 4), seed=st.integers(0, 10**6))
def test_values_with_answers_of_their_own_do_not_meet(loss, K, Q, seed):
    layout = disjoint(K)
    sample = ValueMixture(layout, d=K + 3, v=0.6, l_b=0.9).sample(Q, np.random.default_rng(seed))
    i = seed % K
    own = sample.value == i
    alone = type(sample)(sample.x[own], np.zeros(own.sum(), int), sample.side[own])
    at = layout.indices[i]
    for name, whole, single in (
        ("gd", lambda w: torch.optim.SGD(w, lr=0.3), lambda w: torch.optim.SGD(w, lr=0.3 / K)),
        ("adam", lambda w: torch.optim.Adam(w, lr=0.01, eps=0), lambda w: torch.optim.Adam(w, lr=0.01, eps=0)),
    ):
        among, one = trained(sample, layout, loss, whole), trained(alone, disjoint(1), loss, single)
        change = among[at[0]] - among[at[1]]
        lone = one[0] - one[1]
        if name == "gd":
            np.testing.assert_allclose(change, lone, rtol=1e-9, atol=1e-12)  # rounding of 64 bits
        else:  # where a gradient is nearly 0, Adam's sign of it is rounding
            assert np.median(np.abs(change - lone)) < 1e-9
