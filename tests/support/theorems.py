"""What the searches for counterexamples share: how many draws were made, and data on the event of Lemma B.1."""

import functools
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.layouts import TokenLayout, chain, disjoint, grid, shared, star
from helpers.mixture import Sample, ValueMixture

DRAWS: Counter[str] = Counter()  # finished draws by the name of the test, for the last line of the run
ENOUGH = 2000
NOISES = ("gaussian", "against", "common", "single", "heavy")


def search(*results: str, draws: int = ENOUGH, **strategies):
    """A test that looks for a counterexample to the named results in at least `draws` draws."""

    def decorate(function):
        @functools.wraps(function)
        def counted(*args, **kwargs):
            function(*args, **kwargs)
            DRAWS[function.__name__] += 1

        few = settings.default.max_examples  # below Hypothesis's own 100 in the profile of `make check`
        most = min(draws, few) if few < 100 else draws
        quiet = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
        test = settings(max_examples=most, deadline=None, suppress_health_check=quiet)(given(**strategies)(counted))
        for result in results:
            test = pytest.mark.theorem(result)(test)
        return test

    return decorate


@dataclass(frozen=True)
class Region:
    """A point of the region of Theorem B.3 and the data to be drawn there; `edge` is how far the noise goes.

    The noise need not be Gaussian: on its event the theorem is deterministic, so the search may be unfair.
    """

    layout: TokenLayout
    Q: int
    d: int
    l_b: float
    noise: str
    edge: float
    seed: int


LAYOUTS = st.one_of(
    st.builds(disjoint, st.integers(1, 5)),
    st.builds(chain, st.integers(1, 5)),
    st.builds(star, st.integers(1, 4)),
    st.builds(grid, st.integers(2, 9)),
)
ANY_LAYOUT = st.one_of(LAYOUTS, st.builds(shared, st.integers(1, 5)), st.builds(star, st.integers(5, 7)))
SEEDS = st.integers(0, 2**32 - 1)


@st.composite
def regions(draw, layouts=LAYOUTS, dimension=5.0, low=0.25, high=None):
    """Points of the region: Z <= 1/(4 l_b^2), 1/4 <= l_b <= 1/2, K + 1 <= d <= 5Q; l_b from `low` to `high`."""
    layout = draw(layouts)
    Q = draw(st.integers(max(2, -(-(layout.K + 1) // 5)), 8))
    d = draw(st.integers(layout.K + 1, max(layout.K + 1, int(dimension * Q))))
    top = min(0.5, 1 / np.sqrt(4 * layout.Z)) if high is None else high
    l_b = low + draw(st.floats(0, 1)) * (top - low)
    return Region(layout, Q, d, l_b, draw(st.sampled_from(NOISES)), draw(st.floats(0.02, 1)), draw(SEEDS))


def noise_of(region: Region, mixture: ValueMixture, sample: Sample, rng: np.random.Generator) -> np.ndarray:
    """Noise of about unit size a coordinate, shape (N, d)."""
    zeta = rng.standard_normal(sample.x.shape)
    if region.noise == "orthogonal":  # on the event at every size; needs d >= N + K + 1
        return np.sqrt(region.d) * np.eye(len(zeta), region.d, mixture.K + 1)
    own = sample.side[:, None] * mixture.concepts[sample.value]
    if region.noise == "against":  # every sample is drawn towards the other side of its value
        return zeta / 2 - np.sqrt(region.d) * own
    if region.noise == "common":
        return np.repeat(zeta[:1], len(zeta), axis=0)
    if region.noise == "single":  # one sample bears it all, as much against itself as the event allows
        zeta = 0.1 * zeta
        zeta[rng.integers(len(zeta))] -= 3 * np.sqrt(region.d) * own[0]
        return zeta
    return zeta * rng.exponential(1.0, (len(zeta), 1)) if region.noise == "heavy" else zeta


def on_event(region: Region, *, tolerance: float | None = None, most: float | None = None, delta: float = 0.0):
    """Mixture and training data on the event of B.1 for epsilon v = `tolerance`, 1/(16(Z + 2)) by default.

    The noise is as large as `edge` times the largest v <= `most`, 1/(4 sqrt Q) by default, that keeps every
    interaction within 2 |G| epsilon v of its mean.
    """
    layout, rng = region.layout, np.random.default_rng(region.seed)
    tolerance = 1 / (16 * (layout.Z + 2)) if tolerance is None else tolerance
    mixture = ValueMixture(layout, region.d, 0.0, region.l_b, delta)
    clean = mixture.sample(region.Q, rng)
    zeta = noise_of(region, mixture, clean, rng)
    related = layout.gram[np.ix_(clean.value, clean.value)] != 0
    cross = clean.x @ zeta.T
    linear, square = (cross + cross.T)[related], (zeta @ zeta.T - region.d * np.eye(len(zeta)))[related]
    low, high = 0.0, 1 / (4 * np.sqrt(region.Q)) if most is None else most
    v = high
    if np.abs(high * linear + high**2 * square).max() <= 2 * tolerance:
        low = high
    else:
        for _ in range(40):
            v = (low + high) / 2
            inside = np.abs(v * linear + v**2 * square).max() <= 2 * tolerance
            low, high = (v, high) if inside else (low, v)
    v = region.edge * low
    # Smaller noise of the same kind can leave the event again (its diagonal target d v^2 moves too): go on down.
    while np.abs(v * linear + v**2 * square).max() > 2 * tolerance + 1e-12:
        v *= 0.9
    mixture = ValueMixture(layout, region.d, float(v), region.l_b, delta)
    return mixture, Sample(clean.x + v * zeta, clean.value, clean.side)
