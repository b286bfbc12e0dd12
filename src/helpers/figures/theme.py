"""How every plotted figure of the book looks: seaborn, in the key's colours, with type that can be read on a phone."""

import seaborn as sns

from .marks import LIGHT

INK, SOFT, HAIR, TINT, PAGE = (LIGHT[name] for name in ("ink", "soft", "hair", "tint", "page"))
PREDICTED, MEASURED, PROVED, MARGIN = (LIGHT[name] for name in ("predicted", "measured", "proved", "margin"))
# Categories differ by these and by a name, never by a hue of their own.
DASHES = ("-", (0, (5, 2)), (0, (1.2, 1.6)), (0, (7, 2, 1.2, 2)), (0, (2.5, 1.2)))
MARKERS = "os^Dv"


def theme() -> None:
    """Seaborn's white grid in ink and hair, nothing in a colour of the key: those are given by what a mark means."""
    sns.set_theme(
        context="notebook",
        style="whitegrid",
        palette=[INK, SOFT, HAIR],
        rc={
            "axes.edgecolor": SOFT,
            "axes.facecolor": "none",
            "axes.labelcolor": INK,
            "axes.labelsize": 11,
            "axes.linewidth": 0.9,
            "axes.spines.right": False,
            "axes.spines.top": False,
            "axes.titlecolor": INK,
            "axes.titlelocation": "left",
            "axes.titlesize": 11.5,
            "axes.titleweight": "bold",
            "figure.facecolor": "none",
            "font.family": "DejaVu Sans",
            "font.size": 11,
            "grid.color": TINT,
            "legend.fontsize": 11,
            "legend.frameon": False,
            "mathtext.fontset": "dejavusans",
            "path.simplify_threshold": 0.5,  # of a point: curves of few points, and no eye sees it
            "svg.fonttype": "none",
            "text.color": INK,
            "xtick.color": SOFT,
            "xtick.labelcolor": INK,
            "xtick.labelsize": 10.7,
            "ytick.color": SOFT,
            "ytick.labelcolor": INK,
            "ytick.labelsize": 10.7,
        },
    )
