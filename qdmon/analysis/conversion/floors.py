"""What lies under the light of a new fluence, before its stretch is long enough for an estimate of its own.

Background that comes with the laser grows with <N>, that of the room does not. A dot read under ten times its
background looks dim and slow: trapped. So until the light itself has told, what was known at the fluence
before is only as sure as the two agree.
"""

import numpy as np
from numpy.typing import NDArray

from qdmon.analysis.calibration.background import Floor, estimate_floor, intensity_groups
from qdmon.analysis.calibration.timing import MicroBins

__all__ = ["carried_floor", "floor_of"]

# Rows together for an estimate from the first of a stretch, and photons it needs.
ROWS, PHOTONS = 5, 20_000


def carried_floor(before: Floor, excitation: float | None, now: float | None) -> Floor:
    """What lay under the light at one <N>, as foreseen at another.

    Args:
        before: what is known at the former.
        excitation: the former <N>; None where unknown.
        now: the present one.
    """
    ratio = now / excitation if now and excitation else 1.0
    steady_cps, following_cps = before.background_cps, before.background_cps * ratio
    error = float(np.hypot(before.error_cps, (following_cps - steady_cps) / 2))
    return Floor((steady_cps + following_cps) / 2, before.delayed, error)


def floor_of(rows: NDArray[np.generic], row_s: float, bins: MicroBins) -> Floor | None:
    """Background and delayed share by the first rows of a stretch; None while they are too few to tell.

    Args:
        rows: (n, m) counts.
        row_s: duration of a row.
        bins: the micro-bins.
    """
    n = len(rows) // ROWS
    if n < ROWS:
        return None
    grouped = rows[: n * ROWS].reshape(n, ROWS, -1).sum(axis=1, dtype=np.float32)
    if grouped.sum() < PHOTONS:
        return None
    return estimate_floor(*intensity_groups(grouped, ROWS * row_s), bins)
