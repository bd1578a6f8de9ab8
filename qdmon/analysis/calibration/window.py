"""The part of the TCSPC axis on which a card records.

Cards that a photon starts and the laser stops leave the ends of their window out, and a slow laser outlasts
the axis of any card. Where nothing can be recorded no photons are missing: a fit that expects background
there finds too little of it elsewhere.
"""

import numpy as np
from numpy.typing import NDArray

from hardware.types import Acquisition

__all__ = ["begins_anew_ps", "recorded_part", "recorded_window"]

# So many photons next to a dark end of the axis tell whether it was recorded: of steady light half of them
# are in the nearer half, of light that fades out a tenth. (Of 3000 fading tails none passed for an edge, of
# 2400 edges one was missed.)
EDGE_PHOTONS, NEARER = 80, 0.35
LEAST_BINS = 6
# A pulse rises as abruptly as an axis begins. The light before it is that of the other end of the axis, where
# so many photons tell how many to expect: that there are none by chance has to be rarer than this.
LEVEL_PHOTONS, CHANCE = 40, 1e-4
# A larger share of photons beyond the first period is no accident: files do not always name the card.
STRAY = 0.01


def recorded_window(acquisition: Acquisition, histogram: NDArray[np.int64]) -> tuple[int, int] | None:
    """First and stop TCSPC bin of what is recorded, less than a pulse period; None if it is all of it.

    Args:
        acquisition: time base; must have nanotimes.
        histogram: (t,) photons per TCSPC bin, of all detectors together: they share the card's window.
    """
    if acquisition.resolution_ps is None or acquisition.pulse_period_ps is None:
        return None
    period = int(acquisition.pulse_period_ps / acquisition.resolution_ps + 1e-6)
    if begins_anew_ps(acquisition, histogram) is None:
        first, stop = _fullest(histogram, period)
        return (first, stop) if stop > first else None
    first, stop = recorded_part(histogram[:period])
    # A bin is lost to rounding at most.
    return (first, stop) if 0 < stop - first < period - 1 else None


def begins_anew_ps(acquisition: Acquisition, histogram: NDArray[np.int64]) -> float | None:
    """Pulse period after which the axis begins anew; None where arrival times lie anywhere on it.

    Args:
        acquisition: time base.
        histogram: (t,) photons per TCSPC bin, of all detectors together.
    """
    if acquisition.started_by_photons or not acquisition.resolution_ps or not acquisition.pulse_period_ps:
        return None
    period = int(acquisition.pulse_period_ps / acquisition.resolution_ps + 1e-6)
    beyond = int(histogram[period + 1 :].sum())
    return acquisition.pulse_period_ps if beyond <= STRAY * int(histogram.sum()) else None


def recorded_part(histogram: NDArray[np.int64]) -> tuple[int, int]:
    """First and stop bin of the axis between which photons can appear at all, as far as they tell.

    Args:
        histogram: (t,) photons per TCSPC bin.
    """
    lit = np.flatnonzero(histogram)
    if not len(lit):
        return 0, 0
    first, stop = int(lit[0]), int(lit[-1]) + 1
    dark = len(histogram) - stop
    forwards, backwards = histogram[first:], histogram[:stop][::-1]
    begins = _ends_abruptly(forwards, first) and not _dark_by_chance(backwards, first)
    ends = _ends_abruptly(backwards, dark) and not _dark_by_chance(forwards, dark)
    return first if begins else 0, stop if ends else len(histogram)


def _fullest(histogram: NDArray[np.int64], period: int) -> tuple[int, int]:
    """The photons' own extent, or the period that holds most of them if they extend beyond one."""
    lit = np.flatnonzero(histogram)
    if not len(lit):
        return 0, 0
    first, stop = int(lit[0]), int(lit[-1]) + 1
    if stop - first <= period:
        return first, stop
    before = np.concatenate([[0], np.cumsum(histogram)])
    first += int(np.argmax(before[first + period : stop + 1] - before[first : stop + 1 - period]))
    return first, first + period


def _ends_abruptly(inwards: NDArray[np.int64], dark: int) -> bool:
    """Whether steady light breaks off before so many dark bins; a decay fades out instead."""
    before = np.cumsum(inwards)
    half = max(int(np.searchsorted(before, EDGE_PHOTONS)) + 2, LEAST_BINS) // 2
    if 2 * half > min(dark, len(inwards)):
        return False
    return bool(before[half - 1] >= NEARER * before[2 * half - 1])


def _dark_by_chance(inwards: NDArray[np.int64], dark: int) -> bool:
    """Whether so many bins may be empty if the light in them were that at the other end of the axis."""
    before = np.cumsum(inwards)
    width = min(int(np.searchsorted(before, LEVEL_PHOTONS)) + 1, len(inwards))
    # Of an unknown level that gave these photons, none.
    return bool((1 + dark / width) ** -float(before[width - 1]) > CHANCE)
