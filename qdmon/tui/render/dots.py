"""A raster of 2x4 dots a cell, shown as braille, or as the nearest ASCII shape where braille cannot be."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["DotGrid"]

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]

_BRAILLE = 0x2800
_BITS = np.array([[1, 8], [2, 16], [4, 32], [64, 128]], np.uint8)


def _ascii_shape(dots: BoolArray) -> str:
    """The ASCII character that looks most like the dots of a cell, (4, 2) bool."""
    rows: BoolArray = np.asarray(dots.any(axis=1))
    if not rows.any():
        return " "
    if rows.sum() >= 3:
        return "#" if dots.sum() >= 7 else "|"
    if rows[[1, 2]].any() and (dots.sum() == 1 or not rows[[0, 3]].any()):
        return "-"
    if rows[0]:
        return ":" if rows[3] else "'"
    return "."


def _ascii_shapes() -> NDArray[np.uint32]:
    """(256,) code points, one for each braille pattern."""
    patterns: BoolArray = np.asarray((np.arange(256)[:, None, None] & _BITS) > 0)
    return np.array([ord(_ascii_shape(dots)) for dots in patterns], np.uint32)


_ASCII_SHAPES = _ascii_shapes()


class DotGrid:
    """Dots, row 0 at the top.

    Attributes:
        dots: (4*height, 2*width) bool.
    """

    __slots__ = ("dots",)

    def __init__(self, width: int, height: int) -> None:
        self.dots: BoolArray = np.zeros((4 * height, 2 * width), np.bool_)

    @property
    def rows(self) -> int:
        """Dot rows."""
        return int(self.dots.shape[0])

    @property
    def columns(self) -> int:
        """Dot columns."""
        return int(self.dots.shape[1])

    def bars(self, top: FloatArray, bottom: FloatArray) -> None:
        """Fill each dot column between two dot rows, both included; NaN leaves it empty.

        Args:
            top: (columns,) upper row.
            bottom: (columns,) lower row.
        """
        rows = np.arange(self.rows)[:, None]
        with np.errstate(invalid="ignore"):
            self.dots |= (rows >= np.rint(top)) & (rows <= np.rint(bottom))

    def points(self, x: FloatArray, y: FloatArray) -> None:
        """Set single dots at (column, row); those outside or NaN are left out."""
        known = np.isfinite(x) & np.isfinite(y)
        column, row = np.rint(x[known]).astype(np.int64), np.rint(y[known]).astype(np.int64)
        inside = (column >= 0) & (column < self.columns) & (row >= 0) & (row < self.rows)
        self.dots[row[inside], column[inside]] = True

    def line(self, x: FloatArray, y: FloatArray) -> None:
        """Join points (column, row) by straight lines; NaN breaks the line."""
        if len(x) < 2:
            self.points(x, y)
            return
        reach = 4.0 * max(self.rows, self.columns)
        x, y = np.clip(x, -reach, reach), np.clip(y, -reach, reach)
        dx, dy = np.diff(x), np.diff(y)
        longest = np.ceil(np.nan_to_num(np.maximum(np.abs(dx), np.abs(dy))))
        steps = np.maximum(longest, 1).astype(np.int64)
        segment = np.repeat(np.arange(len(steps)), steps)
        within = np.arange(steps.sum()) - np.repeat(np.cumsum(steps) - steps, steps)
        fraction = within / steps[segment]
        self.points(x[:-1][segment] + fraction * dx[segment], y[:-1][segment] + fraction * dy[segment])
        self.points(x, y)

    def codes(self, *, ascii_only: bool = False) -> NDArray[np.uint32]:
        """(height, width) code points; an empty cell is a space, which is shorter on the line than U+2800."""
        height, width = self.rows // 4, self.columns // 2
        quads = self.dots.reshape(height, 4, width, 2)
        patterns = np.einsum("hrwc,rc->hw", quads, _BITS, dtype=np.uint8, casting="unsafe")
        if ascii_only:
            shapes: NDArray[np.uint32] = _ASCII_SHAPES[patterns]
            return shapes
        braille: NDArray[np.uint32] = patterns.astype(np.uint32) + np.uint32(_BRAILLE)
        braille[patterns == 0] = ord(" ")
        return braille
