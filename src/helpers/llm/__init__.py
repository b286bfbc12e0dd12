"""The language model: loading it, and the embedding of a prompt that its last layer reads."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "answers": ["answer_states"],
        "embedding": ["embed"],
        "loading": ["load_llm"],
        "model": ["LLM"],
    },
)
