"""One source for every pin, and an install that leaves a notebook service's own packages alone."""

import tomllib
from pathlib import Path

import pytest
import yaml

from book.tools import lock

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PINS = lock.read_pins((ROOT / "requirements.lock").read_text())


def test_environment_yml_is_what_the_lock_gives():
    assert (ROOT / "environment.yml").read_text() == lock.environment(PINS, PROJECT)


def test_environment_yml_reads_as_conda_reads_it():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    pip = next(entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict))
    pins = dict(line.split("==") for line in pip if "==" in line)
    assert pins and all(PINS[name] == version for name, version in pins.items())


def test_the_lock_pins_every_direct_requirement():
    wanted = lock.direct_requirements(PROJECT, ("book", "lab", "test"))
    assert not [name for name in wanted if name not in PINS]


@pytest.mark.parametrize("name", ["torch", "numpy", "ipywidgets"])
def test_the_runner_keeps_its_own(name):
    requirement = next(line for line in PROJECT["dependencies"] if line.startswith(name))
    assert ">=" in requirement and "==" not in requirement


def test_jupyterlab_reads_the_notebooks_as_plain_markdown():
    # In a browser, jupyterlab-myst 2.7 showed every folded proof and solution empty and lost links inside a notebook.
    assert "jupyterlab-myst" not in PINS
    assert "jupyterlab-myst" not in lock.direct_requirements(PROJECT, ("book", "lab", "test"))


def test_a_drifted_pin_is_noticed():
    moved = PINS | {"numpy": "0.0.1"}
    assert lock.environment(moved, PROJECT) != (ROOT / "environment.yml").read_text()
