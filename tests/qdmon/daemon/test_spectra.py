"""Spectra in a run: after their photons, on the right pulses, and never a reason to stop counting."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.protocols import Bench, SpectrometerError
from hardware.sim import create_bench
from hardware.types import DeviceInfo, SpectralAxis, SpectrumFrame, Verification
from qdmon.daemon.instruments import Instruments
from qdmon.daemon.pulse_map import PulseMap
from qdmon.daemon.run import Run
from qdmon.daemon.steps import Level
from streams.messages import End, Message, PhotonBatch, Spectrum, Status
from tests.qdmon.daemon.bench import PER_PERMILLE, PULSES_PER_BLOCK, RATE_HZ, Log, SteppingCard, make_bench
from tests.qdmon.daemon.tape import Tape

AXIS = SpectralAxis(np.linspace(600.0, 660.0, 16), 0.1, 2.0)
LEVELS = (Level(0.2, 20, int(1000 * RATE_HZ)),)


class SteppingSpectrometer:
    """Each frame is exposed while the card reads on.

    Its counts hold the card's position: 0 not after, 1 not before the beginning, 2 not after, 3 not before
    the end of the exposure.
    """

    def __init__(self, log: Log, card: SteppingCard) -> None:
        self.log = log
        self.card = card
        self.fail_in = ""
        self.synchronised = False
        self.pixels = len(AXIS.wavelength_nm)
        self.axis = AXIS
        self.frames = 0
        self.running = False

    def _step(self, name: str) -> None:
        self.log.note(f"spectrometer {name}")
        if self.fail_in == name:
            raise SpectrometerError("the cooler is too warm")

    def open(self) -> DeviceInfo:
        self._step("open")
        return DeviceInfo("spectrometer", "paper spectrometer", "0", "test", Verification.COMPLETE)

    def configure(self) -> SpectralAxis:
        self._step("configure")
        return self.axis

    def start(self) -> None:
        self._step("start")
        self.running = True

    def read(self) -> SpectrumFrame | None:
        if not self.running:
            return None
        self.frames += 1
        if self.frames == 4:
            self._step("read")
        counts = np.zeros(self.pixels)
        counts[0] = self.card.position
        began_ns = time.monotonic_ns()
        counts[1] = self.card.position
        while self.card.running and self.card.position < counts[1] + 3 * PULSES_PER_BLOCK:
            time.sleep(0)
        counts[2] = self.card.position
        ended_ns = time.monotonic_ns()
        counts[3] = self.card.position
        pulses = (int(counts[1]), int(counts[2])) if self.synchronised else None
        return SpectrumFrame(counts, began_ns, ended_ns, pulses)

    def stop(self) -> None:
        self.running = False
        self._step("stop")

    def close(self) -> None:
        self._step("close")


def bench_with_spectrometer() -> tuple[Bench, SteppingSpectrometer, Log]:
    bench, card, _, log = make_bench()
    spectrometer = SteppingSpectrometer(log, card)
    return replace(bench, spectrometer=spectrometer), spectrometer, log


def spectra_taken(number: int) -> Callable[[Tape], bool]:
    return lambda tape: len(tape.of(Spectrum)) >= number


async def run_bench(
    bench: Bench, enough: Callable[[Tape], bool], levels: Sequence[Level] = LEVELS
) -> tuple[Tape, Instruments]:
    """Run until there is enough on the tape."""
    instruments = Instruments(bench, max_permille=1000, consent=True)
    acquisition = await instruments.open({})
    asked: list[Message] = []

    def then(message: Message) -> None:
        if not asked and enough(tape):
            asked.append(message)
            run.stop("enough")

    tape = Tape(then)
    run = Run(instruments, acquisition, tape, levels=levels, mean_excitation_per_permille=PER_PERMILLE)
    try:
        await run.run()
    finally:
        await instruments.close()
    return tape, instruments


def follow_their_photons(messages: list[Message]) -> bool:
    published = 0
    for message in messages:
        if isinstance(message, PhotonBatch):
            published = message.stop_pulse
        elif isinstance(message, Spectrum) and message.stop_pulse > published:
            return False
    return True


async def test_spectra_follow_the_photons_of_their_exposure() -> None:
    bench, *_ = bench_with_spectrometer()
    tape, _ = await run_bench(bench, spectra_taken(4))
    assert follow_their_photons(tape.messages)
    assert isinstance(tape.messages[-1], End)


async def test_an_exposure_known_by_host_time_lies_within_the_pulses_it_is_given() -> None:
    bench, *_ = bench_with_spectrometer()
    tape, _ = await run_bench(bench, spectra_taken(4))
    for spectrum in tape.of(Spectrum):
        earliest, first, stop, latest = spectrum.counts[:4].tolist()
        assert spectrum.first_pulse <= first
        assert spectrum.stop_pulse >= stop
        # No farther out than a read under way and, at the end, the one after it.
        assert spectrum.first_pulse >= earliest - 2 * PULSES_PER_BLOCK
        assert spectrum.stop_pulse <= latest + 2 * PULSES_PER_BLOCK


async def test_a_synchronised_instrument_says_its_pulses_itself() -> None:
    bench, spectrometer, _ = bench_with_spectrometer()
    spectrometer.synchronised = True
    tape, _ = await run_bench(bench, spectra_taken(4))
    found = tape.of(Spectrum)
    assert [(s.first_pulse, s.stop_pulse) for s in found] == [tuple(s.counts[1:3].tolist()) for s in found]
    assert follow_their_photons(tape.messages)


async def test_it_starts_after_the_card_and_stops_after_the_laser_and_before_the_card() -> None:
    bench, _, log = bench_with_spectrometer()
    await run_bench(bench, spectra_taken(1))
    expected = ["card start", "spectrometer start", "emission off", "spectrometer stop", "card stop"]
    assert log.order(*expected) == expected
    assert log.order("laser close", "spectrometer close", "card close")[0] == "laser close"


@pytest.mark.parametrize("step", ["open", "configure", "start", "read", "stop", "close"])
async def test_a_failing_spectrometer_never_costs_a_photon(step: str) -> None:
    bench, spectrometer, _ = bench_with_spectrometer()
    spectrometer.fail_in = step
    expected = Status("running", "no spectra: the cooler is too warm")
    at_the_end = step in ("stop", "close")

    def enough(tape: Tape) -> bool:
        photons = sum(len(batch.photons) for batch in tape.of(PhotonBatch))
        return photons > 1000 and (at_the_end or expected in tape.messages)

    tape, instruments = await run_bench(bench, enough)
    assert tape.messages[-1] == End("enough")
    assert (expected in tape.messages) != at_the_end
    photons = [batch.photons.pulse for batch in tape.of(PhotonBatch)]
    np.testing.assert_array_equal(np.diff(np.concatenate(photons)), 1000)
    assert ("spectrometer" in instruments.identities) == (step not in ("open", "configure"))
    assert "fault" not in [status.state for status in tape.of(Status)]


async def test_a_frame_of_the_wrong_size_or_with_nonsense_in_it_is_not_published() -> None:
    bench, spectrometer, _ = bench_with_spectrometer()
    spectrometer.pixels += 1
    tape, _ = await run_bench(bench, lambda _: spectrometer.frames >= 6)
    assert tape.of(Spectrum) == []
    assert tape.messages[-1] == End("enough")


async def test_a_calibration_that_does_not_ascend_is_refused_in_words() -> None:
    bench, spectrometer, _ = bench_with_spectrometer()
    spectrometer.axis = replace(AXIS, wavelength_nm=AXIS.wavelength_nm[::-1].copy())
    tape, _ = await run_bench(bench, lambda tape: len(tape.of(PhotonBatch)) > 10)
    assert any("do not ascend" in status.text for status in tape.of(Status))


async def test_a_bench_without_spectrometer_has_no_spectra_and_says_nothing_of_it() -> None:
    bench, *_ = make_bench()
    tape, _ = await run_bench(bench, lambda tape: len(tape.of(PhotonBatch)) > 10)
    assert tape.of(Spectrum) == []
    assert not any("spectra" in status.text for status in tape.of(Status))


async def test_the_simulated_bench_gives_a_spectrum_a_second_of_stream_to_the_end_at_any_speed() -> None:
    bench = create_bench(preset="cdse-zns-2nm", seed=1, speed=40.0)
    asked_at = 30_000_000
    tape, instruments = await run_bench(
        bench,
        lambda tape: bool(tape.of(PhotonBatch)) and tape.of(PhotonBatch)[-1].stop_pulse >= asked_at,
        (Level(0.2, 80, 10**9),),
    )
    spectra = tape.of(Spectrum)
    assert all(s.stop_pulse - s.first_pulse == 5_000_000 for s in spectra)
    assert all(a.stop_pulse == b.first_pulse for a, b in pairwise(spectra))
    assert spectra[-1].stop_pulse > asked_at - 5_000_000, "what was exposed by then is taken along"
    assert follow_their_photons(tape.messages)
    assert "simulated spectrometer" in instruments.identities["spectrometer"]


def test_what_is_not_known_yet_or_no_more_is_none() -> None:
    reads = PulseMap()
    assert reads.first_pulse(5) == 0
    assert reads.stop_pulse(5) is None
    reads.note(began_ns=6, returned_ns=8, position=100, seen=120)
    assert reads.stop_pulse(5) == 120
    assert reads.stop_pulse(7) is None, "that read had begun before"
    for i in range(20_000):
        reads.note(10 + 2 * i, 11 + 2 * i, 100 + i, 120 + i)
    assert reads.first_pulse(5) is None, "forgotten"


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(1, 50)), min_size=3, max_size=30), st.data())
def test_pulses_counted_at_a_moment_lie_between_the_bounds(
    waits: list[tuple[int, int]], data: st.DataObject
) -> None:
    """One pulse a nanosecond; a read takes along what was counted when it began, and maybe later ones."""
    reads = PulseMap()
    now = 0
    for idle, busy in waits:
        began, now = now + idle, now + idle + busy
        taken = data.draw(st.integers(began, now))
        reads.note(began, now, taken, taken)
    moment = data.draw(st.integers(0, now))
    first, stop = reads.first_pulse(moment), reads.stop_pulse(moment)
    assert first is not None
    assert first <= moment
    assert stop is None or moment <= stop
