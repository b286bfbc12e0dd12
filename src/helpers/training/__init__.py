"""Preference training on a language model: its last layer on fixed embeddings, or the model itself."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "fine_tuning": ["fine_tune"],
        "full_softmax": ["Head", "last_layer_head"],
        "last_layer": ["train_last_layer"],
        "many": ["run_all"],
        "online": ["OnlinePrompts", "OnlineRun", "expected_push", "pair_pulls", "sampled_push", "train_online"],
        "runs": ["Run"],
        "sweep": ["LastLayerLab", "last_layer_lab"],
    },
)
