"""The audit: every constant of the theory with its interval, and every hypothesis with measured value and verdict."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Protocol

import numpy as np

from ..bounds.hypotheses import THEOREMS, conditions
from ..checks import at_least, flag, holds, one_of
from ..layouts import TokenLayout
from .clusters import Geometry, measure_geometry
from .gaussian import Normality, normality
from .intervals import Interval, groups_of_pairs, jackknife, left_out_by_group

if TYPE_CHECKING:
    from pandas import DataFrame

ALPHA = 0.05


class Labelled(Protocol):
    """What an audit needs of preferences: `value` and `side`, shape (N,), such as `Preferences` or a `Sample`."""

    value: np.ndarray
    side: np.ndarray


@dataclass(frozen=True)
class Check:
    """One hypothesis: the measured value, with its interval, must be `relation` ("<=", ">=" or "=") `limit`.

    limit_low, limit_high : the ends of a limit that is itself measured.
    verdict : "holds" or "fails" where the whole interval says so, else "undecided"; for "=" it is "fails" or
        "not refuted", since no measurement shows that two numbers are equal.
    """

    name: str
    value: float
    low: float
    high: float
    relation: str
    limit: float
    limit_low: float
    limit_high: float
    verdict: str

    @property
    def excess(self) -> float:
        """By which factor the value is beyond the limit: above 1 where it is not met; infinite beyond a limit of 0."""
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.divide(self.value, self.limit)
        ratio = 1.0 if np.isnan(ratio) else float(ratio)
        if self.relation == "=":
            return max(ratio, 1 / ratio) if ratio > 0 else np.inf
        return ratio if self.relation == "<=" else (1 / ratio if ratio > 0 else np.inf)

    def __str__(self) -> str:
        between = "" if self.low == self.high else f" ({self.low:.3g} to {self.high:.3g})"
        return f"{self.name} {self.relation} {self.limit:.3g}: {self.verdict}, {self.value:.3g}{between}"


@dataclass(frozen=True, eq=False)
class Spread:
    """How many directions the noise within the clusters of each value fills, shape (K,) each; O(N d^2).

    trace : tr Sigma.   norm : Frobenius norm of Sigma, the population's, free of bias.
    norm_sample : that of the plain sample covariance, both sides of a value pooled about their own means.
    norm_isotropic : what the sample covariance of as many statements must show on average if Sigma = v^2 I with this
        trace: tr Sigma sqrt(1/d + 1/n), n the degrees of freedom. A sample of n statements shows at most n directions.
    """

    trace: Annotated[np.ndarray, "K"]
    norm: Annotated[np.ndarray, "K"]
    norm_sample: Annotated[np.ndarray, "K"]
    norm_isotropic: Annotated[np.ndarray, "K"]

    @property
    def directions(self) -> np.ndarray:
        """(tr Sigma)^2 / tr Sigma^2 of the population, shape (K,)."""
        return (self.trace / self.norm) ** 2

    @property
    def directions_sample(self) -> np.ndarray:
        """The same of the sample covariance, shape (K,)."""
        return (self.trace / self.norm_sample) ** 2

    @property
    def directions_isotropic(self) -> np.ndarray:
        """What a sample of this size shows where the noise is isotropic, 1 / (1/d + 1/n), shape (K,)."""
        return (self.trace / self.norm_isotropic) ** 2


@dataclass(frozen=True, eq=False)
class Audit:
    """The constants of the theory on one set of embeddings. Intervals are of 95 %, by `jackknife`.

    names : of the K values.   N, d, Q : statements, dimension, statements of the smallest cluster (or as given).
    centred : whether the mean of all statements was taken away first.   groups : of the jackknife.
    geometry : the plain measurement, as chapters have it.
    concept_length : shape (K,), in units of the embedding.
    shared : length of the shared component in units of each concept, shape (K,); l_b of the theorems.
    offset : length of each value's own offset, which the theorems do not have, in the same units, shape (K,).
    noise : standard deviation along the value's concept, and noise_coordinate that of an average coordinate, in the
        same units, shape (K,); for isotropic noise both are the v of the theorems.
    directions : effective dimension of the noise, shape (K,), of the population.
    cosines : of the concepts, shape (K, K); estimates without bias, which noise can carry beyond 1.
    spread : norms of the covariance.   gaussian : shape of the noise along single directions.
    imbalance : (n+ - n-)/(n+ + n-), shape (K,).   lean : the weight of b in each value's first step, shape (K,) (N5,
        item 5).   lost : whether b then pushes one side of the value the wrong way after one step, shape (K,).
    theorem : name of the theorem asked for.   hypotheses : its hypotheses.   mixture : those of the mixture itself.
    """

    names: tuple[str, ...]
    N: int
    d: int
    Q: int
    centred: bool
    groups: int
    geometry: Geometry
    concept_length: Interval
    shared: Interval
    offset: Interval
    noise: Interval
    noise_coordinate: Interval
    directions: Interval
    cosines: Interval
    spread: Spread
    gaussian: Normality
    imbalance: Annotated[np.ndarray, "K"]
    lean: Annotated[np.ndarray, "K"]
    lost: Annotated[np.ndarray, "K"]
    theorem: str
    hypotheses: tuple[Check, ...]
    mixture: tuple[Check, ...]

    @property
    def K(self) -> int:
        """Number of values."""
        return len(self.names)

    def holds(self) -> bool:
        """Whether every hypothesis of the theorem holds, and none of the mixture's is refuted."""
        return all(check.verdict in ("holds", "not refuted") for check in (*self.hypotheses, *self.mixture))

    def frame(self, of: str = "values") -> "DataFrame":
        """The report as a data frame: a row for each of the "values", of the "cosines" or of the "hypotheses".

        Raises ValueError for another name.
        """
        import pandas

        one_of("of", of, ("values", "cosines", "hypotheses"))
        if of == "cosines":
            return pandas.DataFrame(self.cosines.value, index=list(self.names), columns=list(self.names))
        if of == "hypotheses":
            rows = [{"of": where, **vars(check), "excess": check.excess}
                    for where, checks in ((f"Theorem {self.theorem}", self.hypotheses), ("mixture", self.mixture))
                    for check in checks]
            return pandas.DataFrame(rows)
        columns: dict[str, np.ndarray] = {}
        for name in _INTERVALS:
            found = getattr(self, name)
            columns |= {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}
        spread = self.spread
        columns |= {"trace": spread.trace, "norm": spread.norm, "norm_sample": spread.norm_sample,
                    "norm_isotropic": spread.norm_isotropic, "directions_sample": spread.directions_sample,
                    "directions_isotropic": spread.directions_isotropic, "imbalance": self.imbalance,
                    "lean": self.lean, "lost": self.lost,
                    "p_concept": self.gaussian.p[:, 0], "skewness": self.gaussian.skewness[:, 0]}
        return pandas.DataFrame(columns, index=list(self.names))

    def __str__(self) -> str:
        about = "centred" if self.centred else "as they are"
        lines = [f"{self.K} value{'s' * (self.K > 1)}, {self.N} statements, {self.Q} a cluster, d = {self.d}, {about}",
                 f"{'':34s}{'median':>9s}{'smallest':>11s}{'largest':>10s}"]
        for name, words in _INTERVALS.items():
            found = getattr(self, name).value
            lines.append(f"  {words:32s}{np.median(found):9.3g}{np.min(found):11.3g}{np.max(found):10.3g}")
        pairs = self.cosines.value[np.triu_indices(self.K, 1)]
        rows = [("  of a sample this large", self.spread.directions_sample),
                ("  of isotropic noise in it", self.spread.directions_isotropic), ("imbalance", self.imbalance)]
        for words, found in rows + [("cosine of two concepts", pairs)] * (self.K > 1):
            lines.append(f"  {words:32s}{np.median(found):9.3g}{np.min(found):11.3g}{np.max(found):10.3g}")
        lines.append("  smallest p of normal noise: " + ", ".join(
            f"{kind} {self.gaussian.smallest(kind):.2g}" for kind in dict.fromkeys(self.gaussian.kinds))
            + f" ({self.gaussian.p.size} tests, Bonferroni)")
        if self.lost.any():
            lost = ", ".join(name for name, gone in zip(self.names, self.lost, strict=True) if gone)
            lines.append(f"  one side lost after the first step, for the imbalance: {lost}")
        for title, checks in ((f"Theorem {self.theorem}", self.hypotheses), ("The mixture", self.mixture)):
            lines.append(f"{title:34s}{'measured':>8s}{'95 % interval':>20s}{'limit':>12s} verdict")
            for check in checks:
                between = "" if check.low == check.high else f"{check.low:.3g} to {check.high:.3g}"
                lines.append(f"  {check.name:32s}{check.value:8.3g}{between:>20s}{check.relation:>3s}{check.limit:9.3g}"
                             f" {check.verdict}")
        return "\n".join(lines)


_INTERVALS = {
    "concept_length": "length of a concept", "shared": "shared component / concept",
    "offset": "offset of a value / concept", "noise": "noise along it / concept",
    "noise_coordinate": "noise of a coordinate / concept", "directions": "directions of the noise",
}


def audit(
    embeddings: Annotated[np.ndarray, "N d"], preferences: Labelled, *, layout: TokenLayout | None = None,
    Q: int | None = None, centred: bool = False, theorem: str = "4.2", groups: int = 10, seed: int = 0,
) -> Audit:
    """Measure every constant of the theory on embeddings, and hold each hypothesis against it; O(N d^2), never O(N^2).

    Parameters
    ----------
    embeddings : shape (N, d).
    preferences : anything with `value` (numbers 0..K-1) and `side` (+1 or -1), shape (N,), at least 6 statements a
        cluster, such as `Preferences` or a `Sample`.
    layout : the answers; by default those of the preferences.
    Q : statements a cluster that training will have; by default those of the smallest cluster.
    centred : take the mean of all statements away first, as training on centred embeddings does.
    theorem : whose hypotheses, one of 4.2, 4.3, B.3, B.4, C.5, C.6.
    groups, seed : of the jackknife; the seed also draws the random directions of the test of normality.

    For the theorem l_b and v are medians over the values, v the noise along the concepts; its verdict is "undecided"
    where their intervals do not settle it. Hypotheses of the mixture are held against the worst value, pair or
    direction, with intervals that hold for all of them at once (Bonferroni).

    Raises
    ------
    ValueError : arrays that do not fit each other, a cluster of fewer than 6 statements or without noise, no layout
        or one of another number of values, or an argument out of range.
    """
    holds("preferences", preferences, "value side", "preferences, with value and side")
    flag("centred", centred), one_of("theorem", theorem, THEOREMS)
    value, side = preferences.value, preferences.side
    geometry = measure_geometry(embeddings, value, side)
    x, value, side = np.asarray(embeddings, dtype=float), np.asarray(value).astype(int), np.asarray(side)
    if layout is None:
        holds("layout", preferences, "layout", "given where the preferences have none")
        layout = preferences.layout
    holds("layout", layout, "pairs Z gram", "a TokenLayout")
    K, d = geometry.K, geometry.d
    if layout.K != K:
        raise ValueError(f"layout must have {K} values, as the preferences have, got {layout.K}")
    counts = np.array([[np.sum((value == i) & (side == s)) for s in (1, -1)] for i in range(K)])
    Q = int(counts.min()) if Q is None else at_least("Q", Q, 1)
    group = groups_of_pairs(value, side, groups=groups, seed=seed)

    def measure(*part):
        return _constants(*part, centred)

    whole = measure(x, value, side)
    without = left_out_by_group(measure, x, value, side, group)
    found = {name: jackknife(whole[name], np.array([one[name] for one in without]), log=name in _POSITIVE)
             for name in whole}
    squares = found["squared_offsets"]
    found["offset"] = Interval(*(np.sqrt(np.maximum(part, 0.0)) for part in (squares.value, squares.low, squares.high)))
    shape = normality(x, value, side, seed=seed)
    n_0 = len(x) / K
    lean = layout.gram @ (counts[:, 0] - counts[:, 1]) / n_0
    shared = found["shared"].value
    return Audit(
        names=_names(preferences, K), N=len(x), d=d, Q=Q, centred=bool(centred), groups=len(without),
        geometry=measure_geometry(x - x.mean(axis=0), value, side) if centred else geometry,
        spread=_spread(x, value, side, geometry), gaussian=shape,
        imbalance=(counts[:, 0] - counts[:, 1]) / counts.sum(axis=1), lean=lean,
        lost=np.abs(lean) * shared**2 > counts.sum(axis=1) / n_0,
        theorem=theorem, hypotheses=_theorem(theorem, layout, Q, d, found),
        mixture=_mixture(whole, without, shape, counts, d),
        **{name: found[name] for name in (*_INTERVALS, "cosines")},
    )


_POSITIVE = ("concept_length", "noise", "noise_coordinate", "directions")


def _constants(x: np.ndarray, value: np.ndarray, side: np.ndarray, centred: bool) -> dict[str, np.ndarray]:
    """All constants of one set of statements, lengths but the first in units of the concepts."""
    geometry = measure_geometry(x - x.mean(axis=0) if centred else x, value, side)
    length = geometry.lengths
    size = np.linalg.norm(geometry.shared)
    # Up to rounding the shared component of centred statements is 0: it has no direction then.
    toward = geometry.concepts @ geometry.shared / (size * length) if size > 1e-9 * np.abs(x).max() else 0 * length
    return {
        "concept_length": length, "shared": geometry.l_b,
        "squared_offsets": geometry.offset_squares / length**2,
        "noise": geometry.along / length, "noise_coordinate": np.sqrt(geometry.trace / geometry.d) / length,
        "directions": geometry.participation, "cosines": geometry.cosines,
        "medians": np.array([np.median(geometry.l_b), np.median(geometry.along / length)]),
        "toward": toward,
    }


def _theorem(theorem: str, layout: TokenLayout, Q: int, d: int, found: dict[str, Interval]) -> tuple[Check, ...]:
    """The hypotheses at the medians of l_b and v, and at both ends of their intervals."""
    medians = found["medians"]
    upper = found["cosines"].value[np.triu_indices(len(found["cosines"].value), 1)]
    delta = float(np.clip(np.max(np.abs(upper), initial=0.0), 0, 1))
    at = [conditions(layout, Q=Q, d=d, l_b=float(max(l_b, 0.0)), v=float(max(v, 0.0)), theorem=theorem, delta=delta)
          for l_b, v in (medians.value, medians.low, medians.high)]
    checks = []
    for here, low, high in zip(*at, strict=True):
        # The value may be measured, the limit may be, or neither; the two ends of each are taken against each other.
        ends, limits = sorted((low.value, high.value)), sorted((low.limit, high.limit))
        met, missed = (ends[1] <= limits[0], ends[0] > limits[1]) if here.relation == "<=" else (
            ends[0] >= limits[1], ends[1] < limits[0])
        verdict = "undecided"
        if ends[0] == ends[1] and limits[0] == limits[1]:
            verdict = "holds" if here.holds else "fails"
        elif met or missed:
            verdict = "holds" if met else "fails"
        checks.append(Check(here.name, float(here.value), float(ends[0]), float(ends[1]), here.relation,
                            float(here.limit), float(limits[0]), float(limits[1]), verdict))
    return tuple(checks)


def _mixture(whole: dict, without: list[dict], shape: Normality, counts: np.ndarray, d: int) -> tuple[Check, ...]:
    """The assumptions of the mixture, each at its worst: all are equalities, so they can only be refuted."""
    K = len(counts)
    upper = np.triu_indices(K, 1)

    def worst(name, take, limit, log=False):
        at, rest = take(whole), np.array([take(one) for one in without])
        if not np.size(at):
            return []
        interval = jackknife(at, rest, log=log, times=np.size(at))
        wanted, to = (np.log(limit), np.log) if log else (limit, np.asarray)
        half = (to(interval.high) - to(interval.low)) / 2
        k = int(np.argmax(np.abs(to(at) - wanted) / np.maximum(half, 1e-300)))
        return [_equal(name, interval.value[k], interval.low[k], interval.high[k], limit)]

    def relative(one):
        return one["concept_length"] / np.exp(np.log(one["concept_length"]).mean())

    found = worst("cosine of two concepts", lambda one: one["cosines"][upper], 0.0)
    found += worst("cosine of a concept with b", lambda one: one["toward"], 0.0) if whole["toward"].any() else []
    found += worst("squared offset of the values", lambda one: np.mean(one["squared_offsets"], keepdims=True), 0.0)
    found += worst("length of a concept / mean", relative, 1.0, log=True) if K > 1 else []
    found += worst("noise along / of a coordinate", lambda one: one["noise"] / one["noise_coordinate"], 1.0, log=True)
    found += worst("directions of the noise", lambda one: one["directions"], float(d), log=True)
    p, ratio = shape.smallest(), float(counts.max() / counts.min())
    found.append(Check("smallest p of normal noise", p, p, p, ">=", ALPHA, ALPHA, ALPHA,
                       "fails" if p < ALPHA else "not refuted"))
    found.append(Check("largest / smallest cluster", ratio, ratio, ratio, "=", 1.0, 1.0, 1.0,
                       "holds" if ratio == 1 else "fails"))
    return tuple(found)


def _equal(name: str, value: float, low: float, high: float, limit: float) -> Check:
    verdict = "not refuted" if low <= limit <= high else "fails"
    return Check(name, float(value), float(low), float(high), "=", limit, limit, limit, verdict)


def _spread(x: np.ndarray, value: np.ndarray, side: np.ndarray, geometry: Geometry) -> Spread:
    """Norms of the covariance, of the population, of the sample, and of a sample of isotropic noise."""
    sample, isotropic = [], []
    for i in range(geometry.K):
        parts = [x[(value == i) & (side == s)] for s in (1, -1)]
        noise = np.concatenate([part - part.mean(axis=0) for part in parts])
        free = len(noise) - 2
        products = noise @ noise.T if len(noise) <= x.shape[1] else noise.T @ noise
        sample.append(np.sqrt((products**2).sum()) / free)
        isotropic.append(geometry.trace[i] * np.sqrt(1 / geometry.d + 1 / free))
    return Spread(geometry.trace, np.sqrt(geometry.trace_square), np.array(sample), np.array(isotropic))


def _names(preferences: Labelled, K: int) -> tuple[str, ...]:
    names: Sequence[str] = getattr(preferences, "names", ())
    return tuple(map(str, names)) if len(names) == K else tuple(f"value {i + 1}" for i in range(K))
