"""The hypotheses of the paper's theorems as data: name, value, limit, and whether it holds."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from ..checks import at_least, between, holds, one_of, positive
from ..layouts import TokenLayout
from .concentration import largest_epsilon

THEOREMS = ("4.2", "4.3", "B.3", "B.4", "C.5", "C.6")
# Of the bounds on the risk. The union of B.4 and C.6 is over at most 2 Q K training points, of the values that share a
# token with the one that is asked, and twice that fits in their 2 K Q^2 from Q = 2 on.
LEAST_Q = {"4.3": 40, "B.4": 2, "C.6": 2}


@dataclass(frozen=True)
class Condition:
    """One hypothesis: `value` must be `relation` ("<=" or ">=") `limit`."""

    name: str
    value: float
    relation: str
    limit: float

    @property
    def holds(self) -> bool:
        """Whether it is met, up to the rounding of its two sides."""
        room = 1e-12 * abs(self.limit)
        return self.value <= self.limit + room if self.relation == "<=" else self.value >= self.limit - room

    def __str__(self) -> str:
        verdict = "holds" if self.holds else "fails"
        return f"{self.name} {self.relation} {self.limit:.4g}: {verdict}, {self.name} = {self.value:.4g}"


def conditions(
    layout: TokenLayout,
    *,
    Q: int,
    d: int,
    v: float,
    l_b: float,
    theorem: str = "4.2",
    epsilon: float | None = None,
    delta: float = 0.0,
) -> tuple[Condition, ...]:
    """The hypotheses of a theorem, each with its value here.

    Parameters
    ----------
    layout : the answer tokens.   Q : samples a cluster.   d : dimension of the embedding.
    v, l_b : noise and shared component in units of the concepts' length (N5, item 7).
    theorem : "4.2" or "4.3" (main text), "B.3" or "B.4" (appendix, a weaker condition on v), "C.5" or "C.6"
        (those for concepts that are nearly orthogonal).
    epsilon : the free constant of the appendix; by default the largest allowed.
    delta : departure from orthogonality (Definition C.1, where it is below 1/2); counts for C.5 and C.6 alone.

    Raises
    ------
    ValueError : an unknown theorem, or an argument out of range.
    """
    holds("layout", layout, "pairs Z", "a TokenLayout")
    one_of("theorem", theorem, THEOREMS)
    root = np.sqrt(at_least("Q", Q, 1))
    at_least("d", d, 1), between("v", v, 0, 1e6), between("l_b", l_b, 0, 1e6), between("delta", delta, 0, 1)
    alike = Counter(frozenset(pair) for pair in layout.pairs).most_common(1)[0][1]
    most = 1 / (4 * l_b**2) if l_b > 1e-100 else np.inf
    found = [
        Condition("values with the same two answers", alike, "<=", 1),
        Condition("Z", layout.Z, "<=", most),
        Condition("l_b", l_b, ">=", 0.25),
        Condition("l_b", l_b, "<=", 0.5),
        Condition("d", d, "<=", 5 * Q),
        Condition("v", v, "<=", 1 / ((32 if theorem.startswith("4") else 4) * root)),
    ]
    if theorem in LEAST_Q:
        found.append(Condition("Q", Q, ">=", LEAST_Q[theorem]))
    if epsilon is not None:
        positive("epsilon", epsilon, 1e100)
    if not theorem.startswith("4") and v > 0:
        limit = largest_epsilon(v, layout.Z)
        epsilon = limit if epsilon is None else epsilon
        found.append(Condition("epsilon", epsilon, "<=", limit))
        if theorem.startswith("C"):
            found.append(Condition("delta", delta, "<=", epsilon * v / 8))
    return tuple(found)
