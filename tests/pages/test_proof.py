"""A proof that is driven, in a browser without a kernel: by mouse, finger and keys, on every screen and on paper."""

import re

import pytest
from playwright.sync_api import expect
from stages import finger, overhang, rest, small_texts

from helpers.explore import proof_explorer
from pages import shown, violations

STATES = {
    "asked": {"line": 4},
    "through": {"line": 9},
    "broken": {"line": 5, "shown": 5, "v": 0.04},
    "below zero": {"line": 7, "shown": 7, "layout": "star", "l_b": 0.7, "v": 0.002},
    "far out": {"line": 8, "shown": 8, "Q": 2, "v": 0.5},
}


def open_at(browser, tmp_path, width=1000, **context):
    """What opens a figure at a line: a function of the arguments of `proof_explorer`."""
    return lambda **arguments: shown(browser, tmp_path, proof_explorer(**arguments), width=width, **context)


def heading(page):
    return page.locator(".rm-said .rm-title")


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (390, "dark"), (1400, "light"), (1400, "dark")])
@pytest.mark.parametrize("state", STATES)
def test_it_is_accessible_readable_and_within_its_frame(browser, tmp_path, width, scheme, state):
    with open_at(browser, tmp_path, width, scheme=scheme)(**STATES[state]) as (page, log):
        rest(page)
        assert violations(page, alone=True) == [] and small_texts(page) == [] and overhang(page) == 0
        assert log == []


def test_ten_lines_from_the_first_to_the_last_and_back(browser, tmp_path):
    with open_at(browser, tmp_path, reduced_motion="reduce")() as (page, log):
        rest(page)
        button, seen = page.get_by_role("button", name=re.compile("Just show me|Line \\d+: |From the start")), []
        for number in range(1, 11):
            expect(heading(page)).to_have_text(re.compile(f"^{number}\\. "))
            seen.append(heading(page).text_content())
            if page.get_by_role("button", name="Just show me").count():
                assert page.locator(".rm-result").inner_text() == ""
                button.click()
            assert page.locator(".rm-result").inner_text()
            assert page.locator(".rm-rail [aria-current]").get_attribute("data-line") == str(number)
            button.click()
        assert len(set(seen)) == 10
        expect(heading(page)).to_have_text(re.compile("^1\\. "))  # from the start
        page.locator('.rm-rail [data-line="6"]').click()
        expect(heading(page)).to_have_text("6. Now let time run")
        page.get_by_role("button", name="Back").click()
        page.get_by_role("button", name="Line 6: pushes").click()
        assert page.get_by_role("button", name="Just show me").count() == 1  # asked again
        assert log == []


def test_the_mouse_drags_the_bracket(browser, tmp_path):
    with open_at(browser, tmp_path)(line=4) as (page, log):
        rest(page)
        box = page.locator('.rm-handle[data-end="high"]').bounding_box()
        x, y = box["x"] + 22, box["y"] + 22
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x - 30, y - 25, steps=4)
        page.mouse.up()
        expect(page.locator(".rm-ask")).to_have_text(re.compile("Your guess: ×\u2009[2-9]"))
        wide = page.locator(".rm-ask").text_content()
        svg = page.locator(".rm-picture svg").bounding_box()
        page.mouse.click(svg["x"] + 200, svg["y"] + 90)  # anywhere in the picture takes the nearer end
        expect(page.locator(".rm-ask")).not_to_have_text(wide)
        page.get_by_role("button", name="Show the bracket").click()
        expect(page.locator(".rm-you")).to_have_text(re.compile("You said ×\u2009.*: too wide."))
        assert "×\u20093.3" in page.locator('.rm-rail [data-line="4"]').inner_text()
        assert log == []


def test_keys_drag_it_too(browser, tmp_path):
    with open_at(browser, tmp_path, reduced_motion="reduce")(line=6) as (page, log):
        rest(page)
        assert page.locator('.rm-handle[data-end="high"]').is_hidden()  # only the lower end is asked for
        handle = page.get_by_role("slider", name="Your guess, lower end of the bracket")
        before = float(handle.get_attribute("aria-valuenow"))
        rail = page.locator(".rm-rail [data-line]")
        assert rail.evaluate_all("all => all.filter(one => one.tabIndex === 0).map(one => one.dataset.line)") == ["6"]
        rail.nth(5).focus()                                             # one stop, along which arrows walk
        for key, line in (("ArrowRight", 7), ("End", 10), ("ArrowDown", 10), ("Home", 1), ("ArrowLeft", 1)):
            page.keyboard.press(key)
            expect(rail.nth(line - 1)).to_be_focused()
        expect(handle).to_be_visible()                                  # to walk is not to go: line 6 still asks
        rail.nth(5).focus()
        page.keyboard.press("Tab")                                      # the square comes before the buttons
        expect(handle).to_be_focused()
        for key in ("ArrowDown", "PageDown", "Shift+ArrowDown"):
            page.keyboard.press(key)
        after = float(handle.get_attribute("aria-valuenow"))
        assert after < before - 0.1 and re.search(r"times as wide", handle.get_attribute("aria-valuetext"))
        page.keyboard.press("Enter")
        expect(page.locator(".rm-you")).to_be_visible()
        expect(page.get_by_role("button", name="Line 7: sharing")).to_be_focused()
        assert log == []


def test_a_finger_drags_the_square_and_scrolls_beside_it(browser, tmp_path):
    with open_at(browser, tmp_path, 390, height=700, has_touch=True, is_mobile=True)(line=4) as (page, log):
        rest(page)
        page.locator(".rm-picture").scroll_into_view_if_needed()
        box, top = page.locator('.rm-handle[data-end="low"]').bounding_box(), page.evaluate("scrollY")
        finger(page, (box["x"] + 22, box["y"] + 22), (0, 60))
        expect(page.locator(".rm-ask")).to_have_text(re.compile("Your guess"))
        assert page.evaluate("scrollY") == top
        said, svg = page.locator(".rm-ask").text_content(), page.locator(".rm-picture svg").bounding_box()
        finger(page, (svg["x"] + 100, svg["y"] + 200), (0, -120))  # the page moves, the guess stays
        assert page.evaluate("scrollY") > top and page.locator(".rm-ask").text_content() == said
        assert log == []


def test_a_slider_that_leaves_the_hypotheses_names_the_line(browser, tmp_path):
    with open_at(browser, tmp_path)(line=5, shown=5) as (page, log):
        rest(page)
        verdict = page.locator(".rm-verdict")
        assert "All hypotheses hold" in verdict.inner_text() and page.locator(".rm-unproved").count() == 0
        noise = page.get_by_role("slider", name=re.compile("^noise"))
        noise.focus()
        for _ in range(3):
            page.keyboard.press("PageUp")
        assert "outside the hypothesis" in noise.get_attribute("aria-valuetext")
        expect(verdict).to_contain_text("fails")
        assert "Used in lines 5 and 8, tolerance and rounding." in verdict.inner_text()
        assert "The event of Lemma B.1 fails on this draw" in verdict.inner_text()
        assert page.locator(".rm-unproved").count() == 2  # dotted: no longer proved
        assert "leave the bracket" in page.locator(".rm-picture svg").text_content()
        assert "it fails here" in page.locator('.rm-rail [data-line="5"]').get_attribute("aria-label")
        page.get_by_role("button", name="put it right").click()
        expect(verdict).to_contain_text("All hypotheses hold")
        page.get_by_text("Yes/No", exact=True).click()
        expect(verdict).to_contain_text("all four answer Yes or No")
        page.get_by_role("button", name="all values share a token").click()
        expect(heading(page)).to_have_text("7. Let values share tokens")
        expect(page.locator(".rm-picture svg")).to_contain_text("below zero")
        said = page.locator(".rm-picture svg").get_attribute("aria-label")
        page.get_by_role("button", name="another draw").click()
        rest(page)
        assert page.locator(".rm-picture svg").get_attribute("aria-label") != said
        assert log == []


def test_on_a_phone_the_cloud_stays_in_sight_while_a_slider_moves(browser, tmp_path):
    with open_at(browser, tmp_path, 390, height=844)(line=5, shown=5) as (page, log):
        rest(page)
        page.get_by_role("slider", name=re.compile("^noise")).scroll_into_view_if_needed()
        for name in (".rm-picture svg", '[data-knob="v"]'):
            box = page.locator(name).bounding_box()
            assert box["y"] >= 0 and box["y"] + box["height"] <= 844, name
        assert log == []


def test_two_figures_of_a_page_keep_apart(browser, tmp_path):
    figures = proof_explorer(), proof_explorer(layout="star")
    with shown(browser, tmp_path, *figures) as (page, log):
        rest(page)
        names = page.locator(".rm-seg input").evaluate_all("all => new Set(all.map(one => one.name)).size")
        checked = page.locator(".rm-seg input:checked").evaluate_all("all => all.map(one => one.value)")
        assert names == 2 and checked == ["chain", "star"]
        assert violations(page, alone=True) == [] and log == []


def test_paper_shows_the_result_without_anything_to_press(browser, tmp_path):
    with open_at(browser, tmp_path)() as (page, log):
        rest(page)
        page.emulate_media(media="print")
        expect(heading(page)).to_have_text("9. Speed times time")
        assert page.locator(".rm-go, .rm-tries, .rm-track").evaluate_all(
            "all => all.every(e => !e.getClientRects().length)"
        )
        assert "×\u20096.0" in page.locator(".rm-rail").inner_text()
        assert len(page.pdf()) > 10_000
        page.emulate_media(media="screen")
        expect(heading(page)).to_have_text("1. Put every statement on its mean")
        assert log == []


def test_without_motion_everything_stands_at_once(browser, tmp_path):
    with open_at(browser, tmp_path, reduced_motion="reduce")(line=5) as (page, log):
        page.wait_for_selector(".rm-stage svg text", state="attached")
        page.get_by_role("button", name="Just show me").click()
        expect(page.locator(".rm-result")).to_contain_text("The bet is won")
        first = page.locator(".rm-picture svg").inner_html()
        page.wait_for_timeout(300)
        assert page.locator(".rm-picture svg").inner_html() == first and log == []
