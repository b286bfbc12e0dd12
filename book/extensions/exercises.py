"""Sphinx: exercises that check themselves on the page, without a kernel.

The stub after an exercise calls `check("NN.k", ...)`; when the chapter ran, the output of that call recorded what
judging needs, answers that depend on the chapter's objects included (`helpers.exercises`). From it:

- a number gets a field and a choice gets radio buttons, with a button and a place for one sentence, at the end of
  the exercise. `scripts/exercises.js` judges, in the words of `helpers.exercises.marking`. The stub is not shown
  unless it holds more than the unanswered answer and its check.
- a function needs a kernel: its exercise says so and links to the notebook; its stub is shown. So does a number that
  depends on objects of the chapter, beside its field.

Nothing is to be written in a chapter. The options of a choice are `(a) ... (b) ...`, in the last paragraph of the
exercise's text; where they end it they become the labels of the buttons. The right answers stand in the page in a
code, so that the source does not show them at a glance; it is no secret, the folded solution has them too.
"""

import ast
import json
import re
from base64 import b64encode
from html import escape
from itertools import cycle
from pathlib import Path

import nbformat
from docutils import nodes
from jupyter_cache import get_cache
from sphinx.util import logging

from book.tools.source import notebook

from .page_hygiene import colab

EXERCISES = ("exercise_node", "exercise_enumerable_node")
OPTION = re.compile(r"\(([a-z])\)\s*")
LOGGER = logging.getLogger(__name__)


class answer_form(nodes.General, nodes.Element):
    """A form; `form` is the record of the check, `label` the exercise's; its children are options."""


class answer_option(nodes.General, nodes.Element):
    """One radio button with its label."""


class kernel_note(nodes.General, nodes.Element):
    """Where to run what no page can; `what` says why."""


def place_forms(app, doctree):
    """Put a form, or a word on where it is judged, at the end of each exercise whose stub was run."""
    cells = list(doctree.findall(lambda node: getattr(node, "get", dict().get)("nb_element") == "cell_code"))
    ran = executed(app) if cells else None
    if ran is None:
        return
    exercise = None
    for node in list(doctree.findall(nodes.Element)):
        if type(node).__name__ in EXERCISES:
            exercise = node
        elif exercise is not None and node in cells:
            cell = ran.cells[node["cell_index"]]
            form = recorded(cell)
            if form is None:
                LOGGER.warning("the cell after exercise %s records no answer: its check must be unanswered, and the "
                               "chapter must have run", exercise.get("label"), location=exercise)
            else:
                _replace(node, cell, exercise, form)
            exercise = None


def executed(app) -> nbformat.NotebookNode | None:
    """The page's notebook with its outputs, from the build's cache, else as the build ran it; None if it did not."""
    build, page = Path(app.outdir).parent, Path(app.env.doc2path(app.env.docname))
    if (build / ".jupyter_cache").exists():
        try:
            return get_cache(build / ".jupyter_cache").merge_match_into_notebook(notebook(page, Path(app.srcdir)))[1]
        except KeyError:
            pass  # run by the build itself
    written = build / "jupyter_execute" / f"{app.env.docname}.ipynb"
    return nbformat.read(written, nbformat.NO_CONVERT) if written.exists() else None


def recorded(cell) -> dict | None:
    """What the check of a stub recorded when it ran, None where it did not."""
    found = [output["metadata"]["exercise"] for output in cell.get("outputs", [])
             if "exercise" in output.get("metadata", {})]
    return found[-1] if found else None


def coded(form: dict) -> str:
    """A form as the page holds it; `decode` of the script reads it."""
    text = json.dumps(form, ensure_ascii=False).encode()
    return b64encode(bytes(a ^ b for a, b in zip(text, cycle(form["name"].encode()), strict=False))).decode()


def is_bare(source: str) -> bool:
    """Whether a stub holds nothing but unanswered answers and checks, so that a form can stand in its place."""
    return all(isinstance(getattr(line, "value", None), ast.Constant) and line.value.value is ...
               if isinstance(line, ast.Assign) else getattr(getattr(line.value, "func", None), "id", "") == "check"
               if isinstance(line, ast.Expr) else False
               for line in ast.parse(source).body)


def _replace(node, cell, exercise, form) -> None:
    content = exercise.children[-1]
    if len(cell.outputs) == 1:  # that of the check: on the page the form says it
        for output in [child for child in node.children if "cell_output" in child["classes"]]:
            node.remove(output)
    if form["kind"] == "function" or form["kind"] == "number" and not _is_flat(form["right"]):
        content += kernel_note(what="A function is judged by a kernel")
        return
    if form.get("run"):
        content += kernel_note(what="The answer takes a run of the chapter")
    shown = answer_form(form=form, label=exercise.get("label"))
    for letter, label in _options(content, form.get("options", [])):
        shown += answer_option("", *label, letter=letter, name=exercise.get("label"))
    content += shown
    if is_bare(cell.source):
        node.parent.remove(node)


def _is_flat(right) -> bool:
    return not isinstance(right, list) or all(isinstance(entry, float | int) for entry in right)


def _options(content, letters: list[str]) -> list[tuple[str, list[nodes.Node]]]:
    """Each option with its words, which leave the text where they end it; else with its letter alone."""
    paragraphs = [child for child in content.children if isinstance(child, nodes.paragraph)]
    if not letters or not paragraphs:
        return []
    lead, parts = [], {}
    for child in paragraphs[-1].children:
        pieces = OPTION.split(child.astext()) if isinstance(child, nodes.Text) else [child]
        for n, piece in enumerate(pieces):
            if n % 2:
                parts[piece] = []
            elif piece:
                target = list(parts.values())[-1] if parts else lead
                target.append(nodes.Text(piece) if isinstance(piece, str) else piece)
    # One sentence a line: a line after the last option is no part of it.
    ends = parts and "\n" not in "".join(node.astext() for node in list(parts.values())[-1]).strip()
    if list(parts) != letters or not ends:
        return [(letter, []) for letter in letters]
    paragraphs[-1].children = []
    paragraphs[-1] += lead
    if not paragraphs[-1].astext().strip():
        content.remove(paragraphs[-1])
    return list(parts.items())


def visit_form(self, node):
    """The form's opening tags, for a number with its field."""
    form, label = node["form"], escape(node["label"])
    title = escape(form["what"][:1].upper() + form["what"][1:])
    self.body.append(f'<form class="rm-answer" data-exercise="{escape(form["name"])}" data-form="{coded(form)}">')
    if form["kind"] == "choice":
        self.body.append(f'<fieldset disabled><legend>{title}</legend>')
        return
    many = isinstance(form["right"], list)
    hint = f"{len(form['right'])} numbers, a comma between them" if many else "a number, such as 0.3, 3e-4 or 1/3"
    self.body.append(
        f'<fieldset disabled><label for="{label}-answer">{title}</label>'
        f'<span class="rm-hint" id="{label}-hint">{hint}</span>'
        f'<input type="text" id="{label}-answer" name="{label}" aria-describedby="{label}-hint" autocomplete="off"'
        ' autocapitalize="none" spellcheck="false">'
    )


def depart_form(self, node):
    """The form's button, the place of the sentence, and its closing tags."""
    self.body.append('<div class="rm-judge"><button type="submit">Check</button>'
                     '<output aria-live="polite"></output></div></fieldset></form>\n')


def visit_option(self, node):
    """A radio button and the begin of its label."""
    letter = escape(node["letter"])
    self.body.append(f'<label class="rm-option"><input type="radio" name="{escape(node["name"])}" value="{letter}">'
                     f"<span>({letter}) ")


def depart_option(self, node):
    """The end of a radio button's label."""
    self.body.append("</span></label>")


def link_kernels(app, doctree, docname):
    """Write where a function is judged: the addresses are known once the page is written."""
    for note in list(doctree.findall(kernel_note)):
        note.replace_self(nodes.paragraph("", "", nodes.raw("", _where(app, docname, note["what"]), format="html"),
                                          classes=["rm-kernel"]))


def _where(app, docname: str, what: str) -> str:
    ways = []
    if address := colab(app, docname):
        ways.append(f'<a href="{escape(address)}">open this chapter in Colab</a>')
    if Path(app.srcdir, docname).with_suffix(".ipynb").exists():
        target = f"{'../' * docname.count('/')}_sources/{docname}.ipynb"
        ways.append(f'<a href="{escape(target)}" download>download its notebook</a> for JupyterLab')
    return f"{what}: {' or '.join(ways) or 'open it in JupyterLab'}."


def add_files(app, pagename, templatename, context, doctree):
    """The script and the style, on pages with exercises alone."""
    if doctree is not None and (next(doctree.findall(answer_form), None) or "rm-kernel" in context.get("body", "")):
        app.add_css_file("exercises.css")
        app.add_js_file("scripts/exercises.js", loading_method="defer")


def setup(app):
    """Forms when a page is read, addresses when it is written."""
    skip = (lambda self, node: None, lambda self, node: None)
    others = dict.fromkeys(("latex", "text", "man", "texinfo"), skip)
    app.add_node(answer_form, html=(visit_form, depart_form), **others)
    app.add_node(answer_option, html=(visit_option, depart_option), **others)
    app.add_node(kernel_note, html=skip, **others)
    app.connect("doctree-read", place_forms)
    app.connect("doctree-resolved", link_kernels)
    app.connect("html-page-context", add_files)
    return {"version": "1", "env_version": 1, "parallel_read_safe": True, "parallel_write_safe": True}
