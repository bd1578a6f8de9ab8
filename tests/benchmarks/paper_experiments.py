"""How often the paper's experiments come out right, dot by dot, on the simulated presets.

    python tests/benchmarks/paper_experiments.py [DOTS] [PRESET ...]

Each dot runs through its preset's fluence protocol; the monitor sees photons only. Right means: every step
is called what the dot really did in it, by the definitions of the types, the conversion of a dot with a dose
threshold is flagged within 5 s of its instant, a change of type between steps within the step, either is
judged reversible or not as it was, and nothing else raises a conversion alert. "undetermined" counts as
wrong. (A step has no instant of change: its first seconds may well realise the old type.)
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
    real = [_realised(truth, s.start_s, s.stop_s) for s in snapshot.segments]
    faults = [
        f"step at {s.start_s:.0f} s called {s.call.blinking}, was {was}"
        for s, was in zip(snapshot.segments, real, strict=True)
        if was is not None and s.call.blinking != was
    ]
    flagged = [t for t, kind in result.alerts if kind == "conversion"]
    if preset in CONVERTING:
        changes, patience_s = [truth.conversion_s] if truth.conversion_s is not None else [], 5.0
    else:
        pairs = zip(snapshot.segments, real[:-1], real[1:], strict=False)
        changes = [s.stop_s for s, a, b in pairs if a is not None and b is not None and a != b]
        patience_s = 25.0
    missed = [c for c in changes if not any(-0.5 <= t - c <= patience_s for t in flagged)]
    false = [t for t in flagged if not any(-0.5 <= t - c <= patience_s for c in changes)]
    faults += [f"change at {c:.1f} s not flagged in time, alerts at {flagged}" for c in missed]
    faults += [f"false conversion alert at {t:.1f} s" for t in false]
    if changes and not missed and real[2] is not None and real[0] != real[1]:
        back = snapshot.conversions[0].reversible
        if back is not (real[2] == real[0]):
            faults.append(f"types {real}, reversible judged {back}")
    return faults


def _realised(truth: Truth, start_s: float, stop_s: float) -> str | None:
    """What the dot really did in a step: after its conversion, before its bleaching; None if too short."""
    converted = truth.conversion_s
    if converted is not None and start_s < converted < stop_s:
        start_s = min(converted + 1.5, stop_s - 1)
    stop_s = min(stop_s, truth.bleaching_s or stop_s)
    return truth.window(start_s, stop_s).blinking if stop_s - start_s >= 5 else None


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
