"""What the tests of figures that are played in share: the smallest letters, and stillness."""

from playwright.sync_api import Page

SMALL = """least => [...document.querySelectorAll('.rm-stage *')].filter(e => e.getClientRects().length &&
    [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) && parseFloat(getComputedStyle(e).fontSize) < least)
    .map(e => e.textContent)"""
WIDER = """() => [...document.querySelectorAll('.rm-stage')]
    .map(e => [e, ...e.querySelectorAll('svg text, p, button, b')].filter(part => part.getClientRects().length)
        .map(part => part.getBoundingClientRect().right - e.getBoundingClientRect().right))
    .flat().filter(x => x > 1).length"""


def small_texts(page: Page, least: float = 12) -> list[str]:
    """Words of the figures that are drawn with letters of less than `least` pixels."""
    return page.evaluate(SMALL, least)


def overhang(page: Page) -> int:
    """How many words and buttons of the figures reach beyond their frame, or the page beyond its window."""
    return page.evaluate(WIDER) + page.evaluate("Number(document.scrollingElement.scrollWidth > innerWidth)")


def rest(page: Page) -> None:
    """Wait until the picture stands still: the longest movement lasts 1.1 seconds."""
    page.wait_for_selector(".rm-stage svg text", state="attached")
    page.wait_for_timeout(1250)


def finger(page: Page, start: tuple[float, float], way: tuple[float, float], steps: int = 6) -> None:
    """One finger put down at `start` of the window and drawn by `way`, as the browser gets it from a screen."""
    session = page.context.new_cdp_session(page)

    def touch(kind: str, share: float) -> None:
        points = [] if kind == "touchEnd" else [{"x": start[0] + share * way[0], "y": start[1] + share * way[1]}]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        page.wait_for_timeout(20)

    touch("touchStart", 0)
    for step in range(1, steps + 1):
        touch("touchMove", step / steps)
    touch("touchEnd", 1)
    page.wait_for_timeout(150)
