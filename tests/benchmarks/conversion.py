"""Conversions at a fluence step: how many are found, how soon, how well placed, and how many are invented.

    python -m tests.benchmarks.conversion [DOTS] [FIRST] [control]

Random dots (see population.py) in sweeps of three steps of 25 s, low, high and low fluence; kinds take turns:
Auger dots that turn BC for good by a dose of light, BC dots that Auger ionisation of multi-excitons makes
mixed or Auger at the high fluence, and Auger, BC and mixed dots whose law stays. The true instant is that
of the hidden law: the conversion of the first, the step of the second, which come back with the fluence. A
sweep counts as converting if the realised types on either side of the instant differ, and clearly; one just
across a border says nothing and is left out. Delays are given for all dots, and for those that blink by the
new law as often as the paper's: with others one waits.

An alert without a change of type in its stretch, or a second one, is a false alarm; going back with the
fluence is a change too. False alarms of dots whose share did move, to within 0.05 of the border of the type
told, are counted once more by themselves. With "control" only dots whose law stays take turns.
"""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from hardware.sim.dot import Charging, Conversion
from hardware.sim.optics import Setup
from hardware.sim.photophysics import brightness
from hardware.sim.presets import Preset
from hardware.sim.simulation import DotSimulation
from hardware.sim.state import Charge
from hardware.sim.trajectory import excited_twice
from hardware.sim.truth import Truth, WindowTruth
from qdmon.analysis.dot.verdict import AUGER_FROM, BC_TO
from qdmon.analysis.monitor import Monitor
from qdmon.analysis.results.blinking import Conversion as Found
from qdmon.analysis.snapshot import Snapshot
from streams.messages import End, Fluence, PhotonBatch, Segment, Session
from tests.benchmarks.population import random_dot

STEP_S = 25.0
STEADY = ("auger", "bc", "mixed")
KINDS = ("irreversible", "reversible", "irreversible", "reversible", *STEADY)
DIM, DIM_S = 0.7, 0.010
# A conversion placed further than this before or behind the instant is another one.
EARLY_S, NEAR_S = 1.0, 2.0
# Shares of the loss that differ less say nothing, whatever border lies between them.
CLEAR = 0.2
# Blinks per second of the paper's dots.
OFTEN_HZ = 2.8
# As near to a border is at it.
AT_BORDER = 0.05


@dataclass(frozen=True)
class Sweep:
    """One dot: what it was made to do, what it did, what was said of it.

    Attributes:
        alerts: (when told, when it is said to have happened) of each conversion.
    """

    kind: str
    seed: int
    truth: Truth
    snapshot: Snapshot
    alerts: list[float]
    cpu_s: float

    @property
    def instant_s(self) -> float | None:
        """When the hidden law changed."""
        if self.kind == "irreversible":
            return self.truth.conversion_s
        return STEP_S if self.kind == "reversible" else None


def sweep(seed: int, kinds: Sequence[str] = KINDS) -> Sweep:
    """Simulate a dot of one of the kinds through the steps and watch it."""
    kind = kinds[seed % len(kinds)]
    rng = np.random.default_rng([seed, 77])
    preset, low = _dot_of(kind, seed, rng)
    high = float(rng.uniform(0.9, 1.5))
    simulation = DotSimulation(preset, seed)
    acq = simulation.acquisition()
    monitor = Monitor()
    monitor.feed(Session("0" * 32, 0, "benchmark", "simulated"))
    monitor.feed(Segment(0, acq))
    alerts: list[float] = []
    cpu, chunk = 0.0, acq.pulses(0.05)
    for level in (low, high, low):
        monitor.feed(Fluence(0, simulation.position, level))
        for _ in range(round(STEP_S / 0.05)):
            first = simulation.position
            photons = simulation.advance(chunk, level)
            begun = time.process_time()
            events = monitor.feed(PhotonBatch(0, first, simulation.position, 0, photons))
            cpu += time.process_time() - begun
            alerts += [acq.seconds(simulation.position) for e in events if e.kind == "conversion"]
    alerts += [3 * STEP_S for e in monitor.feed(End("done")) if e.kind == "conversion"]
    snapshot = monitor.snapshot()
    assert snapshot is not None
    return Sweep(kind, seed, simulation.truth, snapshot, alerts, cpu)


def _dot_of(kind: str, seed: int, rng: np.random.Generator) -> tuple[Preset, float]:
    """A random dot of the standard population with a law that changes, or not; and its low <N>."""
    blinking = {"irreversible": 0, "reversible": 1, "auger": 0, "bc": 1, "mixed": 2}[kind]
    drawn = random_dot("standard", 100.0 if rng.random() < 0.5 else 200.0, 4 * (1000 + seed) + blinking)
    preset = replace(drawn.preset, name=f"sweep-{kind}")
    dot, setup = preset.dot, preset.setup
    if kind == "irreversible":
        traps = random_dot("standard", 200.0, 4 * (1000 + seed) + 1).preset.dot.traps
        assert traps is not None
        dot = replace(
            dot,
            conversion=Conversion(
                threshold=0.6,
                dose_shape=4.0,
                dose_mean_s=float(rng.uniform(1.0, 6.0)),
                traps=traps,
                onset_s=float(rng.uniform(0.05, 0.3)),
                charging_factor=0.003,
                intensity_loss=float(rng.uniform(0.0, 0.2)),
                shift_nm=8.0,
                shift_s=1.0,
            ),
        )
    if kind == "reversible":
        dot = replace(dot, charging=_multi_exciton_charging(rng, setup))
    return replace(preset, dot=dot), drawn.mean_excitation


def _multi_exciton_charging(rng: np.random.Generator, setup: Setup) -> Charging:
    slow_hz = float(rng.uniform(3.0, 12.0))
    return Charging(
        single=0.0,
        multiple=float(rng.uniform(5.0, 15.0)) / (setup.pulse_rate_hz * excited_twice(1.0)),
        neutralisation_hz=(slow_hz, slow_hz * 5),
    )


def windows_of(run: Sweep) -> list[WindowTruth]:
    """What the dot did before the instant, behind it, and after the return."""
    instant_s, settled_s = run.instant_s, 0.0
    if run.kind == "irreversible":
        settled_s = 1.0
    if instant_s is None:
        instant_s = STEP_S
    edges = ((0.0, instant_s), (instant_s + settled_s, 2 * STEP_S), (2 * STEP_S, 3 * STEP_S))
    return [run.truth.window(a, b) for a, b in edges]


class Waits(NamedTuple):
    """What there is to wait for behind the instant.

    Attributes:
        anything_s: until the dot has been dim for 10 ms altogether, by anything.
        new_s: the same, by the new law.
        blinks_hz: by the new law, while it holds.
    """

    anything_s: float
    new_s: float
    blinks_hz: float


def waits_of(run: Sweep) -> Waits:
    """How long a sweep makes one wait."""
    instant_s = run.instant_s
    assert instant_s is not None
    path = run.truth.path.between(instant_s, 3 * STEP_S)
    dim = brightness(run.truth.preset.dot.exciton, path) < DIM
    charged = path.charge != Charge.NEUTRAL
    new = dim & (~charged if run.kind == "irreversible" else charged)
    waits: list[float] = []
    for lit in (dim, new):
        spent = np.cumsum(path.duration_s * lit)
        at = min(int(np.searchsorted(spent, DIM_S)), len(path) - 1)
        waits.append(float(path.stop_s[at] - max(spent[at] - DIM_S, 0.0)) - instant_s)
    stop_s = (3 if run.kind == "irreversible" else 2) * STEP_S
    begun = new & ~np.concatenate([[False], new[:-1]]) & (path.stop_s <= stop_s)
    anything_s, new_s = waits
    return Waits(anything_s, new_s, float(begun.sum()) / (stop_s - instant_s))


@dataclass
class Scores:
    """Figures of all sweeps so far."""

    converting: int = 0
    found: int = 0
    false: int = 0
    at_border: int = 0
    hours: float = 0.0
    cpu_s: float = 0.0
    waits: list[Waits] = field(default_factory=list)
    delays: list[tuple[float, Waits]] = field(default_factory=list)
    misplaced: list[float] = field(default_factory=list)
    inside: list[bool] = field(default_factory=list)
    returns_right: list[bool] = field(default_factory=list)

    def take(self, run: Sweep) -> str:
        """Add a sweep; what there is to say of it."""
        self.hours += 3 * STEP_S / 3600
        self.cpu_s += run.cpu_s
        windows = windows_of(run)
        types = [w.blinking for w in windows]
        shares = [w.auger_share or 0.0 for w in windows]
        named = "/".join(f"{t} {s:.2f}" for t, s in zip(types, shares, strict=True))
        note = f"{run.seed:4d} {run.kind:13s} {named:34s}"
        alerts = list(zip(run.alerts, run.snapshot.conversions, strict=True))
        moved = abs(shares[1] - shares[0]) > CLEAR
        if run.instant_s is not None and None not in types and types[0] != types[1] and moved:
            hit, said = self._hit(run, types, alerts)
            note += said
            back = types[2] != types[1]
            others = [
                (t, c)
                for t, c in alerts
                if c is not hit and not (back and abs(c.time_s - 2 * STEP_S) < NEAR_S + 2 * c.time_error_s)
            ]
        else:
            others = alerts if types[0] == types[1] == types[2] else []
        self.false += len(others)
        for t, c in others:
            border = max(shares) - min(shares) > CLEAR and any(_nearly(s, c) for s in shares)
            self.at_border += border
            kind = "AT A BORDER" if border else "FALSE"
            note += f"; {kind} at {t:.1f} s: {c.before} -> {c.after} at {c.time_s:.2f} s"
        return f"{note}   [{run.cpu_s:.1f} s]"

    def _hit(
        self, run: Sweep, types: Sequence[str | None], alerts: list[tuple[float, Found]]
    ) -> tuple[Found | None, str]:
        instant_s = run.instant_s
        assert instant_s is not None
        self.converting += 1
        waits = waits_of(run)
        hits = [(t, c) for t, c in alerts if -EARLY_S <= c.time_s - instant_s <= NEAR_S and t >= instant_s]
        if not hits:
            return None, " MISSED"
        told_s, hit = hits[0]
        self.found += 1
        self.delays.append((told_s - instant_s, waits))
        self.misplaced.append(abs(hit.time_s - instant_s))
        self.inside.append(self.misplaced[-1] <= hit.time_error_s)
        self.returns_right.append(hit.reversible is (run.kind == "reversible"))
        return hit, (
            f" delay {told_s - instant_s:.2f} s (dim {waits.anything_s:.2f}, anew {waits.new_s:.2f},"
            f" {waits.blinks_hz:.1f} /s)"
            f", off {self.misplaced[-1]:.2f} s, {hit.before} -> {hit.after}, reversible {hit.reversible}"
        )

    def summary(self, dots: int) -> str:
        """All of it in a few lines."""
        lines = [f"false alarms {self.false}, {self.at_border} of them at a border, in {self.hours:.2f} h"]
        lines += [f"{self.cpu_s / dots:.1f} s CPU per sweep"]
        if self.converting:
            lines += [f"found {self.found}/{self.converting} = {100 * self.found / self.converting:.1f} %"]
        for least_hz in (0.0, OFTEN_HZ):
            delays = [(d, w) for d, w in self.delays if w.blinks_hz >= least_hz]
            if delays:
                lines += [f"{len(delays)} that blink by the new law {least_hz:g} times a second or more:"]
                lines += [f"  wait for 10 ms of dim light: {_spread([w.anything_s for _, w in delays])}"]
                lines += [f"  by the new law: {_spread([w.new_s for _, w in delays])}"]
                lines += [f"  delay of the alert: {_spread([d for d, _ in delays])}"]
        if self.found:
            lines += [f"time error: {_spread(self.misplaced)}"]
            lines += [f"within the 68 % interval: {100 * np.mean(self.inside):.0f} %"]
            lines += [f"reversibility right: {sum(self.returns_right)}/{self.found}"]
        return "\n".join(lines)


def _nearly(share: float, found: Found) -> bool:
    """Whether a share is all but that of a pure type that an alert names."""
    bc, auger = (kind in (found.before, found.after) for kind in ("bc", "auger"))
    return (bc and BC_TO <= share < BC_TO + AT_BORDER) or (
        auger and AUGER_FROM - AT_BORDER < share <= AUGER_FROM
    )


def _spread(values: list[float]) -> str:
    median, p90 = np.percentile(values, [50, 90])
    return f"median {median:.2f} s, p90 {p90:.2f} s"


def main(dots: int, first: int, kinds: Sequence[str]) -> None:
    scores = Scores()
    for seed in range(first, first + dots):
        print(scores.take(sweep(seed, kinds)), flush=True)
    print(scores.summary(dots))


if __name__ == "__main__":
    words = sys.argv[1:]
    numbers = [int(a) for a in words if a.isdigit()]
    count, start = [*numbers, *[21, 0][len(numbers) :]]
    main(count, start, STEADY if "control" in words else KINDS)
