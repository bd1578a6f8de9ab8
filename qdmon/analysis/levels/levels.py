"""Intensity levels between the changes of a dot's light, found as the stream advances.

Works on the closed rows of a `BinTable` in their order, one decision per row, so the levels do not depend
on when or in what portions the rows were offered.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from qdmon.analysis.bins import BinTable
from qdmon.analysis.calibration.timing import MicroBins
from qdmon.analysis.decays.lifetime import lifetime_mle
from qdmon.analysis.levels.changes import HULLS, MOST_CORNERS, scan_for_change
from qdmon.analysis.results.estimate import UNKNOWN, Estimate
from qdmon.analysis.results.intensity import Level

__all__ = ["LOOK_BACK_ROWS", "LevelFinder", "Span"]

FloatArray = NDArray[np.float64]
Rows = NDArray[np.uint16] | NDArray[np.int32]

# Total light alone, and early with late light (one more degree of freedom). Steady light then shows a
# false change about once in a million rows; two nats less would make it four times as often and find no
# more of the real ones (tests/benchmarks/levels.py).
NATS, NATS_JOINT = 16.0, 19.0
# A change is looked for this far back; the table must keep more rows than this.
LOOK_BACK_ROWS = 60_000
MOST_LEVELS = 500
# Late light is that beyond the instant which leaves this share of a dot's photons: the two-way split
# that tells exponential decays apart best leaves exp(-1.6) = 0.2 of them, background comes on top.
LATE_SHARE = 0.25
# Before anything is known of the decay: late is beyond this share of the period.
LATE_FROM = 0.125
# Rows prepared at a time; those behind a change are prepared again.
PIECE = 1000
# From this many rows on, the first and the last, in which the light may have been changing, are left out.
TRIM_FROM = 5


@dataclass(frozen=True, slots=True, eq=False)
class Span:
    """One level in rows since the origin: its edges, and the photons of the rows its numbers rest on."""

    start: float
    stop: float
    rows: int
    photons: FloatArray
    follows: bool

    @property
    def per_row(self) -> float:
        """Photons per row."""
        return float(self.photons.sum()) / self.rows


class LevelFinder:
    """Levels of one stretch of light; keeps the latest and forgets older ones.

    A change inside a row makes that row an intermediate level of its own where the light is strong: such
    a row is dissolved, and gives the instant of the change to a fraction of a row.
    """

    def __init__(self, first_pulse: int, row_s: float, start_s: float, bins: MicroBins | None) -> None:
        """Levels from a pulse on.

        Args:
            first_pulse: start of row 0.
            row_s: duration of a row.
            start_s: time of `first_pulse`.
            bins: meaning of the columns; None if the rows hold plain counts.
        """
        self._origin = first_pulse
        self._row_s = row_s
        self._start_s = start_s
        self._bins = bins
        columns = bins.count if bins is not None else 1
        self._decay = np.zeros(columns)
        self._done: list[Span] = []
        self._shown: dict[Span, Level] = {}
        # Background and delayed share they were reckoned with, and the bins with that share.
        self._shown_with: tuple[float, float] = (0.0, 0.0)
        self._shown_bins = bins and replace(bins, delayed=0.0)
        self._row = 0
        self._begin(0, 0.0, follows=False)

    def _begin(self, row: int, edge: float, *, follows: bool) -> None:
        """Start a level at a row; its light may have begun a little earlier or later, at `edge`."""
        self._first, self._edge, self._follows = row, edge, follows
        self._row = row
        # Photons of rows [first + 1, summed): what look-back no longer needs row by row.
        self._summed = row + 1
        self._before = np.zeros_like(self._decay)
        self._seen = np.zeros(3)
        self._corners = np.zeros((HULLS, MOST_CORNERS, 3))
        self._sizes = np.zeros(HULLS, np.int64)
        self._late_from = self._split()

    def _split(self) -> int:
        """First column of the late light, from the decay of all levels so far."""
        if self._bins is None:
            return 1
        total = self._decay.sum()
        if total < 1000:
            late_from = int(np.searchsorted(self._bins.edges_ns, LATE_FROM * self._bins.period_ns))
            return min(late_from, self._bins.count - 1)
        late = np.cumsum(self._decay[::-1])[::-1] / total
        return int(np.argmin(np.abs(late - LATE_SHARE)))

    def advance(self, table: BinTable, losses: Sequence[tuple[int, int]]) -> None:
        """Take the rows closed since the last call.

        Args:
            table: counts per row, or decays per row with the columns of `bins`; its rows begin at
                `first_pulse` and it keeps more than `LOOK_BACK_ROWS`.
            losses: pulse intervals in which photons are missing; rows they touch end a level.
        """
        width = table.pulses_per_row
        oldest = (table.first_pulse - self._origin) // width
        rows = table.rows
        stop = oldest + len(rows)
        if min(self._row, self._summed) < oldest:
            raise ValueError("the table let rows go that the level finder still needs: let it keep more")
        bad = [((a - self._origin) // width, -((self._origin - b) // width)) for a, b in losses]
        for first, after in sorted(bad):
            if after <= self._row or first >= stop:
                continue
            self._scan(rows, oldest, max(first, self._row))
            self._break(rows, oldest, min(after, stop))
        self._scan(rows, oldest, stop)
        summed = self._row - LOOK_BACK_ROWS
        if summed > self._summed:
            self._before += rows[self._summed - oldest : summed - oldest].sum(axis=0, dtype=np.float64)
            self._summed = summed

    def close(self, table: BinTable) -> None:
        """No more rows will come: the open level is as long as it was seen."""
        oldest = (table.first_pulse - self._origin) // table.pulses_per_row
        self._break(table.rows, oldest, self._row)

    def _scan(self, rows: Rows, oldest: int, stop: int) -> None:
        while self._row < stop:
            new = rows[self._row - oldest : min(self._row + PIECE, stop) - oldest]
            total = new.sum(axis=1, dtype=np.int64)
            late = new[:, self._late_from :].sum(axis=1, dtype=np.int64)
            taken, change = scan_for_change(
                total,
                late,
                self._seen,
                self._corners,
                self._sizes,
                float(LOOK_BACK_ROWS),
                (NATS, NATS_JOINT),
            )
            self._row += taken
            if change:
                self._change(rows, oldest, self._first + change)

    def _change(self, rows: Rows, oldest: int, at: int) -> None:
        """A level ends before row `at`; what follows it is looked at again from there."""
        ended = self._span(rows, oldest, at)
        after = rows[at - oldest : self._row - oldest].sum(dtype=np.float64) / (self._row - at)
        edge = float(at)
        if ended.rows == 1 and ended.follows and self._done:
            before = self._done[-1]
            share = (ended.per_row - after) / ((before.per_row - after) or np.inf)
            if 0 < share < 1:
                edge = ended.start + share * (at - ended.start)
                self._done[-1] = replace(before, stop=edge)
                self._begin(at, edge, follows=True)
                return
        self._close(ended)
        self._begin(at, edge, follows=True)

    def _break(self, rows: Rows, oldest: int, resume: int) -> None:
        """Photons are missing before row `resume`: the open level ends where it is."""
        if self._row > self._first:
            self._close(self._span(rows, oldest, self._row))
        self._begin(resume, float(resume), follows=False)

    def _close(self, span: Span) -> None:
        self._decay += span.photons
        self._done.append(span)
        del self._done[:-MOST_LEVELS]

    def _span(self, rows: Rows, oldest: int, stop: int) -> Span:
        """The open level if it ends before row `stop`."""
        first = self._first
        if stop - first < TRIM_FROM:
            used, before = (first, stop), np.zeros_like(self._decay)
        else:
            used, before = (self._summed, stop - 1), self._before
            first += 1
        photons = before + rows[used[0] - oldest : used[1] - oldest].sum(axis=0, dtype=np.float64)
        return Span(self._edge, float(stop), used[1] - first, photons, self._follows)

    def levels(self, table: BinTable, background_cps: float, delayed: float) -> tuple[Level, ...]:
        """The latest levels in order; the last one is provisional: it is still going on.

        The stop of the last but one can still move, by less than a row.

        Args:
            table: as given to `advance` last.
            background_cps: uniform background of the counted detectors together.
            delayed: share of the light that comes at any time after the pulse.
        """
        shown = self.levels_of(self.closed, background_cps, delayed)
        if self._row == self._first:
            return shown
        oldest = (table.first_pulse - self._origin) // table.pulses_per_row
        open_span = self._span(table.rows, oldest, self._row)
        return (*shown, self._level(open_span, provisional=True))

    @property
    def closed(self) -> tuple[Span, ...]:
        """The latest levels that are over, for `levels_of`, now or later."""
        return tuple(self._done)

    def levels_of(self, spans: tuple[Span, ...], background_cps: float, delayed: float) -> tuple[Level, ...]:
        """Rate and lifetime of levels that are over; the other arguments are as in `levels`."""
        if (background_cps, delayed) != self._shown_with:
            self._shown, self._shown_with = {}, (background_cps, delayed)
            self._shown_bins = self._bins and replace(self._bins, delayed=delayed)
        if len(self._shown) > 2 * MOST_LEVELS:
            self._shown = {span: level for span, level in self._shown.items() if span in spans}
        for span in spans:
            if span not in self._shown:
                self._shown[span] = self._level(span, provisional=False)
        return tuple(self._shown[span] for span in spans)

    def _level(self, span: Span, *, provisional: bool) -> Level:
        background_cps, _ = self._shown_with
        seconds = span.rows * self._row_s
        photons = float(span.photons.sum())
        rate = Estimate(photons / seconds - background_cps, float(np.sqrt(max(photons, 1.0))) / seconds)
        lifetime = UNKNOWN
        if self._shown_bins is not None:
            background = background_cps * seconds * self._shown_bins.uniform_share
            fit = lifetime_mle(span.photons, background, self._shown_bins)
            lifetime = Estimate(fit.tau_ns, fit.error_ns) if fit is not None else UNKNOWN
        start, stop = (self._start_s + edge * self._row_s for edge in (span.start, span.stop))
        return Level(start, stop, rate, lifetime, provisional)
