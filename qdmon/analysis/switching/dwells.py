"""How long the dot stays on and off, read from counts at a resolution at which no dwell is missed by chance.

Two thresholds with a gap between them keep shot noise from making dwells; dwells shorter than
`LEAST_BINS` are struck out, on and off alike (`resolved_spells`), which `dwell_laws` makes up for.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qdmon.analysis.switching.blinks import OFF_BELOW, ON_ABOVE, hysteresis_runs
from qdmon.analysis.switching.resolution import Spells, resolved_spells

__all__ = ["Dwells", "on_off_dwells", "rows_per_dwell_bin"]

FloatArray = NDArray[np.float64]

# A level this many standard errors of a bin beyond its threshold crosses it a few times in 10^4 bins, and
# two bins running, which a dwell needs, hardly ever.
LEAST_DISTANCE = 3.5
WIDTHS = (1, 2, 5, 10, 20, 50)


@dataclass(frozen=True, slots=True)
class Dwells:
    """Dwell times in one of two states.

    Attributes:
        complete: (n,) int64, dwells seen from beginning to end, in bins.
        cut: (k,) int64, dwells whose beginning was seen, not their end.
        bin_s: width of a bin.
    """

    complete: NDArray[np.int64]
    cut: NDArray[np.int64]
    bin_s: float


def rows_per_dwell_bin(bright: float, dim: float) -> int:
    """Rows to put in a bin, so that both levels stand clear of the thresholds between them.

    Args:
        bright: counts per row of the bright level.
        dim: of the dim one.
    """
    gap = bright - dim
    for width in WIDTHS:
        clear = (1 - OFF_BELOW) * gap * width > LEAST_DISTANCE * np.sqrt(bright * width)
        if clear and ON_ABOVE * gap * width > LEAST_DISTANCE * np.sqrt(max(dim, 0.0) * width):
            return width
    return WIDTHS[-1]


def on_off_dwells(
    counts: FloatArray, good: NDArray[np.bool_], bin_s: float, bright: float, dim: float
) -> tuple[Dwells, Dwells]:
    """On and off dwells with the hysteresis of the blinking rate.

    The dwell that was already going on at the start of the data or after a loss is left out: how it would
    be distributed depends on its unknown beginning.

    Args:
        counts: (n,) counts per bin.
        good: (n,) False where photons are missing: dwells end there unseen.
        bin_s: bin width.
        bright: counts per bin of the bright level.
        dim: of the dim one; no dwells if it is not below the bright one.
    """
    gap = bright - dim
    told_apart = good & (gap > 0)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], told_apart, [False]]).astype(np.int8)))
    pieces = [
        _spells(counts[first:stop], dim + OFF_BELOW * gap, dim + ON_ABOVE * gap)
        for first, stop in edges.reshape(-1, 2)
    ]
    nothing = np.empty(0, np.int64)
    on, off = (
        Dwells(
            np.concatenate([nothing, *(p.complete(dim=dim_state) for p in pieces)]),
            np.concatenate([nothing, *(p.cut(dim=dim_state) for p in pieces)]),
            bin_s,
        )
        for dim_state in (False, True)
    )
    return on, off


def _spells(counts: FloatArray, off_below: float, on_above: float) -> Spells:
    return resolved_spells(hysteresis_runs(counts < off_below, counts > on_above), len(counts))
