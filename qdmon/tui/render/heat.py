"""A density map: half blocks in colours, or shade glyphs where colours are too few, and a curve on top."""

import numpy as np
from numpy.typing import NDArray

from qdmon.tui.render.dots import DotGrid
from qdmon.tui.render.frame import Frame, Rect
from qdmon.tui.render.inks import HEAT_LEVELS, Ink, curve_ink, heat_ink
from qdmon.tui.render.scale import Scale

__all__ = ["draw_curve", "draw_heat", "heat_levels"]

FloatArray = NDArray[np.float64]
LevelArray = NDArray[np.intp]

_SHADES = " ░▒▓█"
_ASCII_SHADES = " .:*#"


def _centres(scale: Scale, count: int) -> FloatArray:
    return scale.low + (scale.high - scale.low) * (np.arange(count) + 0.5) / count


def heat_levels(
    density: NDArray[np.float32], x_edges: FloatArray, y_edges: FloatArray, x: Scale, y: Scale, plot: Rect
) -> LevelArray:
    """(2*height, width) level 0 to HEAT_LEVELS-1 of each half cell, row 0 at the top.

    The level goes with the square root of the density, so that a dot's rarely visited dim state shows beside
    its bright one.

    Args:
        density: (len(y_edges)-1, len(x_edges)-1) not negative.
        x_edges: ascending.
        y_edges: ascending.
        x: horizontal axis.
        y: vertical axis.
        plot: size in cells.
    """
    column = np.searchsorted(x_edges, _centres(x, plot.width), side="right") - 1
    row = np.searchsorted(y_edges, _centres(y, 2 * plot.height)[::-1], side="right") - 1
    inside = ((row >= 0) & (row < density.shape[0]))[:, None] & ((column >= 0) & (column < density.shape[1]))
    picked = density[np.clip(row, 0, density.shape[0] - 1)][:, np.clip(column, 0, density.shape[1] - 1)]
    picked = np.where(inside & np.isfinite(picked), picked, 0.0)
    peak = float(picked.max(initial=0.0))
    if peak <= 0:
        return np.zeros(picked.shape, np.intp)
    levels: LevelArray = np.minimum(np.sqrt(picked / peak) * HEAT_LEVELS, HEAT_LEVELS - 1).astype(np.intp)
    return levels


def draw_heat(frame: Frame, plot: Rect, levels: LevelArray, *, colours: bool) -> None:
    """Paint levels (see `heat_levels`) into `plot`; shades are used without `colours` or in ASCII."""
    upper, lower = levels[0::2], levels[1::2]
    empty = (upper == 0) & (lower == 0)
    if colours and not frame.ascii_only:
        codes = np.where(empty, np.uint32(ord(" ")), np.uint32(ord("▀")))
        frame.paste(plot, codes, heat_ink(upper, lower))
        return
    shades = np.array([ord(c) for c in (_ASCII_SHADES if frame.ascii_only else _SHADES)], np.uint32)
    mean = (upper + lower) / 2
    index = np.ceil(mean / (HEAT_LEVELS - 1) * (len(shades) - 1)).astype(np.intp)
    frame.paste(plot, shades[np.where(empty, 0, index)], int(Ink.TRACE_LOW))


def draw_curve(
    frame: Frame, plot: Rect, levels: LevelArray, x: FloatArray, y: FloatArray, *, colours: bool
) -> None:
    """Draw a curve over the map.

    In colour it is a thin line on the map's own background; without, a row of "o" that no shade looks like.

    Args:
        frame: where to draw.
        plot: the same area as the map.
        levels: the map under it.
        x: (k,) dot columns, 0 to 2*width-1.
        y: (k,) dot rows, 0 to 4*height-1.
        colours: the map was drawn in colours.
    """
    dots = DotGrid(plot.width, plot.height)
    dots.line(x, y)
    codes = dots.codes()
    drawn = codes != ord(" ")
    if colours and not frame.ascii_only:
        frame.paste(plot, codes, curve_ink(np.maximum(levels[0::2], levels[1::2])))
        return
    marks = np.where(drawn, np.uint32(ord("o")), np.uint32(ord(" ")))
    frame.paste(plot, marks, int(Ink.MODEL))
