"""Preference pairs: the book's own values, the paper's Persona evaluations, a reader's own file."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "bank": ["as_prompt", "load_persona", "load_values", "value_glosses"],
        "examples": ["example_pairs", "example_swaps"],
        "own_pairs": ["read_pairs"],
        "pairs": ["Preferences"],
        "persona": ["persona_names", "persona_records", "persona_source"],
    },
)
