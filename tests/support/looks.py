"""What every plotted figure of the book must keep, whatever it shows, in the column of text and on a phone."""

import re
import warnings
import xml.etree.ElementTree as ET
from contextlib import nullcontext

import matplotlib
import numpy as np
from matplotlib import font_manager
from matplotlib.backends.backend_agg import FigureCanvasAgg

from helpers.figures.drawing import PHONE, Sheet
from helpers.figures.marks import LIGHT
from helpers.figures.showing import drawings

SVG = "{http://www.w3.org/2000/svg}"
COLUMN, SCREEN = 670, 341  # pixels: the column of text, and that of a phone 390 pixels wide
LIMIT = 60_000  # bytes of one drawing: a page of ten stays small


def draw(sheet: Sheet) -> list[ET.Element]:
    """Draw it for both screens; the roots of the two drawings. AssertionError where a rule of all figures is broken."""
    for phone in (False, True):
        with sheet.on_a_phone() if phone else nullcontext():
            _fits(sheet)
    return [_keeps_the_manner(svg) for svg in svgs(sheet)]


def svgs(sheet: Sheet) -> list[str]:
    """The drawings of a figure, the wide one first."""
    return [f"<svg{part}" for part in drawings(sheet, "a figure").split("<svg")[1:]]


def contrast(one: str, other: str) -> float:
    """WCAG 2.1 contrast ratio of two colours."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    colour = colour if len(colour) == 7 else "#" + "".join(2 * digit for digit in colour[1:])
    parts = np.array([int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)])
    return np.where(parts <= 0.03928, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]


def _fits(sheet: Sheet) -> None:
    """Fonts that ship with matplotlib, no glyph that they lack, and no word beyond the sheet."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a glyph that the font lacks is a warning
        sheet.settle()
        FigureCanvasAgg(sheet).draw()
    whole, hair = sheet.bbox, 2.0  # pixels of 720: how far rounding may go
    for text in sheet.findobj(matplotlib.text.Text):
        path = font_manager.findfont(text.get_fontproperties(), fallback_to_default=False)
        assert path.startswith(matplotlib.get_data_path()) and "DejaVu" in path
        assert "$" not in text.get_text(), f"{text.get_text()}: a formula is set letter by letter, a word is not"
    every = [text for legend in sheet.legends for text in legend.get_texts()]
    for axes in sheet.panels:
        words = [axes.xaxis.label, axes.title, axes._left_title, *axes.texts]
        for low, high, labels in ((*sorted(axes.get_xlim()), axes.xaxis), (*sorted(axes.get_ylim()), axes.yaxis)):
            words += [tick.label1 for tick in labels.get_major_ticks() if low <= tick.get_loc() <= high]
        words = [text for text in words if text.get_text() and text.get_visible()]
        every += words
        for text in words:
            box = text.get_window_extent()
            assert whole.x0 - hair <= box.x0 and box.x1 <= whole.x1 + hair, f"{text.get_text()} is cut off: {box}"
            assert whole.y0 - hair <= box.y0 and box.y1 <= whole.y1 + hair, f"{text.get_text()} is cut off: {box}"
    boxes = [(text.get_text(), text.get_window_extent().padded(-1)) for text in every]  # letters stand inside theirs
    for k, (one, box) in enumerate(boxes):
        for other, there in boxes[k + 1 :]:
            assert not box.overlaps(there), f"{one!r} lies on {other!r}"
    for legend in sheet.legends:
        assert legend.get_window_extent().x1 <= whole.x1 + hair


def _keeps_the_manner(svg: str) -> ET.Element:
    """Small, valid, in the key's colours alone, with type of at least 12 pixels, and with names of its own."""
    assert len(svg.encode()) <= LIMIT, f"{len(svg.encode())} bytes"
    root = ET.fromstring(svg)
    colours = set(re.findall(r"#[0-9a-fA-F]{3,8}\b", re.sub(r'(?:href="|url\()#[\w.-]+', "", svg)))
    assert colours <= set(LIGHT.values()), colours - set(LIGHT.values())
    assert set(re.findall(r"var\(--rm-(\w+),", svg)) <= set(LIGHT)
    assert "font-family" not in svg and "<style" not in svg and "<image" not in svg
    width, units = float(root.get("width")), float(root.get("viewBox").split()[2])
    shown = min(width, COLUMN if root.get("class") == "rm-wide" and width > 100 * PHONE else SCREEN)
    for size in re.findall(r"font-size: ([\d.]+)px", svg):
        pixels = float(size) * shown / units
        assert pixels >= 12 - 0.05, f"type of {pixels:.1f} pixels"
    ids = re.findall(r' id="([^"]+)"', svg)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'(?:href="|url\()#([\w.-]+)', svg)) == set(ids)
    return root
