"""Sphinx: titles and link targets of theorems and exercises that carry their number in their own words.

sphinx-proof gives a link target in Markdown to numbered theorems alone, and sphinx-exercise puts every title into
brackets. Here `[Theorem 4.2](#thm-4-2)` works for `:nonumber:` ones too, and the title of an exercise
"3.1 Two samples" reads "Exercise 3.1 Two samples".
"""

from docutils import nodes
from sphinx_exercise.nodes import exercise_node, exercise_subtitle
from sphinx_exercise.post_transforms import SphinxPostTransform
from sphinx_proof.nodes import unenumerable_node


def add_targets(app, document) -> None:
    """Make the label of an unnumbered theorem a target of `[words](#label)`."""
    standard = app.env.get_domain("std")
    for node in document.findall(unenumerable_node):
        label = node["label"]
        title = f"{node['realtype'].title()} {node['title']}".strip()
        standard.anonlabels[label] = (app.env.docname, label)
        standard.labels[label] = (app.env.docname, label, title)


class PlainExerciseTitles(SphinxPostTransform):
    """Turn the subtitle of an unnumbered exercise into plain words after "Exercise"."""

    default_priority = 19  # before sphinx-exercise writes the titles of exercises (20) and solutions (21)

    def run(self) -> None:
        for node in self.document.findall(exercise_node):
            _plain(node)
        for entry in getattr(self.env, "sphinx_exercise_registry", {}).values():
            if isinstance(entry["node"], exercise_node):
                _plain(entry["node"])


def _plain(node) -> None:
    title = node.children[0]
    if len(title.children) == 2 and isinstance(title.children[1], exercise_subtitle):
        first, subtitle = title.children
        words = f"{first.astext()} {subtitle.astext()}"
        title.children = [nodes.Text(words)]


def setup(app):
    app.connect("doctree-read", add_targets)
    app.add_post_transform(PlainExerciseTitles)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
