"""The bins of a TCSPC card on the time axis that begins at the pulse."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Lattice"]

# An edge right on the middle of a bin stays on its side, and so does a bin right at the guard, however they
# are rounded.
EDGE_SLACK_NS, SLACK_NS = 1e-6, 1e-9


class Lattice(NamedTuple):
    """The TCSPC bins of one detector by the arrival of their light, period by period.

    Where the pulse period is no whole number of TCSPC bins the last one is cut short, and those of light that
    comes behind the next pulse of the laser's clock are out of step with those before.

    Attributes:
        start_ns: (t,) arrival of the first light of each bin after the pulse.
        centre_ns: (t,) arrival of its middle, from the guard before the pulse to that before the next.
        turn: (t,) pulses from the recorded one to the one the arrival counts from.
        recorded: (t,) bool, whether light of this period falls there at all.
    """

    start_ns: NDArray[np.float64]
    centre_ns: NDArray[np.float64]
    turn: NDArray[np.int8]
    recorded: NDArray[np.bool_]

    @classmethod
    def of(
        cls,
        count: int,
        resolution_ns: float,
        period_ns: float,
        t0_ns: float,
        guard_ns: float,
        window: tuple[int, int] | None,
    ) -> "Lattice":
        """The first bins of a detector.

        Args:
            count: of the bins.
            resolution_ns: width of a bin.
            period_ns: laser period.
            t0_ns: arrival of the pulse.
            guard_ns: light up to this much before a pulse belongs to it.
            window: first and stop bin of what is recorded; None: one period.
        """
        nanotime = np.arange(count)
        start_ns = nanotime * resolution_ns
        stop_ns = start_ns + resolution_ns
        if window is None:
            # What is left of the last bin by rounding alone is none.
            recorded = start_ns < period_ns - 1e-6 * resolution_ns
            stop_ns = np.where(recorded, np.minimum(stop_ns, period_ns), stop_ns)
        else:
            recorded = (nanotime >= window[0]) & (nanotime < window[1])
        centre_ns = (start_ns + stop_ns) / 2 - t0_ns
        arrival_ns = (centre_ns + guard_ns + SLACK_NS) % period_ns - guard_ns - SLACK_NS
        turn = np.rint((centre_ns - arrival_ns) / period_ns).astype(np.int8)
        return cls(arrival_ns - (stop_ns - start_ns) / 2, arrival_ns, turn, recorded)

    def between(self, edges_ns: NDArray[np.float64]) -> NDArray[np.int64]:
        """(t,) index of the micro-bin that holds the middle of each bin; -1 before the first edge."""
        return np.searchsorted(edges_ns - EDGE_SLACK_NS, self.centre_ns, side="right").astype(np.int64) - 1

    def acting(self, edges_ns: NDArray[np.float64], period_ns: float) -> NDArray[np.float64]:
        """(m + 1,) where edges act: a TCSPC bin belongs to the micro-bin that holds its middle."""
        start_ns, centre_ns = self.start_ns[self.recorded], self.centre_ns[self.recorded]
        if not len(centre_ns):
            return edges_ns
        order = np.argsort(centre_ns)
        borders = np.append(start_ns[order], start_ns[order[0]] + period_ns)
        return np.asarray(borders[np.searchsorted(centre_ns[order], edges_ns - EDGE_SLACK_NS)])
