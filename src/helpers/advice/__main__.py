"""The audit from the command line: python -m helpers.advice PAIRS [--model MODEL] [--out PAGE.html]."""

import argparse
import sys

from .auditing import KINDS, audit_file


def main(arguments: list[str] | None = None) -> int:
    """Audit a file of preference pairs; 0 when the page is written, 2 after one sentence on what is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m helpers.advice",
        description="What training would do to your preference pairs, before it is done: one HTML page.",
    )
    parser.add_argument("data", help="pairs: .jsonl, .json, .csv or .parquet with prompt, chosen, rejected")
    parser.add_argument("--model", help="model id or folder (default: the book's small model; 'tiny' for a trial)")
    parser.add_argument("--out", default="audit.html", help="page to be written (default audit.html)")
    parser.add_argument("--kind", choices=KINDS, default="auto", help="values with two answers each, or any answers")
    parser.add_argument("--target", type=float, default=0.1, help="error that is wanted of a value (default 0.1)")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)

    def tell(words: str) -> None:
        print(f"{words} ...", file=sys.stderr)

    try:
        report = audit_file(given.data, given.model, given.out, kind=given.kind, target=given.target, seed=given.seed,
                            tell=tell)
    except (ValueError, OSError, ImportError) as error:
        print(f"audit: {error}", file=sys.stderr)
        return 2
    print(report)
    print(f"{given.out}, {report.seconds:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
