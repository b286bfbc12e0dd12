"""From a GGUF file of a Llama to safetensors, a config and a tokenizer; needs no transformers and no torch.

The bytes written do not depend on the versions of the libraries, so that one digest holds everywhere.
"""

import hashlib
import json
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from tqdm.auto import tqdm

WEIGHTS = "model.safetensors"
FILES = ("config.json", "tokenizer.json", "tokenizer_config.json", WEIGHTS)

_Array = tuple[str, tuple[int, ...], Callable[[], np.ndarray]]
_CONTROL = 3  # GGUF's token type for control tokens
_TENSORS = {
    "attn_norm": "input_layernorm", "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj", "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj",
}


def convert(gguf_file: Path, folder: Path, *, progress: bool = True) -> None:
    """Write the float32 weights, the config and the tokenizer of `gguf_file` (a Llama with BPE) to `folder`.

    The weights are those that transformers' own GGUF loading gives, bit for bit; so are the token ids.
    Raises ValueError for a file that holds another kind of model, or tokens that do not fit its config.
    """
    import gguf  # here, because reading a converted model does not need it

    reader = gguf.GGUFReader(gguf_file)
    fields = {name: field.contents for name, field in reader.fields.items()}
    if fields["general.architecture"]() != "llama" or fields["tokenizer.ggml.model"]() != "gpt2":
        raise ValueError(f"gguf_file must hold a Llama with a byte-level BPE tokenizer, got {gguf_file.name}")
    config = _config(fields)
    _write_json(folder / "config.json", config)
    vocabulary = _write_tokenizer(folder, fields)
    if len(vocabulary) != config["vocab_size"]:
        raise ValueError(f"gguf_file must hold {config['vocab_size']} tokens, got {len(vocabulary)}")
    heads = {"attn_q": config["num_attention_heads"], "attn_k": config["num_key_value_heads"]}

    def arrays() -> Iterator[_Array]:
        for tensor in reader.tensors:
            name, part = _name(tensor.name)
            shape = tuple(int(n) for n in reversed(tensor.shape))  # GGUF counts axes from the last
            yield name, shape, lambda tensor=tensor, part=part: _halves(
                gguf.dequantize(tensor.data, tensor.tensor_type), heads.get(part)
            )

    write_safetensors(folder / WEIGHTS, list(arrays()), progress=progress)


def write_safetensors(path: Path, arrays: list[_Array], *, progress: bool) -> None:
    """Write float32 arrays, each as (name, shape, function that makes it), holding one at a time.

    Raises ValueError where an array has not the shape that was announced for it.
    """
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, shape, _ in arrays:
        start, end = end, end + 4 * int(np.prod(shape))
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [start, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with (
        open(path, "wb") as file,
        tqdm(total=end, desc="Converting the model", unit="B", unit_scale=True, disable=not progress) as bar,
    ):
        file.write(struct.pack("<Q", len(text)) + text)
        for _, shape, make in arrays:
            array = np.ascontiguousarray(make(), dtype="<f4")
            if array.shape != shape:
                raise ValueError(f"an array must have the announced shape {shape}, got {array.shape}")
            file.write(array.data)
            bar.update(array.nbytes)


def header_sha256(path: Path) -> str:
    """SHA-256 of the header of a safetensors file: cheap, and changes with any name, shape or offset."""
    with open(path, "rb") as file:
        length = file.read(8)
        return hashlib.sha256(length + file.read(min(struct.unpack("<Q", length)[0], 1 << 24))).hexdigest()


def _name(name: str) -> tuple[str, str]:
    """The name in transformers of a tensor of GGUF, and the part of a block that it is."""
    whole = {"token_embd.weight": "model.embed_tokens.weight", "output_norm.weight": "model.norm.weight"}
    if name in whole:
        return whole[name], ""
    _, block, part, _ = name.split(".")
    return f"model.layers.{block}.{_TENSORS[part]}.weight", part


def _halves(array: np.ndarray, heads: int | None) -> np.ndarray:
    """Undo GGUF's order of the rotary dimensions: it interleaves the halves of each head."""
    if heads is None:
        return array
    return array.reshape(heads, -1, 2, array.shape[1]).swapaxes(1, 2).reshape(array.shape)


def _config(fields: dict[str, Callable]) -> dict[str, Any]:
    def number(name: str) -> Any:
        return fields[f"llama.{name}"]()

    theta = number("rope.freq_base")
    return {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu",
        "attention_bias": False, "mlp_bias": False, "tie_word_embeddings": True, "initializer_range": 0.02,
        "vocab_size": number("vocab_size"), "hidden_size": number("embedding_length"),
        "intermediate_size": number("feed_forward_length"), "num_hidden_layers": number("block_count"),
        "num_attention_heads": number("attention.head_count"),
        "num_key_value_heads": number("attention.head_count_kv"),
        "head_dim": number("rope.dimension_count"), "max_position_embeddings": number("context_length"),
        "rms_norm_eps": number("attention.layer_norm_rms_epsilon"),
        # Older versions of transformers read the first of these two, newer ones the second.
        "rope_theta": theta, "rope_parameters": {"rope_theta": theta, "rope_type": "default"},
        "bos_token_id": fields["tokenizer.ggml.bos_token_id"](),
        "eos_token_id": fields["tokenizer.ggml.eos_token_id"](),
        "pad_token_id": fields["tokenizer.ggml.padding_token_id"](),
    }


def _write_tokenizer(folder: Path, fields: dict[str, Callable]) -> list[str]:
    tokens, kinds = fields["tokenizer.ggml.tokens"](), fields["tokenizer.ggml.token_type"]()
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    control = [{"id": i, "content": tokens[i]} | flags for i, kind in enumerate(kinds) if kind == _CONTROL]
    bytes_ = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    _write_json(folder / "tokenizer.json", {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": control, "normalizer": None,
        "pre_tokenizer": bytes_, "post_processor": None, "decoder": bytes_ | {"add_prefix_space": True},
        "model": {
            "type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": "",
            "end_of_word_suffix": "", "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
            "vocab": {token: i for i, token in enumerate(tokens)},
            "merges": fields["tokenizer.ggml.merges"](),
        },
    })
    special = {
        f"{ours}_token": tokens[fields[f"tokenizer.ggml.{theirs}_token_id"]()]
        for ours, theirs in {"bos": "bos", "eos": "eos", "unk": "unknown", "pad": "padding"}.items()
    }
    _write_json(folder / "tokenizer_config.json", special | {
        "tokenizer_class": "PreTrainedTokenizerFast", "clean_up_tokenization_spaces": False,
        "model_max_length": fields["llama.context_length"](),
        "chat_template": fields["tokenizer.chat_template"](),
    })
    return tokens


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, sort_keys=True), encoding="utf-8", newline="\n")
