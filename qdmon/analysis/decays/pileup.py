"""Pile-up: a detector that has just clicked is blind, so late photons are lost to early ones.

For a detector that is blind for a dead time after each of its clicks, the share of pulses at which it can
see at an instant is known from its own clicks: it was not blind where it clicked (Coates 1968 for one
click per pulse; Isbaner et al. 2016, doi 10.1364/OE.24.009429, for a dead time). That holds for light
whose photons come independently. One emitter gives hardly ever two photons per pulse, so its pulses
lose next to nothing however bright it is: the loss within a pulse scales with g2(0).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["PileUp"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PileUp:
    """What makes a detector miss photons.

    Attributes:
        pulses: laser pulses behind the histogram.
        dead_time_ns: blind time after a click; infinite for a card that takes one click per pulse.
        same_pulse: chance of a second photon in the same pulse against independent light: g2(0); 1 for
            many emitters.
    """

    pulses: float
    dead_time_ns: float
    same_pulse: float = 1.0

    def live(self, counts: NDArray[np.int64], bin_ns: float, first_bin: int) -> FloatArray:
        """(t,) chance that a detector can see in each TCSPC bin.

        Args:
            counts: (t,) its clicks over one period, as recorded.
            bin_ns: width of a bin.
            first_bin: where the pulse begins; bins before it belong to the pulse before.
        """
        n = len(counts)
        clicks = np.roll(counts, -first_bin) / max(self.pulses, 1.0)
        before = np.concatenate([[0.0], np.cumsum(clicks)])
        index = np.arange(n)
        blind = np.full(n, n) if np.isinf(self.dead_time_ns) else np.full(n, self.dead_time_ns / bin_ns)
        blind = np.minimum(blind, n)
        start = index - blind
        # The end of the pulse before is independent of this one; there the whole chance of a click counts.
        same = before[index] - np.interp(np.maximum(start, 0.0), np.arange(n + 1), before)
        last = before[-1] - np.interp(np.minimum(start, 0.0) + n, np.arange(n + 1), before)
        if np.isinf(self.dead_time_ns):
            last = np.zeros(n)
        return np.roll(1 - self.same_pulse * same - last, first_bin)
