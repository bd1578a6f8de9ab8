"""The paper's experiments on simulated dots, photons and truth side by side."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from hardware.sim.simulation import DotSimulation
from hardware.sim.truth import Truth, WindowTruth
from qdmon.analysis.snapshot import SegmentResult
from streams.messages import End, Fluence, Message, PhotonBatch, Segment, Session
from tests.qdmon.analysis.builders import Watched, watch

__all__ = ["Experiment", "experiment", "messages_of"]


def messages_of(
    simulation: DotSimulation, steps: Sequence[tuple[float, float]], batch_s: float = 0.05
) -> Iterator[Message]:
    """A session in which the dot sees (<N>, seconds) one after the other."""
    acq = simulation.acquisition()
    yield Session("0" * 32, 0, "test", "simulated")
    yield Segment(0, acq)
    width = acq.pulses(batch_s)
    for mean_excitation, seconds in steps:
        yield Fluence(0, simulation.position, mean_excitation, origin="calibrated")
        stop = simulation.position + acq.pulses(seconds)
        while simulation.position < stop:
            first = simulation.position
            found = simulation.advance(min(width, stop - first), mean_excitation)
            yield PhotonBatch(0, first, simulation.position, 0, found)
    yield End("done")


@dataclass(frozen=True)
class Experiment:
    """What the monitor said, and what the dot did."""

    watched: Watched
    truth: Truth

    @property
    def segments(self) -> tuple[SegmentResult, ...]:
        return self.watched.snapshot.segments

    def types(self) -> list[str]:
        return [s.call.blinking for s in self.segments]

    def true_window(self, segment: int) -> WindowTruth:
        found = self.segments[segment]
        return self.truth.window(found.start_s, found.stop_s)


@cache
def experiment(preset: str, seed: int, steps: tuple[tuple[float, float], ...]) -> Experiment:
    """A simulated dot under a monitor; computed once and shared by the tests of a process."""
    simulation = DotSimulation(preset, seed)
    watched = watch(messages_of(simulation, steps))
    return Experiment(watched, simulation.truth)
