"""Pin what is installed: write `requirements.lock` and, from it and pyproject.toml, `environment.yml`."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PYTHON = "3.11"


def read_pins(lock: str) -> dict[str, str]:
    """Map each normalized project name in the text of a lock file to its version."""
    lines = (line.strip() for line in lock.splitlines())
    pairs = (line.split("==") for line in lines if line and not line.startswith("#"))
    return {normalize(name): version for name, version in pairs}


def normalize(name: str) -> str:
    """The form of a project name that package indexes compare."""
    return re.sub(r"[-_.]+", "-", name).lower()


def direct_requirements(project: dict, extras: tuple[str, ...]) -> list[str]:
    """Names that pyproject.toml asks for itself, with those of `extras`."""
    lines = list(project["dependencies"])
    for extra in extras:
        lines += project["optional-dependencies"][extra]
    names = {normalize(re.match(r"[\w.-]+", line).group()) for line in lines}
    return sorted(names - {"pip"})  # conda brings pip itself, and a freeze leaves it out


def environment(pins: dict[str, str], project: dict) -> str:
    """Text of `environment.yml`: Python, the direct requirements at their pins, the rest by constraint."""
    names = direct_requirements(project, ("book", "lab"))
    lines = [
        "# Written by `make lock` from requirements.lock; a test compares the two.",
        "name: reward-margins",
        "channels: [conda-forge]",
        "dependencies:",
        f"  - python={PYTHON}",
        "  - pip",
        "  - pip:",
        "      - --constraint requirements.lock",
        *(f"      - {name}=={pins[name]}" for name in names),
        "      - --editable .",
    ]
    return "\n".join(lines) + "\n"


def freeze() -> str:
    """Text of `requirements.lock` from the running environment, without local version labels."""
    command = [sys.executable, "-m", "pip", "freeze", "--exclude-editable"]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return re.sub(r"\+\w+$", "", out, flags=re.MULTILINE)


def main() -> None:
    """Write both files."""
    lock = freeze()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (ROOT / "requirements.lock").write_text(lock)
    (ROOT / "environment.yml").write_text(environment(read_pins(lock), project))


if __name__ == "__main__":
    main()
