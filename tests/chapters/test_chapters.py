"""Every chapter runs, its exercises can be solved, it keeps the rules of the book, its export is current."""

import re
from pathlib import Path

import nbformat
import pytest

from book.tools import export, run, source
from book.tools.source import Code, Directive, SourceError, Text

PATHS = source.find()
NAMES = [path.stem for path in PATHS]
OPENING = ("After this chapter you can", "You need", "Cost", "Model and data", "Paper")
DIRECTIVE = re.compile(r"^[ >]*:::|^[ >]*`{3,}\{|^\(\S+\)=", re.MULTILINE)
HEADER = """---
jupytext:
  text_representation: {extension: .md, format_name: myst}
kernelspec: {name: python3, display_name: Python 3}
---
"""
SCRATCH = HEADER + """
# 9. A title

```{code-cell} ipython3
:tags: [hide-input]

x = 1
```

::::{exercise} The title
:label: ex-09-1
:nonumber:
*Difficulty 2/5, 10 min, practises: sums*

:::{dropdown} Hint
Add.
:::
::::

```{code-cell} ipython3
answer_1 = ...
check("09.1", answer_1,
      x)
```

::::{solution} ex-09-1
:class: dropdown
```python
answer_1 = 2
```
Words.
::::
"""


@pytest.fixture(scope="session")
def ran():
    """Every chapter with its solutions appended, run once at scale tiny, all at the same time."""
    jobs = {}
    for path in PATHS:
        exercises = source.exercises(source.read(path))
        jobs[path] = source.with_solutions(source.notebook(path), exercises)
    return {result.path.stem: result for result in run.execute(jobs, scale="tiny")}


@pytest.fixture(params=PATHS, ids=NAMES)
def chapter(request):
    return source.read(request.param)


def prose(chapter) -> str:
    """Running text without code, math, roles and link targets."""
    text = "\n\n".join("\n".join(b.lines) for b in chapter.blocks() if isinstance(b, Text))
    text += "\n\n" + "\n".join(b.argument for b in chapter.blocks() if isinstance(b, Directive))
    text = re.sub(r"\$\$.*?\$\$|\$[^$]*\$", " ", text, flags=re.DOTALL)
    return re.sub(r"(\{[\w:]+\})?`[^`]*`|\]\([^)]*\)", " ", text)


def test_there_are_chapters():
    assert len(PATHS) >= 2


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_runs_at_tiny_scale_and_every_solution_is_right(ran, name):
    assert not ran[name].error, ran[name].error


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_unanswered_stubs_say_so(ran, name):
    chapter = source.read(ran[name].path)
    for exercise in source.exercises(chapter):
        cell = next(cell for cell in ran[name].notebook.cells if cell.source == exercise.stub)
        text = "".join(output.get("text", "") + output.get("data", {}).get("text/plain", "") for output in cell.outputs)
        assert "Not answered yet." in text, exercise.label


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_every_figure_has_an_alternative_text(ran, name):
    for cell in ran[name].notebook.cells:
        given = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
        for output in cell.get("outputs", []):
            for image in re.findall(r"<img\b[^>]*>", output.get("data", {}).get("text/html", "")):
                assert re.search(r'\balt="[^"]{10,}"', image), f"{cell.source[:80]}: {image[:80]}"
            pictures = [kind for kind in output.get("data", {}) if kind.startswith("image/")]
            assert not pictures or given, f"a figure without alternative text: {cell.source[:80]}"


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_every_figure_has_a_caption(ran, name):
    cells = ran[name].notebook.cells
    for cell, after in zip(cells, [*cells[1:], None], strict=True):
        shown = [output.get("data", {}) for output in cell.get("outputs", [])]
        figure = any("vnd.jupyter.widget-view" in kind or "<svg" in str(data.get("text/html", ""))
                     for data in shown for kind in data)
        hidden = {"remove-output", "remove-cell"} & set(cell.metadata.get("tags", []))
        captioned = after is not None and re.match(r"[`:]{3,}\{caption\} ", after.source)
        assert not figure or hidden or captioned, cell.source[:80]


def test_the_first_screen_is_question_picture_answer_and_aims(chapter):
    first, code = chapter.cells[:2]
    blocks = source.parse(first.source, first.line, chapter.path)
    assert [b.name for b in blocks if isinstance(b, Directive)] == ["question", "picture", "answer", "aims"]
    assert {"hide-input", "remove-output"} <= set(code.metadata.get("tags", [])), "the set-up cell is folded"
    answer = next(b for b in blocks if isinstance(b, Directive) and b.name == "answer")
    assert len(re.findall(r"[.?](?:\s|$)", " ".join(answer.lines))) == 1, "the answer is one sentence"


def test_opening_block_is_complete_and_in_order(chapter):
    first = chapter.cells[0]
    assert first.kind == "markdown" and re.match(rf"(\(.+\)=\s+)?# {int(chapter.name[:2])}\. ", first.source)
    places = [first.source.find(f"**{item}**") for item in OPENING]
    assert -1 not in places and places == sorted(places)
    assert f"{{cost}}`{chapter.name}`" in first.source or "{cost}`this chapter`" in first.source
    assert "\n## " not in first.source[:max(places)]


def test_at_least_four_exercises_of_rising_difficulty(chapter):
    found = source.exercises(chapter)
    assert len(found) >= 4
    difficulties = [exercise.difficulty for exercise in found]
    assert difficulties == sorted(difficulties) and set(difficulties) <= set(range(1, 6))
    number = chapter.name[:2]
    for k, exercise in enumerate(found, 1):
        assert exercise.check_name == f"{number}.{k}"
        assert exercise.label == f"ex-{number}-{k}"
        assert exercise.title and not exercise.title[0].isdigit(), "the number comes from the label"
        assert exercise.minutes > 0 and len(exercise.practises) > 3
        assert not set("$`") & set(exercise.title), "the link from the solution would lose math and code"


def test_solutions_are_folded(chapter):
    solutions = [b for b in chapter.blocks() if isinstance(b, Directive) and b.name == "solution"]
    assert all("dropdown" in block.options.get("class", "") for block in solutions)


def test_proofs_are_folded_from_outside(chapter):
    # A class dropdown on prf:proof stops every other fold of the page.
    theorems = [b for b in chapter.blocks() if isinstance(b, Directive) and b.name.startswith("prf:")]
    assert theorems
    for block in theorems:
        assert "dropdown" not in block.options.get("class", "")
        assert block.name == "prf:proof" or {"label", "nonumber"} <= set(block.options), block.line


def test_the_wording_keeps_the_rules(chapter):
    text = prose(chapter)
    assert "!" not in text.replace("![", "["), "no exclamation marks"
    assert not re.findall(r"<(?!https?:)/?[a-zA-Z][^>]*>", text), "no raw HTML"
    assert not re.findall(r"\b(?:TODO|FIXME|XXX)\b", text)


def test_code_cells_are_short(chapter):
    for cell in chapter.cells:
        if cell.kind == "code":
            lines = [line for line in cell.source.splitlines() if line.strip()]
            assert max(map(len, lines)) <= 84, f"line {cell.line}: wider than the page"
            # Nobody reads a folded cell before asking for it.
            folded = {"hide-input", "hide-cell"} & set(cell.metadata.get("tags", []))
            assert len(lines) <= (75 if folded else 25), f"line {cell.line}: {len(lines)} lines"


def test_images_have_an_alternative_text(chapter):
    for block in chapter.blocks():
        if isinstance(block, Directive) and block.name in {"figure", "image"}:
            assert block.options.get("alt"), block.line
        elif isinstance(block, Text):
            assert "![](" not in "\n".join(block.lines), block.line


def test_no_cell_writes_what_the_cost_says(chapter):
    # Times are written by the build, never by hand.
    opening = chapter.cells[0].source
    assert not re.search(r"\d+ ?(s|min|GB|MB)\b", opening.split("**Cost**")[1].split("**Model")[0])


def test_exports_are_current_and_plain():
    assert export.stale(source.ROOT) == []
    for path in PATHS:
        node = nbformat.read(path.with_suffix(".ipynb"), nbformat.NO_CONVERT)
        nbformat.validate(node)
        for cell in node.cells:
            assert not cell.get("outputs")
            if cell.cell_type == "markdown":
                assert not DIRECTIVE.search(cell.source), cell.source


# How a chapter is read


def scratch(folder: Path, text: str) -> Path:
    path = folder / "09_scratch.md"
    path.write_text(text, encoding="utf-8")
    return path


def test_cells_know_their_lines(tmp_path):
    path = scratch(tmp_path, SCRATCH)
    lines = path.read_text().splitlines()
    for cell in source.read(path, tmp_path).cells:
        assert lines[cell.line - 1] == cell.source.splitlines()[0]


def test_an_exercise_with_its_stub_and_solution(tmp_path):
    (exercise,) = source.exercises(source.read(scratch(tmp_path, SCRATCH), tmp_path))
    assert (exercise.difficulty, exercise.minutes, exercise.practises) == (2, 10, "sums")
    assert exercise.check_name == "09.1" and exercise.solution == "answer_1 = 2"
    assert exercise.check_call == 'check("09.1", answer_1,\n      x)'


def test_a_wrong_solution_fails_its_cell(tmp_path):
    path = scratch(tmp_path, SCRATCH)
    found = source.exercises(source.read(path, tmp_path))
    last = source.with_solutions(source.notebook(path, tmp_path), found).cells[-1].source
    run = last.replace("from helpers.exercises import verdict", "")
    scope = {"verdict": lambda name, answer, x: type("V", (), {"right": answer == 2, "text": "off"}), "x": 1}
    exec(run, scope)
    with pytest.raises(AssertionError, match="exercise 09.1: off"):
        exec(run.replace("answer_1 = 2", "answer_1 = 3"), scope)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("*Difficulty 2/5, 10 min, practises: sums*", "", "lacks its line"),
        ('check("09.1", answer_1,\n      x)', "", "never calls check"),
        ("::::{solution} ex-09-1", "::::{solution} ex-09-2", "not there: ex-09-2"),
        (":label: ex-09-1\n", "", "needs a :label:"),
        ("```python", "```text", "no ```python block"),
        ("Words.\n::::\n", "Words.\n", "never closed"),
        (":::{dropdown} Hint", "::: Hint", "without a directive"),
    ],
)
def test_a_broken_chapter_is_refused_with_its_line(tmp_path, old, new, message):
    assert old in SCRATCH
    path = scratch(tmp_path, SCRATCH.replace(old, new))
    with pytest.raises(SourceError, match=rf"09_scratch\.md:\d+: .*{re.escape(message)}"):
        source.exercises(source.read(path, tmp_path))


def test_a_file_that_would_not_run_is_refused(tmp_path):
    with pytest.raises(SourceError, match="jupytext"):
        source.read(scratch(tmp_path, "# Title\n"), tmp_path)


def test_fences_nest_by_their_length(tmp_path):
    text = "a\n\n::::{dropdown} T `x`\n:open:\n:::{note}\n```python\nx = 1\n```\n:::\n::::\nb"
    first, fold, last = source.parse(text, 1, tmp_path)
    assert fold.argument == "T `x`" and fold.options == {"open": ""} and fold.content_line == 5
    (note,) = source.parse(fold.lines, fold.content_line, tmp_path)
    assert isinstance(note, Directive) and note.line == 5
    assert last.line == 11 and first.line == 1


def test_a_plain_fence_is_code(tmp_path):
    (code,) = source.parse("~~~text\n:::{note}\n~~~", 1, tmp_path)
    assert isinstance(code, Code)
