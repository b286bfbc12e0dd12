"""Sphinx: what stands for an interactive figure where scripts are off.

A figure displays itself in two forms, one that moves and one for a notebook without a kernel. The page shows the first;
the picture of the second is added to it, for readers whose browser runs no script.
"""

import re

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

MOVES, STANDS = "application/vnd.jupyter.widget-view+json", "text/html"
PICTURE = re.compile(r"<img\b[^>]*>")


def still(html: str) -> str:
    """The picture of a figure's other form, or that there is none, where no script runs."""
    picture = PICTURE.search(html)
    told = "This figure moves where scripts are on." if picture else "This figure needs scripts, and they are off."
    return f"<noscript>{picture[0] if picture else ''}<p>{told}</p></noscript>"


class AddStills(SphinxPostTransform):
    """Add the still picture to the form that moves, before one form is chosen for the page."""

    default_priority = 3  # myst_nb chooses at 4
    formats = ("html",)

    def run(self, **kwargs):
        """Run the transform."""
        for bundle in self.document.findall(nodes.container):
            if bundle.get("nb_element") != "mime_bundle":
                continue
            forms = {form.get("mime_type"): form for form in bundle.children}
            if {MOVES, STANDS} <= set(forms):
                html = "".join(node.astext() for node in forms[STANDS].findall(nodes.raw))
                forms[MOVES].append(nodes.raw("", still(html), format="html"))


def setup(app):
    """Tell Sphinx of the transform."""
    app.add_post_transform(AddStills)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
