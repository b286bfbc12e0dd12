"""The frame around an interactive figure, in a browser: mouse, touch, keys, paper, both schemes, a phone."""

import numpy as np
import pytest
from scripts import SCRIPTS

from helpers.explore.curves import Curve
from helpers.explore.grid import grid_explorer
from helpers.explore.widgets import Figure
from pages import Panel, overflow, shown, violations

LAYOUTS = ["own answers", "one shared answer", "Yes and No for all"]
BETAS = [0.1, 0.2, 0.4, 0.8, 1.6, 3.2]
X = list(range(0, 101, 5))


def explorer(**changes):
    values = np.array(BETAS)[:, None, None] * (1 + np.arange(3))[:, None] * np.array(X) / 100
    arguments = {
        "x": X, "x_name": "steps", "knobs": {"β": BETAS, "answers": LAYOUTS}, "y_name": "margin (nats)",
        "curves": [Curve("line", values, "predicted")], "margin": "line", "at": {"β": 0.4},
        "caption": "After {steps} steps with β = {β} and {answers}: {line}.", "title": "A title </SCRIPT><b>bold</b>",
    }
    return grid_explorer(**arguments | changes)


def right(panel):
    """The caption is what Python computes for what the controls announce."""
    assert panel.numbers() == pytest.approx(panel.expected(), rel=1e-12)
    return panel.sliders()


@pytest.mark.parametrize("width", [390, 1400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_figure_is_whole_readable_and_accessible(browser, tmp_path, width, scheme):
    with shown(browser, tmp_path, explorer(), width=width, height=844, scheme=scheme) as (page, log):
        panel = Panel(page, 0)
        right(panel)
        title = panel.box.locator(".rm-title").text_content()
        assert title.replace("\N{WORD JOINER}", "") == "A title </SCRIPT><b>bold</b>"
        assert overflow(page) <= 0 and violations(page, alone=True) == [] and log == []
        small = """all => all.filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())
            && e.getClientRects().length && parseFloat(getComputedStyle(e).fontSize) < 12).map(e => e.textContent)"""
        assert panel.box.locator("*").evaluate_all(small) == []
        edge = panel.box.bounding_box()
        assert edge["y"] + edge["height"] <= 844            # controls, plot and caption on one screen
        for part in panel.box.locator("text, label, p, li").all():
            box = part.bounding_box()
            assert box is None or (box["x"] >= edge["x"] and box["x"] + box["width"] <= edge["x"] + edge["width"] + 1)


def test_sizes_do_not_follow_the_root_of_a_notebook(browser, tmp_path):
    with shown(browser, tmp_path, explorer()) as (page, _):
        sizes = "all => [...new Set(all.map(e => `${e.getAttribute('class')} ${getComputedStyle(e).fontSize}`))].sort()"
        before = page.locator(".rm-explorer *").evaluate_all(sizes)
        page.add_style_tag(content="html { font-size: 10px } body { font-size: 10px }")   # as Notebook 6 has it
        assert page.locator(".rm-explorer *").evaluate_all(sizes) == before


def test_by_mouse(browser, tmp_path):
    with shown(browser, tmp_path, explorer()) as (page, log):
        panel = Panel(page, 0)
        assert "drag" in panel.drawing()
        box = panel.box.locator(".rm-plot").bounding_box()
        page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 100)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] - 14, box["y"] + 30, steps=5)
        page.mouse.up()
        assert right(panel)["steps"] == "100" and "drag" not in panel.drawing()
        page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 30)       # no button, no move
        assert right(panel)["steps"] == "100"
        panel.groups.locator("label", has_text=LAYOUTS[2]).click()
        assert right(panel)["answers"] == LAYOUTS[2]
        assert "before: answers = one shared answer" in panel.box.locator(".rm-key").text_content()
        assert log == []


def test_figures_of_one_page_do_not_share_their_buttons(browser, tmp_path):
    with shown(browser, tmp_path, explorer(), explorer(at={"answers": LAYOUTS[0]})) as (page, log):
        first, second = Panel(page, 0), Panel(page, 1)
        first.groups.locator("label", has_text=LAYOUTS[2]).click()
        assert (right(first)["answers"], right(second)["answers"]) == (LAYOUTS[2], LAYOUTS[0])
        ids = page.locator(".rm-explorer [id]:not(clipPath)").evaluate_all("all => all.map(e => e.id)")
        assert len(set(ids)) == len(ids) and violations(page, alone=True) == [] and log == []


def test_by_touch(browser, tmp_path):
    with shown(browser, tmp_path, explorer(), width=390, height=844, has_touch=True, is_mobile=True) as (page, log):
        panel = Panel(page, 0)
        box = panel.box.locator(".rm-plot").bounding_box()
        page.touchscreen.tap(box["x"] + box["width"] - 16, box["y"] + 60)
        assert right(panel)["steps"] == "100"
        cdp = page.context.new_cdp_session(page)
        def finger(kind, x, y):
            points = [] if kind == "touchEnd" else [{"x": x, "y": y}]
            cdp.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        y = box["y"] + 120
        finger("touchStart", box["x"] + 300, y)
        for x in range(300, 140, -10):
            finger("touchMove", box["x"] + x, y)
        finger("touchEnd", 0, 0)
        moved = int(right(panel)["steps"])
        assert 5 <= moved <= 60                                             # a finger that slides sideways drags
        finger("touchStart", box["x"] + 300, y)
        for dy in range(0, 100, 10):
            finger("touchMove", box["x"] + 300, y - dy)
        finger("touchEnd", 0, 0)
        assert right(panel)["steps"] == str(moved)                          # up and down scrolls the page
        panel.groups.locator("label", has_text=LAYOUTS[0]).tap()
        assert right(panel)["answers"] == LAYOUTS[0] and log == []


def test_by_keys(browser, tmp_path):
    with shown(browser, tmp_path, explorer()) as (page, log):
        panel = Panel(page, 0)
        stops = []
        page.keyboard.press("Tab")
        while page.evaluate("document.activeElement !== document.body") and len(stops) < 9:
            stops.append(page.evaluate("document.activeElement.type"))
            ring = "document.activeElement.matches(':focus-visible')"
            assert page.evaluate(ring)
            page.keyboard.press("Tab")
        assert sorted(stops) == ["radio", "range", "range"]     # one stop a control, the drawing among them
        cursor = panel.box.get_by_role("slider", name="steps")
        cursor.focus()
        for key, steps in (("ArrowRight", "55"), ("End", "100"), ("Home", "0")):
            page.keyboard.press(key)
            assert right(panel)["steps"] == steps
        outline = "getComputedStyle(document.querySelector('.rm-plot')).outlineStyle"
        assert page.evaluate(outline) == "solid"
        panel.box.get_by_role("slider", name="β").focus()
        page.keyboard.press("ArrowLeft")
        assert right(panel)["β"] == "0.2"
        panel.box.get_by_role("radio", name=LAYOUTS[1]).focus()
        page.keyboard.press("ArrowRight")
        assert right(panel)["answers"] == LAYOUTS[2] and log == []


def test_on_paper(browser, tmp_path):
    with shown(browser, tmp_path, explorer(train=print), width=1400) as (page, log):
        page.emulate_media(media="print")
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        panel = Panel(page, 0)
        assert panel.box.locator(".rm-plot").get_attribute("width") == "640"
        assert panel.box.locator(".rm-segments label:visible").all_inner_texts() == [LAYOUTS[1]]
        assert panel.box.locator("output").is_visible()                     # values stay, sliders go
        assert not panel.box.locator(".rm-range input").is_visible()
        assert not panel.box.locator(".rm-live, .rm-hint").first.is_visible()
        page.evaluate("dispatchEvent(new Event('afterprint'))")
        page.emulate_media(media="screen")
        assert int(panel.box.locator(".rm-plot").get_attribute("width")) > 640 and log == []


def test_a_page_without_a_kernel_says_where_to_train(browser, tmp_path):
    with shown(browser, tmp_path, explorer(train=print)) as (page, _):
        assert page.get_by_text("open this chapter in JupyterLab or Colab").is_visible()
        assert page.locator(".rm-explorer button").count() == 0


def test_the_button_is_dead_while_a_run_lasts_and_shows_how_far_it_is(browser, tmp_path):
    frame = """(script) => {
        const blob = new Blob([script], { type: 'text/javascript' });
        return import(URL.createObjectURL(blob)).then(({ default: widget }) => {
            const setting = { title: 't', train: 'elsewhere', sliders: [], controls: [] };
            const held = { setting, running: [], status: '' };
            const calls = [];
            window.sent = [];
            window.model = { get: (n) => held[n], on: (names, call) => calls.push([names, call]), off() {},
                set(n, v) { held[n] = v; calls.filter(([names]) => names.includes(n)).forEach(([, call]) => call()); },
                save_changes() {}, send: (m) => window.sent.push(m) };
            const el = document.createElement('div');
            document.body.append(el);
            widget.render({ model: window.model, el });
        });
    }"""
    script = (SCRIPTS / "shared.js").read_text(encoding="utf-8")
    script += "export default { render: explorer([], () => ({})) };"
    page = browser.new_page()
    page.evaluate(frame, script)
    button, progress = page.locator("button"), page.locator("progress")
    button.dblclick()
    assert page.evaluate("sent") == [{"type": "train"}] and button.is_disabled()     # a double click is one run
    page.evaluate("model.set('running', [3, 10])")
    assert progress.is_visible() and progress.get_attribute("value") == "3" and progress.get_attribute("max") == "10"
    page.evaluate("model.set('status', 'done: steps = 5'); model.set('running', [])")
    assert button.is_enabled() and not progress.is_visible()
    assert page.locator("[role=status]").text_content() == "done: steps = 5"
    page.close()


SENTENCE = (
    "stopped: lr must be a finite number above 0 and at most 2 / L_s, the largest step for which gradient descent "
    "follows the flow on the embeddings of these statements, got 12345.678"
)


@pytest.mark.parametrize("width", [390, 1000])
def test_the_sentence_of_an_error_is_read_to_its_end(browser, width):
    page = browser.new_page(viewport={"width": width, "height": 600})
    page.set_content(f"""<style>{Figure._css}</style><div class="rm-explorer"><div class="rm-figure">
        <div class="rm-live"><button class="rm-button">Train</button><span class="rm-status">{SENTENCE}</span>
        </div></div></div>""")
    cut = "e => [e.scrollWidth > e.clientWidth, e.getBoundingClientRect().right > innerWidth]"
    assert page.locator(".rm-live").evaluate(cut) == [False, False]
    page.close()
