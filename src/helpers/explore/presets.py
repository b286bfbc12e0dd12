"""Figures that several chapters show, as settings of the grid explorer, and the numbers of their captions."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from .. import checks
from ..bounds.envelopes import training_envelope
from ..dynamics.flow import dimensionless_time, noise_free_margin, paper_horizon
from ..layouts import TokenLayout
from ..mixture import ValueMixture
from ..risk.laws import risk_law
from ..statistics import wilson_interval
from .curves import Curve, Guide
from .grid import grid_explorer
from .widgets import Explorer, increasing, label, named, place, text

Progress = Callable[[int, int], None]

Q_NAME = "samples per cluster Q"
POSITIONS = 101  # of the cursor at least, where fewer steps are recorded
LINE = 121  # points of the law's curve


def margin_numbers(*, steps: int, beta: float, K: int, lr: float, scale: float = 1.0) -> dict[str, float]:
    """The numbers of the margin figure's caption (N1, N9, Theorem 4.2).

    Returns
    -------
    "S" dimensionless time, "predicted" the closed form, "lower" and "upper" the envelope of Theorem 4.2 (NaN
    past its horizon), "horizon" the number of steps at which that theorem ends. `scale` is the squared length
    of a concept vector.

    Raises
    ------
    ValueError : steps below 0 or above 1e18, K below 1, or another argument that is not above 0.
    """
    checks.between("steps", steps, 0, 1e18)
    S = float(dimensionless_time(steps, beta, lr, K)) * checks.positive("scale", scale)
    lower, upper = training_envelope(S)
    return {
        "S": S,
        "predicted": float(noise_free_margin(S)),
        "lower": float(lower),
        "upper": float(upper),
        "horizon": float(paper_horizon(K, beta, lr)) / scale,
    }


def risk_numbers(*, Q: int, d: int, v: float, l_b: float, layout: TokenLayout) -> dict[str, float]:
    """The numbers of the risk figure's caption: "law" N5 at Q samples a cluster, "floor" its limit for many.

    Both are means over the values. Raises `ValueError` for an argument out of range, as `ValueMixture` does.
    """
    checks.holds("layout", layout, "K kappa indices", "a TokenLayout")
    mixture = ValueMixture(layout, d=d, v=checks.positive("v", v), l_b=l_b)
    return {"law": float(np.mean(risk_law(mixture, Q))), "floor": float(np.mean(risk_law(mixture, np.inf)))}


def margin_explorer(
    *,
    K: int,
    lr: float,
    steps: int | Sequence[int],
    betas: Sequence[float],
    Qs: Sequence[int],
    measured: np.ndarray | None = None,
    measured_name: str = "measured mean test margin",
    train: Callable[[int, float, int, Progress], np.ndarray] | None = None,
    scale: float = 1.0,
    start: Mapping[str, float] | None = None,
    title: str = "How the reward margin grows",
) -> Explorer:
    """Reward margin against steps: closed form N1, envelope of Theorem 4.2, measured runs; use `display`.

    Parameters
    ----------
    K, lr, scale : number of values, learning rate of full-batch gradient descent, squared length of a concept
        vector (time is S * scale where it is not 1).
    steps : the recorded numbers of steps, increasing from 0; or the last one, where nothing is recorded.
    betas, Qs : the settings of the controls, increasing; Q counts samples a cluster.
    measured : margins of the runs, shape (len(Qs), len(betas), len(steps)), NaN where there is none; with a first
        axis of draws the curve is their mean, and a pale field spans all of them. `measured_name` says in the
        figure what they are.
    train : called as ``train(steps, beta, Q, progress)`` by *Train for real*; calls ``progress(done, total)``
        now and then and returns margins at equally spaced steps from 0 to `steps` (say, at each step).
    start : where the controls begin, any of "steps", "beta", "Q".

    Without `measured` and `train` the figure does not depend on Q, so there is no such control.

    Raises
    ------
    ValueError : an argument out of range or shape.
    """
    checks.at_least("K", K, 1)
    checks.positive("lr", lr)
    checks.positive("scale", scale)
    recorded = [0, checks.at_least("steps", steps, 1)] if np.ndim(steps) == 0 else increasing("steps", steps, int)
    if recorded[0] != 0 or len(recorded) < 2:
        raise ValueError(f"steps must be at least two numbers that increase from 0, got {checks.shown(steps)}")
    betas, Qs, start = _settings(betas, Qs, start)
    x = _finer(recorded)
    with np.errstate(over="ignore", invalid="ignore"):
        S = dimensionless_time(np.array(x), 1.0, lr, K) * scale * np.array(betas)[:, None] ** 2
    if not np.isfinite(S).all():
        raise ValueError(f"lr, scale and betas must keep S finite, got {lr!r}, {scale!r} and {checks.shown(betas)}")
    horizon = np.floor([paper_horizon(K, beta, lr) / scale for beta in betas])
    run = measured is not None or train is not None
    knobs, fixed = _knobs({"β": betas} | ({Q_NAME: Qs} if run else {}))
    shape = [len(knobs.get("β", [0])), len(knobs.get(Q_NAME, [0]))]

    def over(values: np.ndarray, axes: Sequence[str]) -> np.ndarray:
        """An array over some of β and Q, and x, as an array over the knobs that there are, and x."""
        kept = [name for name in ("β", Q_NAME) if name in knobs]
        sizes = [n if name in axes else 1 for name, n in zip(("β", Q_NAME), shape, strict=True)]
        return values.reshape([n for name, n in zip(("β", Q_NAME), sizes, strict=True) if name in kept] + [-1])

    curves = [
        Curve("envelope", np.array([over(edge, "β") for edge in training_envelope(S)]), "band", "Theorem 4.2"),
        Curve("predicted", over(noise_free_margin(S), "β"), "predicted", "closed form (N1)"),
        Curve("S", over(S, "β"), "caption"),
    ]
    caption = [
        f"After {{steps}} steps at β = {fixed['β']}, dimensionless time is S = {{S}} and the closed form gives "
        "a reward margin of {predicted}."
    ]
    if measured is not None:
        if "{" in text("measured_name", measured_name) or "}" in measured_name:
            raise ValueError(f"measured_name must have no braces, got {measured_name!r}")
        draws = _recorded(measured, (len(Qs), len(betas), len(recorded)))
        draws = np.apply_along_axis(lambda run: np.interp(x, recorded, run), -1, draws).swapaxes(1, 2)
        ends = {}
        told = f"The {measured_name} with Q = {fixed[Q_NAME]} samples per cluster is {{measured}}"
        if len(draws) > 1:
            told += f", between {{measured.lower}} and {{measured.upper}} over {len(draws)} draws"
            ends = {"lower": over(draws.min(axis=0), ("β", Q_NAME)), "upper": over(draws.max(axis=0), ("β", Q_NAME))}
        curves.append(Curve("measured", over(draws.mean(axis=0), ("β", Q_NAME)), "measured", measured_name, **ends))
        caption.append(f"{told}.")
    elif train is not None:
        caption.append(f"Train for real takes Q = {fixed[Q_NAME]} samples per cluster.")
    caption.append(("Theorem 4.2 allows {envelope.lower} to {envelope.upper}.",
                    "Theorem 4.2 says nothing here: it ends at step {horizon}."))
    wanted = checks.between("start steps", start.get("steps", recorded[len(recorded) // 2]), 0, recorded[-1])
    return grid_explorer(
        x=x, x_name="steps", x_label="training steps", knobs=knobs, curves=curves,
        y_name="reward margin (nats)", caption=caption, title=title, margin="predicted",
        guides=[Guide("horizon", over(horizon, "β")[..., 0] if "β" in knobs else horizon[0], "end of Theorem 4.2")],
        at=_at(start, knobs) | {"steps": min(x, key=lambda step: abs(step - wanted))},
        train=_trained(train, betas, Qs, _line),
    )


def risk_explorer(
    *,
    K: int,
    d: int,
    v: float,
    l_b: float,
    layout: TokenLayout,
    Qs: Sequence[int],
    steps: Sequence[int] = (1,),
    betas: Sequence[float] = (1.0,),
    measured: np.ndarray | None = None,
    tested: int | None = None,
    train: Callable[[int, float, int, Progress], float] | None = None,
    start: Mapping[str, float] | None = None,
    title: str = "How many samples a value needs",
) -> Explorer:
    """Risk against samples per cluster: the law N5, its floor, measured test errors; use `display`.

    Parameters
    ----------
    K, d, v, l_b, layout : the mixture, as in `ValueMixture`, in units of the concepts' length (N5, item 7).
    Qs, steps, betas : the settings of the controls, increasing; recorded runs lie on their grid.
    measured : test errors in [0, 1], shape (len(Qs), len(betas), len(steps)), NaN where there is none; the
        figure shows those of the chosen steps and beta at every Q.
    tested : number of test statements behind one error; where given, Wilson's 95 % interval is drawn.
    train : as in `margin_explorer`, but it returns the test error of the run, one number.
    start : where the controls begin, any of "steps", "beta", "Q".

    Without `measured` and `train` the figure depends on neither steps nor beta, so there are no such controls.

    Raises
    ------
    ValueError : an argument out of range or shape.
    """
    checks.holds("layout", layout, "K kappa indices", "a TokenLayout")
    if checks.at_least("K", K, 1) != layout.K:
        raise ValueError(f"K must be the number of values of the layout, {layout.K}, got {K!r}")
    mixture = ValueMixture(layout, d=d, v=checks.positive("v", v), l_b=l_b)
    betas, Qs, start = _settings(betas, Qs, start)
    steps = increasing("steps", steps, int)
    if len(Qs) < 2:
        raise ValueError(f"Qs must be at least two numbers, got {checks.shown(Qs)}")
    between = np.geomspace(Qs[0], Qs[-1], LINE).round().astype(int)
    x = sorted({*Qs, *between.tolist()})
    run = measured is not None or train is not None
    knobs, fixed = _knobs({"steps": steps, "β": betas} if run else {})
    lead = (1,) * len(knobs)
    law = np.array([np.mean(risk_law(mixture, Q)) for Q in x])
    curves = [
        Curve("law", law.reshape(*lead, -1), "predicted", "law (N5)"),
        Curve("floor", np.full((*lead, 1), float(np.mean(risk_law(mixture, np.inf)))), "floor", "floor of the law"),
    ]
    caption = [
        f"With {{{Q_NAME}}} samples per cluster the law predicts a risk of {{law}}; with endless samples, {{floor}}."
    ]
    if measured is not None:
        grid = _recorded(measured, (len(Qs), len(betas), len(steps)), draws=False)[0]
        known = grid[~np.isnan(grid)]
        if not ((known >= 0) & (known <= 1)).all():
            raise ValueError(f"measured must lie between 0 and 1, got {known.min():g} to {known.max():g}")
        errors = np.full((len(steps), len(betas), len(x)), np.nan)
        errors[..., [x.index(Q) for Q in Qs]] = grid.transpose(2, 1, 0)
        sizes = [len(options) for options in knobs.values()]
        told = f"Measured on held-out statements after {fixed['steps']} steps at β = {fixed['β']}: {{measured}}"
        ends, words = {}, "measured test error"
        if tested is not None:
            intervals = np.full((2, *errors.shape), np.nan)
            for where in np.argwhere(~np.isnan(errors)):
                intervals[:, *where] = wilson_interval(float(errors[*where]), tested)
            ends = {name: part.reshape(*sizes, -1) for name, part in zip(("lower", "upper"), intervals, strict=True)}
            told += ", 95\N{NO-BREAK SPACE}% interval {measured.lower} to {measured.upper}"
            words += ", 95\N{NO-BREAK SPACE}% interval"
        curves.append(Curve("measured", errors.reshape(*sizes, -1), "points", words, **ends))
        caption.append(f"{told}.")
    elif train is not None:
        caption.append(f"Train for real takes {fixed['steps']} steps at β = {fixed['β']}.")
    if run:
        caption.append("The law depends on neither steps nor β; the measured errors do.")
    place("start steps", start.get("steps"), steps)
    return grid_explorer(
        x=x, x_name=Q_NAME, stops=Qs, knobs=knobs, curves=curves, log_x=True, percent=True,
        y_name="risk (share of wrong preferences)", caption=caption, title=title,
        at=_at(start, knobs) | {Q_NAME: Qs[place("start Q", start.get("Q"), Qs)]},
        train=_trained(train, betas, Qs, _point, steps),
    )


def _settings(betas: Sequence[float], Qs: Sequence[int], start: Mapping | None) -> tuple[list, list, dict]:
    """Betas, Qs and start, checked."""
    betas, Qs = increasing("betas", betas, float), increasing("Qs", Qs, int)
    if betas[0] <= 0 or Qs[0] < 1:
        raise ValueError(f"betas must be above 0 and Qs at least 1, got {betas!r} and {Qs!r}")
    start = named("start", start, ("steps", "beta", "Q"))
    place("start beta", start.get("beta"), betas)
    place("start Q", start.get("Q"), Qs)
    return betas, Qs, start


def _knobs(options: Mapping[str, list]) -> tuple[dict[str, list], dict[str, str]]:
    """The controls with two options or more, and how the caption says each: its field, or the only option."""
    knobs = {name: values for name, values in options.items() if len(values) > 1}
    return knobs, {name: f"{{{name}}}" if name in knobs else label(values[0]) for name, values in options.items()}


def _at(start: Mapping, knobs: Mapping) -> dict:
    """Where the knobs begin, by their names."""
    names = {"steps": "steps", "beta": "β", "Q": Q_NAME}
    return {names[name]: value for name, value in start.items() if names[name] in knobs}


def _recorded(measured: np.ndarray, shape: tuple[int, ...], *, draws: bool = True) -> np.ndarray:
    """Recorded numbers with an axis of draws in front, checked."""
    held = checks.numbers("measured", measured)
    if held.shape == shape:
        held = held[None]
    if held.shape[1:] != shape or not (draws or len(held) == 1) or not len(held):
        raise ValueError(f"measured must have shape (Qs, betas, steps) = {shape}, got {np.shape(measured)}")
    if np.isinf(held).any():
        raise ValueError("measured must hold finite numbers, or NaN where there is none, got infinity")
    return held


def _finer(recorded: list[int]) -> list[int]:
    """The recorded steps, a part of them where they are very many, and `POSITIONS` whole steps from first to last."""
    if len(recorded) > 2 * POSITIONS:
        return [recorded[i] for i in np.linspace(0, len(recorded) - 1, 2 * POSITIONS).round().astype(int)]
    return sorted({*recorded, *np.linspace(0, recorded[-1], POSITIONS).round().astype(int).tolist()})


def _line(margins: np.ndarray, at: Mapping) -> tuple[np.ndarray, np.ndarray]:
    """Margins at equally spaced steps as points of a line, 200 at most."""
    margins = np.asarray(margins, dtype=float).ravel()
    kept = np.unique(np.linspace(0, len(margins) - 1, 200).round().astype(int))
    return np.linspace(0, at["steps"], len(margins))[kept], margins[kept]


def _point(error: float, at: Mapping) -> float:
    return checks.between("the test error that train returned", float(error), 0, 1)


def _trained(
    train: Callable | None, betas: list, Qs: list, made: Callable, steps: list | None = None
) -> Callable | None:
    """`train`, which takes steps, beta and Q by position, as `grid_explorer` calls it."""
    if not callable(train):
        return train

    def run(at: Mapping, progress: Progress) -> object:
        used = {"steps": at.get("steps", steps and steps[0]), "β": at.get("β", betas[0]), "Q": at.get(Q_NAME, Qs[0])}
        return made(train(*used.values(), progress), used)

    return run
