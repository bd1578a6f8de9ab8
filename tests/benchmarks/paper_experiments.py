"""How often the paper's experiments come out right, dot by dot, on the simulated presets.

    python tests/benchmarks/paper_experiments.py [DOTS] [PRESET ...]

Each dot runs through its preset's fluence protocol; the monitor sees photons only. Right means: every step
is called the type the paper reports (for a dot whose realised type differs, that type), the conversion is
flagged within 5 s of its true time and judged reversible or not as it was, and dots that do not convert
raise no conversion alert.
"""

import sys
import time
from dataclasses import dataclass

from hardware.sim import preset_names
from hardware.sim.simulation import DotSimulation
from hardware.sim.truth import Truth
from qdmon.analysis.monitor import Monitor
from qdmon.analysis.snapshot import Snapshot
from qdmon.daemon.protocol import load_protocol, protocol_for_preset
from streams.messages import End, Fluence, PhotonBatch, Segment, Session

CONVERTING = ("cdse-zns-2nm", "cdse-zns-2nm-oa", "cdse-zns-2nm-oam", "cdse-zns-2nm-thiol", "cdse-zns-3nm")
REVERSIBLE = ("mapbbr3", "cspbbr3-small", "cspbi3-small")


@dataclass
class Run:
    snapshot: Snapshot
    truth: Truth
    alerts: list[tuple[float, str]]
    cpu_s: float


def run(preset: str, seed: int) -> Run:
    """One dot through its protocol; alerts carry the stream time at which they were raised."""
    simulation = DotSimulation(preset, seed)
    acq = simulation.acquisition()
    monitor = Monitor()
    chunk = acq.pulses(0.05)
    monitor.feed(Session("0" * 32, 0, "benchmark", "simulated"))
    monitor.feed(Segment(0, acq))
    alerts: list[tuple[float, str]] = []
    cpu = 0.0
    position = 0
    for step in load_protocol(protocol_for_preset(preset)).steps:
        monitor.feed(Fluence(0, position, step.mean_excitation))
        stop = position + acq.pulses(step.duration_s)
        while position < stop:
            photons = simulation.advance(chunk, step.mean_excitation)
            start = time.process_time()
            events = monitor.feed(PhotonBatch(0, position, position + chunk, 0, photons))
            cpu += time.process_time() - start
            position += chunk
            alerts += [(acq.seconds(position), e.kind) for e in events if e.severity == "alert"]
    monitor.feed(End("done"))
    snapshot = monitor.snapshot()
    assert snapshot is not None
    return Run(snapshot, simulation.truth, alerts, cpu)


def faults_of(preset: str, result: Run) -> list[str]:
    """What came out other than it was; empty if the dot was read right."""
    snapshot, truth = result.snapshot, result.truth
    faults = []
    called = [s.call.blinking for s in snapshot.segments]
    for segment in snapshot.segments:
        start_s = segment.start_s
        converted = truth.conversion_s
        if converted is not None and segment.start_s < converted < segment.stop_s:
            start_s = min(converted + 1.5, segment.stop_s - 1)
        stop_s = min(segment.stop_s, truth.bleaching_s or segment.stop_s)
        if stop_s - start_s < 5:
            continue
        real = truth.window(start_s, stop_s).blinking
        if segment.call.blinking != real:
            faults.append(f"step at {segment.start_s:.0f} s called {segment.call.blinking}, was {real}")
    flagged = [t for t, kind in result.alerts if kind == "conversion"]
    reversible = [c.reversible for c in snapshot.conversions]
    if preset in CONVERTING:
        if truth.conversion_s is None:
            return [*faults, "did not convert"] if flagged else faults
        if not any(-0.5 <= t - truth.conversion_s <= 5 for t in flagged):
            faults.append(f"conversion at {truth.conversion_s:.1f} s flagged at {flagged}")
        if reversible[:1] != [False] or len(reversible) != 1:
            faults.append(f"judged {reversible}, types {called}")
    elif preset in REVERSIBLE:
        before, after, back = (truth.window(a, a + 25).blinking for a in (0, 25, 50))
        if before == after:
            return [*faults, f"false conversion alert at {flagged}"] if flagged else faults
        if not any(25 <= t <= 30 for t in flagged) or (back == before and reversible[:1] != [True]):
            faults.append(f"{before}, {after}, {back}: flagged at {flagged}, judged {reversible}")
    elif flagged:
        faults.append(f"false conversion alert at {flagged}")
    return faults


def main(dots: int, presets: list[str]) -> None:
    for preset in presets:
        right, delays, cpu = 0, [], 0.0
        for seed in range(1, dots + 1):
            result = run(preset, seed)
            cpu += result.cpu_s
            faults = faults_of(preset, result)
            right += not faults
            for fault in faults:
                print(f"    {preset} seed {seed}: {fault}", flush=True)
            if result.truth.conversion_s is not None:
                flagged = [t for t, kind in result.alerts if kind == "conversion"]
                delays += [t - result.truth.conversion_s for t in flagged[:1]]
        wait = f", alert {sorted(delays)[len(delays) // 2]:.1f} s after (median)" if delays else ""
        print(f"{preset:20s} right {right}/{dots}{wait}; analysis {cpu / dots:.1f} s CPU per dot", flush=True)


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    main(count, sys.argv[2:] or list(preset_names()))
