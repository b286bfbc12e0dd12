"""The language model: loading it, and the embedding of a prompt that its last layer reads."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from transformers import LlamaForCausalLM, PreTrainedTokenizerBase, PreTrainedTokenizerFast

from . import hub, weights
from .checks import is_text, listed, one_of, shown
from .embedding import check_head, embed

__all__ = ["LLM", "embed", "load_llm"]

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


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
        """Token ids of a prompt; in a chat template, if there is one, up to the opening of the answer."""
        return self.encode_all([prompt])[0]

    def encode_all(self, prompts: Sequence[str]) -> list[list[int]]:
        """`encode` for many prompts."""
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

    def embed(self, prompts: Sequence[str], *, progress: bool = True) -> np.ndarray:
        """`embed(llm, prompts)`."""
        return embed(self, prompts, progress=progress)

    def unembedding(self) -> np.ndarray:
        """(V, d) float32: a copy of the rows whose products with an embedding are the logits."""
        return self.model.get_output_embeddings().weight.detach().float().cpu().numpy().copy()

    def tokens(self, answer: str) -> list[int]:
        """Token ids of an answer as it follows a prompt, such as " Yes"; one id or several."""
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


def load_llm(
    name: str | None = None, device: str | torch.device | None = None, dtype: str = "float32"
) -> LLM:
    """Load a language model for embedding and training.

    Parameters
    ----------
    name : None for the book's default (SmolLM2-135M-Instruct, fetched and converted at the first call),
        "tiny" for a random model that needs no download, a Hugging Face id "owner/model", or a local folder
        with safetensors.
    device : "cpu", "cuda" or "cuda:1"; None takes the GPU where there is one.
    dtype : "float32" or "bfloat16".

    Returns
    -------
    LLM in evaluation mode. ValueError (one sentence) for a name, device or dtype that is not known, and for a
    model whose logits are not its unembedding times its last hidden state; OSError without network or space.
    """
    one_of("dtype", dtype, DTYPES)
    place = _device(device)
    if name == "tiny":
        from .tiny import tiny_digest, tiny_model, tiny_tokenizer

        tokenizer = tiny_tokenizer()
        model = tiny_model(len(tokenizer))
        digest = tiny_digest(model, tokenizer)
    elif name is None or name == weights.NAME:
        name = weights.NAME
        model, tokenizer, digest = _load_default()
    else:
        model, tokenizer, digest = hub.load_named(name, known=("tiny", weights.NAME))
    llm = LLM(
        model.to(device=place, dtype=DTYPES[dtype]).eval(), tokenizer, place, DTYPES[dtype], digest, name
    )
    if name not in ("tiny", weights.NAME):  # the tests show it for these two
        check_head(llm)
    return llm


def _load_default() -> tuple[torch.nn.Module, PreTrainedTokenizerBase, str]:
    folder = weights.default_model()
    try:
        model, tokenizer = _read(folder)
    except Exception:
        # Damaged where the quick check does not look: read it all, and build it again if that is the reason.
        if weights.intact(folder, full=True):
            raise
        model, tokenizer = _read(weights.default_model(full_check=True))
    return model, tokenizer, weights.digest(folder)


def _read(folder) -> tuple[torch.nn.Module, PreTrainedTokenizerBase]:
    with hub.quiet():
        return (
            LlamaForCausalLM.from_pretrained(folder, use_safetensors=True, local_files_only=True),
            PreTrainedTokenizerFast.from_pretrained(folder, local_files_only=True),
        )


def _device(device: str | torch.device | None) -> torch.device:
    if device is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        place = torch.device(device)
    except (RuntimeError, TypeError):
        place = None
    if place is None or place.type not in ("cpu", "cuda"):
        raise ValueError(f"device must be None, 'cpu', 'cuda' or 'cuda:N', got {shown(device)}")
    if place.type == "cuda" and (place.index or 0) >= torch.cuda.device_count():
        raise ValueError(
            f"device must be one that torch sees ({torch.cuda.device_count()} GPUs), got {device!r}"
        )
    return place
