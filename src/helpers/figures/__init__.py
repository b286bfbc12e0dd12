"""The drawn pictures and the plotted figures of the chapters, in one set of marks, and how they are shown."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "assumptions": ["seen_by_checks", "verdicts"],
        "audits": ["sorted_pushes"],
        "concentration": ["densities", "failure_curves", "first_exit", "margins_in_envelopes", "shares"],
        "conflict": ["contributions", "first_rates"],
        "geometry": ["cluster_margins", "planes", "square_maps", "token_graphs"],
        "glyphs": ["glyph"],
        "guarantees": ["Ceiling", "by_share", "ceilings", "price_of_distance"],
        "losses": ["margin_paths", "paired_errors", "pushes_and_margins"],
        "margins": ["flips", "interaction_blocks", "predicted_against_measured", "two_accuracies"],
        "more_values": ["Fan", "candidates", "error_by_values", "fans"],
        "pictures": ["picture", "picture_names"],
        "scaling": ["law_and_error", "law_and_full", "law_on_trial", "risk_over_time"],
        "sequences": ["answer_rates", "token_rates"],
        "showing": ["show"],
        "tracing": ["Trace", "traces"],
    },
)
