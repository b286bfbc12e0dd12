"""The figures that several tests look at: small ones of every kind, with all that can happen."""

import numpy as np

from helpers.explore.curves import Curve, Guide
from helpers.explore.grid import grid_explorer
from helpers.explore.presets import margin_explorer, risk_explorer
from helpers.layouts import shared
from helpers.preferences.pairs import Preferences
from helpers.training.last_layer import train_last_layer

# ---- curves over a grid ----

X = [1, 10, 100, 1000]
LAYOUTS = ["disjoint", "chain", "one answer for all"]
BETAS = (0.1, 0.5)
RISK = np.linspace(0.05, 0.45, 24).reshape(2, 3, 4)
MEASURED = np.where(RISK > 0.3, np.nan, RISK * 0.9)
CAPTION = [
    "At {Q}, β = {β} and {layout}: {risk}.",
    ("The bound allows {bound}, and {band.lower} to {band.upper}.", "No bound at {Q}; the horizon is {horizon}."),
    "Measured: {measured}, {measured.lower} to {measured.upper}.",
]


def curves():
    bound = np.array([np.inf, 40.0, 4.0, np.nan]).reshape(1, 1, 4)
    return [
        Curve("risk", RISK, "predicted"),
        Curve("bound", bound, "bound", "the paper's bound"),
        Curve("band", np.array([RISK / 2, RISK * 2]), "band"),
        Curve("measured", MEASURED, "points", None, MEASURED - 0.01, MEASURED + 0.01),
        Curve("half", np.full((1, 1, 1), 0.5), "guide"),
        Curve("hidden", RISK[:, :1] * 1e6, "caption"),
    ]


def grid(**changes):
    arguments = {
        "x": X, "x_name": "Q", "knobs": {"β": BETAS, "layout": LAYOUTS}, "curves": curves(), "y_name": "risk <share>",
        "caption": CAPTION, "title": "Risk", "guides": [Guide("horizon", [[50.0], [np.nan]], "ends & stops")],
        "log_x": True,
    }
    return grid_explorer(**arguments | changes)


# ---- its presets ----

def margins(**changes):
    steps, betas, Qs = [0, 10, 20], [0.1, 0.5], [8, 16, 32]
    grid = np.arange(18, dtype=float).reshape(3, 2, 3)
    return margin_explorer(**{"K": 4, "lr": 0.1, "steps": steps, "betas": betas, "Qs": Qs,
                                      "measured": grid} | changes)


def risks(**changes):
    arguments = {"K": 4, "d": 100, "v": 0.3, "l_b": 0.5, "layout": shared(4), "Qs": [8, 32],
                 "steps": [50, 100], "betas": [0.1, 0.5], "measured": np.full((2, 2, 2), 0.25), "tested": 480}
    return risk_explorer(**arguments | changes)


# ---- statements ----

NAMES = ("honesty", "curiosity", "solitude", "frugality")
OWN = ((" True", " False"), (" positive", " negative"), (" approve", " refuse"), (" Good", " Bad"))
PER_SIDE, HELD = 6, 2


def statements(K=4, per_side=PER_SIDE, d=40, seed=0):
    """Embeddings with a large common part, as a language model has them, and their pairs."""
    rng = np.random.default_rng(seed)
    value, side = np.repeat(np.arange(K), 2 * per_side), np.tile(np.repeat([1, -1], per_side), K)
    prompts = [f'Is this you?\n"I like {NAMES[i]} number {j}, to a degree of {s}."'
               for j, (i, s) in enumerate(zip(value, side, strict=True))]
    answers = [OWN[i][:: s] for i, s in zip(value, side, strict=True)]
    pairs = Preferences(prompts, [a for a, _ in answers], [b for _, b in answers], value, side, NAMES[:K])
    x = 8 * np.ones(d) + rng.normal(size=(K, d))[value] * side[:, None] + rng.normal(size=(len(value), d))
    return x, pairs


def free(figure, j):
    """The first place from `j` on that is not held out."""
    return figure.setting["held"].index(0, j)


def learning(steps=40):
    """A run on one value with shared answers, held-out pairs, and their log-odds before it."""
    x, pairs = statements(K=1, per_side=12)
    rng = np.random.default_rng(5)
    yes = [(" Yes", " No")[:: s] for s in pairs.side]
    pairs = Preferences(pairs.prompts, [a for a, _ in yes], [b for _, b in yes], pairs.value, pairs.side, pairs.names)
    seen, unseen = np.arange(24) % 3 > 0, np.arange(24) % 3 == 0
    before = rng.normal(size=x.shape[1]) / 20
    run = train_last_layer(x[seen], pairs.take(np.flatnonzero(seen)), beta=0.1, lr=0.05, steps=steps, every=5,
                           test=(x[unseen], pairs.take(np.flatnonzero(unseen))))
    return run, pairs.take(np.flatnonzero(unseen)), x[unseen] @ before, x[unseen]
