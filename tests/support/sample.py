"""A small book of one sample chapter with all that opens and numbers figures, for tests of the build and the export."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = Path(__file__).with_name("05_sample.md").read_text(encoding="utf-8")
EXTENSIONS = ("captions", "opening", "page_hygiene", "titles")
TOC = "format: jb-book\nroot: book/index\nchapters:\n  - file: chapters/05_sample\n"
INDEX = """# Start

The [](#fig-widening) is in chapter 5.

$$
x=1
$$ (eq-law)

By [the *law*](#eq-law), which is [](#eq-law).
"""
CONFIG = f"""
title: Small
only_build_toc_files: true
exclude_patterns: [_build, "chapters/*.ipynb"]
execute: {{execute_notebooks: cache, stderr_output: remove}}
parse: {{myst_enable_extensions: [colon_fence, dollarmath]}}
sphinx:
  extra_extensions: [sphinx_proof, sphinx_exercise]
  local_extensions: {{{", ".join(f"book.extensions.{name}: {ROOT}" for name in EXTENSIONS)}}}
  config: {{math_numfig: false, numfig: false}}
"""

def make_book(root: Path, text: str = SAMPLE) -> Path:
    """A book of the sample alone."""
    (root / "chapters").mkdir()
    (root / "book").mkdir()
    (root / "_config.yml").write_text(CONFIG)
    (root / "book" / "_toc.yml").write_text(TOC)
    (root / "book" / "index.md").write_text(INDEX)
    (root / "chapters" / "05_sample.md").write_text(text, encoding="utf-8")
    return root


def build(root: Path) -> tuple[int, str]:
    """Build a book as `make book` does; exit status and log."""
    done = subprocess.run([sys.executable, "-m", "book.tools.build", "--strict", "--root", str(root)],
                          cwd=ROOT, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr
