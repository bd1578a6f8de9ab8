"""Large text, three rows high, out of half blocks: readable from the other side of the optical table."""

from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from qdmon.tui.render.frame import Frame, Rect

__all__ = ["BIG_ROWS", "big_width", "draw_big"]

BIG_ROWS = 3
_PIXEL_ROWS = 2 * BIG_ROWS


@cache
def _font() -> dict[str, NDArray[np.bool_]]:
    """Character -> (6, w) bool, from font.txt: a line has the character and its six pixel rows."""
    font = {" ": np.zeros((_PIXEL_ROWS, 2), np.bool_)}
    for line in (files(__package__) / "font.txt").read_text(encoding="ascii").splitlines():
        character, rows = line.split(" ")
        font[character] = np.array([[c == "#" for c in row] for row in rows.split("|")])
    return font


@cache
def _pixels(text: str) -> NDArray[np.bool_] | None:
    """(6, w) bool, or None if a character has no large form."""
    font = _font()
    glyphs = [font.get(c) for c in text.upper()]
    if not glyphs or any(g is None for g in glyphs):
        return None
    gap = np.zeros((_PIXEL_ROWS, 1), np.bool_)
    joined = [part for glyph in glyphs if glyph is not None for part in (glyph, gap)]
    return np.concatenate(joined[:-1], axis=1)


def big_width(text: str) -> int | None:
    """Cells `draw_big` needs for `text`; None if it has no large form."""
    pixels = _pixels(text)
    return None if pixels is None else int(pixels.shape[1])


def draw_big(frame: Frame, x: int, y: int, text: str, ink: int, *, stop: int) -> int:
    """Write large where it fits before column `stop`, else as ordinary text in the middle row.

    Returns:
        The column after it.
    """
    pixels = _pixels(text)
    if pixels is None or frame.ascii_only or x + pixels.shape[1] > stop:
        return frame.text(x, y + 1, text, ink, stop=stop)
    upper, lower = pixels[0::2], pixels[1::2]
    shapes = np.array([ord(c) for c in " ▄▀█"], np.uint32)
    codes = shapes[2 * upper.astype(np.uint8) + lower]
    frame.paste(Rect(x, y, codes.shape[1], BIG_ROWS), codes, ink)
    return x + int(codes.shape[1])
