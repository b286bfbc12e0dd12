"""Sphinx: the chapters as cards on the landing page, each with its glyph and one line.

    ```{cards}
    - part: I The objects
      about: what is learned
      '01': One answer rises, the other falls; the way between them is the margin.
      '09': ['Does a language model meet the assumptions?', 'How far apart two means are can surprise.']
    ```

A chapter that is in the book brings its title and gets a link; one that is announced has a title of its own and none.
"""

import html
import re

import yaml
from docutils import nodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from book.tools.source import ROOT, find

LOGGER = logging.getLogger(__name__)
HEADING = re.compile(r"^# \d+\. (.+)$", re.MULTILINE)


class Cards(SphinxDirective):
    """The cards of all parts."""

    has_content = True

    def run(self):
        from helpers.figures import glyph, picture_names

        chapters = {path.stem[:2]: path for path in find(ROOT)}
        names = {name[:2]: name for name in picture_names()}
        up = "../" * self.env.docname.count("/")
        parts = []
        for part in yaml.safe_load("\n".join(self.content)):
            name, about, cards = part.pop("part"), part.pop("about"), []
            for number, words in part.items():
                there = number in chapters
                if there == isinstance(words, list):
                    wanted = "one line, since it is in the book" if there else "a title and a line"
                    LOGGER.warning("chapter %s needs %s", number, wanted, location=self.get_location())
                    continue
                line = words if there else words[1]
                title = HEADING.search(chapters[number].read_text(encoding="utf-8"))[1] if there else words[0]
                title = f"{int(number)}. {html.escape(title)}"
                if there:
                    title = f"<a href='{up}chapters/{chapters[number].stem}.html'>{title}</a>"
                soon = "" if there else "<span class='rm-card-soon'>to come</span>"
                cards.append(f"<li{'' if there else ' class=rm-later'}>{glyph(names[number])}<div>"
                             f"<span class='rm-card-title'>{title}</span>"
                             f"<span class='rm-card-line'>{html.escape(line)}</span>{soon}</div></li>")
            label = f"<header><h3>{html.escape(name)}</h3><p>{html.escape(about)}</p></header>"
            parts.append(f"<section class='rm-part'>{label}<ul class='rm-cards'>{''.join(cards)}</ul></section>")
        self.env.note_reread()  # titles and glyphs may have changed, although this page did not
        return [nodes.raw("", "".join(parts), format="html")]


def setup(app):
    app.add_directive("cards", Cards)
    app.add_css_file("cards.css")
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
