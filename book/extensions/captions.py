"""Sphinx: numbered figures, of the output of a cell or drawn by the book itself.

- directive {caption} LABEL: what the code cell before it displays becomes a figure, "Figure 5.2", with this caption.
- directive {picture} NAME: the drawing of `helpers.figures.picture(NAME)`, with its caption; `:name:` is its label.

Both need `:alt:`, what a person is told who cannot see the figure. [](#LABEL) reads "Figure 5.2". A figure without
alternative text, a cell that displays nothing and a picture that is not there are warnings, so a strict build fails.
"""

import re
import sys
from html import escape

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from book.tools.titles import figure_title

LOGGER = logging.getLogger(__name__)
NAMED = re.compile(r"""\s(?:role|alt|aria-\w+)=(?:"[^"]*"|'[^']*')""")
WIDGET = "application/vnd.jupyter.widget-view"
DRAWN = re.compile(r"<(svg|img)\b([^>]*?)(/?)>")


class numbered_figure(nodes.General, nodes.Element):
    """A figure with `label`, `alt` and, once the page is read, `title`; its last child is its caption."""


class figure_caption(nodes.General, nodes.Element):
    """The caption of a figure."""


class Caption(SphinxDirective):
    """A figure of what the cell before displays."""

    required_arguments = 1
    has_content = True
    option_spec = {"alt": directives.unchanged_required, "class": directives.class_option}

    def run(self):
        return [_figure(self, self.arguments[0])]


class Picture(SphinxDirective):
    """A figure that the book draws."""

    required_arguments = 1
    has_content = True
    option_spec = {"alt": directives.unchanged_required, "class": directives.class_option,
                   "name": directives.unchanged}

    def run(self):
        from helpers.figures import picture

        figure = _figure(self, self.options.get("name", ""))
        figure["classes"].append("picture")
        try:
            drawing = picture(self.arguments[0])
        except ValueError as problem:
            LOGGER.warning("%s", problem, location=self.get_location())
            return []
        for name, module in list(sys.modules.items()):  # what drew it: read this page again when that changes
            if name.startswith("helpers.figures."):
                self.env.note_dependency(module.__file__)
        figure.insert(0, nodes.raw("", named(drawing, figure["alt"]), format="html"))
        return [figure]


def _figure(directive, label: str) -> numbered_figure:
    """The node of a directive: its caption alone so far."""
    alt = " ".join(directive.options.get("alt", "").split())
    if not alt:
        LOGGER.warning("the figure needs its :alt:, what a person is told who cannot see it",
                       location=directive.get_location())
    figure = numbered_figure(alt=alt, label=label, ids=[label] if label else [],
                             classes=list(directive.options.get("class", [])))
    directive.set_source_info(figure)
    caption = figure_caption()
    directive.state.nested_parse(directive.content, directive.content_offset, caption)
    figure += caption
    return figure


def named(drawing: str, alt: str) -> str:
    """HTML with `alt` as the name of its first drawing, an <svg> or an <img>, in place of any that it has."""
    def rename(found: re.Match) -> str:
        tag, attributes, close = found.groups()
        name = "alt" if tag == "img" else 'role="img" aria-label'
        return f'<{tag}{NAMED.sub("", attributes).rstrip()} {name}="{escape(alt)}"{close}>'

    return DRAWN.sub(rename, drawing, count=1)


def gather(app, doctree) -> None:
    """Number the figures of a page, make their labels known, and bring outputs under their captions."""
    std = app.env.get_domain("std")
    page = app.env.docname
    for place, figure in enumerate(list(doctree.findall(numbered_figure)), 1):
        figure["title"] = figure_title(page.rpartition("/")[2], place)
        if figure["label"]:
            std.anonlabels[figure["label"]] = page, figure["label"]
            std.labels[figure["label"]] = page, figure["label"], figure["title"]
        if len(figure) == 1:  # its caption alone
            _take_output(figure)


def _take_output(figure: numbered_figure) -> None:
    """Move what the cell before displays into the figure, and the figure into the cell."""
    siblings = figure.parent.children
    before = [node for node in siblings[:siblings.index(figure)] if not isinstance(node, nodes.comment)]
    cell = before[-1] if before else None
    is_cell = isinstance(cell, nodes.container) and cell.get("nb_element") == "cell_code"
    outputs = [node for node in cell[-1] if _is_displayed(node)] if is_cell and len(cell) else []
    if not outputs:
        LOGGER.warning("the caption %s stands after no code cell that displays something", figure["label"],
                       location=figure)
        return
    figure.parent.remove(figure)
    holder = cell[-1]
    holder.insert(holder.index(outputs[0]), figure)
    for output in outputs:
        holder.remove(output)
        figure.insert(len(figure) - 1, output)
    _name_drawings(figure)


def _is_displayed(node: nodes.Node) -> bool:
    """Whether an output is a drawing, a widget or HTML rather than text."""
    if not isinstance(node, nodes.container) or node.get("nb_element") != "mime_bundle":
        return False
    return {alternative["mime_type"] for alternative in node} != {"text/plain"}


def _name_drawings(figure: numbered_figure) -> None:
    """Give the alternative text to the first drawing, and to the figure where it has none or is a widget."""
    figure["named"] = any(node.get("mime_type", "").startswith(WIDGET) for node in figure.findall(nodes.container))
    for node in figure.findall(lambda node: isinstance(node, nodes.image | nodes.raw)):
        if isinstance(node, nodes.image):
            node["alt"] = figure["alt"]
        elif (text := named(node.astext(), figure["alt"])) != node.astext():
            node.replace_self(nodes.raw("", text, **{key: node[key] for key in ("format", "classes") if key in node}))
        else:
            continue
        return
    figure["named"] = True


def visit_figure(self, node) -> None:
    name = f' aria-label="{escape(node["alt"])}"' if node.get("named") and node["alt"] else ""
    self.body.append(self.starttag(node, "figure", CLASS="numbered").replace(">", f'{name} tabindex="-1">', 1))


def depart_figure(self, node) -> None:
    self.body.append("</figure>\n")


def visit_caption(self, node) -> None:
    first = node[0] if len(node) else None
    lead = nodes.inline("", f"{node.parent['title']}. ", classes=["caption-number"])
    if isinstance(first, nodes.paragraph):
        first.insert(0, lead)
    else:
        node.insert(0, nodes.paragraph("", "", lead))
    self.body.append("<figcaption>\n")


def depart_caption(self, node) -> None:
    self.body.append("</figcaption>\n")


def setup(app):
    app.add_node(numbered_figure, html=(visit_figure, depart_figure))
    app.add_node(figure_caption, html=(visit_caption, depart_caption))
    app.add_directive("caption", Caption)
    app.add_directive("picture", Picture)
    app.connect("doctree-read", gather)
    return {"version": "1", "env_version": 1, "parallel_read_safe": True, "parallel_write_safe": True}
