"""Design a layout: the figure's numbers are the tables' own, JavaScript's are Python's, a reader can do it all."""

import itertools
import re
from base64 import b64decode, b64encode
from contextlib import contextmanager
from xml.etree import ElementTree

import numpy as np
import pytest
from playwright.sync_api import expect
from scripts import value

from helpers.explore.answers import LETTERS, PRESETS, answers_explorer, answers_numbers, preset
from helpers.layouts import TokenLayout, disjoint
from helpers.mixture import Sample
from helpers.risk import first_step_table, law_from_interactions
from pages import overflow, shown, violations

K, SPLITS, QS = 4, 3, [3, 8]
NAMES = ["honesty", "risk-taking", "privacy </script>", "tradition"]


def drawn(per_cluster, rng):
    value, side = np.repeat(np.arange(K), 2 * per_cluster), np.tile(np.repeat([1, -1], per_cluster), K)
    concepts = np.eye(K, 7) + 0.5
    x = side[:, None] * concepts[value] + 0.2 * value[:, None] + rng.normal(size=(len(value), 7))
    return Sample(x, value, side)


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(4)
    return [(drawn(9, rng), drawn(12, rng), [drawn(Q, rng) for Q in QS]) for _ in range(SPLITS)]


def made(data, **changes):
    tables = [[first_step_table(few, test, known) for few in train] for known, test, train in data]
    late = {"own": np.linspace(0.1, 0.2, SPLITS * len(QS)).reshape(SPLITS, -1)}
    arguments = {"Qs": QS, "late": late, "late_words": "160 steps", "layout": "chain"}
    return answers_explorer(tables, NAMES, **arguments | changes)


PAIRS = [preset(name, K) for name in PRESETS] + [
    [[0, 1], [1, 0], [0, 1], [1, 0]],          # roles turned
    [[0, 1], [2, 0], [3, 4], [4, 3]],
    [[11, 10], [10, 11], [5, 2], [2, 11]],
]


@pytest.mark.theorem("N5")
@pytest.mark.parametrize("pairs", PAIRS, ids=map(str, range(len(PAIRS))))
def test_the_numbers_are_those_of_the_law_and_of_the_statements(data, pairs):
    """Without tables: the law from the products of all statements, the errors from one direction for each value."""
    figure, layout = made(data).figure, TokenLayout(tuple(map(tuple, pairs)))
    for at, Q in enumerate(QS):
        told = answers_numbers(figure.setting, figure.data, pairs, count=K, samples=at)
        law = np.mean([law_from_interactions(known, layout, [Q, np.inf]) for known, _, _ in data], axis=0)
        # The moments are held in 32 bits; a variance is a difference of sums some hundred times as large.
        np.testing.assert_allclose([told["laws"], told["floors"]], law, rtol=1e-4)
        errors = []
        for _, test, train in data:
            few = train[at]
            means = np.array([(few.side[:, None] * few.x)[few.value == i].mean(axis=0) for i in range(K)])
            wrong = test.side * ((layout.gram @ means)[test.value] * test.x).sum(axis=1) <= 0
            errors.append([wrong[test.value == i].mean() for i in range(K)])
        # Products are held in 16 bits; no statement of this data lies that near to zero.
        np.testing.assert_allclose(told["errors"], np.mean(errors, axis=0), atol=1e-12)
        half = 4.302653 * np.std(np.mean(errors, axis=1), ddof=1) / np.sqrt(SPLITS)  # Student's t, two degrees
        assert told["measured.upper"] - told["measured"] == pytest.approx(half, rel=1e-6)
        np.testing.assert_allclose(told["kappas"], layout.kappa)


def test_values_that_are_left_out_push_nobody(data):
    figure = made(data).figure
    alone = answers_numbers(figure.setting, figure.data, preset("Yes / No", K), count=1, samples=1)
    own = answers_numbers(figure.setting, figure.data, preset("own", K), count=K, samples=1)
    assert alone["errors"][0] == own["errors"][0] and alone["laws"][0] == pytest.approx(own["laws"][0])
    assert alone["kappas"].tolist() == [1.0]


def test_presets_are_the_layouts_with_letters_of_their_own():
    for name, size in itertools.product(PRESETS, range(2, 7)):
        pairs, layout = preset(name, size), PRESETS[name](size)
        np.testing.assert_array_equal(TokenLayout(tuple(map(tuple, pairs))).gram, layout.gram)
        assert max(map(max, pairs)) < len(LETTERS)


def test_javascript_computes_what_python_computes(data):
    figure = made(data).figure
    states = [(pairs, count, at) for pairs in PAIRS for count in (1, 3, K) for at in range(len(QS))]
    script = str(figure._esm)
    expression = """states.map(([pairs, count, at]) => {
        const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
        return answersModel(setting, new DataView(bytes.buffer)).told(pairs, count, at);
    })"""
    found = value(expression, script, setting=figure.setting, data=b64encode(figure.data).decode(), states=states)
    for (pairs, count, at), told in zip(states, found, strict=True):
        expected = answers_numbers(figure.setting, figure.data, pairs, count=count, samples=at)
        for mine, theirs in (("laws", "law"), ("floors", "floor"), ("kappas", "kappa")):
            # Both add the same 32-bit numbers in doubles, in another order.
            np.testing.assert_allclose([row[theirs] for row in told["rows"]], expected[mine], rtol=1e-9)
        for place, mine in enumerate(("errors", "lows", "highs")):
            np.testing.assert_allclose([row["error"][place] for row in told["rows"]], expected[mine], atol=1e-12)
        mean = told["mean"]
        ends = [expected[f"measured{end}"] for end in ("", ".lower", ".upper")]
        np.testing.assert_allclose(mean["error"], ends, atol=1e-12)
        np.testing.assert_allclose([mean["law"], mean["floor"], mean["kappa"]],
                                   [expected[name] for name in ("law", "floor", "kappa")], rtol=1e-9)


def test_wrong_arguments_get_one_sentence(data):
    with pytest.raises(ValueError, match="names must be 2 to 6"):
        answers_explorer([], ["one"], Qs=[1])
    with pytest.raises(ValueError, match="tables must hold two splits or more"):
        answers_explorer([[1]], NAMES, Qs=[1])
    with pytest.raises(ValueError, match="late must hold errors of shape"):
        made(data, late={"own": np.ones((2, 9))})
    with pytest.raises(ValueError, match="late must be one of"):
        made(data, late={"tree": np.ones((SPLITS, 2))})
    with pytest.raises(ValueError, match="layout must be one of"):
        made(data, layout="tree")
    tables = [[first_step_table(few, test, known) for few in train] for known, test, train in data]
    with pytest.raises(ValueError, match="tables must be of the 3 values of names"):
        answers_explorer(tables, NAMES[:3], Qs=QS)


def test_the_still_picture_shows_each_value(data):
    bundle = made(data)._repr_mimebundle_()
    image = re.search(r'base64,([^"]+)"', bundle["text/html"]).group(1)
    root = ElementTree.fromstring(b64decode(image))
    assert len(root.findall(".//{http://www.w3.org/2000/svg}circle")) == K
    assert "privacy </script> D/F" in "".join(root.itertext())


# ---- in a browser ----


@contextmanager
def opened(browser, tmp_path, data, width=1000, changes=None, **context):
    explorer = made(data, **changes or {})
    with shown(browser, tmp_path, explorer, width=width, **context) as (page, log):
        page.wait_for_selector(".rm-design svg circle")
        yield page, explorer.figure, log


def told(page):
    """The caption's numbers, and the six of each row: mean, low, high, law, floor, kappa."""
    numbers = dict(page.locator(".rm-caption b[data-name]").evaluate_all(
        "all => all.map(b => [b.dataset.name, Number(b.dataset.value)])"))
    rows = page.locator("circle[data-row]").evaluate_all("all => all.map(c => c.dataset.row.split(' ').map(Number))")
    return numbers, np.array(rows)


def right(page, figure, pairs, count=K, samples=1):
    """The page shows what Python computes for this state."""
    expected = answers_numbers(figure.setting, figure.data, pairs, count=count, samples=samples)
    numbers, rows = told(page)
    for name in ("measured", "measured.lower", "measured.upper", "law", "floor", "kappa"):
        assert numbers[name] == pytest.approx(expected[name], rel=1e-9, abs=1e-12), name
    wanted = np.transpose([expected[name] for name in ("errors", "lows", "highs", "laws", "floors", "kappas")])
    np.testing.assert_allclose(rows, wanted, rtol=1e-9, atol=1e-12)
    return numbers


def group(page, name):
    return page.get_by_role("group", name=name, exact=True)


def button(page, name, words):
    return group(page, name).locator("label").filter(has_text=re.compile(f"^{words}$"))


def test_presets_counts_and_samples_by_mouse(browser, tmp_path, data):
    with opened(browser, tmp_path, data) as (page, figure, log):
        right(page, figure, preset("chain", K))
        for name in PRESETS:
            group(page, "answers").locator("label", has_text=name).click()
            numbers = right(page, figure, preset(name, K))
            assert ("late" in numbers) == (name == "own")           # the one that was trained on
        assert numbers["kappa"] == K
        button(page, "samples per cluster Q", "3").click()
        right(page, figure, preset("Yes / No", K), samples=0)
        button(page, "number of values", "2").click()
        right(page, figure, preset("Yes / No", K), count=2, samples=0)
        assert group(page, "change the answers of").locator("input:disabled").count() == 2
        assert log == []


def test_a_value_gets_its_letters_and_swaps_them(browser, tmp_path, data):
    with opened(browser, tmp_path, data, changes={"layout": "own"}) as (page, figure, log):
        pairs = preset("own", K)
        button(page, "change the answers of", "risk-taking").click()
        button(page, "right answer for it", "A").click()
        pairs[1] = [0, 3]
        right(page, figure, pairs)
        assert group(page, "answers").locator("input:checked").count() == 0   # no named layout any more
        button(page, "right answer against it", "A").click()
        pairs[1] = [3, 0]                                                      # two answers differ: they change places
        right(page, figure, pairs)
        assert "Your answers".lower() in page.locator(".rm-caption").inner_text().lower()
        page.locator('g[data-value="3"] .rm-reach-of').click()                 # a row chooses its value
        expect(group(page, "change the answers of").locator("input").nth(3)).to_be_checked()
        assert log == []


def test_by_keys_and_tab_stops(browser, tmp_path, data):
    with opened(browser, tmp_path, data) as (page, figure, log):
        stops = []
        page.keyboard.press("Tab")
        while page.evaluate("document.activeElement !== document.body") and len(stops) < 12:
            stops.append(page.evaluate("document.activeElement.closest('fieldset').dataset.name"))
            assert page.evaluate("document.activeElement.matches(':focus-visible')")
            page.keyboard.press("Tab")
        assert stops == ["answers", "number of values", "samples per cluster Q", "change the answers of",
                         "right answer for it", "right answer against it"]
        group(page, "answers").locator("input:checked").focus()
        page.keyboard.press("ArrowRight")
        right(page, figure, preset("star", K))
        group(page, "right answer for it").locator("input:checked").focus()
        page.keyboard.press("ArrowLeft")                                        # from A round to L
        right(page, figure, [[11, 3], *preset("star", K)[1:]])
        assert log == []


def test_by_touch(browser, tmp_path, data):
    with opened(browser, tmp_path, data, width=390, height=844, has_touch=True, is_mobile=True) as (page, figure, log):
        group(page, "answers").locator("label", has_text="grid").tap()
        right(page, figure, preset("grid", K))
        page.locator('g[data-value="2"] .rm-reach-of').tap()
        expect(group(page, "change the answers of").locator("input").nth(2)).to_be_checked()
        assert overflow(page) <= 0 and log == []


@pytest.mark.parametrize("width", [390, 1400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_accessible_readable_and_within_its_frame(browser, tmp_path, data, width, scheme):
    with opened(browser, tmp_path, data, width=width, scheme=scheme) as (page, _, log):
        for name in PRESETS:
            group(page, "answers").locator("label", has_text=name).click()
            edge = page.locator(".rm-explorer").bounding_box()
            for part in page.locator(".rm-design text, .rm-design label, .rm-design p").all():
                box = part.bounding_box()
                assert box["x"] >= edge["x"] and box["x"] + box["width"] <= edge["x"] + edge["width"] + 1
                assert box["y"] >= edge["y"]
        small = """all => all.filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())
            && parseFloat(getComputedStyle(e).fontSize) < 12).map(e => e.textContent)"""
        assert page.locator(".rm-design *").evaluate_all(small) == []
        assert page.locator(".rm-plot").get_attribute("aria-label").startswith("Answers of 4 values")
        assert overflow(page) <= 0 and violations(page, alone=True) == [] and log == []


def test_on_paper_the_letters_go_and_the_state_stays(browser, tmp_path, data):
    with opened(browser, tmp_path, data, width=1400) as (page, _, log):
        page.emulate_media(media="print")
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert page.locator(".rm-plot").get_attribute("width") == "640"
        assert not page.locator(".rm-editor").is_visible()
        assert group(page, "answers").locator("label:visible").all_inner_texts() == ["chain"]
        page.evaluate("dispatchEvent(new Event('afterprint'))")
        page.emulate_media(media="screen")
        assert int(page.locator(".rm-plot").get_attribute("width")) > 640 and log == []


def test_two_figures_of_a_page_do_not_share_their_buttons(browser, tmp_path, data):
    with shown(browser, tmp_path, made(data), made(data)) as (page, log):
        page.wait_for_selector(".rm-design svg circle")
        group(page, "answers").nth(0).locator("label", has_text="star").click()
        checked = group(page, "answers").locator("input:checked").evaluate_all("all => all.map(e => e.value)")
        assert checked == ["2", "1"] and violations(page, alone=True) == [] and log == []


def test_the_table_of_the_figure_needs_few_bytes(data):
    figure = made(data).figure
    numbers, M = 2 * K * (K + K * K + 2 * K), 2 * 12 * K
    assert len(figure.data) == SPLITS * (4 * numbers + 2 * len(QS) * K * M)
    assert disjoint(K).K == len(figure.setting["names"])
