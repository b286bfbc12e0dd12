"""What the tests of built pages share: opening folds, axe, and one explorer of a page with what Python says of it."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from axe_playwright_python.base import AXE_SCRIPT
from ipywidgets.embed import embed_data
from playwright.sync_api import Browser, Locator, Page

from book.tools.site import SITE, STATE, pages_with_explorers, site_pages, visit
from book.tools.source import ROOT
from helpers.explore.grid import grid_numbers

__all__ = ["SITE", "pages_with_explorers", "site_pages", "visit"]  # as well as what is below

WHOLE = "region landmark-one-main page-has-heading-one".split()  # rules about a whole page
VIEW = 'script[type="application/vnd.jupyter.widget-view+json"]'


def open_folds(page: Page) -> int:
    """Open every fold of the article as a reader does; return how many there were."""
    folds = page.locator(".bd-article details:not([open]) > summary")
    count = folds.count()
    for _ in range(count):
        folds.first.click()
    hidden = page.locator(".bd-article .toggle-hidden > .admonition-title")
    toggles = hidden.count()
    for _ in range(toggles):
        hidden.first.click()
    # A fold fades in: what is half there has half its contrast.
    page.evaluate("document.getAnimations().forEach(animation => animation.finish())")
    return count + toggles


def violations(page: Page, alone: bool = False) -> list[str]:
    """Findings of axe-core of every grade, one line each; of a figure `alone`, without what only a whole page has."""
    page.evaluate(AXE_SCRIPT)
    # preload makes axe fetch style sheets again, from wrong addresses where one imports another
    options = "{resultTypes: ['violations'], preload: false}"
    found = page.evaluate(f"axe.run(document, {options})")["violations"]
    return [f"{v['impact']} {v['id']}: {v['help']}: {[n['target'] for n in v['nodes'][:4]]}"
            for v in found if not (alone and v["id"] in WHOLE)]


def overflow(page: Page) -> int:
    """Pixels by which the page is wider than its window."""
    return page.evaluate("document.scrollingElement.scrollWidth - innerWidth")


def standalone(*explorers: object, scheme: str = "light") -> str:
    """A page that holds explorers alone, with the book's own script and styles and no kernel."""
    data = embed_data(views=explorers, drop_defaults=False)
    static = ROOT / "book" / "static"
    styles = [static / "vendor" / "static-widgets.css", static / "marks.css", static / "book.css"]
    links = "".join(f'<link rel="stylesheet" href="{path.as_uri()}">' for path in styles)
    def held(kind: str, state: object) -> str:
        text = json.dumps(state).replace("</", "<\\/")
        return f'<script type="application/vnd.jupyter.widget-{kind}+json">{text}</script>'

    views = "".join(held("view", spec) for spec in data["view_specs"])
    script = (static / "vendor" / "static-widgets.js").as_uri()
    return (
        f'<!doctype html><html lang="en" data-theme="{scheme}"><head><meta charset="utf-8"><title>Explorer</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">{links}'
        "<style>:root { --pst-color-text-base: #22262b } html { background: var(--rm-page) } body { margin: 0 auto; "
        f'max-width: 47rem; padding: 12px }}</style></head><body><main class="bd-article">{views}</main>'
        f'{held("state", data["manager_state"])}<script src="{script}"></script></body></html>'
    )


@contextmanager
def shown(browser: Browser, tmp_path: Path, *explorers: object, width: int = 1000, height: int = 900,
          scheme: str = "light", **context: object) -> Iterator[tuple[Page, list[str]]]:
    """The standalone page of explorers, open and drawn, and the list of what went wrong on it."""
    path = tmp_path / f"explorer-{scheme}.html"
    path.write_text(standalone(*explorers, scheme=scheme), encoding="utf-8")
    opened = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, **context)
    page, log = opened.new_page(), []
    near = ("file:", "data:", "blob:")
    page.on("request", lambda r: r.url.startswith(near) or log.append(f"foreign request {r.url}"))
    page.on("console", lambda m: m.type == "error" and log.append(f"console: {m.text}"))
    page.on("pageerror", lambda e: log.append(f"script: {e}"))
    try:
        page.goto(path.as_uri())
        page.wait_for_selector("html[data-widgets=ready]", state="attached", timeout=20_000)
        page.wait_for_function("[...document.querySelectorAll('.rm-figure')].every(f => f.querySelector('svg *'))")
        yield page, log
    finally:
        opened.close()


class Panel:
    """One explorer of an open page: its controls, its caption, and what Python says the caption must hold."""

    def __init__(self, page: Page, index: int):
        self.page = page
        self.box = page.locator(".rm-explorer").nth(index)
        self.caption = self.box.locator(".rm-caption")
        states = json.loads(page.locator(STATE).text_content())["state"]
        views = [json.loads(text)["model_id"] for text in page.locator(VIEW).all_text_contents()]
        held = {view: states[view]["state"] for view in views if view in states}
        shown = [view for view, state in held.items() if "rm-explorer" in state.get("_dom_classes", [])]
        children = [child.removeprefix("IPY_MODEL_") for child in held[shown[index]]["children"]]
        figure = next(states[child] for child in children if "setting" in states[child]["state"])
        buffers = {held["path"][0]: base64.b64decode(held["data"]) for held in figure.get("buffers", [])}
        self.state = figure["state"] | buffers
        self.kind = self.state["setting"]["kind"]

    @property
    def ranges(self) -> Locator:
        """Its sliders, the cursor of the drawing among them."""
        return self.box.locator("input[type=range]")

    @property
    def groups(self) -> Locator:
        """Its groups of buttons."""
        return self.box.locator(".rm-segments")

    def sliders(self) -> dict[str, str]:
        """What the controls announce, by their names; also tells that each has both."""
        ranges = """all => all.map(h => [
            h.getAttribute('aria-label') ?? h.closest('label').querySelector('span').textContent,
            h.getAttribute('aria-valuetext')])"""
        groups = """all => all.map(g => [g.querySelector('legend').textContent,
                                         g.querySelector('input:checked + span').textContent])"""
        found = dict(self.ranges.evaluate_all(ranges) + self.groups.evaluate_all(groups))
        assert all(name and value for name, value in found.items()), f"a control lacks a name or value: {found}"
        return found

    def controls(self) -> list[Locator]:
        """Its sliders and its groups of buttons, one after another."""
        return [*self.ranges.all(), *self.groups.all()]

    def press(self, control: Locator) -> None:
        """One key press to the right, or to the left at the right end."""
        before = self.sliders()
        held = control.locator("input:checked") if control.evaluate("c => c.matches('.rm-segments')") else control
        held.press("ArrowRight")
        if self.sliders() == before:
            held.press("ArrowLeft")

    def to(self, control: Locator, end: str) -> None:
        """Move a control to its "first" or "last" place by keys."""
        if control.evaluate("c => c.matches('.rm-segments')"):
            control.locator("input").nth(0 if end == "first" else -1).check(force=True)
        else:
            control.press("Home" if end == "first" else "End")

    def pull(self, control: Locator) -> None:
        """Move a control by the mouse: drag the drawing or a slider to one of its ends, click another button."""
        if control.evaluate("c => c.matches('.rm-segments')"):
            control.locator("label:not(:has(:checked))").first.click()
            return
        before = self.sliders()
        control.scroll_into_view_if_needed()
        box = control.bounding_box()
        y = box["y"] + box["height"] / 2
        for a, b in ((0.5, 0.99), (0.5, 0.1)):             # the second way where it stood at its right end
            if self.sliders() == before:
                self.page.mouse.move(box["x"] + a * box["width"], y)
                self.page.mouse.down()
                self.page.mouse.move(box["x"] + b * box["width"], y + 0.4 * box["height"], steps=4)
                self.page.mouse.up()

    def numbers(self) -> dict[str, float]:
        """The caption's numbers, unrounded, by their names."""
        read = "all => all.map(b => [b.dataset.name, Number(b.dataset.value)])"
        return dict(self.caption.locator("b[data-name]").evaluate_all(read))

    def beads(self) -> list[float]:
        """The margins that the beads of a figure of statements announce."""
        labels = self.box.locator(".rm-hit").evaluate_all("all => all.map(e => e.getAttribute('aria-label'))")
        return [float(label.rsplit("margin ", 1)[1].rstrip(")").replace("−", "-")) for label in labels]

    def drawing(self) -> str:
        """The figure's drawing, to tell whether it moved."""
        return self.box.locator(".rm-plot").inner_html()

    def expected(self) -> dict[str, float]:
        """The caption's numbers as Python computes them for what the controls announce."""
        return grid_numbers(self.state["setting"], self.state["data"], self.sliders())
