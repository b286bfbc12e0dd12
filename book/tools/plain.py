"""MyST Markdown of a chapter as the plain Markdown that Jupyter and Colab show.

Theorems become block quotes, folds become <details>, references become links between notebooks.
Whatever is not known here raises `SourceError` with file and line, so nothing is lost in silence.
"""

import re
from dataclasses import dataclass, replace
from html import escape
from itertools import pairwise
from pathlib import Path

from .references import Book, Target
from .source import Block, Code, Directive, SourceError, Text, parse
from .titles import AIMS, exercise_title, theorem_title

THEOREMS = {"theorem", "lemma", "definition", "proposition", "corollary", "remark", "assumption", "algorithm",
            "conjecture", "example", "observation", "property", "axiom"}
ADMONITIONS = {"note": "Note", "warning": "Warning", "tip": "Tip", "important": "Important", "hint": "Hint",
               "caution": "Caution", "attention": "Attention", "seealso": "See also", "admonition": "",
               "margin": ""}
LABEL = re.compile(r"^\(([^)\s]+)\)=[ \t]*$", re.MULTILINE)
COMMENT = re.compile(r"^%.*\n?", re.MULTILINE)
HEADING = re.compile(r"^(?:\([^)\n]+\)=[ \t]*\n+)*#{1,6} ", re.MULTILINE)
TOKEN = re.compile(
    r"""(?P<escape>\\[^\sA-Za-z])
    |\{(?P<role>[\w:.-]+)\}(?P<ticks>`+)(?P<text>.+?)(?<!`)(?P=ticks)(?!`)
    |(?P<code>(?P<cticks>`+)(?!`).+?(?<!`)(?P=cticks)(?!`))
    |\$\$(?P<display>.+?)\$\$(?:[ \t]*\((?P<label>[^)\s]+)\))?
    |\$(?P<math>(?:\\.|[^$\\])+?)\$
    |(?P<amsmath>\\begin\{(?P<env>[a-z]+\*?)\}.+?\\end\{(?P=env)\})
    |!\[(?P<alt>[^\]]*)\]\((?P<source>[^)\s]+)\)(?:\{[^}]*\})?
    |\[(?P<words>(?:[^\[\]\\`$]|\\.|`[^`]*`|\$[^$]*\$|\[[^\]]*\])*)\]\((?P<target>[^)\s]*)\)(?!\{)
    |(?P<unknown>\[\^[^\]]+\]|\{\{.+?\}\}|\]\{[^}]*\}|\)\{[^}]*\})""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True)
class Plain:
    """Converts the text of one chapter. `quoted` is set inside block quotes, where math stays on one line."""

    path: Path
    book: Book
    quoted: bool = False

    def sections(self, source: str, line: int) -> list[str]:
        """Convert the text between two code cells; each heading starts a new part."""
        parts: list[list[str]] = [[]]
        for starts, chunk in self._chunks(parse(source, line, self.path)):
            if starts and parts[-1]:
                parts.append([])
            if chunk:
                parts[-1].append(chunk)
        return ["\n\n".join(part) for part in parts if part]

    def render(self, lines: tuple[str, ...], line: int) -> str:
        """Convert the content of a directive."""
        return "\n\n".join(chunk for _, chunk in self._chunks(parse(lines, line, self.path)) if chunk)

    def _chunks(self, blocks: list[Block]):
        for block in blocks:
            match block:
                case Text():
                    yield from self._text("\n".join(block.lines), block.line)
                case Code():
                    yield False, "\n".join(block.lines)
                case Directive():
                    chunk = self.directive(block)
                    yield False, "\n".join((block.indent + text).rstrip() for text in chunk.split("\n"))

    def _text(self, text: str, line: int):
        starts = [found.start() for found in HEADING.finditer(text)]
        for at, end in pairwise(sorted({0, *starts, len(text)})):
            yield at in starts, self.inline(text[at:end], line + text[:at].count("\n")).strip()

    # Directives

    def directive(self, block: Directive) -> str:
        """One directive and all that it holds, as plain Markdown."""
        name, title = block.name, self.inline(block.argument, block.line)
        anchor = self._anchor(block.options.get("label") or block.options.get("name"))
        if name.startswith("prf:") and name[4:] in THEOREMS:
            return anchor + self._quote(f"**{theorem_title(name[4:], title)}.**", block)
        if name == "prf:proof":
            return f"*{f'Proof {title}'.strip()}.*\n\n{self._inside(block)}\n\n∎"
        if name == "exercise":
            return anchor + self._quote(f"**{exercise_title(block.options.get('label', ''), title)}**", block)
        if name == "solution":
            exercise = self.book.target(self.path, block.line, block.argument)
            return self._fold(f"Solution to {exercise.words}", block)
        if name == "dropdown":
            return anchor + self._fold(block.argument, block)
        if name in ADMONITIONS:
            words = title if name == "admonition" else ADMONITIONS[name]
            if "dropdown" in block.options.get("class", ""):
                return anchor + self._fold(block.argument or words, block)
            own = "" if name == "admonition" else title  # a first line after the name is content
            return anchor + self._quote(f"**{words}.** {own}".strip() if words else own, block)
        if name in {"figure", "image"}:
            image = self._image(block.options.get("alt", ""), block.argument, block.line)
            caption = self._inside(block)
            return anchor + image + (f"\n\n*{caption}*" if caption else "")
        if name in {"caption", "picture"}:
            return self._figure(block)
        if name in {"question", "answer"}:
            return self._lead(f"**{name.title()}.**", block)
        if name == "aims":
            return self._fold(AIMS, block)
        if name == "math":
            text = "\n".join((block.argument, *block.lines)).strip()
            return self._display(text, block.options.get("label"), block.line)
        if name in {"code-block", "code"}:
            return "\n".join((f"```{block.argument}", *block.lines, "```"))
        if name == "table":
            return anchor + (f"**{title}**\n\n" if title else "") + self._inside(block)
        if name == "cost":
            return self.book.cost(self.path, block.line, "")
        raise SourceError(self.path, block.line, f"the export does not know the directive {{{name}}}")

    def _inside(self, block: Directive) -> str:
        return self.render(block.lines, block.content_line)

    def _quote(self, title: str, block: Directive) -> str:
        body = replace(self, quoted=True).render(block.lines, block.content_line)
        text = "\n\n".join(part for part in (title, body) if part)
        return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))

    def _fold(self, title: str, block: Directive) -> str:
        # The blank lines make Markdown and math work again inside the HTML.
        return f"<details>\n<summary>{_html(title)}</summary>\n\n{self._inside(block)}\n\n</details>"

    def _figure(self, block: Directive) -> str:
        """The caption of a cell's output, or a drawing with its caption."""
        alt = block.options.get("alt", "")
        if not alt:
            raise SourceError(self.path, block.line, "the figure needs its :alt:, a text for who cannot see it")
        caption = self._inside(block).replace("\n\n", "*\n\n*")
        number = self.book.figure(self.path, block.line, block.argument)
        words = f"*{number}. {caption}*" if caption else f"*{number}.*"
        if block.name == "caption":
            return self._anchor(block.argument) + words
        image = f"![{alt}]({self.book.picture(self.path, block.line, block.argument)})"
        return f"{self._anchor(block.options.get('name'))}{image}\n\n{words}"

    def _lead(self, name: str, block: Directive) -> str:
        return f"{name} {self._inside(block)}"

    def _anchor(self, label: str | None) -> str:
        return f'<a id="{label}"></a>\n\n' if label else ""

    # Inside a line

    def inline(self, text: str, line: int) -> str:
        """Convert roles, links, math and targets in running text that starts at `line`."""
        # The lines of comments stay, empty, until the places of all tokens are known.
        text = COMMENT.sub(lambda m: "\n" if m[0].endswith("\n") else "", text)
        text = LABEL.sub(lambda m: f'<a id="{m[1]}"></a>', text)
        out, at = [], 0
        for token in TOKEN.finditer(text):
            out += [text[at:token.start()], self._token(token, line + text[:token.start()].count("\n"))]
            at = token.end()
        result = re.sub(r"\n{3,}", "\n\n", "".join(out) + text[at:])
        return re.sub(r'^(<a id="[^"]+"></a>)\n(?=#)', r"\1\n\n", result, flags=re.MULTILINE)

    def _token(self, token: re.Match, line: int) -> str:
        if token["role"]:
            return self._role(token["role"], token["text"], line)
        if token["display"]:
            return self._display(token["display"].strip(), token["label"], line)
        if token["math"]:
            return f"${_one_line(token['math'])}$"
        if token["amsmath"]:
            return self._display(token["amsmath"], None, line)
        if token["source"]:
            return self._image(token["alt"], token["source"], line)
        if token["target"] is not None:
            return self._link(self.inline(token["words"], line), token["target"], line)
        if token["unknown"]:
            raise SourceError(self.path, line, f"the export does not know {token[0]!r}")
        return token[0]

    def _display(self, math: str, label: str | None, line: int) -> str:
        tag = rf" \tag{{{self.book.target(self.path, line, label).number}}}" if label else ""
        anchor = f'<a id="{label}"></a>\n' if label else ""
        # Jupyter cuts math out before it reads Markdown, so the marks of a quote would end up inside.
        body = f"$${_one_line(math)}{tag}$$" if self.quoted else f"$$\n{math}{tag}\n$$"
        return anchor + body

    def _image(self, alt: str, source: str, line: int) -> str:
        if not alt:
            raise SourceError(self.path, line, f"the image {source} has no alternative text")
        return f"![{alt}]({self.book.file(self.path, line, source)})"

    def _role(self, name: str, text: str, line: int) -> str:
        if name == "cost":
            return self.book.cost(self.path, line, text)
        if name == "math":
            return f"${_one_line(text)}$"
        if name in {"cite", "cite:p", "cite:t"}:
            return self.book.cite(self.path, line, text, in_text=name == "cite:t")
        titled = re.fullmatch(r"(.+?)\s*<([^<>]+)>", text, re.DOTALL)
        words, target = (self.inline(titled[1], line), titled[2]) if titled else ("", text)
        if name == "term":
            return words or text
        if name == "doc":
            return self._link(words, f"{target}.md", line)
        if name in {"ref", "eq", "prf:ref", "numref"}:
            return self._link(words, f"#{target}", line)
        raise SourceError(self.path, line, f"the export does not know the role {{{name}}}")

    def _link(self, words: str, target: str, line: int) -> str:
        if re.match(r"(https?|mailto):", target):
            return f"[{words}]({target})"
        file, _, label = target.partition("#")
        if file.endswith(".md"):
            where = self.book.page(self.path, line, file, label)
        elif file in self.book.labels:
            where = self.book.labels[file]
        elif file:
            address = self.book.file(self.path, line, file)
            return f"[{words}]({address})" if address else words
        else:
            where = self.book.target(self.path, line, label)
        words = words or self._words(where, line)
        address = self.book.address(self.path, where)
        return f"[{words}]({address})" if address else words

    def _words(self, target: Target, line: int) -> str:
        if not target.words:
            raise SourceError(self.path, line, f"the link to {target.label} needs words of its own")
        return target.words


def _one_line(math: str) -> str:
    return " ".join(re.sub(r"(?<!\\)%.*", "", math).split())  # a comment would swallow all that follows


def _html(title: str) -> str:
    """Markdown of a title as HTML: `code` and *emphasis*; math stays."""
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(title, quote=False))
    return re.sub(r"\*([^*]+)\*", r"<em>\1</em>", text)
