"""Photons of one stretch of constant fluence: counted, sorted by arrival time, correlated."""

import numpy as np
from numpy.typing import NDArray

from hardware.types import Acquisition, Photons
from qdmon.analysis.antibunching.pairs import PairCounter
from qdmon.analysis.bins import BinTable, count_nanotimes
from qdmon.analysis.calibration.after_pulses import USUAL_AFTER_PULSES
from qdmon.analysis.calibration.timing import MicroBins, TimeAxis
from qdmon.analysis.dot.binned import BinnedDecays
from qdmon.analysis.dot.rebinning import table_bins
from qdmon.analysis.results.estimate import UNKNOWN, Estimate
from qdmon.analysis.switching.dynamics import ROWS_TO_KEEP

__all__ = ["BASE_BIN_S", "StretchPhotons"]

FloatArray = NDArray[np.float64]

BASE_BIN_S = 0.001


class StretchPhotons:
    """Photons of a stretch, as far as they are kept.

    Attributes:
        acquisition: how they were taken.
        first_pulse: start of the stretch.
        stop_pulse: how far it has been looked at.
        total: photons seen.
        histogram: (c, t) TCSPC histogram.
        axis: where the pulse lies on each detector's time axis; None until known.
        table: photons per millisecond and micro-bin (T2: counts only); None until the axis is known.
        pairs: of the two detectors that are correlated; None until they are.
    """

    def __init__(self, acquisition: Acquisition, first_pulse: int, kept_s: float) -> None:
        self.acquisition = acquisition
        self.first_pulse = self.stop_pulse = first_pulse
        self.total = 0
        self.histogram = np.zeros(
            (max(acquisition.channels, default=0) + 1, max(acquisition.nanotime_bins, 1)), np.int64
        )
        self.axis: TimeAxis | None = None
        self.pairs: PairCounter | None = None
        self._kept_rows = int(kept_s / BASE_BIN_S)
        self.table: BinTable | None = self._new_table(None) if acquisition.mode == "T2" else None

    @property
    def start_s(self) -> float:
        """Start on the session's clock."""
        return self.acquisition.seconds(self.first_pulse)

    @property
    def stop_s(self) -> float:
        """How far it has been looked at."""
        return self.acquisition.seconds(self.stop_pulse)

    @property
    def dead_time_ns(self) -> float:
        """Of the detectors on average."""
        after = self.axis.bins.after_pulses if self.axis is not None else USUAL_AFTER_PULSES
        return float(after.dead_ns.mean())

    def use_axis(self, axis: TimeAxis, channels: tuple[int, int] | None) -> BinTable:
        """Begin sorting by arrival time; photons added before this were only counted.

        Args:
            axis: where the pulse lies on each detector's time axis.
            channels: the two detectors to correlate; None if there is one.

        Returns:
            The table that they are sorted into.
        """
        self.axis = axis
        self.table = table = self._new_table(axis.bins)
        if channels is not None:
            self.pairs = PairCounter(channels, axis)
        return table

    def move_axis(self, axis: TimeAxis) -> None:
        """Time zero moved by whole TCSPC bins, or more is known of the detectors: go on with this axis."""
        self.axis = axis
        if self.pairs is not None:
            self.pairs.use_axis(axis)

    def _new_table(self, bins: MicroBins | None) -> BinTable:
        pulses = max(self.acquisition.pulses(BASE_BIN_S), 1)
        kept = max(self._kept_rows, ROWS_TO_KEEP)
        return BinTable(self.first_pulse, pulses, bins.count if bins is not None else 1, kept)

    def count(self, photons: Photons) -> None:
        """Count photons into the TCSPC histogram, which needs no calibration."""
        count_nanotimes(self.histogram, photons.nanotime, photons.channel)
        self.total += len(photons)

    def sort(self, photons: Photons, stop_pulse: int) -> None:
        """Sort photons of [self.stop_pulse, stop_pulse) by arrival time and correlate them.

        Args:
            photons: half a second of them at most.
            stop_pulse: exclusive.
        """
        if self.table is not None:
            if self.axis is None:
                self.table.add_counts(photons, stop_pulse)
            else:
                self.table.add_decays(photons, stop_pulse, self.axis.micro_bin, self.axis.arrival_ns)
        if self.pairs is not None:
            self.pairs.add(photons, self.stop_pulse, stop_pulse)
        self.stop_pulse = stop_pulse

    def binned(
        self, from_pulse: int, to_pulse: int | None, left_out: list[tuple[int, int]]
    ) -> tuple[BinnedDecays, FloatArray] | None:
        """Decays of the bins between two pulses, over no background yet, and the start of each bin in s.

        Args:
            from_pulse: of the first bin.
            to_pulse: exclusive; None for all there are.
            left_out: pulse intervals whose bins are not used.
        """
        if self.table is None or self.axis is None:
            return None
        found = table_bins(self.table, from_pulse, to_pulse, self._kept_rows, left_out)
        if found is None:
            return None
        per_detector = self.histogram.sum(axis=1).astype(np.float64)
        share = per_detector / max(float(per_detector.sum()), 1.0)
        data = BinnedDecays(
            found.counts,
            found.rows * BASE_BIN_S,
            self.axis.bins,
            0.0,
            self.dead_time_ns,
            float(share @ share),
        )
        return data, np.asarray(found.start_pulse * (self.acquisition.macro_tick_ps / 1e12), np.float64)

    def seen_s(self, first_pulse: int, losses: list[tuple[int, int]]) -> float:
        """Time looked at from a pulse on, losses left out."""
        seen, position = 0, first_pulse
        for first, stop in sorted(losses):
            seen += max(min(first, self.stop_pulse) - position, 0)
            position = max(position, stop)
        return self.acquisition.seconds(seen + max(self.stop_pulse - position, 0))

    def mean_rate(self, losses: list[tuple[int, int]]) -> Estimate:
        """Photons per second in all detectors, background included."""
        seen = self.seen_s(self.first_pulse, losses)
        if seen <= 0:
            return UNKNOWN
        return Estimate(self.total / seen, float(np.sqrt(self.total)) / seen)
