"""The rules of the house that a machine can keep: imports go down, mathematics is light, loading is safe."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HELPERS = ROOT / "src" / "helpers"
# From the ground up: a module imports only from modules before it.
ORDER = """
checks layouts mixture token_rows sequence_pairs sequences sequence_training dynamics
concentration gaussian first_step tracking conflict rate_spread envelopes guarantees conditions slack
bounds risk measured_law losses
files pairs persona preferences
tiny conversion weights hub embedding_cache embedding llm
runs tree_attention recomputing packing gaps trunks updates checkpoints finetuning training answer_states
audit lab
theme figures sequence_figures concentration_figures conflict_figures geometry_figures scaling_figures
panels knobs curves explore_grid explore_proof explore
marking
answers_01 answers_02 answers_03 answers_04 answers_05 answers_06 answers_07 answers_08
answers exercises session
""".split()
LIGHT = ("layouts", "mixture", "sequences", "dynamics", "concentration", "first_step", "tracking", "bounds", "risk")
MODULES = sorted(path.stem for path in HELPERS.glob("*.py") if path.stem != "__init__")


def imports(module):
    """Modules of the package that `module` imports anywhere, inside functions too, those for type checkers excepted."""
    tree, found = ast.parse((HELPERS / f"{module}.py").read_text()), set()
    for node in [n for n in ast.walk(tree) if isinstance(n, ast.If) and ast.unparse(n.test) == "TYPE_CHECKING"]:
        node.body = []  # seen by type checkers only
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            source = node.module or ""
            if node.level:
                found |= {source} if source else {alias.name for alias in node.names}
            elif source.split(".")[0] == "helpers":
                found |= {source.split(".")[1]} if "." in source else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("helpers.")}
    return found


def test_the_order_names_every_module():
    assert sorted(ORDER) == MODULES


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_down(module):
    above = set(ORDER[: ORDER.index(module)])
    assert imports(module) <= above, f"{module} imports {sorted(imports(module) - above)} from above"


@pytest.mark.parametrize("module", LIGHT)
def test_the_mathematics_needs_numpy_and_scipy_alone(module):
    script = (
        f"import sys, helpers.{module}\n"
        "heavy = {'torch', 'transformers', 'pandas', 'seaborn', 'matplotlib', 'ipywidgets'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_no_module_is_a_drawer():
    assert not {"utils", "common", "misc", "helpers", "tools"} & set(MODULES)


def test_modules_are_small():
    lengths = sorted(len((HELPERS / f"{module}.py").read_text().splitlines()) for module in MODULES)
    assert lengths[len(lengths) // 2] < 150 and lengths[-1] <= 220


@pytest.mark.parametrize("path", [*HELPERS.glob("*.py"), *(ROOT / "book").glob("[et]*/*.py")], ids=lambda p: p.stem)
def test_nothing_is_unpickled_and_no_remote_code_runs(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = {alias.name for alias in node.names} | {getattr(node, "module", "") or ""}
            assert not names & {"pickle", "dill", "joblib", "cloudpickle", "shelve"}
        if isinstance(node, ast.Call):
            assert ast.unparse(node.func) != "torch.load"
            for keyword in node.keywords:
                forbidden = keyword.arg in ("trust_remote_code", "allow_pickle")
                assert not (forbidden and ast.unparse(keyword.value) != "False")


@pytest.mark.parametrize("module", MODULES)
def test_public_names_have_docstrings(module):
    tree = ast.parse((HELPERS / f"{module}.py").read_text())
    assert ast.get_docstring(tree), f"{module} has no docstring"
    public = [n for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef) and not n.name.startswith("_")]
    assert not [node.name for node in public if not ast.get_docstring(node)]
