"""Sphinx: titles of theorems and exercises that carry their number in their own words, and links that keep theirs.

- A theorem with the title "4.2 (Training)" reads "Theorem 4.2 (Training)"; one whose title brings no number,
  such as "Reward margin", reads "Definition (Reward margin)".
- An exercise with the label "ex-03-1" and the title "Two samples" reads "Exercise 3.1: Two samples", in the title
  of its solution too.
- A link to an equation reads as it is written, [the law](#eq-law); one without words reads as its number, "(2)".
"""


from docutils import nodes
from sphinx.domains.math import MathDomain
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx_exercise.nodes import exercise_node, exercise_subtitle
from sphinx_proof.nodes import unenumerable_node

from book.tools.titles import NUMBERED, exercise_title


class WordedEquations(MathDomain):
    """Equations, whose number stands for a link that has no words."""

    def resolve_xref(self, env, fromdocname, builder, typ, target, node, contnode):
        link = super().resolve_xref(env, fromdocname, builder, typ, target, node, contnode)
        if link is not None and node.get("refexplicit"):
            link.children.clear()
            link.append(contnode)
        return link


def plain_format(app, config) -> None:
    """Let the title of a theorem follow its kind as it is written."""
    config.proof_title_format = "%t"


def bracket_names(app, doctree) -> None:
    """Put the title of a theorem into brackets where it brings no number."""
    for node in doctree.findall(unenumerable_node):
        if node["title"] and not NUMBERED.match(node["title"]):
            node.children[0].insert(0, nodes.Text("("))
            node.children[0].append(nodes.Text(")"))


class PlainExerciseTitles(SphinxPostTransform):
    """Write the title of an unnumbered exercise in plain words, with the number that its label has."""

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
        title.children = [nodes.Text(exercise_title(node["label"], title.children[1].astext()))]


def setup(app):
    app.add_domain(WordedEquations, override=True)
    app.connect("config-inited", plain_format)
    app.connect("doctree-read", bracket_names)
    app.add_post_transform(PlainExerciseTitles)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
