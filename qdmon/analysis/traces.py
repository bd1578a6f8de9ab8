"""The intensity trace and the mean lifetime of each of its bins, as far back as they are kept."""

import numpy as np
from numpy.typing import NDArray

from hardware.types import Acquisition, Photons
from qdmon.analysis.bins import BinTable, lost_bins
from qdmon.analysis.calibration.timing import TimeAxis
from qdmon.analysis.equations import lifetime_from_window_mean
from qdmon.analysis.results.intensity import Trace
from qdmon.analysis.settings import AnalysisSettings

__all__ = ["TraceTables"]


class TraceTables:
    """Counts per trace bin from a pulse on at once, arrival times once the time axis is known."""

    def __init__(self, acquisition: Acquisition, settings: AnalysisSettings, first_pulse: int) -> None:
        self._acq = acquisition
        self._kept_rows = int(settings.trace_kept_s / settings.trace_bin_s)
        self._counts = BinTable(
            first_pulse, max(acquisition.pulses(settings.trace_bin_s), 1), 1, self._kept_rows
        )
        self._first_pulse = first_pulse
        self._decays: BinTable | None = None
        self._axis: TimeAxis | None = None

    def count(self, photons: Photons, stop_pulse: int) -> None:
        """Count photons up to `stop_pulse`."""
        self._counts.add_counts(photons, stop_pulse)

    def use_axis(self, axis: TimeAxis) -> None:
        """Sort by this axis from now on; another one must have the same micro-bins."""
        self._axis = axis
        if self._decays is None:
            self._decays = BinTable(
                self._first_pulse, self._counts.pulses_per_row, axis.bins.count, self._kept_rows
            )

    def sort(self, photons: Photons, stop_pulse: int) -> None:
        """Sort photons by arrival time up to `stop_pulse`."""
        if self._decays is not None and self._axis is not None:
            self._decays.add_decays(photons, stop_pulse, self._axis.micro_bin, self._axis.arrival_ns)

    def trace(self, losses: list[tuple[int, int]], background_cps: float) -> Trace:
        """What is kept.

        Args:
            losses: pulse intervals in which photons are missing.
            background_cps: uniform background of the signal detectors together.
        """
        counts = self._counts.rows[:, 0].astype(np.int32, copy=False)
        start = self._counts.first_pulse
        width = self._counts.pulses_per_row
        lost = lost_bins(losses, start, width, len(counts))
        bin_s = self._acq.seconds(width)
        lifetime = self._lifetimes(len(counts), bin_s, background_cps)
        return Trace(self._acq.seconds(start), bin_s, counts, lifetime, lost)

    def _lifetimes(self, n: int, bin_s: float, background_cps: float) -> NDArray[np.float32]:
        lifetime = np.full(n, np.nan, np.float32)
        table = self._decays
        if table is None or self._axis is None:
            return lifetime
        offset = (table.first_pulse - self._counts.first_pulse) // table.pulses_per_row
        rows, sums = table.rows, table.sums
        if offset < 0:
            rows, sums, offset = rows[-offset:], sums[-offset:], 0
        bins = self._axis.bins
        gate = float(bins.edges_ns[1])
        window = float(bins.edges_ns[-1]) - gate
        count = rows[:, 1:].sum(axis=1, dtype=np.float64)
        background = background_cps * bin_s * window / (bins.recorded_ns or bins.period_ns)
        net = count - background
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = (sums - gate * count - background * window / 2) / net
        usable = (net > 8) & (net > 2 * np.sqrt(count))
        tau = np.full(len(rows), np.nan)
        tau[usable] = lifetime_from_window_mean(mean[usable], window)
        stop = min(offset + len(tau), n)
        lifetime[offset:stop] = tau[: stop - offset]
        return lifetime
