"""Parts of a model taken apart and put back: blocks, the frozen trunk, the rows in play."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from helpers.llm.loading import load_llm
from helpers.training.frozen import FrozenTrunk, all_blocks, rows_in_play


class Doubling(nn.Module):
    """A block that doubles its input, and counts how often; `in_tuple` as some architectures return it."""

    def __init__(self, in_tuple=False):
        super().__init__()
        self.in_tuple, self.calls = in_tuple, 0

    def forward(self, x):
        self.calls += 1
        return (2 * x,) if self.in_tuple else 2 * x


def through(blocks, x):
    for block in blocks:
        x = block(x)
        x = x[0] if isinstance(x, tuple) else x
    return x


@pytest.mark.parametrize("in_tuple", [False, True])
def test_a_frozen_trunk_gives_what_its_last_block_gave(in_tuple):
    lower = [Doubling(in_tuple) for _ in range(3)]
    trunk, x = FrozenTrunk(lower, tokens=5), torch.arange(10.0).reshape(1, 5, 2)
    for places in ([0, 3], [4, 1, 2]):
        with trunk.record(np.array(places)):
            through(lower, x[:, places])
    assert torch.equal(trunk.states, 8 * x[0])
    with trunk.replay(np.array([1, 4])):
        found = lower[0](torch.zeros(1, 2, 2))
        assert isinstance(found, tuple) == in_tuple
        assert torch.equal(through(lower, torch.zeros(1, 2, 2)), 8 * x[:, [1, 4]])
    assert [block.calls for block in lower] == [2] * 3  # nothing was computed again
    assert torch.equal(through(lower, x), 8 * x)


def test_a_trunk_keeps_streams_of_states_as_well():
    """Some architectures carry several states a token from block to block."""
    lower = [Doubling()]
    trunk, x = FrozenTrunk(lower, tokens=5), torch.arange(40.0).reshape(1, 5, 4, 2)
    with trunk.record(np.arange(5)):
        through(lower, x)
    with trunk.replay(np.array([1, 4])):
        assert torch.equal(through(lower, torch.zeros(1, 2, 4, 2)), 2 * x[:, [1, 4]])


def test_blocks_are_the_list_as_long_as_the_model_is_deep():
    base = nn.Module()
    base.experts, base.layers = nn.ModuleList([nn.Linear(1, 1)]), nn.ModuleList([nn.Linear(1, 1) for _ in range(3)])

    def blocks(depth):
        return all_blocks(SimpleNamespace(base_model=base, config=SimpleNamespace(num_hidden_layers=depth)))

    assert blocks(3) == list(base.layers)
    assert blocks(2) == []


@pytest.mark.parametrize(("padding", "inside"), [(7, 2), (0, None)])
def test_rows_in_play_are_the_only_rows_and_come_back(padding, inside):
    model = load_llm("tiny", device="cpu").model
    embedding, head = model.get_input_embeddings(), model.get_output_embeddings()
    embedding.padding_idx = padding
    full, before = embedding.weight, embedding.weight.detach().clone()
    tokens = np.array([2, 5, 7])
    with rows_in_play(model, tokens):
        assert embedding.weight is head.weight and embedding.padding_idx == inside  # tied as they were
        assert torch.equal(embedding.weight, before[tokens])
        with torch.no_grad():
            embedding.weight += 1
    assert embedding.weight is head.weight is full and embedding.padding_idx == padding
    after = before.clone()
    after[tokens] += 1
    assert torch.equal(full, after)
