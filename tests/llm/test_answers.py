"""answer_states refuses what it cannot read rightly; its numbers are tested with the sequences' exercises."""

import pytest
import torch
import transformers

from helpers.llm.answers import answer_states
from helpers.llm.loading import load_llm
from helpers.llm.model import LLM

PROMPTS = [f"I believe {word} things" for word in ("good", "new", "old", "better")]


def test_a_model_that_hands_a_state_along_is_refused():
    tiny = load_llm("tiny", device="cpu")
    config = transformers.MambaConfig(vocab_size=len(tiny.tokenizer), hidden_size=32, num_hidden_layers=2, state_size=8)
    model = transformers.MambaForCausalLM(config).eval()
    llm = LLM(model, tiny.tokenizer, torch.device("cpu"), torch.float32, "digest", "mamba")
    with pytest.raises(ValueError, match="model must take packed rows, but MambaForCausalLM"):
        answer_states(llm, PROMPTS, [" Yes"] * 4, [" No"] * 4)
