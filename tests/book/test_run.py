"""Running the chapters: what runs again and what does not, what a failure says, a build that finds it all."""

import dataclasses
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from claims import numbers
from nbformat import v4

from book.tools import run, worker

ROOT = Path(__file__).resolve().parents[2]
HEADER = """---
jupytext:
  text_representation: {extension: .md, format_name: myst}
kernelspec: {name: python3, display_name: Python 3}
---

"""


def cell(*lines: str) -> str:
    return "\n".join(["```{code-cell} ipython3", *lines, "```", ""])


ONE = f"""{HEADER}# 1. One

**Cost** {{cost}}`this chapter`

{cell("import os, ipywidgets", "print('scale', os.environ['SCALE'])", "display(ipywidgets.IntSlider())")}

:::{{prf:theorem}} 4.2 (Training)
:label: thm-4-2
:nonumber:
Words.
:::

::::{{exercise}} Two samples
:label: ex-01-1
:nonumber:
Compute.
::::

::::{{solution}} ex-01-1
:class: dropdown
Two.
::::
"""
TWO = f"""{HEADER}# 2. Two

**Cost** {{cost}}`02_two`

:::{{prf:definition}} Margin
:nonumber:
A name.
:::

{cell("x = bytearray(3 * 10**8)")}
"""
CONFIG = f"""
title: Small
only_build_toc_files: true
execute: {{execute_notebooks: cache, raise_on_error: false}}
parse: {{myst_enable_extensions: [colon_fence, dollarmath]}}
sphinx:
  extra_extensions: [sphinx_proof, sphinx_exercise]
  local_extensions: {{book.extensions.cost: {ROOT}, book.extensions.titles: {ROOT}}}
  config: {{math_numfig: false}}
"""
TOC = "format: jb-book\nroot: book/index\nchapters: [{file: chapters/01_one}, {file: chapters/02_two}]\n"
BENCH = {
    "machine": {"processor": "P", "cores": 2, "memory": 8.0, "versions": {"trl": "1.0"}},
    "rows": [{"name": "a step", "ours": 0.5, "theirs": 5.25, "unit": "s", "ratio": 10.5}],
}


FACE = """import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, submod_attrs={"leaf": ["y"]})
"""
NUMBERS = {"stray": [0.1, 0.2], "Q": [8]}
COST = run.Cost(seconds=1.5, embedding=30.0, memory=0.25, threads=2, finished=1.0)


def make_book(root: Path) -> Path:
    """A small book of two chapters."""
    for folder in ("chapters", "book", "src/helpers/room", "records"):
        (root / folder).mkdir(parents=True)
    files = {
        "chapters/01_one.md": ONE,
        "chapters/02_two.md": TWO,
        "src/helpers/a.py": '"""A module."""\nx = 1\n',
        "src/helpers/room/__init__.py": FACE,
        "src/helpers/room/leaf.py": "y = 1\n",
        "src/helpers/data.txt": "1",
        "requirements.lock": "numpy==2\n",
        "book/index.md": "# Start\n\n```{costs-table}\n```\n\n```{bench-table} records/bench.json\n```\n",
        "book/_toc.yml": TOC,
        "_config.yml": CONFIG,
        "records/bench.json": json.dumps(BENCH),
    }
    for name, text in files.items():
        (root / name).write_text(text)
    return root


def ran(root: Path, scale: str = "book") -> set[str]:
    """Bring a book up to date; the names of the chapters that had to run."""
    return {result.path.stem for result in run.run(root, scale=scale, report=lambda text: None)}


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def costs(root: Path) -> dict:
    return json.loads((root / "_build" / "costs.json").read_text())


# Which chapters run: kernels do not matter here


@pytest.fixture
def book(tmp_path, monkeypatch):
    """A small book whose chapters "run" at once."""

    def execute(jobs, **settings):
        for path, node in jobs.items():
            names = ("a.py", "room/__init__.py", "room/leaf.py", "data.txt") if path.stem == "01_one" else ("a.py",)
            files = tuple(str(root / "src" / "helpers" / name) for name in names)
            yield run.Result(path, node, COST, "", files, NUMBERS if path.stem == "01_one" else {})

    monkeypatch.setattr(run, "execute", execute)
    root = make_book(tmp_path)
    return root


def test_only_what_changed_runs_again(book):
    both, helpers = {"01_one", "02_two"}, book / "src" / "helpers"
    assert ran(book) == both
    assert ran(book) == set()
    edit(book / "chapters" / "01_one.md", "Words.", "Other words.")
    assert ran(book) == set(), "prose"
    edit(book / "chapters" / "02_two.md", "bytearray(3 *", "bytearray(2 *")
    assert ran(book) == {"02_two"}, "a code cell"
    edit(helpers / "a.py", "A module.", "What it holds.")
    edit(helpers / "a.py", "x = 1", "x = 1  # why")
    (helpers / "b.py").write_text("z = 1\n")
    (book / "records" / "bench.json").write_text("{}")
    assert ran(book) == set(), "a docstring, a comment, and files that no chapter read"
    edit(helpers / "a.py", "x = 1", "x = 2")
    assert ran(book) == both, "a module that both imported"
    edit(helpers / "room" / "leaf.py", "y = 1", "y = 2")
    assert ran(book) == {"01_one"}, "a module of one of them"
    edit(helpers / "data.txt", "1", "2")
    assert ran(book) == {"01_one"}, "data that it read"
    edit(helpers / "room" / "__init__.py", '{"leaf": ["y"]}', '{"leaf": ["y"], "other": ["z"]}')
    assert ran(book) == set(), "a name more in a face"
    edit(helpers / "room" / "__init__.py", '{"leaf": ["y"],', '{"leaf": ["y", "z"],')
    assert ran(book) == {"01_one"}, "a name more of a module that it imported"
    (helpers / "data.txt").unlink()
    assert ran(book) == {"01_one"}, "data that are gone"
    (book / "requirements.lock").write_text("numpy==3\n")
    assert ran(book) == both, "a package"
    assert ran(book, "tiny") == both, "the scale"
    assert ran(book, "tiny") == set()
    # One entry for each chapter is left, and none of an older text.
    assert len(list((book / "_build" / ".jupyter_cache" / "executed").iterdir())) == 2


def test_one_chapter_alone(book):
    ran(book)
    (book / "requirements.lock").write_text("numpy==3\n")
    assert {result.path.stem for result in run.run(book, ["02"], scale="book", report=print)} == {"02_two"}
    assert set(costs(book)["chapters"]) == {"chapters/01_one", "chapters/02_two"}
    assert ran(book) == {"01_one"}


def test_numbers_are_kept_with_what_they_were_made_from(book):
    ran(book)
    file = book / "_build" / "numbers" / "01_one.json"
    kept = json.loads(file.read_text())
    assert kept["numbers"] == NUMBERS and run.outdated(kept, book) == ""
    assert kept["cells"] == run.cells_digest(run.notebook(book / "chapters" / "01_one.md", book))
    file.unlink()
    assert ran(book) == set() and json.loads(file.read_text()) == kept
    edit(book / "src" / "helpers" / "room" / "leaf.py", "y = 1", "y = 2")
    assert run.outdated(kept, book) == "src/helpers/room/leaf.py"


def test_pages_with_code_cells_run_too(book):
    (book / "book" / "index.md").write_text(f"{HEADER}# Start\n\n{cell('1')}")
    assert ran(book) == {"01_one", "02_two", "index"}
    assert "book/index" in costs(book)["chapters"]


def test_claims_read_numbers_by_name_and_notice_what_is_old(book):
    def fails(words):
        numbers.cache_clear()
        with pytest.raises(AssertionError, match=re.escape(words)):
            numbers("01_one", book)

    fails("01_one has not run: run `make chapter N=01_one`")
    ran(book)
    assert numbers("01_one", book) == {"stray": [0.1, 0.2], "Q": 8}
    edit(book / "src" / "helpers" / "a.py", "x = 1", "x = 2")
    fails("the numbers of 01_one are older than src/helpers/a.py: run")
    ran(book, "tiny")
    fails("the numbers of 01_one are of scale tiny")
    ran(book)
    numbers.cache_clear()
    assert numbers("01_one", book)["Q"] == 8
    edit(book / "chapters" / "01_one.md", "print('scale'", "print('Scale'")
    fails("the numbers of 01_one are older than 01_one.md")


def test_what_took_longest_starts_first(book, monkeypatch):
    started = []

    def execute(jobs, **settings):
        started.append([path.stem for path in jobs])
        for path, node in jobs.items():
            yield run.Result(path, node, dataclasses.replace(COST, seconds=float(path.stem[:2])), "")

    monkeypatch.setattr(run, "execute", execute)
    ran(book)
    (book / "chapters" / "03_new.md").write_text(f"{HEADER}# 3. New\n\n{cell('3')}")
    (book / "requirements.lock").write_text("numpy==3\n")
    ran(book)
    # Nothing is known at first, so the order is that of the book; then a chapter without a cost goes before all.
    assert started == [["01_one", "02_two"], ["03_new", "02_two", "01_one"]]


def test_costs_stay_with_the_cache(book):
    ran(book)
    before = costs(book)
    assert before["chapters"]["chapters/01_one"] == dataclasses.asdict(COST)
    assert before["machine"]["cores"] == run.cores()
    assert before["machine"]["versions"]["python"] == sys.version.split()[0]
    (book / "_build" / "costs.json").unlink()
    assert ran(book) == set() and costs(book) == before


def test_what_the_build_ran_by_itself_runs_again(book):
    # An entry without a digest: nobody knows with which helpers it was made.
    ran(book)
    cache = run.Cache(book, "book")
    for record in cache.store.list_cache_records():
        bundle = cache.store.get_cache_bundle(record.pk)
        cache.store.cache_notebook_bundle(
            run.CacheBundleIn(bundle.nb, record.uri, data={}), overwrite=True, check_validity=False
        )
    assert ran(book) == {"01_one", "02_two"}


# Real kernels


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Five notebooks of which three fail, run at the same time as on a machine with ten cores."""
    folder = tmp_path_factory.mktemp("chapters")
    texts = {
        "good": cell("import os", "os.environ['SCALE'], os.environ['OMP_NUM_THREADS'], os.getcwd()"),
        "says": cell("from tqdm.auto import tqdm", "from helpers.session import say",
                     "for x in tqdm([1, 2]):", "    say('{x} of it', x=x)") + cell("open('data.txt').read()"),
        "raises": cell("x = 1") + "\nwords\n\n" + cell("y = 0", "x / y"),
        "dies": cell("import os", "os._exit(3)"),
        "endless": cell("import time", "time.sleep(100)"),
    }
    jobs = {}
    (folder / "data.txt").write_text("1")
    for name, text in texts.items():
        path = folder / f"{name}.md"
        path.write_text(HEADER + text)
        jobs[path] = run.notebook(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "cores", lambda: 10)
        # 8 s leave time for a trivial cell on a busy machine.
        return {result.path.stem: result for result in run.execute(jobs, scale="tiny", timeout=8)}


@pytest.mark.slow
def test_scale_threads_and_folder_reach_the_kernel(results):
    good = results["good"]
    assert not good.error and good.cost.threads == 2
    assert good.notebook.cells[-1].outputs[0].data["text/plain"] == repr(("tiny", "2", str(good.path.parent)))


@pytest.mark.slow
def test_what_a_chapter_says_imports_and_reads_is_told(results):
    says = results["says"]
    assert says.numbers == {"x": [1, 2]} and results["good"].numbers == {}
    assert [output.get("text") for output in says.notebook.cells[-2].outputs] == ["1 of it\n2 of it\n"]
    assert "state" not in str(says.notebook.metadata.get("widgets", "")) or not next(
        iter(says.notebook.metadata.widgets.values()))["state"], "the widgets of a bar that is not shown"
    read = {Path(name).name for name in says.files}
    assert {"session.py", "theme.py", "data.txt"} <= read and "tracking.py" not in read
    assert "data.txt" not in {Path(name).name for name in results["good"].files}
    assert says.notebook.cells[-1].outputs[0].data["text/plain"] == "'1'", "nothing is left of the questions"


@pytest.mark.slow
def test_a_raising_cell_is_named_with_its_line(results):
    error = results["raises"].error
    line = 1 + results["raises"].path.read_text().splitlines().index("y = 0")
    assert f"raises.md: code cell 2 of 2, line {line}\n" in error
    assert "ZeroDivisionError" in error and "x / y" in error
    assert "\x1b" not in error


@pytest.mark.slow
def test_a_dead_and_an_endless_kernel_are_errors(results):
    for name, word in (("dies", "died"), ("endless", "timed out")):
        error = results[name].error
        assert f"{name}.md: code cell 1 of 1" in error and word in error


@pytest.mark.slow
def test_a_process_that_is_killed_is_an_error(tmp_path, monkeypatch):
    (tmp_path / "worker.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n")
    monkeypatch.setattr(run, "__file__", str(tmp_path / "run.py"))
    path = tmp_path / "a.md"
    path.write_text(HEADER + cell("1"))
    (result,) = run.execute({path: run.notebook(path)}, scale="tiny")
    assert "its process ended with status -9" in result.error


def test_the_command_says_what_failed_and_keeps_what_ran(book, capsys, monkeypatch):
    def execute(jobs, **settings):
        for path, node in jobs.items():
            error = "chapters/01_one.md: code cell 1 of 1" if path.stem == "01_one" else ""
            yield run.Result(path, node, COST, error)

    monkeypatch.setattr(run, "execute", execute)
    assert run.main(["--root", str(book)]) == 1
    out, err = capsys.readouterr()
    assert "chapters/02_two.md ran in 1.5 s with 0.25 GB" in out and "chapters/01_one.md failed" in out
    assert "01_one.md: code cell 1 of 1" in err
    run.main(["--root", str(book)])
    assert "1 of 2 notebooks are current, 1 to run" in capsys.readouterr().out


@pytest.mark.slow
def test_without_the_cache_nothing_is_kept(book):
    assert run.main(["--root", str(book), "--scale", "tiny", "--no-cache"]) == 0
    assert not (book / "_build").exists()


# The build


def build(root: Path) -> tuple[int, str]:
    """Build a book as `make book` does; exit status and log."""
    command = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build", "."]
    options = ["--toc", "book/_toc.yml", "--config", "_config.yml", "-W", "-n", "--keep-going"]
    done = subprocess.run([*command, *options], cwd=root, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.slow
def test_the_build_runs_nothing_and_writes_the_numbers(tmp_path):
    root = make_book(tmp_path)
    assert ran(root) == {"01_one", "02_two"}
    status, log = build(root)
    assert status == 0, log[-3000:]
    assert log.count("Using cached notebook") == 2 and "Executing notebook" not in log
    pages = root / "_build" / "html" / "chapters"
    one, two = ((pages / name).read_text() for name in ("01_one.html", "02_two.html"))
    cost = costs(root)["chapters"]
    assert "vnd.jupyter.widget-state+json" in one and "scale book" in one
    assert f"CPU {cost['chapters/01_one']['seconds']:.1f} s on " in one
    # Chapter 2 holds 0.3 GB on top of what a kernel takes; a bare kernel is near 0.1 GB.
    assert 0.3 < cost["chapters/02_two"]["memory"] < 0.6
    assert f"{cost['chapters/02_two']['memory']:.1f} GB of memory" in two
    assert '<span class="caption-number">Theorem </span>4.2 (Training)' in one
    assert '<span class="caption-number">Definition </span>(Margin)' in two
    assert '<p class="admonition-title">Exercise 1.1: Two samples</p>' in one
    assert "Solution to<a class=\"reference internal\" href=\"#ex-01-1\"> Exercise 1.1: Two samples" in one
    start = (root / "_build" / "html" / "book" / "index.html").read_text()
    assert "1. One</span></a>" in start and f"{cost['chapters/02_two']['memory']:.2f}\N{NO-BREAK SPACE}GB" in start
    for text in ("a step", "0.5", "5.25", "10.5", "Measured on P with 2 cores and 8 GB; trl 1.0."):
        assert f"<p>{text}</p>" in start

    # A package changed and the bench is gone: the pages are written again although their sources are as they
    # were, and the number that is missing fails the strict build.
    (root / "requirements.lock").write_text("numpy==3\n")
    (root / "records" / "bench.json").unlink()
    assert ran(root) == {"01_one", "02_two"}
    status, log = build(root)
    assert log.count("Using cached notebook") == 2 and "Executing notebook" not in log
    assert status == 1 and "records/bench.json is missing; run make bench" in log


def test_text_that_came_in_pieces_is_one_output():
    picture = v4.new_output("display_data", data={"text/plain": "a figure"})
    pieces = [printed("a ="), printed(" 1\n"), printed("loud", "stderr"), printed("b")]
    outputs = [*pieces, picture, printed("c"), printed("d")]
    texts = [output.get("text", "figure") for output in worker.published(outputs)]
    assert texts == ["a = 1\n", "loud", "b", "figure", "cd"]


def printed(text, name="stdout"):
    return v4.new_output("stream", name=name, text=text)


def widget(key, text):
    return v4.new_output("display_data", data={worker.VIEW: {"model_id": key}, "text/plain": text})


def test_progress_is_not_published_and_errors_are():
    bar = "\rTraining:   0%|          | 0/4 [00:00<?, ?it/s]\rTraining: 100%|████| 4/4 [00:01<00:00]\n"
    error = v4.new_output("error", ename="ValueError", evalue="50%|", traceback=[])
    outputs = [printed(bar, "stderr"), printed("50%|of it|\n"), widget("a", "  0%|          | 0/4 [00:00<?, ?it/s]"),
               widget("b", "0it [00:00, ?it/s]"), widget("c", "IntSlider(value=0)"), error,
               printed(f"a warning\n{bar}", "stderr")]
    kept = worker.published(outputs)
    assert kept[0].text == "50%|of it|\n" and kept[1].data[worker.VIEW]["model_id"] == "c" and kept[2] is error
    assert kept[3].text == "a warning\n" and len(kept) == 4


def test_the_state_of_widgets_that_are_not_shown_goes():
    cells = [v4.new_code_cell("1", outputs=[widget("box", "VBox()")])]
    node = v4.new_notebook(cells=cells)
    named = {"box": ["slider", "layout"], "slider": ["style"], "style": [], "layout": [], "figure": [],
             "bar": ["barstyle"], "barstyle": []}
    states = {key: {"state": {"children": [f"IPY_MODEL_{name}" for name in names]}} for key, names in named.items()}
    states["link"] = {"state": {"source": ["IPY_MODEL_slider", "value"], "target": ["IPY_MODEL_box", "x"]}}
    states["other"] = {"state": {"source": ["IPY_MODEL_slider", "value"], "target": ["IPY_MODEL_bar", "x"]}}
    node.metadata["widgets"] = {worker.STATE: {"state": states}}
    worker.keep_shown_widgets(node)
    kept = node.metadata.widgets[worker.STATE]["state"]  # the notebook holds a copy
    assert set(kept) == {"box", "slider", "style", "layout", "link"}
