"""Lemma 4.1: how training the last layer moves the reward margins, how fast, and how closely to the noise-free one."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "flow": [
            "Trajectory", "dimensionless_time", "discretization_bound", "gradient_descent", "gradient_flow",
            "interaction_matrix", "noise_free_margin", "paper_horizon", "push", "scalar_discretization_bound",
            "smoothness",
        ],
        "rates": ["first_rates", "initial_rates", "pull", "rate_moments"],
        "separability": ["recovery_time", "separation"],
        "token_rows": ["Samples", "TokenRows"],
        "tracking": ["Tracking", "track", "track_beforehand"],
    },
)
