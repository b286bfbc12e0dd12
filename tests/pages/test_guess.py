"""Guess first, in a browser and without a kernel: by mouse, finger and keys, kept in the browser or not at all."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect
from stages import finger, overhang, rest, small_texts

from helpers.explore import guess
from helpers.explore.guessing import judge
from pages import shown, violations

CURVE = {
    "question": "How fast does the error fall with data?",
    "key": "error",
    "x": [4, 8, 16, 32, 48],
    "prediction": lambda Q: 0.18 + 0.45 / Q,
    "measured": [0.27, 0.24, 0.22, np.nan, 0.185],
    "lower": [0.25, 0.22, 0.2, np.nan, 0.16],
    "upper": [0.29, 0.26, 0.24, np.nan, 0.21],
    "log_x": True,
    "x_name": "statements a cluster Q",
    "y_name": "error on new statements",
    "y_range": (0, 0.55),
    "percent": True,
    "guides": {"a coin": 0.5},
    "told": "Twelve times the data take away a third of the error.",
}
POINT = {
    "question": "When does the first margin leave the lines?",
    "key": "exit",
    "kind": "point",
    "prediction": 7.0,
    "measured": 6.9,
    "lower": 6.4,
    "upper": 7.3,
    "y_name": "time of the first exit, in units of τ₁",
    "y_range": (0, 12),
}
BARS = {
    "question": "Which value is learned fastest?",
    "key": "fastest",
    "kind": "bars",
    "x": ["honesty", "frugality", "patience", "care for animals"],
    "prediction": [0.31, 0.22, 0.12, 0.44],
    "measured": [0.29, 0.25, -0.05, 0.4],
    "lower": [0.25, 0.2, -0.1, 0.35],
    "upper": [0.33, 0.3, 0.0, 0.45],
    "y_name": "margin after 20 steps",
    "y_range": (-0.2, 0.6),
}
MINE = {"curve": [0.4, 0.33, 0.25, 0.17, 0.1], "point": [3.0], "bars": [0.5, 0.1, 0.2, 0.3]}


def squares(page):
    return page.locator(".rm-handle")


def values(page):
    """The guess as the squares announce it, None where nothing is drawn."""
    read = "all => all.map(e => e.ariaValueText === 'not drawn yet' ? null : Number(e.ariaValueNow))"
    return squares(page).evaluate_all(read)


def show(page):
    page.get_by_role("button", name="Show what was measured").click()
    page.wait_for_timeout(1500)


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (390, "dark"), (1400, "light"), (1400, "dark")])
@pytest.mark.parametrize("state", ["empty", "drawn", "shown"])
def test_it_is_accessible_readable_and_within_its_frame(browser, tmp_path, width, scheme, state):
    figures = [guess(**arguments) for arguments in (CURVE, POINT, BARS)]
    for figure in figures if state != "empty" else []:
        figure.mine, figure.seen = MINE[figure.setting["shape"]], state == "shown"
    with shown(browser, tmp_path, *figures, width=width, scheme=scheme) as (page, log):
        rest(page)
        assert violations(page, alone=True) == [] and small_texts(page) == [] and overhang(page) == 0
        assert log == []


def test_one_stroke_draws_a_curve(browser, tmp_path):
    figure = guess(**CURVE)
    with shown(browser, tmp_path, figure) as (page, log):
        rest(page)
        assert values(page) == [None] * 5 and page.get_by_role("button", name="Show what").is_disabled()
        box = page.locator(".rm-picture svg").bounding_box()
        page.mouse.move(box["x"] + 50, box["y"] + 80)
        page.mouse.down()
        page.mouse.move(box["x"] + 300, box["y"] + 150, steps=3)
        page.mouse.move(box["x"] + box["width"] - 95, box["y"] + 200, steps=3)
        page.mouse.up()
        drawn = values(page)
        assert None not in drawn and drawn == sorted(drawn, reverse=True) and drawn[0] - drawn[-1] > 0.1
        square = squares(page).nth(2).bounding_box()  # and a square can be drawn again
        page.mouse.move(square["x"] + 22, square["y"] + 22)
        page.mouse.down()
        page.mouse.move(square["x"] + 22, square["y"] - 30, steps=3)
        page.mouse.up()
        mended = values(page)
        assert mended[2] > drawn[2] and [mended[i] for i in (0, 1, 3, 4)] == [drawn[i] for i in (0, 1, 3, 4)]
        assert page.locator("svg .rm-law, svg .rm-real").count() == 0  # nothing is given away
        show(page)
        told = judge(figure.setting, mended)
        words = page.locator(".rm-verdict").inner_text()
        assert told.you in words and told.predicted in words and CURVE["told"] in words
        assert page.locator("svg .rm-law").count() == 1 and page.locator("svg .rm-real").count() == 4
        assert page.locator("svg .rm-spread").count() == 4 and squares(page).first.is_hidden()
        assert len(page.locator("tbody tr").all()) == 4
        page.get_by_role("button", name="Guess again").click()
        assert values(page) == [None] * 5
        assert log == []


def test_keys_draw_it_too(browser, tmp_path):
    figure = guess(**CURVE)
    with shown(browser, tmp_path, figure) as (page, log):
        rest(page)
        squares(page).first.focus()
        for keys in (("ArrowDown", "PageDown"), ("ArrowDown",), ("Shift+ArrowDown",), ("PageUp",), ("End", "PageDown")):
            for key in keys:
                page.keyboard.press(key)
            page.keyboard.press("ArrowRight")
        drawn = values(page)
        assert None not in drawn and drawn[1] < drawn[0] and drawn[3] > drawn[2]
        page.keyboard.press("Enter")
        expect(page.locator(".rm-verdict")).to_contain_text(judge(figure.setting, drawn).you)
        expect(page.get_by_role("button", name="Guess again")).to_be_focused()
        assert log == []


@pytest.mark.parametrize("arguments", [POINT, BARS], ids=["point", "bars"])
def test_rows_are_pulled_clicked_and_moved_by_keys(browser, tmp_path, arguments):
    figure = guess(**arguments)
    with shown(browser, tmp_path, figure) as (page, log):
        rest(page)
        count, svg = squares(page).count(), page.locator(".rm-picture svg").bounding_box()
        box = squares(page).first.bounding_box()
        page.mouse.move(box["x"] + 22, box["y"] + 22)
        page.mouse.down()
        page.mouse.move(box["x"] + 122, box["y"] + 30, steps=4)
        page.mouse.up()
        pulled = values(page)[0]
        assert pulled is not None
        squares(page).first.focus()
        page.keyboard.press("ArrowRight")
        assert values(page)[0] > pulled
        for i in range(1, count):
            row = squares(page).nth(i).bounding_box()
            page.mouse.click(svg["x"] + 100 + 60 * i, row["y"] + 22)
        drawn = values(page)
        assert None not in drawn and drawn[1:] == sorted(drawn[1:])
        show(page)
        words = page.locator(".rm-verdict").inner_text()
        assert judge(figure.setting, drawn).you in words and judge(figure.setting, drawn).predicted in words
        assert page.locator("svg .rm-mark").count() == count == page.locator("svg .rm-real").count()
        assert log == []


def test_a_finger_draws_in_the_field_and_pulls_a_bar(browser, tmp_path):
    figures = guess(**CURVE), guess(**BARS)
    with shown(browser, tmp_path, *figures, width=390, height=700, has_touch=True, is_mobile=True) as (page, log):
        rest(page)
        curve, bars = page.locator(".rm-stage").first, page.locator(".rm-stage").nth(1)
        curve.locator("svg").scroll_into_view_if_needed()
        box, top = curve.locator("svg").bounding_box(), page.evaluate("scrollY")
        finger(page, (box["x"] + 52, box["y"] + 90), (box["width"] - 150, 90), steps=12)
        assert curve.get_by_role("button", name="Show what").is_enabled() and page.evaluate("scrollY") == top
        handle = bars.locator(".rm-handle").first
        handle.scroll_into_view_if_needed()
        box, top = handle.bounding_box(), page.evaluate("scrollY")
        finger(page, (box["x"] + 22, box["y"] + 22), (90, 0))
        assert float(handle.get_attribute("aria-valuenow")) > 0.1 and page.evaluate("scrollY") == top
        finger(page, (box["x"] + 150, box["y"] + 22), (0, -100))  # the page scrolls, no bar moves
        assert page.evaluate("scrollY") > top and bars.locator(".rm-empty").count() == 3
        page.touchscreen.tap(200, bars.locator(".rm-handle").nth(1).bounding_box()["y"] + 22)
        assert bars.locator(".rm-empty").count() == 2
        assert log == []


def test_it_can_be_skipped(browser, tmp_path):
    figure = guess(**CURVE)
    with shown(browser, tmp_path, figure) as (page, log):
        rest(page)
        page.get_by_role("button", name="Skip").click()
        expect(page.locator(".rm-verdict")).to_contain_text(judge(figure.setting, [None] * 5).predicted)
        assert "You were" not in page.locator(".rm-verdict").inner_text() and page.locator("svg .rm-mine").count() == 0
        assert log == []


def test_a_guess_is_kept_in_the_browser_under_its_own_key(browser, tmp_path):
    figures = guess(**POINT), guess(**BARS)
    with shown(browser, tmp_path, *figures) as (page, log):
        rest(page)
        squares(page).first.focus()
        page.keyboard.press("PageUp")
        drawn = values(page)
        page.locator(".rm-stage").first.get_by_role("button", name="Show what").click()
        held = page.evaluate("Object.entries(localStorage)")
        assert [name for name, _ in held] == ["reward-margins.guess.exit"]
        page.reload()
        rest(page)
        assert judge(figures[0].setting, drawn[:1]).you in page.locator(".rm-verdict").first.inner_text()
        assert page.locator(".rm-stage").nth(1).locator(".rm-empty").count() == 4
        page.evaluate("localStorage.setItem('reward-margins.guess.exit', '{\"mine\": [1, 2], \"seen\": 3}')")
        page.reload()
        rest(page)
        assert page.get_by_role("button", name="Show what").count() == 2  # what does not fit is not read
        assert log == []


def test_it_works_where_nothing_can_be_kept(browser, tmp_path):
    figure = guess(**POINT)
    with shown(browser, tmp_path, figure) as (page, log):
        page.add_init_script(
            "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no'); } })"
        )
        page.reload()
        rest(page)
        squares(page).first.press("ArrowRight")
        show(page)
        assert re.search("You said", page.locator(".rm-verdict").inner_text()) and log == []


def test_paper_shows_prediction_and_measurement(browser, tmp_path):
    with shown(browser, tmp_path, guess(**CURVE), guess(**BARS)) as (page, log):
        rest(page)
        page.emulate_media(media="print")
        expect(page.locator("svg .rm-real")).to_have_count(8)
        assert page.get_by_role("button").count() == 0 and squares(page).first.is_hidden()
        assert len(page.pdf()) > 10_000
        page.emulate_media(media="screen")
        expect(page.locator("svg .rm-real")).to_have_count(0)
        assert log == []
