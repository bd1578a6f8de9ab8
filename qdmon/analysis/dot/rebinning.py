"""Rows of a table put together to the bins of a verdict, stretches with losses left out."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from qdmon.analysis.bins import BinTable, lost_bins

__all__ = ["FEWEST_BINS", "TableBins", "table_bins"]

GROUPS = (1, 2, 5, 10, 20, 50)
# The chain gathers evidence over a dwell; shorter bins catch more of the switching, at more work. Single rows
# are worth it only for bright dots.
PHOTONS_PER_BIN, OF_ONE_ROW = 50, 100
LONGEST_GROUP = 10
FEWEST_BINS, MOST_BINS = 10, 8_000


class TableBins(NamedTuple):
    """Bins of equal duration.

    Attributes:
        counts: (n, m) photons per bin and micro-bin.
        start_pulse: (n,) first pulse of each.
        rows: of the table in each.
    """

    counts: NDArray[np.float32]
    start_pulse: NDArray[np.int64]
    rows: int


def table_bins(
    table: BinTable, from_pulse: int, to_pulse: int | None, most_rows: int, losses: list[tuple[int, int]]
) -> TableBins | None:
    """The bins between two pulses; None where they are too few to say anything.

    Args:
        table: rows of about a millisecond.
        from_pulse: first pulse.
        to_pulse: exclusive; None is up to the last complete row.
        most_rows: so many of the latest rows of the table at most.
        losses: pulse intervals in which photons are missing.
    """
    width = table.pulses_per_row
    first = max(-(-(from_pulse - table.first_pulse) // width), table.closed - most_rows, 0)
    stop = table.closed
    if to_pulse is not None:
        stop = min(stop, (to_pulse - table.first_pulse) // width)
    rows = table.rows[first:stop]
    if len(rows) < FEWEST_BINS:
        return None
    group = _rows_per_bin(rows)
    n = len(rows) // group
    counts = rows[: n * group].reshape(n, group, -1).sum(axis=1, dtype=np.float32)
    start_pulse = table.first_pulse + (first + group * np.arange(n)) * width
    good = ~lost_bins(losses, table.first_pulse + first * width, group * width, n)
    if np.count_nonzero(good) < FEWEST_BINS:
        return None
    return TableBins(counts[good], start_pulse[good], group)


def _rows_per_bin(rows: NDArray[np.uint16] | NDArray[np.int32]) -> int:
    """Enough photons in a bright bin, not too many bins."""
    tens = len(rows) // 10 * 10
    per_ten = rows[:tens].sum(axis=1, dtype=np.int64).reshape(-1, 10).sum(axis=1)
    bright = float(np.percentile(per_ten, 95)) / 10
    for group in GROUPS:
        enough = bright * group >= (PHOTONS_PER_BIN if group > 1 else OF_ONE_ROW) or group >= LONGEST_GROUP
        if enough and len(rows) / group <= MOST_BINS:
            return group
    return GROUPS[-1]
