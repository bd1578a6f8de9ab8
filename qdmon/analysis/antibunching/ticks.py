"""Correlation of two detectors that see no laser pulses (T2): the comb of a pulsed source, or a CW dip.

The pulse period is read off the correlation itself. At the detector delay one peak of the comb is missing.
"""

import numpy as np
from numpy.typing import NDArray

from hardware.types import Photons
from qdmon.analysis.antibunching.coincidences import Coincidences, dip_significance
from qdmon.analysis.antibunching.g2 import CLEAR_RATIO, CLEAR_SIGMA, no_g2
from qdmon.analysis.antibunching.gated import is_single
from qdmon.analysis.results.pair_correlation import G2

__all__ = ["TickPairs", "comb_period_ns", "g2_from_ticks"]

FloatArray = NDArray[np.float64]

REACH_NS = 400.0
BIN_NS = 0.064


class TickPairs:
    """Delays between the photons of two detectors, counted as they come.

    Attributes:
        channels: the two detectors.
        histogram: (f,) pairs by delay, BIN_NS each, zero in the centre.
    """

    def __init__(self, channels: tuple[int, int], tick_ps: float) -> None:
        self.channels = channels
        self._tick_ns = tick_ps / 1e3
        self.bin_ns = max(BIN_NS, self._tick_ns)
        self.histogram = np.zeros(2 * int(REACH_NS / self.bin_ns) + 1, np.int64)
        self._reach = int((len(self.histogram) // 2 + 0.5) * self.bin_ns / self._tick_ns)
        self._tail = [np.empty(0, np.uint64)] * 2

    def add(self, photons: Photons, first_tick: int, stop_tick: int) -> None:
        """Correlate the photons of [first_tick, stop_tick) with each other and those just before."""
        joined = [
            np.concatenate([self._tail[i], photons.pulse[photons.channel == c]])
            for i, c in enumerate(self.channels)
        ]
        _count_delays(joined[0], joined[1], first_tick, self._reach, self.histogram)
        keep = max(stop_tick - self._reach, 0)
        self._tail = [p[p >= keep] for p in joined]


def _count_delays(
    first: NDArray[np.uint64],
    second: NDArray[np.uint64],
    new_from: int,
    reach: int,
    histogram: NDArray[np.int64],
) -> None:
    """Add the delays second - first within +-reach ticks, at least one photon of each pair new."""
    low = np.searchsorted(second, np.maximum(first, np.uint64(reach)) - np.uint64(reach))
    high = np.searchsorted(second, first + np.uint64(reach), side="right")
    pairs = high - low
    if not pairs.sum():
        return
    a = np.repeat(np.arange(len(first)), pairs)
    b = np.arange(pairs.sum()) - np.repeat(np.cumsum(pairs) - pairs, pairs) + np.repeat(low, pairs)
    new = (first[a] >= new_from) | (second[b] >= new_from)
    delay = second[b[new]].astype(np.int64) - first[a[new]].astype(np.int64)
    bins = len(histogram)
    index = (delay + reach) * bins // (2 * reach + 1)
    histogram += np.bincount(index, minlength=bins)[:bins]


def comb_period_ns(histogram: NDArray[np.int64], bin_ns: float) -> float | None:
    """Period of the peaks in a correlation; None if there is no comb (continuous excitation)."""
    y = histogram - histogram.mean()
    if histogram.sum() < 500:
        return None
    size = 1 << int(np.ceil(np.log2(8 * len(y))))
    power = np.square(np.abs(np.fft.rfft(y * np.hanning(len(y)), size)))
    # Below 1 ns there is only bin noise, above a fifth of the span too few peaks to speak of a comb.
    frequency = np.arange(len(power)) / (size * bin_ns)
    allowed = (frequency > 5 / (len(y) * bin_ns)) & (frequency < 1.0)
    if not allowed.any():
        return None
    best = int(np.argmax(np.where(allowed, power, 0)))
    if power[best] < 40 * np.median(power[allowed]):
        return None
    # A sharp comb has strong harmonics: take the lowest tooth that still stands out.
    for divisor in (5, 4, 3, 2):
        near = round(best / divisor)
        window = slice(max(near - 4, 1), near + 5)
        if allowed[near] and power[window].max() > 0.2 * power[best]:
            best = window.start + int(np.argmax(power[window]))
            break
    around = power[best - 1 : best + 2]
    shift = 0.5 * (around[0] - around[2]) / (around[0] - 2 * around[1] + around[2])
    return float(size * bin_ns / (best + shift))


def g2_from_ticks(pairs: TickPairs, given_delay_ns: float | None) -> G2:
    """g2 of a pulsed source without sync; unknown if no comb or no missing peak can be seen."""
    y = pairs.histogram
    centre = len(y) // 2
    delay_ns = (np.arange(len(y), dtype=np.float64) - centre) * pairs.bin_ns
    period = comb_period_ns(y, pairs.bin_ns)
    if period is None:
        return _without_zero(delay_ns, pairs, given_delay_ns)
    phase = _comb_phase(y, delay_ns, period)
    order = np.arange(int(np.ceil((delay_ns[0] - phase) / period)) + 1, int((delay_ns[-1] - phase) / period))
    position = phase + order * period
    edges = np.concatenate([position - period / 2, [position[-1] + period / 2]])
    area = np.diff(np.concatenate([[0], np.cumsum(y)])[np.searchsorted(delay_ns, edges)]).astype(np.float64)
    dips = np.array([_dip(area, k) for k in range(len(area))])
    if given_delay_ns is not None:
        peak, origin = int(np.argmin(np.abs(position - given_delay_ns))), "given"
    else:
        peak, origin = int(np.argmax(dips)), "missing peak"
        if dips[peak] < CLEAR_SIGMA or area[peak] > CLEAR_RATIO * np.mean(_near(area, peak)):
            return _without_zero(delay_ns, pairs, None)
    side = _near(area, peak)
    if not len(side):
        return _without_zero(delay_ns, pairs, given_delay_ns)
    zero = Coincidences(float(area[peak]), float(np.mean(side)), len(side)).zero_delay()
    return G2(
        delay_ns - position[peak],
        y.copy(),
        zero.value,
        zero.upper_99,
        float(position[peak]),
        origin,
        is_single(zero, None),
        delay_significance=float(dips[peak]),
    )


def _near(area: FloatArray, peak: int) -> FloatArray:
    """Pairs in the peaks 2 to 10 periods from one, as far as they were counted."""
    near = [k for d in range(2, 11) for k in (peak - d, peak + d) if 0 <= k < len(area)]
    return area[near]


def _dip(area: FloatArray, peak: int) -> float:
    """By how many standard deviations a peak misses pairs against those near it."""
    side = _near(area, peak)
    return float(dip_significance(area[peak], float(np.mean(side)), len(side))) if len(side) else 0.0


def _comb_phase(y: NDArray[np.int64], delay_ns: FloatArray, period: float) -> float:
    """Delay of the peak nearest zero, from the phase of the comb's fundamental."""
    phase = np.angle(np.sum(y * np.exp(2j * np.pi * delay_ns / period)))
    return float(phase / (2 * np.pi) * period)


def _without_zero(delay_ns: FloatArray, pairs: TickPairs, given_delay_ns: float | None) -> G2:
    delay = given_delay_ns or 0.0
    empty = no_g2("given" if given_delay_ns is not None else "none")
    return G2(
        delay_ns - delay,
        pairs.histogram.copy(),
        empty.zero,
        None,
        delay,
        empty.delay_origin,
        None,
    )
