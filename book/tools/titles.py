"""The titles that carry a number: theorems with the paper's, exercises and figures with the chapter's."""

import re

NUMBERED = re.compile(r"[A-Z](?= \()|[A-Z]?\.?\d")  # "D (paper)": the one result of an appendix
EXERCISE = re.compile(r"ex-0*(\d+)-(\d+)$")
CHAPTER = re.compile(r"0*(\d+)_")
AIMS = "Aims, prerequisites, cost"  # the fold of a chapter's first screen


def theorem_title(kind: str, title: str) -> str:
    """"Lemma 4.1 (the rate)" where the title brings its number, else "Lemma (the rate)"."""
    name = kind.title()
    if not title:
        return name
    return f"{name} {title}" if NUMBERED.match(title) else f"{name} ({title})"


def exercise_title(label: str, title: str) -> str:
    """Title of an exercise with the number that its label has: "Exercise 3.1: Two samples"."""
    number = EXERCISE.match(label)
    return f"Exercise {number[1]}.{number[2]}: {title}" if number else f"Exercise: {title}"


def figure_title(page: str, place: int) -> str:
    """"Figure 5.2" for the second figure of the page "05_training_guarantee", "Figure 2" on a page without number."""
    chapter = CHAPTER.match(page)
    return f"Figure {chapter[1]}.{place}" if chapter else f"Figure {place}"
