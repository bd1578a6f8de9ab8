"""The TCSPC histogram of a detector in bins made for fitting: fine at the pulse, growing with the decay."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qdmon.analysis.calibration.window import recorded_part
from qdmon.analysis.decays.pileup import PileUp

__all__ = ["LEAD_NS", "DecayBins", "decay_bins"]

FloatArray = NDArray[np.float64]

# The period is looked at from this long before the pulse.
LEAD_NS = 1.5
# Width at the pulse, and growth with the time since.
FINEST_NS, GROWTH = 0.1, 0.06


@dataclass(frozen=True)
class DecayBins:
    """Photons of one detector by the time after its time zero.

    Attributes:
        edges_ns: (g+1,) ascending, within a period.
        counts: (g,) photons.
        live: (g,) chance that the detector could see; 0 where nothing was recorded.
    """

    edges_ns: FloatArray
    counts: FloatArray
    live: FloatArray

    @property
    def width_ns(self) -> FloatArray:
        """(g,) of each bin."""
        return np.diff(self.edges_ns)


def decay_bins(
    histogram: NDArray[np.int64],
    resolution_ps: float,
    period_ns: float,
    t0_ps: float,
    pile_up: PileUp | None = None,
    window: tuple[int, int] | None = None,
) -> DecayBins:
    """Sort the TCSPC bins of one period by the time after the pulse and group them.

    Args:
        histogram: (t,) photons per TCSPC bin.
        resolution_ps: width of a bin.
        period_ns: between two pulses; bins beyond it, and the one it ends in, are left out.
        t0_ps: time zero.
        pile_up: what makes the detector miss photons; None: nothing.
        window: first and stop bin of what is recorded, a period at most, wherever it lies; None: the first
            period, less what its photons show to be dark.
    """
    bin_ns = resolution_ps / 1e3
    first, stop = window or recorded_part(histogram[: int(period_ns / bin_ns + 1e-6)])
    start_ns = np.arange(first, stop, dtype=np.float64) * bin_ns - t0_ps / 1e3
    start_ns = np.asarray((start_ns + LEAD_NS) % period_ns - LEAD_NS, np.float64)
    order = np.argsort(start_ns)
    # A bin that holds the instant where the period begins and ends belongs to neither end.
    order = order[start_ns[order] <= period_ns - LEAD_NS - bin_ns + 1e-9]
    if not len(order):
        return DecayBins(np.zeros(1), np.empty(0), np.empty(0))
    live = np.ones(stop - first)
    if pile_up is not None:
        live = pile_up.live(histogram[first:stop], bin_ns, int(order[0]))
    start_ns, counts, live = start_ns[order], histogram[first:stop][order], live[order]
    gaps = np.flatnonzero(np.diff(start_ns) > (1 + 1e-6) * bin_ns) + 1
    # A gap is a bin of its own, in which nothing was recorded.
    start_ns = np.insert(start_ns, gaps, start_ns[gaps - 1] + bin_ns)
    counts, live = np.insert(counts, gaps, 0), np.insert(live, gaps, 0.0)
    begins = _groups(start_ns, bin_ns, live == 0)
    sizes = np.diff(np.append(begins, len(start_ns)))
    return DecayBins(
        np.append(start_ns[begins], start_ns[-1] + bin_ns),
        np.add.reduceat(counts, begins).astype(np.float64),
        np.add.reduceat(live, begins) / sizes,
    )


def _groups(start_ns: FloatArray, bin_ns: float, alone: NDArray[np.bool_]) -> NDArray[np.intp]:
    """First bin of each group."""
    wanted = np.maximum(FINEST_NS, GROWTH * start_ns)
    index = np.floor(np.cumsum(np.minimum(bin_ns / wanted, 1.0)) + 1e-9)
    new = np.concatenate([[True], (np.diff(index) > 0) | alone[1:] | alone[:-1]])
    return np.flatnonzero(new)
