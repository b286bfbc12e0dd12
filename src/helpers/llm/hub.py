"""A language model from a local folder or from the Hugging Face hub: safetensors only, no remote code."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path

import torch
from huggingface_hub import errors, hf_hub_download
from jinja2 import TemplateError
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerBase
from transformers.utils import logging as hf_logging

from ..checks import one_line
from ..files import sha256

# Small models that fit a classroom; only to suggest a name to a reader who mistyped one.
SUGGESTED = (
    "HuggingFaceTB/SmolLM2-135M-Instruct",
    "HuggingFaceTB/SmolLM2-360M-Instruct",
    "HuggingFaceTB/SmolLM2-1.7B-Instruct",
    "Qwen/Qwen2.5-0.5B-Instruct",
    "Qwen/Qwen2.5-1.5B-Instruct",
    "openai-community/gpt2",
    "EleutherAI/pythia-160m",
)
_TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "tokenizer.model", "vocab.json", "merges.txt")


def load_named(
    name: str, *, known: Sequence[str] = ()
) -> tuple[torch.nn.Module, PreTrainedTokenizerBase, str]:
    """Model, tokenizer and digest of a local folder or a hub id "owner/model"; `known` are names to suggest.

    ValueError (one sentence) if there is none or it has no safetensors; ConnectionError without network.
    """
    if not isinstance(name, str) or not name:
        raise ValueError(f"name must be a non-empty string or None, got {name!r}")
    folder = Path(name).expanduser()
    if folder.is_dir():
        return *_load(str(folder), name), _folder_digest(folder)
    if name.count("/") != 1 or name.startswith((".", "/", "~")):
        raise _unknown(name, known)
    commit = _commit(name, known)
    digest = hashlib.sha256(f"{name}@{commit}".encode()).hexdigest()
    return *_load(name, name, revision=commit), digest


@contextmanager
def quiet() -> Iterator[None]:
    """Without the bars of transformers: a model that loads in a moment needs none."""
    shown = hf_logging.is_progress_bar_enabled()
    hf_logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            hf_logging.enable_progress_bar()


def _commit(name: str, known: Sequence[str]) -> str:
    try:
        config = hf_hub_download(name, "config.json")
    except errors.GatedRepoError as error:
        raise ValueError(
            f"name must be a model open to you, got {name!r}, whose owner asks for a login"
        ) from error
    except (errors.RepositoryNotFoundError, errors.HFValidationError) as error:
        raise _unknown(name, known) from error
    except errors.LocalEntryNotFoundError as error:
        raise ConnectionError(
            f"the model {name!r} is not on this computer and the Hugging Face hub cannot be reached; "
            "load_llm('tiny') needs no network"
        ) from error
    except errors.EntryNotFoundError as error:
        raise ValueError(f"name must be a language model, got {name!r}, which has no config.json") from error
    except errors.HfHubHTTPError as error:
        raise ConnectionError(
            f"the model {name!r} could not be fetched: {one_line(error)}"
        ) from error
    return Path(config).parent.name  # the hub's cache has one folder a commit


def _load(
    source: str, name: str, revision: str | None = None
) -> tuple[torch.nn.Module, PreTrainedTokenizerBase]:
    try:
        tokenizer = AutoTokenizer.from_pretrained(source, revision=revision, trust_remote_code=False)
        if tokenizer.chat_template:  # read only when it is used, so a damaged one would show late
            tokenizer.apply_chat_template([{"role": "user", "content": "?"}], tokenize=False)
        model = AutoModelForCausalLM.from_pretrained(
            source, revision=revision, use_safetensors=True, trust_remote_code=False
        )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError, TemplateError) as error:
        raise ValueError(
            f"name must be a causal language model with safetensors that needs no code of its own, "
            f"got {name!r} ({one_line(error)})"
        ) from error
    return model, tokenizer


def _unknown(name: str, known: Sequence[str]) -> ValueError:
    near = get_close_matches(name, [*known, *SUGGESTED], n=3, cutoff=0.4)
    hint = f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
    return ValueError(
        "name must be None, 'tiny', a Hugging Face id 'owner/model' or a folder with safetensors, "
        f"got {name!r}{hint}"
    )


def _folder_digest(folder: Path) -> str:
    """SHA-256 over the files that make the model: its config, its tokenizer and its weights."""
    found = hashlib.sha256()
    for file in sorted(folder.iterdir()):
        if file.suffix == ".safetensors" or file.name in (
            *_TOKENIZER_FILES,
            "config.json",
            "chat_template.jinja",
        ):
            found.update(f"{file.name} {sha256(file)}\n".encode())
    return found.hexdigest()
