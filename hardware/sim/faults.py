"""Things that go wrong on a set-up, at times chosen by a test."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Faults"]

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """Faults by time since the start of the simulation; intervals are [start_s, stop_s).

    Attributes:
        lost_channels: (channel, interval): that detector gives no clicks.
        delay_step: (time_s, ns): from then on every click is later by so much (t0 drift).
        background_ramp: (interval, cps): uniform background per channel grows to so much and stays.
        overruns: the card's FIFO is full, events are dropped and the block says so.
        sync_losses: the card sees no laser pulses, counts none and says so.
    """

    lost_channels: tuple[tuple[int, Interval], ...] = ()
    delay_step: tuple[float, float] | None = None
    background_ramp: tuple[Interval, float] | None = None
    overruns: tuple[Interval, ...] = ()
    sync_losses: tuple[Interval, ...] = ()

    def delay_shift_ns(self, time_s: float) -> float:
        """How much later clicks come at that time."""
        if self.delay_step is None or time_s < self.delay_step[0]:
            return 0.0
        return self.delay_step[1]

    def extra_background_cps(self, time_s: float) -> float:
        """Additional uniform background per channel at that time."""
        if self.background_ramp is None:
            return 0.0
        (start_s, stop_s), cps = self.background_ramp
        return cps * min(1.0, max(0.0, (time_s - start_s) / (stop_s - start_s)))

    def silent(self, channels: NDArray[np.uint8], times_s: NDArray[np.float64]) -> NDArray[np.bool_]:
        """(n,) bool, clicks that a lost channel never gave; both arguments (n,)."""
        silent = np.zeros(len(channels), np.bool_)
        for channel, (start_s, stop_s) in self.lost_channels:
            silent |= (channels == channel) & (times_s >= start_s) & (times_s < stop_s)
        return silent
