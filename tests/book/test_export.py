"""The notebooks for Jupyter and Colab: every construct of a chapter, stable files, and what is refused."""

import json
import re
import sys

import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager
from markdown_it import MarkdownIt

from book.tools import export
from book.tools.plain import THEOREMS
from book.tools.references import REPOSITORY, Book
from book.tools.source import SourceError

HEADER = """---
jupytext:
  text_representation: {extension: .md, format_name: myst}
kernelspec: {name: python3, display_name: Python 3}
---

"""
BIB = """
@misc{im2024, author={Im, Shawn and Li, Sharon}, title={T}, year={2024}, note={arXiv:2408.03459, version 5}}
@article{munos2024, author={Munos, R{\\'e}mi and A, B and C, D}, title={T}, year={2024}, doi={10.1/x}}
@book{old1952, author={Old, Ann}, title={T}, year={1952}}
"""


@pytest.fixture
def book(tmp_path, monkeypatch):
    """A function that exports one text as chapter 3 of a small book and returns its Markdown."""
    monkeypatch.delenv(REPOSITORY, raising=False)
    (tmp_path / "chapters").mkdir()
    (tmp_path / "book").mkdir()
    (tmp_path / "_config.yml").write_text("parse: {myst_enable_extensions: [colon_fence, dollarmath]}\n")
    (tmp_path / "book" / "references.bib").write_text(BIB)
    (tmp_path / "book" / "notation.md").write_text("# Notation\n\n(sym-beta)=\n## Beta\n")
    (tmp_path / "chapters" / "01_other.md").write_text(
        HEADER + "# 1. Other\n\n$$\na\n$$ (eq-other)\n\n"
        ":::{prf:lemma} 4.1 (rate)\n:label: lem-4-1\n:nonumber:\nb\n:::\n"
    )

    def make(text: str) -> str:
        path = tmp_path / "chapters" / "03_this.md"
        path.write_text(HEADER + text, encoding="utf-8")
        node = nbformat.reads(export.export(path, Book.load(tmp_path)), nbformat.NO_CONVERT)
        return "\n<cell>\n".join(cell.source for cell in node.cells[1:] if cell.cell_type == "markdown")

    make.root = tmp_path
    return make


def html(markdown: str) -> str:
    """What a CommonMark front end makes of the text."""
    return MarkdownIt("commonmark").render(markdown)


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("{math}`a\n+b`", "$a +b$"),
        ("{cite:t}`im2024` says", "[Im and Li (2024)](https://arxiv.org/abs/2408.03459) says"),
        ("{cite:p}`munos2024,old1952`", "([Munos et al., 2024](https://doi.org/10.1/x); Old, 1952)"),
        ("{cite:t}`munos2024`", "[Munos et al. (2024)](https://doi.org/10.1/x)"),
        ("**Cost** {cost}`this chapter`", "**Cost** not measured yet"),
        ("[Lemma 4.1](#lem-4-1)", "[Lemma 4.1](01_other.ipynb#lem-4-1)"),
        ("{prf:ref}`the lemma <lem-4-1>`", "[the lemma](01_other.ipynb#lem-4-1)"),
        ("{eq}`eq-other`", "[(1)](01_other.ipynb#eq-other)"),
        ("[chapter 1](01_other.md)", "[chapter 1](01_other.ipynb)"),
        ("[](01_other.md)", "[1. Other](01_other.ipynb)"),
        ("{doc}`before <01_other>`", "[before](01_other.ipynb)"),
        ("[beta](../book/notation.md#sym-beta)", "beta"),
        ("{ref}`sym-beta`", "Beta"),
        ("{term}`margin`", "margin"),
        ("[`x` $y$](https://a.b/c)", "[`x` $y$](https://a.b/c)"),
        ("keep `{ref}` and `$a$` and $\\{x\\}$", "keep `{ref}` and `$a$` and $\\{x\\}$"),
        ("a $x\n+y$ b", "a $x +y$ b"),
        ("% a comment\ntext", "text"),
        ("\\begin{align}\na&=b\n\\end{align}", "$$\n\\begin{align}\na&=b\n\\end{align}\n$$"),
        ("```{code-block} text\nx\n```", "```text\nx\n```"),
        ("```python\n:::{no}\n```", "```python\n:::{no}\n```"),
    ],
)
def test_inline_and_small_constructs(book, source, wanted):
    assert book(f"{source}\n") == wanted


def test_a_theorem_becomes_a_quote_with_its_math_intact(book):
    text = book(
        ":::{prf:theorem} 4.2 (Training)\n:label: thm-4-2\n:nonumber:\n\nUnder $a$:\n\n"
        "$$\nr % a comment\n  \\ge 1\n$$ (eq-r)\n\n"
        "- one\n- two\n:::\n\nSee [Theorem 4.2](#thm-4-2) and {eq}`eq-r`.\n"
    )
    assert text.startswith('<a id="thm-4-2"></a>\n\n> **Theorem 4.2 (Training).**\n>\n> Under $a$:')
    # Jupyter cuts out what stands between the dollars before it reads the marks of the quote.
    for math in re.findall(r"\$\$.+?\$\$", text, re.DOTALL):
        assert ">" not in math.replace(r"\ge", "") and "\n" not in math
    assert r'> <a id="eq-r"></a>' in text and r"> $$r \ge 1 \tag{1}$$" in text
    assert text.endswith("See [Theorem 4.2](#thm-4-2) and [(1)](#eq-r).")
    page = html(text)
    assert page.count("<blockquote>") == 1 and page.count("<li>") == 2


@pytest.mark.parametrize("kind", sorted(THEOREMS))
def test_every_kind_of_statement(book, kind):
    text = book(f":::{{prf:{kind}}} Name\n:nonumber:\nWords.\n:::\n")
    assert text == f"> **{kind.title()} (Name).**\n>\n> Words."


def test_a_proof_folds(book):
    proof = ":::{prf:proof}\nStep **1**.\n\n$$\na\n$$\n:::\n"
    text = book(f"::::{{dropdown}} Proof of `f`, *briefly*\n{proof}::::\n")
    assert text == (
        "<details>\n<summary>Proof of <code>f</code>, <em>briefly</em></summary>\n\n"
        "*Proof.*\n\nStep **1**.\n\n$$\na\n$$\n\n∎\n\n</details>"
    )
    # The blank line after the summary lets Markdown and math work inside.
    assert "<strong>1</strong>" in html(text)


def test_an_exercise_and_its_solution(book):
    text = book(
        "::::{exercise} Two samples\n:label: ex-03-1\n:nonumber:\nCompute.\n\n"
        ":::{dropdown} Hint\nAdd.\n:::\n::::\n\n"
        "```{code-cell} ipython3\nanswer = ...\n```\n\n"
        "::::{solution} ex-03-1\n:class: dropdown\n```python\nanswer = 2\n```\nWords.\n::::\n"
    )
    assert '<a id="ex-03-1"></a>\n\n> **Exercise 3.1: Two samples**\n>\n> Compute.' in text
    assert "> <details>\n> <summary>Hint</summary>\n>\n> Add.\n>\n> </details>" in text
    assert "<summary>Solution to Exercise 3.1: Two samples</summary>\n\n```python\nanswer = 2\n```\n" in text


@pytest.mark.parametrize("kind", ["note", "warning", "tip", "important"])
def test_admonitions(book, kind):
    assert book(f":::{{{kind}}}\nMind $a$.\n:::\n") == f"> **{kind.title()}.**\n>\n> Mind $a$."
    folded = book(f":::{{{kind}}}\n:class: dropdown\nMind.\n:::\n")
    assert folded == f"<details>\n<summary>{kind.title()}</summary>\n\nMind.\n\n</details>"


def test_admonitions_with_a_title_and_without(book):
    assert book(":::{admonition} Who\nYou.\n:::\n") == "> **Who.**\n>\n> You."
    assert book(":::{seealso}\nThat.\n:::\n") == "> **See also.**\n>\n> That."
    assert book(":::{margin}\nAside.\n:::\n") == "> Aside."


def test_a_figure_keeps_its_alternative_text(book):
    (book.root / "chapters" / "x.svg").write_text("<svg/>")
    text = book(":::{figure} x.svg\n:alt: Two curves\nThe caption.\n:::\n")
    assert text == "![Two curves](x.svg)\n\n*The caption.*"
    (book.root / "_config.yml").write_text("repository: {url: https://h.example/o/n, branch: dev}\n")
    assert "(https://h.example/o/n/raw/dev/chapters/x.svg)" in book("![Two](x.svg)\n")


def test_math_directive_with_a_label(book):
    assert book("```{math}\n:label: eq-m\na\n```\n") == '<a id="eq-m"></a>\n$$\na \\tag{1}\n$$'


def test_headings_start_cells_and_keep_their_targets(book):
    text = book("# 3. Title\n\na\n\n(sec-b)=\n## B\n\nb, [here](#sec-b)\n\n```{code-cell}\n1\n```\n\nc\n")
    assert text.split("\n<cell>\n") == [
        "# 3. Title\n\na", '<a id="sec-b"></a>\n\n## B\n\nb, [here](#sec-b)', "c"
    ]


def test_pages_of_the_site_are_linked_where_it_has_an_address(book):
    (book.root / "_config.yml").write_text("html: {baseurl: https://site.example/}\n")
    wanted = "[beta](https://site.example/book/notation.html#sym-beta)"
    assert book("[beta](../book/notation.md#sym-beta)\n") == wanted


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("a\n\n:::{tab-set}\n:::\n", r":9: .*directive \{tab-set\}"),
        ("a\nb {glue}`x`\n", r":8: .*role \{glue\}"),
        ("{ref}`nowhere`\n", r":7: there is no label 'nowhere'"),
        ("[words](#nowhere)\n", r":7: there is no label 'nowhere'"),
        ("[words](nowhere.md)\n", r":7: there is no file nowhere.md"),
        ("[words](../book/notation.md#eq-other)\n", r":7: the label 'eq-other' is not in"),
        ("{cite}`nobody2020`\n", r":7: there is no source 'nobody2020'"),
        ("a\n\n![](x.png)\n", r":9: the image x.png has no alternative text"),
        ("a[^1]\n", r":7: the export does not know '\[\^1\]'"),
        ("{{ name }}\n", r":7: the export does not know"),
        ("[words]{.big}\n", r":7: the export does not know"),
        (":::{dropdown} T\n\n{odd}`x`\n:::\n", r":9: .*role \{odd\}"),
        (":::{note}\nopen\n", r":7: the fence ':::\{note\}' is never closed"),
        ("(lem-4-1)=\n# 3. Again\n", r"the label 'lem-4-1' is used in 01_other.md too"),
    ],
)
def test_what_is_not_known_is_refused_with_file_and_line(book, source, message):
    with pytest.raises(SourceError, match=r"\.md" + message if message[0] == ":" else message):
        book(source)


def test_a_cost_is_that_of_the_record_in_rounded_words(book):
    (book.root / "records").mkdir()
    cost = {"seconds": 12.3, "embedding": 131.0, "memory": 1.14}
    (book.root / "records" / "costs.json").write_text(json.dumps({"chapters/03_this": cost}))
    words = "about 10 s on a CPU, the first time about 2 min more, 1.1 GB of memory"
    assert book("{cost}`this chapter`\n") == words
    assert book("```{cost}\n```\n") == words
    assert book("{cost}`01_other`\n") == "not measured yet"
    with pytest.raises(SourceError, match="there is no chapter '1_other'"):
        book("{cost}`1_other`\n")


# The set-up cell


@pytest.fixture
def set_up(book, monkeypatch, tmp_path):
    """A function that runs the set-up cell of a notebook in a folder; what it installs."""
    def run(folder, address=""):
        monkeypatch.setenv(REPOSITORY, address)
        book("# 3. Title\n")
        cell = json.loads(export.export(book.root / "chapters" / "03_this.md", Book.load(book.root)))["cells"][0]
        assert cell["metadata"]["jupyter"] == {"source_hidden": True}
        source = TransformerManager().transform_cell("".join(cell["source"]))
        installed = []
        # IPython fills {source} in with the value of that name.
        magic = type("Shell", (), {"run_line_magic": lambda self, name, line: installed.append(
            f"{name} {line}".format(**scope))})()
        scope = {"get_ipython": lambda: magic}
        monkeypatch.chdir(folder)
        exec(source, scope)
        return installed

    return run


@pytest.fixture
def missing(monkeypatch):
    """As if no package `helpers` were there."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)


def test_where_the_package_is_there_the_set_up_installs_nothing(set_up, tmp_path):
    assert set_up(tmp_path, "https://h.example/o/n") == []


def test_the_set_up_installs_from_the_repository(set_up, missing, tmp_path):
    # An upgrade flag would replace the reader's own torch, numpy and ipywidgets.
    assert set_up(tmp_path, "https://h.example/o/n/") == ['pip install -q "git+https://h.example/o/n@main"']


def test_the_set_up_installs_from_the_checkout_that_holds_the_notebook(set_up, missing, tmp_path):
    (tmp_path / "src" / "helpers").mkdir(parents=True)
    assert set_up(tmp_path / "chapters") == ['pip install -q ".."']


def test_without_address_and_checkout_the_set_up_says_the_line(set_up, missing, tmp_path):
    with pytest.raises(ModuleNotFoundError, match="the book's package is missing: %pip install PATH"):
        set_up(tmp_path)


@pytest.mark.parametrize("name", ["helpers.py", "helpers/__init__.py", "helpers/mine.py"])
def test_a_readers_own_helpers_that_hide_the_package_are_named(set_up, monkeypatch, tmp_path, name):
    own = tmp_path / "own" / name
    own.parent.mkdir(parents=True)
    own.write_text("")
    loaded = [module for module in sys.modules if module.partition(".")[0] == "helpers"]
    for module in loaded:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.syspath_prepend(tmp_path / "own")
    if name == "helpers/mine.py":  # a folder without __init__ hides nothing: packages go before it
        assert set_up(tmp_path / "own") == []
    else:
        with pytest.raises(ImportError, match=rf"own/{name} hides the package helpers: rename it"):
            set_up(tmp_path / "own")


def test_code_cells_keep_their_tags_and_lose_nothing(book):
    book("# 3. T\n\n```{code-cell} ipython3\n:tags: [hide-input]\n\nx = 1\n\n\ny = '{ref}`a`'\n```\n")
    text = export.export(book.root / "chapters" / "03_this.md", Book.load(book.root))
    cell = json.loads(text)["cells"][-1]
    assert cell["metadata"] == {"tags": ["hide-input"], "jupyter": {"source_hidden": True}} and cell["outputs"] == []
    assert "".join(cell["source"]) == "x = 1\n\n\ny = '{ref}`a`'"


def test_an_edit_leaves_the_ids_of_other_cells(book):
    path = book.root / "chapters" / "03_this.md"

    def ids(text):
        book(text)
        cells = json.loads(export.export(path, Book.load(book.root)))["cells"]
        return [cell["id"] for cell in cells]

    before = ids("# 3. T\n\n## A\n\na\n\n## B\n\nsame\n\n## B\n\nsame\n")
    after = ids("# 3. T\n\n## A\n\nnew\n\n## B\n\nsame\n\n## B\n\nsame\n")
    assert len(set(before)) == len(before)
    assert [a == b for a, b in zip(before, after, strict=True)] == [True, True, False, True, True]


def test_writing_is_stable_and_the_check_notices(book, capsys, monkeypatch):
    book("# 3. Title\n")
    root = ["--root", str(book.root)]
    assert export.main([*root, "--check"]) == 1
    assert export.main(root) == 0 and len(export.write(book.root)) == 0
    assert export.main([*root, "--check"]) == 0
    made = book.root / "chapters" / "03_this.ipynb"
    assert not list(made.parent.glob("*.partial"))
    # An address in the environment is no reason to call the committed notebooks old.
    monkeypatch.setenv(REPOSITORY, "https://h.example/o/n")
    assert export.main([*root, "--check"]) == 0
    made.write_text(made.read_text().replace("Title", "title"))
    capsys.readouterr()
    assert export.main([*root, "--check"]) == 1
    assert "03_this.ipynb is not current" in capsys.readouterr().out


def test_an_export_that_fails_leaves_all_notebooks_alone(book, capsys):
    book("# 3. Title\n")
    root = ["--root", str(book.root)]
    export.main(root)
    made = {p: p.read_text() for p in (book.root / "chapters").glob("*.ipynb")}
    with open(book.root / "chapters" / "01_other.md", "a") as file:
        file.write("\nmore\n")
    with pytest.raises(SourceError):
        book("{odd}`x`\n")
    assert export.main(root) == 1
    assert "03_this.md:7: the export does not know the role {odd}" in capsys.readouterr().err
    assert made == {p: p.read_text() for p in (book.root / "chapters").glob("*.ipynb")}


def test_a_notebook_without_its_chapter_is_named(book):
    export.write(book.root)
    (book.root / "chapters" / "07_gone.ipynb").write_text("{}")
    assert export.stale(book.root) == ["07_gone.ipynb has no chapter; delete it"]
