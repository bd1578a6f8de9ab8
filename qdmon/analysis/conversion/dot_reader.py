"""Blinks of a dot, stretch after stretch, read with what is known of it beforehand.

That is its bright level at some <N> and what lies under its light. Either may turn out to have been wrong:
then blinks that were told are told anew.
"""

from dataclasses import dataclass, replace

from hardware.types import Acquisition
from qdmon.analysis.bins import BinTable
from qdmon.analysis.calibration.background import Floor
from qdmon.analysis.calibration.timing import MicroBins
from qdmon.analysis.calibration.trust import ASSUMED_ZERO
from qdmon.analysis.conversion.floors import carried_floor, floor_of
from qdmon.analysis.conversion.reader import BlinkReader
from qdmon.analysis.conversion.regimes import Mark
from qdmon.analysis.conversion.row_states import BrightLevel, Trion
from qdmon.analysis.conversion.type_change import SURE
from qdmon.analysis.results.blinking import BlinkingCall
from qdmon.analysis.stretch.stretch import Stretch
from qdmon.analysis.switching.excitation import brightness_ratio

__all__ = ["DotReader", "NewBlinks"]

# A verdict on so many seconds knows the bright level better than what came before it.
LEVEL_AGE_S = 2.0
# A level this far from the one foreseen is believed only after so long.
LEVEL_CHANGE, LEVEL_PATIENCE_S = 0.3, 5.0
# Blinks of the first stretch are read again if the first level was this wrong, while its verdict is younger.
REREAD, SETTLED_S = 0.1, 60.0
# And so often in a stretch, if its bright level shows itself late.
MOST_REREADS = 2
# So well has a verdict to know the trion of a dot that only charged.
KNOWN_TRION = 0.1


@dataclass(frozen=True, slots=True)
class NewBlinks:
    """What one reading found.

    Attributes:
        ended: blinks that have ended since the one before.
        going_on: blinks of the dwell that has not.
        anew_s: what was told of the time since then is told anew, among those that ended; None if nothing is.
    """

    ended: list[Mark]
    going_on: list[Mark]
    anew_s: float | None = None


class DotReader:
    """Reads one stretch after the other, whatever there is of it each time.

    Attributes:
        going_on: blinks of the dwell that has not ended.
    """

    def __init__(self, acquisition: Acquisition) -> None:
        self.going_on: list[Mark] = []
        self._acq = acquisition
        self._reader: BlinkReader | None = None
        self._rereads = 0
        # The bright level, and the <N> it was seen at.
        self._bright: tuple[BrightLevel, float | None] | None = None
        # What lay under the light of the stretch before, and its <N>.
        self._floor_before: tuple[Floor, float | None] = (Floor(0.0, 0.0), None)
        # The blink in which the stretch before ended.
        self._crossing: Mark | None = None
        # No stretch is over yet.
        self._first = True

    @property
    def dim(self) -> bool:
        """Whether the dot was dim when the latest rows ended, be it in a dwell that has been told already."""
        return self._reader is not None and self._reader.dim

    def bright_cps(self, stretch: Stretch) -> float | None:
        """Light of the bright level, as foreseen for a stretch; None while no level is known."""
        return _foreseen(self._bright, stretch).cps if self._bright is not None else None

    def read(self, stretch: Stretch, losses: list[tuple[int, int]], *, converted: bool) -> NewBlinks:
        """Read on.

        Args:
            stretch: the present one.
            losses: pulse intervals in which photons are missing.
            converted: whether the dot has changed how it blinks, so that its first level is of the past.
        """
        level_s = self._learn_level(stretch, converted=converted)
        ended, misread_s = self._read(stretch, losses)
        return NewBlinks(ended, self.going_on, level_s if level_s is not None else misread_s)

    def close(
        self, stretch: Stretch, losses: list[tuple[int, int]], *, converted: bool, bleached: bool
    ) -> NewBlinks:
        """A stretch is over; if all its light has shown another bright level it is read anew.

        Args:
            stretch: the one that is over.
            losses: pulse intervals in which photons are missing.
            converted: whether the dot has changed how it blinks.
            bleached: whether there is nothing to read any more.
        """
        anew_s = self._learn_level(stretch, converted=converted)
        ended: list[Mark] = []
        if self._reader is None and self._first and not bleached:
            ended, _ = self._read(stretch, losses)
        last = NewBlinks(ended, self.going_on, anew_s)
        if stretch.background.origin != ASSUMED_ZERO:
            self._floor_before = _own_floor(stretch), stretch.mean_excitation
        self._reader, self._rereads, self._first = None, 0, False
        self._crossing, self.going_on = next(reversed(self.going_on), None), []
        return last

    def _read(self, stretch: Stretch, losses: list[tuple[int, int]]) -> tuple[list[Mark], float | None]:
        """Blinks that have ended, and since when they replace others that were told with a wrong level."""
        table, axis = stretch.photons.table, stretch.photons.axis
        if self._bright is None or table is None or axis is None:
            return [], None
        if self._reader is None:
            self._reader = BlinkReader(stretch.photons.first_pulse, self._crossing)
        floor = self._floor(stretch, table, axis.bins)
        bins = replace(axis.bins, delayed=floor.delayed)
        row_s = self._acq.seconds(table.pulses_per_row)
        seen = table, bins, _foreseen(self._bright, stretch), floor, losses, row_s
        ended, self.going_on = self._reader.read(*seen)
        if not self._reader.misread or self._rereads >= MOST_REREADS:
            return ended, None
        self._rereads += 1
        since = max(stretch.dot.since_pulse, stretch.photons.first_pulse)
        crossing = self._crossing if since == stretch.photons.first_pulse else None
        self._reader = BlinkReader(since, crossing, self._reader.level)
        ended, self.going_on = self._reader.read(*seen)
        return ended, self._acq.seconds(since)

    def _floor(self, stretch: Stretch, table: BinTable, bins: MicroBins) -> Floor:
        """What lies under the light: of the first rows, or the stretch before, until this one has its own."""
        if stretch.background.origin != ASSUMED_ZERO:
            return _own_floor(stretch)
        found = floor_of(table.rows, self._acq.seconds(table.pulses_per_row), bins)
        return found if found is not None else carried_floor(*self._floor_before, stretch.mean_excitation)

    def _learn_level(self, stretch: Stretch, *, converted: bool) -> float | None:
        """The bright level of the stretch's verdict, once that has seen enough.

        Returns:
            Since when blinks have to be read anew with it; None if they have not.
        """
        call = stretch.dot.call
        age_s = call.stop_s - call.start_s
        if not call.states or (self._bright is not None and age_s < LEVEL_AGE_S):
            return None
        cps, tau = call.states[0].intensity_cps.value, call.states[0].lifetime_ns.value
        if not cps or not tau:
            return None
        anew_s = None
        if self._bright is not None:
            foreseen = _foreseen(self._bright, stretch)
            change = 0.0
            if foreseen.cps > 0:
                change = max(abs(cps / foreseen.cps - 1), abs(tau / foreseen.lifetime_ns - 1))
            # The rows themselves have shown the level in use, or the verdict is none.
            contradicted = not self._first and self._reader is not None and self._reader.level.seen
            unsure = age_s < LEVEL_PATIENCE_S or call.blinking == "undetermined" or contradicted
            if change > LEVEL_CHANGE and unsure:
                return None
            if change > REREAD and not converted and self._first and age_s < SETTLED_S:
                self._reader = None
                anew_s = stretch.photons.start_s
        wander = stretch.dot.drift.wander if stretch.dot.drift is not None else 0.0
        seen = _trion_of(call) or (self._bright[0].trion if self._bright is not None else None)
        self._bright = BrightLevel(cps, tau, wander, trion=seen), stretch.mean_excitation
        return anew_s


def _trion_of(call: BlinkingCall) -> Trion | None:
    """The trion of a dot that surely did nothing but charge; None if its verdict is not that."""
    if call.probabilities["auger"] < SURE or len(call.states) < 2:
        return None
    bright, dim, ratio = *(state.lifetime_ns for state in call.states[:2]), call.radiative_rate_ratio
    if not bright.value or not dim.value or not ratio.value or dim.error is None or ratio.error is None:
        return None
    if max(dim.error / dim.value, ratio.error / ratio.value) > KNOWN_TRION:
        return None
    return Trion(dim.value / bright.value, ratio.value)


def _foreseen(known: tuple[BrightLevel, float | None], stretch: Stretch) -> BrightLevel:
    """The bright level known at some <N>, at that of a stretch."""
    level, excitation = known
    ratio = brightness_ratio(stretch.mean_excitation, excitation)
    return replace(level, cps=level.cps * ratio, before_cps=level.cps)


def _own_floor(stretch: Stretch) -> Floor:
    """What a stretch found under its own light."""
    own = stretch.background
    error = own.settled.background.error if own.settled is not None else None
    return Floor(own.cps, own.delayed, error or 0.0)
