"""Reads a session's messages from its segment files in order: each once, and what is lost as gaps.

Every chunk repeats what held at its start (session, segment, fluence, laser, open gaps) under the
positions those messages had, so a reader may begin anywhere, and what a damaged chunk changed is known
again in the next.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from hardware.types import LossCause
from streams.messages import Gap, Message, PhotonBatch, Segment, Session
from streams.recording.codecs import codecs
from streams.recording.events import KINDS, PHOTON_CHANNEL, decode_event
from streams.recording.payload import PhotonHead, unpack_photons
from streams.recording.scan import ChunkHead, SegmentFile, records_of

__all__ = ["ChunkRead", "Kept", "Place", "Walk", "read_chunk"]


@dataclass(frozen=True, slots=True)
class Place:
    """A chunk in a file."""

    file: SegmentFile
    chunk: ChunkHead


@dataclass(frozen=True, slots=True)
class Kept:
    """A message with its position in the session and when it happened (Unix ns, for people).

    `made_up` says that it is a gap found by reading, which was not recorded.
    """

    pos: int
    unix_ns: int
    message: Message
    made_up: bool = False


@dataclass(frozen=True, slots=True)
class ChunkRead:
    """The messages of a chunk in order of position, and its photon head."""

    head: PhotonHead | None
    messages: tuple[Kept, ...]


def read_chunk(place: Place, since: int = 0) -> ChunkRead:
    """Read, check and decode a chunk.

    Args:
        place: the chunk.
        since: leave out what stands before this position of the session.

    Raises:
        ValueError: it is damaged, in one line.
        OSError: the disk failed.
    """
    content = place.chunk.content(place.file)
    if content is None:
        raise ValueError("damaged")
    head: PhotonHead | None = None
    found: list[Kept] = []
    for record in records_of(content):
        if record.channel == PHOTON_CHANNEL:
            if head is not None:
                raise ValueError("two photon records in a chunk")
            head, batches = unpack_photons(record.data, codecs())
            found += [Kept(pos, record.unix_ns, batch) for pos, batch in batches if pos >= since]
        elif record.channel in KINDS and record.pos >= since:
            found.append(Kept(record.pos, record.unix_ns, decode_event(record.channel, record.data)))
    return ChunkRead(head, tuple(sorted(found, key=lambda kept: kept.pos)))


@dataclass
class Walk:
    """One pass over the chunks of a session.

    Args:
        places: the chunks, in order.
        damaged: called with a line for everything found damaged on the way.
        passed: called before each chunk is read.

    Attributes:
        lost_messages: positions nobody has any more, photon batches included.
        bad_chunks: chunks that could not be read.
    """

    places: Sequence[Place]
    damaged: Callable[[str], None] = lambda _: None
    passed: Callable[[Place], None] = lambda _: None
    lost_messages: int = 0
    bad_chunks: int = 0
    _next: int | None = None
    _segment: int | None = None
    _stop: int = 0
    _gaps: list[Gap] = field(default_factory=list)

    def __iter__(self) -> Iterator[Kept]:
        broken = False
        for place in self.places:
            self.passed(place)
            try:
                read = read_chunk(place, self._next or 0)
            except ValueError as error:
                broken = True
                self.bad_chunks += 1
                self.damaged(
                    f"{place.file.path.name}: the block at byte {place.chunk.offset} is lost ({error})"
                )
                continue
            missing = self._missing(read)
            self.lost_messages += missing
            yield from self._of_chunk(read, broken or missing > 0)
            if read.messages:
                self._next = read.messages[-1].pos + 1
                broken = False

    def _missing(self, read: ChunkRead) -> int:
        """How many positions were passed over since the chunk before."""
        if self._next is None or not read.messages or read.head is None:
            return 0
        begins = read.head.pos
        repeated = sum(kept.pos < begins for kept in read.messages)
        return max(begins - self._next - repeated, 0)

    def _of_chunk(self, read: ChunkRead, broken: bool) -> Iterator[Kept]:
        announced = [kept.message for kept in read.messages if isinstance(kept.message, Gap)]
        filled = read.head is None
        for kept in read.messages:
            message = kept.message
            if isinstance(message, Segment):
                self._segment, self._stop, self._gaps = message.index, 0, []
            elif not isinstance(message, Session):
                if not filled and read.head is not None:
                    yield from self._hole(read.head, kept, announced, broken)
                    filled = True
                if isinstance(message, Gap):
                    self._gaps = [gap for gap in self._gaps if gap.stop_pulse > self._stop] + [message]
                elif isinstance(message, PhotonBatch):
                    if message.segment == self._segment and message.first_pulse < self._stop:
                        self.damaged(f"a batch at pulse {message.first_pulse} is there twice: left out")
                        continue
                    self._segment, self._stop = message.segment, message.stop_pulse
            yield kept

    def _hole(self, head: PhotonHead, at: Kept, announced: list[Gap], broken: bool) -> Iterator[Kept]:
        """A gap for pulses of this acquisition that nobody has, unless the recording itself says why."""
        if head.segment != self._segment or head.first_pulse <= self._stop:
            return
        known = [gap for gap in (*self._gaps, *announced) if gap.segment == head.segment]
        first = self._stop
        for gap in sorted(known, key=lambda gap: gap.first_pulse):
            if gap.first_pulse <= first:
                first = max(first, gap.stop_pulse)
        if first < head.first_pulse:
            cause = LossCause.FILE_DAMAGED if broken else LossCause.NOT_COVERED
            gap = Gap(head.segment, first, head.first_pulse, cause)
            yield Kept(at.pos, at.unix_ns, gap, made_up=True)
        self._stop = head.first_pulse
