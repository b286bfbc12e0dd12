"""What interactive figures are made of: one drawing with its controls, the button that trains for real, a still."""

import re
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from html import escape
from importlib.resources import files

import anywidget
import ipywidgets as W
import numpy as np
import traitlets as T

from .. import checks

WHERE_TO_TRAIN = "To train the language model at these settings, open this chapter in JupyterLab or Colab."
WITHOUT_KERNEL = "Run this cell to move the figure, or read the book's page, where it moves without a kernel."


def script(*names: str) -> str:
    """The named parts of `helpers/explore/js`, one after another: a page keeps one text for each kind of figure."""
    return "\n".join((files("helpers.explore") / "js" / name).read_text(encoding="utf-8") for name in names)


def unscripted(part: object, _: object = None) -> object:
    """The same lists, mappings and texts, in which no text can end or open a script: a page holds them in one.

    A word joiner, which is not seen, parts "<" from what would.
    """
    if isinstance(part, str):
        return re.sub(r"<(?=/?script|!--)", "<\N{WORD JOINER}", part, flags=re.IGNORECASE)
    if isinstance(part, Mapping):
        return {key: unscripted(value) for key, value in part.items()}
    return [unscripted(value) for value in part] if isinstance(part, list | tuple) else part


class Figure(anywidget.AnyWidget):
    """A drawing that follows its controls in the browser; `setting` is constant, `live` holds the runs made here.

    ``setting["kind"]`` is the kind of figure. `running` is (done, total) while a run lasts, else empty.
    """

    _css = script("explorer.css")
    setting = T.Dict().tag(sync=True, to_json=unscripted)
    live = T.Dict().tag(sync=True)
    running = T.List(T.Int()).tag(sync=True)
    status = T.Unicode("").tag(sync=True)


class Kept:
    """A widget that a notebook keeps as a sentence and a picture too: its `title`, and what `still` gives."""

    def still(self) -> str:
        """The picture as SVG, empty where there is none."""
        return ""

    def _repr_mimebundle_(self, **kwargs: object) -> dict[str, object]:
        return bundle(self, self.title, self.still())

    if hasattr(W.DOMWidget, "_ipython_display_"):  # ipywidgets 7 shows itself, and asks nobody for a bundle

        def _ipython_display_(self, **kwargs: object) -> None:
            from IPython.display import display

            display(self._repr_mimebundle_(), raw=True)
            self._handle_displayed(**kwargs)


class Explorer(Kept, W.VBox):
    """One designed object: title, controls, figure, caption and, where `train` is given, *Train for real*.

    `figure` is the widget that draws. `settings()` reads its controls, by their names; `train` is called with that
    and a function ``progress(done, total)``; `overlay` takes what it returns, and the settings. `still` draws the
    picture, as SVG, for a notebook that is opened without a kernel. ValueError for a title that is no text, or a
    `train` that is no function.
    """

    def __init__(
        self,
        title: str,
        figure: Figure,
        settings: Callable[[], dict[str, object]] | None = None,
        train: Callable | None = None,
        overlay: Callable | None = None,
        still: Callable[[], str] | None = None,
    ) -> None:
        text("title", title)
        if train is not None and not callable(train):
            raise ValueError(f"train must be a function or None, got {checks.shown(train)}")
        self.title, self.figure = title, figure
        self._settings, self._train, self._overlay, self._still = settings, train, overlay, still
        figure.setting = figure.setting | {"title": title} | ({} if train is None else {"train": WHERE_TO_TRAIN})
        figure.on_msg(lambda _, message, __: self.train() if message == {"type": "train"} else None)
        super().__init__([figure])
        self.add_class("rm-explorer")

    def train(self) -> None:
        """What *Train for real* does, at the settings of the controls; an error is told in the figure and raised."""
        figure, settings = self.figure, self._settings()
        told = ", ".join(f"{name} = {label(value)}" for name, value in settings.items())
        figure.status, figure.running = told, [0, 1]
        try:
            self._overlay(self._train(settings, self._advance), settings)
            figure.status = f"done: {told}"
        except Exception as error:
            figure.status = f"stopped: {error}"
            raise
        finally:
            figure.running = []

    def _advance(self, done: int, total: int) -> None:
        self.figure.running = [int(done), max(1, int(total))]

    def still(self) -> str:
        """The picture where the controls stand, as SVG."""
        return self._still() if self._still else ""


def bundle(widget: W.DOMWidget, title: str, picture: str) -> dict[str, object]:
    """What a notebook keeps of a widget: its view, and for a reader without a kernel a sentence and a picture (SVG).

    The picture is an image: the drawing itself would be cut out of a notebook that is not trusted.
    """
    stop = "" if title.endswith((".", "?", "!")) else "."
    told = f"Interactive figure: {title}{stop} {WITHOUT_KERNEL}"
    data = b64encode(picture.encode()).decode()
    image = f'<img alt="{escape(title)}" src="data:image/svg+xml;base64,{data}">' if picture else ""
    return {
        "text/plain": told,
        "text/html": f"<figure>{image}<figcaption>{escape(told)}</figcaption></figure>",
        "application/vnd.jupyter.widget-view+json": {
            "version_major": 2, "version_minor": 0, "model_id": widget.model_id,
        },
    }


def label(option: float | str) -> str:
    """How a control shows one of its options: whole numbers in full, others to six digits."""
    if isinstance(option, str):
        return option
    return f"{option:,.0f}" if abs(option) < 1e15 and option == int(option) else f"{option:g}"


def text(name: str, value: str) -> str:
    """Return `value` if it is a text that a page can hold, else raise `ValueError`."""
    if not checks.is_text(value):
        raise ValueError(f"{name} must be a text, got {checks.shown(value)}")
    return value


def increasing(name: str, numbers: Sequence[float], kind: type) -> list:
    """The numbers as a list of `kind`, int or float; raises ValueError unless there are any and they increase."""
    found = checks.numbers(name, checks.listed(name, numbers, "numbers"))
    whole = kind is not int or np.array_equal(found, np.round(found))
    if not found.size or found.ndim != 1 or not np.isfinite(found).all() or not (np.diff(found) > 0).all() or not whole:
        wanted = "numbers" if whole else "whole numbers"
        raise ValueError(f"{name} must be {wanted} that increase, got {checks.shown(numbers)}")
    return [kind(number) for number in found]


def place(name: str, wanted: float | str | None, options: list) -> int:
    """Where among the options the wanted one is, the middle where none is wanted; ValueError where it is not."""
    if wanted is None:
        return len(options) // 2
    simple = isinstance(wanted, str | int | float | np.number) and not isinstance(wanted, bool)
    if not simple or wanted not in options:
        raise ValueError(f"{name} must be one of {options}, got {checks.shown(wanted)}")
    return options.index(wanted)


def named(name: str, given: Mapping | None, allowed: Sequence[str]) -> dict:
    """A mapping from some of the allowed names, as a dictionary; ValueError for another name or no mapping."""
    if given is not None and not isinstance(given, Mapping):
        raise ValueError(f"{name} must map names to values, got {checks.shown(given)}")
    unknown = [key for key in given or {} if key not in allowed]
    if unknown:
        raise ValueError(f"{name} must name only {', '.join(allowed)}, got {checks.shown(unknown)}")
    return dict(given or {})
