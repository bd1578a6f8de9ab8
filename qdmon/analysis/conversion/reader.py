"""Blinks as they happen: dim dwells read row by row from a known bright level, each Auger or trap.

The verdict fits a dot to seconds of light; after a step of the fluence that is too late. What is known of
the dot beforehand, its bright level and lifetime, is enough to read a dwell of a few milliseconds
(`dim_dwells`).
"""

from functools import partial
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from qdmon.analysis.bins import BinTable, lost_bins
from qdmon.analysis.calibration.background import Floor
from qdmon.analysis.calibration.timing import MicroBins
from qdmon.analysis.conversion.bright_tracker import BrightTracker
from qdmon.analysis.conversion.dim_dwells import DimBlink, Light, dim_dwells
from qdmon.analysis.conversion.regimes import Mark
from qdmon.analysis.conversion.row_states import BrightLevel, RowStates, Trion, row_states

__all__ = ["BlinkReader"]

FloatArray = NDArray[np.float64]

# Rows of light that end a dwell for good, and the longest that is read in one piece.
SETTLED_ROWS, LONGEST_ROWS = 5, 4000
# Blinks are read again where the bright level was wrong by this, as a logarithm.
WRONG_LEVEL = 0.15
# A smaller error of the background over the bright level does not matter; of that so much stays at least.
LEAST_FLOOR_ERROR, LEAST_LEVEL = 0.005, 0.2
# A laser may take so long to follow an order: in a dwell that begins so soon after a fall the bright level is
# anything between what it was and what it will be. (After a rise all light lies below both lines.)
RAMPING_S = 0.5
# Once the bright level has been seen it is looked after every so many reads.
TRACK_EVERY = 5


class BlinkReader:
    """Reads the blinks of one stretch from its table; what is settled is told once.

    Attributes:
        level: its bright level.
        dim: whether the dot was dim when the latest rows ended, be it in a dwell that has been told already.
    """

    def __init__(
        self, first_pulse: int, crossing: Mark | None = None, level: BrightTracker | None = None
    ) -> None:
        """Begin with a stretch.

        Args:
            first_pulse: of the stretch.
            crossing: the blink the stretch before ended in; it was told, and may go on.
            level: its bright level, if it has been followed already.
        """
        self.level = BrightTracker(first_pulse) if level is None else level
        self.dim = False
        self._first_pulse = first_pulse
        self._crossing = crossing.odds if crossing is not None else 0.0
        self._reads = 0
        self._from_pulse = first_pulse
        self._continues = False
        self._states: tuple[tuple[float, Trion | None], MicroBins, RowStates] | None = None
        # The lowest and the highest bright level in use when blinks were told, and the one in use now.
        self._told_at: list[float] = []
        self._cps = 0.0
        # Levels that may be, as of `_possible`, and what they make of a row.
        self._lit: tuple[list[tuple[float, float]], Light] | None = None

    @property
    def misread(self) -> bool:
        """Whether blinks were told with a bright level that has turned out to be wrong."""
        return self.level.seen and any(abs(np.log(cps / self._cps)) > WRONG_LEVEL for cps in self._told_at)

    def read(
        self,
        table: BinTable,
        bins: MicroBins,
        bright: BrightLevel,
        floor: Floor,
        losses: list[tuple[int, int]],
        row_s: float,
    ) -> tuple[list[Mark], list[Mark]]:
        """Blinks that have ended since the last call, and those of the dwell that is going on.

        Args:
            table: rows of about a millisecond.
            bins: its micro-bins, with the delayed share.
            bright: what is known of the dot at this fluence.
            floor: what lies under the light of the detectors together.
            losses: pulse intervals in which photons are missing.
            row_s: duration of a row.
        """
        width = table.pulses_per_row
        first = max(-(-(self._from_pulse - table.first_pulse) // width), 0)
        rows = table.rows[first:]
        if len(rows) < SETTLED_ROWS or bright.cps <= 0:
            return [], []
        start_pulse = table.first_pulse + first * width
        begins_s = (start_pulse - self._first_pulse) / width * row_s
        light = self._light(table, bins, bright, floor, row_s, begins_s)
        begins = start_pulse < self._first_pulse + SETTLED_ROWS * width
        untold = partial(self._untold, start=start_pulse / width, row_s=row_s, begins=begins)
        ended: list[Mark] = []
        going_on: list[Mark] = []
        open_from = max(len(rows) - 2 * SETTLED_ROWS, 0)
        self.dim = False
        for blinks in dim_dwells(rows, ~lost_bins(losses, start_pulse, width, len(rows)), light):
            last = blinks[-1]
            self.dim = last.end > len(rows) - SETTLED_ROWS
            is_open = self.dim and last.end - last.begin < LONGEST_ROWS
            for blink in blinks[:-1] if is_open else blinks:
                ended += untold(blink)
                self._continues = False
            if is_open:
                going_on = untold(last)
                open_from = last.begin
                break
            self._continues = self.dim
            open_from = max(open_from, last.end)
        self._from_pulse = start_pulse + open_from * width
        if ended:
            self._told_at = [min([self._cps, *self._told_at]), max([self._cps, *self._told_at])]
        return ended, going_on

    def _light(
        self,
        table: BinTable,
        bins: MicroBins,
        bright: BrightLevel,
        floor: Floor,
        row_s: float,
        begins_s: float,
    ) -> Light:
        """What is expected of a row, with the bright level where it has been seen to be.

        Args:
            table: rows of about a millisecond.
            bins: its micro-bins.
            bright: the level foreseen.
            floor: what lies under the light.
            row_s: duration of a row.
            begins_s: when the rows to read begin, since the stretch did.
        """
        dot = bright.lifetime_ns, bright.trion
        if self._states is None or dot != self._states[0] or not bins.same_as(self._states[1]):
            self._states = dot, bins, row_states(bright.lifetime_ns, bins, bright.trion)
            self._lit = None
        states = self._states[2]
        background = floor.background_cps * bins.uniform_share
        self.level.foresee(bright.cps)
        if not self.level.seen or self._reads % TRACK_EVERY == 0:
            self.level.update(table, states, bright, background, row_s)
        self._reads += 1
        self._cps = bright.cps * self.level.scale
        levels = _possible(self._cps, float(np.hypot(self.level.doubt, bright.wander)), floor)
        if begins_s < RAMPING_S and bright.before_cps > self._cps:
            levels += [(cps, floor.background_cps) for cps in _between(bright.before_cps, self._cps)]
        if self._lit is None or levels != self._lit[0]:
            self._lit = levels, _light_of(states, levels, bins.uniform_share * row_s, row_s)
        return self._lit[1]

    def _untold(self, blink: DimBlink, *, start: float, row_s: float, begins: bool) -> list[Mark]:
        """What of a blink has not been told before.

        Args:
            blink: in some rows.
            start: first of these rows, since the session began.
            row_s: duration of a row.
            begins: whether the stretch begins with them.
        """
        again = blink.begin <= SETTLED_ROWS
        if again and self._continues:
            return []
        edges = [blink.begin, *([blink.turn] if len(blink.odds) > 1 else []), blink.end]
        lost_s = blink.lost_rows * row_s / len(blink.odds)
        marks = [
            Mark((start + a) * row_s, (start + b) * row_s, odds, lost_s)
            for (a, b), odds in zip(pairwise(edges), blink.odds, strict=True)
        ]
        return [m for m in marks if not (again and begins and m.odds * self._crossing > 0)]


def _possible(cps: float, doubt: float, floor: Floor) -> list[tuple[float, float]]:
    """Bright levels and backgrounds (cps) that may be: the likeliest, then either off by its error.

    What is seen of the bright level is both together, so with more background it is darker.
    """
    dark_cps = floor.background_cps
    found = [(cps, dark_cps), *((cps * float(np.exp(sign * doubt)), dark_cps) for sign in (-1, 1))]
    if floor.error_cps > LEAST_FLOOR_ERROR * cps:
        for other in (max(dark_cps - floor.error_cps, 0.0), dark_cps + floor.error_cps):
            found.append((max(cps + dark_cps - other, LEAST_LEVEL * cps), other))
    return found


def _between(before_cps: float, after_cps: float) -> tuple[float, float]:
    """The bright level as it was before a fall, and half way down."""
    return before_cps, float(np.sqrt(before_cps * after_cps))


def _light_of(states: RowStates, levels: list[tuple[float, float]], dark: FloatArray, row_s: float) -> Light:
    """What a row of so many seconds shows.

    Args:
        states: it can be in.
        levels: bright levels and backgrounds (cps) that may be, the likeliest first.
        dark: (m,) counts of a row under 1 cps of background.
        row_s: duration of a row.
    """
    expected = [states.signal * (cps * row_s) + dark_cps * dark for cps, dark_cps in levels]
    under = levels[0][1] * float(dark[1:].sum())
    return Light(states, expected, under, float(expected[0][0, 1:].sum()) - under)
