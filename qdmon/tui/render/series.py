"""A time series at any zoom: a joined line while dots can show it, a density of dots beyond."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qdmon.tui.render.dots import DotGrid
from qdmon.tui.render.frame import Frame, Rect
from qdmon.tui.render.scale import Scale

__all__ = ["TimeGrid", "draw_series", "time_grid", "visible"]

FloatArray = NDArray[np.float64]

_JOINED_UP_TO = 16
"""Bins per dot column up to which neighbours are joined; with more the line would be a solid block."""

_DENSE, _MIDDLE = 0.30, 0.10
"""Share of a column's bins in one cell from which it is drawn as the strongest, the middle ink."""


@dataclass(frozen=True, slots=True)
class TimeGrid:
    """Which bins stand in which dot column; whole cells are fixed in time, so a live plot scrolls by cells.

    Attributes:
        first_bin: absolute index of the first bin shown, counted from time 0; may be negative.
        bins_per_column: bins sharing a dot column, at least 1.
        columns_per_bin: dot columns a bin is wide, 1 or even.
        columns: dot columns.
        bin_s: width of a bin.
    """

    first_bin: int
    bins_per_column: int
    columns_per_bin: int
    columns: int
    bin_s: float

    @property
    def bins(self) -> int:
        """Bins shown."""
        return self.columns * self.bins_per_column // self.columns_per_bin

    @property
    def start_s(self) -> float:
        """Time at the left edge."""
        return self.first_bin * self.bin_s

    @property
    def stop_s(self) -> float:
        """Time at the right edge."""
        return (self.first_bin + self.bins) * self.bin_s

    def cell(self, time_s: float) -> int:
        """Cell column (half a dot column index) of a time; outside the plot it is negative or too large."""
        return math.floor((time_s - self.start_s) / (self.stop_s - self.start_s) * self.columns / 2 + 1e-9)


def time_grid(end_s: float, window_s: float, bin_s: float, columns: int) -> TimeGrid:
    """The grid of `columns` (even) dot columns that ends at or just after `end_s` and spans `window_s`."""
    columns = max(2, columns)
    wanted = max(1.0, window_s / bin_s)
    per_column = max(1, math.ceil(wanted / columns - 1e-9))
    widest = int(columns / wanted)
    per_bin = widest - widest % 2 if widest >= 2 else 1
    columns -= columns % per_bin
    cell_bins = max(1, 2 * per_column // per_bin)
    end_bin = math.ceil(end_s / bin_s / cell_bins - 1e-9) * cell_bins
    bins = columns * per_column // per_bin
    return TimeGrid(end_bin - bins, per_column, per_bin, columns, bin_s)


def visible(values: FloatArray, first_bin: int, grid: TimeGrid) -> FloatArray:
    """(grid.bins,) the values that fall on the grid, NaN where there are none.

    Args:
        values: (n,) one a bin, NaN where unknown.
        first_bin: absolute index of values[0].
        grid: what is shown.
    """
    shown = np.full(grid.bins, np.nan)
    start = max(first_bin, grid.first_bin)
    stop = min(first_bin + len(values), grid.first_bin + grid.bins)
    if stop > start:
        shown[start - grid.first_bin : stop - grid.first_bin] = values[start - first_bin : stop - first_bin]
    return shown


def draw_series(
    frame: Frame, plot: Rect, shown: FloatArray, grid: TimeGrid, scale: Scale, inks: tuple[int, int, int]
) -> None:
    """Draw `shown` (see `visible`): each dot column from its lowest to its highest bin, joined to the next.

    Where many bins share a column every bin is its own dot instead. `inks` go from cells few bins fall in to
    cells many do, so that the levels a blinking dot dwells in stand out at every zoom.
    """
    if plot.width < 1 or plot.height < 1:
        return
    dots = DotGrid(plot.width, plot.height)
    stretched = np.repeat(shown, grid.columns_per_bin) if grid.columns_per_bin > 1 else shown
    rows = scale.rows(stretched, dots.rows).reshape(grid.columns, grid.bins_per_column)
    if grid.bins_per_column <= _JOINED_UP_TO:
        top, bottom = np.fmin.reduce(rows, axis=1), np.fmax.reduce(rows, axis=1)
        joined_top, joined_bottom = top.copy(), bottom.copy()
        both = np.isfinite(top[1:]) & np.isfinite(top[:-1])
        joined_top[1:][both] = np.minimum(top[1:], bottom[:-1])[both]
        joined_bottom[1:][both] = np.maximum(bottom[1:], top[:-1])[both]
        pad = dots.columns - grid.columns
        empty = np.full(pad, np.nan)
        dots.bars(np.append(joined_top, empty), np.append(joined_bottom, empty))
    else:
        column = np.repeat(np.arange(grid.columns, dtype=np.float64), grid.bins_per_column)
        dots.points(column, rows.ravel())
    codes = dots.codes(ascii_only=frame.ascii_only)
    frame.paste(plot, codes, _density_inks(rows, plot, inks))


def _density_inks(rows: FloatArray, plot: Rect, inks: tuple[int, int, int]) -> NDArray[np.intp]:
    """(height, width) ink of each cell by the share of its column's bins that fall in it.

    Args:
        rows: (columns, k) dot row of every bin.
        plot: size of the result in cells.
        inks: for few, some, many.
    """
    known = np.isfinite(rows)
    cell_x = np.broadcast_to(np.arange(len(rows))[:, None] // 2, rows.shape)[known]
    cell_y = np.rint(rows[known]).astype(np.intp) // 4
    counts = np.bincount(cell_y * plot.width + cell_x, minlength=plot.width * plot.height)
    share = counts[: plot.width * plot.height].reshape(plot.height, plot.width) / (2 * rows.shape[1])
    level = (share >= _MIDDLE).astype(np.intp) + (share >= _DENSE)
    chosen: NDArray[np.intp] = np.array(inks, np.intp)[level]
    return chosen
