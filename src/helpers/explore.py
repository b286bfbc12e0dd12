"""Interactive figures: ipywidgets controls, linked in the browser to one drawing a figure, so that a page needs no kernel."""

from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from math import sqrt

import anywidget
import ipywidgets as W
import numpy as np
import traitlets as T

from .bounds import training_envelope
from .checks import at_least, between, one_of, positive
from .dynamics import dimensionless_time, noise_free_margin, paper_horizon
from .layouts import TokenLayout
from .mixture import ValueMixture
from .risk import risk_law

Train = Callable[[int, float, int, Callable[[int, int], None]], np.ndarray]

WHERE_TO_TRAIN = "To train the language model at these settings, open this chapter in JupyterLab or Colab."


def margin_numbers(*, steps: int, beta: float, K: int, lr: float, scale: float = 1.0) -> dict[str, float]:
    """The numbers of the margin figure's caption (N1, N9, Theorem 4.2).

    Returns
    -------
    "S" dimensionless time, "predicted" the closed form, "lower" and "upper" the envelope of Theorem 4.2 (NaN past
    its horizon), "horizon" the number of steps at which that theorem ends. `scale` is the concepts' squared length.
    """
    S = dimensionless_time(steps, beta, lr, K) * positive("scale", scale)
    lower, upper = training_envelope(S)
    return {
        "S": float(S),
        "predicted": float(noise_free_margin(S)),
        "lower": float(lower),
        "upper": float(upper),
        "horizon": float(paper_horizon(K, beta, lr) / scale),
    }


def risk_numbers(*, Q: int, d: int, v: float, l_b: float, layout: TokenLayout) -> dict[str, float]:
    """The numbers of the risk figure's caption: the law N5 at Q samples a cluster and its floor, averaged over values."""
    law = risk_law(ValueMixture(layout, d=d, v=v, l_b=l_b), Q)
    floor = risk_law(ValueMixture(layout, d=d, v=v, l_b=l_b), 10**15)
    return {"law": float(law.mean()), "floor": float(floor.mean())}


def wilson_interval(error: float, tested: int) -> tuple[float, float]:
    """Wilson's 95 % interval for an error rate seen on `tested` independent statements."""
    z2 = 1.959963984540054**2
    error, share = between("error", error, 0, 1), z2 / at_least("tested", tested, 1)
    centre = (error + share / 2) / (1 + share)
    half = sqrt(share * (error * (1 - error) + share / 4)) / (1 + share)
    return max(0.0, centre - half), min(1.0, centre + half)


def margin_explorer(
    *,
    K: int,
    lr: float,
    steps: int | Sequence[int],
    betas: Sequence[float],
    Qs: Sequence[int],
    measured: np.ndarray | None = None,
    measured_name: str = "measured mean test margin",
    train: Train | None = None,
    scale: float = 1.0,
    start: Mapping[str, float] | None = None,
    title: str = "How the reward margin grows",
) -> W.VBox:
    """Reward margin against training steps: closed form N1, envelope of Theorem 4.2, measured runs. Show with `display`.

    Parameters
    ----------
    K, lr, scale : number of values, learning rate of full-batch gradient descent, squared length of a concept
        vector (time is S * scale where it is not 1).
    steps : the recorded numbers of steps, increasing from 0; or one number, the last, where nothing is recorded.
    betas, Qs : the settings of the sliders, increasing; Q counts samples a cluster.
    measured : margins of the runs, shape (len(Qs), len(betas), len(steps)), NaN where there is none; held as
        float32 in the page (4 bytes a number). `measured_name` is what they are called in the figure.
    train : called as ``train(steps, beta, Q, progress)`` by *Train for real*; calls ``progress(done, total)`` now and
        then and returns margins at equally spaced steps from 0 to `steps` (for instance at every step).
    start : where the sliders begin, a mapping with any of "steps", "beta", "Q".

    Without `measured` and `train` the figure does not depend on Q, so there is no such slider.

    Raises
    ------
    ValueError : an argument out of range or shape.
    """
    recorded = [0, at_least("steps", steps, 1)] if np.ndim(steps) == 0 else _increasing("steps", steps, int)
    if recorded[0] != 0 or len(recorded) < 2:
        raise ValueError(f"steps must be at least two numbers that increase from 0, got {steps!r}")
    grid = _Grid(recorded, betas, Qs, measured, start)
    setting = {"K": at_least("K", K, 1), "lr": positive("lr", lr), "scale": positive("scale", scale)}
    figure = MarginFigure(steps=grid.start["steps"], setting=setting | {"measuredName": measured_name}, **grid.traits)
    slider = W.IntSlider(
        value=figure.steps, min=0, max=recorded[-1], step=max(1, recorded[-1] // 200), description="steps", **_CONTROL
    )
    W.jslink((slider, "value"), (figure, "steps"))
    controls = [slider, _choice("β", "beta_index", betas, figure)]
    if measured is not None or train is not None:
        controls.append(_choice("samples per cluster Q", "q_index", Qs, figure))

    def overlay(margins: np.ndarray, n: int, beta: float, Q: int) -> None:
        margins = np.asarray(margins, dtype=float).ravel()
        at = np.linspace(0, n, len(margins))
        kept = np.unique(np.linspace(0, len(margins) - 1, 200).round().astype(int))
        figure.live = {"steps": n, "beta": beta, "Q": Q, "x": at[kept].tolist(), "y": margins[kept].tolist()}

    return Explorer(title, controls, figure, train, overlay, lambda: figure.steps)


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
    train: Train | None = None,
    start: Mapping[str, float] | None = None,
    title: str = "How many samples a value needs",
) -> W.VBox:
    """Risk against samples per cluster: the law N5, its floor, measured test errors. Show with `display`.

    Parameters
    ----------
    K, d, v, l_b, layout : the mixture, as in `ValueMixture`; in units of the concepts' length (N5, item 7).
    Qs, steps, betas : the settings of the sliders, increasing; the recorded runs lie on their grid.
    measured : test errors in [0, 1], shape (len(Qs), len(betas), len(steps)), NaN where there is none; the figure
        shows those of the chosen steps and beta at every Q.
    tested : number of test statements behind one error; where given, Wilson's 95 % interval is drawn.
    train : as in `margin_explorer`, but returns the test error of the run, one number.
    start : where the sliders begin, a mapping with any of "steps", "beta", "Q".

    Without `measured` and `train` the figure depends on neither steps nor beta, so there are no such sliders.

    Raises
    ------
    ValueError : an argument out of range or shape.
    """
    if K != layout.K:
        raise ValueError(f"K must be the number of values of the layout, {layout.K}, got {K!r}")
    ValueMixture(layout, d=d, v=v, l_b=l_b)              # refuses what is out of range
    if tested is not None:
        at_least("tested", tested, 1)
    if measured is not None and not ((np.isnan(measured)) | ((measured >= 0) & (measured <= 1))).all():
        raise ValueError("measured must hold test errors between 0 and 1, or NaN")
    grid = _Grid(_increasing("steps", steps, int), betas, Qs, measured, start)
    setting = {"K": K, "d": int(d), "v": float(positive("v", v)), "l_b": float(l_b), "tested": tested or 0}
    setting |= {"kappa": layout.kappa.tolist(), "pairs": np.asarray(layout.indices).tolist()}
    figure = RiskFigure(step_index=grid.recorded.index(grid.start["steps"]), setting=setting, **grid.traits)
    controls = [_choice("samples per cluster Q", "q_index", Qs, figure)]
    if measured is not None or train is not None:
        controls = [_choice("steps", "step_index", steps, figure), _choice("β", "beta_index", betas, figure), *controls]

    def overlay(error: np.ndarray, n: int, beta: float, Q: int) -> None:
        seen = figure.live or {"x": [], "y": []}
        error = between("the test error that train returned", float(np.asarray(error).item()), 0, 1)
        figure.live = {"x": [*seen["x"], Q], "y": [*seen["y"], error]}

    return Explorer(title, controls, figure, train, overlay, lambda: grid.recorded[figure.step_index])
