"""What the figures of docs/analysis.md show: simulated dots through the analysis, as arrays.

The simulated dot has the paper's numbers (24.7 and 5.0 ns, 760 and 280 counts per 10 ms) unless said
otherwise.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hardware.sim.dot import Traps
from hardware.sim.presets import Preset, find_preset
from hardware.sim.simulation import DotSimulation
from hardware.sim.state import Charge, StatePath
from hardware.types import Acquisition, Photons
from qdmon.analysis.bins import BinTable
from qdmon.analysis.calibration.background import Floor
from qdmon.analysis.calibration.timing import TimeAxis
from qdmon.analysis.conversion.alarms import AlarmBudget
from qdmon.analysis.conversion.reader import BlinkReader
from qdmon.analysis.conversion.regimes import Mark
from qdmon.analysis.conversion.row_states import BrightLevel
from qdmon.analysis.conversion.sequential import log_evidence
from qdmon.analysis.dot.binned import BinnedDecays
from qdmon.analysis.dot.fit import fit_dot
from qdmon.analysis.dot.states import DotModel
from qdmon.analysis.dot.verdict import read_bins
from qdmon.analysis.equations import lifetime_from_window_mean, radiative_rate_ratio, window_mean_ns
from qdmon.analysis.monitor import Monitor
from qdmon.analysis.results.blinking import BlinkingCall
from qdmon.analysis.results.estimate import Estimate
from qdmon.analysis.results.segment import FluenceStep
from qdmon.analysis.snapshot import Snapshot
from streams.messages import End, Fluence, PhotonBatch, Segment, Session

__all__ = [
    "PAPER_DOT",
    "Evidence",
    "Flid",
    "Kind",
    "PairTest",
    "TraceReading",
    "apparent_ratio",
    "evidence_of_conversion",
    "fitted_ratio",
    "flid_of",
    "pair_test",
    "trace_reading",
]

FloatArray = NDArray[np.float64]
Kind = Literal["auger", "bc", "mixed", "hc"]

SEED = 7
LOW = 0.1
ROW_S = 0.001
_TRAPS = Traps(count=4, switching_hz=(8.0, 30.0), duty=(0.06, 0.16), strength=(0.8, 4.0))
_HOT = replace(_TRAPS, strength=(0.3, 0.8))
PAPER_DOT = DotModel(76e3, 24.7, 5.0, grey=2.2, beta=1.82, background_cps=0.0, delayed=0.0)
"""The paper's dot as the analysis describes it."""


def _preset(kind: Kind) -> Preset:
    known = find_preset("cdse-zns-2nm")
    dot = replace(known.dot, conversion=None)
    if kind in ("bc", "hc"):
        dot = replace(dot, charging=None)
    if kind in ("bc", "mixed"):
        dot = replace(dot, traps=_TRAPS)
    if kind == "hc":
        dot = replace(dot, hot_traps=_HOT)
    return replace(known, dot=dot)


def _watched(acq: Acquisition, photons: Photons, seconds: float, excitation: float) -> Snapshot:
    monitor = Monitor()
    monitor.feed(Session("0" * 32, 0, "figures", "simulated"))
    monitor.feed(Segment(0, acq))
    monitor.feed(Fluence(0, 0, excitation))
    stop, width = acq.pulses(seconds), acq.pulses(0.5)
    for first in range(0, stop, width):
        until = min(first + width, stop)
        monitor.feed(PhotonBatch(0, first, until, 0, photons.between(first, until)))
    monitor.feed(End("done"))
    snapshot = monitor.snapshot()
    if snapshot is None:
        raise RuntimeError("the monitor has seen no segment")
    return snapshot


def _run(preset: Preset, seconds: float, seed: int = SEED) -> tuple[DotSimulation, Photons]:
    simulation = DotSimulation(preset, seed)
    return simulation, simulation.advance(simulation.acquisition().pulses(seconds), LOW)


@dataclass(frozen=True)
class Flid:
    """Bins of 10 ms on the lifetime-intensity plane, and the verdict on them.

    Attributes:
        lifetime_ns: (n,) from the mean arrival time, background and pulse window corrected.
        rate_cps: (n,) net of background.
        call: the verdict.
    """

    lifetime_ns: FloatArray
    rate_cps: FloatArray
    call: BlinkingCall


def flid_of(kind: Kind, seconds: float) -> Flid:
    """A dot of a kind for some seconds at low fluence."""
    simulation, photons = _run(_preset(kind), seconds)
    snapshot = _watched(simulation.acquisition(), photons, seconds, LOW)
    trace = snapshot.trace
    background_cps = sum(snapshot.calibration.background_cps.values())
    rate = trace.counts / trace.bin_s - background_cps
    return Flid(trace.arrival_ns.astype(np.float64), rate, snapshot.segments[-1].call)


@dataclass(frozen=True)
class TraceReading:
    """A piece of a trace, what the chain says of each bin, and what the dot did.

    Attributes:
        bin_s: duration of a bin.
        counts: (n,) photons behind the gate.
        auger: (n,) expected share of the bright rate lost to Auger recombination.
        trap: (n,) to traps.
        true_auger: (n,) what really was.
        true_trap: (n,) likewise.
    """

    bin_s: float
    counts: FloatArray
    auger: FloatArray
    trap: FloatArray
    true_auger: FloatArray
    true_trap: FloatArray


def trace_reading(seconds: float, shown_s: tuple[float, float]) -> TraceReading:
    """A mixed dot, fitted over some seconds, part of it shown."""
    simulation, photons = _run(_preset("mixed"), seconds)
    table, axis = _sorted(simulation, photons, 0, simulation.acquisition().pulses(seconds))
    background_cps = 2 * simulation.preset.setup.background_cps(LOW)
    data = BinnedDecays(table.rows.astype(np.float32), ROW_S, axis.bins, background_cps).grouped(0.002)
    fit = fit_dot(data, background_sd_cps=20.0)
    if fit is None:
        raise RuntimeError("no bright level in the simulated trace")
    losses = read_bins(data, fit).losses
    first, stop = (round(t / data.bin_s) for t in shown_s)
    edges = np.asarray(data.bin_s * np.arange(first, stop + 1), np.float64)
    path = simulation.truth.path
    charged = path.charge != Charge.NEUTRAL
    exciton = simulation.preset.dot.exciton
    neutral = simulation.truth.trap_ladder
    open_ns = 1 / exciton.trion_lifetime_ns + path.trapping_per_ns
    trion = exciton.radiative_ratio / exciton.lifetime_ns / open_ns
    return TraceReading(
        data.bin_s,
        data.fitted[first:stop].sum(axis=1, dtype=np.float64),
        losses.auger[first:stop],
        losses.trap[first:stop],
        _averaged(path, charged * (1 - trion), edges),
        _averaged(path, ~charged * (1 - neutral), edges),
    )


def _averaged(path: StatePath, value: FloatArray, edges_s: FloatArray) -> FloatArray:
    """(n,) mean of a piecewise constant quantity in bins."""
    times = np.concatenate([path.start_s[:1], path.stop_s])
    summed = np.concatenate([[0.0], np.cumsum(value * path.duration_s)])
    return np.asarray(np.diff(np.interp(edges_s, times, summed)) / np.diff(edges_s))


def _sorted(simulation: DotSimulation, photons: Photons, first: int, stop: int) -> tuple[BinTable, TimeAxis]:
    acq = simulation.acquisition()
    delays = simulation.preset.setup.delay_ns
    axis = TimeAxis.build(acq, {c: 1e3 * delay for c, delay in enumerate(delays)})
    table = BinTable(first, acq.pulses(ROW_S), axis.bins.count, 1_000_000)
    table.add_decays(photons.between(first, stop), stop, axis.micro_bin, axis.arrival_ns)
    return table, axis


def apparent_ratio(background: FloatArray, period_ns: float) -> FloatArray:
    """(n,) beta of the paper's dot from mean arrival times with a background that nobody took off.

    Args:
        background: (n,) counts per 10 ms.
        period_ns: of the laser.
    """
    points: list[FloatArray] = []
    for counts, tau_ns in ((760.0, 24.7), (280.0, 5.0)):
        mean = (counts * window_mean_ns(tau_ns, period_ns) + background * period_ns / 2) / (
            counts + background
        )
        points += [counts + background, lifetime_from_window_mean(mean, period_ns)]
    return np.array([radiative_rate_ratio(*levels) for levels in np.transpose(points).tolist()])


def fitted_ratio(background: float, seconds: float, seed: int = SEED) -> Estimate:
    """Beta of an Auger dot from its photons, the background being found in them too.

    Args:
        background: counts per 10 ms of both detectors together.
        seconds: seen.
        seed: of the dot.
    """
    preset = _preset("auger")
    setup = replace(preset.setup, dark_cps=0.0, laser_light_cps=0.0, room_light_cps=50.0 * background)
    simulation, photons = _run(replace(preset, setup=setup), seconds, seed)
    snapshot = _watched(simulation.acquisition(), photons, seconds, LOW)
    return snapshot.segments[-1].call.radiative_rate_ratio


@dataclass(frozen=True)
class Evidence:
    """How the evidence for a conversion grows.

    Attributes:
        marks: blinks in order.
        log_evidence: (n,) after each; NaN while there are too few.
        step_s: when the fluence rose.
        conversion_s: when the dot really converted.
    """

    marks: Sequence[Mark]
    log_evidence: FloatArray
    step_s: float
    conversion_s: float | None


def evidence_of_conversion(low_s: float, high_s: float, seed: int = SEED) -> Evidence:
    """The paper's experiment up to its second step: <N> of 0.2, then 1.4."""
    simulation = DotSimulation(find_preset("cdse-zns-2nm"), seed)
    acq = simulation.acquisition()
    marks: list[Mark] = []
    cuts = 0, acq.pulses(low_s), acq.pulses(low_s + high_s)
    for first, stop, excitation in ((cuts[0], cuts[1], 0.2), (cuts[1], cuts[2], 1.4)):
        photons = simulation.advance(stop - first, excitation)
        table, axis = _sorted(simulation, photons, first, stop)
        floor = Floor(2 * simulation.preset.setup.background_cps(excitation), 0.0)
        bright = BrightLevel(76e3 * float(np.expm1(-excitation) / np.expm1(-LOW)), 24.7)
        found, going_on = BlinkReader(first).read(table, axis.bins, bright, floor, [], ROW_S)
        marks += [*found, *going_on]
    step = FluenceStep(low_s, 1.4)
    evidence = []
    for n in range(1, len(marks) + 1):
        steps = [FluenceStep(0.0, 0.2), step] if marks[n - 1].stop_s > low_s else [FluenceStep(0.0, 0.2)]
        evidence.append(log_evidence(marks[:n], AlarmBudget.of(1.0, steps)))
    known = np.array([np.nan if e is None else e for e in evidence])
    return Evidence(marks, known, low_s, simulation.truth.conversion_s)


@dataclass(frozen=True)
class PairTest:
    """g2(0) of some light, all photons and behind the gate."""

    all_photons: Estimate
    gated: Estimate
    gate_ns: float | None
    single: bool | None


def pair_test(yield_ratio: float, dots: int, seconds: float) -> PairTest:
    """One or two dots of the same kind in the focus, as bright together as one.

    Args:
        yield_ratio: of the biexciton over the exciton.
        dots: how many.
        seconds: seen.
    """
    preset = _preset("auger")
    exciton = replace(preset.dot.exciton, biexciton_yield_ratio=yield_ratio)
    setup = replace(preset.setup, efficiency=preset.setup.efficiency / dots, room_light_cps=50.0)
    preset = replace(preset, dot=replace(preset.dot, exciton=exciton), setup=setup)
    runs = [_run(preset, seconds, SEED + i) for i in range(dots)]
    joined = Photons.join([photons for _, photons in runs])
    order = np.lexsort((joined.nanotime, joined.pulse))
    photons = Photons(joined.pulse[order], joined.nanotime[order], joined.channel[order])
    g2 = _watched(runs[0][0].acquisition(), photons, seconds, LOW).g2
    return PairTest(g2.zero, g2.gated_zero, g2.gate_ns, g2.single_emitter)
