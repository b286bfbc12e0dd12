"""The right answers of the exercises, by number. Each is computed here by other code than the chapter asks for."""

from .marking import Exercise

# Entries are made with `number`, `choice` and `function` of `marking`, for example
#     "03.2": number("margin at S = 1", lambda: noise_free_margin(1.0), rel=1e-3),
#     "01.1": choice("which log-probability cancels", "b", {"a": "It depends on the prompt alone, ..."}),
#     "03.1": function("dimensionless time", dimensionless_time, [(10, 0.1, 0.01, 4), (1, 1.0, 1.0, 1)]),
ANSWERS: dict[str, Exercise] = {}
