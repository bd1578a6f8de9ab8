"""Where the laser pulse lies on the TCSPC axis, and the coarse time bins counted from it.

The verdict needs arrival times after the pulse, per detector: cables shift each detector's axis. Without
a measured instrument response the pulse is placed where a fit of the rising edge (`rise.py`) has the centre
of the response; at half height where bins are too wide for a fit.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hardware.jit import jit
from hardware.types import Acquisition
from qdmon.analysis.calibration.after_pulses import (
    USUAL_AFTER_PULSES,
    AfterPulses,
    after_pulse_shares,
)
from qdmon.analysis.calibration.lattice import Lattice
from qdmon.analysis.calibration.rise import fit_rise, surroundings_ns
from qdmon.analysis.calibration.window import recorded_part

__all__ = [
    "EDGE_FLOOR_PS",
    "GATE_NS",
    "Edge",
    "Folding",
    "MicroBins",
    "TimeAxis",
    "decay_shares",
    "exponential_shares",
    "rising_edge",
]

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


def rising_edge(
    counts: NDArray[np.int64], resolution_ps: float, period_ps: float | None = None
) -> Edge | None:
    """The steepest rise of a TCSPC histogram; None if there is no clear edge.

    Args:
        counts: (t,) photons per TCSPC bin of one detector.
        resolution_ps: width of a bin.
        period_ps: after which the axis begins anew, the last bin cut short; None: after the last bin.
    """
    if period_ps is not None:
        counts = counts[: int(np.ceil(period_ps / resolution_ps - 1e-6))]
    first, stop = recorded_part(counts)
    if stop - first == len(counts):
        stop_ps = len(counts) * resolution_ps
        return _edge(counts, resolution_ps, min(period_ps or stop_ps, stop_ps))
    # Where a card begins to record nothing rises: the two ends of what it records are joined.
    edge = _edge(counts[first:stop], resolution_ps, (stop - first) * resolution_ps, joined=True)
    return edge and edge._replace(at_ps=edge.at_ps + first * resolution_ps)


def _edge(
    counts: NDArray[np.int64], resolution_ps: float, circle_ps: float, *, joined: bool = False
) -> Edge | None:
    """The steepest rise on a circle; `joined` if its two ends are no neighbours in time."""
    group = max(1, round(100.0 / resolution_ps))
    number = int(circle_ps / (group * resolution_ps) + 1e-6)
    if int(counts.sum()) < 300 or number < 20:
        return None
    # The bins need not divide the circle: those that do share the photons of the bins they cut.
    borders_ps = np.append(np.arange(len(counts)) * resolution_ps, circle_ps)
    summed = np.concatenate([[0.0], np.cumsum(counts, dtype=np.float64)])
    width_ps = circle_ps / number
    coarse = np.diff(np.interp(np.arange(number + 1) * width_ps, borders_ps, summed))
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
    return _fitted(counts, borders_ps, group, rough, joined=joined) or rough


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


def _fitted(
    counts: NDArray[np.int64], borders_ps: NDArray[np.float64], group: int, rough: Edge, *, joined: bool
) -> Edge | None:
    """The rise fitted around half height, in groups of bins; None where it cannot be."""
    circle_ps, resolution_ps = float(borders_ps[-1]), float(borders_ps[1])
    back_ns, ahead_ns = surroundings_ns(group * resolution_ps / 1e3)
    from_ps = rough.at_ps - 1e3 * back_ns
    if joined:
        from_ps = max(from_ps, 0.0)
    turned = from_ps < 0
    start = int((from_ps + turned * circle_ps) / resolution_ps)
    number = int(1e3 * (back_ns + ahead_ns) / resolution_ps) // group * group + 2 * group
    stop = min(start + number, len(counts)) if joined else start + number
    taken = np.arange(start, stop - (stop - start) % group)
    turns, place = np.divmod(taken, len(counts))
    window = counts[place].reshape(-1, group).sum(axis=1).astype(np.float64)
    edges_ps = np.append(borders_ps[place] + turns * circle_ps, 0.0)
    edges_ps[-1] = borders_ps[place[-1] + 1] + turns[-1] * circle_ps
    edges_ps = edges_ps[::group] - turned * circle_ps
    rise = fit_rise(window, (edges_ps - edges_ps[0]) / 1e3, (rough.at_ps - edges_ps[0]) / 1e3)
    if rise is None:
        return None
    return Edge(float(edges_ps[0] + rise.at_ns * 1e3) % circle_ps, rise.error_ns * 1e3)


@jit
def exponential_shares(
    tau_ns: NDArray[np.float64], edges_ns: NDArray[np.float64], light: NDArray[np.float64], period_ns: float
) -> NDArray[np.float64]:
    """(k, m) share of each exponential decay, folded into the period, in each of m bins.

    Args:
        tau_ns: (k,) lifetimes.
        edges_ns: (d, m + 1) edges of the bins on each of d detectors.
        light: (d,) share of the light that each detector sees.
        period_ns: of the laser.
    """
    share = np.zeros((len(tau_ns), edges_ns.shape[1] - 1))
    for i in range(len(tau_ns)):
        rate = 1.0 / max(tau_ns[i], 1e-3)
        whole = -1.0 / np.expm1(-period_ns * rate)
        for d in range(len(edges_ns)):
            scale = whole * light[d]
            before = np.exp(-max(edges_ns[d, 0], 0.0) * rate)
            for j in range(edges_ns.shape[1] - 1):
                after = np.exp(-max(edges_ns[d, j + 1], 0.0) * rate)
                share[i, j] += (before - after) * scale
                before = after
    return share


class Folding(NamedTuple):
    """`MicroBins` as kernels take them.

    Attributes:
        edges_ns: (d, m + 1) edges on each detector.
        light: (d,) share of the light that each sees.
        after: when after-pulses come on each, see `AfterPulses.of`.
        period_ns: of the laser.
        uniform: (m,) share of steady light.
        delayed: share of the light that comes at any time.
        per_click: after-pulses per click that come on top.
    """

    edges_ns: NDArray[np.float64]
    light: NDArray[np.float64]
    after: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]
    period_ns: float
    uniform: NDArray[np.float64]
    delayed: float
    per_click: float


@jit
def decay_shares(tau_ns: NDArray[np.float64], folding: Folding) -> NDArray[np.float64]:
    """(k, m) see `MicroBins.share_of`."""
    share = exponential_shares(tau_ns, folding.edges_ns, folding.light, folding.period_ns)
    for i in range(len(tau_ns)):
        for j in range(share.shape[1]):
            share[i, j] = (1 - folding.delayed) * share[i, j] + folding.delayed * folding.uniform[j]
    if folding.per_click > 0:
        after = after_pulse_shares(tau_ns, folding.edges_ns, folding.after, folding.period_ns)
        for i in range(len(tau_ns)):
            for j in range(share.shape[1]):
                share[i, j] += folding.per_click * after[i, j]
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
        by_detector_ns: (d, m+1) where the edges act on each detector; `edges_ns` is their mean, and all there
            is where this is None.
        light: (d,) share of the light that each detector sees, in the order of `by_detector_ns`.
        after_pulses: when after-pulses come on each detector.
    """

    edges_ns: NDArray[np.float64]
    period_ns: float
    delayed: float = 0.0
    recorded_ns: float | None = None
    by_detector_ns: NDArray[np.float64] | None = None
    light: NDArray[np.float64] | None = None
    after_pulses: AfterPulses = USUAL_AFTER_PULSES

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

    def snapped(
        self,
        resolution_ns: float,
        t0_ps: dict[int, float],
        *,
        light: Mapping[int, float] | None = None,
        window: tuple[int, int] | None = None,
    ) -> "MicroBins":
        """Edges where TCSPC bins really change sides, on each detector and on average.

        A TCSPC bin belongs to the micro-bin that holds its middle, so an edge acts at the border between
        two TCSPC bins, not where it was put.

        Args:
            resolution_ns: width of a TCSPC bin.
            t0_ps: channel -> arrival of the pulse.
            light: channel -> light it sees, in any unit; None: all alike.
            window: first and stop TCSPC bin of what is recorded; None: one period.
        """
        count = int(np.ceil(self.period_ns / resolution_ns)) if window is None else window[1]
        acting = np.array(
            [
                Lattice.of(count, resolution_ns, self.period_ns, t0 / 1e3, GUARD_NS, window).acting(
                    self.edges_ns, self.period_ns
                )
                for t0 in t0_ps.values()
            ]
        )
        seen = np.array([max(light.get(c, 0.0), 0.0) if light is not None else 1.0 for c in t0_ps])
        share = seen / seen.sum() if seen.sum() > 0 else np.full(len(seen), 1 / len(seen))
        return replace(
            self, edges_ns=(share[:, None] * acting).sum(axis=0), by_detector_ns=acting, light=share
        )

    @property
    def detectors(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(d, m+1) edges on each detector and (d,) the light it sees."""
        if self.by_detector_ns is None or self.light is None:
            return self.edges_ns[None, :], np.ones(1)
        return self.by_detector_ns, self.light

    @property
    def count(self) -> int:
        """Number of bins, the prompt one included."""
        return len(self.edges_ns) - 1

    def same_as(self, other: "MicroBins") -> bool:
        """Whether light falls into either alike."""
        pairs = zip(self.detectors, other.detectors, strict=True)
        return (
            self.delayed == other.delayed
            and self.after_pulses.same_as(other.after_pulses)
            and all(a is b or np.array_equal(a, b) for a, b in pairs)
        )

    def share_of(self, tau_ns: NDArray[np.float64]) -> NDArray[np.float64]:
        """(k, m) share of the photons of an exponential decay in each bin, folded into the period.

        After-pulses come on top, where they were counted; else they are part of what is `delayed`.

        Args:
            tau_ns: (k,) lifetimes.
        """
        return decay_shares(np.asarray(tau_ns, np.float64), self.folding)

    @cached_property
    def folding(self) -> Folding:
        """These bins, ready for kernels."""
        edges_ns, light = self.detectors
        after = self.after_pulses
        return Folding(
            np.ascontiguousarray(edges_ns),
            light,
            after.of(len(light)),
            self.period_ns,
            self.uniform_share,
            self.delayed,
            after.per_click[0] if after.measured else 0.0,
        )

    @cached_property
    def uniform_share(self) -> NDArray[np.float64]:
        """(m,) share of the uniform background that is recorded in each bin."""
        return np.asarray(np.diff(self.edges_ns) / (self.recorded_ns or self.period_ns))


@dataclass(frozen=True, eq=False)
class TimeAxis:
    """Arrival time and micro-bin of every (channel, nanotime), ready for the kernels; equal only to itself.

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
        cls,
        acquisition: Acquisition,
        t0_ps: dict[int, float],
        window: tuple[int, int] | None = None,
        light: Mapping[int, float] | None = None,
    ) -> "TimeAxis":
        """Tabulate the axis of an acquisition; its mode must be T3.

        Args:
            acquisition: time base.
            t0_ps: channel -> arrival of the pulse.
            window: first and stop TCSPC bin of what the card records; None: the whole period.
            light: channel -> light it sees, in any unit; None: all alike.
        """
        if acquisition.resolution_ps is None or acquisition.pulse_period_ps is None:
            raise ValueError("a T2 acquisition has no nanotimes")
        period_ns, resolution_ns = acquisition.pulse_period_ps / 1e3, acquisition.resolution_ps / 1e3
        nominal = _bins_within(window, period_ns, resolution_ns, t0_ps)
        shape = (max(acquisition.channels, default=0) + 1, max(acquisition.nanotime_bins, 1))
        # Light that starts the clock may stay there for longer than a period.
        within = (0, shape[1]) if window is None and acquisition.started_by_photons else window
        micro_bin = np.full(shape, LEFT_OUT, np.uint8)
        arrival_ns = np.zeros(shape, np.float32)
        turn = np.zeros(shape, np.int8)
        for channel, t0 in t0_ps.items():
            lattice = Lattice.of(shape[1], resolution_ns, period_ns, t0 / 1e3, GUARD_NS, within)
            index = lattice.between(nominal.edges_ns)
            # Nanotimes beyond the period are not of this pulse; the last stretch before the next is jitter.
            inside = (index >= 0) & (index < nominal.count) & lattice.recorded
            micro_bin[channel] = np.where(inside, index, LEFT_OUT)
            arrival_ns[channel] = lattice.centre_ns
            turn[channel] = lattice.turn
        bins = nominal.snapped(resolution_ns, t0_ps, light=light, window=within)
        return cls(t0_ps, bins, micro_bin, arrival_ns, turn, resolution_ns, window)


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
