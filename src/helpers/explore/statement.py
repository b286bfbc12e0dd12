"""Click one statement: one training step on it moves every other one, by real numbers (Lemma 4.1).

And its small sister for the front page: one statement through training.
"""

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
import traitlets as T
from scipy.special import expit

from .. import checks
from ..figures.marks import LIGHT
from .sliders import KnobFigure, small
from .widgets import Explorer, Figure, place, script, text

ANSWERS = ("own", "one shared", "Yes / No")
EMBEDDINGS = ("whole", "centred")
SHARED = {"own": 0, "one shared": 1, "Yes / No": 2}  # (e_a - e_b)^T (e_a' - e_b') of two values on the same side
ALL = -1  # a click that trains on all statements at once
STEPS = (2000, 20)  # of such a click: whole embeddings need a hundred times more, since their common part cancels
LONGEST = 80


class StatementFigure(KnobFigure):
    """Beads on strings, the pair that was clicked, and its two factors; `clicks` is what was trained on, in order."""

    _esm = script("shared.js", "statement.js")
    _css = script("explorer.css", "statement.css")
    clicks = T.List(T.Int()).tag(sync=True)


class LandingFigure(Figure):
    """One statement, the chances of its two answers, and the chart that is dragged through training."""

    _esm = script("shared.js", "landing.js")
    _css = script("explorer.css", "statement.css")
    step = T.Int(0).tag(sync=True)
    chosen = T.Int(0).tag(sync=True)


def short_statements(pairs, *, per_side: int = 14, longest: int = LONGEST, seed: int = 0):
    """A random part of `Preferences`: the same number on each side of each value, none longer than `longest` letters.

    Raises ValueError where a side has fewer than `per_side` such statements.
    """
    _preferences(pairs)
    checks.at_least("per_side", per_side, 1)
    checks.at_least("longest", longest, 1)
    rng, rows = np.random.default_rng(checks.at_least("seed", seed, 0)), []
    lengths = np.array([len(said(prompt)) for prompt in pairs.prompts])
    for i, name in enumerate(pairs.names):
        for side in (1, -1):
            fits = np.flatnonzero((pairs.value == i) & (pairs.side == side) & (lengths <= longest))
            if len(fits) < per_side:
                where = f"{name}, side {side:+d}, of {longest} letters at most"
                raise ValueError(f"per_side must be at most {len(fits)}, the statements of {where}, got {per_side}")
            rows += rng.choice(fits, per_side, replace=False).tolist()
    return pairs.take(rows)


def said(prompt: str) -> str:
    """The statement that a prompt quotes; the whole prompt where it quotes none."""
    inside = prompt.partition('"')[2].rpartition('"')[0]
    return inside or prompt


def statement_explorer(
    x: np.ndarray,
    pairs,
    *,
    held_out: int = 4,
    beta: float = 0.1,
    lr: tuple[float, float] | None = None,
    first: int | None = None,
    answers: str = "own",
    embeddings: str = "whole",
    title: str = "Click one statement. Who else moves?",
) -> Explorer:
    """Statements as beads on strings; a click trains one step on one, and all others move by their real amounts.

    One step of gradient descent on statement k moves the margin of j by beta^2 lr C_jk sigma(-r_k), where C_jk is
    the product of how their answers match and how alike their prompts are (Lemma 4.1).

    Parameters
    ----------
    x : embeddings, shape (N, d).
    pairs : `Preferences` of 1 to 4 values, equally many statements on each side of each (see `short_statements`);
        each value with two answers of its own.
    held_out : the last so many of each side are watched and never trained on. Centred embeddings are those minus
        the mean of the others.
    beta, lr : strength of the preference, and the learning rates for whole and for centred embeddings; by default
        those with which a clicked statement moves by about 1.
    first : the row that is clicked by itself when the figure is first seen; by default one near the middle of the
        first string.
    answers, embeddings : how the figure opens: "own", "one shared" or "Yes / No"; "whole" or "centred".

    Raises
    ------
    ValueError : an argument out of range or shape, sides of different sizes, more than 200 kB of numbers.
    """
    value, side, per_side = _sides(pairs)
    checks.at_least("held_out", held_out, 0)
    if held_out >= per_side:
        raise ValueError(f"held_out must be below {per_side}, the statements of a side, got {held_out}")
    x = checks.numbers("x", x)
    if x.ndim != 2 or len(x) != len(pairs) or not x.shape[1] or not np.isfinite(x).all():
        raise ValueError(f"x must be finite and have shape ({len(pairs)}, d), a row for each pair, got {np.shape(x)}")
    checks.positive("beta", beta)
    rows = [np.flatnonzero(value == i)[0] for i in range(pairs.K)]
    layout = [(pairs.chosen[j], pairs.rejected[j])[:: side[j]] for j in rows]
    clusters = [np.flatnonzero((value == i) & (side == s)) for i in range(pairs.K) for s in (1, -1)]
    held = np.zeros(len(x), dtype=bool)
    for rows in clusters:
        held[rows[per_side - held_out :]] = True
    common = x[~held].mean(axis=0)
    centred = x - common
    gram = centred @ centred.T
    order = np.concatenate([rows[alike(gram[np.ix_(rows, rows)])] for rows in clusters])
    gram, lean = gram[np.ix_(order, order)], centred[order] @ common
    unit = float(f"{max(np.abs(gram).max(), 1e-30) / 32767:.8g}")
    upper = np.round(gram[np.triu_indices(len(x))] / unit)
    if lr is None:
        sizes = np.square(x).sum(axis=1).mean(), np.square(centred).sum(axis=1).mean()
        lr = tuple(float(f"{1 / (beta**2 * max(size, 1e-30)):.0e}") for size in sizes)
    elif not isinstance(lr, tuple | list) or len(lr) != 2:
        raise ValueError(f"lr must be a pair of rates, for whole and centred embeddings, got {checks.shown(lr)}")
    for rate in lr:
        checks.positive("lr", rate)
    if first is not None and (checks.at_least("first", first, 0) >= len(x) or held[first]):
        raise ValueError(f"first must be a row of pairs that is not held out, got {first}")
    trained = [int(j) for j in np.flatnonzero(~held[order])]
    middle = min(trained, key=lambda j: abs(j - per_side // 2))
    setting = {
        "kind": "statement", "sliders": [["answers", list(ANSWERS)], ["embeddings", list(EMBEDDINGS)]],
        "controls": ["segments", "segments"], "names": list(pairs.names),
        "answers": [[answer.strip() for answer in pair] for pair in layout],
        "texts": [said(pairs.prompts[j]) for j in order], "rows": order.tolist(), "value": value[order].tolist(),
        "side": side[order].tolist(), "held": held[order].astype(int).tolist(),
        "unit": unit, "lean": [round(float(part), 3) for part in lean], "common": round(float(common @ common), 3),
        "beta": float(beta), "lr": [float(rate) for rate in lr], "steps": list(STEPS),
        "first": middle if first is None else order.tolist().index(first),
    }
    figure = StatementFigure(
        setting=setting, data=small(upper.astype("<i2").tobytes()),
        knob_0=place("answers", answers, list(ANSWERS)), knob_1=place("embeddings", embeddings, list(EMBEDDINGS)),
    )
    return Explorer(title, figure, still=lambda: _still(figure))


def statement_margins(
    setting: Mapping, data: bytes, clicks: Sequence[int], *, answers: str = "own", embeddings: str = "whole"
) -> np.ndarray:
    """Margins of a `statement_explorer` before and after each click, shape (clicks + 1, N).

    `setting` and `data` are the figure's, `clicks` places along the strings, -1 for *Train on all*. Products come
    from `data`, which holds them in 16 bits. ValueError for a click that is no place or is held out.
    """
    n, mode = len(setting["texts"]), place("embeddings", embeddings, list(EMBEDDINGS))
    clicks = checks.integers("clicks", clicks, ALL, n - 1).tolist()
    held, side, value = (np.array(setting[name]) for name in ("held", "side", "value"))
    for k in clicks:
        if k != ALL and held[k]:
            raise ValueError(f"clicks must be on statements that are not held out, got {k}")
    products = np.zeros((n, n))
    products[np.triu_indices(n)] = np.frombuffer(data, "<i2") * setting["unit"]
    products = products + np.triu(products, 1).T
    if embeddings == "whole":
        lean = np.array(setting["lean"])
        products = products + lean[:, None] + lean + setting["common"]
    between = SHARED[ANSWERS[place("answers", answers, list(ANSWERS))]]
    match = np.outer(side, side) * np.where(value[:, None] == value, 2, between)
    C = setting["beta"] ** 2 * setting["lr"][mode] * match * products
    trained, margins = np.flatnonzero(held == 0), [np.zeros(n)]
    for k in clicks:
        r = margins[-1].copy()
        rows = trained if k == ALL else np.array([k])
        for _ in range(setting["steps"][mode] if k == ALL else 1):
            r += C[:, rows] @ expit(-r[rows]) / len(rows)
        margins.append(r)
    return np.array(margins)


def landing_explorer(
    run,
    pairs,
    start: np.ndarray,
    *,
    learned: int,
    first: str | None = None,
    title: str = "One statement while the model learns",
) -> Explorer:
    """One statement that the model is never trained on, and the chances of its two answers through training.

    Parameters
    ----------
    run : a `Run` whose `test_margins` are those of `pairs`, with "beta" in its settings.
    pairs : `Preferences` of one value, one pair of answers for all.
    start : log-odds of the answer of side +1 against that of side -1 before training, shape (M,): the embedding times
        the difference of the two rows of the unembedding.
    learned : number of statements that it is trained on.
    first : how the statement that is shown first begins; the one that rises most where not given.

    A margin is beta times what training has added to the log-odds of the right answer, so the chance of the answer
    of side +1, of the two, is sigma(start + side * margin / beta).

    Raises
    ------
    ValueError : an argument out of range or shape.
    """
    _preferences(pairs)
    checks.holds("run", run, "steps test_margins settings", "a Run")
    if pairs.K != 1:
        raise ValueError(f"pairs must be of one value, got {pairs.K}")
    if run.test_margins is None or np.shape(run.test_margins)[1:] != (len(pairs),) or "beta" not in run.settings:
        raise ValueError(f"run must hold test margins of the {len(pairs)} pairs and its beta")
    if len(run.steps) < 2:
        raise ValueError(f"run must hold two recorded steps or more, got {len(run.steps)}")
    start = checks.numbers("start", start)
    if start.shape != (len(pairs),) or not np.isfinite(start).all():
        raise ValueError(f"start must be finite and have shape ({len(pairs)},), got {np.shape(start)}")
    checks.at_least("learned", learned, 1)
    side = np.asarray(pairs.side)
    chance = chances(run.test_margins, side, start, run.settings["beta"])
    right = np.where(side > 0, chance, 1 - chance)
    texts = [said(prompt) for prompt in pairs.prompts]
    if first is None:
        chosen = int(np.argmax(right[-1] - right[0]))
    else:
        found = [j for j, words in enumerate(texts) if words.startswith(text("first", first))]
        if not found:
            raise ValueError(f"first must be how a statement begins, got {first!r}")
        chosen = found[0]
    layout = {(pairs.chosen[j], pairs.rejected[j])[:: side[j]] for j in range(len(pairs))}
    if len(layout) != 1:
        raise ValueError(f"pairs must have one pair of answers for all, got {len(layout)}")
    setting = {
        "kind": "landing", "name": pairs.names[0], "answers": [answer.strip() for answer in layout.pop()],
        "texts": texts, "side": side.tolist(), "steps": np.asarray(run.steps).tolist(), "learned": learned,
        "right": np.round(right, 3).T.tolist(),
    }
    figure = LandingFigure(setting=setting, chosen=chosen, step=0)
    return Explorer(title, figure, still=lambda: _chart(figure))


def chances(margins: np.ndarray, side: np.ndarray, start: np.ndarray, beta: float) -> np.ndarray:
    """Chance of the answer of side +1, of the two, from margins (T, M), sides (M,) and log-odds at the start (M,)."""
    return expit(start + side * np.asarray(margins) / beta)


def alike(gram: np.ndarray) -> list[int]:
    """An order of the rows in which neighbours have a large cosine: a greedy path, then 2-opt."""
    length = np.sqrt(np.maximum(np.diag(gram), 1e-300))
    far = 1 - gram / np.outer(length, length)
    chain = [int(np.argmax(far.sum(axis=1)))]
    while len(chain) < len(far):
        rest = [j for j in range(len(far)) if j not in chain]
        chain.append(min(rest, key=lambda j: far[chain[-1], j]))

    def cost(path: list[int]) -> float:
        return float(far[path[:-1], path[1:]].sum())

    better = True
    while better:
        better = False
        for i in range(len(chain) - 1):
            for j in range(i + 1, len(chain)):
                turned = chain[:i] + chain[i : j + 1][::-1] + chain[j + 1 :]
                if cost(turned) < cost(chain) - 1e-12:
                    chain, better = turned, True
    return chain


def _preferences(pairs) -> None:
    checks.holds("pairs", pairs, "prompts chosen rejected value side names K take", "Preferences")


def _sides(pairs) -> tuple[np.ndarray, np.ndarray, int]:
    """Value and side of the pairs, and how many there are of each side of each value, the same everywhere."""
    _preferences(pairs)
    value, side = np.asarray(pairs.value), np.asarray(pairs.side)
    sizes = {int(np.sum((value == i) & (side == s))) for i in range(pairs.K) for s in (1, -1)}
    if not 1 <= pairs.K <= 4:
        raise ValueError(f"pairs must be of 1 to 4 values, got {pairs.K}")
    if len(sizes) != 1 or sizes == {0}:
        raise ValueError(f"pairs must hold equally many statements on each side of each value, got {sorted(sizes)}")
    return value, side, sizes.pop()


def _chart(figure: LandingFigure) -> str:
    """The chance of the right answer of the chosen statement through training, as SVG."""
    setting = figure.setting
    right, steps = np.array(setting["right"][figure.chosen]), np.array(setting["steps"])
    points = zip(20 + 500 * steps / steps[-1], 150 - 110 * right, strict=True)
    line = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    answer = setting["answers"][0 if setting["side"][figure.chosen] > 0 else 1]
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="540" height="180" viewBox="0 0 540 180" role="img" '
            f'font-family="sans-serif" font-size="13" fill="{LIGHT["ink"]}" style="background:{LIGHT["page"]}">'
            f'<text x="20" y="18">{escape(setting["texts"][figure.chosen])}</text>'
            f'<path d="M20 95H520M20 150H520" stroke="{LIGHT["hair"]}"/><path d="{line}" fill="none" '
            f'stroke="{LIGHT["measured"]}" '
            f'stroke-width="3"/><text x="20" y="170">chance of “{escape(answer)}”, of the two answers, over '
            f'{steps[-1]} training steps; grey: one half</text></svg>')


def _still(figure: StatementFigure) -> str:
    """The beads after the first click, as SVG."""
    setting = figure.setting
    answers, embeddings = ANSWERS[figure.knob_0], EMBEDDINGS[figure.knob_1]
    margins = statement_margins(setting, figure.data, figure.clicks or [setting["first"]], answers=answers,
                                embeddings=embeddings)[-1]
    per_side, marks = len(margins) // len(setting["names"]) // 2, ""
    for j, (margin, value, side) in enumerate(zip(margins, setting["value"], setting["side"], strict=True)):
        left, middle = 10 + value * 150, 60 if side > 0 else 160
        x, y = left + (j % per_side + 0.5) * 130 / per_side, middle - 34 * np.arcsinh(margin / 0.4) / np.arcsinh(15)
        fill = LIGHT["ink" if side > 0 else "page"]
        marks += (f'<path d="M{x:.1f} {middle}V{y:.1f}" stroke="{LIGHT["margin"]}"/>'
                  f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{fill}" stroke="{LIGHT["ink"]}"/>')
        if j % per_side == 0:
            marks += f'<path d="M{left} {middle}h130" stroke="{LIGHT["hair"]}"/>'
            marks += f'<text x="{left}" y="{middle - 40}">{escape(setting["names"][value])}</text>' if side > 0 else ""
    width = 10 + 150 * len(setting["names"])
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="210" viewBox="0 0 {width} 210" '
            f'role="img" font-family="sans-serif" font-size="13" fill="{LIGHT["ink"]}" '
            f'style="background:{LIGHT["page"]}">{marks}</svg>')
