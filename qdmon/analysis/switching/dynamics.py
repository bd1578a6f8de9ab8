"""How the light of one stretch switches: its levels, its dwells, its memory, from counts per millisecond."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hardware.types import Acquisition
from qdmon.analysis.bins import BinTable, lost_bins
from qdmon.analysis.calibration.timing import MicroBins
from qdmon.analysis.levels.groups import distinct_levels
from qdmon.analysis.levels.levels import LOOK_BACK_ROWS, LevelFinder, Span
from qdmon.analysis.results.blinking import BlinkingCall, EmissiveState
from qdmon.analysis.results.intensity import DwellLaw, Level, LongTimeCorrelation
from qdmon.analysis.switching.correlation import long_time_correlation
from qdmon.analysis.switching.dwell_law import dwell_laws
from qdmon.analysis.switching.dwells import Dwells, on_off_dwells, rows_per_dwell_bin

__all__ = ["ROWS_TO_KEEP", "Dynamics"]

FloatArray = NDArray[np.float64]

# What the level finder may still ask of its table, photons coming in portions of half a second.
ROWS_TO_KEEP = LOOK_BACK_ROWS + 2000


class Dynamics:
    """What follows from the counts of a stretch per millisecond.

    Levels come as the rows close. Dwells, correlation and intensities are those of the latest verdict: what
    they are made of is set aside then, so that they do not depend on who asks when, and most are never made.
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
        # What waits to be made into intensities, correlation and laws.
        self._closed: tuple[tuple[Span, ...], float, float] | None = None
        self._light: tuple[_Rows, float] | None = None
        self._switching: tuple[_Rows, float, float] | None = None
        self._intensities: tuple[EmissiveState, ...] = ()
        self._correlation: LongTimeCorrelation | None = None
        self._laws: tuple[DwellLaw, DwellLaw] | None = None

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

    @property
    def on_dwells(self) -> DwellLaw | None:
        """Law of the on dwells; None while two levels have not been told apart."""
        laws = self._dwell_laws()
        return laws[0] if laws is not None else None

    @property
    def off_dwells(self) -> DwellLaw | None:
        """Law of the off dwells."""
        laws = self._dwell_laws()
        return laws[1] if laws is not None else None

    def _dwell_laws(self) -> tuple[DwellLaw, DwellLaw] | None:
        if self._switching is not None:
            rows, bright_cps, dim_cps = self._switching
            self._switching = None
            self._laws = dwell_laws(*rows.dwells(bright_cps=bright_cps, dim_cps=dim_cps))
        return self._laws

    @property
    def correlation(self) -> LongTimeCorrelation | None:
        """None while there is too little light."""
        if self._light is not None:
            rows, background_cps = self._light
            self._light = None
            self._correlation = long_time_correlation(rows.counts, rows.good, rows.row_s, background_cps)
        return self._correlation

    @property
    def intensities(self) -> tuple[EmissiveState, ...]:
        """The different intensities among the closed levels."""
        if self._closed is not None and self._finder is not None:
            self._intensities = distinct_levels(self._finder.levels_of(*self._closed))
            self._closed = None
        return self._intensities

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
        """Renew dwells, correlation and intensities.

        Args:
            since_pulse: where the data of the verdict begin.
            losses: pulse intervals in which photons are missing.
            call: the verdict, for the two levels that dwells switch between.
            background_cps: uniform background of the counted detectors together.
            delayed: share of the light that comes at any time after the pulse.
        """
        if self._finder is not None:
            self._closed = self._finder.closed, background_cps, delayed
        rows = self._rows(since_pulse, losses)
        if rows is None:
            return
        self._light = rows, background_cps
        self._laws = self._switching = None
        if len(call.states) < 2:
            return
        levels = [(s.intensity_cps.value or 0.0) + background_cps for s in call.states[:2]]
        self._switching = rows, levels[0], levels[1]

    def _rows(self, since_pulse: int, losses: list[tuple[int, int]]) -> "_Rows | None":
        """The rows as far back as is wanted."""
        table = self._table
        if table is None:
            return None
        width, row_s = table.pulses_per_row, self._acq.seconds(table.pulses_per_row)
        oldest = (table.first_pulse - self._first_pulse) // width
        stop = oldest + table.closed
        first = max(-((self._first_pulse - since_pulse) // width), stop - int(self._kept_s / row_s), 0)
        if stop <= first:
            return None
        counts = table.rows[first - oldest : stop - oldest].sum(axis=1, dtype=np.float64)
        good = ~lost_bins(losses, self._first_pulse + first * width, width, stop - first)
        return _Rows(counts, good, first, row_s)


@dataclass(frozen=True, slots=True)
class _Rows:
    """Counts per millisecond or so.

    Attributes:
        counts: (n,) photons per row.
        good: (n,) False where photons are missing.
        first: number of the first row since the beginning of the stretch.
        row_s: length of a row.
    """

    counts: FloatArray
    good: NDArray[np.bool_]
    first: int
    row_s: float

    def dwells(self, *, bright_cps: float, dim_cps: float) -> tuple[Dwells, Dwells]:
        """On and off dwells between two levels, background included, in bins that tell them apart."""
        bright, dim = bright_cps * self.row_s, dim_cps * self.row_s
        width = rows_per_dwell_bin(bright, dim)
        # Bins count from the beginning of the stretch, wherever the memory of it begins.
        skip = -self.first % width
        n = max((len(self.counts) - skip) // width, 0)
        counts, good = (x[skip:][: n * width].reshape(n, width) for x in (self.counts, self.good))
        bin_s = width * self.row_s
        return on_off_dwells(counts.sum(axis=1), np.all(good, axis=1), bin_s, bright * width, dim * width)
