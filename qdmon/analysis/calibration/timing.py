"""Where the laser pulse lies on the TCSPC axis, and the coarse time bins counted from it.

The verdict needs arrival times after the pulse, per detector: cables shift each detector's axis. Without
a measured instrument response the pulse is placed where a fit of the rising edge (`rise.py`) has the centre
of the response; at half height where bins are too wide for a fit.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hardware.jit import jit
from hardware.types import Acquisition
from qdmon.analysis.calibration.rise import BACK_NS, fit_rise
from qdmon.analysis.calibration.window import recorded_part

__all__ = ["EDGE_FLOOR_PS", "Edge", "MicroBins", "TimeAxis", "exponential_shares", "rising_edge"]

# Photons up to this much before the pulse are jitter, not the end of the last period.
GUARD_NS = 1.0
# Light of the pulse itself and of biexcitons is over by then (science notes 2.1: gate 1-2 ns).
GATE_NS = 1.5
LEFT_OUT = 255
# Bins of the decay behind the gate: lifetimes of few photons need 12 to 16 (science notes 2.1).
MICRO_BINS = 14
# Where the card stops recording the bins stop a little before: time zero may be placed anew.
WINDOW_SLACK_NS = 0.2
# The edge is not quite the centre of the response: light of the pulse and the response's tail move it by this
# much (rms over simulated dots of three kinds, dim and bright, at low and high fluence).
EDGE_FLOOR_PS = 45.0


class Edge(NamedTuple):
    """A rising edge on the TCSPC axis.

    Attributes:
        at_ps: centre of the response, as far as the rise tells it.
        error_ps: its standard error by the number of photons; that of the pulse has `EDGE_FLOOR_PS` beside.
    """

    at_ps: float
    error_ps: float


def rising_edge(counts: NDArray[np.int64], resolution_ps: float) -> Edge | None:
    """The steepest rise of a TCSPC histogram; None if there is no clear edge.

    Args:
        counts: (t,) photons per TCSPC bin of one detector.
        resolution_ps: width of a bin.
    """
    first, stop = recorded_part(counts)
    if stop - first == len(counts):
        return _edge(counts, resolution_ps)
    # Where a card begins to record nothing rises: the two ends of what it records are joined.
    edge = _edge(counts[first:stop], resolution_ps, joined=True)
    return edge and edge._replace(at_ps=edge.at_ps + first * resolution_ps)


def _edge(counts: NDArray[np.int64], resolution_ps: float, *, joined: bool = False) -> Edge | None:
    """The steepest rise on a circle; `joined` if its two ends are no neighbours in time."""
    group = max(1, round(100.0 / resolution_ps))
    usable = len(counts) // group * group
    if int(counts.sum()) < 300 or usable < 20 * group:
        return None
    coarse = counts[:usable].reshape(-1, group).sum(axis=1).astype(np.float64)
    width_ps = group * resolution_ps
    # Contrast of the quarter nanosecond after an instant against the one before it.
    reach = max(2, round(400.0 / width_ps))
    cumulative = np.concatenate([[0.0], np.cumsum(np.concatenate([coarse, coarse[: 2 * reach]]))])
    index = np.arange(len(coarse))
    before = cumulative[index + reach] - cumulative[index]
    after = cumulative[index + 2 * reach] - cumulative[index + reach]
    significance = (after - before) / np.sqrt(after + before + 1)
    best = int(np.argmax(significance))
    if significance[best] < 5:
        return None
    rough = _half_height(coarse, best, reach)
    at = rough.at_ps % len(coarse)
    if joined and at > len(coarse) - 0.5:
        at = 0.0
    rough = Edge(at * width_ps, rough.error_ps * width_ps)
    return _fitted(coarse, width_ps, rough, joined=joined) or rough


def _half_height(coarse: NDArray[np.float64], best: int, reach: int) -> Edge:
    """Half height between bins `best` and `best` + 2 `reach`, in bins."""
    rolled = np.roll(coarse, -best)[: 4 * reach + 4]
    low = float(np.mean(np.roll(coarse, -best + 3 * reach)[: 2 * reach]))
    top = int(np.argmax(np.convolve(rolled, np.ones(3) / 3, mode="same")))
    high = float(np.mean(rolled[max(top - 1, 0) : top + 2]))
    half = (low + high) / 2
    # The first crossing: behind it a bin may fall short again, by chance or where the period ends in it.
    above = np.flatnonzero(rolled[: top + 1] >= half)
    i = max(int(above[0]) - 1, 0) if len(above) else 0
    step = rolled[i + 1] - rolled[i]
    fraction = (half - rolled[i]) / step if step > 0 else 0.5
    # Counting noise of the two bins around the crossing and of the two levels it is halfway between.
    variance = (1 - fraction) ** 2 * rolled[i] + fraction**2 * rolled[i + 1] + low / (8 * reach) + high / 12
    # A single step is steep by chance where photons are few: half of the slope is that of its surroundings.
    around = (rolled[min(i + 2, len(rolled) - 1)] - rolled[max(i - 1, 0)]) / 3
    slope = max((step + around) / 2, 0.05 * (high - low))
    return Edge(float(best + i + 0.5 + fraction), float(np.sqrt(max(variance, 1.0)) / slope))


def _fitted(coarse: NDArray[np.float64], width_ps: float, rough: Edge, *, joined: bool) -> Edge | None:
    """The rise fitted around half height; None where it cannot be."""
    bin_ns = width_ps / 1e3
    first = int(np.floor((rough.at_ps / 1e3 - BACK_NS) / bin_ns))
    if joined:
        window = coarse[max(first, 0) :]
        first = max(first, 0)
    else:
        window = np.roll(coarse, -first)
    rise = fit_rise(window, bin_ns, rough.at_ps / 1e3 - first * bin_ns)
    if rise is None:
        return None
    at_ps = (first * bin_ns + rise.at_ns) * 1e3
    return Edge(at_ps % (len(coarse) * width_ps), rise.error_ns * 1e3)


@jit
def exponential_shares(
    tau_ns: NDArray[np.float64], edges_ns: NDArray[np.float64], period_ns: float
) -> NDArray[np.float64]:
    """(k, m) share of each exponential decay, folded into the period, between m + 1 edges."""
    share = np.empty((len(tau_ns), len(edges_ns) - 1))
    for i in range(len(tau_ns)):
        rate = 1.0 / max(tau_ns[i], 1e-3)
        scale = -1.0 / np.expm1(-period_ns * rate)
        before = np.exp(-max(edges_ns[0], 0.0) * rate)
        for j in range(len(edges_ns) - 1):
            after = np.exp(-max(edges_ns[j + 1], 0.0) * rate)
            share[i, j] = (before - after) * scale
            before = after
    return share


@dataclass(frozen=True)
class MicroBins:
    """Coarse bins of the arrival time after the pulse: first the gated-out prompt part, then the decay.

    Attributes:
        edges_ns: (m+1,) ascending; bin 0 is [-GUARD_NS, gate), the last ends GUARD_NS before the next pulse,
            or where the card stops recording.
        period_ns: laser period.
        delayed: share of the detected light that comes at any time (after-pulses, slow emission).
        recorded_ns: how much of the period the card records; None: all of it.
    """

    edges_ns: NDArray[np.float64]
    period_ns: float
    delayed: float = 0.0
    recorded_ns: float | None = None

    @classmethod
    def for_period(
        cls,
        period_ns: float,
        count: int = MICRO_BINS,
        *,
        stop_ns: float = np.inf,
        recorded_ns: float | None = None,
    ) -> "MicroBins":
        """Logarithmic bins from the gate to the end of the period, or to where the card stops recording."""
        stop = min(period_ns - GUARD_NS, stop_ns)
        gate = min(GATE_NS, period_ns / 8)
        # Shifted logarithm: the first bins are not finer than the response is wide.
        u = np.linspace(np.log(gate + 1.0), np.log(stop + 1.0), count + 1)
        edges = np.concatenate([[-GUARD_NS], np.exp(u) - 1.0])
        return cls(edges, period_ns, recorded_ns=recorded_ns)

    def snapped(self, resolution_ns: float, t0_ps: dict[int, float]) -> "MicroBins":
        """Edges where TCSPC bins really change sides, on average over the detectors.

        A TCSPC bin belongs to the micro-bin that holds its centre, so an edge acts at the border between
        two TCSPC bins, not where it was put.
        """
        half = 0.5 + 1e-9  # an edge right on the centre of a bin stays on its side, however it is rounded
        acting = [
            np.ceil((self.edges_ns + t0 / 1e3) / resolution_ns - half) * resolution_ns - t0 / 1e3
            for t0 in t0_ps.values()
        ]
        return replace(self, edges_ns=np.mean(acting, axis=0))

    @property
    def count(self) -> int:
        """Number of bins, the prompt one included."""
        return len(self.edges_ns) - 1

    def same_as(self, other: "MicroBins") -> bool:
        """Whether light falls into either alike."""
        return self.delayed == other.delayed and np.array_equal(self.edges_ns, other.edges_ns)

    def share_of(self, tau_ns: NDArray[np.float64]) -> NDArray[np.float64]:
        """(k, m) share of the photons of an exponential decay in each bin, folded into the period.

        Args:
            tau_ns: (k,) lifetimes.
        """
        prompt = exponential_shares(np.asarray(tau_ns, np.float64), self.edges_ns, self.period_ns)
        return (1 - self.delayed) * prompt + self.delayed * self.uniform_share

    @cached_property
    def uniform_share(self) -> NDArray[np.float64]:
        """(m,) share of the uniform background that is recorded in each bin."""
        return np.asarray(np.diff(self.edges_ns) / (self.recorded_ns or self.period_ns))


@dataclass(frozen=True)
class TimeAxis:
    """Arrival time and micro-bin of every (channel, nanotime), ready for the kernels.

    Attributes:
        t0_ps: channel -> arrival of the pulse; a channel that is missing carries no signal.
        bins: the micro-bins.
        micro_bin: (c, t) uint8, 255 where the photon is left out.
        arrival_ns: (c, t) float32 in [-GUARD_NS, period - GUARD_NS).
        turn: (c, t) int8, pulses from the recorded one to the one the arrival time counts from: -1 for a
            photon that came before its detector could see the light of the recorded pulse.
        resolution_ns: width of a TCSPC bin.
        window: first and stop TCSPC bin of what the card records; None: the whole period.
    """

    t0_ps: dict[int, float]
    bins: MicroBins
    micro_bin: NDArray[np.uint8]
    arrival_ns: NDArray[np.float32]
    turn: NDArray[np.int8]
    resolution_ns: float
    window: tuple[int, int] | None = None

    @classmethod
    def build(
        cls, acquisition: Acquisition, t0_ps: dict[int, float], window: tuple[int, int] | None = None
    ) -> "TimeAxis":
        """Tabulate the axis of an acquisition; its mode must be T3.

        Args:
            acquisition: time base.
            t0_ps: channel -> arrival of the pulse.
            window: first and stop TCSPC bin of what the card records; None: the whole period.
        """
        if acquisition.resolution_ps is None or acquisition.pulse_period_ps is None:
            raise ValueError("a T2 acquisition has no nanotimes")
        period_ns = acquisition.pulse_period_ps / 1e3
        nominal = _bins_within(window, period_ns, acquisition.resolution_ps / 1e3, t0_ps)
        bins = nominal.snapped(acquisition.resolution_ps / 1e3, t0_ps)
        shape = (max(acquisition.channels, default=0) + 1, max(acquisition.nanotime_bins, 1))
        micro_bin = np.full(shape, LEFT_OUT, np.uint8)
        arrival_ns = np.zeros(shape, np.float32)
        turn = np.zeros(shape, np.int8)
        nanotime = np.arange(shape[1])
        centre_ns = (nanotime + 0.5) * acquisition.resolution_ps / 1e3
        recorded = acquisition.started_by_photons | (centre_ns < period_ns)
        if window is not None:
            recorded = (nanotime >= window[0]) & (nanotime < window[1])
        for channel, t0 in t0_ps.items():
            arrival = (centre_ns - t0 / 1e3 + GUARD_NS) % period_ns - GUARD_NS
            index = np.searchsorted(nominal.edges_ns, arrival, side="right") - 1
            # Nanotimes beyond the period are not of this pulse; the last stretch before the next is jitter.
            inside = (index < bins.count) & recorded
            micro_bin[channel] = np.where(inside, index, LEFT_OUT)
            arrival_ns[channel] = arrival
            turn[channel] = np.rint((centre_ns - t0 / 1e3 - arrival) / period_ns)
        return cls(t0_ps, bins, micro_bin, arrival_ns, turn, acquisition.resolution_ps / 1e3, window)


def _bins_within(
    window: tuple[int, int] | None, period_ns: float, resolution_ns: float, t0_ps: dict[int, float]
) -> MicroBins:
    """Bins up to where the card stops recording, if that is before the next pulse."""
    if window is None:
        return MicroBins.for_period(period_ns)
    first, stop = window
    recorded_ns = (stop - first) * resolution_ns
    if recorded_ns > period_ns - resolution_ns:
        return MicroBins.for_period(period_ns)
    ends_ns = [(stop * resolution_ns - t0 / 1e3) % period_ns for t0 in t0_ps.values()]
    # A dark stretch right at the pulse is gated out anyhow.
    stop_ns = min([end for end in ends_ns if end > 2 * GATE_NS], default=period_ns) - WINDOW_SLACK_NS
    return MicroBins.for_period(period_ns, stop_ns=stop_ns, recorded_ns=recorded_ns)
