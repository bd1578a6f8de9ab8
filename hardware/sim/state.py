"""The slow state of a dot as a function of time: piecewise constant, kept as columns."""

from dataclasses import dataclass, fields
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

__all__ = ["Charge", "StatePath"]


class Charge(IntEnum):
    """Which carrier the dot holds between pulses."""

    NEUTRAL = 0
    TRION = 1
    GREY = 2  # the other carrier: a third of the Auger rate
    BLEACHED = 3


@dataclass(frozen=True, slots=True)
class StatePath:
    """What the dot was doing in each of k stretches, back to back and in order.

    Attributes:
        start_s: (k,) float64, since the dot was made.
        stop_s: (k,) float64, the next one's start.
        mean_excitation: (k,) float64, <N>.
        charge: (k,) int8, see `Charge`.
        trapping_per_ns: (k,) float64, knr, summed over the active traps.
        loss_per_ns: (k,) float64, non-radiative rate that came with the conversion and stays.
        capture: (k,) float64, chance that a hot carrier is caught before it relaxes.
    """

    start_s: NDArray[np.float64]
    stop_s: NDArray[np.float64]
    mean_excitation: NDArray[np.float64]
    charge: NDArray[np.int8]
    trapping_per_ns: NDArray[np.float64]
    loss_per_ns: NDArray[np.float64]
    capture: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.start_s)

    @property
    def duration_s(self) -> NDArray[np.float64]:
        """(k,) float64, length of each stretch."""
        return self.stop_s - self.start_s

    @classmethod
    def empty(cls) -> "StatePath":
        """No time has passed."""
        nothing = np.empty(0)
        return cls(nothing, nothing, nothing, np.empty(0, np.int8), nothing, nothing, nothing)

    @classmethod
    def join(cls, parts: "list[StatePath]") -> "StatePath":
        """One after the other; the caller keeps them in order."""
        return cls(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(cls)))

    def between(self, start_s: float, stop_s: float) -> "StatePath":
        """The part within [start_s, stop_s), the first and last stretch cut to fit."""
        first = int(np.searchsorted(self.stop_s, start_s, side="right"))
        last = int(np.searchsorted(self.start_s, stop_s, side="left"))
        columns = {f.name: getattr(self, f.name)[first:last] for f in fields(self)}
        columns["start_s"] = np.maximum(columns["start_s"], start_s)
        columns["stop_s"] = np.minimum(columns["stop_s"], stop_s)
        return StatePath(**columns)
