"""Golden rows 7 and 8 through everything: dot, spectrometer, daemon, wire, monitor.

The monitor is told all but the photons, on which no line depends: it would read them for most of the time.
The experiments of tests/qdmon/analysis/golden have both together.
"""

import numpy as np
import pytest

from hardware.sim import create_bench
from hardware.sim.card import SimulatedCard
from hardware.sim.truth import Truth
from qdmon.analysis.conversion.spectrum import peak_nm
from qdmon.analysis.monitor import Monitor
from qdmon.analysis.results.event import Event
from qdmon.analysis.snapshot import Snapshot
from qdmon.daemon.instruments import Instruments
from qdmon.daemon.levels import levels_for
from qdmon.daemon.protocol import FluenceProtocol, Step
from qdmon.daemon.run import Run
from qdmon.daemon.warm import warm_simulation
from streams.messages import Message, PhotonBatch, Segment, Spectrum
from streams.wire import Envelope, decode, encode
from tests.qdmon.daemon.tape import Tape

# A dot that converts four seconds into the strong step.
CONVERTING_SEED = 2
SPEED = 30.0


async def recorded(preset: str, seed: int, protocol: FluenceProtocol) -> tuple[Tape, Truth]:
    """An experiment on a simulated bench, and what the dot did."""
    bench = create_bench(preset=preset, seed=seed, speed=SPEED)
    assert isinstance(bench.card, SimulatedCard)
    instruments = Instruments(bench, max_permille=1000, consent=True)
    await instruments.compile(lambda: warm_simulation(preset))
    acquisition = await instruments.open({})
    per_permille = bench.mean_excitation_per_permille
    levels = levels_for(protocol, acquisition, per_permille)
    tape = Tape()
    run = Run(
        instruments, acquisition, tape, levels=levels, after="exit", mean_excitation_per_permille=per_permille
    )
    try:
        await run.run()
    finally:
        await instruments.close()
    return tape, bench.card.truth


def over_the_wire(message: Message, position: int) -> Message:
    frames = encode(message, Envelope("0" * 32, position, position, 0))
    return decode([bytes(frame) for frame in frames])[1]


def centres_nm(tape: Tape, start_s: float, stop_s: float) -> list[float]:
    """Centre of each frame taken within a window of the stream."""
    (segment,) = tape.of(Segment)
    seconds = segment.acquisition.seconds
    inside = [
        s for s in tape.of(Spectrum) if start_s <= seconds(s.first_pulse) and seconds(s.stop_pulse) <= stop_s
    ]
    found = [peak_nm(s.wavelength_nm, s.counts, s.excess_noise_factor).value for s in inside]
    return [value for value in found if value is not None]


def monitored(tape: Tape) -> tuple[Snapshot, list[Event]]:
    monitor = Monitor()
    events: list[Event] = []
    for position, message in enumerate(tape.messages):
        received = over_the_wire(message, position)
        events += monitor.feed(received) if not isinstance(received, PhotonBatch) else ()
    snapshot = monitor.snapshot()
    assert snapshot is not None
    return snapshot, events


async def test_row_8_the_line_of_a_converting_dot_goes_from_633_to_641_nm_and_stays() -> None:
    steps = FluenceProtocol("short", (Step(0.2, 10.0), Step(1.4, 14.0), Step(0.2, 10.0)))
    tape, truth = await recorded("cdse-zns-2nm", CONVERTING_SEED, steps)
    for start_s, expected_nm in ((4.0, 633.0), (18.5, 641.0), (27.0, 641.0)):
        centres = centres_nm(tape, start_s, start_s + 5.0)
        assert len(centres) >= 4
        assert float(np.mean(centres)) == pytest.approx(expected_nm, abs=0.5)
    snapshot, events = monitored(tape)
    assert snapshot.spectral_shift_nm.value == pytest.approx(8.0, abs=0.5)
    assert snapshot.peak_nm.value == pytest.approx(641.0, abs=1.5)
    (shift,) = [event for event in events if event.kind == "spectrum"]
    assert truth.conversion_s is not None
    assert abs(shift.time_s - truth.conversion_s) < 2.0


async def test_row_7_a_small_perovskite_turns_mixed_and_back_without_a_red_shift() -> None:
    steps = FluenceProtocol("short", (Step(0.1, 8.0), Step(1.0, 8.0), Step(0.1, 8.0)))
    tape, _ = await recorded("mapbbr3", 1, steps)
    snapshot, events = monitored(tape)
    assert [event.text for event in events if event.kind == "spectrum"] == []
    assert snapshot.spectral_shift_nm.value == pytest.approx(0.0, abs=0.5)
    assert len(tape.of(Spectrum)) >= 20
