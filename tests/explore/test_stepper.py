"""The stepper through a proof: sides, slack and the largest loss, in JavaScript as in Python."""

import itertools
import math
import re

import numpy as np
import pytest
from explorers import BETAS, QS, STEPS, sides
from explorers import stepper as panel
from scripts import drawings, numbers

from helpers.explore.stepper import ProofStep, fails, proof_numbers, slack


def expected(step, pair):
    """The caption's numbers at the places of the sliders, by plain loops."""
    left, right = sides()[pair][:, 0], sides()[pair][:, 1]
    gaps = []
    for i, one in enumerate(STEPS):
        both_zero = left[i] == right[i]
        with np.errstate(divide="ignore"):
            gap = right[i] - left[i] if one.unit == "log10" else 1.0 if both_zero else np.divide(right[i], left[i])
        gaps.append(float(gap))
    found = {}
    if not math.isnan(gaps[step]):
        found = {"left": left[step], "right": right[step], "slack": gaps[step]}
    for name, unit in (("largest", "ratio"), ("largest.powers", "log10")):
        known = [gap for gap, one in zip(gaps, STEPS, strict=True) if one.unit == unit and math.isfinite(gap)]
        if len(known) > 1:
            found[name] = max(known)
    failed = sum(gap < (0 if one.unit == "log10" else 1) for gap, one in zip(gaps, STEPS, strict=True))
    return found | ({"violated": failed} if failed else {})


def test_the_caption_says_what_the_sides_give_at_every_place_of_the_sliders():
    figure = panel().figure
    places = list(itertools.product(range(5), range(2), range(3)))
    drawn = drawings(figure, "drawProof", places)
    for place, picture in zip(places, drawn, strict=True):
        labels = {name: words[i] for (name, words), i in zip(figure.setting["sliders"], place, strict=True)}
        said, python = numbers(picture["caption"]), proof_numbers(figure.setting, figure.data, labels)
        assert python == expected(place[0], place[1:])      # double precision on both sides, one division
        assert said == python
        assert f"Step {STEPS[place[0]].number}, " in picture["caption"]
        assert f"Q = <b>{labels['Q']}</b>, layout = <b>{labels['layout']}</b>" in picture["caption"]
        read = picture["svg"] + re.sub('data-value="[^"]*"', "", picture["caption"])
        assert not re.search("NaN|undefined|Infinity", read)
    assert len({picture["svg"] for picture in drawn}) == len(drawn)
    assert any("does not apply" in picture["caption"] for picture in drawn)


def bars(picture):
    """Kind and length of the bars of a drawing, in order."""
    found = re.findall(r'class="rm-bar (rm-\w+)[^"]*"[^>]*? d="M([\d.]+) [\d.]+H([\d.]+)', picture["svg"])
    return [(kind, float(end) - float(start)) for kind, start, end in found]


def test_a_bar_is_as_long_as_the_logarithm_of_its_slack():
    (first, second, *powers) = bars(drawings(panel().figure, "drawProof", [(0, 1, 2)])[0])
    assert first[0] == second[0] == "rm-ratio"
    # Lengths are written to a tenth of a pixel, of about 200.
    assert second[1] / first[1] == pytest.approx(math.log(2.5) / math.log(4), abs=2e-3)
    assert [kind for kind, _ in powers] == ["rm-powers", "rm-failed"]
    tail, union = (length for _, length in bars(drawings(panel().figure, "drawProof", [(0, 1, 1)])[0])[-2:])
    assert tail > 150 and union == 1.5      # 2.5 powers of ten beside 4380: the shortest bar that can be seen


def test_a_step_that_fails_is_told_by_words_and_stripes():
    fine, failed = (drawings(panel().figure, "drawProof", [place])[0] for place in ((1, 1, 0), (1, 0, 0)))
    assert "✕" not in fine["svg"] + fine["key"] + fine["caption"] and "url(#" not in fine["svg"]
    assert ">✕ fails by 1.25<" in failed["svg"] and 'rm-failed" fill="url(#rm-stripes)"' in failed["svg"]
    assert "✕ the step fails: its left side is larger by a factor" in failed["caption"]
    assert "✕ a step that fails" in failed["key"] and "step 2 ✕ fails by 1.25" in failed["label"]
    words = re.sub("<[^>]*>", "", drawings(panel().figure, "drawProof", [(4, 1, 2)])[0]["caption"])
    assert "larger by 2 powers of ten. Among" in words and "Steps that fail here: 1 (4)." in words


def test_the_caption_reads_well():
    where = [(0, 1, 1), (2, 1, 1), (3, 1, 1), (0, 1, 0), (3, 0, 2)]
    words = [re.sub("<[^>]*>", "", picture["caption"]) for picture in drawings(panel().figure, "drawProof", where)]
    assert words[0] == (
        "Step 1, one pair. Every deviation is small. With Q = 1,000, layout = chain: largest deviation = 0.2, "
        "tolerance = 0.7; a factor 3.5 is given away. Among the factors, step 1 (one pair) gives most away: 3.5. "
        "Among the powers of ten, step 3 (tail) does: 4,380."
    )
    assert "left side = 0.3, right side = 0.3; nothing is given away." in words[1]
    assert "chance = 5.6 × 10⁻⁴⁵⁰¹, bound = 3.2 × 10⁻¹²¹; 4,380 powers of ten are given away." in words[2]
    assert "largest deviation = 0, tolerance = 0.7; a factor ∞ is given away." in words[3]
    assert "chance = 0, bound = 3.2 × 10⁻¹²¹; ∞ powers of ten are given away." in words[4]


@pytest.mark.parametrize("width", [320, 640, 900])
def test_the_current_row_shows_its_sides_and_every_text_lies_inside(width):
    long = [ProofStep(i + 5, "a name of many words that no phone has room for", "It holds.") for i in range(3)]
    figure = panel(steps=[*STEPS[:2], *long], values=np.abs(sides())).figure
    for picture in drawings(figure, "drawProof", [(i, 1, 2) for i in range(5)], width=width):
        assert re.search("≤|&gt;", picture["svg"]) and picture["svg"].count("rm-current-edge") == 1
        for x, y in re.findall(r'<text[^>]* x="([\d.]+)" y="([\d.]+)"', picture["svg"]):
            assert 0 <= float(x) <= width and 0 < float(y) <= picture["height"]
        assert len(picture["bottoms"]) == 5 and picture["bottoms"] == sorted(picture["bottoms"])


def test_sliders_begin_at_the_first_step_or_where_they_are_told():
    assert panel().figure.at() == [0, 1, 1]
    told = panel(at={"proof step": "2a", "Q": 8})
    assert told.figure.at() == [2, 0, 1]
    assert panel(at={"proof step": 3}).figure.at()[0] == 3
    assert [name for name, _ in told.figure.setting["sliders"]] == ["proof step", "Q", "layout"]
    assert told.figure.setting["controls"] == ["none", "segments", "segments"]


def test_slack_and_failure_of_one_step():
    assert slack(0.2, 0.7) == pytest.approx(3.5, rel=1e-15)
    assert slack(0.0, 0.0) == 1 and slack(-math.inf, -math.inf, log10=True) == 0
    assert slack(0.0, 1.0) == math.inf and math.isnan(slack(math.nan, 1.0))
    assert slack(-3.0, -5.0, log10=True) == -2
    third = 0.1 + 0.2
    assert third > 0.3 and not fails(third, 0.3) and fails(0.3001, 0.3)     # rounding is no failure
    assert fails(-3.0, -5.0, log10=True) and not fails(-4500.0, -4500.0 - 1e-9, log10=True)
    assert not fails(math.nan, 1.0) and not fails(-math.inf, -5.0, log10=True) and fails(1.0, 0.0)
    assert fails(0.0, -math.inf, log10=True) and fails(math.inf, 1.0)


@pytest.mark.parametrize(("changes", "sentence"), [
    ({"steps": STEPS[:4]}, r"values must have shape \(knobs ..., steps, sides\) = \(2, 3, 4, 2\), got \(2, 3, 5, 2\)"),
    ({"steps": [STEPS[0], *STEPS[:4]]}, "proof step must have two or more options with labels that differ"),
    ({"steps": [*STEPS[:4], ProofStep(9, "a", "b", unit="log2")]}, "unit of step 9 must be a known name, got 'log2'"),
    ({"values": sides() - 1}, "the sides of a ratio must be at least 0, got -1"),
    ({"knobs": {"Q": QS, "proof step": BETAS}}, "a knob must not be called 'proof step'"),
    ({"at": {"proof step": 7}}, "at proof step must be one of .*, got '7'"),
    ({"at": {"beta": 1}}, r"at must name only proof step, Q, layout, got \['beta'\]"),
])
def test_bad_arguments(changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        panel(**changes)


def test_a_figure_too_heavy_for_a_page_is_refused():
    with pytest.raises(ValueError, match="at most 200,000 bytes of numbers, got 240,000"):
        panel(knobs={"Q": range(50), "layout": range(60)}, values=np.ones((50, 60, 5, 2)))
