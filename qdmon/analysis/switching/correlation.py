"""How long the light remembers itself: intensity correlation on logarithmic lags from binned counts.

For light with many levels this says more than dwell times, which need a threshold (Houel et al., ACS Nano
9, 886, 2015). Counts of different bins share no shot noise, so the detectors may be summed, from one bin
of lag on; after-pulses, over within a microsecond, stay inside a bin.
"""

import numpy as np
from numpy.typing import NDArray

from qdmon.analysis.results.intensity import LongTimeCorrelation

__all__ = ["long_time_correlation"]

FloatArray = NDArray[np.float64]

# Lags 1-8 in single bins, then 5-8 in bins twice as long each time.
PER_OCTAVE = 4
# Parts of the record left out in turn for the error.
BLOCKS = 20
LEAST_BINS = 200


def long_time_correlation(
    counts: FloatArray, good: NDArray[np.bool_], bin_s: float, background_cps: float
) -> LongTimeCorrelation | None:
    """Correlation of the light net of background, each lag normalised by the two means it is made of.

    The error is that of a jackknife over blocks of time. On a record of duration T, fluctuations with the
    correlation time t make the whole curve lower by about 2 t/T of their contrast, since the mean is the
    record's own.

    Args:
        counts: (n,) counts per bin.
        good: (n,) False where photons are missing.
        bin_s: bin width.
        background_cps: counts/s that are not the dot's.

    Returns:
        None where there are too few bins, or no more light than background.
    """
    background = background_cps * bin_s
    lit = float(counts[good].sum())
    net = lit - background * int(good.sum())
    if int(good.sum()) < LEAST_BINS or net < 5 * np.sqrt(max(lit, 1.0)):
        return None
    most = len(counts) // 4
    value, weight = np.where(good, counts - background, 0.0), good.astype(np.float64)
    points: list[tuple[float, float, float]] = []
    width = 1
    while True:
        first = 1 if width == 1 else PER_OCTAVE + 1
        for lag in range(first, 2 * PER_OCTAVE + 1):
            if lag * width > most:
                lags, g, errors = np.array(points).reshape(-1, 3).T
                return LongTimeCorrelation(lags, g, errors)
            found = _at_lag(value, weight, lag)
            if found is not None:
                points.append((lag * width * bin_s, *found))
        width *= 2
        value, weight = (
            column[: len(column) // 2 * 2].reshape(-1, 2).sum(axis=1) for column in (value, weight)
        )


def _at_lag(value: FloatArray, weight: FloatArray, lag: int) -> tuple[float, float] | None:
    """Correlation and its error at a lag in bins.

    Args:
        value: (n,) net counts of the complete single bins in each bin.
        weight: (n,) how many those are; the products then count every pair of complete single bins once.
        lag: in bins.
    """
    early, late = value[:-lag], value[lag:]
    edges = np.linspace(0, len(early), BLOCKS + 1).astype(np.intp)[:-1]
    if len(early) < BLOCKS:
        return None
    terms = (early * late, early * weight[lag:], weight[:-lag] * late, weight[:-lag] * weight[lag:])
    product, left, right, pairs = (np.add.reduceat(term, edges) for term in terms)
    if pairs.sum() < BLOCKS or left.sum() <= 0 or right.sum() <= 0:
        return None

    def ratio(keep: FloatArray) -> FloatArray:
        return np.asarray((keep @ product) * (keep @ pairs) / ((keep @ left) * (keep @ right)))

    with np.errstate(divide="ignore", invalid="ignore"):
        without = ratio(1.0 - np.eye(BLOCKS))
    if not np.isfinite(without).all():
        return None
    spread = (BLOCKS - 1) * float(np.var(without))
    return float(ratio(np.ones(BLOCKS))), float(np.sqrt(spread))
