"""What the tests of the exercises share: made-up objects for the checks that are given objects of their chapter."""

from types import SimpleNamespace

import numpy as np

PAIRS = SimpleNamespace(value=np.repeat([0, 1, 2], 4), side=np.tile([1, 1, -1, -1], 3))
# By exercise, what stands after the answer in its check.
GIVEN = {"07.6": (np.random.default_rng(7).normal(size=(12, 5)), PAIRS)}
