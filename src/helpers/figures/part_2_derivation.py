"""The pictures of part II, the derivation: from one push on one sample to the bound, and beyond its assumptions."""

from math import cos, log, log2, log10, pi, radians, sin, sqrt

import numpy as np
from scipy.special import log_softmax

from ..bounds import risk_bound, training_envelope
from ..dynamics import gradient_flow
from ..layouts import TokenLayout, disjoint
from ..mixture import ValueMixture
from ..risk import exact_risk, risk_law
from .marks import (
    answer,
    area,
    arrow,
    box,
    circle,
    cloud,
    line,
    margin,
    measured,
    moves,
    path,
    predicted,
    proved,
    sheet,
    statements,
    strokes,
    text,
    time_axis,
)


def interaction() -> str:
    """A push is a product: how alike the prompts are, times how the answers match."""
    near, wide = 20, 70  # degrees between the two prompts
    columns = [(near, ("Yes", "No")), (wide, ("Yes", "No")), (near, ("No", "Yes")), (near, ("Tea", "Milk"))]
    parts = []
    for k, (angle, words) in enumerate(columns):
        x = 190 + 150 * k
        push = cos(radians(angle)) * TokenLayout((("Yes", "No"), words)).gram[0, 1]
        for turn, role in ((angle / 2, "soft"), (-angle / 2, "ink")):
            a = radians(turn)
            parts.append(arrow(x - 38, 46, x - 38 + 74 * cos(a), 46 - 74 * sin(a), role, 3))
        for row, (chosen, rejected) in enumerate((("Yes", "No"), words)):
            parts += [
                answer(x - 34, 116 + 38 * row, chosen, True, 62, 32),
                answer(x + 34, 116 + 38 * row, rejected, False, 62, 32),
            ]
        parts.append(line(x - 34, 232, x + 34, 232, "soft"))
        parts.append(arrow(x, 232, x, 232 - 54 * push, "margin", 5) if push else circle(x, 232, 5, "margin-f"))
    return sheet(
        "03_interaction",
        "One sample pushes another: two factors",
        "Four pairs of samples. How alike the prompts point, times how their answers match, is the push: large up for "
        "the same, small for different prompts, down for swapped answers, none where no answer is shared.",
        *parts, text(16, 52, "prompts"), text(16, 90, "×", "b soft-f wide"), text(16, 141, "answers"),
        text(16, 190, "=", "b soft-f wide"), text(16, 239, "push", "margin-f b"),
    )


def concentration() -> str:
    """More statements, less noise, and a proof says how much is left."""
    rng, v, n, p, unit, base = np.random.default_rng(8), 0.25, 16, 0.05, 146, 258
    top, parts = base - unit, []
    for x, Q in ((104, 1), (300, 4), (456, 16), (594, 64)):
        noise = v / sqrt(2 * Q)  # of the mean of 2 Q statements, in each of two directions
        limit = unit * noise * sqrt(2 * log(n / p))  # each length is Rayleigh: a union bound over all n is exact in p
        ring = [(x + limit * sin(2 * pi * k / 32), top - limit * cos(2 * pi * k / 32)) for k in range(33)]
        tips = np.array([x, top]) + noise * unit * rng.standard_normal((n, 2))
        parts += [
            cloud(x, top, limit), proved(ring, -1, max(6, limit / 7)),
            strokes([(x, base, *tip) for tip in tips], "soft w1"), statements(tips, 1, 2.6, "soft"),
            arrow(x, base, x, top, "predicted", 4), text(x, 290, f"{2 * Q} statements", "m wide"),
            text(x, 292, str(2 * Q), "m narrow"),
        ]
    return sheet(
        "04_noise",
        "Noise averages out",
        "Sixteen directions, each the mean of noisy statements: 2, 8, 32 and 128 of them. The fan closes on "
        "the direction without noise, and the ring that is proved to hold all sixteen ends shrinks with it.",
        *parts, text(388, 32, "proved, 95 times in 100:", "proved-f b wide"),
        text(388, 56, "all sixteen end inside", "proved-f b wide"),
        text(388, 44, "proved: inside", "proved-f b narrow"), text(616, 196, "without", "predicted-f b wide"),
        text(616, 218, "noise", "predicted-f b wide"),
    )


def tube_run() -> tuple[np.ndarray, np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """Times, the training margins of one data set on the event of the proof, and the envelope of T4.2'."""
    mixture = ValueMixture(disjoint(3), d=60, v=0.045, l_b=0.5)
    S = np.linspace(0, 0.44, 45)
    run = gradient_flow(mixture.sample(30, np.random.default_rng(5)), mixture.layout, S)
    return S, run.margins, training_envelope(S, form="improved", Q=30, d=60, v=0.045)


def training() -> str:
    """No margin leaves the tube, because none can be the first to leave."""
    S, margins, (lower, upper) = tube_run()
    end, top = S[-1], 0.266  # the sheet ends before the tube does

    def at(s, r):
        return (44 + 1090 * s, 250 - 850 * r)

    low, high = lower[1] / S[1], upper[1] / S[1]
    cut = min(end, top / high)

    def edge(slope, until):
        return [at(s, slope * s) for s in np.linspace(0, until, 5)]

    order = np.argsort(margins[-1])
    shown = order[np.linspace(0, len(order) - 1, 11).astype(int)]
    s = np.linspace(0.02, 0.235, 12)
    exit_ = 0.5 * s - 0.3625 * s * (s / 0.235) ** 1.2  # imagined: no margin can do this
    exit_[-1] = low * s[-1]
    x, y = at(s[-1], exit_[-1])
    return sheet(
        "05_tube",
        "No margin can be the first to leave the tube",
        "Simulated training margins grow inside a tube between two proved lines. A dashed path shows what a first exit "
        "would be: while all are inside, none has the rate to leave.",
        area([at(0, 0), at(cut, high * cut), at(end, top), at(end, low * end)]),
        proved(edge(high, cut), -1), proved(edge(low, end), 1),
        *(path([at(S[k], margins[k, j]) for k in range(0, len(S), 4)], "margin") for j in shown),
        path([at(a, b) for a, b in zip(s, exit_, strict=True)], "ink d"),
        strokes([(x, y + 9, x, 268)], "soft w1"), circle(x, y, 7, "l ink page-f"),
        margin(at(end, 0)[0] + 24, at(0, margins[-1].mean())[1], at(0, 0)[1], "margin", cls="wide"),
        text(716, 36, "margin", "margin-f b e narrow"),
        time_axis(44, 656, at(0, 0)[1], "training"), text(x, 290, "none can be the first to leave", "b m wide"),
        text(x - 30, 294, "none leaves first", "b m narrow"),
        text(60, 52, "the tube that is proved", "proved-f b wide"), text(44, 52, "proved tube", "proved-f b narrow"),
    )


BOUND_SAMPLES = (4, 8, 16, 32, 64, 128, 256, 512)


def bound_run() -> tuple[ValueMixture, np.ndarray]:
    """The mixture of picture 6, and the exact risk (N2) of one simulated training set for each number of samples."""
    mixture = ValueMixture(disjoint(4), d=1000, v=0.5, l_b=0.5)
    rng, risks = np.random.default_rng(6), []
    for Q in BOUND_SAMPLES:
        # With own answers the first step's direction of value i is the mean of its signed samples (N3).
        mean = mixture.concepts + mixture.v / sqrt(2 * Q) * rng.standard_normal((mixture.K, mixture.d))
        risks.append(float(exact_risk(mean, mixture)))
    return mixture, np.array(risks)


def generalization() -> str:
    """The paper's bound is above 1; the law lies on what is measured (simulated, noise fixed, d = 1,000)."""
    mixture, risks = bound_run()

    def at(Q, risk):
        return (88 + 62 * (log2(Q) - 2), 186 - 33 * log10(risk))

    fine = 4 * 2 ** np.linspace(0, 7, 57)
    bound = [at(Q, float(risk_bound(mixture.K, Q))) for Q in fine]
    law = [at(Q, float(risk_law(mixture, int(Q))[0])) for Q in np.unique(fine.round())]
    right, one = at(512, 1)
    return sheet(
        "06_bound",
        "A bound, a law, and what is measured",
        "Error against the number of samples, on a logarithmic scale. The paper's bound, whose assumption on the noise "
        "fails here, towers above 1, up to ten thousand. The law runs through the measured dots (simulated "
        "training sets).",
        box(88, 24, right - 88, one - 24, "tint-f"), line(88, one, right, one, "ink w1"), proved(bound, -1),
        predicted(law), *(measured(*at(Q, risk)) for Q, risk in zip(BOUND_SAMPLES, risks, strict=True)),
        text(right + 14, bound[-1][1] + 6, "the paper's bound", "proved-f b wide"),
        text(right + 14, bound[-1][1] + 6, "bound", "proved-f b narrow"),
        text(right + 14, law[-1][1] - 6, "law", "predicted-f b"),
        text(right + 14, law[-1][1] + 19, "measured", "measured-f b"), text(78, one + 6, "1", "e"),
        text(78, at(4, 1e4)[1] + 6, "10,000", "e wide"), text(78, at(4, 1e4)[1] + 6, "10⁴", "e narrow"),
        text(78, at(4, 0.01)[1] + 6, "0.01", "e"),
        text(106, one - 14, "an error above 1 says nothing", "soft-f wide"),
        text(106, one - 12, "above 1: nothing said", "soft-f narrow"), text((88 + right) / 2, 290, "samples", "s m"),
        text(88, 290, "4", "s m"), text(right, 290, "512", "s m"), text(24, 26, "error", "s wide"),
    )


def conflict() -> str:
    """Shared answers learn the sum of two concepts; where they oppose, the weaker is learned backwards."""
    parts = []
    for x, angle, short in ((180, 90, 92), (540, 148, 54)):
        centre, radius = np.array([x, 136.0]), 116
        a, b = radians(62), radians(62 + angle)
        concepts = np.array([100 * np.array([cos(a), -sin(a)]), short * np.array([cos(b), -sin(b)])])
        learned = concepts.sum(axis=0) / np.linalg.norm(concepts.sum(axis=0))  # N3 with shared answers
        across, turn = np.array([-learned[1], learned[0]]), np.arctan2(learned[1], learned[0])
        half = [(x + radius * cos(turn + s), 136 + radius * sin(turn + s)) for s in np.linspace(-pi / 2, pi / 2, 33)]
        parts += [
            area(half), circle(*centre, radius, "l hair w1"),
            line(*(centre - radius * across), *(centre + radius * across), "ink w1 d"),
            arrow(*centre, *(centre + (radius + 4) * learned), "predicted", 4),
        ]
        for c in concepts:
            parts += [
                arrow(*centre, *(centre + c * (1 - 10 / np.linalg.norm(c))), "ink", 2.2), statements([centre + c], 1, 8)
            ]
            if c @ learned < 0:
                parts.append(circle(*(centre + c), 16, "l ink d"))
        for word, by in (("Yes", 72), ("No", 155)):
            place = centre + 82 * np.array([cos(turn + radians(by)), sin(turn + radians(by))])
            parts.append(answer(*place, word, word == "Yes", 54, 32))
    return sheet(
        "07_conflict",
        "Two concepts at an angle",
        "Two values that share their answers are learned along the sum of their concepts. At a right angle both lie on "
        "the right side. When they oppose, the weaker one lies on the wrong side of the line: it is learned backwards.",
        *parts, text(116, 30, "learned", "predicted-f b e"), text(180, 286, "both are learned", "b m"),
        text(540, 286, "the weaker is learned backwards", "b m wide"), text(540, 290, "one backwards", "b m narrow"),
    )


def token_rewards() -> tuple[list[str], list[list[int]], list[list[float]]]:
    """Words, the two answers as rows of word numbers, and what one step of DPO adds to each token's log-probability.

    A last layer of nine words on five-dimensional states: small enough to be drawn, and trained as the book's are.
    """
    rng = np.random.default_rng(1316)
    head = rng.standard_normal((9, 5)) * 0.5
    words = ["I", "told", "her", "the", "truth", "a", "story"]
    states = rng.standard_normal((6, 5)) * 0.9  # before: I, told, her, the or a, truth, story
    answers, seen = [[0, 1, 2, 3, 4], [0, 1, 2, 5, 6]], [[0, 1, 2, 3, 4], [0, 1, 2, 3, 5]]
    step = np.zeros_like(head)
    for tokens, at, sign in zip(answers, seen, (1, -1), strict=True):
        for y, h in zip(tokens, at, strict=True):
            step += sign * np.outer(np.eye(9)[y] - np.exp(log_softmax(head @ states[h])), states[h])
    gains = [
        [
            float(log_softmax((head + 0.4 * step) @ states[h])[y] - log_softmax(head @ states[h])[y])
            for y, h in zip(tokens, at, strict=True)
        ]
        for tokens, at in zip(answers, seen, strict=True)
    ]
    return words, answers, gains


def tokens() -> str:
    """Each token moves by itself; where the answers agree it cancels, the rest is the margin."""
    words, answers, gains = token_rewards()
    parts, xs, widths = [], [54, 124, 202, 300, 380], [46, 66, 62, 66, 78]
    for row, (answer_, rewards) in enumerate(zip(answers, gains, strict=True)):
        base = 62 + 138 * row
        for k, (y, gain) in enumerate(zip(answer_, rewards, strict=True)):
            high = 24 * gain
            parts += [
                box(xs[k] - 9, base - max(high, 0), 18, max(abs(high), 1.5), "soft-f" if k < 3 else "ink-f"),
                answer(xs[k], base + 50, words[y], row == 0, widths[k], 34),
            ]
        parts.append(line(24, base, 428, base, "soft w1"))
    up, down = (sum(rewards) for rewards in gains)
    unit = 130 / (up - down)
    return sheet(
        "08_tokens",
        "Each token has a reward of its own",
        "Two answers, I told her the truth and I told her a story. A bar over each token shows how training "
        "changed its log-probability. Where the answers agree the bars are the same and cancel; the rest "
        "adds up to the margin.",
        *parts, line(250, 20, 250, 272, "hair w1"), text(128, 292, "the same in both: cancels", "s m wide"),
        text(128, 294, "cancels", "s m narrow"), text(340, 292, "here they part", "s m wide"),
        arrow(446, 150, 484, 150, "soft", 1.6), moves(512, 150, unit * up, unit * down),
    )
