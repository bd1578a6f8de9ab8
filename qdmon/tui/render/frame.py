"""A rectangle of character cells that everything draws into."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from qdmon.tui.render.inks import Ink
from qdmon.tui.render.text import CONTINUATION, as_ascii, cells, clip

__all__ = ["Change", "Frame", "Rect"]

_SPACE = ord(" ")


class Rect(NamedTuple):
    """A part of a frame, in cells."""

    x: int
    y: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """First column beyond it."""
        return self.x + self.width

    @property
    def bottom(self) -> int:
        """First row beyond it."""
        return self.y + self.height

    def inset(self, left: int, top: int, right: int, bottom: int) -> "Rect":
        """Smaller by so many cells on each side, never negative."""
        return Rect(
            self.x + left,
            self.y + top,
            max(0, self.width - left - right),
            max(0, self.height - top - bottom),
        )


class Change(NamedTuple):
    """Row `y` differs from column `start` up to but not including `stop`."""

    y: int
    start: int
    stop: int


class Frame:
    """Characters and inks.

    Attributes:
        codes: (height, width) uint32, Unicode code points; 0 continues a wide character.
        inks: (height, width) uint16, see `inks`.
        ascii_only: text and glyphs are spelled in ASCII as they are drawn.
    """

    __slots__ = ("ascii_only", "codes", "inks")

    def __init__(self, width: int, height: int, *, ascii_only: bool = False) -> None:
        self.codes: NDArray[np.uint32] = np.full((max(0, height), max(0, width)), _SPACE, np.uint32)
        self.inks: NDArray[np.uint16] = np.zeros((max(0, height), max(0, width)), np.uint16)
        self.ascii_only = ascii_only

    @property
    def width(self) -> int:
        """Columns."""
        return int(self.codes.shape[1])

    @property
    def height(self) -> int:
        """Rows."""
        return int(self.codes.shape[0])

    @property
    def rect(self) -> Rect:
        """All of it."""
        return Rect(0, 0, self.width, self.height)

    def spell(self, text: str) -> str:
        """`text` as this frame will show it; measure this, not the original."""
        return as_ascii(text) if self.ascii_only else text

    def measure(self, text: str) -> int:
        """Width of `text` in cells."""
        return len(cells(self.spell(text)))

    def text(self, x: int, y: int, text: str, ink: int = Ink.TEXT, *, stop: int | None = None) -> int:
        """Write from column `x` of row `y`, cut off (with an ellipsis) at column `stop` or the edge.

        Returns:
            The column after the last one written.
        """
        stop = self.width if stop is None else min(stop, self.width)
        if not 0 <= y < self.height or x >= stop:
            return x
        spelled = self.spell(text)
        codes = cells(spelled)
        if x + len(codes) > stop:
            codes = cells(self.spell(clip(spelled, stop - x)))[: stop - x]
        if x < 0:
            codes, x = codes[-x:], 0
        end = x + len(codes)
        self.codes[y, x:end] = codes
        self.inks[y, x:end] = ink
        return end

    def spans(self, x: int, y: int, parts: Sequence[tuple[str, int]], *, stop: int | None = None) -> int:
        """Write (text, ink) pairs one after the other; returns the column after the last."""
        for text, ink in parts:
            x = self.text(x, y, text, ink, stop=stop)
        return x

    def text_right(self, stop: int, y: int, text: str, ink: int = Ink.TEXT) -> int:
        """Write so that the text ends before column `stop`; returns its first column."""
        start = max(0, stop - self.measure(text))
        self.text(start, y, text, ink, stop=stop)
        return start

    def fill(self, rect: Rect, glyph: str, ink: int) -> None:
        """Fill a rectangle with one glyph."""
        x, y = max(0, rect.x), max(0, rect.y)
        code = cells(self.spell(glyph))[0]
        self.codes[y : rect.bottom, x : rect.right] = code
        self.inks[y : rect.bottom, x : rect.right] = ink

    def tint(self, rect: Rect, ink: int) -> None:
        """Change the ink of a rectangle and leave its characters."""
        self.inks[max(0, rect.y) : rect.bottom, max(0, rect.x) : rect.right] = ink

    def paste(
        self,
        rect: Rect,
        codes: NDArray[np.uint32],
        inks: "NDArray[np.uint16] | NDArray[np.intp] | int",
    ) -> None:
        """Put (height, width) code points into `rect` where they are not spaces; what is outside is cut."""
        left, top = max(0, -rect.x), max(0, -rect.y)
        right, bottom = min(rect.width, self.width - rect.x), min(rect.height, self.height - rect.y)
        if right <= left or bottom <= top:
            return
        inside = np.s_[top:bottom, left:right]
        codes = codes[inside]
        drawn = codes != _SPACE
        area = np.s_[rect.y + top : rect.y + bottom, rect.x + left : rect.x + right]
        self.codes[area][drawn] = codes[drawn]
        self.inks[area][drawn] = inks if isinstance(inks, int) else inks[inside][drawn]

    def lines(self) -> list[str]:
        """Rows as text."""
        flat = self.codes.astype("<u4").tobytes().decode("utf-32-le")
        rows = [flat[i : i + self.width] for i in range(0, len(flat), self.width)] if self.width else []
        return [row.replace(chr(CONTINUATION), "") for row in rows]

    def runs(self, y: int) -> list[tuple[str, int]]:
        """Row `y` as (text, ink) pairs, one for each change of ink."""
        codes, inks = self.codes[y], self.inks[y]
        edges = [0, *(np.flatnonzero(inks[1:] != inks[:-1]) + 1).tolist(), len(codes)]
        flat = codes.astype("<u4").tobytes().decode("utf-32-le")
        return [(flat[a:b].replace(chr(CONTINUATION), ""), int(inks[a])) for a, b in pairwise(edges) if b > a]

    def changes(self, before: "Frame") -> list[Change]:
        """Rows that differ from a frame of the same size, each with the columns that do."""
        differs = (self.codes != before.codes) | (self.inks != before.inks)
        rows = np.flatnonzero(differs.any(axis=1))
        first = differs[rows].argmax(axis=1)
        last = self.width - differs[rows, ::-1].argmax(axis=1)
        return [Change(*c) for c in zip(rows.tolist(), first.tolist(), last.tolist(), strict=True)]

    def __str__(self) -> str:
        """The text alone, without trailing spaces: what a test compares."""
        return "\n".join(line.rstrip() for line in self.lines())
