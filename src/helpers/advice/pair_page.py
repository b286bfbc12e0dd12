"""The page on pairs with answers of any length: verdict, pictures, pairs to read, what to do, what the numbers are."""

from .page import between, both, clean, dot, line, listed, page, percent, several, svg, text, word
from .pair_report import PairReport

SHOWN = 12  # pairs of a kind that are printed


def pair_page(report: PairReport, *, title: str | None = None) -> str:
    """The report as one HTML page."""
    judged, N = report.judged, len(report)
    right = int(judged.right.sum())
    hard, weak = judged.hard, judged.weak
    numbers = [
        (percent(right / N), f"of the pairs move the right way at first ({between(judged.low, judged.high)} for "
                             f"others of this kind; labels by a coin: {percent(judged.chance)})", "predicted"),
        (str(len(hard)), f"to read first: they push hard against the rest; {len(weak)} are undecided", "predicted"),
        (percent(judged.would_be_found), "chance that a pair of this file would be among those to read if its two "
                                         "answers had been exchanged by mistake", "predicted"),
    ]
    return page(
        title=title or f"{N} pairs of answers", about=f"{N} pairs, {report.model}. Nothing has been trained.",
        verdict=_verdict(report), numbers=numbers,
        sections=[
            ("Which pairs will training move the right way?", _which(report)),
            ("Pairs to read", _to_read(report)),
            ("Which pairs fight each other?", _fights(report)),
            ("Which values fight each other?", _values(report)),
            ("How much of it is length?", _length(report)),
            ("What to do", _to_do(report)),
            ("What these numbers are", _what(report)),
        ],
    )


def _numbers(pairs: list[int], most: int = SHOWN) -> str:
    shown = [str(j + 1) for j in pairs[:most]]
    return listed(shown) + (f" and {len(pairs) - most} more" if len(pairs) > most else "")


def _verdict(report: PairReport) -> list[str]:
    judged, N = report.judged, len(report)
    hard, (up, of_up), (down, of_down) = judged.hard, *(report.by_length()[k] for k in ("longer", "shorter"))
    lines = [f"Training should at first move <b>{int(judged.right.sum())} of these {N} pairs</b> the right way, each "
             f"judged by the other {N - 1}."]
    if judged.p > 0.05:
        lines.append(f"That is <b>not beyond chance</b>: with labels drawn by a coin as many or more do in "
                     f"{100 * judged.p:.0f} of 100 draws. Perhaps these pairs agree on little that a first step can "
                     "learn, perhaps there are too few to tell.")
    if hard:
        lines.append(f"<b>{several(len(hard), 'pair').capitalize()} push{'es' if len(hard) == 1 else ''} hard against "
                     f"the rest</b>: {_numbers(hard)}. Read {'it' if len(hard) == 1 else 'them'} first: "
                     "the two answers may be exchanged, or the pair may be the only one of its kind.")
    else:
        lines.append("No pair pushes hard against the rest.")
    if of_up and of_down and abs(up / of_up - down / of_down) > 0.25:
        lines.append(f"<b>Length matters</b>: where the chosen answer is the longer one {up} of {of_up} move the right "
                     f"way, where it is the shorter one {down} of {of_down}.")
    return lines


def _which(report: PairReport) -> str:
    judged, N = report.judged, len(report)
    order = judged.order if N <= 400 else judged.order[:: -(-N // 400)]
    top = max(2.0, float(abs(judged.force).max()))

    def stems(W: int) -> str:
        H, L, base, high = 250, 10, 125, 95
        step, r = (W - L - 8) / len(order), max(1.2, min(4.5 if W > 500 else 3.2, (W - 18) / len(order) / 2.2))
        parts = [line(L - 8, base, W, base, "axis"), text(0, 24, "moved the right way", "s"),
                 text(W, H - 8, "moved the wrong way", "s e")]
        parts += [line(L - 8, base + side * high / top, W, base + side * high / top, "hair dashed") for side in (1, -1)]
        for n, j in enumerate(order):
            x, y = L + (n + 0.5) * step, base - high * judged.force[j] / top
            parts += [line(x, base, x, y, "gold"), dot(x, y, "blue-f" if judged.force[j] > 0 else "blue-o", r)]
            if n < 9 and step > 17 and judged.force[j] <= 0:
                parts.append(text(x, y + 20, j + 1, "b m" if judged.force[j] <= -1 else "s m"))
        if step <= 17 and judged.hard:
            parts.append(text(L + len(judged.hard) * step + 8, H - 30, f"pairs {_plain(judged.hard[:6])}", "s"))
        return svg(W, H, f"Pushes on {N} pairs, sorted: {int(judged.right.sum())} the right way", *parts)

    found = percent(judged.would_be_found)
    return (
        "<p>One stem a pair, sorted: how hard the other pairs push it, before any training. Full dots: towards the "
        "chosen "
        "answer. Hollow: towards the rejected one. Numbers count the pairs of your file from one.</p>" + both(stems)
        + "<p>An exchange of the two answers turns a stem upside down. So if one pair of this file had been "
          "exchanged by "
        f"mistake, it would be among those to read (beyond the dashed line) with a chance of {found}, and would "
        f"not be noticed here otherwise. {_chance(judged)}</p>"
    )


def _plain(pairs: list[int]) -> str:
    return ", ".join(str(j + 1) for j in pairs)


def _chance(judged) -> str:
    if judged.p < 0.01:
        return "With labels by a coin so many pairs agree in fewer than 1 of 100 draws: yours agree on something."
    return f"With labels by a coin so many pairs agree in {100 * judged.p:.0f} of 100 draws."


def _card(report: PairReport, j: int, kind: str) -> str:
    by = int(report.longer[j])
    size = "Both answers are equally long." if not by else \
        f"The chosen one is {abs(by)} token{'s' * (abs(by) > 1)} {'longer' if by > 0 else 'shorter'}."
    against = report.judged.against(j)
    why = f" Pushed against most by {listed([str(k + 1) for k in against])}." if against else ""
    beyond = " Beyond chance, with all pairs counted." if j in report.judged.beyond_chance else ""
    name = f" · {clean(report.names[report.value[j]], 40)}" if len(report.names) > 1 else ""
    return (
        f'<article class="pair {kind}"><h3>{j + 1}. {clean(report.prompts[j], 300)}{name}</h3>'
        f'<p class="chosen">{clean(report.chosen[j], 500)}</p><p>{clean(report.rejected[j], 500)}</p>'
        f'<p class="why">{size}{why}{beyond}</p></article>'
    )


def _to_read(report: PairReport) -> str:
    hard, weak = report.judged.hard, report.judged.weak
    if not hard and not weak:
        return "<p>None: every pair is pushed the right way by the others.</p>"
    cards = "".join(_card(report, j, "") for j in hard[:SHOWN])
    cards += "".join(_card(report, j, "weak") for j in weak[: max(0, SHOWN - len(hard))])
    left = len(hard) + len(weak) - min(len(hard) + len(weak), SHOWN)
    more = f"<p>{left} more stand in the table of <code>report.frame()</code>.</p>" if left else ""
    return ("<p>Filled square: the answer that your file prefers. Hollow: the one that it rejects. Pairs under a thick "
            'line push hard against the rest, those under a thin one are undecided.</p><div '
            f'class="pairs">{cards}</div>'
            + more)


def _fights(report: PairReport) -> str:
    if report.judged.matrix is None:
        return ("<p>There are too many pairs to hold each against each; ask for a part of the file to see which fight."
                "</p>")
    found = report.judged.fights()
    if not found:
        return "<p>None: no two pairs undo more than a tenth of each other’s first step.</p>"
    words = "".join(
        f"<li><b>{j + 1} and {k + 1}</b>: a step on the one undoes {percent(b)} of what the other’s own step does, and "
        f"{percent(a)} the other way. <small>{clean(report.prompts[j], 80)} / "
        f"{clean(report.prompts[k], 80)}</small></li>"
        for j, k, a, b in found)
    return ('<p>The hardest first. These are exact at the first step, no estimates. If the two pairs contradict '
            'each other, '
            'drop one; if both are right, keep both, and add more like the one that you miss later.</p><ul '
            'class="words">'
            f"{words}</ul>")


def _values(report: PairReport) -> str:
    if not report.values:
        return ""
    helps = sorted((one for one in report.values if one.named and one.share > 0), key=lambda one: -one.share)[:5]
    words = [f"<li><b>{clean(one.by, 40)} hinders {clean(one.on, 40)}</b>: a step on the first undoes "
             f"{percent(-one.share)} ({between(max(-one.high, 0), -one.low)}) of what a pair of the second learns "
             "from its "
             "own kind.</li>" for one in report.conflicts]
    words += [f"<li>{clean(one.by, 40)} helps {clean(one.on, 40)} (+{percent(one.share)}).</li>" for one in helps]
    if not words:
        return "<p>None beyond chance, with all pairs of values counted.</p>"
    return (f'<ul class="words">{"".join(words)}</ul><p>Named is what is beyond chance with all '
            f"{len(report.values)} pushes counted.</p>")


def _length(report: PairReport) -> str:
    judged, longer, wide = report.judged, report.longer, max(1.0, abs(report.longer).max() * 1.1)
    top = max(2.0, float(abs(judged.force).max()))
    (up, of_up), (down, of_down) = report.by_length()["longer"], report.by_length()["shorter"]
    some = judged.order if len(judged.order) <= 600 else judged.order[:: -(-len(judged.order) // 600)]

    def scatter(W: int) -> str:
        H, L = 280, 10
        parts = [line(L, H / 2, W - L, H / 2, "axis"), line(W / 2, 26, W / 2, H - 22, "hair"),
                 text(W - L, 16, f"{'chosen is ' * (W > 500)}longer: {up} of {of_up} right", "e b"),
                 text(L, 16, f"{'chosen is ' * (W > 500)}shorter: {down} of {of_down} right", "b"),
                 text(L, H - 4, f"{int(wide / 1.1)} tokens shorter", "s"), text(W - L, H - 4, "longer", "s e")]
        parts += [dot(W / 2 + (W / 2 - L) * longer[j] / wide, H / 2 - (H / 2 - 34) * judged.force[j] / top,
                      "blue-f" if judged.force[j] > 0 else "blue-o", 4.5) for j in some]
        return svg(W, H, "Push on each pair against how much longer its chosen answer is", *parts)

    share = report.goes_with_length**2
    return ("<p>Each pair once more: to the right the chosen answer is longer, upwards it moves the right way. If "
            "all dots "
            "lay on a rising or a falling line, training would teach a length, and little else. Here "
            f"{percent(share)} of the differences go with length.</p>" + both(scatter))


def _to_do(report: PairReport) -> str:
    judged, N, steps = report.judged, len(report), []
    if judged.hard:
        words = f"<b>Read {'pair' if len(judged.hard) == 1 else 'pairs'} {_numbers(judged.hard)}.</b> Exchange the " \
            "answers where the better one stands at the hollow square; leave what is right as it is."
        if judged.matrix is not None:
            after = judged.turned(judged.hard)
            rest = [j for j in range(N) if j not in judged.hard]
            words += (f" If all of them had to be exchanged, {int(after.right.sum())} of {N} would move the right "
                      "way, and "
                      f"of the other {len(rest)} pairs {int(after.right[rest].sum())} instead of "
                      f"{int(judged.right[rest].sum())}.")
        steps.append(words)
    (up, of_up), (down, of_down) = (report.by_length()[k] for k in ("longer", "shorter"))
    if of_up + of_down and min(of_up, of_down) < (of_up + of_down) / 4:
        few = "longer" if of_up < of_down else "shorter"
        steps.append(f"<b>Add pairs whose better answer is the {few} one.</b> You have {min(of_up, of_down)} of "
                     f"{of_up + of_down}; training may otherwise learn length instead of what you mean.")
    for one in report.conflicts[:3]:
        steps.append(f"<b>Keep an eye on {clean(one.on, 40)}.</b> {clean(one.by, 40)} works against it: give it "
                     "more pairs, "
                     "or train the two apart.")
    if judged.weak:
        steps.append(f"<b>Leave the {several(len(judged.weak), 'undecided one')}</b> if you agree with "
                     f"{'it' if len(judged.weak) == 1 else 'them'}: they are what the other pairs do not teach yet. "
                     "More of "
                     "their kind would.")
    steps.append("<b>Keep some pairs back when you train</b>, and look where their margins go: this page is about the "
                 "beginning of training, not its end.")
    return f'<ol class="do">{"".join(f"<li>{one}</li>" for one in steps)}</ol>'


def _what(report: PairReport) -> str:
    N, exact = len(report), report.judged.matrix is not None
    unit = "" if exact else " (known to about a fifth, from twelve drawings of labels)"
    return (
        "<p><b>For which training.</b> What one first small step of DPO on the last layer, on the other "
        f"{N - 1} pairs, does to each pair; computed from the model as it is, in {report.seconds:.0f} seconds. That "
        "is exact "
        "for that step. It is no promise for a long training of all weights: on the 40 example pairs and the "
        "dialogues on "
        "which the book tried it, full fine-tuning went with it in most pairs, not in all (chapter 20 has the "
        "numbers).</p>"
        "<p><b>How hard.</b> A stem has length 1 where the push is as large as pushes of these sizes with random "
        "signs would "
        f"give{unit}; beyond it is called hard. Beyond chance with all {N} pairs counted (Bonferroni) "
        f"{'is' if len(report.judged.beyond_chance) == 1 else 'are'} {word(len(report.judged.beyond_chance))}. That "
        "a pair "
        "pushes against the rest does not make it wrong, and a wrong pair that pushes with the rest is not found.</p>"
        "<p><b>The interval</b> of the share is from leaving out groups of pairs in turn, and never narrower than a "
        "count of "
        f"so many would give. {'' if exact else 'Here it is that of the count alone. '}Other pairs of the same kind "
        "are what "
        "it speaks of.</p>"
    )
