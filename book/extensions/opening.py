"""Sphinx: the first screen of a chapter. {question}, {picture}, {answer}, and {aims}, which opens on a click.

    :::{question}
    How long can a theorem promise what training does?
    :::

    ```{picture} 05_tube
    ...
    :::{answer}
    As long as no margin can be the first to leave.
    :::

    :::{aims}
    **After this chapter you can** ...
    :::
"""


from docutils import nodes
from sphinx.util.docutils import SphinxDirective
from sphinx_design.dropdown import DropdownDirective

from book.tools.titles import AIMS


class Lead(SphinxDirective):
    """A question or an answer: paragraphs in larger type."""

    has_content = True

    def run(self):
        block = nodes.container(classes=["lead", self.name])
        self.state.nested_parse(self.content, self.content_offset, block)
        return [block]


class Aims(DropdownDirective):
    """Aims, prerequisites, cost, model, paper: one line until it is opened."""

    optional_arguments = 0

    def run_with_defaults(self):
        self.arguments = [AIMS]
        self.options["class-container"] = ["aims"]
        return super().run_with_defaults()


def setup(app):
    app.add_directive("question", Lead)
    app.add_directive("answer", Lead)
    app.add_directive("aims", Aims)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
