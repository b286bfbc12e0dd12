"""Find a Chromium for the page tests, or install one; print where it is.

Order: the system's, Debian's package where root may install it, Playwright's own download.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find() -> str | None:
    """Path of an installed Chromium, Playwright's included, or None."""
    system = next(filter(None, map(shutil.which, NAMES)), None)
    return system or _playwrights_own()


def install() -> None:
    """Install Debian's package where that is possible, else Playwright's own browser."""
    if shutil.which("apt-get") and os.geteuid() == 0:
        quiet = {"check": False, "stdout": subprocess.DEVNULL}
        subprocess.run(["apt-get", "update", "-qq"], **quiet)
        command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"]
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(command, env=environment, **quiet)
    if find() is None:
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)


def _playwrights_own() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def main() -> None:
    """Leave the machine with a browser, or say in one sentence that there is none."""
    if find() is None:
        install()
    path = find()
    if path is None:
        sys.exit("No Chromium was found and none could be installed; install Chromium and try again.")
    print(f"Browser for the page tests: {path}")


if __name__ == "__main__":
    main()
