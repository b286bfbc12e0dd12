"""Interactive figures: the same object in the page without a kernel, in JupyterLab and in Colab."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "answers": ["answers_explorer", "answers_numbers"],
        "curves": ["Curve", "Guide"],
        "grid": ["grid_explorer", "grid_numbers"],
        "guessing": ["guess"],
        "presets": ["margin_explorer", "margin_numbers", "risk_explorer", "risk_numbers"],
        "proof": ["proof_explorer"],
        "statement": ["landing_explorer", "short_statements", "statement_explorer", "statement_margins"],
    },
)
