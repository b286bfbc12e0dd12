"""Figures of the generalization bound: against samples, against values, and beside what a language model does."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .margins import MEASURED, PREDICTED, PROVED, _blank, _finish
from .theme import GREY, LINES, PALETTE

DARK = "#222222"
DASHES = ("-", "--", "-.", ":")
SAMPLES = "Samples per cluster Q (number)"
VOID = "above 1: says nothing"


def bound_against_samples(Q: Sequence[float], bounds: Mapping[str, np.ndarray]) -> Figure:
    """Bounds on the risk, logarithmic, with the region above 1 shaded; `bounds` is name -> values at Q, up to 4."""
    figure, axes = _blank(SAMPLES, "Bound on the risk (probability)")
    top = max(np.max(values) for values in bounds.values())
    _shade(axes, top)
    for k, (name, values) in enumerate(bounds.items()):
        axes.plot(Q, values, color=LINES[k], ls=DASHES[k], lw=2, label=name)
    axes.set(yscale="log", ylim=(1e-3, 3 * top), xlim=(Q[0], Q[-1]))
    return _finish(figure, axes)


def powers_against_samples(Q: Sequence[float], log10_risks: Mapping[str, np.ndarray]) -> Figure:
    """Risks as powers of ten against samples, from 10 to a power near 0 down to any power.

    log10_risks : name -> log10 at Q; first a bound, then the exact risk, then a law.
    """
    figure, axes = _blank(SAMPLES, "Risk as a power of ten (exponent)")
    axes.axhspan(0, 10, color=PALETTE[3], alpha=0.25, lw=0, label="above 0: says nothing")
    axes.axhline(0, color=DARK, lw=0.8)
    for k, (name, values) in enumerate(log10_risks.items()):
        axes.plot(Q, values, color=(PROVED, LINES[3], PREDICTED)[k], ls=DASHES[k], lw=2, label=name)
    lowest = min(np.min(values) for values in log10_risks.values())
    axes.set_yscale("symlog", linthresh=1)
    powers = 10 ** np.arange(0, np.ceil(np.log10(-lowest)) + 1)
    axes.set(xscale="log", yticks=[10, 1, 0, *-powers], ylim=(-powers[-1], 10))
    axes.set_yticklabels([f"{tick:,.0f}".replace("-", "−") for tick in axes.get_yticks()])
    return _finish(figure, axes)


def bound_law_and_error(
    Q: Sequence[int],
    bounds: Mapping[str, np.ndarray],
    laws: Mapping[str, Mapping[str, np.ndarray]],
    errors: Mapping[str, np.ndarray] | None = None,
    *,
    lowest: float = 0.03,
) -> Figure:
    """A panel for each setting: bound, laws and measured test errors against samples; without `errors` the prediction.

    Parameters
    ----------
    bounds : title of the panel -> bound at Q.
    laws : title -> name -> predicted risk at Q.
    errors : title -> test errors, shape (seeds, Q); their mean is drawn, and bars from the least to the largest.
    lowest : lower end of the axis; bars that go below it are cut.
    """
    figure = Figure(figsize=(7.8, 4.2), layout="constrained")
    panels = figure.subplots(1, len(bounds), sharey=True, squeeze=False)[0]
    top = max(np.max(values) for values in bounds.values())
    names = list(dict.fromkeys(name for curves in laws.values() for name in curves))
    for axes, title in zip(panels, bounds, strict=True):
        _shade(axes, top)
        axes.plot(Q, bounds[title], color=PROVED, ls="-.", lw=2, label="bound of Theorem 4.3")
        for name, values in laws[title].items():
            at = names.index(name)
            axes.plot(Q, values, color=(PREDICTED, GREY)[at], ls=("--", ":")[at], lw=2, label=name)
        if errors is not None:
            seen = np.asarray(errors[title])
            mean = seen.mean(axis=0)
            ends = np.array([mean - seen.min(axis=0), seen.max(axis=0) - mean])
            axes.errorbar(Q, mean, yerr=ends, fmt="o", ms=4, capsize=3, color=MEASURED, label="measured test error")
        axes.set(xscale="log", yscale="log", ylim=(lowest, 3 * top), xlabel="Samples per cluster Q", xticks=Q)
        axes.set_xticklabels([f"{q}" if k % 2 == 0 else "" for k, q in enumerate(Q)])
        axes.minorticks_off()
        axes.set_title(title, fontsize=11)
    panels[0].set_ylabel("Risk (probability)")
    # A law may stand in one panel alone: the key is that of all of them.
    entries = {}
    for axes in panels:
        handles, labels = axes.get_legend_handles_labels()
        entries |= dict(zip(labels, handles, strict=True))
    figure.legend(entries.values(), entries.keys(), loc="outside upper left", ncols=3)
    return figure


def _shade(axes: Axes, top: float) -> None:
    """The region in which a bound on a probability says nothing."""
    axes.axhspan(1, max(10.0, 3 * top), color=PALETTE[3], alpha=0.25, lw=0, label=VOID)
    axes.axhline(1, color=DARK, lw=0.8)
