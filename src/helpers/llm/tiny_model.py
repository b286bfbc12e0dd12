"""A tiny random Llama with its own tokenizer, built in memory in a moment, the same on every machine."""

import hashlib
import json

import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

_CONTROL = ("<|end|>", "<|user|>", "<|assistant|>")
_TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
_ANSWERS = """Yes No True False Good Bad Right Wrong agree disagree always never positive negative allow
deny accept reject support oppose approve refuse love hate for against like dislike start stop
correct incorrect friend enemy"""
# Common words of plain English, so that a statement is a few dozen tokens and not a hundred bytes.
_WORDS = """I the a an and or but to of in on at by with from as that this it is are was be been have has
had do does did would could should can will not no my me you your we they their them people
one what when how if because so than then just only even more most some any all out up about
into over after before other others own time day work life money make take get go know think
say see want need feel find keep give use try believe something statement following thing
things better good way new old first last every rather without being who there its our his her
much many"""


def tiny_tokenizer() -> PreTrainedTokenizerFast:
    """Byte-level tokenizer: each known word behind a space is one token, anything else is its bytes."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    merges: dict[tuple[str, str], None] = {}
    for word in _ANSWERS.split() + _WORDS.split():
        piece = "Ġ"  # the byte-level name of the space
        for letter in word:
            merges[piece, letter] = None
            piece += letter
    # Every merge starts at the space, so that it grows from the left and no two merges compete.
    tokens = [*_CONTROL, *alphabet, *(a + b for a, b in merges)]
    core = Tokenizer(models.BPE({token: i for i, token in enumerate(tokens)}, list(merges)))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    core.add_special_tokens(list(_CONTROL))
    return PreTrainedTokenizerFast(
        tokenizer_object=core, eos_token="<|end|>", pad_token="<|end|>", chat_template=_TEMPLATE,
        clean_up_tokenization_spaces=False, model_max_length=2048,
    )


def tiny_model(vocab_size: int) -> LlamaForCausalLM:
    """Llama of 2 blocks, width 64 and a tied head; float32 Gaussian weights from a fixed seed."""
    config = LlamaConfig(
        vocab_size=vocab_size, hidden_size=64, intermediate_size=128, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=2048, tie_word_embeddings=True,
        bos_token_id=None, eos_token_id=0, pad_token_id=0,
    )
    with torch.random.fork_rng(devices=[]):  # the random numbers of the reader stay as they were
        model = LlamaForCausalLM(config)
    rng = np.random.default_rng(0)  # the same numbers whatever the version of torch
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim > 1:
                # So wide that the statement, not the last token alone, shapes the last hidden state.
                scale = 0.1 if "embed" in name else 2 / np.sqrt(parameter.shape[1])
                values = scale * rng.standard_normal(tuple(parameter.shape))
                parameter.copy_(torch.from_numpy(values))
    return model


def tiny_digest(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast) -> str:
    """SHA-256 of the weights and the vocabulary."""
    found = hashlib.sha256(json.dumps(sorted(tokenizer.get_vocab().items())).encode())
    for name, parameter in model.named_parameters():
        found.update(name.encode() + parameter.detach().numpy().tobytes())
    return found.hexdigest()
