"""What every static figure of the book must keep, whatever it shows."""

import warnings

import matplotlib
from matplotlib import font_manager
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure


def draw(figure: Figure) -> None:
    """Draw it: fonts that ship with matplotlib, a white card, and no label, title or key cut off."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a glyph that the font lacks is a warning
        FigureCanvasAgg(figure).draw()
    assert figure.get_facecolor() == (1, 1, 1, 1)
    for text in figure.findobj(matplotlib.text.Text):
        path = font_manager.findfont(text.get_fontproperties(), fallback_to_default=False)
        assert path.startswith(matplotlib.get_data_path()) and "DejaVu" in path
    shown = [axes for axes in figure.axes if axes.get_visible()]
    texts = [text for axes in shown for text in (axes.xaxis.label, axes.yaxis.label, axes.title)]
    texts += [text for legend in figure.legends for text in legend.get_texts()]
    whole = figure.bbox
    for text in [text for text in texts if text.get_text()]:
        box = text.get_window_extent()
        assert whole.x0 <= box.x0 and box.x1 <= whole.x1 and whole.y0 <= box.y0 and box.y1 <= whole.y1, text
