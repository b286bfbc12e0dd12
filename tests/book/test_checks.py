"""The table of results: every rot is found on a small book and named with its place; the book has none."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from book.tools import checks
from book.tools.checks import collect, spelled

ROOT = Path(__file__).resolve().parents[2]
CHAPTER = """---
jupytext:
  text_representation: {extension: .md, format_name: myst}
kernelspec: {name: python3, display_name: Python 3}
---

# 3. How one sample moves another

::::{dropdown} The lemma
:::{prf:lemma} 4.1 (paper, repaired): the rate
:label: lem-4-1
:nonumber:
Words.
:::
::::

:::{prf:theorem} 4.2′ (new constants): the envelope
:label: thm-4-2p
:nonumber:
Words.
:::

:::{prf:definition} Reward margin
:label: def-margin
:nonumber:
Words.
:::
"""
REGISTRY = r"""
'4.1':
  statement: Every margin grows at the rate $\tau\dot r_j$.
  functions: [dynamics.flow, dynamics.Trajectory.w]
4.2′:
  also: [B.3]
  statement: Margins stay in an envelope.
  functions: [bounds.envelope]
N5:
  later: true
  status: new
  statement: The risk follows a law.
  functions: [dynamics.LIMIT]
"""
DYNAMICS = """
LIMIT = 3.0

def flow():
    pass

class Trajectory:
    w: float
"""
TESTS = """
import pytest
from theorems import search

@pytest.mark.theorem("4.1")
def test_rate(): ...

@pytest.mark.theorem("4.1")
class TestAll:
    @pytest.mark.theorem("T4.2'")
    def test_envelope(self): ...

    def test_rate(self): ...

    def helper(self): ...

@pytest.mark.parametrize("x", [1, pytest.param(2, marks=pytest.mark.theorem("N5"))])
def test_law(x): ...

@search("4.1", "N5", "B.3", draws=3)
def test_many(): ...
"""
FILES = {
    "chapters/03_interaction.md": CHAPTER,
    "book/results.yml": REGISTRY,
    "src/helpers/dynamics.py": DYNAMICS,
    "src/helpers/bounds/envelopes.py": "def envelope(): ...\n",
    "src/helpers/bounds/proof.py": "def slack(): ...\n",
    "tests/dynamics/test_flow.py": TESTS,
    "tests/test_more.py": "import pytest\n\npytestmark = pytest.mark.theorem('4.1')\n\ndef test_again(): ...\n",
}
CONFIG = f"""
title: Small
only_build_toc_files: true
execute: {{execute_notebooks: "off"}}
parse: {{myst_enable_extensions: [colon_fence, dollarmath]}}
sphinx:
  extra_extensions: [sphinx_proof, sphinx_design]
  local_extensions: {{book.extensions.results: {ROOT}, book.extensions.page_hygiene: {ROOT}}}
"""
BUILD = "from jupyter_book.cli.main import main; main()"


@pytest.fixture
def root(tmp_path):
    """A small book in which everything fits."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def edit(root, name, old, new):
    text = (root / name).read_text(encoding="utf-8")
    assert old in text
    (root / name).write_text(text.replace(old, new, 1), encoding="utf-8")


def test_the_book_has_no_rot():
    found = collect(ROOT)
    assert not found.problems, "\n" + "\n".join(found.problems)
    assert {"4.1", "N1", "N9"} <= {result.number for result in found.results}
    assert all(result.tests and result.functions and result.status for result in found.results)


def test_every_mark_that_pytest_sees_is_read(request):
    """Marks are read without importing the tests; pytest, which has imported what it runs now, must see no others."""
    read = {(mark.test, mark.name) for mark in checks.marks(ROOT)[0]}
    for item in request.session.items:
        test = item.nodeid.removeprefix("tests/").partition("[")[0]
        seen = {(test, name) for mark in item.iter_markers("theorem") for name in mark.args}
        assert seen <= read


def test_rows_are_what_chapters_and_tests_say(root):
    found = collect(root)
    assert found.problems == ()
    lemma, envelope, law = found.results
    assert (lemma.number, lemma.status, lemma.block.label) == ("4.1", "paper, repaired", "lem-4-1")
    assert lemma.block.place == "chapters/03_interaction.md:10"
    assert lemma.tests == (
        "dynamics/test_flow.py::test_rate",
        "dynamics/test_flow.py::TestAll::test_envelope",
        "dynamics/test_flow.py::TestAll::test_rate",
        "dynamics/test_flow.py::test_many",
        "test_more.py::test_again",
    )
    assert (envelope.number, envelope.also) == ("4.2′", ("B.3",))
    assert envelope.tests == ("dynamics/test_flow.py::TestAll::test_envelope", "dynamics/test_flow.py::test_many")
    assert (law.number, law.status, law.block) == ("N5", "new", None)
    assert law.tests == ("dynamics/test_flow.py::test_law", "dynamics/test_flow.py::test_many")


def test_a_page_holds_a_result_until_a_chapter_does(root):
    short = CHAPTER.replace("4.1", "N5").replace("4.2′ (new constants)", "4.2′ (new)")
    (root / "book" / "short-proofs.md").write_text(short, encoding="utf-8")
    found = collect(root)
    assert [result.block.path.name for result in found.results] == ["03_interaction.md"] * 2 + ["short-proofs.md"]
    assert found.results[1].status == "new constants"  # the chapter's block, not the page's
    assert "'N5' has its block now (book/short-proofs.md:10); remove later and status" in found.problems[0]


@pytest.mark.parametrize("name", ["T4.2'", "4.2'", "4.2′", "4.2’", " 4.2′ "])
def test_names_have_one_spelling(name):
    assert spelled(name) == "4.2′"


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        # A result without its words, its functions or its tests
        ("book/results.yml", "4.2′:", "N6:", "interaction.md:17: Theorem 4.2′ has no entry in book/results.yml"),
        ("book/results.yml", "[bounds.envelope]", "[]", "'4.2′' needs `functions`"),
        ("book/results.yml", "  functions: [bounds.envelope]\n", "", "'4.2′' needs `functions`"),
        ("book/results.yml", "Margins stay in an envelope.", "", "'4.2′' needs a `statement`"),
        ("book/results.yml", "'4.1'", "N7", "chapters/03_interaction.md:10: Lemma 4.1 has no entry"),
        ("chapters/03_interaction.md", "4.1 (paper", "4.3 (paper", "interaction.md:10: Lemma 4.3 has no test"),
        ("tests/dynamics/test_flow.py", "def test_law", "def tests_law_not", None),
        ("tests/dynamics/test_flow.py", "def test_law", "def law", "test_flow.py:17: a theorem mark must be on a test"),
        ("book/results.yml", "N5:", "N6:", "book/results.yml: 'N6' has no test"),
        # A function that is gone
        ("src/helpers/dynamics.py", "def flow", "def flows", "'4.1': there is no dynamics.flow in src/helpers"),
        ("src/helpers/dynamics.py", "w: float", "x: float", "'4.1': there is no dynamics.Trajectory.w"),
        ("src/helpers/dynamics.py", "LIMIT", "LIMITS", "'N5': there is no dynamics.LIMIT"),
        ("src/helpers/bounds/envelopes.py", "envelope", "envelopes", "'4.2′': there is no bounds.envelope"),
        ("book/results.yml", "bounds.envelope", "envelope", "'4.2′': there is no envelope"),
        # A name that means nothing
        ("tests/dynamics/test_flow.py", 'theorem("N5")', 'theorem("N6")', "test_flow.py:17: marked 'N6', but no"),
        ("tests/dynamics/test_flow.py", 'theorem("N5")', "theorem(name)", "test_flow.py:17: a theorem mark must be"),
        ("tests/dynamics/test_flow.py", "    def helper", "    @pytest.mark.theorem('4.1')\n    def helper",
         "test_flow.py:15: a theorem mark must be on a test"),
        ("book/results.yml", "  later: true\n", "", "'N5' has no theorem block"),
        ("book/results.yml", "status: new", "status: old", "'N5' comes later, so it needs its `status`"),
        ("book/results.yml", "  functions: [b", "  later: true\n  functions: [b", "'4.2′' has its block now"),
        ("book/results.yml", "  status: new", "  status: new\n  module: x", "'N5' has what is not known: module"),
        ("book/results.yml", "[B.3]", "B.3", "`also` of '4.2′' must be a list"),
        ("book/results.yml", "[B.3]", "[C.5]", "test_flow.py:20: marked 'B.3', but no theorem block"),
        ("book/results.yml", "[B.3]", "[B.3, N5]", "'N5' stands under `also` of '4.2′', but has a block or an entry"),
        ("book/results.yml", "N5:", "'N6': words\nN5:", "'N6' has what is not known: not a mapping"),
        # A block that does not say what it is
        ("chapters/03_interaction.md", "4.2′ (new constants): the", "4.2′: the", "interaction.md:17: the title '4.2′"),
        ("chapters/03_interaction.md", "(new constants)", "(fresh)", "must read 'NUMBER (STATUS): name'"),
        ("chapters/03_interaction.md", ":label: thm-4-2p\n", "", "Theorem 4.2′ needs a :label:"),
        ("chapters/03_interaction.md", "4.2′ (new constants)", "4.1 (new)", "the number 4.1 is used at chapters/03"),
        ("chapters/03_interaction.md", "4.2′ (new", "Delta (new", "'Delta' is not a number for the book"),
    ],
)
def test_every_rot_is_found(root, name, old, new, message):
    edit(root, name, old, new)
    problems = collect(root).problems
    if message is None:  # pytest itself takes every name that begins with "test"
        assert problems == ()
    else:
        assert any(message in problem for problem in problems), problems


def test_the_message_of_a_missing_entry_can_be_pasted(root):
    edit(root, "tests/dynamics/test_flow.py", '"B.3", ', "")
    edit(root, "book/results.yml", REGISTRY[REGISTRY.index("4.2′:"):REGISTRY.index("N5:")], "")
    (problem,) = collect(root).problems
    edit(root, "book/results.yml", "N5:", problem.split("; add\n")[1].replace("\n    ", "\n").strip() + "\nN5:")
    assert collect(root).problems == ("book/results.yml: '4.2′': there is no module.function in src/helpers",)


def test_the_command_names_what_is_wrong(root, capsys, monkeypatch):
    monkeypatch.setattr(checks, "collect", lambda: collect(root))
    assert checks.main() == 0 and "every result has" in capsys.readouterr().out
    edit(root, "tests/dynamics/test_flow.py", 'theorem("N5")', 'theorem("N6")')
    assert checks.main() == 1 and "marked 'N6'" in capsys.readouterr().out


def build(root: Path) -> tuple[int, str]:
    options = ["--toc", "book/_toc.yml", "--config", "_config.yml", "-W", "-n", "--keep-going"]
    command = [sys.executable, "-c", BUILD, "build", ".", *options]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.slow
def test_the_page_has_a_row_for_each_result_and_a_rot_stops_the_build(root):
    (root / "_config.yml").write_text(CONFIG)
    toc = "format: jb-book\nroot: book/results\nchapters: [{file: chapters/03_interaction}]\n"
    (root / "book" / "_toc.yml").write_text(toc)
    (root / "book" / "results.md").write_text("# Results\n\n```{results-table}\n```\n")
    status, log = build(root)
    assert status == 0, log[-3000:]
    page = (root / "_build" / "html" / "book" / "results.html").read_text(encoding="utf-8")
    rows = [re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", row)).strip() for row in re.findall(r"(?s)<tr.*?</tr>", page)]
    assert rows == [
        "result statement functions and tests",
        r"Lemma 4.1 paper, repaired chapter 3 Every margin grows at the rate \(\tau\dot r_j\) . "
        "dynamics.flow dynamics.Trajectory.w dynamics/flow 4, more 1",
        "Theorem 4.2′ with B.3 new constants chapter 3 Margins stay in an envelope. bounds.envelope dynamics/flow 2",
        "N5 new later chapter The risk follows a law. dynamics.LIMIT dynamics/flow 2",
    ]
    assert 'href="../chapters/03_interaction.html#lem-4-1"' in page
    assert 'href="../chapters/03_interaction.html"' in page

    # No page changed, yet the table is read again.
    edit(root, "src/helpers/dynamics.py", "def flow", "def flows")
    status, log = build(root)
    assert status == 1 and "there is no dynamics.flow in src/helpers" in log
    edit(root, "src/helpers/dynamics.py", "def flows", "def flow")
    (root / "book" / "_toc.yml").write_text("format: jb-book\nroot: book/results\n")
    status, log = build(root)
    assert status == 0, log[-3000:]
    page = (root / "_build" / "html" / "book" / "results.html").read_text(encoding="utf-8")
    assert page.count("later\N{NO-BREAK SPACE}chapter") == 3, "a chapter that is not in the book has no link"
