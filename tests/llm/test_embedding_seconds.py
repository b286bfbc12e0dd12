"""What the first embedding of each prompt took is known later too, from a cold and from a warm cache."""

import numpy as np
import pytest

from helpers.llm import embed, load_llm
from helpers.llm.embedding import _MADE, _NOW, embedding_seconds
from helpers.llm.embedding_cache import add_rows, read_seconds

PROMPTS = [f"Is {k} a number?" for k in range(6)]


@pytest.fixture
def fresh(tmp_path, monkeypatch):
    """An empty cache, and a function that forgets what this process has embedded."""
    monkeypatch.setenv("REWARD_MARGINS_CACHE", str(tmp_path))

    def forget():
        _MADE.clear()
        _NOW.clear()

    forget()
    yield forget
    forget()


def test_a_warm_cache_tells_what_the_cold_one_took(fresh):
    llm = load_llm("tiny", device="cpu")
    embed(llm, PROMPTS, progress=False)
    now, made = embedding_seconds()
    assert now == pytest.approx(made) and now > 0
    fresh()
    embed(llm, PROMPTS, progress=False)
    embed(llm, PROMPTS[:3], progress=False)
    assert embedding_seconds() == (0, pytest.approx(made, rel=1e-6))  # stored as float32
    fresh()
    embed(llm, PROMPTS[:3], progress=False)
    assert 0 < embedding_seconds()[1] < made


def test_merged_shards_keep_their_seconds(tmp_path):
    expected = {}
    for k in range(40):
        key = bytes([k] * 16)
        add_rows(tmp_path, {key: np.zeros(3, np.float32)}, {key: float(k)} if k % 2 else {})
        expected[key] = float(k) if k % 2 else 0.0
    assert len(list(tmp_path.glob("*.safetensors"))) <= 16
    assert read_seconds(tmp_path) == expected
