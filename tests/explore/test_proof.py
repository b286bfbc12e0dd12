"""A proof that is driven: its numbers are Python's, its brackets follow, and its words fit what is drawn."""

import itertools
import re

import numpy as np
import pytest
from scipy.special import expit
from scripts import value

from helpers.bounds import (
    conditions,
    failure_probability,
    largest_epsilon,
    noise_parts,
    rate_tolerance,
    refined_exponent,
    risk_bound,
    sharing_term,
    slack,
)
from helpers.dynamics import first_rates, gradient_flow, noise_free_margin, pull
from helpers.explore.proof import LAYOUTS, ProofFigure, proof_explorer
from helpers.layouts import TokenLayout, chain, disjoint, shared, star
from helpers.mixture import Sample, ValueMixture
from helpers.risk import log_exact_risk

pytestmark = pytest.mark.slow  # `make check` has no time for it

K, D, MOST, NEW = 4, 150, 50, 5
HORIZON = 0.4 * np.log(3)
TOKENS = {"own": disjoint(4), "chain": chain(4), "star": star(4), "shared": shared(4)}
SETTINGS = [
    {"v": 0.004, "l_b": 0.35, "Q": 50, "layout": "chain", "seed": 11},
    {"v": 0.04, "l_b": 0.35, "Q": 50, "layout": "chain", "seed": 11},
    {"v": 0.002, "l_b": 0.7, "Q": 50, "layout": "star", "seed": 3},
    {"v": 0.5, "l_b": 0.35, "Q": 2, "layout": "chain", "seed": 11},
    {"v": 0.2, "l_b": 0.0, "Q": 12, "layout": "own", "seed": 5},
    {"v": 0.01, "l_b": 0.25, "Q": 30, "layout": "shared", "seed": 7},
]
# The simulation and the argument of each setting, arrays as lists.
NUMBERS = """settings.map((setting) => {
    const { rho, speeds, averages, strangers, reaches, value, id, ...run } = proofModel.simulate(setting);
    const lists = (rows) => rows.map((row) => [...row]);
    return { ...run, rho: [...rho], speeds: lists(speeds), averages: lists(averages), strangers: lists(strangers),
        reaches: reaches(), arg: proofModel.argue(proofModel.simulate(setting), setting),
        hypotheses: proofModel.hypotheses(setting) };
})"""


def uniforms(count, seed):
    """The generator mulberry32, written again."""
    steps = (np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x6D2B79F5) + np.uint64(seed)) & np.uint64(0xFFFFFFFF)
    word, mask = steps, np.uint64(0xFFFFFFFF)
    word = ((word ^ (word >> np.uint64(15))) * (word | np.uint64(1))) & mask
    word ^= (word + ((word ^ (word >> np.uint64(7))) * (word | np.uint64(61)) & mask)) & mask
    return (word ^ (word >> np.uint64(14))).astype(float) / 2**32


def normals(count, seed):
    first, second = uniforms(count, seed).reshape(-1, 2).T
    radius, angle = np.sqrt(-2 * np.log(1 - first)), 2 * np.pi * second
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).ravel()


class World:
    """The same data set in Python, from the same random numbers."""

    def __init__(self, v, l_b, Q, layout, seed):
        self.layout, self.Q, self.v, self.l_b = TOKENS[layout], Q, v, l_b
        self.mixture = ValueMixture(self.layout, d=D, v=v, l_b=l_b)
        value, side = np.repeat(np.arange(K), 2), np.tile([1, -1], K)
        means = side[:, None] * self.mixture.concepts[value] + self.mixture.shared
        zeta = normals(2 * K * MOST * D, seed).reshape(2 * K, MOST, D)[:, :Q]
        self.sample = Sample((means[:, None] + v * zeta).reshape(-1, D), np.repeat(value, Q), np.repeat(side, Q))
        fresh = normals(2 * K * NEW * D, seed + 7919).reshape(2 * K, NEW, D)
        self.new = Sample((means[:, None] + v * fresh).reshape(-1, D), np.repeat(value, NEW), np.repeat(side, NEW))
        self.unit = K / (2 * len(self.sample.value))
        self.flow = gradient_flow(self.sample, self.layout, HORIZON * np.arange(1, 7) / 6, test=self.new)

    def speeds(self, margins):
        return 2 * self.unit * pull(self.sample, self.layout, expit(-margins))


@pytest.fixture(scope="module")
def runs():
    return value(NUMBERS, str(ProofFigure._esm), settings=SETTINGS)


@pytest.fixture(scope="module")
def worlds():
    return [World(**setting) for setting in SETTINGS]


def pairs(runs, worlds):
    return [(run, world, run["arg"]) for run, world in zip(runs, worlds, strict=True)]


def test_the_layouts_are_the_books():
    held = value(
        "Object.entries(proofModel.LAYOUTS).map(([name, { pairs, Z }]) => [name, pairs, Z])", str(ProofFigure._esm)
    )
    assert [name for name, *_ in held] == list(LAYOUTS) == list(TOKENS)
    for name, tokens, Z in held:
        layout = TokenLayout(tuple(map(tuple, tokens)))
        assert np.array_equal(layout.gram, TOKENS[name].gram) and layout.Z == Z


# Sums of up to 60,000 products in another order: rounding is 1e-15 of their size, and this a thousand times that.
SUM = {"rel": 1e-12, "abs": 1e-12}


def test_rates_and_noise_are_those_of_the_theory(runs, worlds):
    for run, world, arg in pairs(runs, worlds):
        assert run["rho"] == pytest.approx(first_rates(world.sample, world.layout), **SUM)
        linear, bilinear = noise_parts(world.sample, world.mixture.means, D * world.v**2)
        value_of = world.sample.value
        G = np.abs(2 * world.layout.gram[np.ix_(value_of, value_of)])
        related = G != 0
        assert run["linear"] == pytest.approx(world.unit * (G * np.abs(linear)).sum(axis=1).max(), **SUM)
        both = G * (np.abs(linear) + np.abs(bilinear))
        assert run["both"] == pytest.approx(world.unit * both.sum(axis=1).max(), **SUM)
        assert run["sizes"] == pytest.approx((np.abs(linear) + np.abs(bilinear))[related].max(), **SUM)
        assert run["stray"] == pytest.approx(np.abs(linear + bilinear)[related].max(), **SUM)
        assert run["linearPart"] == pytest.approx(np.abs(linear)[related].max(), **SUM)
        assert run["bilinearPart"] == pytest.approx(np.abs(bilinear)[related].max(), **SUM)
        assert run["related"] == np.tril(related).sum()
        assert run["nu"] == pytest.approx(world.layout.nu.max(), **SUM)
        assert arg["centre"] == pytest.approx(1 + D * world.v**2 / (2 * world.Q), rel=1e-15)


def test_the_flow_is_that_of_the_theory(runs, worlds):
    for run, world, _ in pairs(runs, worlds):
        # 12 steps of Runge and Kutta; at Q = 2, v = 0.5 the fastest margin has a rate of 13, and an error of 2e-6.
        close = {"rel": 1e-5 if world.v == 0.5 else 1e-9}
        speeds = [world.speeds(margins) for margins in world.flow.margins]
        assert np.array(run["speeds"][1:]) == pytest.approx(np.array(speeds), **close)
        averages = world.flow.margins / (world.flow.S[:, None] / 2)
        assert np.array(run["averages"][1:]) == pytest.approx(averages, **close)
        pushes = expit(-gradient_flow(world.sample, world.layout, HORIZON * np.arange(1, 13) / 12).margins)
        assert run["pushed"] == pytest.approx([min(0.5, pushes.min()), max(0.5, pushes.max())], **close)
        start = 1e-7  # the first slope of new margins, by a difference
        first = gradient_flow(world.sample, world.layout, [start], test=world.new).test_margins[0] / (start / 2)
        assert run["strangers"][0] == pytest.approx(first, abs=1e-5)
        assert run["strangers"][1] == pytest.approx(
            world.flow.test_margins[-1] / (HORIZON / 2), rel=close["rel"], abs=close["rel"]
        )
        # The logarithm of a risk of 1e-9000 has the relative error of a squared margin.
        exact = log_exact_risk(world.flow.w[-1], world.mixture) / np.log(10)
        assert run["risk"] == pytest.approx(exact, rel=4 * close["rel"])


def test_without_noise_the_line_is_that_of_n1():
    clean = value("proofModel.CLEAN", str(ProofFigure._esm))
    S = HORIZON * np.arange(7) / 6
    r = noise_free_margin(S)
    assert [at["speed"] for at in clean] == pytest.approx(2 * expit(-r), rel=1e-14)
    assert [at["average"] for at in clean[1:]] == pytest.approx(r[1:] / (S[1:] / 2), rel=1e-14)
    assert clean[0] == {"speed": 1, "average": 1}


def test_tolerance_probability_and_bounds_are_those_of_the_theory(runs, worlds):
    for run, world, arg in pairs(runs, worlds):
        Z, Q, v, l_b = world.layout.Z, world.Q, world.v, world.l_b
        epsilon = largest_epsilon(v, Z)
        assert arg["tolerance"] == pytest.approx(epsilon * v, rel=1e-15)
        # In units of the speed at the start, where every push is 1/2 and the speed K Q / N of the theory's own is 1.
        assert arg["error"] == pytest.approx(
            2 * world.unit * rate_tolerance(Q, Z, np.full(3, 0.5), allowed=epsilon * v)
        )
        assert arg["event"] == (run["stray"] <= 2 * epsilon * v)
        known = {"Z": Z, "d": D, "v": v, "epsilon": epsilon}
        assert arg["failure"] == pytest.approx(failure_probability(K, Q, form="appendix", **known), rel=1e-12)
        exponent = refined_exponent(Q, l_b=l_b, **known)
        assert arg["b4"] == pytest.approx((np.log(2 * K * Q**2) - exponent) / np.log(10), rel=1e-12)
        assert 10 ** arg["b43"] == pytest.approx(risk_bound(K, Q), rel=1e-12)
        held = conditions(world.layout, Q=Q, d=D, v=v, l_b=l_b, theorem="4.3")
        assert [one["holds"] for one in run["hypotheses"]] == [condition.holds for condition in held]
        assert arg["failed"] == [one["key"] for one in run["hypotheses"] if not one["holds"]]


def test_the_brackets_are_those_of_the_proof_of_theorem_4_2(runs, worlds):
    """Steps 2 to 6 of the proof of B.3 in the theory's unit: pushes from 1/4 to 1/2, rates added up over clusters."""
    for run, world, arg in list(pairs(runs, worlds))[:5]:
        Q, Z, unit = world.Q, world.layout.Z, 2 * world.unit
        error = rate_tolerance(Q, Z, np.full(2, 0.5), allowed=largest_epsilon(world.v, Z) * world.v)
        sharing = 2 * Z * world.l_b**2 * Q / 4
        lowest, highest = 4 * Q / 4 - error, 4 * Q / 2 + D * world.v**2 + error
        lines = {line["no"]: (line["low"], line["high"]) for line in arg["lines"]}
        around = [run["linear"], run["both"], run["nu"] * run["sizes"], unit * error]
        for number, width in enumerate(around, 2):
            assert lines[number] == pytest.approx((arg["centre"] - width, arg["centre"] + width), rel=1e-12)
        assert lines[6] == pytest.approx((unit * lowest, unit * highest), rel=1e-12)
        assert lines[7] == pytest.approx((unit * (lowest - sharing), unit * (highest + sharing)), rel=1e-12)
        assert lines[8] == lines[9] == (1 / 8, 5) and lines[10] == (lines[7][0], "Infinity")
        if not arg["failed"]:
            assert 5 / 16 <= lines[7][0] and lines[7][1] <= 19 / 16 + D * world.v**2 / (2 * Q)


def test_the_lines_are_the_steps_of_the_slack_table(runs, worlds):
    """The figure's own numbers against steps 1 to 9 of `slack` on the same data."""
    for run, world, arg in list(pairs(runs, worlds))[:5]:  # two values with the same answers are outside of B.2
        steps = {
            one.number: one
            for one in slack(world.mixture, world.Q, np.random.default_rng(0), sample=world.sample, draws=1)
        }
        assert steps[1].left == pytest.approx(run["linearPart"], **SUM) and steps[1].right == pytest.approx(
            arg["tolerance"]
        )
        assert steps[2].left == pytest.approx(run["bilinearPart"], **SUM)
        assert steps[3].left == pytest.approx(run["stray"], **SUM) and steps[3].right == pytest.approx(
            2 * arg["tolerance"]
        )
        assert steps[4].right == pytest.approx(arg["failure"], rel=1e-12)
        close = 1e-5 if world.v == 0.5 else 1e-9
        # B.2 and the sharing term at the stopping time, in the theory's own unit.
        pushes = expit(-world.flow.margins[-1])
        assert steps[5].right == pytest.approx(arg["error"] / (2 * world.unit) * 2 * pushes.max(), rel=close)
        assert steps[6].sides["smallest push"][1] == pytest.approx(
            1 / (1 + np.exp(world.flow.margins[-1].max())), rel=close
        )
        assert run["pushed"][0] <= steps[6].sides["smallest push"][1] * (1 + close)
        sharing = np.abs(sharing_term(world.sample, world.layout, pushes, l_b=world.l_b)).max()
        allowed = (arg["lines"][5]["low"] - arg["lines"][6]["low"]) / (2 * world.unit)
        assert steps[7].left == pytest.approx(sharing) and (sharing <= allowed * (1 + 1e-12) or run["pushed"][0] < 0.25)
        least, most = np.min(run["averages"][1:]), np.max(run["averages"][1:])
        sides = steps[8].sides  # S/16 and 5S/2 are 1/8 and 5 of S/2
        assert 8 * least == pytest.approx(
            np.divide(*sides["4.2, lower"][::-1]), rel=0.02
        )  # on eight times, here on six
        assert 5 / most == pytest.approx(np.divide(*sides["4.2, upper"][::-1]), rel=0.02 if world.v < 0.5 else 0.3)
        # Straight between grid points, there 0.1 tau_1 apart and here a sixth; the fastest margins bend there.
        assert run["reaches"] == pytest.approx(steps[9].right / HORIZON, rel=1e-3 if world.v < 0.5 else 0.05)


GRID = [
    {"v": v, "l_b": l_b, "Q": Q, "layout": layout, "seed": seed}
    for v, l_b, Q, layout, seed in itertools.product(
        (0.002, 0.02, 0.1, 0.4), (0.0, 0.35, 0.9), (3, 20), LAYOUTS, (1, 2)
    )
]
BRACKETS = """settings.map((setting) => proofModel.argue(proofModel.simulate(setting), setting)
    .lines.map(({ no, outside, proved, low, high, fits }) => ({ no, outside, proved, low, high, fits })))"""


@pytest.mark.slow
def test_no_statement_leaves_a_bracket_that_is_marked_as_proved():
    lines = value(BRACKETS, str(ProofFigure._esm), settings=GRID)
    proved = [line for one in lines for line in one if 5 <= line["no"] <= 9 and line["proved"]]
    assert len(proved) > 100 and not any(line["outside"] for line in proved)
    assert any(line["outside"] for one in lines for line in one if line["no"] >= 5)  # and it can be broken
    for one in lines:  # each bracket holds the one before, as long as lines fit
        for before, line in itertools.pairwise(one[1:5]):
            if line["fits"] and line["no"] != 5:
                assert line["low"] <= before["low"] and line["high"] >= before["high"]
        assert one[5]["low"] < one[4]["low"] and one[6]["low"] <= one[5]["low"]


def test_the_default_draw_is_a_proof_in_ten_lines(runs):
    arg = runs[0]["arg"]
    assert arg["sound"] and all(line["fits"] and line["proved"] for line in arg["lines"])
    assert [line["no"] for line in arg["lines"] if line["outside"]] == [1]  # a bracket that is a single point
    assert [round(line["times"], 1) for line in arg["lines"] if line["times"] and line["times"] != "null"] == [
        1.2,
        1.0,
        3.3,
        1.7,
        3.7,
        1.2,
        6.0,
    ]
    wide, cloud = arg["lines"][8], arg["lines"][8]["seen"]
    assert (wide["high"] - wide["low"]) / (cloud[1] - cloud[0]) == pytest.approx(62, abs=1)


def test_the_words_name_the_chapters_theorems():
    parts = value("proofLines.LINES.map(({ part }) => part)", str(ProofFigure._esm))
    assert parts == ["Lemma B.1"] * 4 + ["B.2"] + ["Theorem 4.2 (B.3)"] * 4 + ["4.3 (B.4)"]


def test_every_sentence_is_finished():
    """Each line in each setting: no hole, no raw number, no unclosed mark."""
    said = value(
        """settings.flatMap((setting) => {
            const run = proofModel.simulate(setting), arg = proofModel.argue(run, setting);
            const words = proofLines.LINES.map((line, i) => [
                line.title, typeof line.words === "function" ? line.words(run) : line.words, line.formula, line.spoken,
                proofLines.result(i + 1, run, arg)]);
            return [...words, proofLines.verdict(run, arg, setting).flat()];
        })""",
        str(ProofFigure._esm),
        settings=SETTINGS + GRID[::9],
    )
    for words in itertools.chain.from_iterable(said):
        assert words and not re.search(r"NaN|undefined|null|\[object|function", words), words
        assert not re.search(r"\d\.\d{6}", words), words
        for tag in ("b", "i", "span", "sub", "sup"):
            assert words.count(f"<{tag}>") + words.count(f"<{tag} ") == words.count(f"</{tag}>"), words


def test_the_verdict_names_what_failed_and_the_line_that_used_it():
    verdicts = value(
        """settings.map((setting) => {
            const run = proofModel.simulate(setting);
            return proofLines.verdict(run, proofModel.argue(run, setting), setting)
                .map((item) => item[1].replace(/<[^>]*>/g, ""));
        })""",
        str(ProofFigure._esm),
        settings=SETTINGS,
    )
    assert verdicts[0] == [
        "All hypotheses hold, the event of Lemma B.1 holds on this draw, and every statement is inside every bracket."
    ]
    assert (
        verdicts[1][0] == "v ≤ 1/(32√Q) fails: v = 0.04 against 0.00442. Used in lines 5 and 8, tolerance and rounding."
    )
    assert verdicts[1][-1] == "It breaks: statements leave the bracket of lines 5 and 6."
    assert verdicts[2] == [
        "Z ≤ 1/(4lb²) fails: Z = 4 against 0.51. Used in line 7, sharing.",
        "lb ≤ 1/2 fails: lb = 0.7. Used in line 2, linear.",
        "No longer proved, still true here: no statement leaves a bracket.",
    ]
    assert (
        "no two values with the same two answers fails: all four answer Yes or No. "
        "Used in lines 5 and 7, tolerance and sharing."
        in verdicts[5]
    )


def test_a_guess_is_measured_against_the_bracket_before():
    answers = value(
        """[[0.03, true], [0.055, true], [0.1, true], [0.1, false]].map(([half, touched]) => {
            const arg = proofModel.argue(proofModel.simulate(setting), setting);
            return proofLines.answer(4, { low: arg.centre - half, high: arg.centre + half, touched }, arg);
        })""",
        str(ProofFigure._esm),
        setting=SETTINGS[0],
    )
    assert [re.sub(r".*: ", "", answer) for answer in answers] == ["too narrow.", "close.", "too wide.", ""]
    assert answers[1] == "You said ×\u20093.4: close."


def test_it_opens_where_it_is_told():
    figure = proof_explorer(line=6, v=0.01, Q=20, layout="star", seed=2)
    assert (figure.line, figure.shown, figure.v, figure.Q, figure.token_layout, figure.seed) == (
        6,
        5,
        0.01,
        20,
        "star",
        2,
    )
    assert [proof_explorer(line=line).shown for line in range(1, 11)] == [1, 1, 2, 3, 4, 5, 6, 7, 9, 10]
    assert proof_explorer(line=4, shown=8).shown == 8 and proof_explorer().guesses == {}


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"line": 11}, "line must lie between 1 and 10, got 11"),
        ({"line": 2.5}, "line must be a whole number of at least 1, got 2.5"),
        ({"shown": 0}, "shown must be a whole number of at least 1, got 0"),
        ({"v": 0}, "v must lie between 0.001 and 1, got 0"),
        ({"v": float("nan")}, "v must lie between 0.001 and 1, got nan"),
        ({"l_b": "a"}, "l_b must lie between 0 and 1, got 'a'"),
        ({"Q": 51}, "Q must lie between 2 and 50, got 51"),
        ({"Q": True}, "Q must be a whole number of at least 2, got True"),
        ({"layout": "stars"}, "layout must be a known name, got 'stars'; did you mean 'star'"),
        ({"seed": -1}, "seed must be a whole number of at least 0, got -1"),
        ({"title": None}, "title must be a text, got None"),
    ],
)
def test_bad_arguments(wrong, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        proof_explorer(**wrong)
