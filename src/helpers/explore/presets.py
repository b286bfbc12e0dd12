"""Interactive figures of the book, and the Python behind every number of their captions."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from ..bounds.envelopes import training_envelope
from ..checks import at_least, between, holds, positive
from ..dynamics.flow import dimensionless_time, noise_free_margin, paper_horizon
from ..layouts import TokenLayout
from ..mixture import ValueMixture
from ..risk.laws import risk_law
from .widgets import Q_NAME, Explorer, Grid, MarginFigure, RiskFigure, choice_slider, step_slider

Progress = Callable[[int, int], None]


def margin_numbers(*, steps: int, beta: float, K: int, lr: float, scale: float = 1.0) -> dict[str, float]:
    """The numbers of the margin figure's caption (N1, N9, Theorem 4.2).

    Returns
    -------
    "S" dimensionless time, "predicted" the closed form, "lower" and "upper" the envelope of Theorem 4.2 (NaN
    past its horizon), "horizon" the number of steps at which that theorem ends. `scale` is the squared length
    of a concept vector.
    """
    S = float(dimensionless_time(steps, beta, lr, K)) * positive("scale", scale)
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

    Both are means over the values.
    """
    mixture = ValueMixture(layout, d=d, v=v, l_b=l_b)
    endless = 10**12  # samples a cluster; what N5 adds for finite samples is gone to about 12 digits
    return {"law": float(np.mean(risk_law(mixture, Q))), "floor": float(np.mean(risk_law(mixture, endless)))}


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
    betas, Qs : the settings of the sliders, increasing; Q counts samples a cluster.
    measured : margins of the runs, shape (len(Qs), len(betas), len(steps)), NaN where there is none; the page
        holds 4 bytes a number. `measured_name` says in the figure what they are.
    train : called as ``train(steps, beta, Q, progress)`` by *Train for real*; calls ``progress(done, total)``
        now and then and returns margins at equally spaced steps from 0 to `steps` (say, at each step).
    start : where the sliders begin, any of "steps", "beta", "Q".

    Without `measured` and `train` the figure does not depend on Q, so there is no such slider.

    Raises
    ------
    ValueError : an argument out of range or shape.
    """
    recorded = [0, at_least("steps", steps, 1)] if np.ndim(steps) == 0 else list(steps)
    grid = Grid(recorded, betas, Qs, measured, start)
    if grid.steps[0] != 0 or len(grid.steps) < 2:
        raise ValueError(f"steps must be at least two numbers that increase from 0, got {steps!r}")
    last = grid.steps[-1]
    setting = {"K": at_least("K", K, 1), "lr": positive("lr", lr), "scale": positive("scale", scale)}
    figure = MarginFigure(
        steps=int(between("start steps", grid.start_steps, 0, last)),
        setting=setting | {"kind": "margin", "measuredName": measured_name},
        **grid.traits(),
    )
    controls = [step_slider(figure, last), choice_slider("β", grid.betas, figure, "beta_index")]
    if measured is not None or train is not None:
        controls.append(choice_slider(Q_NAME, grid.Qs, figure, "q_index"))

    def overlay(margins: np.ndarray, used: dict[str, float]) -> None:
        n = used["steps"]
        margins = np.asarray(margins, dtype=float).ravel()
        kept = np.unique(np.linspace(0, len(margins) - 1, 200).round().astype(int))
        at = np.linspace(0, n, len(margins))[kept]
        figure.live = {"steps": n, "beta": used["β"], "Q": used[Q_NAME], "x": at.tolist(), "y": margins[kept].tolist()}

    def settings() -> dict[str, float]:
        return {"steps": figure.steps} | grid.chosen(figure)

    return Explorer(title, figure, controls, settings, _by_position(train), overlay)


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
    Qs, steps, betas : the settings of the sliders, increasing; recorded runs lie on their grid.
    measured : test errors in [0, 1], shape (len(Qs), len(betas), len(steps)), NaN where there is none; the
        figure shows those of the chosen steps and beta at every Q.
    tested : number of test statements behind one error; where given, Wilson's 95 % interval is drawn.
    train : as in `margin_explorer`, but it returns the test error of the run, one number.
    start : where the sliders begin, any of "steps", "beta", "Q".

    Without `measured` and `train` the figure depends on neither steps nor beta, so there are no such sliders.

    Raises
    ------
    ValueError : an argument out of range or shape.
    """
    holds("layout", layout, "K kappa indices", "a TokenLayout")
    if K != layout.K:
        raise ValueError(f"K must be the number of values of the layout, {layout.K}, got {K!r}")
    ValueMixture(layout, d=d, v=positive("v", v), l_b=l_b)  # refuses what is out of range
    if measured is not None:
        known = np.asarray(measured, dtype=float)
        known = known[~np.isnan(known)]
        if not ((known >= 0) & (known <= 1)).all():
            raise ValueError(f"measured must lie between 0 and 1, got {known.min():g} to {known.max():g}")
    grid = Grid(steps, betas, Qs, measured, start)
    if grid.start_steps not in grid.steps:
        raise ValueError(f"start steps must be one of {grid.steps}, got {grid.start_steps!r}")
    setting = {"kind": "risk", "K": K, "d": int(d), "v": float(v), "l_b": float(l_b)}
    setting |= {"tested": 0 if tested is None else at_least("tested", tested, 1)}
    setting |= {"kappa": layout.kappa.tolist(), "pairs": layout.indices.tolist()}
    figure = RiskFigure(step_index=grid.steps.index(grid.start_steps), setting=setting, **grid.traits())
    controls = [choice_slider(Q_NAME, grid.Qs, figure, "q_index")]
    if measured is not None or train is not None:
        controls = [
            choice_slider("steps", grid.steps, figure, "step_index"),
            choice_slider("β", grid.betas, figure, "beta_index"),
            *controls,
        ]

    def overlay(error: float, used: dict[str, float]) -> None:
        seen = figure.live or {"x": [], "y": []}
        error = between("the test error that train returned", float(error), 0, 1)
        figure.live = {"x": [*seen["x"], used[Q_NAME]], "y": [*seen["y"], error]}

    def settings() -> dict[str, float]:
        return {"steps": grid.steps[figure.step_index]} | grid.chosen(figure)

    return Explorer(title, figure, controls, settings, _by_position(train), overlay)


def _by_position(train: Callable | None) -> Callable | None:
    return (lambda used, progress: train(*used.values(), progress)) if callable(train) else train
