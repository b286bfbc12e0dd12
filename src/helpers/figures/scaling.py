"""Figures of the generalization bound: against samples, against values, and beside what a language model does."""

from collections.abc import Mapping, Sequence

import numpy as np

from .concentration import VOID
from .drawing import Sheet, dash_of, dot_of, dots, field, field_of, powers, stems
from .theme import DASHES, MEASURED, PREDICTED, PROVED, SOFT

SAMPLES = "Samples per cluster Q (number)"


def bound_against_samples(Q: Sequence[float], bounds: Mapping[str, np.ndarray]) -> Sheet:
    """Bounds on the risk, logarithmic, with the region above 1 shaded; `bounds` is name -> values at Q, up to 5."""
    sheet = Sheet(SAMPLES, "Bound on the risk (probability)", height=3.8)
    axes = sheet.panels[0]
    top = max(np.max(values) for values in bounds.values())
    _shade(axes, top)
    for k, values in enumerate(bounds.values()):
        axes.plot(Q, values, color=PROVED, ls=DASHES[k], lw=2.6, zorder=3)
    axes.set(yscale="log", ylim=(1e-3, 8 * top), xlim=(Q[0], Q[-1]))
    powers(axes.yaxis)
    curves = ((dash_of(PROVED, DASHES[k], 2.6), name) for k, name in enumerate(bounds))
    return sheet.key(*curves, (field_of(), VOID))


def powers_against_samples(Q: Sequence[float], log10_risks: Mapping[str, np.ndarray]) -> Sheet:
    """Risks as powers of ten against samples, from 10 to a power near 0 down to any power.

    log10_risks : name -> log10 at Q; first a bound, then what is computed: the exact risk, a law.
    """
    sheet = Sheet(SAMPLES, "Risk as a power of ten (exponent)", height=4.2)
    axes = sheet.panels[0]
    field(axes, 0, 10)
    axes.axhline(0, color=SOFT, lw=0.9)
    looks = [(PROVED, "-")] + [(PREDICTED, DASHES[k]) for k in range(len(log10_risks) - 1)]
    entries = []
    for (name, values), (colour, ls) in zip(log10_risks.items(), looks, strict=True):
        axes.plot(Q, values, color=colour, ls=ls, lw=2.6, zorder=3)
        entries.append((dash_of(colour, ls, 2.6), name))
    lowest = min(np.min(values) for values in log10_risks.values())
    axes.set_yscale("symlog", linthresh=1)
    ends = 10 ** np.arange(0, np.ceil(np.log10(-lowest)) + 1)
    axes.set(xscale="log", yticks=[10, 1, 0, *-ends], ylim=(-ends[-1], 10))
    axes.set_yticklabels([f"{tick:,.0f}".replace("-", "−") for tick in axes.get_yticks()])
    powers(axes.xaxis)
    return sheet.key(*entries, (field_of(), "above 0: says nothing"), columns=2)


def bound_law_and_error(
    Q: Sequence[int],
    bounds: Mapping[str, np.ndarray],
    laws: Mapping[str, Mapping[str, np.ndarray]],
    errors: Mapping[str, np.ndarray] | None = None,
    *,
    lowest: float = 0.03,
) -> Sheet:
    """A panel for each setting: bound, laws and measured test errors against samples; without `errors` the prediction.

    Parameters
    ----------
    bounds : title of the panel -> bound at Q.
    laws : title -> name -> predicted risk at Q.
    errors : title -> test errors, shape (runs, Q); their mean is drawn, and bars from the least to the largest.
    lowest : lower end of the axis; bars that go below it are cut.
    """
    sheet = Sheet(SAMPLES if len(bounds) < 3 else "Samples per cluster Q", "Risk (probability)", panels=len(bounds),
                  height=4.2, phone=3.0 * len(bounds) + 0.8)
    top = max(np.max(values) for values in bounds.values())
    names = list(dict.fromkeys(name for curves in laws.values() for name in curves))
    for axes, title in zip(sheet.panels, bounds, strict=True):
        _shade(axes, top)
        axes.plot(Q, bounds[title], color=PROVED, lw=2.6, zorder=3)
        for name, values in laws[title].items():
            axes.plot(Q, values, color=PREDICTED, ls=DASHES[names.index(name)], lw=2.6, zorder=3)
        if errors is not None:
            seen = np.asarray(errors[title])
            stems(axes, Q, seen.min(axis=0), seen.max(axis=0), color=MEASURED, lw=1.4, zorder=3)
            dots(axes, Q, seen.mean(axis=0), size=22)
        axes.set(xscale="log", yscale="log", ylim=(lowest, 8 * top), xticks=Q)
        powers(axes.yaxis)
        axes.set_xticks(Q, [f"{q}" if k % 2 == 0 else "" for k, q in enumerate(Q)])
        axes.minorticks_off()
        sheet.title(axes, title)
    entries = [(dash_of(PROVED, lw=2.6), "the paper's bound")]
    entries += [(dash_of(PREDICTED, DASHES[k], 2.6), name) for k, name in enumerate(names)]
    if errors is not None:
        entries.append((dot_of(MEASURED), f"mean and range of {len(next(iter(errors.values())))} runs"))
    return sheet.key(*entries, (field_of(), VOID), columns=2 if errors is not None else None)


def _shade(axes, top: float) -> None:
    """The region in which a bound on a probability says nothing."""
    field(axes, 1, max(10.0, 8 * top)).set_label(VOID)
    axes.axhline(1, color=SOFT, lw=0.9)
