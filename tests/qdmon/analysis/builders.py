"""Ideal dots made photon by photon from textbook distributions, independent of the simulator."""

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from hardware.types import Acquisition, Photons, RecordLayout
from qdmon.analysis.bins import BinTable
from qdmon.analysis.calibration.timing import TimeAxis
from qdmon.analysis.dot.binned import BinnedDecays
from qdmon.analysis.monitor import Monitor
from qdmon.analysis.results.event import Event
from qdmon.analysis.results.segment import SegmentResult
from qdmon.analysis.settings import AnalysisSettings
from qdmon.analysis.snapshot import Snapshot
from streams.messages import End, Fluence, Message, PhotonBatch, Segment, Session

PERIOD_NS = 200.0


def acquisition(period_ns: float = PERIOD_NS, resolution_ps: float = 64.0) -> Acquisition:
    bins = int(np.ceil(period_ns * 1e3 / resolution_ps))
    return Acquisition(
        "T3",
        period_ns * 1e3,
        resolution_ps,
        bins,
        (0, 1),
        RecordLayout.GENERIC_T3,
        "textbook",
        simulated=True,
    )


@dataclass(frozen=True)
class Dwell:
    """The dot emits at one rate with one lifetime for a while."""

    duration_s: float
    rate_cps: float
    lifetime_ns: float
    charged: bool = False


def alternating(
    rng: np.random.Generator, duration_s: float, states: Sequence[Callable[[], Dwell]]
) -> list[Dwell]:
    """Dwells of the given kinds in turn until the duration is filled."""
    dwells: list[Dwell] = []
    total = 0.0
    while total < duration_s:
        dwell = states[len(dwells) % len(states)]()
        dwells.append(dwell)
        total += dwell.duration_s
    return dwells


def photons(
    rng: np.random.Generator,
    dwells: Sequence[Dwell],
    *,
    acq: Acquisition,
    background_cps: float = 200.0,
    t0_ns: tuple[float, float] = (4.0, 4.64),
    emitters: int = 1,
) -> tuple[Photons, int]:
    """Photons of a dot that runs through the dwells; one signal photon per pulse and emitter at most."""
    period_ns = acq.macro_tick_ps / 1e3
    edges = np.concatenate([[0], np.cumsum([acq.pulses(d.duration_s) for d in dwells])])
    pulse: list[NDArray[np.int64]] = []
    time: list[NDArray[np.float64]] = []
    for _ in range(emitters):
        for dwell, start, stop in zip(dwells, edges[:-1], edges[1:], strict=True):
            n = rng.poisson(dwell.rate_cps / emitters * acq.seconds(int(stop - start)))
            # A single emitter gives one photon per pulse.
            p = np.unique(rng.integers(start, max(stop, start + 1), n))
            pulse.append(p)
            time.append(rng.exponential(dwell.lifetime_ns, len(p)) + rng.normal(0, 0.15, len(p)))
    end = int(edges[-1])
    signal = sum(len(p) for p in pulse)
    n = rng.poisson(2 * background_cps * acq.seconds(end))
    pulse.append(rng.integers(0, end, n))
    time.append(rng.uniform(0, period_ns, n))
    all_pulse = np.concatenate(pulse)
    channel = rng.integers(0, 2, len(all_pulse))
    t = np.concatenate(time)
    t[:signal] += np.asarray(t0_ns)[channel[:signal]]
    all_pulse = all_pulse + np.floor(t / period_ns).astype(np.int64)
    nanotime = (t % period_ns) * 1e3 / float(acq.resolution_ps or 1)
    order = np.argsort(all_pulse, kind="stable")
    keep = order[(all_pulse[order] < end) & (all_pulse[order] >= 0)]
    return (
        Photons(
            all_pulse[keep].astype(np.uint64),
            np.minimum(nanotime[keep], acq.nanotime_bins - 1).astype(np.uint16),
            channel[keep].astype(np.uint8),
        ),
        end,
    )


def session(
    acq: Acquisition,
    all_photons: Photons,
    stop_pulse: int,
    *,
    batch_s: float = 0.05,
    fluence: Sequence[tuple[float, float | None]] = (),
) -> list[Message]:
    """The messages of a session that saw these photons, with fluence steps at (time_s, <N>)."""
    messages: list[Message] = [Session("0" * 32, 0, "test", "simulated"), Segment(0, acq)]
    steps = [(acq.pulses(t), n) for t, n in fluence]
    width = acq.pulses(batch_s)
    edges = sorted({0, stop_pulse, *range(0, stop_pulse, width), *(p for p, _ in steps if p < stop_pulse)})
    for first, stop in itertools.pairwise(edges):
        messages += [Fluence(0, p, n) for p, n in steps if p == first]
        messages.append(PhotonBatch(0, first, stop, 0, all_photons.between(first, stop)))
    return messages


def auger_dot(
    rng: np.random.Generator, duration_s: float, *, bright_cps: float = 76e3, dim_cps: float = 28e3
) -> list[Dwell]:
    """Golden row 5: 760 and 280 counts/10 ms, 24.7 and 5.0 ns."""
    return alternating(
        rng,
        duration_s,
        [
            lambda: Dwell(rng.exponential(0.2), bright_cps, 24.7),
            lambda: Dwell(rng.exponential(0.12), dim_cps, 5.0, charged=True),
        ],
    )


def bc_dot(rng: np.random.Generator, duration_s: float, *, bright_cps: float = 76e3) -> list[Dwell]:
    """Switching between the bright level and random points on the straight line through it."""

    def dim() -> Dwell:
        q = rng.uniform(0.15, 0.7)
        return Dwell(rng.exponential(0.12), bright_cps * q, 24.7 * q)

    return alternating(rng, duration_s, [lambda: Dwell(rng.exponential(0.2), bright_cps, 24.7), dim])


def bright_dot(_: np.random.Generator, duration_s: float) -> list[Dwell]:
    """The bright level of the others, and no blink."""
    return [Dwell(duration_s, 76e3, 24.7)]


def hc_dot(rng: np.random.Generator, duration_s: float, *, bright_cps: float = 76e3) -> list[Dwell]:
    """Intensity falls, the lifetime stays (B-type blinking)."""

    def dim() -> Dwell:
        return Dwell(rng.exponential(0.12), bright_cps * rng.uniform(0.15, 0.7), 24.7)

    return alternating(rng, duration_s, [lambda: Dwell(rng.exponential(0.2), bright_cps, 24.7), dim])


def mixed_dot(
    rng: np.random.Generator, duration_s: float, *, bright_cps: float = 76e3, auger_fraction: float = 0.6
) -> list[Dwell]:
    """Dim dwells are charged with a probability, trapped otherwise."""

    def dim() -> Dwell:
        if rng.random() < auger_fraction:
            return Dwell(rng.exponential(0.12), 0.368 * bright_cps, 5.0, charged=True)
        q = rng.uniform(0.15, 0.7)
        return Dwell(rng.exponential(0.12), bright_cps * q, 24.7 * q)

    return alternating(rng, duration_s, [lambda: Dwell(rng.exponential(0.2), bright_cps, 24.7), dim])


def auger_and_hc_dot(
    rng: np.random.Generator, duration_s: float, *, bright_cps: float = 76e3, charged_fraction: float = 0.3
) -> list[Dwell]:
    """A and B-HC blinking in one dot: some dim dwells are a trion's, the others keep the bright lifetime."""

    def dim() -> Dwell:
        if rng.random() < charged_fraction:
            return Dwell(rng.exponential(0.12), 0.368 * bright_cps, 5.0, charged=True)
        return Dwell(rng.exponential(0.12), bright_cps * rng.uniform(0.15, 0.7), 24.7)

    return alternating(rng, duration_s, [lambda: Dwell(rng.exponential(0.2), bright_cps, 24.7), dim])


# The demonstration dot of the AMOLF change-point toolbox: intensity in counts/s -> lifetime in ns.
AMOLF_LEVELS = {5e3: 1 / 0.4, 20e3: 1 / 0.25, 30e3: 1 / 0.15, 50e3: 1 / 0.05}


def amolf_dot(rng: np.random.Generator, duration_s: float) -> list[Dwell]:
    """Independent levels without memory; dwells of 10 ms to 5 s follow t^-1.5."""
    dwells: list[Dwell] = []
    while sum(d.duration_s for d in dwells) < duration_s:
        others = [r for r in AMOLF_LEVELS if not dwells or r != dwells[-1].rate_cps]
        rate = float(rng.choice(others))
        low, high = 0.01**-0.5, 5.0**-0.5
        dwells.append(Dwell(float((low + rng.random() * (high - low)) ** -2), rate, AMOLF_LEVELS[rate]))
    return dwells


DOTS = {"auger": auger_dot, "bc": bc_dot, "mixed": mixed_dot, "hc": hc_dot}


@dataclass(frozen=True)
class Watched:
    """What a monitor made of some messages, beside the dwells that were behind them."""

    snapshot: Snapshot
    events: tuple[Event, ...]
    dwells: tuple[Dwell, ...] = ()

    @property
    def segment(self) -> SegmentResult:
        """The only fluence segment."""
        (segment,) = self.snapshot.segments
        return segment

    def kinds(self) -> list[str]:
        """What happened, in order."""
        return [event.kind for event in self.events]


def watch(
    messages: Iterable[Message],
    settings: AnalysisSettings | None = None,
    dwells: Sequence[Dwell] = (),
) -> Watched:
    """Everything a monitor says about a session."""
    monitor = Monitor(settings)
    events = tuple(event for message in messages for event in monitor.feed(message))
    snapshot = monitor.snapshot()
    assert snapshot is not None
    return Watched(snapshot, events, tuple(dwells))


def watched_dot(kind: str, duration_s: float | None = None, seed: int = 1) -> Watched:
    """A textbook dot under a monitor; computed once and shared by the tests of a process."""
    return _watched_dot(kind, (12.0 if kind == "hc" else 26.0) if duration_s is None else duration_s, seed)


@cache
def _watched_dot(kind: str, duration_s: float, seed: int) -> Watched:
    rng = np.random.default_rng(seed)
    acq = acquisition()
    dwells = DOTS[kind](rng, duration_s)
    found, stop = photons(rng, dwells, acq=acq)
    return watch([*session(acq, found, stop), End("done")], dwells=dwells)


def binned(
    found: Photons, stop_pulse: int, acq: Acquisition, *, bin_s: float = 0.005, background_cps: float = 0.0
) -> BinnedDecays:
    """Decays of consecutive time bins, with the pulse placed where the builders put it."""
    axis = TimeAxis.build(acq, {0: 4000.0, 1: 4640.0})
    table = BinTable(0, acq.pulses(bin_s), axis.bins.count, 1_000_000)
    table.add_decays(found, stop_pulse, axis.micro_bin, axis.arrival_ns)
    return BinnedDecays(table.rows.astype(np.float32), bin_s, axis.bins, background_cps)


def realised_auger_share(dwells: Sequence[Dwell], bright_cps: float) -> float:
    """Share of the lost photons that were lost while charged."""
    lost = [(d.duration_s * (bright_cps - d.rate_cps), d.charged) for d in dwells]
    return sum(x for x, charged in lost if charged) / sum(x for x, _ in lost)
