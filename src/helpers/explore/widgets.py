"""What interactive figures are made of: drawing, sliders, the button that trains for real, recorded runs."""

from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files

import anywidget
import ipywidgets as W
import numpy as np
import traitlets as T

from .. import checks

Q_NAME = "samples per cluster Q"
WHERE_TO_TRAIN = "To train the language model at these settings, open this chapter in JupyterLab or Colab."


def script(*names: str) -> str:
    """The named parts of `helpers/explore/js`, one after another: a page keeps one text for each kind of figure."""
    return "\n".join((files("helpers.explore") / "js" / name).read_text(encoding="utf-8") for name in names)


class Figure(anywidget.AnyWidget):
    """A drawing that follows its sliders in the browser; `setting` is constant, `live` the run made here.

    ``setting["kind"]`` is the kind of figure.
    """

    _css = script("explorer.css")
    setting = T.Dict().tag(sync=True)
    live = T.Dict().tag(sync=True)


class RunFigure(Figure):
    """A drawing of recorded runs."""

    betas = T.List(T.Float()).tag(sync=True)
    Qs = T.List(T.Int()).tag(sync=True)
    recorded = T.List(T.Int()).tag(sync=True)
    beta_index = T.Int(0).tag(sync=True)
    q_index = T.Int(0).tag(sync=True)
    measured = T.Bytes(b"").tag(sync=True)  # little-endian float32, shape (Qs, betas, recorded)


class MarginFigure(RunFigure):
    """Reward margin against steps."""

    _esm = script("formulas.js", "shared.js", "margin.js")
    steps = T.Int(0).tag(sync=True)


class RiskFigure(RunFigure):
    """Risk against samples per cluster."""

    _esm = script("formulas.js", "shared.js", "risk.js")
    step_index = T.Int(0).tag(sync=True)


class Grid:
    """The settings at which runs were recorded, checked, and where the sliders begin."""

    def __init__(
        self,
        steps: Sequence[int],
        betas: Sequence[float],
        Qs: Sequence[int],
        measured: np.ndarray | None,
        start: Mapping[str, float] | None,
    ) -> None:
        self.steps = increasing("steps", steps, int)
        self.betas = increasing("betas", betas, float)
        self.Qs = increasing("Qs", Qs, int)
        if self.betas[0] <= 0 or self.Qs[0] < 1:
            raise ValueError(f"betas must be above 0 and Qs at least 1, got {betas!r} and {Qs!r}")
        shape = (len(self.Qs), len(self.betas), len(self.steps))
        if measured is not None and np.shape(measured) != shape:
            got = np.shape(measured)
            raise ValueError(f"measured must have shape (Qs, betas, steps) = {shape}, got {got}")
        self.measured = b"" if measured is None else np.asarray(measured, "<f4").tobytes()
        start = dict(start or {})
        unknown = set(start) - {"steps", "beta", "Q"}
        if unknown:
            raise ValueError(f"start must name only steps, beta and Q, got {sorted(unknown)}")
        self.start_steps = start.get("steps", self.steps[len(self.steps) // 2])
        self.beta_index = place("start beta", start.get("beta"), self.betas)
        self.q_index = place("start Q", start.get("Q"), self.Qs)

    def traits(self) -> dict[str, object]:
        """What both kinds of figure take from the grid."""
        return {
            "betas": self.betas,
            "Qs": self.Qs,
            "recorded": self.steps,
            "beta_index": self.beta_index,
            "q_index": self.q_index,
            "measured": self.measured,
        }

    def chosen(self, figure: RunFigure) -> dict[str, float]:
        """Beta and Q of the figure's sliders, by the sliders' names."""
        return {"β": self.betas[figure.beta_index], Q_NAME: self.Qs[figure.q_index]}


class Explorer(W.VBox):
    """One designed object: sliders, figure, caption and, where `train` is given, *Train for real*.

    `figure` and `controls` are the widgets. `settings()` reads the sliders, by their names; `train` is called
    with that and a function ``progress(done, total)``; `overlay` takes what it returns, and the settings.
    """

    def __init__(
        self,
        title: str,
        figure: Figure,
        controls: Sequence[W.Widget],
        settings: Callable[[], dict[str, object]] | None = None,
        train: Callable | None = None,
        overlay: Callable | None = None,
    ) -> None:
        self.figure, self.controls = figure, list(controls)
        if not isinstance(title, str):
            raise ValueError(f"title must be a text, got {checks.shown(title)}")
        if train is not None and not callable(train):
            raise ValueError(f"train must be a function or None, got {checks.shown(train)}")
        row = W.Box(self.controls)
        row.add_class("rm-controls")
        heading = W.Label(title)
        heading.add_class("rm-title")
        parts = [heading, row, figure]
        if train is not None:
            self.button = W.Button(description="Train for real", tooltip="at the settings of the sliders")
            self.progress = W.IntProgress(value=0, min=0, max=1)
            self.status = W.Label("")
            self.progress.layout.visibility = "hidden"
            live = W.HBox([self.button, self.progress, self.status])
            live.add_class("rm-live")
            note = W.Label(WHERE_TO_TRAIN)
            note.add_class("rm-without-kernel")
            parts += [live, note]
            self.button.on_click(lambda _: self._train(settings(), train, overlay))
        super().__init__(parts)
        self.add_class("rm-explorer")

    def _train(self, settings: dict[str, object], train: Callable, overlay: Callable) -> None:
        self.button.disabled = True
        self.progress.value, self.progress.max = 0, 1
        self.progress.layout.visibility = "visible"
        self.status.value = ", ".join(f"{name} = {label(value)}" for name, value in settings.items())
        try:
            overlay(train(settings, self._advance), settings)
            self.status.value = f"done: {self.status.value}"
        except Exception as error:
            self.status.value = f"stopped: {error}"
            raise
        finally:
            self.button.disabled = False
            self.progress.layout.visibility = "hidden"

    def _advance(self, done: int, total: int) -> None:
        self.progress.max, self.progress.value = max(1, int(total)), int(done)


def step_slider(figure: MarginFigure, last: int) -> W.IntSlider:
    """A slider over 0 to `last` steps, linked in the browser."""
    slider = W.IntSlider(value=figure.steps, min=0, max=last, step=max(1, last // 200), description="steps")
    slider.add_class("rm-slider")
    slider.link = W.jslink((slider, "value"), (figure, "steps"))
    return slider


def choice_slider(name: str, options: Sequence, figure: Figure, trait: str) -> W.SelectionSlider:
    """A slider over given numbers or words, linked in the browser by index; its value never leaves the kernel."""
    pairs = [(label(option), option) for option in options]
    slider = W.SelectionSlider(options=pairs, index=getattr(figure, trait), description=name)
    slider.add_class("rm-slider")
    slider.link = W.jslink((slider, "index"), (figure, trait))
    return slider


def label(option: float | str) -> str:
    """How a slider shows one of its options: whole numbers in full, others to six digits."""
    if isinstance(option, str):
        return option
    return f"{option:,.0f}" if abs(option) < 1e15 and option == int(option) else f"{option:g}"


def increasing(name: str, numbers: Sequence[float], kind: type) -> list:
    """The numbers as a list of `kind`, int or float; raises ValueError unless there are any and they increase."""
    found = checks.numbers(name, checks.listed(name, numbers, "numbers"))
    whole = kind is not int or np.array_equal(found, np.round(found))
    if not found.size or found.ndim != 1 or not np.isfinite(found).all() or not (np.diff(found) > 0).all() or not whole:
        wanted = "numbers" if whole else "whole numbers"
        raise ValueError(f"{name} must be {wanted} that increase, got {checks.shown(numbers)}")
    return [kind(number) for number in found]


def place(name: str, wanted: float | None, options: list) -> int:
    """Where among the options the wanted one is, the middle where none is wanted; ValueError where it is not."""
    if wanted is None:
        return len(options) // 2
    if wanted not in options:
        raise ValueError(f"{name} must be one of {options}, got {wanted!r}")
    return options.index(wanted)
