"""Exercises on the page: judged without a kernel, in the words of Python, by mouse, keyboard and screen reader."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from bs4 import BeautifulSoup
from given import GIVEN
from hypothesis import given, settings
from hypothesis import strategies as st
from scripts import value

from book.extensions.exercises import coded, is_bare
from book.tools import source
from helpers.exercises.checking import answers, verdict
from helpers.exercises.marking import Choice, Function, number
from pages import overflow, violations

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = (ROOT / "book/static/scripts/exercises.js").read_text("utf-8")
JUDGED = [name for name, entry in answers("all").items() if not isinstance(entry, Function)]
CONF = """
import sys
sys.path.insert(0, {root!r})
extensions = ["myst_nb", "sphinx_exercise", "sphinx_design", "book.extensions.exercises"]
html_theme = "sphinx_book_theme"
html_static_path = [{static!r}]
html_css_files = ["book.css"]
html_theme_options = {options!r}
myst_enable_extensions = ["amsmath", "attrs_inline", "colon_fence", "deflist", "dollarmath"]
nb_execution_mode = "force"
nb_execution_raise_on_error = True
mathjax_path = "none.js"
exclude_patterns = ["_build"]
"""
PAGE = """---
jupytext:
  text_representation: {extension: .md, format_name: myst}
kernelspec: {name: python3, display_name: Python 3}
---
# Nine

```{code-cell} ipython3
from types import SimpleNamespace

import numpy as np

from helpers.exercises import check

x = np.random.default_rng(7).normal(size=(12, 5))
train = SimpleNamespace(value=np.repeat([0, 1, 2], 4), side=np.tile([1, 1, -1, -1], 3))
```
"""
TASKS = [
    ("03.1", "What is $C_{jk}$?", 'answer_1 = ...\ncheck("03.1", answer_1)'),
    ("03.4", "What happens?\n(a) They move, by $C$. (b) They do not. (c) They *drift*.",
     'answer_4 = ...\ncheck("03.4", answer_4)'),
    ("03.3", "Write a function.", 'def rates(C, r, beta):\n    return ...\n\ncheck("03.3", rates)'),
    ("07.2", "They may answer (a) by the chain; (b) by a star; (c) by either.\nUnder which?",
     'answer_2 = ...\ncheck("07.2", answer_2)'),
    ("07.6", "Which?", 'shape = x.shape\nanswer_6 = ...\ncheck("07.6", answer_6, x, train)'),
    ("08.1", "What are $p$ and $d_p$?", 'answer_1 = ...\ncheck("08.1", answer_1)'),
]


def label(name):
    return "ex-" + name.replace(".", "-")


def build(folder, tasks=TASKS, options=None):
    """A small site with these exercises, built as the book is; its folder and what Sphinx warned of."""
    source = folder / "source"
    (source / "chapters").mkdir(parents=True)
    conf = CONF.format(root=str(ROOT), static=str(ROOT / "book/static"), options=options or {})
    (source / "conf.py").write_text(conf, "utf-8")
    (source / "index.md").write_text("# Home\n\n```{toctree}\nchapters/09_nine\n```\n", "utf-8")
    text = PAGE
    for name, words, stub in tasks:
        text += f"\n::::{{exercise}} A task\n:label: {label(name)}\n:nonumber:\n\n{words}\n::::\n"
        text += f"\n```{{code-cell}} ipython3\n{stub}\n```\n"
    (source / "chapters" / "09_nine.md").write_text(text, "utf-8")
    site = folder / "_build" / "html"
    command = [sys.executable, "-W", "ignore", "-m", "sphinx", "-q", "-b", "html", str(source), str(site)]
    environment = os.environ | {"PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return site, "\n".join(line for line in done.stderr.splitlines() if "WARNING: " in line)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return build(tmp_path_factory.mktemp("exercises"))


@pytest.fixture(scope="module")
def soup(built):
    return BeautifulSoup((built[0] / "chapters/09_nine.html").read_text("utf-8"), "html.parser")


@pytest.fixture(scope="module")
def address(built):
    return (built[0] / "chapters/09_nine.html").as_uri()  # from the disk, as a reader may open it


# ---- one judge in two languages

TERM = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


def typed(text):
    """What a reader who types this text on the page would have given to `check`."""
    inner = text.strip().replace("\N{MINUS SIGN}", "-")
    listed = inner.startswith("[") and inner.endswith("]")
    if listed or inner.startswith("(") and inner.endswith(")"):
        inner = inner[1:-1]
    found = []
    for part in inner.split(","):
        terms = [float(term) if TERM.fullmatch(term.strip()) else None for term in part.split("/")]
        if None in terms or len(terms) > 2 or terms[1:] == [0.0]:
            return text
        found.append(terms[0] / terms[1] if terms[1:] else terms[0])
    return found if listed or len(found) > 1 else found[0]


def judged(form, texts):
    """What the page says of each text: (right, sentence)."""
    said = value("texts.map((text) => rewardMarginsExercises.judge(form, text))", SCRIPT, form=form, texts=texts)
    return [(entry["right"], entry["text"]) for entry in said]


def grid(form):
    """Texts that readers type: right, wrong in each way, and no numbers at all."""
    right = np.atleast_1d(form["right"])
    times = (1, -1, 1 + form["rel"] / 2, 1 + 2 * form["rel"] + 1e-3, 2, 0.5, 3, 1 / 3, 4, 0.25, 10, 0.1, 100, 0.01,
             1000, 1e-3, 1.05, 0.95, 1.105, 0.895, 1.7, 0.6, -0.6, -2, 0)
    texts = [", ".join(repr(float(entry * factor)) for entry in right) for factor in times]
    return texts + ["four", "1,2,3", "0,5", "[1, 2]", "[0.5]", "(0.5)", "1/3", "-1/3", "1/0", "1/2/3", ".5", "5.",
                    "3E2", "\N{MINUS SIGN}0.3", "+3e-1", "1e999", "-1e999", "1_000", "0x10", "1e", "e5", "--1", "1 2",
                    "nan", "Infinity", "[", "[]", "1,", " 0.3 ", "None", "\N{ARABIC-INDIC DIGIT THREE}", "0.1+0.2"]


@pytest.mark.parametrize("name", [name for name in JUDGED if answers(name)[name].form(*GIVEN.get(name, ()))["kind"]
                                  == "number"])
def test_page_and_python_say_the_same_of_a_number(name):
    form = answers(name)[name].form(*GIVEN.get(name, ()))
    texts = grid(form)
    python = [verdict(name, typed(text), *GIVEN.get(name, ())) for text in texts]
    assert judged(form, texts) == [(found.right, found.text) for found in python]
    assert python[0].right and not python[1].right and len({found.text for found in python}) >= 6


@settings(max_examples=8, deadline=None)
@given(st.floats(-1e6, 1e6), st.floats(0, 0.1), st.sampled_from([0.0, 1e-9, 1.0]),
       st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=200, max_size=200))
def test_page_and_python_say_the_same_of_any_number(right, rel, absolute, found):
    exercise = number("x", right, rel=rel, abs=absolute)
    texts = [*map(repr, found), *grid(exercise.form())]
    assert judged(exercise.form(), texts) == [
        ((said := exercise.judge(typed(text))).right, said.text) for text in texts
    ]


@pytest.mark.parametrize("name", [name for name in JUDGED if answers(name)[name].form(*GIVEN.get(name, ()))["kind"]
                                  == "choice"])
def test_page_and_python_say_the_same_of_a_choice(name):
    form = answers(name)[name].form()
    python = [verdict(name, letter) for letter in form["options"]]
    assert judged(form, form["options"]) == [(found.right, found.text) for found in python]
    assert sum(found.right for found in python) == 1


def test_a_tenth_is_still_a_little_in_both_languages():
    exercise = number("x", 10)
    said = [(False, "x: a little too large."), (False, "x: a little too small."), (False, "x: too large.")]
    assert judged(exercise.form(), ["11", "9", "11.01"]) == said
    assert [(found.right, found.text) for found in map(exercise.judge, (11, 9, 11.01))] == said


def test_an_empty_field_is_not_answered_yet():
    for name in ("03.1", "03.4"):
        assert judged(answers(name)[name].form(), ["", "  "]) == [(False, verdict(name, ...).text)] * 2


@pytest.mark.parametrize("name", JUDGED)
def test_the_code_of_a_form_is_read_and_shows_nothing(name):
    form = {"name": name} | answers(name)[name].form(*GIVEN.get(name, ()))
    assert value("rewardMarginsExercises.decode(name, code)", SCRIPT, name=name, code=coded(form)) == form
    assert re.fullmatch(r"[A-Za-z0-9+/=]+", coded(form)) and "right" not in coded(form)


# ---- the page

def of_the_book():
    """Every exercise of the chapters as a task for `build`: its number, its text, its stub."""
    tasks = []
    for path in source.find():
        chapter = source.read(path)
        texts = {block.options["label"]: "\n".join(block.lines) for block in chapter.blocks()
                 if isinstance(block, source.Directive) and block.name == "exercise"}
        tasks += [(one.check_name, texts[one.label], one.stub) for one in source.exercises(chapter)]
    return tasks


def test_every_exercise_of_the_book_gets_its_form(tmp_path):
    tasks = of_the_book()
    site, warned = build(tmp_path, tasks)
    page = BeautifulSoup((site / "chapters/09_nine.html").read_text("utf-8"), "html.parser")
    assert "records no answer" not in warned and {name for name, _, _ in tasks} == set(answers("all"))
    for name, _, _ in tasks:
        box, entry = page.select_one(f"#{label(name)}"), answers(name)[name]
        assert len(box.select("form.rm-answer")) == (not isinstance(entry, Function)), name
        assert len(box.select(".rm-kernel")) == (isinstance(entry, Function) or name in GIVEN), name
        if isinstance(entry, Choice):
            options = [option.get_text(strip=True) for option in box.select("label.rm-option")]
            assert [option[:3] for option in options] == [f"({letter})" for letter in entry.options], name
            # Nothing of the text is lost, and each option stands in it once.
            assert all(box.get_text().count(f"({letter})") == (1 if options[0] != "(a)" else 2)
                       for letter in entry.options), name
    # No stub of a judged exercise is left, and none of a function is lost.
    shown = [cell.get_text() for cell in page.select("div.cell_input")][1:]
    assert len(shown) == sum(isinstance(entry, Function) for entry in answers("all").values())


def test_each_exercise_ends_with_its_form_and_nothing_is_warned_of(built, soup):
    assert built[1] == ""
    assert [form["data-exercise"] for form in soup.select("form.rm-answer")] == ["03.1", "03.4", "07.2", "07.6", "08.1"]
    for form in soup.select("form.rm-answer"):
        assert form.find_parent("div", class_="exercise")["id"] == label(form["data-exercise"])
        assert form.find("button", type="submit") and form.find("output", attrs={"aria-live": "polite"})
        assert form.fieldset.has_attr("disabled"), "without its script a form must not reload the page"


def test_answers_that_depend_on_the_chapter_are_recorded_when_it_runs(soup):
    form = soup.select_one('form[data-exercise="07.6"]')
    read = value("rewardMarginsExercises.decode(name, code)", SCRIPT, name="07.6", code=form["data-form"])
    assert read["right"] == answers("07.6")["07.6"].form(*GIVEN["07.6"])["right"]


def test_options_that_end_an_exercise_are_its_labels(soup):
    four, two = soup.select_one("#ex-03-4"), soup.select_one("#ex-07-2")
    assert [option.get_text(" ", strip=True) for option in four.select("label.rm-option")] == [
        "(a) They move, by \\(C\\) .", "(b) They do not.", "(c) They drift ."]
    assert four.get_text().count("They do not") == 1
    # Where the question follows the options they stay in the text, and the buttons have the letters.
    assert [option.get_text(strip=True) for option in two.select("label.rm-option")] == ["(a)", "(b)", "(c)"]
    assert "by a star" in two.get_text()


def test_a_stub_is_replaced_unless_it_holds_more(soup):
    shown = [cell.get_text() for cell in soup.select("div.cell_input")]
    assert len(shown) == 3 and "import numpy" in shown[0] and "def rates" in shown[1] and "x.shape" in shown[2]
    assert "Not answered yet." not in soup.get_text()
    assert is_bare('a = ...\nb = ...\ncheck("1", a)') and not is_bare('a = 1\ncheck("1", a)')
    assert not is_bare('def f(x):\n    return ...\n\ncheck("1", f)') and not is_bare("a = b = c\nprint(a)")


def test_a_function_says_that_it_needs_a_kernel_and_an_answered_stub_is_warned_of(soup, tmp_path):
    assert soup.select_one("#ex-03-3 .rm-kernel").get_text() == (
        "A function is judged by a kernel: open it in JupyterLab.")
    assert [note.get_text() for note in soup.select("#ex-07-6 .rm-kernel, #ex-03-1 .rm-kernel")] == [
        "The answer takes a run of the chapter: open it in JupyterLab."]
    options = {"repository_url": "https://github.com/someone/book", "repository_branch": "dev"}
    tasks = [TASKS[2], ("03.1", "What?", 'answer_1 = 3\ncheck("03.1", answer_1)')]
    site, warned = build(tmp_path, tasks, options)
    page = BeautifulSoup((site / "chapters/09_nine.html").read_text("utf-8"), "html.parser")
    link = page.select_one("#ex-03-3 .rm-kernel a")
    assert link["href"] == "https://colab.research.google.com/github/someone/book/blob/dev/chapters/09_nine.ipynb"
    assert not page.select("form.rm-answer")
    assert "the cell after exercise ex-03-1 records no answer" in warned and warned.count("WARNING") == 1


def test_only_pages_with_exercises_load_the_script(built):
    assert "exercises.js" in (built[0] / "chapters/09_nine.html").read_text("utf-8")
    assert "exercises.js" not in (built[0] / "index.html").read_text("utf-8")


def test_script_and_page_keep_a_content_security_policy(soup):
    assert not re.search(r"\beval\b|new Function|innerHTML|\.style\b|fetch|XMLHttp|import\(", SCRIPT)
    for form in soup.select("form.rm-answer"):
        for node in [form, *form.find_all(True)]:
            assert not [key for key in node.attrs if key == "style" or key.startswith("on")]


@pytest.mark.pages
def test_keyboard_alone_answers_and_the_sentence_is_announced(browser, address):
    context = browser.new_context()
    page, errors = context.new_page(), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address)
    form = page.locator('form[data-exercise="03.1"]')
    field, said = form.get_by_label("Interaction"), form.get_by_role("status")
    field.focus()
    for text, sentence in (
        ("", "Not answered yet."), ("0.3", "interaction: the size is right, the sign is not."), ("-3/10", "Right."),
        ("\N{MINUS SIGN}0,3", "interaction: one number is wanted, got a list of 2."),
    ):
        field.fill(text)
        assert said.text_content() == ""
        page.keyboard.press("Enter")
        assert said.text_content() == sentence
        assert field.get_attribute("aria-invalid") == str(sentence != "Right.").lower()
    choices = page.locator('form[data-exercise="03.4"]')
    choices.get_by_role("radio").first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert choices.get_by_role("status").text_content() == verdict("03.4", "a").text
    choices.get_by_text("They do not.").click()
    choices.get_by_role("button", name="Check").click()
    assert choices.get_by_role("status").text_content() == verdict("03.4", "b").text
    assert page.url == address and not errors
    context.close()


@pytest.mark.pages
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 1280), ("light", 390), ("dark", 390)])
def test_forms_fit_every_screen_and_have_no_finding(browser, address, scheme, width):
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 800})
    page = context.new_page()
    page.goto(address)
    page.evaluate(f"document.documentElement.dataset.theme = '{scheme}'")
    for form in page.locator("form.rm-answer").all():
        form.get_by_role("button").click()
        box = form.bounding_box()
        assert 0 <= box["x"] and box["x"] + box["width"] <= width
    for target in page.locator("form.rm-answer :is(button, input[type=text], .rm-option)").all():
        assert target.bounding_box()["height"] >= 24
    assert overflow(page) <= 0
    assert [found for found in violations(page) if "rm-" in found or "form" in found or "label" in found] == []
    context.close()


@pytest.mark.pages
def test_paper_shows_the_options_and_no_controls(browser, address):
    context = browser.new_context()
    page = context.new_page()
    page.goto(address)
    page.emulate_media(media="print")
    assert page.locator("form.rm-answer :is(button, input)").evaluate_all(
        "all => all.filter((one) => one.getClientRects().length).length") == 0
    assert page.locator('form[data-exercise="03.4"]').get_by_text("They do not.").is_visible()
    context.close()


def test_json_of_a_form_is_what_the_notebook_keeps(built):
    notebook = json.loads((built[0].parent / "jupyter_execute/chapters/09_nine.ipynb").read_text("utf-8"))
    found = [output["metadata"]["exercise"]["name"] for cell in notebook["cells"] for output in cell.get("outputs", [])
             if "exercise" in output.get("metadata", {})]
    assert found == [name for name, _, _ in TASKS]
