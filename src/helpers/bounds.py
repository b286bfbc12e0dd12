"""The paper's theorems as functions, in dimensionless time S = 2 beta^2 t / (K tau).

One door to the modules that hold them: hypotheses, envelopes, guarantees, and what each step gives away.
"""

from .conditions import Condition, conditions
from .envelopes import training_envelope
from .guarantees import (
    failure_probability,
    refined_exponent,
    refined_risk_bound,
    risk_bound,
    samples_for_bound,
    samples_for_confidence,
)
from .slack import Slack, slack

__all__ = [
    "Condition",
    "Slack",
    "conditions",
    "failure_probability",
    "refined_exponent",
    "refined_risk_bound",
    "risk_bound",
    "samples_for_bound",
    "samples_for_confidence",
    "slack",
    "training_envelope",
]
