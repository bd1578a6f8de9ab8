"""Which messages never arrived, and which pulses they covered: sequence numbers in, losses out."""

from dataclasses import dataclass

from hardware.types import LossCause
from streams.messages import Gap, Message, PhotonBatch
from streams.wire import Envelope, topic_of

__all__ = ["LossLedger", "Lost"]


@dataclass(frozen=True, slots=True)
class Lost:
    """Some messages of one topic are gone for good; `gap` says of which pulses, if they held photons."""

    topic: str
    messages: int
    gap: Gap | None


class LossLedger:
    """Follows the messages of one session in order and notices what is missing before each.

    Nothing is missing before the first message of a topic: it was sent before this subscriber looked.
    """

    def __init__(self) -> None:
        self._next_seq: dict[str, int] = {}
        self._end: tuple[int, int] | None = None  # segment and stop_pulse of the last batch

    def before(self, envelope: Envelope, message: Message) -> Lost | None:
        """What was lost between the previous message of its topic and this one."""
        topic = topic_of(message)
        missing = envelope.seq - self._next_seq.get(topic, envelope.seq)
        self._next_seq[topic] = envelope.seq + 1
        gap = None
        if isinstance(message, PhotonBatch):
            gap = self._gap(message) if missing > 0 else None
            self._end = (message.segment, message.stop_pulse)
        return Lost(topic, missing, gap) if missing > 0 else None

    def _gap(self, batch: PhotonBatch) -> Gap | None:
        """The pulses between two batches; of an earlier segment nobody knows how far it went on."""
        same_segment = self._end is not None and self._end[0] == batch.segment
        first = self._end[1] if self._end is not None and same_segment else 0
        if first >= batch.first_pulse:
            return None
        return Gap(batch.segment, first, batch.first_pulse, LossCause.MESSAGES_DROPPED)
