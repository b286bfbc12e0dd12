"""The built book as one PDF, `_build/reward-margins.pdf`: its pages in order, printed by a headless Chromium.

    python -m book.tools.pdf

The articles of all pages are put into one document, in which every link of the book leads to its place; the solutions
stand at the end. Figures that move are drawn for the paper, with the values that their sliders have.
"""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from posixpath import dirname, join, normpath

import yaml
from bs4 import BeautifulSoup, Tag
from playwright.sync_api import Page, sync_playwright

from .site import SITE, STATE, launch, serving
from .source import ROOT

PDF = "reward-margins.pdf"
WIDTH, SIDE = 210, 17  # of the paper and its margins at left and right, in mm
COLUMN = round((WIDTH - 2 * SIDE) / 25.4 * 96)  # what is between the margins, in pixels
FOOTER = ('<div style="width:100%;font:8pt sans-serif;color:#565d66;text-align:center">'
          '<span class="pageNumber"></span></div>')
DROPPED = ('script:not([type*="widget-view"])', "button", ".headerlink", ".toggle-button", "nav", "noscript",
           "#print-main-content", ".rm-skip")


def names(root: Path) -> list[str]:
    """The pages of the book in their order, such as "chapters/03_interaction"."""
    toc = yaml.safe_load((root / "book" / "_toc.yml").read_text(encoding="utf-8"))
    parts = toc.get("parts") or [toc]
    return [toc["root"], *(entry["file"] for part in parts for entry in part.get("chapters", []))]


def anchor(page: str, label: str = "") -> str:
    """Name of a place in the whole document: ids are unique within their page alone."""
    return f"{page}--{label}" if label else page


def article(soup: BeautifulSoup, page: str, pages: Iterable[str]) -> Tag:
    """The article of a built page, with the ids, links and files of the whole document."""
    found = soup.select_one("article.bd-article")
    for dropped in found.select(", ".join(DROPPED)):
        dropped.decompose()
    for node in found.select("[id]"):
        if not node.find_parent("svg"):
            node["id"] = anchor(page, node["id"])
    for node in found.select("[src]"):
        if not node["src"].startswith(("data:", "http:", "https:")):
            node["src"] = normpath(join(dirname(page), node["src"]))
    for link in found.select("a[href]"):
        file, _, label = link["href"].partition("#")
        if not file or not file.startswith(("http:", "https:", "mailto:")):
            target = normpath(join(dirname(page), file)).removesuffix(".html") if file else page
            if target in pages:
                link["href"] = f"#{anchor(target, label)}"
            else:
                del link["href"]
    for fold in found.select("details"):
        fold["open"] = ""
    for fold in found.select(".toggle, .dropdown"):
        fold["class"] = [name for name in fold["class"] if name not in {"toggle", "dropdown"}]
    return found


def document(site: Path, pages: list[str], title: str) -> str:
    """The whole book as one HTML document in the folder of the site."""
    soups = {page: BeautifulSoup((site / f"{page}.html").read_text(encoding="utf-8"), "html.parser") for page in pages}
    head, widgets = soups[pages[0]].head, {"version_major": 2, "version_minor": 0, "state": {}}
    styles = {link["href"].rpartition("_static/")[2]: None for soup in soups.values()
              for link in soup.select('link[rel="stylesheet"]')}
    scripts = {script["src"].rpartition("_static/")[2]: None for soup in soups.values()
               for script in soup.select('script[src*="vendor/"]')}
    settings = next((str(script) for soup in soups.values() for script in soup.select("script:not([src])")
                     if "window.MathJax" in script.get_text()), "")
    for soup in soups.values():
        for state in soup.select(STATE):
            widgets["state"] |= json.loads(state.get_text())["state"]
    bodies, solutions, contents = [], [], []
    for page, soup in soups.items():
        found = article(soup, page, pages)
        heading = found.find("h1")
        words = heading.get_text(" ", strip=True)
        contents.append(f'<li><a href="#{page}">{words}</a></li>')
        own = [solution.extract() for solution in found.select("div.solution")]
        if own:
            solutions.append(f"<h2>{words}</h2>" + "".join(map(str, own)))
        bodies.append(f'<section class="rm-page" id="{page}">{found.decode_contents()}</section>')
    if solutions:
        contents.append('<li><a href="#solutions">Solutions</a></li>')
        bodies.append(f'<section class="rm-page" id="solutions"><h1>Solutions</h1>{"".join(solutions)}</section>')
    links = "".join(f'<link rel="stylesheet" href="_static/{name}">' for name in styles)
    runs = "".join(f'<script defer src="_static/{name}"></script>' for name in scripts)
    state = json.dumps(widgets).replace("</", "<\\/")
    return (
        f'<!DOCTYPE html><html lang="{head.parent.get("lang", "en")}" data-theme="light" data-mode="light">'
        f'<head><meta charset="utf-8"><title>{title}</title>{links}{settings}{runs}</head>'
        f'<body><main class="bd-main"><div class="bd-content"><article class="bd-article rm-book">'
        f'<section class="rm-front"><h1>{title}</h1><ol>{"".join(contents)}</ol></section>{"".join(bodies)}'
        f'</article></div></main><script type="application/vnd.jupyter.widget-state+json">{state}</script>'
        f"</body></html>"
    )


def wait(page: Page, widgets: bool) -> None:
    """Wait until mathematics is set, widgets are drawn and fonts are there."""
    page.evaluate("window.MathJax?.startup?.promise")
    if widgets:
        page.wait_for_selector("html[data-widgets=ready]", state="attached", timeout=120_000)
    page.evaluate("document.fonts.ready")
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def write(root: Path, site: Path = SITE) -> Path:
    """Print the built book; the path of the PDF."""
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    pages = [name for name in names(root) if (site / f"{name}.html").exists()]
    text = document(site, pages, config["title"])
    whole = site / "_whole.html"
    whole.write_text(text, encoding="utf-8")
    target = site.parent / PDF
    try:
        with sync_playwright() as playwright, serving(0, site) as address:
            browser = launch(playwright)
            page = browser.new_page(viewport={"width": COLUMN, "height": 1100}, color_scheme="light")
            page.set_default_timeout(120_000)
            page.emulate_media(media="print")
            page.goto(f"{address}{whole.name}", wait_until="load")
            wait(page, widgets="widget-view" in text and "static-widgets.js" in text)
            side = f"{SIDE}mm"
            page.pdf(path=target, format="A4", print_background=True, display_header_footer=True,
                     header_template="<i></i>", footer_template=FOOTER, outline=True, tagged=True,
                     margin={"top": "18mm", "bottom": "18mm", "left": side, "right": side})
            browser.close()
    finally:
        whole.unlink()
    return target


def main() -> None:
    """Command line."""
    if not (SITE / "index.html").exists():
        sys.exit(f"There are no built pages in {SITE}: run `make book` first.")
    path = write(ROOT)
    print(f"{path}, {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
