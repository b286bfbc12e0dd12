"""How often a new preference is told wrong: exactly (N2), after one step (N3, N4), and by the law (N5)."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "certificates": [
            "certificate", "guarantee_beforehand", "guarantee_from_cosines", "kl_inverse", "model_guarantee",
            "pair_features",
        ],
        "designs": ["FirstStepTable", "first_step_table", "shared_limit", "whitened_products"],
        "diversity": ["diversity_limit", "samples_for_risk"],
        "exact": ["cluster_risks", "exact_risk", "log_cluster_risks", "log_exact_risk"],
        "laws": ["law_from_interactions", "log_law", "one_step_risk_from_interactions", "risk_law"],
        "one_step": ["FirstStep", "first_step", "log_chernoff", "log_one_step_risk", "one_step_risk", "risk_theorem"],
        "products": ["Interactions", "interactions"],
        "trials": ["first_step_errors"],
    },
)
