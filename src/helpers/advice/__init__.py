"""The audit of a reader's own pairs and model, before any training: what to expect, read and do, on one page."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "auditing": ["audit_file", "audit_preferences"],
        "judging": ["Judgement", "judge", "judge_many"],
        "pair_report": ["PairReport", "report_on_pairs"],
        "value_report": ["ValueReport", "report_on_values"],
    },
)
