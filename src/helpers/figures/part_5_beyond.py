"""The pictures of part V, beyond DPO: other losses, what goes wrong, what mends it, and many values at once."""

import numpy as np
from scipy.special import expit

from ..dynamics import push
from .marks import (
    answer,
    arrow,
    box,
    circle,
    dial,
    line,
    margin,
    mixed,
    path,
    sheet,
    spring,
    statements,
    strokes,
    text,
    time_axis,
)


def losses() -> str:
    """All losses start alike; DPO goes on, SLiC stops, IPO pushes back."""
    def at(r, f):
        return (78 + 216 * r, 158 - 112 * f)

    def curve(loss, margins):
        force = push(loss)
        return [at(r, float(force(r) / force(0.0))) for r in margins]

    dpo, ipo = curve("dpo", np.linspace(0, 2, 41)), curve("ipo", np.array([0.0, 2.0]))
    slic = [at(0, 1), at(1, 1), at(1, 0), at(2, 0)]
    x, right = at(1, 0)[0], at(2, 0)[0]
    return sheet(
        "15_push",
        "Who keeps pushing",
        "How hard a pair pushes, against its margin, relative to the start. All three losses start alike. DPO pushes "
        "less and less but never stops, SLiC stops at margin 1, IPO pushes back beyond it.",
        box(*at(0, 0), 432, 112, "tint-f"), line(*at(0, 0), right + 6, 158, "soft w1"),
        strokes([(x, 158, x, 268)], "soft w1 d"), path(ipo, "ink w3 d"), path(slic, "ink w3"), path(dpo, "ink w5"),
        circle(*at(0, 1), 7, "ink-f"), text(96, 30, "all start alike", "s wide"), text(x + 14, 52, "SLiC stops", "b"),
        text(right + 14, dpo[-1][1] - 6, "DPO goes on", "b"), text(right + 14, 276, "IPO pushes back", "b wide"),
        text(right + 8, 276, "IPO: back", "b narrow"), text(right + 14, 165, "margin", "margin-f b"),
        text(x, 292, "1", "m"), text(66, 52, "push", "margin-f b e"), text(66, 164, "0", "e"),
    )


def chain_velocity(z: np.ndarray, penalty: float) -> np.ndarray:
    """Downhill direction of the mean loss for the logits z of A, B, C and a fourth token, shape (4,).

    One state learns A > B from 3 pairs and B > C from 2; `penalty` is the strength of DPO-Positive, 0 for DPO. The
    reference has equal logits, beta is 1.
    """
    p, unit, velocity = np.exp(z) / np.exp(z).sum(), np.eye(4), np.zeros(4)
    change = np.log(4 * p)
    for count, w, o in ((3, 0, 1), (2, 1, 2)):
        fallen = min(0.0, change[w])
        pull = expit(change[o] - change[w] - penalty * fallen)
        velocity += count / 5 * pull * (unit[w] - unit[o] + penalty * (fallen < 0) * (unit[w] - p))
    return velocity


def chain_flow(penalty: float, time: float = 6.0, steps: int = 6000) -> np.ndarray:
    """Changes of the log-probabilities of A, B, C and a fourth token along `chain_velocity`, shape (steps + 1, 4).

    B is the chosen answer of one pair and the rejected one of the other: both answers of B > C fall.
    """
    z, rows = np.zeros(4), []
    for _ in range(steps + 1):
        rows.append(np.log(4 * np.exp(z) / np.exp(z).sum()))
        z = z + time / steps * chain_velocity(z, penalty)
    return np.array(rows)


def both_fall() -> str:
    """Both answers fall, and the margin grows all the same."""
    rows = chain_flow(0.0, time=7.0)
    ends = [104 - 84 * change for change in rows[-1]]
    curves = [
        [(40 + 400 * j / (len(rows) - 1), 104 - 84 * rows[j, k]) for j in range(0, len(rows), 300)] for k in range(3)
    ]
    middle = (ends[1] + ends[2]) / 2
    return sheet(
        "16_fall",
        "Both answers fall",
        "Log-probabilities during training. The chosen answer falls, the rejected one falls further, so the "
        "margin grows all the same. A third answer takes what both lose.",
        line(40, 104, 440, 104, "hair"), path(curves[0], "soft d"), path(curves[1], "ink w3"),
        path(curves[2], "ink w3"), answer(490, ends[1], "often", True, 88), answer(490, ends[2], "never", False, 88),
        answer(490, ends[0], "always", None, 88), margin(560, ends[1], ends[2], ""),
        text(578, middle - 5, "the margin", "margin-f b wide"), text(578, middle + 17, "grows", "margin-f b wide"),
        text(578, middle + 8, "margin", "margin-f b narrow"), time_axis(40, 440, 262, "training"),
        text(60, 216, "both fall", "b"),
    )


def dpo_positive() -> str:
    """DPO-Positive is a spring under the chosen answer."""
    parts, start, scale = [], 66, 108
    for left, penalty, word in ((30, 0.0, "DPO"), (392, 20.0, "DPO-Positive")):
        change = chain_flow(penalty)[-1]
        chosen, rejected = start - scale * change[1], start - scale * change[2]
        parts += [
            line(left, start, left + 250, start, "soft d"), box(left + 138, start - 18, 76, 36, "l hair page-f", 8),
            box(left + 32, start - 18, 76, 36, "l hair page-f", 8),
            arrow(left + 176, start + 18, left + 176, rejected - 22, "soft", 3),
        ]
        if penalty:
            parts += [spring(left + 70, chosen + 19, 240), line(left + 34, 241, left + 106, 241, "ink w3")]
        parts += [
            answer(left + 70, chosen, "often", True, 76), answer(left + 176, rejected, "never", False, 76),
            margin(left + 262, chosen, rejected, ""), text(left + 123, 286, word, "m b"),
        ]
    return sheet(
        "17_spring",
        "A spring that holds the chosen answer up",
        "Under DPO the chosen answer sinks below where it started. DPO-Positive puts a spring under it: it stays, the "
        "rejected answer falls, and the margin is larger.",
        *parts, text(30, 32, "where they started", "s wide"),
    )


def beta_run() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gaps of thirteen batches of nine, their running mean, and beta / beta_0 by the rule of beta-DPO."""
    rng, alpha, momentum, usual = np.random.default_rng(4), 0.6, 0.9, 0.6
    gaps, means, betas = [], [], []
    for _ in range(13):
        batch = 0.6 + 0.42 * rng.standard_normal() + 0.55 * rng.standard_normal(9)
        usual = momentum * usual + (1 - momentum) * batch.mean()
        gaps.append(batch)
        means.append(usual)
        betas.append(1 + alpha * (batch.mean() - usual))
    return np.array(gaps), np.array(means), np.array(betas)


def beta_dpo() -> str:
    """Beta rises and falls with the mean gap of the batch."""
    gaps, usual, betas = beta_run()

    def high(gap):
        return 96 - 40 * (gap - 0.6)

    level, parts, back = 220, [], []
    for t, (batch, mean, beta) in enumerate(zip(gaps, usual, betas, strict=True)):
        x, bar = 128 + 38 * t, 100 * (beta - 1)
        back += [box(x - 16, 8, 32, 250, "tint-f")] if beta > 1 else []
        parts += [
            statements([(x + 9, high(q)) for q in batch], 1, 3, "hair"),
            strokes([(x, high(mean), x, high(batch.mean()))], "margin w3"),
            line(x - 10, high(batch.mean()), x + 10, high(batch.mean()), "margin w5"),
            box(x - 10, level - max(bar, 0), 20, max(1.5, abs(bar)), "ink-f"),
        ]
    right = 128 + 38 * 12 + 18
    return sheet(
        "18_beta",
        "A beta that follows the batch",
        "Thirteen batches of gaps. Where the mean gap of a batch lies above its running mean, beta is raised; where it "
        "lies below, beta is lowered.",
        *back, path([(128 + 38 * t, high(mean)) for t, mean in enumerate(usual)], "soft d"), *parts,
        line(108, level, right, level, "soft w1"), text(24, 102, "gaps", "margin-f b"), text(24, 226, "beta", "b"),
        text(right + 10, high(usual[-1]) + 5, "usual gap", "s wide"),
        text(right + 10, level + 5, "usual beta", "s wide"),
        time_axis(108, right, 270, "batches"),
    )


def objectives() -> str:
    """Two votes give a ramp, one joint vote gives a jump."""
    parts, width = [], 90
    for k, share in enumerate((0, 0.25, 0.5, 0.75, 1)):
        x = 192 + 116 * k
        parts.append(dial(x, 70, share, 38))
        for row, yes in enumerate((share, (1 + np.sign(share - 0.5)) / 2)):  # rest points of the two readings
            y = 125 + 66 * row
            parts.append(
                mixed(x, y, yes, width, 38) if 0 < yes < 1
                else answer(x, y, "Yes" if yes else "No", bool(yes), width, 38)
            )
    return sheet(
        "19_dial",
        "A dial between two values",
        "Five settings of a dial between two values. If each value votes on every pair, the share of Yes follows the "
        "dial. If only the mixed reward votes, the answer jumps from No to Yes at the middle.",
        *parts, text(24, 122, "each value", "b wide"), text(24, 143, "votes", "b wide"),
        text(24, 188, "only their", "b wide"), text(24, 209, "mix votes", "b wide"),
        text(24, 133, "each", "b narrow"), text(24, 199, "mix", "b narrow"), text(192, 262, "honesty", "m"),
        text(656, 262, "generosity", "m"), arrow(246, 256, 596, 256, "soft", 1.2),
    )
