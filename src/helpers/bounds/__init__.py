"""The paper's theorems as functions, in dimensionless time S = 2 beta^2 t / (K tau)."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "concentration": [
            "Deviation", "deviations", "largest_epsilon", "noise_parts", "rate_bracket", "rate_tolerance",
            "sharing_term",
        ],
        "envelopes": ["training_envelope"],
        "guarantees": [
            "failure_probability", "refined_exponent", "refined_risk_bound", "risk_bound", "samples_for_bound",
            "samples_for_confidence",
        ],
        "hypotheses": ["Condition", "conditions"],
        "proof": ["Evidence", "Slack", "Slacks", "slack"],
    },
)
