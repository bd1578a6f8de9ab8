"""Writes a session's messages into segment files, in the caller's thread.

A chunk is sealed in memory and then written; a sealed chunk is kept until it is known to be on the disk,
so that whatever fails, the next segment file begins with it.
"""

import json
import secrets
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

from streams import columns, schema
from streams.messages import (
    Alert,
    End,
    Fluence,
    Gap,
    LaserState,
    Message,
    PhotonBatch,
    Segment,
    Session,
)
from streams.recording.events import ABOUT_CHANNEL, PHOTON_CHANNEL, encode_event, is_recorded
from streams.recording.files import Files
from streams.recording.names import segment_name, session_name
from streams.recording.payload import MAX_BATCHES, PlaneCodec, ZstdPlanes, follows, pack_photons
from streams.recording.policy import Position, RecordingError, RecordingPolicy
from streams.recording.segment import SegmentWriter
from streams.recording.session_clock import SessionClock

__all__ = ["FORMAT_VERSION", "SessionWriter", "create_session"]

FORMAT_VERSION = 1
MAX_MESSAGES = 1 << 32
MAX_EVENT_BYTES = 4 << 20  # of a chunk
NS_PER_S = 1e9

_URGENT = (Session, Segment, Fluence, LaserState, Alert, End)


@dataclass(frozen=True, slots=True)
class _Record:
    """A message without photons, as it goes into a file."""

    channel: int
    pos: int
    session_ns: int
    unix_ns: int
    data: bytes


@dataclass(frozen=True, slots=True)
class _Start:
    """Where a chunk begins.

    Attributes:
        pos: position of its first message.
        session_ns: session time of its first pulse.
        here: segment and pulse of its first batch, or what the stream has come to.
        in_force: messages that hold there, in order.
    """

    pos: int
    session_ns: int
    here: tuple[int, int]
    in_force: tuple[_Record, ...]


@dataclass(frozen=True, slots=True)
class _Chunk:
    """What is written at once: one photon record, what held before it, and what happened in it."""

    start: _Start
    unix_ns: int
    photons: bytes
    events: tuple[_Record, ...]
    end: Position


def create_session(parent: Path, title: str, unix_ns: int, files: Files | None = None) -> Path:
    """Make a new session directory and return it.

    Raises:
        RecordingError: it cannot be made.
    """
    files = files or Files()
    folder = parent / session_name(unix_ns, title, secrets.token_hex(4))
    try:
        parent.mkdir(parents=True, exist_ok=True)
        files.make_folder(folder)
        files.sync_folder(parent)
    except OSError as error:
        reason = error.strerror or str(error)
        raise RecordingError(f"cannot record to {parent} ({reason}): choose another folder") from error
    return folder


class SessionWriter:
    """Puts messages into chunks and chunks into segment files.

    Args:
        folder: the session directory; it is there.
        policy: see `RecordingPolicy`; here its flush and segment bounds count, by session time.
        files: the system.
        codec: of the photon columns.
        about: what else to say of how this recording was made, in every segment file.

    Attributes:
        written: everything before it was handed to the system.
        durable: everything before it was forced to the disk.
        files_begun: number of the newest segment file.
    """

    def __init__(
        self,
        folder: Path,
        policy: RecordingPolicy,
        *,
        files: Files | None = None,
        codec: PlaneCodec | None = None,
        about: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.written = Position()
        self.durable = Position()
        self.files_begun = 0
        self._policy = policy
        self._files = files or Files()
        self._codec = codec or ZstdPlanes()
        self._software = f"qdmon {version('qdmon')}"
        self._about = {"format": "qdmon-recording", "version": FORMAT_VERSION, "writer": self._software}
        self._about |= about or {}
        self._clock = SessionClock()
        self._end = Position()
        self._in_force: dict[type, _Record] = {}
        self._open_gaps: list[tuple[int, _Record]] = []
        self._start: _Start | None = None
        self._batches: list[tuple[int, PhotonBatch]] = []
        self._photons = 0
        self._events: list[_Record] = []
        self._event_bytes = 0
        self._unix_ns = 0
        self._urgent = False
        self._ready: deque[_Chunk] = deque()
        self._unsynced: list[_Chunk] = []
        self._segment: SegmentWriter | None = None
        self._segment_ns = 0
        self._segment_ready = False
        self._closed_bytes = 0

    @property
    def bytes(self) -> int:
        """Size of all segment files."""
        return self._closed_bytes + (self._segment.size if self._segment is not None else 0)

    @property
    def urgent(self) -> bool:
        """Something waits that should be on disk at once: an alert, a fluence step, a word of the laser."""
        return self._urgent

    @property
    def due(self) -> bool:
        """A chunk is full: call `flush`."""
        if self._ready:
            return True
        long = self._start is not None and (
            self._clock.now_ns - self._start.session_ns >= self._policy.flush_s * NS_PER_S
        )
        return long or self._photons >= self._policy.flush_photons or self._event_bytes >= MAX_EVENT_BYTES

    def add(self, message: Message, unix_ns: int) -> None:
        """Take the next message, in memory only; `unix_ns` is when it happened, for people.

        Raises:
            ValueError: no reader would accept it; it was not taken.
        """
        if not is_recorded(message):
            return
        if self._end.messages >= MAX_MESSAGES:
            raise ValueError("a recording cannot hold more messages: begin a new one")
        if isinstance(message, PhotonBatch):
            self._add_batch(message, unix_ns)
        else:
            self._add_event(message, unix_ns)
        self._unix_ns = unix_ns

    def flush(self) -> None:
        """Write everything taken so far; OSError if the system refuses, then try again or `new_segment`."""
        self._seal()
        while self._ready:
            self._write(self._ready[0])
            chunk = self._ready.popleft()
            self.written = chunk.end
            if self._policy.sync != "never":
                self._unsynced.append(chunk)
        self._urgent = False

    def sync(self) -> None:
        """Force everything written to the disk; OSError: do not trust this file further, `new_segment`."""
        if self._segment is not None and self._unsynced:
            self._segment.sync()
            self._is_durable()

    def new_segment(self) -> None:
        """Let go of the present file and begin another with everything not known to be safe; OSError."""
        self._drop_segment()
        self._ready.extendleft(reversed(self._unsynced))
        self._unsynced.clear()
        self.flush()

    def finish_segment(self) -> None:
        """Close the present file in good order; the next `flush` begins another. OSError."""
        if self._segment is None:
            return
        self._segment.finish()
        self._closed_bytes += self._segment.size
        self._segment = None
        self._is_durable()

    def close(self) -> None:
        """Write what is left and close in good order; OSError."""
        self.flush()
        self.finish_segment()

    def abandon(self) -> None:
        """Let go of everything as it is; never raises."""
        self._drop_segment()

    def _add_batch(self, batch: PhotonBatch, unix_ns: int) -> None:
        columns.check_photons(batch.photons, batch.first_pulse, batch.stop_pulse)
        schema.parse(PhotonBatch, schema.plain(batch) | {"n": len(batch.photons), "codec": "raw"})
        if batch.first_pulse > batch.stop_pulse:
            raise ValueError("first_pulse is after stop_pulse")
        n = len(batch.photons)
        if self._batches and (
            not follows(self._batches[-1][1], batch)
            or self._photons + n > columns.MAX_PHOTONS
            or len(self._batches) == MAX_BATCHES
        ):
            self._seal()
        here = (batch.segment, batch.first_pulse)
        if self._start is not None and not self._batches and self._start.here != here:
            self._seal()
        pos = self._begin_chunk(unix_ns, here)
        self._batches.append((pos, batch))
        self._photons += n
        self._clock.follow(batch)
        self._end = Position(pos + 1, self._end.photons + n, batch.segment, batch.stop_pulse)

    def _add_event(self, message: Message, unix_ns: int) -> None:
        channel, data = encode_event(message)
        if isinstance(message, Segment):
            self._seal()
            here = (message.index, 0)
        else:
            here = (self._clock.segment, self._clock.pulse)
        pos = self._begin_chunk(unix_ns, here)
        self._clock.follow(message)
        record = _Record(channel, pos, self._clock.of(message), unix_ns, data)
        self._events.append(record)
        self._event_bytes += len(data)
        self._end = replace(self._end, messages=pos + 1)
        self._urgent = self._urgent or isinstance(message, _URGENT)
        if isinstance(message, Segment):
            self._in_force.pop(Fluence, None)
            self._open_gaps.clear()
        if isinstance(message, Session | Segment | Fluence | LaserState):
            self._in_force[type(message)] = record
        elif isinstance(message, Gap) and message.segment == self._clock.segment:
            self._open_gaps.append((message.stop_pulse, record))

    def _begin_chunk(self, unix_ns: int, here: tuple[int, int]) -> int:
        """Note what holds at the start of a chunk, if none is in the making; position of the next message."""
        pos = self._end.messages
        if self._start is None:
            self._open_gaps = [(stop, gap) for stop, gap in self._open_gaps if stop > self._clock.pulse]
            in_force = (*self._in_force.values(), *(gap for _, gap in self._open_gaps))
            session_ns = self._clock.at(here[1]) if here[0] == self._clock.segment else self._clock.now_ns
            in_order = tuple(sorted(in_force, key=lambda record: record.pos))
            self._start = _Start(pos, session_ns, here, in_order)
            self._unix_ns = unix_ns
        return pos

    def _seal(self) -> None:
        start = self._start
        if start is None:
            return
        photons = pack_photons(
            self._batches, pos=start.pos, session_ns=start.session_ns, here=start.here, codec=self._codec
        )
        self._ready.append(_Chunk(start, self._unix_ns, photons, tuple(self._events), self._end))
        self._start = None
        self._batches, self._photons = [], 0
        self._events, self._event_bytes = [], 0

    def _write(self, chunk: _Chunk) -> None:
        if self._segment is not None and not self._segment_ready:
            old_ns = chunk.start.session_ns - self._segment_ns
            if old_ns >= self._policy.segment_s * NS_PER_S:
                self.finish_segment()
        if self._segment is None:
            self._open(chunk)
        segment = self._segment
        if segment is None:
            return
        if not self._segment_ready:
            segment.add(PHOTON_CHANNEL, chunk.start.pos, chunk.start.session_ns, chunk.unix_ns, chunk.photons)
            for record in chunk.start.in_force:
                segment.add(record.channel, record.pos, chunk.start.session_ns, record.unix_ns, record.data)
            for record in chunk.events:
                segment.add(record.channel, record.pos, record.session_ns, record.unix_ns, record.data)
            self._segment_ready = True
        segment.commit()
        self._segment_ready = False

    def _open(self, chunk: _Chunk) -> None:
        """Begin a segment file with a chunk that says what it is and what holds at its start."""
        number = self.files_begun + 1
        segment = SegmentWriter(self.folder / segment_name(number), self._files, self._software)
        about = json.dumps(self._about | {"file": number}, sort_keys=True).encode()
        try:
            segment.add(ABOUT_CHANNEL, chunk.start.pos, chunk.start.session_ns, chunk.unix_ns, about)
            for record in chunk.start.in_force:
                segment.add(record.channel, record.pos, chunk.start.session_ns, record.unix_ns, record.data)
            segment.commit()
            self._files.sync_folder(self.folder)
        except OSError:
            segment.abandon()
            if segment.committed:
                self.files_begun = number
                self._closed_bytes += segment.committed
            raise
        self.files_begun = number
        self._segment, self._segment_ns, self._segment_ready = segment, chunk.start.session_ns, False

    def _drop_segment(self) -> None:
        segment, self._segment, self._segment_ready = self._segment, None, False
        if segment is not None:
            segment.abandon()
            self._closed_bytes += segment.committed

    def _is_durable(self) -> None:
        self.durable = self.written
        self._unsynced.clear()
