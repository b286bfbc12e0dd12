"""Loading a language model: the default one, a tiny random one, one of the Hugging Face hub or of a folder."""

import os

import torch
from transformers import LlamaForCausalLM, PreTrainedTokenizerBase, PreTrainedTokenizerFast

from ..checks import is_text, one_of, shown
from . import default_model, hub
from .embedding import check_head
from .model import LLM

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def load_llm(
    name: str | None = None, device: str | torch.device | None = None, dtype: str = "float32"
) -> LLM:
    """Load a language model for embedding and training.

    Parameters
    ----------
    name : None for the book's default (SmolLM2-135M-Instruct, fetched and converted at the first call),
        "tiny" for a random model that needs no download, a Hugging Face id "owner/model", or a local folder
        with safetensors.
    device : "cpu", "cuda" or "cuda:1"; None takes the GPU where there is one, each of several processes its own.
    dtype : "float32" or "bfloat16".

    Returns
    -------
    LLM in evaluation mode. ValueError (one sentence) for a name, device or dtype that is not known, and for a
    model whose logits are not its unembedding times its last hidden state; OSError without network or space.
    """
    one_of("dtype", dtype, DTYPES)
    place = _device(device)
    if name is not None and not (is_text(name) and name):
        raise ValueError(f"name must be a non-empty string or None, got {shown(name)}")
    if name == "tiny":
        from .tiny_model import tiny_digest, tiny_model, tiny_tokenizer

        tokenizer = tiny_tokenizer()
        model = tiny_model(len(tokenizer))
        digest = tiny_digest(model, tokenizer)
    elif name is None or name == default_model.NAME:
        name = default_model.NAME
        model, tokenizer, digest = _load_default()
    else:
        model, tokenizer, digest = hub.load_named(name, known=("tiny", default_model.NAME))
    llm = LLM(
        model.to(device=place, dtype=DTYPES[dtype]).eval(), tokenizer, place, DTYPES[dtype], digest, name
    )
    if name not in ("tiny", default_model.NAME):  # the tests show it for these two
        check_head(llm)
    return llm


def _load_default() -> tuple[torch.nn.Module, PreTrainedTokenizerBase, str]:
    folder = default_model.default_model(full_check=True)
    with hub.quiet():
        model = LlamaForCausalLM.from_pretrained(folder, use_safetensors=True, local_files_only=True)
        tokenizer = PreTrainedTokenizerFast.from_pretrained(folder, local_files_only=True)
    return model, tokenizer, default_model.digest(folder)


def _device(device: str | torch.device | None) -> torch.device:
    if device is None:
        own = os.environ.get("LOCAL_RANK", "")  # of a process that accelerate or torchrun started
        if own.isdecimal() and int(own) < torch.cuda.device_count():
            return torch.device("cuda", int(own))
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        place = torch.device(device)
    except (RuntimeError, TypeError, ValueError):
        place = None
    if place is None or place.type not in ("cpu", "cuda"):
        raise ValueError(f"device must be None, 'cpu', 'cuda' or 'cuda:N', got {shown(device)}")
    if place.type == "cuda" and (place.index or 0) >= torch.cuda.device_count():
        raise ValueError(
            f"device must be one that torch sees ({torch.cuda.device_count()} GPUs), got {device!r}"
        )
    return place
