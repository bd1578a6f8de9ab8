"""Axes around a plot: a y gutter on the left, time or lifetime labels below, and what is left in between."""

import numpy as np

from qdmon.tui.render.frame import Frame, Rect
from qdmon.tui.render.inks import Ink
from qdmon.tui.render.scale import Scale

__all__ = ["draw_x_axis", "draw_y_axis", "plot_rect"]

LABEL_CELLS = 6
"""Width of the y gutter: five cells of label and the axis itself; fixed, so that plots do not jump."""


def plot_rect(rect: Rect, *, below: int = 2) -> Rect:
    """The cells left for data once the y gutter and `below` rows of x axis are taken."""
    return rect.inset(min(LABEL_CELLS, rect.width), 0, 0, min(below, rect.height))


def draw_y_axis(frame: Frame, plot: Rect, scale: Scale) -> None:
    """Axis line, tick marks and labels to the left of `plot`."""
    if plot.height < 1 or plot.x < 1:
        return
    frame.fill(Rect(plot.x - 1, plot.y, 1, plot.height), "│", Ink.AXIS)
    rows = np.floor(scale.rows(np.array(scale.ticks), 4 * plot.height) / 4).astype(int)
    free_from = plot.height
    for tick, row in zip(scale.ticks, rows.tolist(), strict=True):
        if row >= free_from:
            continue
        free_from = row
        frame.text(plot.x - 1, plot.y + row, "┤", Ink.AXIS)
        frame.text_right(plot.x - 1, plot.y + row, scale.label(tick), Ink.MUTED)


def draw_x_axis(frame: Frame, plot: Rect, scale: Scale, unit: str) -> None:
    """Axis line, tick marks and labels in the two rows below `plot`, the unit at its right end."""
    if plot.width < 1:
        return
    frame.fill(Rect(plot.x - 1, plot.bottom, plot.width + 1, 1), "─", Ink.AXIS)
    frame.text(plot.x - 1, plot.bottom, "└", Ink.AXIS)
    unit_start = frame.text_right(plot.right, plot.bottom + 1, unit, Ink.MUTED)
    columns = np.floor(scale.columns(np.array(scale.ticks), 2 * plot.width) / 2).astype(int)
    free_from = 0
    for tick, column in zip(scale.ticks, columns.tolist(), strict=True):
        label = scale.label(tick)
        x = plot.x + column
        if not 0 <= column < plot.width:
            continue
        frame.text(x, plot.bottom, "┬", Ink.AXIS)
        start = max(x - len(label) // 2, 0)
        if start >= free_from and start + len(label) < unit_start:
            free_from = frame.text(start, plot.bottom + 1, label, Ink.MUTED) + 1
