"""The page on values with two single-token answers: how many pairs each needs, conflicts, what to do."""

import numpy as np

from ..audit.planner import AS_THEY_ARE, OWN, Forecast, words_of_need
from .page import between, both, clean, dot, line, listed, page, percent, several, svg, text
from .value_report import ValueReport

WORTH = 0.01  # by how much another layout must be better to be named
GAP = 0.2  # between the errors of the two sides of a value, from which the page speaks of it


def value_page(report: ValueReport, *, title: str | None = None) -> str:
    """The report as one HTML page."""
    plan, K = report.plan, len(report.names)
    now, at = plan.now, plan.now.at(plan.Q)
    late = report.checked[AS_THEY_ARE]
    numbers = [
        (percent(now.error[at, K]), f"wrong at first with {plan.Q:.0f} pairs a side "
                                    f"({between(now.run_low[at, K], now.run_high[at, K])})", "predicted"),
        (percent(now.floor[K]), f"wrong at first with endless many pairs ({between(now.low[-1, K], now.high[-1, K])})",
         "predicted"),
        (percent(late.late[K]),
         f"found wrong on statements kept back after long training of the last layer on {late.Q:.0f} pairs a side "
         f"({between(late.late_low[K], late.late_high[K])})", "found"),
    ]
    return page(
        title=title or several(K, "value").capitalize(),
        about=f"{len(report.prompts)} statements looked at, {report.model}. Blue is predicted before any training, "
              "red found.",
        verdict=_verdict(report), numbers=numbers,
        sections=[
            ("How many pairs does each value need?", _needs(report)),
            ("Which values help or hinder each other?", _conflicts(report)),
            ("Is one side lost?", _sides(report)),
            ("Statements to read", _odd(report)),
            ("What to do", _to_do(report)),
            ("Was it right on this file?", _check(report)),
            ("What these numbers are", _what(report)),
        ],
    )


def _name(report: ValueReport, i: int) -> str:
    return clean(report.names[i], 40).replace("-", " ")


def _verdict(report: ValueReport) -> list[str]:
    plan, K = report.plan, len(report.names)
    now, at = plan.now, plan.now.at(plan.Q)
    error, floor = now.error[at], now.floor
    order = np.argsort(error[:K])
    lines = [f"With {plan.Q:.0f} pairs a side, training will at first get about <b>{percent(error[K])}</b> of new "
             "statements "
             "wrong" + (f": {percent(error[order[0]])} in {_name(report, order[0])}, {percent(error[order[-1]])} in "
                        f"<b>{_name(report, order[-1])}</b>." if K > 1 else ".")]
    late = report.checked[AS_THEY_ARE]
    gain = late.half[K] - late.late[K]
    more = "hardly help" if floor[K] > 0.85 * error[K] else "help"
    lines.append(f"<b>More pairs {more} at first</b>: endless many would leave {percent(floor[K])}. After long "
                 "training "
                 f"{percent(late.late[K])} were wrong, and {percent(late.half[K])} with half as many pairs: there "
                 "more pairs "
                 f"{'help' if gain > 0.02 else 'hardly help'}{' too' if (gain > 0.02) == (more == 'help') else ''}.")
    best = _best(report)
    if best is not None:
        lines.append(f"With <b>{_in_words(best)}</b> the same pairs would leave "
                     f"<b>{percent(_error(report, best))}</b> at first."
                     + (f" After long training they left {percent(report.checked[OWN].late[K])}."
                        if best == OWN else ""))
    elif OWN in plan.options:
        lines.append("Sharing answers costs these values little now: with answers of their own "
                     f"{percent(_error(report, OWN))} "
                     "would be wrong at first.")
    return lines


def _error(report: ValueReport, name: str) -> float:
    """Predicted mean error at the first step, with the pairs that there are."""
    found = report.plan.options[name]
    return float(found.error[found.at(report.plan.Q), -1])


def _best(report: ValueReport) -> str | None:
    """The layout that is predicted to do better than the present one by at least a point, if there is one."""
    name = min(report.plan.options, key=lambda one: _error(report, one))
    return name if _error(report, name) < _error(report, AS_THEY_ARE) - WORTH else None


def _in_words(name: str) -> str:
    words = {OWN: "two answers of its own for each value", "own answers for one": "answers of its own for one value"}
    return words.get(name, clean(name))


def _needs(report: ValueReport) -> str:
    plan, K = report.plan, len(report.names)
    now, own = plan.now, plan.options.get(OWN)
    order = np.argsort(-now.error[now.at(plan.Q), :K])
    last, top = float(now.Q[-2]), 0.5

    def curve(i: int) -> str:
        W, H, L, R, T, B = 290, 190, 34, 274, 12, 158

        def px(Q: float) -> float:
            return L + (R - 22 - L) * np.log(Q / now.Q[0]) / np.log(last / now.Q[0]) if np.isfinite(Q) else R

        def py(share: float) -> float:
            return B - (B - T) * min(share, top) / top

        def path(row: np.ndarray) -> str:
            return " ".join(f"{px(Q):.1f},{py(share):.1f}" for Q, share in zip(now.Q[:-1], row[:-1], strict=True))

        parts = [line(L, py(p), R, py(p), "axis" if not p else "hair") + text(L - 6, py(p) + 4, f"{100 * p:.0f}", "s e")
                 for p in (0, 0.1, 0.2, 0.3, 0.4, 0.5)]
        parts += [text(px(Q), B + 18, said, "s m") for Q, said in ((4, 4), (32, 32), (256, 256), (np.inf, "∞"))]
        back = " ".join(reversed(path(now.run_high[:, i]).split()))
        parts += [line(px(plan.Q), T, px(plan.Q), B, "axis"),
                  f'<polygon points="{path(now.run_low[:, i])} {back}" class="band"/>']
        if own:
            parts += [f'<polyline points="{path(own.error[:, i])}" class="blue dashed"/>',
                      dot(px(np.inf), py(own.floor[i]), "blue-o", 4)]
        parts += [f'<polyline points="{path(now.error[:, i])}" class="blue"/>',
                  dot(px(np.inf), py(now.floor[i]), "blue-f")]
        for name, marks in ((AS_THEY_ARE, "red-f"), (OWN, "red-o")):
            if name in report.checked:
                one = report.checked[name]
                parts.append(dot(px(one.Q), py(one.late[i]), marks, 4))
        return svg(W, H, f"{report.names[i]}: predicted errors against pairs a side", *parts)

    figures = "".join(
        f"<figure><figcaption><b>{_name(report, i)}</b>{percent(now.error[now.at(plan.Q), i])} now. For "
        f"{percent(plan.target)}: {_needed(now, i, plan.target)}{_other(report, i)}</figcaption>{curve(i)}</figure>"
        for i in order)
    key = ('<ul class="key"><li><svg width="26" height="12" aria-hidden="true"><line x1="0" y1="6" x2="26" y2="6" '
           'class="blue"/></svg>predicted, first step (pale: one training set, 95&nbsp;%)</li>')
    if own:
        key += ('<li><svg width="26" height="12" aria-hidden="true"><line x1="0" y1="6" x2="26" y2="6" class="blue '
                'dashed"/>'
                "</svg>with answers of its own</li>")
    key += ('<li><svg width="12" height="12" aria-hidden="true"><circle cx="6" cy="6" r="4.5" '
            'class="red-f"/></svg>found after '
            "long training (hollow: own answers)</li></ul>")
    return ("<p>Errors in per cent, against pairs a side. The upright line is where you are; the point at ∞ is what "
            "endless "
            "pairs would leave <b>at the first step</b>. Where the captions say that no number suffices, that is "
            "about this "
            f"stage: the red dots show how much lower long training comes.</p>{key}<div class=\"grid\">{figures}</div>")


def _needed(found: Forecast, i: int, target: float) -> str:
    need, least, most = (found.needed(target, curve)[i] for curve in ("error", "low", "high"))
    said = words_of_need(need)
    if not np.isfinite(need):
        return "no number suffices at first" + (f" (or from {words_of_need(least)})" if np.isfinite(least) else "")
    span = f"{words_of_need(least)} to {words_of_need(most) if np.isfinite(most) else 'none'}"
    return f"{said} pairs a side ({span})"


def _other(report: ValueReport, i: int) -> str:
    """Which layout helps where the present one does not reach the target."""
    plan = report.plan
    if np.isfinite(plan.now.needed(plan.target)[i]) or len(plan.options) == 1:
        return "."
    best = plan.way_out(i)
    if best is None:
        return "; with no other answers either."
    return f"; with {clean(best)} {words_of_need(plan.options[best].needed(plan.target)[i])}."


def _conflicts(report: ValueReport) -> str:
    plan, K = report.plan, len(report.names)
    if K == 1:
        return ""
    if not plan.pushes:
        return "<p>Not at all, at first: no two of these values share an answer, so no step on one moves another.</p>"
    share = {(one.on, one.by): one for one in plan.pushes}
    words = [f"<li><b>{clean(one.by, 40)} hinders {clean(one.on, 40)}</b>: a step on the first undoes "
             f"{percent(-one.share)} "
             f"({between(max(-one.high, 0), -one.low)}) of what a step on the second’s own statements does.</li>"
             for one in plan.conflicts]
    helps = sorted((one for one in plan.pushes if one.named and one.share > 0), key=lambda one: -one.share)
    words += [f"<li>{clean(one.by, 40)} helps {clean(one.on, 40)} (+{percent(one.share)}).</li>" for one in helps[:3]]
    if not words:
        words = [f"<li>None beyond chance, with all {len(plan.pushes)} counted.</li>"]

    def cell(i: int, k: int) -> str:
        if i == k:
            return "<td class=faint>own"
        one = share.get((report.names[i], report.names[k]))
        if one is None:
            return "<td class=faint>–"
        half = 12 * min(abs(one.share), 1) ** 0.5
        box = (f'<svg width="26" height="26" viewBox="0 0 26 26" aria-hidden="true"><rect x="{13 - half:.1f}" '
               f'y="{13 - half:.1f}" width="{2 * half:.1f}" height="{2 * half:.1f}" '
               f'class="gold-{"f" if one.share > 0 else "o"}"/></svg>')
        return f"<td{'' if one.named else ' class=faint'}>{box}<small>{100 * one.share:+.0f}</small>"

    rows = "".join(f"<tr><th scope=row>{i + 1} {_name(report, i)}</th>" + "".join(cell(i, k) for k in range(K))
                   for i in range(K))
    head = "<tr><td></td>" + "".join(f"<th scope=col>{k + 1}</th>" for k in range(K))
    return (
        "<p>One step on the value of the column moves the value of the row by so many per cent of what its own step "
        "does, "
        "with the answers that the file has. Full: helps. Hollow: hinders. Pale: could be either. It acts only where "
        f'answers are shared.</p><ul class="words">{"".join(words)}</ul><div class="scroll" tabindex="0" role="region" '
        f'aria-label="Table of pushes between values"><table class="square">{head}{rows}</table></div>'
    )


def _sides(report: ValueReport) -> str:
    plan, K = report.plan, len(report.names)
    now, at = plan.now, plan.now.at(plan.Q)
    sides = now.sides[at]
    gap = np.abs(sides[:, 0] - sides[:, 1])
    order = np.argsort(-gap)

    def dumbbells(W: int) -> str:
        wide = W > 500
        L, R, step = (230, W - 30, 34) if wide else (12, W - 20, 52)
        parts, H = [], 20 + step * K + 30
        for n, i in enumerate(order):
            y = 24 + n * step + (0 if wide else 14)
            parts += [text(L - 16, y + 5, report.names[i].replace("-", " ")[:28], "e") if wide
                      else text(L, y - 12, report.names[i].replace("-", " ")[:34]),
                      line(L, y, R, y, "hair"),
                      line(L + (R - L) * sides[i, 0], y, L + (R - L) * sides[i, 1], y, "blue thin"),
                      dot(L + (R - L) * sides[i, 0], y, "blue-f"), dot(L + (R - L) * sides[i, 1], y, "blue-o")]
        parts += [text(L + (R - L) * p, H - 6, f"{100 * p:.0f} %", "s m") for p in (0, 0.5, 1)]
        parts.append(line(L + (R - L) / 2, 10, L + (R - L) / 2, H - 24, "axis"))
        return svg(W, H, "Predicted errors of the two sides of each value", *parts)

    far = [i for i in order if gap[i] > GAP]
    words = "No value is learned on one side alone." if not far else (
        f"In <b>{listed([_name(report, i) for i in far[:4]])}</b> the first step learns one side at the cost of the "
        "other: "
        + listed([f"{percent(sides[i].min())} against {percent(sides[i].max())} wrong" for i in far[:4]]) + ".")
    odd = report.unbalanced
    push = report.common**2 / max(2 * plan.pilot, 1)
    warn = (f"<b>Your sides are not equally many</b>, in {listed([_name(report, i) for i in odd[:4]])}"
            f"{f' and {len(odd) - 4} more' if len(odd) > 4 else ''}. All numbers here are for equally many. " if odd
            else "<b>Keep both sides equally many.</b> Yours are. ")
    return (
        f"<p>Predicted errors of the aligned side (full) and the other (hollow). {words}</p>{both(dumbbells)}"
        f'<p class="warn">{warn}What all your prompts have in common is about {report.common:.0f} times as long as '
        'half the '
        "distance between the two sides of a value. It cancels only while both sides have equally many pairs: unless "
        f"prompts are centred, one pair too many pushes everything towards one answer about {push:.2g} times as "
        "hard as a "
        "value itself does at the first step. Later steps repair it more or less soon.</p>"
    )


def _odd(report: ValueReport) -> str:
    if not report.odd:
        return "<p>None: no statement pushes hard against the rest of its value.</p>"
    items = "".join(
        f"<li><q>{clean(report.prompts[j].split(chr(10), 1)[-1].strip(chr(34)), 300)}</q><small>pair "
        f"{int(report.looked_at[j]) + 1}, {_name(report, int(report.value[j]))}, marked "
        f"<b>{clean(report.chosen[j].strip(), 60)}</b></small></li>" for j in report.odd)
    return ("<p>Even with answers of its own, the rest of its value pushes each of these the wrong way, hardest "
            "first. They "
            f'are odd, hard, or marked wrongly.</p><ol class="texts">{items}</ol>')


def _to_do(report: ValueReport) -> str:
    plan, K = report.plan, len(report.names)
    steps = []
    if report.unbalanced:
        steps.append("<b>Make the two sides equally many</b>, value by value.")
    best = _best(report)
    if best is not None:
        words = f"<b>Change the answers: {_in_words(best)}</b>, from {percent(_error(report, AS_THEY_ARE))} to " \
            f"{percent(_error(report, best))} at first, with no new pair. {_groups(report, best)}"
        if OWN in report.checked:
            words += (f" After long training {percent(report.checked[AS_THEY_ARE].late[K])} were wrong as they are, "
                      f"{percent(report.checked[OWN].late[K])} with own answers for all.")
        steps.append(words)
    elif len(plan.options) > 1:
        steps.append("<b>Leave the answers as they are</b>: no other layout that was tried is predicted to do "
                     "better by a "
                     "point or more with so many pairs.")
    far = [i for i in range(K) if plan.now.needed(plan.target)[i] > plan.Q]
    reach = [i for i in far if np.isfinite(plan.now.needed(plan.target)[i])]
    if reach:
        steps.append("<b>Collect more pairs</b> for " + listed([
            f"{_name(report, i)} (to about {words_of_need(plan.now.needed(plan.target)[i])} a side)"
            for i in reach[:6]]) + ".")
    if far and not reach:
        steps.append(f"<b>Do not count on more pairs alone</b> for {percent(plan.target)}: at the first step no number "
                     "suffices. Other answers, and longer training, do more.")
    if report.odd:
        steps.append(f"<b>Read the {several(len(report.odd), 'statement')} above</b>, and exchange the answers "
                     "where they "
                     "are marked wrongly.")
    if not report.unbalanced:
        steps.append("<b>Keep the two sides equally many</b> when you add pairs.")
    steps.append("<b>Keep statements back when you train</b>, and compare.")
    return f'<ol class="do">{"".join(f"<li>{one}</li>" for one in steps)}</ol>'


def _groups(report: ValueReport, name: str) -> str:
    """Which values get which answers."""
    groups: dict[object, list[int]] = {}
    for i, pair in enumerate(report.plan.options[name].layout.pairs):
        groups.setdefault(pair, []).append(i)
    parts = [listed([_name(report, i) for i in group]) for group in sorted(groups.values(), key=len)]
    if name == "own answers for one":
        return f"Take <b>{parts[0]}</b>."
    return f"Give one pair to {parts[0]}, the other to {parts[1]}." if name == "two pairs of answers" else ""


def _check(report: ValueReport) -> str:
    K, rows = len(report.names), ""
    for name, one in report.checked.items():
        rows += ("<tr><th "
                 f"scope=row>{clean(name)}</th><td>{percent(one.predicted[K])}</td><td>{percent(one.first[K])}</td>"
                 f"<td>{percent(one.late[K])}<small>{between(one.late_low[K], one.late_high[K])}</small></td>"
                 f"<td>{percent(one.half[K])}</td>")
    one = report.checked[AS_THEY_ARE]
    off = float(np.mean(np.abs(one.predicted[:K] - one.first[:K])))
    return (
        f"<p>Four times a quarter of the statements was kept back, and the rest ({one.Q:.0f} a side) used: once to "
        "predict, "
        f"once to take the first step, once to train the last layer for {one.steps} steps of Adam. Of a single "
        "value the "
        f"prediction of the first step was off by {100 * off:.0f} points on average.</p>"
        '<div class="scroll" tabindex="0" role="region" aria-label="Table of predicted and found '
        'errors"><table><tr><th '
        "scope=col>answers</th><th scope=col>predicted, first step</th><th scope=col>found, first step</th><th "
        "scope=col>"
        f"found, long training</th><th scope=col>the same on half the pairs</th>{rows}</table></div>"
    )


def _what(report: ValueReport) -> str:
    plan = report.plan
    chosen = (" Which value gets answers of its own, and which values share, was chosen on these statements: its "
              "number is a "
              "little too good." if len(plan.options) > 2 else "")
    return (
        f"<p><b>For which training.</b> Everything in blue is a prediction for {plan.stage}, by a formula (law N5, "
        "chapter 12) "
        "from products of your statements; nothing is fitted. A floor, and a number of pairs that does not exist, "
        "are floors of "
        "that step. What is red was found on your statements, with the last layer trained long; full fine-tuning "
        "moves the "
        "prompts themselves and is not on this page.</p>"
        f"<p><b>Intervals.</b> 95&nbsp;%, from {plan.halves} random halves of your statements (without repetition: "
        "a statement "
        "drawn twice would agree with itself) and, for the pale bands, from the draw of one training set of that size "
        f"besides. Between values, what is named is beyond chance with all pushes counted (Bonferroni).{chosen} Other "
        f"statements of the same kind are what they speak of, and one model: {clean(report.model)}. This page took "
        f"{report.seconds:.0f} seconds.</p>"
    )
