"""The paper's experiments on simulated dots, photons and truth side by side."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from hardware.sim.presets import Preset
from hardware.sim.simulation import DotSimulation
from hardware.sim.spectra import EXCESS_NOISE_FACTOR, spectrum_counts, wavelengths_nm
from hardware.sim.truth import Truth, WindowTruth
from qdmon.analysis.results.segment import SegmentResult
from streams.messages import End, Fluence, Message, PhotonBatch, Segment, Session, Spectrum
from tests.qdmon.analysis.builders import Watched, watch

__all__ = ["Experiment", "experiment", "messages_of"]


def messages_of(
    simulation: DotSimulation,
    steps: Sequence[tuple[float, float]],
    batch_s: float = 0.05,
    *,
    frame_s: float | None = None,
) -> Iterator[Message]:
    """A session in which the dot sees (<N>, seconds) one after the other, with spectra every `frame_s`."""
    acq = simulation.acquisition()
    yield Session("0" * 32, 0, "test", "simulated")
    yield Segment(0, acq)
    width = acq.pulses(batch_s)
    frame = acq.pulses(frame_s) if frame_s is not None else None
    rng = np.random.default_rng(simulation.seed)
    exposed = 0
    for mean_excitation, seconds in steps:
        yield Fluence(0, simulation.position, mean_excitation, origin="calibrated")
        stop = simulation.position + acq.pulses(seconds)
        while simulation.position < stop:
            first = simulation.position
            found = simulation.advance(min(width, stop - first), mean_excitation)
            yield PhotonBatch(0, first, simulation.position, 0, found)
            if frame is not None and simulation.position >= exposed + frame:
                yield _spectrum(simulation, exposed, simulation.position, rng)
                exposed = simulation.position
    yield End("done")


def _spectrum(
    simulation: DotSimulation, first_pulse: int, stop_pulse: int, rng: np.random.Generator
) -> Spectrum:
    rate_hz = simulation.preset.setup.pulse_rate_hz
    start_s, stop_s = first_pulse / rate_hz, stop_pulse / rate_hz
    # A little earlier: the path is kept in pieces, and the exposure must lie inside them.
    counts = spectrum_counts(simulation.truth_since(max(start_s - 0.1, 0.0)), start_s, stop_s, rng)
    nm = wavelengths_nm(simulation.preset)
    return Spectrum(0, first_pulse, stop_pulse, nm, counts, EXCESS_NOISE_FACTOR)


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
def experiment(
    preset: str | Preset,
    seed: int,
    steps: tuple[tuple[float, float], ...],
    frame_s: float | None = None,
) -> Experiment:
    """A simulated dot under a monitor; computed once and shared by the tests of a process."""
    simulation = DotSimulation(preset, seed)
    watched = watch(messages_of(simulation, steps, frame_s=frame_s))
    return Experiment(watched, simulation.truth)
