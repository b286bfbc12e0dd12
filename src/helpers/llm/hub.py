"""A language model from a local folder or from the Hugging Face hub: safetensors only, no remote code."""

import hashlib
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path

import torch
from huggingface_hub import errors, hf_hub_download, try_to_load_from_cache
from jinja2 import TemplateError
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerBase
from transformers.utils import logging as hf_logging

from ..checks import one_line
from ..files import DamagedFile, sha256, verify

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
# Weights, config, tokenizer with its settings, chat template: all that shapes what the model gives for a text.
_PARTS = (".safetensors", ".json", ".jinja", ".model", ".txt")


def load_named(
    name: str, *, known: Sequence[str] = ()
) -> tuple[torch.nn.Module, PreTrainedTokenizerBase, str]:
    """Model, tokenizer and digest of a local folder or a hub id "owner/model"; `known` are names to suggest.

    ValueError (one sentence) if there is none or it has no safetensors; ConnectionError without network.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        return *_load(str(folder), name), _folder_digest(folder)
    if name.count("/") != 1 or name.startswith((".", "/", "~")):
        raise _unknown(name, known)
    if try_to_load_from_cache(name, "config.json") is None:
        print(f"Asking the Hugging Face hub for {name}, since there is no such folder")  # it may try for half a minute
    snapshot = _snapshot(name, known)
    loaded = _load(name, name, revision=snapshot.name)
    _check_weights(snapshot, name)
    return *loaded, hashlib.sha256(f"{name}@{snapshot.name}".encode()).hexdigest()


@contextmanager
def quiet() -> Iterator[None]:
    """Without the bars of transformers, since a model that loads in a moment needs none, and the retries of the hub."""
    shown, hub = hf_logging.is_progress_bar_enabled(), logging.getLogger("huggingface_hub")
    level = hub.level
    hf_logging.disable_progress_bar()
    hub.setLevel(logging.ERROR)
    try:
        yield
    finally:
        hub.setLevel(level)
        if shown:
            hf_logging.enable_progress_bar()


def _snapshot(name: str, known: Sequence[str]) -> Path:
    """The folder of the hub's cache that holds the model's newest commit, and is called by it."""
    try:
        with quiet():
            config = hf_hub_download(name, "config.json")
    except errors.GatedRepoError as error:
        raise ValueError(
            f"name must be a model open to you, got {name!r}, whose owner asks for a login"
        ) from error
    except (errors.RepositoryNotFoundError, errors.HFValidationError) as error:
        raise _unknown(name, known) from error
    except errors.LocalEntryNotFoundError as error:
        raise ConnectionError(
            f"there is no folder {name!r}, the model of that name is not on this computer, and the Hugging Face hub "
            "cannot be reached; load_llm('tiny') needs no network"
        ) from error
    except errors.EntryNotFoundError as error:
        raise ValueError(f"name must be a language model, got {name!r}, which has no config.json") from error
    except errors.HfHubHTTPError as error:
        raise ConnectionError(
            f"the model {name!r} could not be fetched: {one_line(error)}"
        ) from error
    return Path(config).parent


def _check_weights(snapshot: Path, name: str) -> None:
    """Raise `DamagedFile` where weights of the hub's cache are not what their name there, a SHA-256, says."""
    for file in snapshot.glob("*.safetensors"):
        stored = file.resolve()
        if len(stored.name) == 64:  # a cache without links has no such names
            try:
                verify(stored, stored.name)
            except DamagedFile as error:
                raise DamagedFile(f"the weights of {name!r} are damaged: delete {stored} and load again") from error


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
    names = [*known, *SUGGESTED]
    begun = [full for full in names if full.rpartition("/")[2].casefold().startswith(name.casefold())]
    near = (begun or get_close_matches(name, names, cutoff=0.4))[:3]
    hint = f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
    return ValueError(
        "name must be None, 'tiny', a Hugging Face id 'owner/model' or a folder with safetensors, "
        f"got {name!r}{hint}"
    )


def _folder_digest(folder: Path) -> str:
    """SHA-256 over the files that make the model: its config, its tokenizer and its weights."""
    found = hashlib.sha256()
    for file in sorted(folder.iterdir()):
        if file.suffix in _PARTS:
            found.update(f"{file.name} {sha256(file)}\n".encode())
    return found.hexdigest()
