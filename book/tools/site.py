"""The built pages: a server of them, a browser, and a page that is open with its failures noted.

    python -m book.tools.site serve [--port 8000]    show the built pages
    python -m book.tools.site browser                find a Chromium or install one, and say where it is

A Chromium is the system's, else Debian's package where root may install it, else Playwright's own download.
"""

import argparse
import functools
import http.server
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from .source import ROOT

if TYPE_CHECKING:  # the build and the server do without a browser, and a reader's environment has none
    from playwright.sync_api import Browser, Page, Playwright

SITE = Path(os.environ.get("REWARD_MARGINS_SITE", ROOT / "_build" / "html"))
MISSING = f"There are no built pages in {SITE}: run `make book` first."
FLAGS = ("--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
         "--disable-component-update --disable-sync").split()
STATE = 'script[type="application/vnd.jupyter.widget-state+json"]'
PORT = 8000
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find() -> str | None:
    """Path of an installed Chromium, Playwright's included, or None."""
    system = next(filter(None, map(shutil.which, NAMES)), None)
    return system or _playwrights_own()


def install() -> None:
    """Install Debian's package where that is possible, else Playwright's own browser."""
    if shutil.which("apt-get") and os.geteuid() == 0:
        print("No Chromium was found: installing Debian's package with apt-get", flush=True)
        quiet = {"check": False, "stdout": subprocess.DEVNULL}
        subprocess.run(["apt-get", "update", "-qq"], **quiet)
        command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"]
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(command, env=environment, **quiet)
    if find() is None:
        print("No Chromium was found: playwright installs its own", flush=True)
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)


def _playwrights_own() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def site_pages() -> list[str]:
    """Every page of the built book, as a path below its root; one entry that fails where nothing is built."""
    found = sorted(str(path.relative_to(SITE)) for path in SITE.rglob("*.html")
                   if not {"_static", "_sources"} & set(path.relative_to(SITE).parts))
    return found or ["index.html"]


def pages_with_explorers() -> list[str]:
    """The pages that carry at least one interactive figure; one entry that fails where nothing is built."""
    found = [name for name in site_pages() if (SITE / name).exists() and "rm-explorer" in _text(name)]
    return found or ["index.html"]


def launch(playwright: "Playwright") -> "Browser":
    """Chromium of the system, else Playwright's own."""
    return playwright.chromium.launch(executable_path=find(), args=FLAGS)


@contextmanager
def served() -> Iterator[str]:
    """Address of a server of the built pages on this machine, on any free port."""
    with serving(0) as address:
        yield address


@contextmanager
def serving(port: int, folder: Path | None = None) -> Iterator[str]:
    """Address of a server of the built pages, or of a folder; `port` 0 takes any. OSError where it is taken."""
    handler = functools.partial(_Quiet, directory=str(folder or SITE))
    with http.server.ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


def show(port: int, until: Callable[[], object]) -> None:
    """Serve the built pages at `port` or, where that is taken, at another one, as long as `until` runs."""
    if not (SITE / "index.html").exists():
        sys.exit(MISSING)
    for candidate in (port, 0):
        try:
            with serving(candidate) as address:
                print(f"The book is at {address}; Ctrl+C ends this.", flush=True)
                until()
            return
        except OSError:
            print(f"Port {port} is taken.")
        except KeyboardInterrupt:
            return


@contextmanager
def visit(
    browser: "Browser", base: str, name: str, *, width=1280, height=900, scheme="light"
) -> Iterator[tuple["Page", list[str]]]:
    """An open page and the list of what went wrong on it: foreign requests, failures, errors of scripts."""
    assert (SITE / name).exists(), MISSING
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    page, log = context.new_page(), []
    allowed = (base, "data:", "blob:")
    page.on("request", lambda r: r.url.startswith(allowed) or log.append(f"foreign request {r.url}"))
    # A redirect leaves its page before the icon has come: that request is aborted, and nothing is missing.
    page.on("requestfailed", lambda r: "ABORTED" in r.failure or log.append(f"failed {r.url}"))
    page.on("response", lambda r: r.status < 400 or log.append(f"{r.status} {r.url}"))
    page.on("console", lambda m: m.type == "error" and log.append(f"console: {m.text}"))
    page.on("pageerror", lambda e: log.append(f"script: {e}"))
    try:
        page.goto(base + name, wait_until="networkidle")
        if page.locator(STATE).count():
            page.wait_for_selector("html[data-widgets=ready]", state="attached", timeout=20_000)
        page.evaluate("window.MathJax?.startup?.promise")
        yield page, log
    finally:
        context.close()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def _text(name: str) -> str:
    return (SITE / name).read_text(encoding="utf-8")


def browser() -> None:
    """Leave the machine with a browser, or say in one sentence that there is none."""
    if find() is None:
        install()
    path = find()
    if path is None:
        sys.exit("No Chromium was found and none could be installed; install Chromium and try again.")
    print(f"Browser for the page tests: {path}")


def main(arguments: list[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m book.tools.site", description=__doc__.splitlines()[0])
    parser.add_argument("task", choices=("serve", "browser"))
    parser.add_argument("--port", type=int, default=PORT)
    options = parser.parse_args(arguments)
    browser() if options.task == "browser" else show(options.port, threading.Event().wait)


if __name__ == "__main__":
    main()
