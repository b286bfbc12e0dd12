"""Build the pages: all of the book, some of them, or the one that is being edited.

    python -m book.tools.build --strict         every page, as `make book` does; a warning is an error
    python -m book.tools.build 05               run and export what begins with 05, and build its page alone
    python -m book.tools.build --watch          serve the pages, and build each again when its source is saved
    python -m book.tools.build --new 09_name    lay out a new chapter
"""

import argparse
import os
import re
import sys
import time
from collections.abc import Collection
from pathlib import Path

from jupyter_book.sphinx import build_sphinx

from . import export, run
from .site import PORT, serving
from .source import ROOT, SourceError, find

TEMPLATE = Path(__file__).with_name("chapter.md")
NAME = re.compile(r"\d\d_[a-z][a-z0-9_]*")


def pages(root: Path, *, only: Collection[Path] = (), strict: bool = False) -> int:
    """Bring the pages up to date, of `only` these sources where some are given; 0 where nothing failed.

    With `strict` a warning is an error; whatever fails, all pages are tried.
    """
    alone = [path.relative_to(root).with_suffix("").as_posix() for path in only]
    result = build_sphinx(
        root, root / "_build" / "html", noconfig=True, path_config=root / "_config.yml", builder="html",
        confoverrides={"external_toc_path": "book/_toc.yml", "latex_individualpages": False, "nitpicky": True,
                       "pages_only": alone},
        filenames=[str(path) for path in only], quiet=True, warningiserror=strict, keep_going=True,
    )
    return result if isinstance(result, int) else 1


def one(root: Path, names: Collection[str], scale: str) -> int:
    """Run, export and build the pages whose names begin with one of `names`; 0 where nothing failed."""
    start = time.perf_counter()
    chosen = [path for path in sources(root) if path.name.startswith(tuple(names))]
    if not chosen:
        print(f"no page begins with {' or '.join(names)}; there are {', '.join(path.stem for path in sources(root))}",
              file=sys.stderr)
        return 1
    results = run.run(root, names, scale=scale, report=lambda text: print(text, flush=True))
    errors = [result.error for result in results if result.error]
    print(*errors, sep="\n\n", end="\n" if errors else "", file=sys.stderr)
    try:
        export.write(root)
    except SourceError as problem:
        print(problem, file=sys.stderr)
    failed = {result.path for result in results if result.error}
    chosen = [path for path in chosen if path not in failed]
    status = pages(root, only=chosen) if chosen else 1
    for path in chosen:
        page = root / "_build" / "html" / path.relative_to(root).with_suffix(".html")
        print(f"{page} after {time.perf_counter() - start:.1f} s" if page.exists() else
              f"{path} is not in book/_toc.yml, so it has no page", flush=True)
    return status or int(bool(errors))


def sources(root: Path) -> list[Path]:
    """The sources of all pages."""
    return [*find(root), *sorted((root / "book").glob("*.md"))]


def watch(root: Path, scale: str) -> None:
    """Serve the pages, and bring each up to date when its source is saved, until interrupted."""
    with serving(PORT) as address:
        print(f"{address} shows the pages; save a chapter, and reload its page once it is built; Ctrl+C ends this",
              flush=True)
        seen = {path: path.stat().st_mtime_ns for path in sources(root)}
        while True:
            time.sleep(0.3)
            now = {path: path.stat().st_mtime_ns for path in sources(root)}
            if saved := [path for path in now if now[path] != seen.get(path)]:
                one(root, [path.name for path in saved], scale)
            seen = now


def new(root: Path, name: str) -> Path:
    """Write the layout of a chapter that is still to come, and its line in the table of contents.

    ValueError (one sentence) for a name that is not like "09_name", or whose number is taken.
    """
    if not NAME.fullmatch(name):
        raise ValueError(f"a chapter is named by its number and a word, such as 09_many_values, got {name!r}")
    taken = [path.stem for path in find(root) if path.stem[:3] == name[:3]]
    if taken:
        raise ValueError(f"number {name[:2]} is taken by {taken[0]}")
    text = TEMPLATE.read_text(encoding="utf-8").replace("NN", name[:2]).replace("NUMBER", str(int(name[:2])))
    toc = root / "book" / "_toc.yml"
    lines = toc.read_text(encoding="utf-8").splitlines(keepends=True)
    numbers = {k: found[1] for k, line in enumerate(lines) if (found := re.search(r"chapters/(\d\d)_", line))}
    before = [k for k, number in numbers.items() if number < name[:2]]
    if before:
        lines.insert(before[-1] + 1, re.sub(r"chapters/\w+", f"chapters/{name}", lines[before[-1]]))
        toc.write_text("".join(lines), encoding="utf-8")
    path = root / "chapters" / f"{name}.md"
    path.write_text(text, encoding="utf-8")
    return path


def main(arguments: list[str] | None = None) -> int:
    """Command line; the exit status is 1 where something failed."""
    parser = argparse.ArgumentParser(prog="python -m book.tools.build", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="beginnings of the names of pages, such as 05; all if none")
    parser.add_argument("--root", type=Path, default=ROOT, help="folder of the book")
    parser.add_argument("--strict", action="store_true", help="a warning is an error")
    parser.add_argument("--watch", action="store_true", help="serve, and build what is saved")
    parser.add_argument("--new", metavar="NAME", help="lay out a chapter, such as 09_many_values")
    parser.add_argument("--scale", choices=("tiny", "book", "full"), default=os.environ.get("SCALE", "book"))
    options = parser.parse_args(arguments)
    root = options.root.resolve()
    if options.new:
        try:
            print(new(root, options.new))
        except ValueError as problem:
            sys.exit(str(problem))
        return 0
    if options.watch:
        try:
            watch(root, options.scale)
        except KeyboardInterrupt:
            return 0
    return one(root, options.names, options.scale) if options.names else pages(root, strict=options.strict)


if __name__ == "__main__":
    sys.exit(main())
