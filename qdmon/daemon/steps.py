"""Fluence steps on the pulse clock: when a level is due, and from which pulse on it surely holds.

No clock and no laser in here. Every photon of a pulse below the position reached when a level becomes due
was counted before the command was given. A read of the card begun after the laser acknowledged takes along
everything counted before the acknowledgement; photons later than the latest of those are at the new level.
"""

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Level", "LevelSchedule"]


@dataclass(frozen=True, slots=True)
class Level:
    """One step of a protocol, ready for the laser.

    Attributes:
        mean_excitation: <N> that the power level gives.
        power_permille: laser power level, 0.1 %.
        duration_pulses: how long to stay once the level surely holds.
    """

    mean_excitation: float
    power_permille: int
    duration_pulses: int


class LevelSchedule:
    """Walks through the levels; the first one holds from pulse 0.

    Args:
        levels: at least one.
    """

    def __init__(self, levels: Sequence[Level]) -> None:
        self._levels = tuple(levels)
        self._index = 0
        self._until = self._levels[0].duration_pulses
        self._changing = False
        self._acknowledged_ns: int | None = None
        self._drained: int | None = None

    @property
    def index(self) -> int:
        """Number of the present level, from 0; while changing that of the one commanded."""
        return self._index

    def __len__(self) -> int:
        return len(self._levels)

    def due(self, position: int) -> Level | None:
        """The level to command now, once; None if the present one is to stay."""
        if self._changing or position < self._until or self._index + 1 == len(self._levels):
            return None
        self._index += 1
        self._changing = True
        self._acknowledged_ns = self._drained = None
        return self._levels[self._index]

    def acknowledged(self, host_time_ns: int) -> None:
        """The laser confirmed the level by then (monotonic host clock)."""
        self._acknowledged_ns = host_time_ns

    def settled(self, began_ns: int, position: int, seen: int) -> Level | None:
        """The level that surely holds from `position` on, once; None while it may still be the old one.

        Args:
            began_ns: when the read of the latest block was begun (monotonic host clock).
            position: every pulse below it is complete after that block.
            seen: no photon of that block or an earlier one is at or beyond it.
        """
        if not self._changing or self._acknowledged_ns is None or began_ns < self._acknowledged_ns:
            return None
        if self._drained is None:
            self._drained = seen
        if position < self._drained:
            return None
        self._changing = False
        level = self._levels[self._index]
        self._until = position + level.duration_pulses
        return level

    def finished(self, position: int) -> bool:
        """Whether the last level has been held for as long as it asked for."""
        return not self._changing and self._index + 1 == len(self._levels) and position >= self._until
