"""Small sessions for the tests of the recording: quick to write, with everything a session can hold."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from hardware.types import LossCause
from streams.messages import (
    Alert,
    End,
    Fluence,
    Gap,
    LaserState,
    Marker,
    Message,
    PhotonBatch,
    Spectrum,
    Status,
)
from streams.recording import RecordingPolicy, SessionWriter, create_session, open_session
from tests.streams.wire_samples import PULSES_PER_BATCH, batch, same, segment, session

QUICK = RecordingPolicy(sync="never", flush_s=1e-3, ballast_bytes=0, reserve_bytes=0)
"""A chunk for every five batches of `wire_samples.batch` (0.2 ms each)."""

BATCHES = 60


def everything(batches: int = BATCHES, photons: int = 40) -> list[Message]:
    """A session with every kind of message, its batches without holes."""
    found: list[Message] = [session(), segment(), LaserState(0, 0, True, True, 500, 498)]
    for i in range(batches):
        pulse = i * PULSES_PER_BATCH
        if i % 20 == 0:
            found.append(Fluence(0, pulse, 0.05 * (i + 1), 100 + i, "calibrated"))
        if i % 15 == 7:
            found.append(Gap(0, pulse, pulse + 1500, LossCause.FIFO_OVERRUN, 3))
        if i % 9 == 4:
            found.append(Marker(0, pulse, "card", "marker 1"))
        if i % 25 == 10:
            wavelength_nm = np.linspace(600.0, 650.0, 32)
            found.append(Spectrum(0, pulse, pulse + 900, wavelength_nm, np.cos(wavelength_nm), 2.0))
        found.append(batch(i, photons))
    found += [Alert("a1", 0, pulse, "conversion", "alert", "it converted"), Status("stopping", "done")]
    return [*found, End("stopped")]


def written(
    parent: Path, messages: Iterable[Message], policy: RecordingPolicy = QUICK, *, close: bool = True
) -> Path:
    """A session directory with these messages."""
    folder = create_session(parent, "test", 1_700_000_000_000_000_000)
    writer = SessionWriter(folder, policy)
    for number, message in enumerate(messages):
        writer.add(message, 1_700_000_000_000_000_000 + number)
        if writer.due:
            writer.flush()
    if close:
        writer.close()
    else:
        writer.flush()
        writer.abandon()
    return folder


def read(path: Path) -> list[Message]:
    """All messages of a recording."""
    return list(open_session(path).messages())


def all_same(one: Sequence[Message], other: Sequence[Message]) -> bool:
    """Equal in number, order and every bit."""
    return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))


def assert_no_wrong_photon(found: Sequence[Message], original: Sequence[Message]) -> int:
    """Every batch read is one of those written, bit for bit, and the rest is announced as a gap.

    Returns:
        How many batches are missing.
    """
    batches = {m.first_pulse: m for m in original if isinstance(m, PhotonBatch)}
    stop = 0
    for message in found:
        if (
            isinstance(message, Gap)
            and message.first_pulse <= stop
            and message.cause
            in (
                LossCause.FILE_DAMAGED,
                LossCause.NOT_COVERED,
            )
        ):
            stop = message.stop_pulse
        elif isinstance(message, PhotonBatch):
            assert message.first_pulse == stop, "a hole without a gap"
            assert same(message, batches.pop(message.first_pulse))
            stop = message.stop_pulse
    return len(batches)
