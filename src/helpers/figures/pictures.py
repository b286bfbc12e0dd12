"""One drawn picture for each chapter, its idea before any formula, in the marks of `marks`; NumPy and SciPy alone.

What looks like data is computed by the book's formulas, or is a number that the book recorded. The one thing imagined
is the dashed path of picture 5, which cannot be.
"""

from functools import cache

from ..checks import one_of
from . import part_1_objects, part_2_derivation, part_3_evidence, part_4_sharper, part_5_beyond, part_6_yours

_PICTURES = {
    "00_marks": part_6_yours.key,
    "01_pair": part_1_objects.pair,
    "02_mixture": part_1_objects.mixture,
    "03_interaction": part_2_derivation.interaction,
    "04_noise": part_2_derivation.concentration,
    "05_tube": part_2_derivation.training,
    "06_bound": part_2_derivation.generalization,
    "07_conflict": part_2_derivation.conflict,
    "08_tokens": part_2_derivation.tokens,
    "09_check": part_3_evidence.check,
    "10_values": part_3_evidence.values,
    "11_features": part_3_evidence.features,
    "12_law": part_4_sharper.law,
    "13_ceiling": part_4_sharper.guarantee,
    "14_door": part_4_sharper.diversity,
    "15_push": part_5_beyond.losses,
    "16_fall": part_5_beyond.both_fall,
    "17_spring": part_5_beyond.dpo_positive,
    "18_beta": part_5_beyond.beta_dpo,
    "19_dial": part_5_beyond.objectives,
    "20_ruler": part_6_yours.ruler,
}


def picture_names() -> tuple[str, ...]:
    """Names of all pictures: the key, 00_marks, and 01_pair to 20_ruler, one a chapter."""
    return tuple(_PICTURES)


@cache
def picture(name: str) -> str:
    """SVG text of a picture, a sheet of 720 x 300 units that is as wide as the place where it stands.

    Set into a page it has the page's font and colours; as a file or an image it follows the reader's scheme on a card
    of its own. Below 640 pixels the type is large and long words go. Raises `ValueError` for an unknown name.
    """
    return _PICTURES[one_of("picture", name, _PICTURES)]()
