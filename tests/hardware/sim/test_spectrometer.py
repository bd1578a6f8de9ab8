"""The simulated spectrometer as an instrument: gated by the card, blind to how it is read."""

import math
from itertools import pairwise

import numpy as np
import pytest

from hardware.protocols import SpectrometerError
from hardware.sim import create_bench
from hardware.sim.card import SimulatedCard
from hardware.sim.faults import Faults
from hardware.sim.simulation import DotSimulation
from hardware.sim.spectrometer import SimulatedSpectrometer
from hardware.types import SpectrumFrame, Verification

CHUNKS_PER_SECOND = 20
PULSES_PER_SECOND = 5_000_000


class Watched:
    """A card and a spectrometer on the same dot, both running."""

    def __init__(self, *, faults: Faults | None = None, exposure_s: float = 1.0, seed: int = 1) -> None:
        simulation = DotSimulation("cdse-zns-2nm", seed, faults=faults)
        self.spectrometer = SimulatedSpectrometer(simulation, exposure_s=exposure_s)
        self.card = SimulatedCard(
            simulation, lambda: 0.2, speed=math.inf, faults=faults, witness=self.spectrometer.see
        )
        self.card.open()
        self.card.configure()
        self.spectrometer.open()
        self.axis = self.spectrometer.configure()
        self.card.start()
        self.spectrometer.start()

    def frames(self, seconds: float) -> list[SpectrumFrame]:
        """Let the card run, then read every frame."""
        for _ in range(round(seconds * CHUNKS_PER_SECOND)):
            self.card.read()
        found = []
        while (frame := self.spectrometer.read()) is not None:
            found.append(frame)
        return found


def test_frames_follow_each_other_pulse_by_pulse_a_second_each() -> None:
    frames = Watched().frames(3.5)
    assert [frame.pulses for frame in frames] == [
        (i * PULSES_PER_SECOND, (i + 1) * PULSES_PER_SECOND) for i in range(3)
    ]
    assert all(len(frame.counts) == 301 for frame in frames)


def test_a_frame_shows_the_dot_of_its_own_pulses() -> None:
    watched = Watched(exposure_s=0.1)
    frames = watched.frames(1.6)
    path = watched.card.truth
    light = [path.trace(0.1 * i, 0.1 * (i + 1), 0.1)[0] for i in range(len(frames))]
    counts = [float(frame.counts.sum()) for frame in frames]
    assert len(frames) == 16
    assert np.corrcoef(light, counts)[0, 1] > 0.95


def test_host_times_enclose_the_exposure_and_follow_each_other() -> None:
    frames = Watched().frames(3.0)
    assert all(frame.began_ns < frame.ended_ns for frame in frames)
    assert all(a.ended_ns <= b.began_ns for a, b in pairwise(frames))


def test_a_reader_that_is_late_finds_the_same_frames() -> None:
    late = Watched().frames(3.0)
    prompt_bench = Watched()
    prompt = [frame for _ in range(3) for frame in prompt_bench.frames(1.0)]
    for a, b in zip(late, prompt, strict=True):
        np.testing.assert_array_equal(a.counts, b.counts)


def test_nobody_reading_costs_old_frames_and_not_memory() -> None:
    frames = Watched(exposure_s=0.1).frames(3.0)
    assert len(frames) == 16
    assert frames[-1].pulses == (14_500_000, 15_000_000)


def test_photons_are_the_same_whether_or_not_somebody_takes_spectra() -> None:
    def words(witnessed: bool) -> list[np.ndarray[tuple[int], np.dtype[np.uint32]]]:
        bench = create_bench(preset="cdse-zns-2nm", seed=3, speed=math.inf)
        assert bench.spectrometer is not None
        bench.card.open()
        bench.card.start()
        if witnessed:
            bench.spectrometer.open()
            bench.spectrometer.start()
        found = []
        for _ in range(30):
            found.append(bench.card.read().words)
            if witnessed and len(found) == 20:
                assert bench.spectrometer.read() is not None
        return found

    for a, b in zip(words(witnessed=True), words(witnessed=False), strict=True):
        np.testing.assert_array_equal(a, b)


def test_without_sync_the_exposure_goes_on_and_the_pulses_stand_still() -> None:
    (frame,) = Watched(faults=Faults(sync_losses=((0.2, 0.4),))).frames(1.0)
    assert frame.pulses == (0, round(0.8 * PULSES_PER_SECOND))


def test_a_new_segment_begins_a_new_exposure() -> None:
    watched = Watched()
    watched.frames(0.5)
    watched.card.stop()
    watched.card.start()
    (frame,) = watched.frames(1.0)
    assert frame.pulses == (0, PULSES_PER_SECOND)


def test_stopping_drops_the_unfinished_frame_only() -> None:
    watched = Watched()
    for _ in range(25):
        watched.card.read()
    watched.spectrometer.stop()
    assert len(watched.frames(2.0)) == 1


def test_calls_out_of_order_are_refused_in_one_line() -> None:
    spectrometer = SimulatedSpectrometer(DotSimulation("mapbbr3", 1))
    for call in (spectrometer.configure, spectrometer.start, spectrometer.read):
        with pytest.raises(SpectrometerError, match="not open"):
            call()
    assert spectrometer.open().verification is Verification.COMPLETE
    spectrometer.close()
    spectrometer.close()


@pytest.mark.parametrize("exposure_s", [0.0, -1.0, math.inf, math.nan])
def test_an_exposure_that_is_none_is_refused(exposure_s: float) -> None:
    with pytest.raises(ValueError, match="exposure"):
        SimulatedSpectrometer(DotSimulation("mapbbr3", 1), exposure_s=exposure_s)


def test_recent_truth_is_the_end_of_the_whole_truth() -> None:
    simulation = DotSimulation("mapbbr3", 2)
    simulation.advance(25_000_000, 0.3)
    whole, recent = simulation.truth.path.between(1.3, 2.5), simulation.truth_since(1.3).path
    np.testing.assert_array_equal(whole.start_s, recent.start_s)
    np.testing.assert_array_equal(whole.charge, recent.charge)
