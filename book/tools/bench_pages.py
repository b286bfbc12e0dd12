"""The built pages in a browser: bytes of a first load, time from a key press to the figure; writes records/pages.json.

    python -m book.tools.bench_pages

It also times `make book` where nothing has changed.  The pages are those of `_build/html`.
"""

import gzip
import json
import subprocess
import time
from pathlib import Path
from statistics import median
from urllib.parse import unquote, urlsplit

from playwright.sync_api import Browser, Page, sync_playwright

from helpers.files import atomic_file

from .run import machine
from .site import SITE, launch, pages_with_explorers, served, site_pages, visit
from .source import ROOT

COMPRESSED = {".css", ".html", ".js", ".json", ".svg", ".txt"}  # fonts and images are so already
# From the event to the new drawing laid out; painting it is the browser's affair.
MOVES = """async handle => {
  const plot = handle.closest('.rm-explorer').querySelector('.rm-plot'), times = [];
  for (const share of [0, 1, 0.9, 0.5, 0.4, 0.1, 0, 1]) {
    times.push(await new Promise(done => {
      const start = performance.now();
      const observer = new MutationObserver(() => {
        plot.getBoundingClientRect();
        finish(performance.now() - start);
      });
      const finish = time => { observer.disconnect(); done(time); };
      observer.observe(plot, { childList: true, subtree: true });
      setTimeout(finish, 500, null);  // the slider stood there
      handle.value = Math.round(share * handle.max);
      handle.dispatchEvent(new Event('input', { bubbles: true }));
    }));
  }
  return times.filter(time => time !== null);
}"""


def first_load(browser: Browser, base: str, name: str) -> tuple[int, int]:
    """Bytes of the files that a page asks for when nothing is cached: text compressed as servers do, and unpacked."""
    asked = set()
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    try:
        page = context.new_page()
        page.on("request", lambda request: asked.add(request.url))
        page.goto(base + name, wait_until="networkidle")
    finally:
        context.close()
    paths = {SITE / unquote(urlsplit(url).path).lstrip("/") for url in asked if url.startswith(base)}
    files = [path for path in paths if path.is_file()]
    return sum(map(_weight, files)), sum(path.stat().st_size for path in files)


def _weight(path: Path) -> int:
    body = path.read_bytes()
    return len(gzip.compress(body) if path.suffix in COMPRESSED else body)


def moves(page: Page) -> list[list[float]]:
    """For each slider of an open page, milliseconds from its move to the figure laid out anew."""
    handles = page.locator(".rm-explorer input[type=range]")
    return [handles.nth(index).evaluate(MOVES) for index in range(handles.count())]


def unchanged_build() -> float:
    """Seconds of `make book` where the one before it has just ended."""
    for _ in range(2):
        start = time.perf_counter()
        subprocess.run(["make", "book"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    """Measure, and write the record."""
    seconds = unchanged_build()
    with sync_playwright() as playwright, served() as base:
        browser = launch(playwright)
        loads = {name: first_load(browser, base, name)[0] for name in site_pages()}
        sliders = {}
        for name in pages_with_explorers():
            with visit(browser, base, name) as (page, _):
                sliders[name] = moves(page)
        version = browser.version
        browser.close()
    largest = max(loads, key=loads.get)
    times = [slider for page in sliders.values() for slider in page]
    presses = [press for slider in times for press in slider]
    rows = [
        dict(name=f"first load of the largest page ({largest}), compressed", value=loads[largest] / 1e3, unit="kB"),
        dict(name=f"key press on a slider to the figure, median of {len(presses)}", value=median(presses), unit="ms"),
        dict(name="the same, median of the slowest slider", value=max(map(median, times)), unit="ms"),
        dict(name="the same, longest of all", value=max(presses), unit="ms"),
        dict(name="make book, nothing changed", value=seconds, unit="s"),
    ]
    record = dict(command="python -m book.tools.bench_pages", machine=machine(), browser=f"Chromium {version}",
                  first_loads=loads, milliseconds=sliders, rows=rows)
    with atomic_file(ROOT / "records" / "pages.json") as part:
        part.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    for row in rows:
        print(f"{row['name']}: {row['value']:.4g} {row['unit']}")


if __name__ == "__main__":
    main()
