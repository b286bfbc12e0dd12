"""A language model from a local folder or from the Hugging Face hub: safetensors only, no remote code."""

import hashlib
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path

import torch
from huggingface_hub import hf_hub_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, RepositoryNotFoundError
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils import logging as hf_logging

from .files import sha256

# Small models that fit a classroom; only to suggest a name to a reader who mistyped one.
SUGGESTED = (
    "HuggingFaceTB/SmolLM2-135M-Instruct", "HuggingFaceTB/SmolLM2-360M-Instruct", "HuggingFaceTB/SmolLM2-1.7B-Instruct",
    "Qwen/Qwen2.5-0.5B-Instruct", "Qwen/Qwen2.5-1.5B-Instruct", "openai-community/gpt2", "EleutherAI/pythia-160m",
)


def locate(name: str, *, known: list[str]) -> tuple[Path | str, str]:
    """What to load for `name` (a local folder, or a hub id with its commit) and the digest that names it.

    ValueError (one sentence, with the nearest names) if there is no such model; OSError without network.
    """
    if not isinstance(name, str) or not name:
        raise ValueError(f"name must be a non-empty string or None, got {name!r}")
    folder = Path(name).expanduser()
    if folder.is_dir():
        return folder, _folder_digest(folder)
    if name.count("/") != 1 or name.startswith((".", "/", "~")):
        raise unknown(name, known)
    try:
        config = Path(hf_hub_download(name, "config.json"))
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise unknown(name, known) from error
    except LocalEntryNotFoundError as error:
        raise ConnectionError(
            f"the model {name!r} is not on this computer and the Hugging Face hub cannot be reached; "
            "load_llm('tiny') needs no network"
        ) from error
    except HfHubHTTPError as error:
        raise ConnectionError(f"the model {name!r} could not be fetched: {str(error).splitlines()[0]}") from error
    commit = config.parent.name  # the hub's own cache has one folder a commit
    return config.parent, hashlib.sha256(f"{name}@{commit}".encode()).hexdigest()
