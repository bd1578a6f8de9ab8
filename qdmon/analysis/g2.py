"""Pulse-resolved correlation of two detectors: all pairs, near side peaks, background taken off.

g2(0) = (C0 - Cb)/(Cside - Cb) with Cb = P (n1 b2 + n2 b1 - b1 b2): pairs that a steady background makes
on any dot, blinking or not (science notes 2.6). Side peaks are lags 2..10, which carry the same blinking
as lag 0; more distant ones do not.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv

from hardware.jit import jit
from hardware.types import Photons
from qdmon.analysis.snapshot import G2, UNKNOWN, Estimate

__all__ = ["PairCounter", "Pairs", "count_pairs", "g2_from_pairs", "no_g2"]

MAX_LAG = 100
SIDE = (2, 10)
FINE_PERIODS = 5
FINE_PER_PERIOD = 64


@jit
def count_pairs(
    first: tuple[NDArray[np.uint64], NDArray[np.float32]],
    second: tuple[NDArray[np.uint64], NDArray[np.float32]],
    new_from: np.uint64,
    lags: NDArray[np.int64],
    fine: NDArray[np.int64],
    period_ns: float,
) -> None:
    """Add every pair of a photon of each detector, at least one of them new, to two histograms.

    Args:
        first: pulse and arrival time (ns) of the first detector's photons, in order.
        second: those of the second detector.
        new_from: photons before this pulse were correlated among themselves already.
        lags: (2 L + 1,) pairs by pulse of the second minus pulse of the first, -L..L.
        fine: (f,) pairs by delay in ns, its centre bin holding zero, over 2 * FINE_PERIODS + 1 periods.
        period_ns: laser period.
    """
    pulse_a, time_a = first
    pulse_b, time_b = second
    reach = np.int64(len(lags) // 2)
    fine_reach = 0.5 * period_ns * (2 * FINE_PERIODS + 1)
    per_ns = len(fine) / (2 * fine_reach)
    start = 0
    for i in range(len(pulse_a)):
        a = np.int64(pulse_a[i])
        while start < len(pulse_b) and np.int64(pulse_b[start]) < a - reach:
            start += 1
        a_is_new = pulse_a[i] >= new_from
        for j in range(start, len(pulse_b)):
            lag = np.int64(pulse_b[j]) - a
            if lag > reach:
                break
            if a_is_new or pulse_b[j] >= new_from:
                lags[lag + reach] += 1
                delay = lag * period_ns + (time_b[j] - time_a[i])
                if -fine_reach <= delay < fine_reach:
                    fine[np.int64((delay + fine_reach) * per_ns)] += 1


@jit
def photons_of(
    channel: np.uint8,
    photons: tuple[NDArray[np.uint64], NDArray[np.uint16], NDArray[np.uint8]],
    arrival_ns: NDArray[np.float32],
    tail: tuple[NDArray[np.uint64], NDArray[np.float32]],
) -> tuple[NDArray[np.uint64], NDArray[np.float32]]:
    """Pulse and arrival time of one detector's photons, behind those kept from before.

    Args:
        channel: the detector.
        photons: pulse, nanotime, channel.
        arrival_ns: (t,) arrival time of each nanotime of this detector.
        tail: its earlier photons.
    """
    pulse, nanotime, channels = photons
    kept = len(tail[0])
    pulses = np.empty(kept + len(pulse), np.uint64)
    times = np.empty(kept + len(pulse), np.float32)
    pulses[:kept], times[:kept] = tail
    n = kept
    last = np.uint64(len(arrival_ns) - 1)
    for i in range(np.uint64(len(pulse))):
        if channels[i] == channel:
            pulses[n] = pulse[i]
            times[n] = arrival_ns[min(np.uint64(nanotime[i]), last)]
            n += 1
    return pulses[:n], times[:n]


@dataclass(frozen=True)
class Pairs:
    """Pairs of two detectors, ready to be added up over stretches.

    Attributes:
        lags: (2 * MAX_LAG + 1,) pairs by pulse lag.
        fine: pairs by delay over a few periods, t0 of each detector removed.
        clicks: (2,) photons of each detector.
        pulses: laser pulses looked at.
    """

    lags: NDArray[np.int64]
    fine: NDArray[np.int64]
    clicks: NDArray[np.int64]
    pulses: int

    @classmethod
    def none(cls) -> "Pairs":
        """No pairs yet."""
        fine = (2 * FINE_PERIODS + 1) * FINE_PER_PERIOD
        return cls(np.zeros(2 * MAX_LAG + 1, np.int64), np.zeros(fine, np.int64), np.zeros(2, np.int64), 0)

    def __add__(self, other: "Pairs") -> "Pairs":
        return Pairs(
            self.lags + other.lags,
            self.fine + other.fine,
            self.clicks + other.clicks,
            self.pulses + other.pulses,
        )


class PairCounter:
    """Pairs of two detectors of a T3 stream, counted as it comes.

    Attributes:
        channels: the two detectors.
        pairs: those counted so far; the arrays go on counting.
    """

    def __init__(self, channels: tuple[int, int], arrival_ns: NDArray[np.float32], period_ns: float) -> None:
        self.channels = channels
        self.pairs = Pairs.none()
        self._arrival_ns = arrival_ns
        self._period_ns = period_ns
        self._tail = [(np.empty(0, np.uint64), np.empty(0, np.float32))] * 2

    def add(self, photons: Photons, first_pulse: int, stop_pulse: int) -> None:
        """Correlate the photons of [first_pulse, stop_pulse) with each other and the pulses just before."""
        columns = photons.pulse, photons.nanotime, photons.channel
        joined = [
            photons_of(np.uint8(c), columns, self._arrival_ns[c], tail)
            for c, tail in zip(self.channels, self._tail, strict=True)
        ]
        pairs = self.pairs
        count_pairs(joined[0], joined[1], np.uint64(first_pulse), pairs.lags, pairs.fine, self._period_ns)
        new = np.array([len(p) - len(t[0]) for (p, _), t in zip(joined, self._tail, strict=True)])
        self.pairs = Pairs(
            pairs.lags, pairs.fine, pairs.clicks + new, pairs.pulses + stop_pulse - first_pulse
        )
        keep = np.uint64(max(stop_pulse - MAX_LAG, 0))
        self._tail = [(p[k:], t[k:]) for p, t in joined for k in [int(np.searchsorted(p, keep))]]


@dataclass(frozen=True, slots=True)
class Coincidences:
    """Pairs at zero lag, the mean of the side peaks, and what background makes of either."""

    zero: float
    side: float
    side_peaks: int
    background: float

    def estimate(self) -> tuple[Estimate, float | None, bool | None]:
        """g2(0) with its error, the 99 % upper limit, and whether this is a single emitter."""
        net = self.side - self.background
        if self.side * self.side_peaks < 20 or net <= 0:
            return UNKNOWN, None, None
        side_variance = self.side / self.side_peaks
        value = (self.zero - self.background) / net
        error = float(np.sqrt(max(self.zero, 1.0) + value**2 * side_variance)) / net
        # Garwood's limits for the pairs at zero lag; the side peaks enter by their own lower edge.
        spread = 2.33 * float(np.sqrt(side_variance))
        upper = (float(gammaincinv(self.zero + 1, 0.99)) - self.background) / max(net - spread, 1e-9)
        lower = 0.0
        if self.zero > 0:
            lower = (float(gammaincinv(self.zero, 0.01)) - self.background) / (net + spread)
        single = True if upper < 0.5 else False if lower > 0.5 else None
        return Estimate(value, error), upper, single


def no_g2(origin: str = "none") -> G2:
    """Nothing is known: one detector, or no photons yet."""
    return G2(np.empty(0), np.empty(0, np.int64), UNKNOWN, None, 0.0, origin, None)


def zero_lag(lags: NDArray[np.int64]) -> int:
    """Pulse lag at which the detectors coincide: 0, unless another one misses its pairs clearly."""
    centre = len(lags) // 2
    near = lags[centre - 5 : centre + 6].astype(np.float64)
    lowest = int(np.argmin(near))
    others = np.delete(near, lowest)
    if (
        lowest != 5
        and near[lowest] < 0.6 * others.min()
        and others.min() - near[lowest] > 5 * np.sqrt(others.min() + 1)
    ):
        return lowest - 5
    return 0


def g2_from_pairs(
    pairs: Pairs,
    channels: tuple[int, int],
    period_ns: float,
    t0_ps: dict[int, float],
    background_cps: dict[int, float],
    given_delay_ns: float | None,
) -> G2:
    """g2 of some pairs.

    Args:
        pairs: the pairs.
        channels: the two detectors.
        period_ns: laser period.
        t0_ps: channel -> arrival of the pulse.
        background_cps: channel -> steady background.
        given_delay_ns: delay of the second detector; None finds it.
    """
    edges_ns = (t0_ps[channels[1]] - t0_ps[channels[0]]) / 1e3
    if given_delay_ns is not None:
        shift, origin = round((given_delay_ns - edges_ns) / period_ns), "given"
    else:
        shift = zero_lag(pairs.lags)
        origin = "missing peak" if shift else "rising edges"
    centre = MAX_LAG + shift
    if not SIDE[1] <= centre < len(pairs.lags) - SIDE[1]:
        return no_g2(origin)
    side = [pairs.lags[centre + s * k] for k in range(SIDE[0], SIDE[1] + 1) for s in (-1, 1)]
    p = max(pairs.pulses, 1)
    n1, n2 = pairs.clicks / p
    b1, b2 = (background_cps.get(c, 0.0) * period_ns * 1e-9 for c in channels)
    b1, b2 = min(b1, n1), min(b2, n2)
    found = Coincidences(
        float(pairs.lags[centre]),
        float(np.mean(side)),
        len(side),
        p * float(n1 * b2 + n2 * b1 - b1 * b2),
    )
    zero, upper, single = found.estimate()
    width = period_ns / FINE_PER_PERIOD
    delays = (np.arange(len(pairs.fine)) + 0.5) * width - period_ns * (FINE_PERIODS + 0.5 + shift)
    return G2(
        delays.astype(np.float64),
        pairs.fine.copy(),
        zero,
        upper,
        edges_ns + shift * period_ns,
        origin,
        single,
    )
