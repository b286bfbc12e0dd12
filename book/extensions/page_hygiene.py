"""Keep pages free of foreign requests and of dead buttons.

- Sphinx pages of this theme always carry a loader for remote kernels, from another host: it is removed.
- The repository's address is one setting: the environment variable REWARD_MARGINS_REPOSITORY, else
  `repository: url` of `_config.yml`. Where it is empty there is no repository button and no launch button.
  Where it is set, a chapter opens in Colab from `chapters/NN_name.ipynb`, the exported notebook: Colab cannot
  read the MyST source.
- A chapter's exported notebook can be downloaded from its page.
- Theorems that carry the paper's numbers are unnumbered for Sphinx; [text](#label) finds them all the same.
- The lines that open a chapter get a class, and the page at the root a title and an icon.
- A content security policy holds every page to its own host; the keyboard has a way to the first figure.
- The search page shows formulas as words; no line starts with the comma after a formula.
- Where the build is for some pages alone, no other page is read, and so no other notebook runs.
"""

import os
import re
import shutil
from pathlib import Path

from docutils import nodes
from docutils.utils import new_document

from book.tools.references import REPOSITORY

OPENING = ("After this chapter you can", "You need", "Cost", "Model and data", "Paper")
SEARCH = re.compile(r'<script src="[^"]*(?:searchtools|language_data|searchindex)\.js"></script>\s*')
SIDE = '<div id="pst-primary-sidebar"'
FIGURE = re.compile(r'<figure class="[^"]*\bnumbered\b[^"]*" id="(?P<id>[^"]+)".*?</figcaption>', re.DOTALL)
# A formula in running text with the bracket before it, the stop after it, or both.
INLINE = r'<span class="math notranslate nohighlight">[^<]*</span>'
STOP = re.compile(rf"([(\[“]+{INLINE}[)\]”,.;:?]*|{INLINE}[)\]”,.;:?]+)")
# No page may ask another host for anything. Widgets bring their scripts as blobs; Sphinx and the theme write inline.
POLICY = ("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'self' data: blob:; "
          "script-src 'self' 'unsafe-inline' blob:; style-src 'self' 'unsafe-inline'; base-uri 'self'; "
          "object-src 'none'; form-action 'self'\">")
COLAB = "https://colab.research.google.com/github"
ENTRANCE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<link rel="icon" href="_static/favicon.svg">
<meta http-equiv="Refresh" content="0; url={target}">
</head>
<body><main><h1><a href="{target}">{title}</a></h1></main></body>
</html>
"""


def set_repository(app, config):
    """Fill or empty the theme's repository options before the theme reads them."""
    options = config.html_theme_options
    address = os.environ.get(REPOSITORY, options.get("repository_url") or "").strip().rstrip("/")
    address = address.removesuffix(".git")
    if address and not (address.startswith("https://") and len(address.split("/")) >= 5):
        raise ValueError(f"{REPOSITORY} must look like https://github.com/OWNER/NAME, got {address!r}")
    options["repository_url"] = address
    options["use_repository_button"] = bool(address)
    options["use_issues_button"] = bool(address)
    options["use_edit_page_button"] = False
    options["launch_buttons"] = {}


def note_pages(app, env, added, changed, removed):
    """Note whether there are more or fewer pages than the written ones list at their side."""
    env.sides_are_old = getattr(env, "sides_are_old", False) or bool(added or removed)
    return []


def write_sides(app, env):
    """Have every page written again where its list of all pages would be old; a build of one page leaves it so."""
    if app.config.pages_only or not env.sides_are_old:
        return []
    env.sides_are_old = False
    return list(env.all_docs)


def read_alone(app, env, docnames):
    """Read of all pages that changed those that are asked for: the others wait for the next whole build."""
    if app.config.pages_only:
        docnames[:] = [name for name in docnames if name in app.config.pages_only or name == app.config.root_doc]
        read = type(env).get_doctree
        # The numbering of figures walks through all pages; one that was never read has none.
        kept = Path(env.doctreedir)
        env.get_doctree = lambda name: read(env, name) if (kept / f"{name}.doctree").exists() else new_document(name)


def forget_alone(app, env):
    """End what `read_alone` began, before the environment is kept."""
    vars(env).pop("get_doctree", None)
    return []


def label_theorems(app, doctree):
    """Make the labels of unnumbered theorems known to ordinary references, as those of numbered ones are."""
    known = app.env.get_domain("std").anonlabels
    for node in doctree.findall(lambda node: type(node).__name__ == "unenumerable_node"):
        known[node["label"]] = app.env.docname, node["label"]


def mark_opening(app, doctree):
    """Give the lines that open a chapter a class of their own, so that they can look like a table."""
    for paragraph in doctree.findall(nodes.paragraph):
        first = next((child for child in paragraph.children if child.astext().strip()), None)
        if isinstance(first, nodes.strong) and first.astext().strip() in OPENING:
            paragraph["classes"].append("opening")


def clean_page(app, pagename, templatename, context, doctree):
    """Drop the remote-kernel scripts; add the notebook's download and, with a repository, Colab."""
    if pagename == "search":
        app.add_js_file("search_words.js", loading_method="defer")
    context["script_files"] = [
        script for script in context.get("script_files", []) if not _loads_remote_kernel(script)
    ]
    for script in context["script_files"]:
        # A text in the state of a widget must not end the script that holds it, in whatever case it is written.
        if "json" in getattr(script, "attributes", {}).get("type", ""):
            script.attributes["body"] = script.attributes["body"].replace("</", "<\\/")
    context["metatags"] = POLICY + context.get("metatags", "")
    if doctree is None:
        return
    # sphinx-proof repeats ids within a page: the title's is the theorem's, the others are constants.
    context["body"] = re.sub(r'(<p class="admonition-title") id="[^"]*"', r"\1", context["body"])
    context["body"] = re.sub(r' id="proof(-content)?"', "", context["body"])
    # A list's entries must be list items for a screen reader; docutils gives a bibliography's another role.
    context["body"] = context["body"].replace('role="doc-biblioentry"', 'role="listitem"')
    context["body"] = STOP.sub(r'<span class="tied">\1</span>', context["body"])
    context["body"] = _way_to_figure(context["body"]) + context["body"]
    notebook = Path(app.srcdir, pagename).with_suffix(".ipynb")
    if not notebook.exists() or not app.env.doc2path(pagename).endswith(".md"):
        return
    buttons = context["header_buttons"]
    target = Path(app.outdir, "_sources", pagename).with_suffix(".ipynb")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(notebook, target)
    for group in buttons:
        if group.get("label") == "download-buttons":
            group["buttons"].insert(0, {
                "type": "link",
                "url": f"{context['pathto']('_sources', 1)}/{pagename}.ipynb",
                "text": ".ipynb",
                "icon": "fas fa-code",
                "tooltip": "Download this chapter as a notebook",
                "label": "download-notebook-button",
            })
    if address := colab(app, pagename):
        buttons.insert(0, {
            "type": "link",
            "url": address,
            "text": "",
            "icon": "fas fa-rocket",
            "tooltip": "Open this chapter in Colab",
            "label": "launch-colab-button",
        })


def colab(app, page: str) -> str:
    """Address at which the notebook of a page opens in Colab, "" where the book has no repository on GitHub."""
    options = app.config.html_theme_options
    address, branch = options.get("repository_url") or "", options.get("repository_branch") or "main"
    if not address.startswith("https://github.com/"):
        return ""
    return f"{COLAB}{address.removeprefix('https://github.com')}/blob/{branch}/{page}.ipynb"


def finish_pages(app, exception):
    """Mend what the theme writes around the body of a page.

    The index of the book is left to the search page, since the theme would load it with every page and use it
    nowhere. The side of the page is a landmark, so that a screen reader finds the book's name in one.
    """
    if exception or app.builder.name != "html":
        return
    for page in Path(app.outdir).rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        mended = text.replace(f"{SIDE} class", f'{SIDE} role="navigation" aria-label="Book" class')
        mended = mended if page.name == "search.html" else SEARCH.sub("", mended)
        if mended != text:
            page.write_text(mended, encoding="utf-8")


def write_entrance(app, exception):
    """Give the redirect at the root a title, a language and the icon that browsers would look for in vain."""
    entrance = Path(app.outdir, "index.html")
    if exception or app.builder.name != "html" or not entrance.exists():
        return
    target = re.search(r'http-equiv="Refresh" content="0; url=([^"]+)"', entrance.read_text(encoding="utf-8"))
    if target:
        page = ENTRANCE.format(title=app.config.html_title, target=target[1])
        entrance.write_text(page, encoding="utf-8")


def _way_to_figure(body):
    """A link for the keyboard to the first figure that moves or, where none does, to the first figure."""
    figures = list(FIGURE.finditer(body))
    moving = (figure for figure in figures if "widget-view+json" in figure[0])
    first = next(moving, figures[0] if figures else None)
    return f'<a class="rm-skip" href="#{first["id"]}">Skip to the first figure</a>' if first else ""


def _loads_remote_kernel(script):
    body = getattr(script, "attributes", {}).get("body") or ""
    return "THEBE_JS_URL" in body or "sphinx-thebe.js" in str(getattr(script, "filename", script))


def setup(app):
    """Connect each step: before the theme reads its options, after a page is read, after it has buttons."""
    app.connect("config-inited", set_repository, priority=100)
    app.add_config_value("pages_only", [], "", types=[list])
    app.connect("env-get-outdated", note_pages)
    app.connect("env-updated", write_sides)
    app.connect("env-before-read-docs", read_alone)
    app.connect("env-get-updated", forget_alone, priority=900)
    app.connect("doctree-read", label_theorems)
    app.connect("doctree-read", mark_opening)
    app.connect("html-page-context", clean_page, priority=900)
    app.connect("build-finished", write_entrance, priority=900)
    app.connect("build-finished", finish_pages, priority=900)
    return {"env_version": 3, "parallel_read_safe": True, "parallel_write_safe": True}
