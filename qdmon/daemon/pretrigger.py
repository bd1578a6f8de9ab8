"""The last seconds of a session, kept in memory, so that a recording begins before somebody asked for it."""

from collections import deque

from hardware.types import Photons
from streams.messages import Message, PhotonBatch, Segment, Spectrum
from streams.opening import Opening

__all__ = ["PreTrigger"]

_SMALL = 200  # bytes counted for a message without columns


class PreTrigger:
    """Keeps messages of the last `keep_s` of stream time, and what held when they began.

    Args:
        keep_s: stream time, s; 0 keeps the state only.
        keep_bytes: bound of what is kept.
    """

    def __init__(self, keep_s: float, keep_bytes: int = 256 << 20) -> None:
        self._keep_s = keep_s
        self._keep_bytes = keep_bytes
        self._opening = Opening()
        self._kept: deque[tuple[Message, float]] = deque()  # with the stream time when it came
        self._now_s = 0.0
        self._segment: Segment | None = None
        self._bytes = 0
        self._photons = 0

    @property
    def bytes(self) -> int:
        """About how much memory is used."""
        return self._bytes

    @property
    def rate_cps(self) -> float | None:
        """Photons per second of what is kept; None for less than a second."""
        span_s = self._now_s - self._kept[0][1] if self._kept else 0.0
        return self._photons / span_s if span_s >= 1.0 else None

    def add(self, message: Message) -> None:
        """The next message of the session."""
        if isinstance(message, Segment):
            self._segment = message
        elif isinstance(message, PhotonBatch) and self._segment is not None:
            pulses = message.stop_pulse - message.first_pulse
            self._now_s += self._segment.acquisition.seconds(pulses)
        self._kept.append((message, self._now_s))
        self._count(message, 1)
        while self._kept and (
            self._kept[0][1] <= self._now_s - self._keep_s or self._bytes > self._keep_bytes
        ):
            oldest, _ = self._kept.popleft()
            self._count(oldest, -1)
            self._opening.pass_over(oldest)

    def messages(self) -> list[Message]:
        """The beginning of a recording: what holds, then what is kept, in order."""
        return [*self._opening.messages(), *(message for message, _ in self._kept)]

    def _count(self, message: Message, sign: int) -> None:
        size = _SMALL
        if isinstance(message, PhotonBatch):
            size += _photon_bytes(message.photons)
            self._photons += sign * len(message.photons)
        elif isinstance(message, Spectrum):
            size += message.counts.nbytes + message.wavelength_nm.nbytes
        self._bytes += sign * size


def _photon_bytes(photons: Photons) -> int:
    return photons.pulse.nbytes + photons.nanotime.nbytes + photons.channel.nbytes
