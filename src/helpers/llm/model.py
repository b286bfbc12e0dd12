"""A language model with its tokenizer: what it makes of prompts and answers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from transformers import PreTrainedTokenizerBase

from ..checks import is_text, listed, shown


@dataclass(frozen=True, eq=False)
class LLM:
    """A causal language model with its tokenizer; `digest` names the two as they were loaded."""

    model: torch.nn.Module
    tokenizer: PreTrainedTokenizerBase
    device: torch.device
    dtype: torch.dtype
    digest: str
    name: str

    @property
    def d(self) -> int:
        """Dimension of the embedding g, the number of columns of the unembedding."""
        return self.model.get_output_embeddings().weight.shape[1]

    def encode(self, prompt: str) -> list[int]:
        """Token ids of a prompt; in a chat template, if there is one, up to the opening of the answer.

        ValueError for a prompt that is empty or no string, and for one with more tokens than the model has positions.
        """
        return self.encode_all([prompt])[0]

    def encode_all(self, prompts: Sequence[str]) -> list[list[int]]:
        """`encode` for many prompts; ValueError also for one string in place of a list."""
        if isinstance(prompts, str):
            raise ValueError(f"prompts must be a sequence of strings, got one string {prompts[:40]!r}")
        prompts = listed("prompts", prompts, "strings")
        for prompt in prompts:
            if not is_text(prompt) or not prompt:
                raise ValueError(f"prompts must be non-empty strings, got {shown(prompt)}")
        if not prompts:
            return []
        chat = bool(getattr(self.tokenizer, "chat_template", None))
        if chat:
            messages = [[{"role": "user", "content": prompt}] for prompt in prompts]
            prompts = self.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        # A template writes its own special tokens.
        ids = self.tokenizer(prompts, add_special_tokens=not chat, verbose=False)["input_ids"]
        room = getattr(self.model.config, "max_position_embeddings", None)
        if room and max(map(len, ids)) > room:
            raise ValueError(f"prompts must have at most {room} tokens of {self.name}, got {max(map(len, ids))}")
        return ids

    def unembedding(self) -> np.ndarray:
        """(V, d) float32: a copy of the rows whose products with an embedding are the logits."""
        return self.model.get_output_embeddings().weight.detach().float().cpu().numpy().copy()

    def tokens(self, answer: str) -> list[int]:
        """Token ids of an answer as it follows a prompt, such as " Yes"; one id or several.

        ValueError for an answer that is empty or no string.
        """
        if not is_text(answer) or not answer:
            raise ValueError(f"answer must be a non-empty string, got {shown(answer)}")
        # Behind a line end, since some tokenizers treat the start of a text in their own way.
        start, whole = (
            self.tokenizer(text, add_special_tokens=False)["input_ids"] for text in ("\n", "\n" + answer)
        )
        if whole[: len(start)] == start:
            return whole[len(start) :]
        return self.tokenizer(answer, add_special_tokens=False)["input_ids"]

    def token(self, answer: str) -> int:
        """The id of an answer of one token; ValueError with the pieces where it is several."""
        ids = self.tokens(answer)
        if len(ids) != 1:
            pieces = ", ".join(repr(self.tokenizer.decode([i])) for i in ids)
            raise ValueError(
                f"answer must be one token of {self.name}, got {answer!r}, which is {len(ids)}: {pieces}"
            )
        return ids[0]


def rounding(dtype: torch.dtype) -> float:
    """Largest relative difference that another order of the same sums may make, over some tens of blocks."""
    # Measured on the default model: 2e-6 in float32, 2e-2 in bfloat16.
    return 1e-4 if dtype == torch.float32 else 5e-2
