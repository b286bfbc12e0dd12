"""The drawn pictures and the plotted figures of the chapters, in one set of marks, and how they are shown."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "concentration": ["densities", "failure_curves", "margins_in_envelopes", "shares", "widening"],
        "conflict": ["contributions", "first_rates"],
        "geometry": ["alignments", "cluster_margins", "lengths", "planes", "square_maps"],
        "glyphs": ["glyph"],
        "margins": ["flips", "interaction_blocks", "predicted_against_measured", "two_accuracies"],
        "pictures": ["picture", "picture_names"],
        "scaling": ["bound_against_samples", "bound_law_and_error", "powers_against_samples"],
        "sequences": ["answer_rates", "token_rates"],
        "showing": ["show"],
    },
)
