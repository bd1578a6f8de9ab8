"""Runs the analysis once over made-up photons, so that its kernels are compiled before real ones come."""

from collections.abc import Iterator

import numpy as np

from hardware.types import Acquisition, Photons, RecordLayout
from qdmon.analysis.conversion.alarms import AlarmBudget
from qdmon.analysis.conversion.regimes import Mark
from qdmon.analysis.conversion.sequential import log_evidence
from qdmon.analysis.monitor import Monitor
from qdmon.daemon.warm import warm_records, warm_simulation
from streams.messages import End, Fluence, Message, PhotonBatch, Segment, Session
from streams.wire import Envelope, decode, encode

__all__ = ["warm_analysis", "warm_instruments"]

RATE_HZ = 5e6
BINS = 12_500
STEP_S = 2.0
BATCH_S = 0.05
COUNTS_PER_BATCH = 1_000


def warm_analysis() -> None:
    """Compile, or load from the cache, what a live session needs.

    Messages take the way over the wire first: kernels are compiled per array type, and arrays that came
    over the wire are read-only.
    """
    monitor = Monitor()
    for position, message in enumerate(_session()):
        monitor.feed(_over_the_wire(message, position))
        if isinstance(message, Fluence):
            monitor.snapshot()
    monitor.snapshot()
    # Made-up photons are of no single emitter: its blinks would not be asked for changes.
    log_evidence([Mark(0.1 * i, 0.1 * i + 0.01, 5.0, 0.01) for i in range(10)], AlarmBudget.of(1.0, ()))


def warm_instruments() -> None:
    """The same for all record layouts and the simulated bench."""
    from hardware.sim.presets import preset_names

    for layout in RecordLayout:
        warm_records(layout)
    for preset in preset_names():
        warm_simulation(preset)


def _over_the_wire(message: Message, position: int) -> Message:
    frames = encode(message, Envelope("0" * 32, position, position, 0))
    return decode([bytes(frame) for frame in frames])[1]


def _session() -> Iterator[Message]:
    acquisition = Acquisition(
        "T3", 1e12 / RATE_HZ, 16.0, BINS, (0, 1), RecordLayout.GENERIC_T3, "none", simulated=True
    )
    yield Session("0" * 32, 0, "qdmon", "simulated", "warm-up")
    yield Segment(0, acquisition)
    rng = np.random.default_rng(0)
    pulses = acquisition.pulses(BATCH_S)
    batches = round(STEP_S / BATCH_S)
    for step, mean_excitation in enumerate((0.2, 1.4, 0.2)):
        yield Fluence(0, step * batches * pulses, mean_excitation)
        for number in range(step * batches, (step + 1) * batches):
            yield _batch(number, pulses, rng)
    yield End("warm")


def _batch(number: int, pulses: int, rng: np.random.Generator) -> PhotonBatch:
    first, stop = number * pulses, (number + 1) * pulses
    dim = rng.random() < 0.3
    count = COUNTS_PER_BATCH // 4 if dim else COUNTS_PER_BATCH
    pulse = np.sort(rng.integers(first, stop, count)).astype(np.uint64)
    delay_ns = 4.0 + rng.exponential(5.0 if dim else 20.0, count)
    nanotime = np.minimum(delay_ns / 0.016, BINS - 1).astype(np.uint16)
    channel = rng.integers(0, 2, count).astype(np.uint8)
    return PhotonBatch(0, first, stop, 0, Photons(pulse, nanotime, channel))
