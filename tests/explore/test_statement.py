"""Click one statement: the figure's rule is the book's training, JavaScript's is Python's, a reader can do it all."""

import dataclasses
import itertools
import re
from base64 import b64decode
from contextlib import contextmanager
from xml.etree import ElementTree

import numpy as np
import pytest
from explorers import HELD, NAMES, PER_SIDE, free, learning, statements
from scipy.special import expit
from scripts import value

from helpers.explore.statement import (
    ANSWERS,
    EMBEDDINGS,
    STEPS,
    alike,
    chances,
    landing_explorer,
    said,
    short_statements,
    statement_explorer,
    statement_margins,
)
from helpers.layouts import TokenLayout
from helpers.training.last_layer import train_last_layer
from pages import overflow, shown, violations


@pytest.fixture(scope="module")
def figure():
    x, pairs = statements()
    return statement_explorer(x, pairs, held_out=HELD).figure


def layouts(K):
    return dict(zip(ANSWERS, (
        TokenLayout(tuple((2 * i, 2 * i + 1) for i in range(K))), TokenLayout(tuple((0, i + 1) for i in range(K))),
        TokenLayout(((0, 1),) * K)), strict=True))


def trained_on(x, pairs, setting, clicks, *, answers, embeddings):
    """Margins after the clicks by the book's own training: each click goes on from what the one before left."""
    @dataclasses.dataclass
    class Part:
        value: np.ndarray
        side: np.ndarray
        layout: TokenLayout
        names: tuple

    rows, held = np.array(setting["rows"]), np.array(setting["held"], dtype=bool)
    layout, mode = layouts(pairs.K)[answers], EMBEDDINGS.index(embeddings)
    x = x[rows]
    x = x - x[~held].mean(axis=0) if embeddings == "centred" else x
    part = lambda at: Part(pairs.value[rows][at], pairs.side[rows][at], layout, pairs.names)  # noqa: E731
    (click,) = set(clicks)
    at, steps = (np.flatnonzero(~held), STEPS[mode]) if click == -1 else (np.array([click]), len(clicks))
    run = train_last_layer(x[at], part(at), beta=setting["beta"], lr=setting["lr"][mode], steps=steps, every=steps,
                           test=(x, part(np.arange(len(x)))))
    return run.test_margins[-1]


SETTINGS = list(itertools.product(ANSWERS, EMBEDDINGS))


@pytest.mark.theorem("4.1")
@pytest.mark.parametrize(("answers", "embeddings"), SETTINGS)
def test_clicks_are_training(figure, answers, embeddings):
    (x, pairs), setting = statements(), figure.setting
    mode = EMBEDDINGS.index(embeddings)
    # A product is rounded to 16 bits (half a unit), lean and common to three digits; a push is at most
    # beta^2 lr times twice that. Its own slope makes later errors smaller, so they add up at most.
    rounding = setting["unit"] / 2 + (0.0015 if embeddings == "whole" else 0)
    allowed = setting["beta"] ** 2 * setting["lr"][mode] * 2 * rounding
    for click, times in ((setting["first"], 1), (setting["first"], 3), (-1, 1)):
        found = statement_margins(setting, figure.data, [click] * times, answers=answers, embeddings=embeddings)
        assert found.shape == (times + 1, len(pairs)) and not found[0].any()
        true = trained_on(x, pairs, setting, [click] * times, answers=answers, embeddings=embeddings)
        steps = STEPS[mode] if click == -1 else times
        np.testing.assert_allclose(found[-1], true, rtol=0, atol=steps * allowed)
        assert np.abs(true).max() > 100 * allowed       # what is compared is far from the rounding


@pytest.mark.theorem("4.1")
def test_two_clicks_add_up_and_a_push_is_a_product_of_two_factors(figure):
    (x, pairs), setting = statements(), figure.setting
    rows = np.array(setting["rows"])
    value, side, x = pairs.value[rows], pairs.side[rows], x[rows]
    a, b = free(figure, 0), free(figure, 2 * PER_SIDE)
    r = statement_margins(setting, figure.data, [a, b], answers="one shared", embeddings="whole")
    match = side * side[b] * np.where(value == value[b], 2, 1)
    push = setting["beta"] ** 2 * setting["lr"][0] * match * (x @ x[b]) / (1 + np.exp(r[1, b]))
    np.testing.assert_allclose(r[2] - r[1], push, rtol=1e-4)     # 16 bits of products of about 2,600
    assert r[2, a] > r[1, a]                                     # the same side of two values: helped


def test_the_two_sides_cancel_in_whole_embeddings():
    """N1 seen: what all prompts share pushes each side up and the other down, and the sum is what is left."""
    x, pairs = statements()
    setting = statement_explorer(x, pairs, held_out=HELD).figure.setting
    rows, held = np.array(setting["rows"]), np.array(setting["held"], dtype=bool)
    x, side = x[rows], pairs.side[rows]
    C = np.outer(side, side) * (x @ x.T)
    one, other = (C[:, ~held & (side == s)].sum(axis=1) for s in (1, -1))
    assert np.abs(one + other).max() < 0.05 * np.abs(one).min()


def test_javascript_replays_what_python_does(figure):
    data = list(figure.data)
    a, b, c = free(figure, 1), free(figure, 9), free(figure, 20)
    histories = [[], [a], [a, a, a], [b, c, a], [c, -1], [-1, b, c]]
    found = value(
        """histories.flatMap((clicks) => [0, 1, 2].flatMap((answers) => [0, 1].map((mode) => {
            const it = statementModel(setting, new DataView(Uint8Array.from(data).buffer));
            return it.replay(clicks, answers, mode).map((row) => [...row]);
        })))""",
        str(figure._esm), setting=figure.setting, data=data, histories=histories,
    )
    expected = [statement_margins(figure.setting, figure.data, clicks, answers=a, embeddings=e)
                for clicks in histories for a, e in SETTINGS]
    for js, python in zip(found, expected, strict=True):
        # Both in double precision; 2,000 steps add sums in another order.
        np.testing.assert_allclose(js, python, rtol=0, atol=1e-10)


def test_a_figure_holds_texts_answers_and_who_is_held_out():
    x, pairs = statements()
    figure = statement_explorer(x, pairs, held_out=HELD, first=3, answers="Yes / No", embeddings="centred").figure
    setting = figure.setting
    rows = setting["rows"]
    assert sorted(rows) == list(range(len(pairs)))
    assert setting["texts"] == [said(pairs.prompts[j]) for j in rows] and '"' not in "".join(setting["texts"])
    assert setting["answers"][0] == ["True", "False"] and setting["names"] == list(NAMES)
    for cluster in np.array(setting["held"]).reshape(-1, PER_SIDE):
        assert cluster.sum() == HELD                                    # the last two of each side as given
    assert {rows[j] for j in np.flatnonzero(setting["held"])} == {j for j in range(len(pairs)) if j % PER_SIDE >= 4}
    assert rows[setting["first"]] == 3 and figure.at() == [2, 1]
    assert np.frombuffer(figure.data, "<i2").size == len(pairs) * (len(pairs) + 1) // 2
    one, centred = (size.mean() for size in (np.square(x).sum(1), np.square(x - x.mean(0)).sum(1)))
    # With these rates a clicked statement moves by about 1: beta^2 lr |x|^2, rounded to one digit.
    assert 0.6 < 0.01 * setting["lr"][0] * one < 1.6 and 0.6 < 0.01 * setting["lr"][1] * centred < 1.6


def test_a_notebook_without_a_kernel_shows_beads_and_a_chart():
    x, pairs = statements()
    run, unseen, start, _ = learning()
    beads, chart = statement_explorer(x, pairs), landing_explorer(run, unseen, start, learned=16)
    for explorer, marks in ((beads, len(pairs)), (chart, 0)):
        html = explorer._repr_mimebundle_()["text/html"]
        picture = b64decode(re.search('src="data:image/svg.xml;base64,([^"]*)"', html)[1]).decode()
        found = list(ElementTree.fromstring(picture).iter("{http://www.w3.org/2000/svg}circle"))
        assert len(found) == marks and "nan" not in picture and explorer.title in html


def test_along_a_string_like_stands_beside_like():
    rng = np.random.default_rng(3)
    angles = rng.permutation(np.linspace(0, 2.5, 12))
    points = np.array([np.cos(angles), np.sin(angles)]).T
    order = alike(points @ points.T)
    assert sorted(order) == list(range(12))
    steps = np.abs(np.diff(angles[order]))
    assert steps.max() < 0.3 and len(set(np.sign(np.diff(angles[order])))) == 1     # along the circle, no jump


def test_short_statements_are_drawn_evenly():
    x, pairs = statements(per_side=9)
    part = short_statements(pairs, per_side=4, seed=1)
    assert (part.counts == 4).all() and len(set(part.prompts)) == 32
    assert short_statements(pairs, per_side=4, seed=1).prompts == part.prompts
    assert short_statements(pairs, per_side=4, seed=2).prompts != part.prompts
    shortest = min(len(said(prompt)) for prompt in pairs.prompts)
    with pytest.raises(ValueError, match=f"per_side must be at most 0, the statements of .* of {shortest - 1} letters"):
        short_statements(pairs, per_side=4, longest=shortest - 1)


@pytest.mark.parametrize(("changes", "sentence"), [
    ({"x": np.ones((3, 4))}, r"x must be finite and have shape \(48, d\), a row for each pair, got \(3, 4\)"),
    ({"x": np.full((48, 4), np.nan)}, "x must be finite"),
    ({"pairs": None}, "pairs must be Preferences, got None"),
    ({"held_out": 6}, "held_out must be below 6, the statements of a side, got 6"),
    ({"held_out": -1}, "held_out must be a whole number of at least 0"),
    ({"beta": 0}, "beta must be a finite number above 0"),
    ({"lr": 3.0}, "lr must be a pair of rates"),
    ({"lr": (3.0, -1)}, "lr must be a finite number above 0, got -1"),
    ({"first": 5}, "first must be a row of pairs that is not held out, got 5"),
    ({"answers": "shared"}, "answers must be one of .*'Yes / No'.*, got 'shared'"),
    ({"embeddings": 1}, "embeddings must be one of"),
    ({"title": None}, "title must be a text"),
])
def test_bad_arguments(changes, sentence):
    x, pairs = statements()
    arguments = {"x": x, "pairs": pairs, "held_out": HELD} | changes
    with pytest.raises(ValueError, match=sentence):
        statement_explorer(arguments.pop("x"), arguments.pop("pairs"), **arguments)


def test_sides_of_different_sizes_are_refused(figure):
    x, pairs = statements()
    with pytest.raises(ValueError, match=r"equally many statements on each side of each value, got \[5, 6\]"):
        statement_explorer(x[1:], pairs.take(range(1, len(pairs))))
    held = figure.setting["held"].index(1)
    with pytest.raises(ValueError, match=f"clicks must be on statements that are not held out, got {held}"):
        statement_margins(figure.setting, figure.data, [held])


# ---- the small sister ----

def test_chances_are_those_of_the_trained_rows():
    run, pairs, start, x = learning()
    setting = landing_explorer(run, pairs, start, learned=16).figure.setting
    right = np.array(setting["right"])
    # After training the log-odds are x . (W_yes - W_no): those at the start and what the rows have moved, w / beta.
    odds = start + x @ run.w[0] / 0.1
    np.testing.assert_allclose(right[:, -1], np.where(pairs.side > 0, expit(odds), expit(-odds)), atol=5.1e-4)
    # The page holds three digits.
    np.testing.assert_allclose(right[:, 0], np.where(pairs.side > 0, expit(start), expit(-start)), atol=5.1e-4)
    assert setting["answers"] == ["Yes", "No"] and setting["steps"] == list(range(0, 41, 5))
    # A margin of 10 at beta 0.01 adds 1,000 to the log-odds, more than the exponential holds.
    assert chances(np.array([[10.0, 10.0]]), np.array([1, -1]), np.zeros(2), 0.01).tolist() == [[1, 0]]


@pytest.mark.parametrize(("changes", "sentence"), [
    ({"run": None}, "run must be a Run, got None"),
    ({"pairs": 3}, "pairs must be Preferences, got 3"),
    ({"start": [1.0]}, r"start must be finite and have shape \(8,\), got \(1,\)"),
    ({"learned": 0}, "learned must be a whole number of at least 1"),
    ({"first": "Nothing"}, "first must be how a statement begins, got 'Nothing'"),
    ({"first": 3}, "first must be a text, got 3"),
])
def test_bad_arguments_of_the_landing_figure(changes, sentence):
    run, pairs, start, _ = learning()
    arguments = {"run": run, "pairs": pairs, "start": start, "learned": 16} | changes
    with pytest.raises(ValueError, match=sentence):
        landing_explorer(arguments.pop("run"), arguments.pop("pairs"), arguments.pop("start"), **arguments)


# ---- in a browser ----

@contextmanager
def played(browser, tmp_path, **context):
    """The figure that most tests play, at rest after its first click: page, log, figure, the statement clicked."""
    x, pairs = statements()
    explorer = statement_explorer(x, pairs, held_out=HELD)
    with shown(browser, tmp_path, explorer, reduced_motion="reduce", **context) as (page, log):
        first = explorer.figure.setting["first"]
        expect(page, explorer.figure, [first])
        yield page, log, explorer.figure, first


def beads(page):
    """The margins that the beads announce, by their texts."""
    labels = page.locator(".rm-hit").evaluate_all("all => all.map(e => e.getAttribute('aria-label'))")
    return np.array([float(label.rsplit("margin ", 1)[1].rstrip(")").replace("−", "-")) for label in labels])


def expect(page, figure, clicks, answers="own", embeddings="whole"):
    """Beads and caption are what Python computes for these clicks."""
    page.wait_for_function("n => document.querySelectorAll('.rm-ring').length >= n", arg=len({*clicks} - {-1}))
    margins = statement_margins(figure.setting, figure.data, clicks, answers=answers, embeddings=embeddings)
    np.testing.assert_allclose(beads(page), margins[-1], atol=0.0051)      # they announce two digits
    told = page.locator(".rm-count b").all_inner_texts()
    held = np.array(figure.setting["held"], dtype=bool)
    assert [int(n) for n in told] == [(margins[-1][~held] > 1e-9).sum(), (margins[-1][held] > 1e-9).sum()]
    return margins


def centre(page, j):
    box = page.locator(".rm-hit").nth(j).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


@pytest.mark.parametrize("width", [390, 1400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_figure_is_whole_readable_and_accessible(browser, tmp_path, figure, width, scheme):
    x, pairs = statements(per_side=14)
    explorer = statement_explorer(x, pairs)
    with shown(browser, tmp_path, explorer, width=width, height=900, scheme=scheme) as (page, log):
        expect(page, explorer.figure, [explorer.figure.setting["first"]])  # the first click happens by itself
        page.wait_for_timeout(900)
        for at in (0, 2):
            page.locator(".rm-segments").nth(0).locator("label").nth(at).click()
            page.locator(".rm-segments").nth(1).locator("label").nth(at // 2).click()
            page.wait_for_timeout(900)
            assert overflow(page) <= 0 and violations(page, alone=True) == [] and log == []
            small = """all => all.filter(e => [...e.childNodes].some(
                n => n.nodeType === 3 && n.data.trim()) && e.getClientRects().length
                && parseFloat(getComputedStyle(e).fontSize) < 12).map(e => e.textContent)"""
            assert page.locator(".rm-explorer *").evaluate_all(small) == []
        target = page.locator(".rm-hit").first.bounding_box()
        assert target["width"] > 17 and target["height"] > 40              # a finger's target, fourteen in a row
        top, end = page.locator(".rm-title").bounding_box(), page.locator(".rm-caption").bounding_box()
        assert end["y"] + end["height"] - top["y"] <= 844                  # from title to caption on one screen


def test_by_mouse(browser, tmp_path):
    with played(browser, tmp_path) as (page, log, figure, first):
        page.get_by_role("button", name="Reset").click()
        assert not beads(page).any()
        a, b = free(figure, 1), free(figure, 20)
        page.mouse.click(*centre(page, a))
        expect(page, figure, [a])
        page.mouse.click(*centre(page, b))
        expect(page, figure, [a, b])                                       # clicks add up
        page.locator("label", has_text="Yes / No").click()
        expect(page, figure, [a, b], "Yes / No")                          # a switch replays the same clicks
        page.locator("label", has_text="centred").click()
        margins = expect(page, figure, [a, b], "Yes / No", "centred")
        push = margins[-1] - margins[-2]
        other = [j for j in range(len(push)) if j != b]
        said = {b.get_attribute("data-name"): float(b.get_attribute("data-value"))
                for b in page.locator("b[data-name]").all()}
        assert said["most"] == pytest.approx(push[other].max(), abs=1e-9)
        assert said["least"] == pytest.approx(push[other].min(), abs=1e-9)
        best = max(other, key=lambda j: push[j])
        assert said["push"] == pytest.approx(push[best], abs=1e-9)         # the pair under the glass: furthest up
        products = np.array(figure.setting["side"])
        assert said["answers"] == products[best] * products[b] * 2
        page.mouse.move(*centre(page, 30))
        tip = page.locator(".rm-tip")
        assert tip.is_visible() and figure.setting["texts"][30] in tip.inner_text()
        held = figure.setting["held"].index(1)
        page.mouse.click(*centre(page, held))
        assert "held out" in page.locator(".rm-caption").inner_text()
        expect(page, figure, [a, b], "Yes / No", "centred")               # it is watched, never trained on
        page.get_by_role("button", name="Train on all").first.click()
        expect(page, figure, [a, b, -1], "Yes / No", "centred")
        assert log == []


def test_one_press_after_another_tells_the_whole_argument(browser, tmp_path):
    with played(browser, tmp_path) as (page, log, figure, first):
        words = page.locator(".rm-bars p").inner_text().replace("−", "-").replace(",", "")
        product, common, rest = (float(number) for number in re.search(
            r"\) × (-?\d+) ×.* Pale: (\d+) which all prompts share; these two add ([+-]?\d+)", words).groups())
        assert common + rest == pytest.approx(product, abs=1.5)  # each is rounded
        next_one = page.locator(".rm-next")
        for clicks, answers, embeddings in (([first], "Yes / No", "whole"), ([first], "Yes / No", "centred"),
                                            ([first, -1], "Yes / No", "centred"), ([], "own", "whole")):
            next_one.click()
            expect(page, figure, clicks, answers, embeddings)
        assert log == []


def test_by_touch(browser, tmp_path):
    screen = {"width": 390, "height": 844, "has_touch": True, "is_mobile": True}
    with played(browser, tmp_path, **screen) as (page, log, figure, first):
        second = free(figure, 13)
        page.touchscreen.tap(*centre(page, second))
        expect(page, figure, [first, second])
        cdp = page.context.new_cdp_session(page)
        def finger(kind, x=0, y=0):
            points = [] if kind == "touchEnd" else [{"x": x, "y": y}]
            cdp.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        read = free(figure, 7)
        (x0, y), (x1, _) = centre(page, 6), centre(page, read)
        finger("touchStart", x0, y)
        for t in np.linspace(0, 1, 12):
            finger("touchMove", x0 + t * (x1 - x0), y)
        assert figure.setting["texts"][read] in page.locator(".rm-tip").inner_text()
        finger("touchEnd")
        expect(page, figure, [first, second])                                  # a finger that slides only reads
        assert page.locator("[data-says=j]").inner_text() == figure.setting["texts"][read]
        page.wait_for_timeout(500)                                         # a tap right after a slide only stops it
        page.get_by_role("button", name="Train on it").tap()
        expect(page, figure, [first, second, read])
        assert log == []


def test_by_keys(browser, tmp_path):
    with played(browser, tmp_path) as (page, log, figure, first):
        page.get_by_role("button", name="Reset").focus()
        page.keyboard.press("Tab")
        at = lambda: int(page.evaluate("document.activeElement.dataset.j ?? -1"))  # noqa: E731
        assert at() >= 0                                                   # one tab stop for all beads
        page.keyboard.press("Home")
        for key, to in (("ArrowRight", 1), ("ArrowDown", 1 + PER_SIDE), ("ArrowUp", 1), ("ArrowLeft", 0)):
            page.keyboard.press(key)
            assert at() == to and page.evaluate("document.activeElement.matches(':focus-visible')")
        free = figure.setting["held"].index(0)
        for _ in range(free):
            page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
        expect(page, figure, [first, free])
        page.keyboard.press(" ")
        expect(page, figure, [first, free, free])
        page.keyboard.press("Tab")
        assert at() == -1
        page.get_by_role("radio", name="one shared").focus()
        page.keyboard.press("ArrowRight")
        expect(page, figure, [first, free, free], "Yes / No")
        assert log == []


@pytest.mark.parametrize("width", [390, 1400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_landing_figure_is_a_slider(browser, tmp_path, width, scheme):
    run, pairs, start, _ = learning(200)
    explorer = landing_explorer(run, pairs, start, learned=16)
    setting = explorer.figure.setting
    right, last = np.array(setting["right"]), len(setting["steps"]) - 1
    with shown(browser, tmp_path, explorer, width=width, scheme=scheme, reduced_motion="reduce") as (page, log):
        page.wait_for_function("t => document.querySelector('.rm-cursor').value == t", arg=str(round(last / 3)))
        assert overflow(page) <= 0 and violations(page, alone=True) == []
        chosen = explorer.figure.chosen
        def told(j, t):
            held = {b.get_attribute("data-name"): float(b.get_attribute("data-value"))
                    for b in page.locator("b[data-name]").all()}
            assert held["right"] == right[j, t] and held["wrong"] == pytest.approx(1 - right[j, t], abs=1e-12)
            assert held["count"] == (right[:, t] > 0.5).sum()
        told(chosen, round(last / 3))
        box = page.locator(".rm-plot").bounding_box()
        page.mouse.click(box["x"] + box["width"] - 12, box["y"] + 60)
        told(chosen, last)
        page.mouse.move(box["x"] + 11, box["y"] + 60)
        page.mouse.down()
        page.mouse.move(box["x"] + 10, box["y"] + 62)
        page.mouse.up()
        told(chosen, 0)
        page.get_by_role("slider", name="training steps").focus()
        page.keyboard.press("ArrowRight")
        told(chosen, 1)
        page.locator(".rm-others button").nth(5).click()
        told(5, 1)
        assert page.locator(".rm-quote").inner_text() == f"“{setting['texts'][5]}”"
        target = page.locator(".rm-others button").first.bounding_box()
        assert target["width"] >= 24 and target["height"] >= 24 and log == []


@pytest.mark.model
def test_on_the_language_model_the_figure_is_small_and_true():
    from helpers.llm.embedding import embed
    from helpers.llm.loading import load_llm
    from helpers.preferences.bank import load_values

    pairs = short_statements(load_values(list(NAMES), answers="own"))
    x = embed(load_llm(), pairs.prompts, progress=False).astype(float)
    figure = statement_explorer(x, pairs).figure
    assert len(figure.data) < 13_000 and figure.setting["common"] > 1000     # what all prompts share
    for answers, embeddings in SETTINGS:
        first = figure.setting["first"]
        found = statement_margins(figure.setting, figure.data, [first] * 2, answers=answers, embeddings=embeddings)[-1]
        true = trained_on(x, pairs, figure.setting, [first] * 2, answers=answers, embeddings=embeddings)
        np.testing.assert_allclose(found, true, rtol=0, atol=1.5e-4)         # 16 bits, as above
