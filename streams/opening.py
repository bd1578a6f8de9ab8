"""How a session is begun in its middle: what held there, said first.

Used where a recording starts after the daemon did, and where a replay starts after the recording did.
"""

from hardware.types import LossCause
from streams.messages import Fluence, Gap, LaserState, Message, PhotonBatch, Segment, Session, Status

__all__ = ["Opening"]

_STATES = (Fluence, LaserState, Status)


class Opening:
    """Passes over the messages before some point and keeps what still holds after them."""

    def __init__(self) -> None:
        self._session: Session | None = None
        self._segment: Segment | None = None
        self._states: dict[type, Message] = {}
        self._gaps: list[Gap] = []
        self._stop_pulse = 0

    @property
    def segment(self) -> Segment | None:
        """The segment that runs at that point; None before the first."""
        return self._segment

    @property
    def stop_pulse(self) -> int:
        """End of the last batch passed over."""
        return self._stop_pulse

    def pass_over(self, message: Message) -> None:
        """The next message of the session comes before the point."""
        if isinstance(message, Session):
            self._session = message
        elif isinstance(message, Segment):
            self._segment, self._stop_pulse = message, 0
            self._gaps.clear()
            for kind in (Fluence, LaserState):  # what they said was on another time base
                self._states.pop(kind, None)
        elif isinstance(message, PhotonBatch):
            self._stop_pulse = message.stop_pulse
            self._gaps = [gap for gap in self._gaps if gap.stop_pulse > message.stop_pulse]
        elif isinstance(message, Gap):
            self._gaps.append(message)
        elif isinstance(message, _STATES):
            self._states[type(message)] = message

    def messages(self) -> list[Message]:
        """What a session that goes on from the point begins with.

        Session and segment, if they have come; the last fluence, laser state and status; the pulses that
        were passed over, as a gap, because their darkness means nothing; and losses that reach beyond.
        """
        first = [message for message in (self._session, self._segment) if message is not None]
        states = [self._states[kind] for kind in _STATES if kind in self._states]
        passed: list[Message] = []
        if self._segment is not None and self._stop_pulse:
            passed.append(Gap(self._segment.index, 0, self._stop_pulse, LossCause.NOT_COVERED))
        return [*first, *states, *passed, *self._gaps]
