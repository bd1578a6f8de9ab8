"""How the light of one stretch switches: its levels, its dwells, its memory, from counts per millisecond."""

import numpy as np
from numpy.typing import NDArray

from hardware.types import Acquisition
from qdmon.analysis.bins import BinTable
from qdmon.analysis.correlation import long_time_correlation
from qdmon.analysis.dwells import dwell_law, on_off_dwells
from qdmon.analysis.groups import distinct_levels
from qdmon.analysis.levels import LOOK_BACK_ROWS, LevelFinder
from qdmon.analysis.snapshot import BlinkingCall, DwellLaw, EmissiveState, Level, LongTimeCorrelation
from qdmon.analysis.timing import MicroBins

__all__ = ["ROWS_TO_KEEP", "Dynamics"]

FloatArray = NDArray[np.float64]

# Bins of the dwell times, as of the blinking rate: 10 ms.
ROWS_PER_DWELL_BIN = 10
# What the level finder may still ask of its table, photons coming in portions of half a second.
ROWS_TO_KEEP = LOOK_BACK_ROWS + 2000


class Dynamics:
    """What follows from the counts of a stretch per millisecond.

    Levels come as the rows close; dwell laws and correlation are renewed when the verdict is.

    Attributes:
        on_dwells: law of the on dwells; None while two levels have not been told apart.
        off_dwells: of the off dwells.
        correlation: None while there is too little light.
        intensities: the different intensities among the closed levels.
    """

    def __init__(self, acquisition: Acquisition, first_pulse: int, kept_s: float) -> None:
        """Dynamics of the light from a pulse on; nothing is known until there is a table to follow.

        Args:
            acquisition: time base.
            first_pulse: start of the stretch.
            kept_s: how far dwells and correlation look back.
        """
        self._acq = acquisition
        self._first_pulse = first_pulse
        self._kept_s = kept_s
        self._table: BinTable | None = None
        self._finder: LevelFinder | None = None
        self.on_dwells: DwellLaw | None = None
        self.off_dwells: DwellLaw | None = None
        self.correlation: LongTimeCorrelation | None = None
        self.intensities: tuple[EmissiveState, ...] = ()

    def follow(self, table: BinTable, bins: MicroBins | None) -> None:
        """Look at the rows of a table from its start on.

        Args:
            table: counts per millisecond or so, growing; kept for `ROWS_TO_KEEP` rows at least.
            bins: the micro-bins its columns are; None if it only counts.
        """
        self._table = table
        start_s = self._acq.seconds(self._first_pulse)
        self._finder = LevelFinder(self._first_pulse, self._row_s(table), start_s, bins)

    def advance(self, losses: list[tuple[int, int]]) -> None:
        """The table has grown, by half a second at most; losses among the new rows must be known."""
        if self._table is not None and self._finder is not None:
            self._finder.advance(self._table, losses)

    def _row_s(self, table: BinTable) -> float:
        return self._acq.seconds(table.pulses_per_row)

    def levels(self, background_cps: float, delayed: float) -> tuple[Level, ...]:
        """The latest levels; see `LevelFinder.levels`."""
        if self._table is None or self._finder is None:
            return ()
        return self._finder.levels(self._table, background_cps, delayed)

    def close(self) -> None:
        """The stretch is over."""
        if self._table is not None and self._finder is not None:
            self._finder.close(self._table)

    def refit(
        self,
        since_pulse: int,
        losses: list[tuple[int, int]],
        call: BlinkingCall,
        background_cps: float,
        delayed: float,
    ) -> None:
        """Renew dwell laws, correlation and intensities.

        Args:
            since_pulse: where the data of the verdict begin.
            losses: pulse intervals in which photons are missing.
            call: the verdict, for the two levels that dwells switch between.
            background_cps: uniform background of the counted detectors together.
            delayed: share of the light that comes at any time after the pulse.
        """
        self.intensities = distinct_levels(self.levels(background_cps, delayed))
        found = self._counts(since_pulse, losses)
        if found is None:
            return
        counts, good, row_s = found
        self.correlation = long_time_correlation(counts, good, row_s, background_cps)
        if len(call.states) < 2:
            self.on_dwells = self.off_dwells = None
            return
        coarse = counts.reshape(-1, ROWS_PER_DWELL_BIN).sum(axis=1)
        whole = np.all(good.reshape(-1, ROWS_PER_DWELL_BIN), axis=1)
        bin_s = ROWS_PER_DWELL_BIN * row_s
        bright, dim = (((s.intensity_cps.value or 0.0) + background_cps) * bin_s for s in call.states[:2])
        on, off = on_off_dwells(coarse, whole, bin_s, bright, dim)
        self.on_dwells, self.off_dwells = dwell_law(on), dwell_law(off)

    def _counts(
        self, since_pulse: int, losses: list[tuple[int, int]]
    ) -> tuple[FloatArray, NDArray[np.bool_], float] | None:
        """Counts of whole dwell bins as far back as is wanted, which rows are complete, and their length."""
        table = self._table
        if table is None:
            return None
        width, row_s = table.pulses_per_row, self._row_s(table)
        oldest = (table.first_pulse - self._first_pulse) // width
        stop = (oldest + table.closed) // ROWS_PER_DWELL_BIN * ROWS_PER_DWELL_BIN
        first = max(-((self._first_pulse - since_pulse) // width), stop - int(self._kept_s / row_s), 0)
        first = -(-first // ROWS_PER_DWELL_BIN) * ROWS_PER_DWELL_BIN
        if stop <= first:
            return None
        rows = table.rows[first - oldest : stop - oldest]
        start_pulse = self._first_pulse + width * np.arange(first, stop)
        good = np.ones(len(rows), bool)
        for a, b in losses:
            good &= (start_pulse >= b) | (start_pulse + width <= a)
        return rows.sum(axis=1, dtype=np.float64), good, row_s
