"""The embedding g of a prompt: what a language model hands to its unembedding at the last position."""

import copy
import os
import time
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from tqdm.auto import tqdm

from ..checks import flag, holds, one_line
from ..files import cache_path
from .embedding_cache import add_rows, prompt_key, read_rows, read_seconds
from .fingerprint import fingerprint
from .model import LLM, rounding

# Prompts and tokens (padding included) a batch: small on a CPU, where a batch that leaves the cache is slower.
_BATCH = {"cpu": (32, 2048), "cuda": (256, 32768)}
_KEEP_EVERY = 512  # prompts after which the embeddings so far are stored, so that an interrupted call goes on
_MADE: dict[bytes, float] = {}  # seconds that each prompt of this process took when it was embedded, now or before
_NOW: dict[bytes, float] = {}  # those that were embedded by this process
_SHORTEST_PREFIX = 8  # tokens; below this, sharing costs more than it saves


def embed(llm: LLM, prompts: Sequence[str], *, progress: bool = True) -> np.ndarray:
    """Embed prompts: the last hidden state (after the final norm) at the last position, in the given order.

    The logits after a prompt are the unembedding times its embedding. Prompts of like length are batched and
    padded on the right, and the tokens that all share are computed once; both move an embedding by rounding
    only. Embeddings are kept in the user cache by the model's weights, the dtype and the prompt's tokens.
    ValueError (one sentence) for a prompt that is empty or no string.

    Returns
    -------
    (N, d) float32.
    """
    holds("llm", llm, "model tokenizer encode_all", "a model of load_llm")
    flag("progress", progress)
    ids = llm.encode_all(prompts)
    keys = [prompt_key(tokens) for tokens in ids]
    folder = cache_path("embeddings", model_key(llm))
    rows = read_rows(folder)
    missing = {key: tokens for key, tokens in zip(keys, ids, strict=True) if key not in rows}
    fresh: dict[bytes, np.ndarray] = {}
    took: dict[bytes, float] = {}
    try:
        with tqdm(
            total=len(missing), desc="Embedding", unit="prompt", disable=not (progress and missing)
        ) as bar:
            start = time.perf_counter()
            for batch, states in _embed_batches(llm, missing):
                fresh |= zip(batch, states, strict=True)
                took |= dict.fromkeys(batch, (time.perf_counter() - start) / len(batch))
                start = time.perf_counter()
                bar.update(len(batch))
                if len(fresh) >= _KEEP_EVERY:
                    add_rows(folder, fresh, took)
                    rows |= fresh
                    fresh = {}
    finally:
        add_rows(folder, fresh, took)
    rows |= fresh
    made = read_seconds(folder) | took
    _MADE.update((key, made.get(key, 0.0)) for key in keys)
    _NOW.update(took)
    return np.stack([rows[key] for key in keys]) if keys else np.zeros((0, llm.d), dtype=np.float32)


def embedding_seconds() -> tuple[float, float]:
    """Seconds that this process spent on embedding, and those that its prompts took when each was first embedded."""
    return sum(_NOW.values()), sum(_MADE.values())


def last_states(
    model: torch.nn.Module, ids: Sequence[Sequence[int]], past: dict | None = None
) -> torch.Tensor:
    """(B, d) last hidden states at the last positions of `ids`, which follow the prefix of `past`, if given.

    past : the model's cache of the prefix, by the name of the argument that takes it.
    Right padding needs no mask: in a causal model no position looks at a later one.
    """
    device = model.get_input_embeddings().weight.device
    lengths = torch.tensor([len(tokens) for tokens in ids])
    padded = torch.zeros(len(ids), int(lengths.max()), dtype=torch.long)
    for row, tokens in zip(padded, ids, strict=True):
        row[: len(tokens)] = torch.tensor(tokens)
    given = copy.deepcopy(past or {})  # the model appends to it
    for cache in given.values():
        cache.batch_repeat_interleave(len(ids))
    with torch.inference_mode():
        states = model.base_model(
            input_ids=padded.to(device), use_cache=bool(given), **given
        ).last_hidden_state
        return states[torch.arange(len(ids), device=device), (lengths - 1).to(device)]


def check_head(llm: LLM) -> None:
    """Raise ValueError (one sentence) unless the unembedding times g is the model's logits, and g sees no later token.

    Some models scale or cap their logits afterwards; then the theory's last layer is not the model's.
    """
    ids, seen = llm.encode("Is this a test?"), {}
    head = llm.model.get_output_embeddings()
    wanted = "name must be a causal language model whose logits are its unembedding times its last hidden state"
    if head is None:
        raise ValueError(f"{wanted}, got {llm.name!r}, which has no unembedding")
    hook = head.register_forward_hook(lambda module, given, output: seen.update(state=given[0], logits=output))
    try:
        with torch.inference_mode():
            logits = llm.model(input_ids=torch.tensor([ids], device=llm.device)).logits[0, -1].float()
        given, product = (seen[name][0, -1].float() for name in ("state", "logits"))
        alone, before_more = last_states(llm.model, [ids])[0], last_states(llm.model, [ids, ids + ids])[0]
    except Exception as error:  # whatever a model raises that is built in another way
        raise ValueError(f"{wanted}, got {llm.name!r}, which gives no such state ({one_line(error)})") from error
    finally:
        hook.remove()
    # The product is the head's own, from the same forward pass: what comes after it is no rounding, in any precision.
    for what, found, expected, allowed in (
        ("its logits and that product", logits, product, 0.0),
        ("its last hidden state and what its unembedding reads", alone.float(), given, rounding(llm.dtype)),
        ("its state with and without later tokens", before_more.float(), given, rounding(llm.dtype)),
    ):
        off = float((found - expected).abs().max() / expected.abs().max()) if found.shape == expected.shape else np.inf
        if not off <= allowed:
            raise ValueError(f"{wanted}, got {llm.name!r}: {what} differ by {off:.2g} of the largest entry")


def model_key(llm: LLM) -> str:
    """Name of the folder of a model's embeddings: what was loaded, the dtype, a fingerprint of the model as it is now.

    With the fingerprint, a model that was trained or altered in place does not find its embeddings from before.
    """
    return f"{llm.digest[:16]}-{str(llm.dtype).removeprefix('torch.')}-{fingerprint(llm.model)[:16]}"


def _embed_batches(llm: LLM, prompts: dict[bytes, list[int]]) -> Iterator[tuple[list[bytes], np.ndarray]]:
    """Yield (keys, (B, d) states) until all `prompts` (key: token ids) are embedded; the longest first."""
    prefix, past = _shared_prefix(llm, list(prompts.values()))
    keys = sorted(prompts, key=lambda key: -len(prompts[key]))  # a lack of memory shows at once
    most, room = _BATCH[llm.device.type]
    while keys:
        longest = len(prompts[keys[0]]) - len(prefix)
        size = max(1, min(most, room // longest))
        batch, keys = keys[:size], keys[size:]
        states = last_states(llm.model, [prompts[key][len(prefix) :] for key in batch], past)
        yield batch, states.float().cpu().numpy()


def _shared_prefix(llm: LLM, ids: list[list[int]]) -> tuple[list[int], dict | None]:
    """The tokens that all prompts start with and the model's cache of them; ([], None) where it does not pay.

    Tried on two prompts first: a model whose cache cannot be continued this way is embedded without.
    """
    if len(ids) < 4:
        return [], None
    prefix = os.path.commonprefix([tokens[:-1] for tokens in ids])
    if len(prefix) < _SHORTEST_PREFIX:
        return [], None
    some = [ids[0], ids[-1]]
    try:
        with torch.inference_mode():
            given = torch.tensor([prefix], device=llm.device)
            output = llm.model.base_model(input_ids=given, use_cache=True)
        name = "cache" if "cache" in output else "past_key_values"  # its name since transformers 5.24, and before
        past = {name: output[name]}
        shared = last_states(llm.model, [tokens[len(prefix) :] for tokens in some], past)
    except Exception:  # whatever a cache raises that can be copied or continued in no such way
        return [], None
    plain = last_states(llm.model, some)
    if float((shared - plain).abs().max() / plain.abs().max()) > rounding(llm.dtype):
        return [], None
    return prefix, past
