"""What the tests of built pages share: opening folds, axe, and one explorer of a page with what Python says of it."""

import base64
import json

import numpy as np
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

from book.tools.site import SITE, STATE, launch, pages_with_explorers, served, site_pages, visit
from helpers import explore
from helpers.explore.grid import grid_numbers
from helpers.explore.stepper import proof_numbers
from helpers.explore.widgets import Q_NAME
from helpers.layouts import TokenLayout
from helpers.statistics import wilson_interval

__all__ = ["SITE", "launch", "pages_with_explorers", "served", "site_pages", "visit"]  # as well as what is below

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


def violations(page: Page) -> list[str]:
    """Serious and critical findings of axe-core, one line each."""
    page.evaluate(AXE_SCRIPT)
    # preload makes axe fetch style sheets again, from wrong addresses where one imports another
    options = "{resultTypes: ['violations'], preload: false}"
    found = page.evaluate(f"axe.run(document, {options})")["violations"]
    return [f"{v['impact']} {v['id']}: {v['help']}: {[n['target'] for n in v['nodes'][:4]]}"
            for v in found if v["impact"] in ("serious", "critical")]


def overflow(page: Page) -> int:
    """Pixels by which the page is wider than its window."""
    return page.evaluate("document.scrollingElement.scrollWidth - innerWidth")


class Panel:
    """One explorer of an open page: its sliders, its caption, and what Python says the caption must hold."""

    def __init__(self, page: Page, index: int):
        self.box = page.locator(".rm-explorer").nth(index)
        self.handles = self.box.locator(".noUi-handle")
        self.tracks = self.box.locator(".noUi-target")
        self.caption = self.box.locator(".rm-caption")
        states = json.loads(page.locator(STATE).text_content())["state"]
        views = [json.loads(text)["model_id"] for text in page.locator(VIEW).all_text_contents()]
        held = {view: states[view]["state"] for view in views if view in states}
        shown = [view for view, state in held.items() if "rm-explorer" in state.get("_dom_classes", [])]
        children = [child.removeprefix("IPY_MODEL_") for child in held[shown[index]]["children"]]
        figure = next(states[child] for child in children if "setting" in states[child]["state"])
        buffers = {held["path"][0]: base64.b64decode(held["data"]) for held in figure.get("buffers", [])}
        self.state = figure["state"] | buffers

    def sliders(self) -> dict[str, str]:
        """What the sliders announce, by their names; also tells that each has both."""
        read = "all => all.map(h => [h.getAttribute('aria-label'), h.getAttribute('aria-valuetext')])"
        found = dict(self.handles.evaluate_all(read))
        assert all(name and value for name, value in found.items()), f"a slider lacks a name or value: {found}"
        return found

    def numbers(self) -> dict[str, float]:
        """The caption's numbers, unrounded, by their names."""
        read = "all => all.map(b => [b.dataset.name, Number(b.dataset.value)])"
        return dict(self.caption.locator("b[data-name]").evaluate_all(read))

    def drawing(self) -> str:
        """The figure's drawing, to tell whether it moved."""
        return self.box.locator(".rm-plot").inner_html()

    def expected(self) -> dict[str, float]:
        """The caption's numbers as Python computes them for what the sliders announce."""
        return NUMBERS[self.state["setting"]["kind"]](self.state, self.sliders())


def _margin(state: dict, sliders: dict[str, str]) -> dict[str, float]:
    at, q, b, measured = _runs(state, sliders)
    found = explore.margin_numbers(steps=at["steps"], beta=at["β"], **_some(state["setting"], "K", "lr", "scale"))
    inside = not np.isnan(found["lower"])
    for name in ("horizon",) if inside else ("lower", "upper"):
        del found[name]
    if measured is not None:
        found["measured"] = np.interp(at["steps"], state["recorded"], measured[q, b])
    return found


def _risk(state: dict, sliders: dict[str, str]) -> dict[str, float]:
    (at, q, b, measured), setting = _runs(state, sliders), state["setting"]
    layout = TokenLayout(tuple(map(tuple, setting["pairs"])))
    found = explore.risk_numbers(Q=int(at[Q_NAME]), layout=layout, **_some(setting, "d", "v", "l_b"))
    if measured is not None:
        error = measured[q, b, state["recorded"].index(at["steps"])]
        if not np.isnan(error):
            found["measured"] = error
            if setting["tested"]:
                found["low"], found["high"] = wilson_interval(error, setting["tested"])
    return found


# How Python computes the caption of each kind of figure, from the figure's state and its sliders' words.
NUMBERS = {
    "margin": _margin,
    "risk": _risk,
    "grid": lambda state, sliders: grid_numbers(state["setting"], state["data"], sliders),
    "proof": lambda state, sliders: proof_numbers(state["setting"], state["data"], sliders),
}


def _runs(state: dict, sliders: dict[str, str]) -> tuple[dict[str, float], int, int, np.ndarray | None]:
    """Steps, beta and Q of a figure of runs, the places of Q and beta, and the recorded runs."""
    at = {"steps": state.get("steps"), "β": state["betas"][state["beta_index"]], Q_NAME: state["Qs"][state["q_index"]]}
    at |= {name: float(value.replace(",", "")) for name, value in sliders.items()}
    measured = None
    if state.get("measured"):
        shape = [len(state[name]) for name in ("Qs", "betas", "recorded")]
        measured = np.frombuffer(state["measured"], "<f4").reshape(shape).astype(float)
    return at, state["Qs"].index(at[Q_NAME]), state["betas"].index(at["β"]), measured


def _some(setting: dict, *names: str) -> dict:
    return {name: setting[name] for name in names}
