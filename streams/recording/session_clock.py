"""Session time: nanoseconds on the pulse clock, running on over all acquisitions of a session."""

from streams.messages import Message, PhotonBatch, Segment

__all__ = ["SessionClock"]

PS_PER_NS = 1000.0
MAX_NS = 9e18  # 285 years


class SessionClock:
    """Follows a session's messages; an acquisition begins where the one before ended.

    Attributes:
        segment: index of the running acquisition.
        pulse: how far its batches have come.
    """

    def __init__(self) -> None:
        self.segment = 0
        self.pulse = 0
        self._began_ns = 0
        self._tick_ps = 0.0

    @property
    def now_ns(self) -> int:
        """Session time of the end of the last batch."""
        return self.at(self.pulse)

    def at(self, pulse: int) -> int:
        """Session time of a pulse of the running acquisition."""
        return min(self._began_ns + round(min(pulse * self._tick_ps / PS_PER_NS, MAX_NS)), round(MAX_NS))

    def of(self, message: Message) -> int:
        """Session time of a message: of its pulse if it has one in the running acquisition, else now."""
        if getattr(message, "segment", None) != self.segment:
            return self.now_ns
        pulse = getattr(message, "pulse", getattr(message, "first_pulse", None))
        return self.now_ns if pulse is None else self.at(pulse)

    def follow(self, message: Message) -> None:
        """Take the next message of the session."""
        if isinstance(message, Segment):
            self._began_ns, self.pulse = self.now_ns, 0
            self.segment = message.index
            self._tick_ps = message.acquisition.macro_tick_ps
        elif isinstance(message, PhotonBatch):
            self.segment, self.pulse = message.segment, message.stop_pulse
