"""Pairs of photons of two detectors by pulse lag and gate, counted as they come: all pairs, each once.

Photons are taken by the pulse whose light they can be, not by the one the card counted last: a cable
delay moves the end of a decay behind the next pulse. Time zero is known but for whole periods; lag 0 is
where the delay between the detectors is shortest, wherever on the axis the pulse falls. Beside the pairs
of the two detectors go those of each detector with itself, which show its after-pulses, and the decay of
the light the pairs are made of.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hardware.jit import jit
from hardware.types import Photons
from qdmon.analysis.calibration.timing import TimeAxis

__all__ = [
    "FINE_PERIODS",
    "FINE_PER_PERIOD",
    "GATES_NS",
    "GATE_BINS",
    "MAX_LAG",
    "OWN_LAGS",
    "PairCounter",
    "Pairs",
    "count_pairs",
    "shortest_delay",
]

MAX_LAG = 100
OWN_LAGS = 20
FINE_PERIODS = 5
FINE_PER_PERIOD = 64
# Arrival times a gate can open at. The first bin, ahead of them all, holds photons of the pulse itself.
GATES_NS = np.array(
    [0.5, 0.75, 1, 1.5, 2, 3, 4, 5.5, 7.5, 10, 13, 17, 22, 28, 36, 46, 60, 80, 110, 150], np.float64
)
GATE_BINS = len(GATES_NS) + 1


def shortest_delay(axis: TimeAxis, channels: tuple[int, int]) -> tuple[float, int]:
    """Delay in ns of the second detector by the edges, within half a period of 0, and the periods it took.

    A pulse that falls on the start of the axis has its edge at the end of it in one detector and at the
    start in the other: their difference alone would be off by a period.
    """
    period_ns = axis.bins.period_ns
    edges_ns = (axis.t0_ps[channels[1]] - axis.t0_ps[channels[0]]) / 1e3
    periods = -round(edges_ns / period_ns)
    return edges_ns + periods * period_ns, periods


class Clicks(NamedTuple):
    """Photons of one detector, those kept from before first.

    Attributes:
        pulse: (n,) int64, the pulse each is counted from; out of order by one at most.
        arrival_ns: (n,) float32 after that pulse.
        gate: (n,) uint8, how many of `GATES_NS` it is later than.
    """

    pulse: NDArray[np.int64]
    arrival_ns: NDArray[np.float32]
    gate: NDArray[np.uint8]

    @classmethod
    def none(cls) -> "Clicks":
        """No photons."""
        return cls(np.empty(0, np.int64), np.empty(0, np.float32), np.empty(0, np.uint8))

    def since(self, pulse: int) -> "Clicks":
        """Those counted from `pulse` on, and perhaps a few before."""
        # One less, for an order that may be wrong by one.
        k = int(np.searchsorted(self.pulse, pulse - 1))
        return Clicks(self.pulse[k:], self.arrival_ns[k:], self.gate[k:])


@jit
def count_pairs(
    first: Clicks,
    second: Clicks,
    old: tuple[np.uint64, np.uint64],
    lags: NDArray[np.int64],
    fine: NDArray[np.int64],
    decay: NDArray[np.int64],
    period_ns: float,
) -> None:
    """Add every pair of a photon of each detector, at least one of them new.

    Args:
        first: the first detector's photons.
        second: those of the second detector.
        old: how many of each, from the start, were correlated among themselves already.
        lags: (2 L + 1, g) pairs by pulse of the second minus pulse of the first, -L..L, and by the gate of
            the earlier of the two.
        fine: (f,) pairs by delay in ns, its centre bin holding zero, over 2 * FINE_PERIODS + 1 periods.
        decay: (g,) pairs of any lag by the gate of the first detector's photon.
        period_ns: laser period.
    """
    reach = np.int64(len(lags) // 2)
    fine_reach = 0.5 * period_ns * (2 * FINE_PERIODS + 1)
    per_ns = len(fine) / (2 * fine_reach)
    start = np.uint64(0)
    count = np.uint64(len(second.pulse))
    for i in range(np.uint64(len(first.pulse))):
        pulse, gate = first.pulse[i], first.gate[i]
        # One more than the reach on both sides: neighbours may have changed places.
        while start < count and second.pulse[start] < pulse - reach - 1:
            start += np.uint64(1)
        is_new = i >= old[0]
        found = 0
        for j in range(start, count):
            lag = second.pulse[j] - pulse
            if lag > reach + 1:
                break
            if lag > reach or lag < -reach or not (is_new or j >= old[1]):
                continue
            lags[np.uint64(lag + reach), min(gate, second.gate[j])] += 1
            found += 1
            if -FINE_PERIODS - 1 <= lag <= FINE_PERIODS + 1:
                delay = lag * period_ns + (second.arrival_ns[j] - first.arrival_ns[i])
                if -fine_reach <= delay < fine_reach:
                    fine[np.uint64((delay + fine_reach) * per_ns)] += 1
        decay[gate] += found


@jit
def count_own(clicks: Clicks, old: np.uint64, own: NDArray[np.int64]) -> None:
    """Add every pair of two photons of one detector, the later one new.

    Args:
        clicks: the detector's photons.
        old: how many, from the start, were correlated already.
        own: (l, g) pairs by pulse lag, 0..l-1, and by the gate of the later photon.
    """
    reach = np.int64(len(own))
    start = np.uint64(0)
    for j in range(old, np.uint64(len(clicks.pulse))):
        pulse = clicks.pulse[j]
        while start < j and clicks.pulse[start] < pulse - reach - 1:
            start += np.uint64(1)
        for i in range(start, j):
            lag = pulse - clicks.pulse[i]
            if 0 <= lag < reach:
                own[np.uint64(lag), clicks.gate[j]] += 1


@jit
def clicks_of(
    channel: np.uint8,
    photons: tuple[NDArray[np.uint64], NDArray[np.uint16], NDArray[np.uint8]],
    table: tuple[NDArray[np.float32], NDArray[np.int8], NDArray[np.uint8]],
    tail: Clicks,
) -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.uint8]]:
    """One detector's photons behind those kept from before.

    Args:
        channel: the detector.
        photons: pulse, nanotime, channel.
        table: arrival time, turn and gate of each nanotime of this detector.
        tail: its earlier photons.
    """
    pulse, nanotime, channels = photons
    arrival_ns, turn, gate = table
    kept = len(tail.pulse)
    pulses = np.empty(kept + len(pulse), np.int64)
    times = np.empty(kept + len(pulse), np.float32)
    gates = np.empty(kept + len(pulse), np.uint8)
    # One by one: slices take seconds to compile.
    for i in range(np.uint64(kept)):
        pulses[i], times[i], gates[i] = tail.pulse[i], tail.arrival_ns[i], tail.gate[i]
    n = np.uint64(kept)
    last = np.uint64(len(arrival_ns) - 1)
    for i in range(np.uint64(len(pulse))):
        # Written at once, kept if it is this detector's: which one is next cannot be foreseen.
        k = min(np.uint64(nanotime[i]), last)
        pulses[n] = np.int64(pulse[i]) + turn[k]
        times[n] = arrival_ns[k]
        gates[n] = gate[k]
        n += np.uint64(channels[i] == channel)
    return pulses[:n], times[:n], gates[:n]


@dataclass(frozen=True)
class Pairs:
    """Pairs of two detectors, ready to be added up over stretches; all int64.

    Attributes:
        lags: (2 * MAX_LAG + 1, g) pairs by pulse lag and by the gate of the earlier photon.
        fine: pairs by delay over a few periods, t0 of each detector removed.
        decay: (g,) pairs by the gate of the first detector's photon.
        own: (2, OWN_LAGS + 1, g) pairs of each detector with itself, by lag and gate of the later photon.
        clicks: (2, g) photons of each detector.
        pulses: laser pulses looked at.
    """

    lags: NDArray[np.int64]
    fine: NDArray[np.int64]
    decay: NDArray[np.int64]
    own: NDArray[np.int64]
    clicks: NDArray[np.int64]
    pulses: int

    @classmethod
    def none(cls) -> "Pairs":
        """No pairs yet."""
        return cls(
            np.zeros((2 * MAX_LAG + 1, GATE_BINS), np.int64),
            np.zeros((2 * FINE_PERIODS + 1) * FINE_PER_PERIOD, np.int64),
            np.zeros(GATE_BINS, np.int64),
            np.zeros((2, OWN_LAGS + 1, GATE_BINS), np.int64),
            np.zeros((2, GATE_BINS), np.int64),
            0,
        )

    def __add__(self, other: "Pairs") -> "Pairs":
        return Pairs(
            self.lags + other.lags,
            self.fine + other.fine,
            self.decay + other.decay,
            self.own + other.own,
            self.clicks + other.clicks,
            self.pulses + other.pulses,
        )


class PairCounter:
    """Pairs of two detectors of a T3 stream, counted as it comes.

    Attributes:
        channels: the two detectors.
        pairs: those counted so far; the arrays go on counting.
    """

    def __init__(self, channels: tuple[int, int], axis: TimeAxis) -> None:
        self.channels = channels
        self.pairs = Pairs.none()
        self._period_ns = axis.bins.period_ns
        self._tail = [Clicks.none(), Clicks.none()]
        self.use_axis(axis)

    def use_axis(self, axis: TimeAxis) -> None:
        """Take arrival times from this axis from now on."""
        gate = np.searchsorted(GATES_NS, axis.arrival_ns, side="right").astype(np.uint8)
        _, periods = shortest_delay(axis, self.channels)
        self._tables = [
            (axis.arrival_ns[c], (axis.turn[c] - later).astype(np.int8), gate[c])
            for c, later in zip(self.channels, (0, periods), strict=True)
        ]

    def add(self, photons: Photons, first_pulse: int, stop_pulse: int) -> None:
        """Correlate the photons of [first_pulse, stop_pulse) with each other and the pulses just before."""
        columns = photons.pulse, photons.nanotime, photons.channel
        joined = [
            Clicks(*clicks_of(np.uint8(c), columns, table, tail))
            for c, table, tail in zip(self.channels, self._tables, self._tail, strict=True)
        ]
        old = [np.uint64(len(tail.pulse)) for tail in self._tail]
        pairs = self.pairs
        count_pairs(
            joined[0], joined[1], (old[0], old[1]), pairs.lags, pairs.fine, pairs.decay, self._period_ns
        )
        for i, clicks in enumerate(joined):
            count_own(clicks, old[i], pairs.own[i])
            pairs.clicks[i] += np.bincount(clicks.gate[old[i] :], minlength=GATE_BINS)
        self.pairs = Pairs(
            pairs.lags,
            pairs.fine,
            pairs.decay,
            pairs.own,
            pairs.clicks,
            pairs.pulses + stop_pulse - first_pulse,
        )
        # Photons still to come are counted from two pulses before `stop_pulse` at the earliest.
        self._tail = [clicks.since(stop_pulse - MAX_LAG - 3) for clicks in joined]
