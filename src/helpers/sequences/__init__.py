"""Answers of many tokens: pairs of them, the rewards of their tokens, and training on whole answers (Appendix D)."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "pairs": ["SequencePairs"],
        "pushes": ["push_matrix", "total_pushes"],
        "rewards": [
            "TokenTerms", "sequence_gradient", "sequence_margins", "token_reward", "token_reward_rates",
            "token_terms",
        ],
        "training": ["SequenceRun", "SequenceStart", "train_sequences"],
    },
)
