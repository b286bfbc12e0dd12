"""A proof that is driven: Theorem 4.2 line by line, beside one live cloud of rates."""

import traitlets as T

from ..checks import at_least, between, is_text, one_of
from ..checks import shown as shown_value
from .stage import Stage
from .widgets import script

LAYOUTS = ("own", "chain", "star", "shared")
LINES = 10
MOST_Q = 50


class ProofFigure(Stage):
    """Ten lines of a proof, the noise that it speaks of, and the reader's guesses; the browser simulates the noise."""

    _esm = script("formulas.js", "shared.js", "proof_model.js", "proof_lines.js", "proof.js")
    _css = script("stage.css", "proof.css")
    line = T.Int(1, min=1, max=LINES).tag(sync=True)
    shown = T.Int(1, min=1, max=LINES).tag(sync=True)
    guesses = T.Dict().tag(sync=True)  # number of a line, as a text -> {"low", "high", "touched"}
    v = T.Float(0.004, min=0.001, max=1.0).tag(sync=True)
    l_b = T.Float(0.35, min=0.0, max=1.0).tag(sync=True)
    Q = T.Int(MOST_Q, min=2, max=MOST_Q).tag(sync=True)
    token_layout = T.Enum(LAYOUTS, "chain").tag(sync=True)  # `layout` is every widget's own
    seed = T.Int(11, min=0).tag(sync=True)


def proof_explorer(
    *,
    line: int = 1,
    shown: int | None = None,
    v: float = 0.004,
    l_b: float = 0.35,
    Q: int = MOST_Q,
    layout: str = "chain",
    seed: int = 11,
    title: str = "The training guarantee, line by line",
) -> ProofFigure:
    """The proof of Theorem 4.2 and its step to 4.3, one line at a time beside the rates of a simulated data set.

    Four values in d = 150 dimensions, two clusters each; speeds are in units of the speed without noise at the start.
    Each line widens a bracket around all speeds; the reader guesses by how much before it is shown. Leaving a
    hypothesis by the sliders names it and the lines that used it. Works without a kernel.

    Parameters
    ----------
    line : the line at which the figure opens; 1 to 4 are Lemma B.1, 5 is B.2, 6 to 9 Theorem 4.2 (B.3), 10 is 4.3
        (B.4).
    shown : the last line whose bracket is shown; by default the one before `line`, which the reader is then asked.
    v : noise in each coordinate, 0.001 to 1.
    l_b : length of the shared component, 0 to 1.
    Q : statements a cluster, 2 to 50.
    layout : answers of the four values: "own", "chain", "star" or "shared" (all answer Yes or No).
    seed : of the noise.

    Raises
    ------
    ValueError : an argument out of range.
    """
    between("line", at_least("line", line, 1), 1, LINES)
    shown_lines = max(1, line - 1) if shown is None else between("shown", at_least("shown", shown, 1), 1, LINES)
    between("v", v, 0.001, 1.0)
    between("l_b", l_b, 0.0, 1.0)
    between("Q", at_least("Q", Q, 2), 2, MOST_Q)
    one_of("layout", layout, LAYOUTS)
    between("seed", at_least("seed", seed, 0), 0, 2**31)
    if not is_text(title):
        raise ValueError(f"title must be a text, got {shown_value(title)}")
    if shown is None and line in (1, 9, 10):  # these ask for nothing
        shown_lines = line
    return ProofFigure(
        setting={"kind": "driven proof"},
        title=title,
        line=int(line),
        shown=int(shown_lines),
        v=float(v),
        l_b=float(l_b),
        Q=int(Q),
        token_layout=layout,
        seed=int(seed),
    )
