"""How every figure of the book looks, and how it is shown: colours, fonts, caption, text for who cannot see it."""

import base64
import html
import io

import seaborn as sns
from IPython.display import display
from matplotlib.figure import Figure
from PIL import Image

# Lines and text: each has a contrast of at least 3 to white and to the dark page (#121212).
LINES = ("#4477AA", "#CC6677", "#228833", "#AA3377")
# The light two serve for areas only.
PALETTE = ("#4477AA", "#CC6677", "#228833", "#CCBB44", "#66CCEE", "#AA3377")
GREY = "#777777"


def theme() -> None:
    """Seaborn's white grid with this book's palette and matplotlib's own fonts."""
    sns.set_theme(
        context="notebook",
        style="whitegrid",
        palette=list(PALETTE),
        rc={
            "axes.edgecolor": "#555555",
            "grid.color": "#dddddd",
            "axes.spines.right": False,
            "axes.spines.top": False,
            "figure.facecolor": "white",
            "font.family": "DejaVu Sans",
            "font.size": 11,
            "axes.labelsize": 11,
            "legend.fontsize": 10,
            "xtick.labelsize": 10,
            "ytick.labelsize": 10,
            "legend.frameon": False,
            "mathtext.fontset": "dejavusans",
            "savefig.dpi": 200,
        },
    )


def show(figure: Figure, caption: str, alt: str) -> None:
    """Display a figure with its caption and a text `alt` that tells those who cannot see it what it shows.

    Works alike in the page, JupyterLab and Colab. Raises ValueError where `caption` or `alt` is empty.
    """
    for name, text in (("caption", caption), ("alt", alt)):
        if not isinstance(text, str) or not text.strip():
            raise ValueError(f"{name} must be a text that says what the figure shows, got {text!r}")
    data = base64.b64encode(_png(figure)).decode()
    width = round(100 * figure.get_size_inches()[0])
    card = "max-width:100%;height:auto;background:#fff"
    page = (
        f'<figure style="margin:0 0 1em"><img alt="{html.escape(alt)}" width="{width}" style="{card}" '
        f'src="data:image/png;base64,{data}"><figcaption>{html.escape(caption)}</figcaption></figure>'
    )
    display({"text/html": page, "text/plain": f"{caption}\n{alt}"}, raw=True)


def _png(figure: Figure) -> bytes:
    """The figure as a PNG of 256 colours: less than half the bytes, and no difference that an eye sees."""
    drawn, small = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png", dpi=200, facecolor="white")
    Image.open(drawn).convert("RGB").quantize(256).save(small, format="png", optimize=True)
    return small.getvalue()
