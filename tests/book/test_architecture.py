"""The rules of the house that a machine can keep: imports go down, mathematics is light, loading is safe."""

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HELPERS = ROOT / "src" / "helpers"
THEORY = ("layouts", "mixture", "losses", "sequences", "dynamics", "risk", "bounds")
FILES = sorted(HELPERS.rglob("*.py"))
ROOMS = sorted({path.relative_to(HELPERS).parts[0].removesuffix(".py") for path in FILES} - {"__init__"})
FACES = [room for room in ROOMS if (HELPERS / room / "__init__.py").exists()]
HEAVY = {"torch", "transformers", "pandas", "seaborn", "matplotlib", "ipywidgets"}


def loads(statement):
    """The heavy packages that a fresh Python holds after a statement."""
    script = f"import sys\n{statement}\nprint(*({HEAVY!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    return set(done.stdout.split())


def test_imports_go_down_and_never_round():
    command = [str(Path(sys.executable).with_name("lint-imports")), "pyproject.toml", "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0 and "2 kept, 0 broken" in done.stdout, done.stdout


def test_the_rooms_are_few_and_two_levels_deep():
    assert len(ROOMS) <= 22
    assert max(len(path.relative_to(HELPERS).parts) for path in FILES) <= 2


@pytest.mark.parametrize("room", FACES)
def test_a_face_gives_what_it_names_and_no_module_hides_it(room):
    face = import_module(f"helpers.{room}")
    leaves = {path.stem for path in (HELPERS / room).glob("*.py")}
    assert face.__all__ and not leaves & set(face.__all__)  # else the import of a leaf would shadow a name
    for public in face.__all__:
        assert getattr(face, public).__module__.startswith(f"helpers.{room}."), public


@pytest.mark.parametrize("room", THEORY)
def test_the_theory_needs_numpy_and_scipy_alone(room):
    assert not loads(f"from helpers.{room} import *")


@pytest.mark.parametrize("room", FACES)
def test_a_face_loads_nothing_before_it_is_asked(room):
    assert not loads(f"import helpers.{room}")


def test_training_the_last_layer_needs_no_torch():
    assert not loads("from helpers.training import Run, train_last_layer")


def test_chapters_import_faces_alone():
    for path in [*(ROOT / "chapters").glob("*.md"), *(ROOT / "book").glob("*.md")]:
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith(("from helpers.", "import helpers.")):
                assert line.split()[1].count(".") == 1, f"{path.name}: {line}"


def test_no_module_is_a_drawer():
    assert not {"utils", "common", "misc", "helpers", "tools"} & {path.stem for path in FILES}


def test_modules_are_short_in_the_median():
    lengths = sorted(len(path.read_text().splitlines()) for path in FILES if path.name != "__init__.py")
    assert lengths[len(lengths) // 2] < 150


@pytest.mark.parametrize("path", [*FILES, *(ROOT / "book").glob("[et]*/*.py")], ids=str)
def test_nothing_is_unpickled_and_no_remote_code_runs(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = {alias.name for alias in node.names} | {getattr(node, "module", "") or ""}
            assert not names & {"pickle", "dill", "cloudpickle", "shelve"}
        if isinstance(node, ast.Call):
            assert ast.unparse(node.func) != "torch.load"
            for keyword in node.keywords:
                forbidden = keyword.arg in ("trust_remote_code", "allow_pickle")
                assert not (forbidden and ast.unparse(keyword.value) != "False")


@pytest.mark.parametrize("path", [path for path in FILES if path != HELPERS / "__init__.py"], ids=str)
def test_public_names_have_docstrings(path):
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree), f"{path} has no docstring"
    public = [n for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef) and not n.name.startswith("_")]
    assert not [node.name for node in public if not ast.get_docstring(node)]
