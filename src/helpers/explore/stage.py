"""Figures that are played in: all their controls are in the drawing."""

import traitlets as T

from .widgets import Figure, Kept


class Stage(Kept, Figure):
    """A figure with all its controls in it; its state is its traits."""

    title = T.Unicode().tag(sync=True)
