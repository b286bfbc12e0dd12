"""The static figures of the chapters, one a function, and how they are shown."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "concentration": ["densities", "failure_curves", "margins_in_envelopes", "shares", "widening"],
        "conflict": ["against_time", "contributions", "first_rates"],
        "geometry": ["alignments", "cluster_margins", "lengths", "planes", "square_maps"],
        "margins": [
            "flips", "histogram_of_margins", "interaction_blocks", "margin_trajectories",
            "predicted_against_measured", "two_accuracies",
        ],
        "glyphs": ["glyph"],
        "pictures": ["picture", "picture_names"],
        "scaling": ["bound_against_samples", "bound_law_and_error", "powers_against_samples"],
        "sequences": ["both_answers", "token_rates"],
        "theme": ["show"],
    },
)
