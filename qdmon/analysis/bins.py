"""Photons sorted into time bins that start at fixed pulses, whatever batches they came in."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from hardware.jit import jit
from hardware.types import Photons

__all__ = ["BinTable", "count_nanotimes", "fill_counts", "fill_rows", "lost_bins"]


@jit
def fill_counts(
    counts: NDArray[np.int32], pulse: NDArray[np.uint64], first_pulse: np.uint64, width: np.uint64
) -> None:
    """Add photons to counts[(pulse - first_pulse) // width]; photons before first_pulse must not occur."""
    edge = first_pulse + width
    row = np.uint64(0)
    for i in range(np.uint64(len(pulse))):
        p = pulse[i]
        if p >= edge:
            row = (p - first_pulse) // width
            edge = first_pulse + (row + np.uint64(1)) * width
        counts[row] += 1


@jit
def fill_rows(
    rows: NDArray[np.uint16],
    arrival: NDArray[np.float32],
    photons: tuple[NDArray[np.uint64], NDArray[np.uint16], NDArray[np.uint8]],
    micro_bin: NDArray[np.uint8],
    arrival_ns: NDArray[np.float32],
    first_pulse: np.uint64,
    width: np.uint64,
) -> None:
    """Add photons to a table of coarse decay histograms and of summed arrival times.

    Args:
        rows: (n, m) counts per time bin and micro-bin.
        arrival: (n,) summed arrival times after the pulse, ns; micro-bin 0 (prompt light) left out.
        photons: pulse, nanotime, channel.
        micro_bin: (c, t) micro-bin of each channel and nanotime; 255 leaves the photon out, and so does
            a channel beyond the table.
        arrival_ns: (c, t) arrival time of each channel and nanotime.
        first_pulse: pulse of row 0.
        width: pulses per row.
    """
    pulse, nanotime, channel = photons
    edge = first_pulse + width
    row = np.uint64(0)
    last = np.uint64(micro_bin.shape[1] - 1)
    for i in range(np.uint64(len(pulse))):
        p = pulse[i]
        if p >= edge:
            row = (p - first_pulse) // width
            edge = first_pulse + (row + np.uint64(1)) * width
        c = np.uint64(channel[i])
        if c >= micro_bin.shape[0]:
            continue
        t = min(np.uint64(nanotime[i]), last)
        m = micro_bin[c, t]
        if m != 255:
            rows[row, np.uint64(m)] += 1
            if m > 0:
                arrival[row] += arrival_ns[c, t]


@jit
def count_nanotimes(
    histogram: NDArray[np.int64], nanotime: NDArray[np.uint16], channel: NDArray[np.uint8]
) -> None:
    """Add photons to a (c, t) TCSPC histogram; nanotimes beyond it count in its last bin."""
    last = np.uint64(histogram.shape[1] - 1)
    for i in range(np.uint64(len(nanotime))):
        c = np.uint64(channel[i])
        if c < histogram.shape[0]:
            histogram[c, min(np.uint64(nanotime[i]), last)] += 1


def lost_bins(losses: Iterable[tuple[int, int]], first_pulse: int, width: int, n: int) -> NDArray[np.bool_]:
    """(n,) whether photons are missing in bins of so many pulses, one after the other from a pulse on.

    Args:
        losses: pulse intervals in which photons are missing.
        first_pulse: of the first bin.
        width: pulses of a bin.
        n: number of bins.
    """
    lost = np.zeros(n, bool)
    for first, stop in losses:
        if stop > first_pulse:
            lost[max(first - first_pulse, 0) // width : -((first_pulse - stop) // width)] = True
    return lost


class BinTable:
    """Rows of fixed duration in pulses, appended as the stream advances; the oldest are let go.

    `rows` and `sums` are only ever written beyond the closed rows, so views of closed rows stay valid
    for a screen that draws them later.
    """

    def __init__(self, first_pulse: int, pulses_per_row: int, columns: int, max_rows: int) -> None:
        self.pulses_per_row = pulses_per_row
        self._max_rows = max_rows
        self._origin = first_pulse
        self._columns = columns
        self._stop_pulse = first_pulse
        self._rows = np.zeros((1024, columns), np.uint16 if columns > 1 else np.int32)
        self._sums = np.zeros(1024, np.float32)

    @property
    def _complete(self) -> int:
        """Complete rows in memory."""
        return (self._stop_pulse - self._origin) // self.pulses_per_row

    @property
    def _surplus(self) -> int:
        """Rows in memory beyond those to keep; hidden, as their number depends on how the photons came."""
        return max(self._complete - self._max_rows, 0)

    @property
    def first_pulse(self) -> int:
        """Pulse at which the oldest kept row starts."""
        return self._origin + self._surplus * self.pulses_per_row

    @property
    def closed(self) -> int:
        """Number of kept rows that are complete."""
        return self._complete - self._surplus

    @property
    def rows(self) -> NDArray[np.uint16] | NDArray[np.int32]:
        """(closed, columns) counts of the complete rows; a view."""
        view = self._rows[self._surplus : self._complete]
        view.flags.writeable = False
        return view

    @property
    def sums(self) -> NDArray[np.float32]:
        """(closed,) summed arrival times of the complete rows, ns; a view."""
        view = self._sums[self._surplus : self._complete]
        view.flags.writeable = False
        return view

    def _make_room(self, stop_pulse: int) -> None:
        needed = (stop_pulse - self._origin) // self.pulses_per_row + 2
        if needed <= len(self._rows):
            return
        drop = self._surplus
        self._origin += drop * self.pulses_per_row
        kept = self._complete + 1
        size = max(2 * (needed - drop), 1024)
        rows = np.zeros((size, self._columns), self._rows.dtype)
        sums = np.zeros(size, np.float32)
        rows[:kept] = self._rows[drop : drop + kept]
        sums[:kept] = self._sums[drop : drop + kept]
        self._rows, self._sums = rows, sums

    def add_counts(self, photons: Photons, stop_pulse: int) -> None:
        """Count photons up to stop_pulse; they continue where the last call stopped."""
        self._make_room(stop_pulse)
        start, row = self._partial()
        fill_counts(self._rows[row:, 0], photons.pulse, start, np.uint64(self.pulses_per_row))
        self._stop_pulse = stop_pulse

    def add_decays(
        self,
        photons: Photons,
        stop_pulse: int,
        micro_bin: NDArray[np.uint8],
        arrival_ns: NDArray[np.float32],
    ) -> None:
        """Sort photons into the rows' micro-bins; see `fill_rows` for the two tables."""
        self._make_room(stop_pulse)
        start, row = self._partial()
        columns = (photons.pulse, photons.nanotime, photons.channel)
        fill_rows(
            self._rows[row:],
            self._sums[row:],
            columns,
            micro_bin,
            arrival_ns,
            start,
            np.uint64(self.pulses_per_row),
        )
        self._stop_pulse = stop_pulse

    def _partial(self) -> tuple[np.uint64, int]:
        return np.uint64(self._origin + self._complete * self.pulses_per_row), self._complete
