"""A short simulated session with everything a live one has, as a recording."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np

from hardware.sim.simulation import DotSimulation
from hardware.types import Acquisition, LossCause
from streams.formats import Recording
from streams.messages import Fluence, Gap, Marker, Message, PhotonBatch, Segment, Session, Spectrum
from tests.qdmon.analysis.simulated import messages_of

__all__ = ["STEPS", "acquisition", "photons_in", "session"]

STEPS = ((0.2, 2.0), (0.6, 2.0))
CHANGING_S = 0.05


@cache
def _messages() -> tuple[Acquisition, tuple[Message, ...]]:
    simulation = DotSimulation("cdse-zns-2nm", 2)
    return simulation.acquisition(), tuple(messages_of(simulation, STEPS))


def acquisition() -> Acquisition:
    return _messages()[0]


def photons_in(messages: Iterator[Message]) -> int:
    return sum(len(m.photons) for m in messages if isinstance(m, PhotonBatch))


def _with_events(messages: tuple[Message, ...]) -> Iterator[Message]:
    """The fluence changes for a moment; a gap, a card marker, a note and a spectrum lie on the way."""
    acq = acquisition()
    at = acq.pulses(3.0)
    for message in messages:
        if isinstance(message, Fluence) and message.pulse > 0:
            yield Fluence(0, message.pulse, None)
            continue
        if isinstance(message, PhotonBatch) and message.first_pulse == acq.pulses(2.0 + CHANGING_S):
            yield Fluence(0, message.first_pulse, STEPS[1][0])
        if isinstance(message, PhotonBatch) and message.first_pulse <= at < message.stop_pulse:
            yield Gap(0, at, at + acq.pulses(0.02), LossCause.FIFO_OVERRUN, 5)
            yield Marker(0, at, "card", "marker 1 + 3")
            yield Marker(0, at, "operator", "look here")
            yield Spectrum(0, 0, at, np.arange(500.0, 504.0), np.ones(4))
        yield message


class _Recorded(Recording):
    def messages(self, batch_s: float = 0.05) -> Iterator[Message]:
        return _with_events(_messages()[1])


def session(path: Path, acq: Acquisition | None = None) -> Recording:
    """The session; `path` is a file that stands for where it was read from."""
    path.write_bytes(b"the recording")
    messages = _messages()[1]
    first = messages[0]
    assert isinstance(first, Session)
    assert isinstance(messages[1], Segment)
    stop = max(m.stop_pulse for m in messages if isinstance(m, PhotonBatch))
    photons = photons_in(iter(messages))
    return _Recorded(path, first, acq or acquisition(), {}, (), photons, stop, lambda: iter(()))
