"""What happened in a recording beside photons, with the time it happened."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, get_args

from hardware.types import Acquisition
from streams.messages import (
    Alert,
    Fluence,
    Gap,
    LaserState,
    Marker,
    Message,
    PhotonBatch,
    Segment,
    Spectrum,
    Status,
)

__all__ = ["EventKind", "RecordedEvent", "check_kinds", "events_of"]

EventKind = Literal["fluence", "laser", "marker", "alert", "gap", "spectrum", "status"]

_Message = Fluence | LaserState | Marker | Alert | Gap | Spectrum | Status

_KINDS: dict[type[_Message], EventKind] = {
    Fluence: "fluence",
    LaserState: "laser",
    Marker: "marker",
    Alert: "alert",
    Gap: "gap",
    Spectrum: "spectrum",
    Status: "status",
}


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """One thing that happened.

    Attributes:
        time_s: when it began, in s since the start of the recording, on the clock of the pulses.
        kind: what it is.
        message: all of it, see `streams.messages`.
    """

    time_s: float
    kind: EventKind
    message: _Message


def check_kinds(kinds: Iterable[str]) -> frozenset[str]:
    """The kinds wanted, all if none is named.

    Raises:
        ValueError: one is unknown; the message lists them.
    """
    known: tuple[str, ...] = get_args(EventKind)
    wanted = frozenset(kinds)
    if unknown := wanted - set(known):
        raise ValueError(f"unknown kind of event {sorted(unknown)[0]!r}: there are {', '.join(known)}")
    return wanted or frozenset(known)


def events_of(messages: Iterable[Message], wanted: frozenset[str]) -> Iterator[RecordedEvent]:
    """The events of these kinds among the messages of a session, in their order."""
    acquisition: Acquisition | None = None
    segment, began_s, now_s = 0, 0.0, 0.0
    for message in messages:
        if isinstance(message, Segment):
            acquisition, segment, began_s = message.acquisition, message.index, now_s
        elif isinstance(message, PhotonBatch):
            if acquisition is not None:
                now_s = began_s + acquisition.seconds(message.stop_pulse)
        elif isinstance(message, _Message) and (kind := _KINDS[type(message)]) in wanted:
            pulse = _pulse(message, segment)
            if pulse is not None and acquisition is not None:
                yield RecordedEvent(began_s + acquisition.seconds(pulse), kind, message)
            else:
                yield RecordedEvent(now_s, kind, message)


def _pulse(message: _Message, segment: int) -> int | None:
    """Where it begins in the running segment; None where only its place among the others tells."""
    if isinstance(message, Status) or message.segment != segment:
        return None
    return message.first_pulse if isinstance(message, Gap | Spectrum) else message.pulse
