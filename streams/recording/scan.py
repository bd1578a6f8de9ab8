"""Finds the chunks of a segment file, whatever happened to it: chunk by chunk, past damage by searching.

Nothing a file states is believed before it was checked, and nothing is allocated beyond fixed bounds. What
the file's own index says is not used at all: stepping from chunk to chunk is as fast, and works for files
that were never closed.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from streams.recording.events import PHOTON_CHANNEL
from streams.recording.names import PART
from streams.recording.payload import HEAD_BYTES, MAGIC, PhotonHead, read_head

__all__ = [
    "MCAP_MAGIC",
    "ChunkHead",
    "Damage",
    "Found",
    "Record",
    "SegmentFile",
    "records_of",
    "scan",
]

MCAP_MAGIC = b"\x89MCAP0\r\n"
MAX_CHUNK = 256 << 20
MAX_SKIPPED = 64 << 20  # the largest record between chunks that is stepped over

HEADER, FOOTER, SCHEMA, CHANNEL, MESSAGE, CHUNK, MESSAGE_INDEX, DATA_END = 1, 2, 3, 4, 5, 6, 7, 15
_SKIPPED = frozenset(
    {HEADER, SCHEMA, CHANNEL, MESSAGE_INDEX, 9, 12}
)  # attachments and metadata are nobody's here

_RECORD = struct.Struct("<BQ")
_CHUNK = struct.Struct(
    "<BQQQQIIQ"
)  # opcode, length, start, end, size, crc, length of compression, stored size
_MESSAGE = struct.Struct("<HIQQ")
_INDEX = struct.Struct("<BQHI")  # opcode, length, channel, length of the entries
_LEAST_CHUNK = _CHUNK.size - _RECORD.size
_PHOTONS_AT = _CHUNK.size + _RECORD.size + _MESSAGE.size  # of the magic, in a chunk that begins with photons
_WINDOW = 4096
_SEARCH = 1 << 20


class SegmentFile:
    """Random access to a file that may be growing, or closed under its final name meanwhile.

    It is opened for each read, so that a recording can be kept as long as one likes.

    Attributes:
        path: where it was found.
        size: bytes, at that time.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = path.stat().st_size

    def read(self, offset: int, size: int) -> bytes:
        """Up to `size` bytes; fewer at the end. OSError if the disk fails."""
        try:
            file = self.path.open("rb")
        except FileNotFoundError:
            if not self.path.name.endswith(PART):
                raise
            file = self.path.with_name(self.path.name.removesuffix(PART)).open("rb")
        with file:
            file.seek(offset)
            return file.read(size)


@dataclass(frozen=True, slots=True)
class ChunkHead:
    """A chunk as its head describes it; whether its content is intact is known when it is read.

    Attributes:
        offset: of the chunk in the file.
        start_ns: session time of its first message.
        stop_ns: session time of its last message.
        size: of its records, bytes.
        crc: CRC-32 of its records.
        photons: head of its photon record; None in the chunk a file begins with.
    """

    offset: int
    start_ns: int
    stop_ns: int
    size: int
    crc: int
    photons: PhotonHead | None

    @property
    def stop(self) -> int:
        """Offset of what follows."""
        return self.offset + _CHUNK.size + self.size

    def content(self, file: SegmentFile) -> bytes | None:
        """The records of the chunk; None if they are not what was written."""
        data = file.read(self.offset + _CHUNK.size, self.size)
        return data if len(data) == self.size and zlib.crc32(data) == self.crc else None


@dataclass(frozen=True, slots=True)
class Damage:
    """The bytes [start, stop) of a file are not what was written there."""

    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Found:
    """What a file holds.

    Attributes:
        chunks: in order.
        damage: where its structure is broken.
        closed_at: offset of the end of the data section; None if the file was never closed.
    """

    chunks: tuple[ChunkHead, ...]
    damage: tuple[Damage, ...]
    closed_at: int | None


@dataclass(frozen=True, slots=True)
class Record:
    """One MCAP message in a chunk."""

    channel: int
    pos: int
    session_ns: int
    unix_ns: int
    data: memoryview
    offset: int


def scan(file: SegmentFile) -> Found:
    """The chunks of a file, found in one pass over their heads."""
    chunks: list[ChunkHead] = []
    damage: list[Damage] = []
    offset = 0 if file.read(0, len(MCAP_MAGIC)) != MCAP_MAGIC else len(MCAP_MAGIC)
    if not offset:
        damage.append(Damage(0, len(MCAP_MAGIC)))
        offset = len(MCAP_MAGIC)
    trusted = offset  # where the last chunk ended: a record behind it may lie about its length
    while offset < file.size:
        step = _step(file, offset)
        if isinstance(step, ChunkHead):
            chunks.append(step)
            trusted = offset = step.stop
        elif step is None:
            found = _search(file, trusted + 1)
            damage.append(Damage(offset if found > offset else trusted, found))
            offset = found
        elif isinstance(step, _DataEnd):
            return Found(tuple(chunks), tuple(damage), step.offset)
        else:
            offset = step
    return Found(tuple(chunks), tuple(damage), None)


def records_of(content: bytes) -> Iterator[Record]:
    """The messages in the records of a chunk.

    Raises:
        ValueError: the records are not well formed.
    """
    view, offset = memoryview(content), 0
    while offset < len(view):
        if len(view) - offset < _RECORD.size:
            raise ValueError("a record is cut off")
        opcode, size = _RECORD.unpack_from(view, offset)
        start = offset + _RECORD.size
        if size > len(view) - start:
            raise ValueError("a record is longer than its chunk")
        if opcode == MESSAGE:
            if size < _MESSAGE.size:
                raise ValueError("a message is cut off")
            channel, pos, session_ns, unix_ns = _MESSAGE.unpack_from(view, start)
            data = view[start + _MESSAGE.size : start + size]
            yield Record(channel, pos, session_ns, unix_ns, data, offset)
        offset = start + size


@dataclass(frozen=True, slots=True)
class _DataEnd:
    offset: int


def _step(file: SegmentFile, offset: int) -> ChunkHead | _DataEnd | int | None:
    """The chunk at an offset, the end of the data, or the offset to look at next; None for damage."""
    window = file.read(offset, _WINDOW)
    at = 0
    while len(window) - at >= (_INDEX.size if at else _RECORD.size):
        opcode, size = _RECORD.unpack_from(window, at)
        here = offset + at
        if opcode == CHUNK:
            chunk = _chunk(file.read(here, _PHOTONS_AT + HEAD_BYTES), here, file.size)
            return chunk if chunk is not None or not at else here
        if opcode == DATA_END:
            if size == 4 and here + _RECORD.size + size <= file.size:
                return _DataEnd(here)
            return here if at else None
        if opcode not in _SKIPPED or size > MAX_SKIPPED or here + _RECORD.size + size > file.size:
            return here if at else None
        if opcode == MESSAGE_INDEX and not _sane_index(window[at : at + _INDEX.size]):
            return here if at else None
        at += _RECORD.size + size
    return offset + at if at else None


def _sane_index(head: bytes) -> bool:
    if len(head) < _INDEX.size:
        return False
    _, size, _, entries = _INDEX.unpack(head)
    return bool(size == entries + _INDEX.size - _RECORD.size and not entries % 16)


def _chunk(window: bytes, offset: int, file_size: int) -> ChunkHead | None:
    """The chunk whose first bytes are given; None if its numbers contradict each other."""
    if len(window) < _CHUNK.size:
        return None
    opcode, length, start_ns, stop_ns, size, crc, no_compression, stored = _CHUNK.unpack_from(window)
    if opcode != CHUNK or no_compression or not length == stored + _LEAST_CHUNK == size + _LEAST_CHUNK:
        return None
    if size > MAX_CHUNK or offset + _CHUNK.size + size > file_size:
        return None
    photons = None
    if window[_PHOTONS_AT : _PHOTONS_AT + len(MAGIC)] == MAGIC:
        channel = _MESSAGE.unpack_from(window, _CHUNK.size + _RECORD.size)[0]
        photons = read_head(window[_PHOTONS_AT : _PHOTONS_AT + HEAD_BYTES])
        if photons is None or channel != PHOTON_CHANNEL:
            return None
    return ChunkHead(offset, start_ns, stop_ns, size, crc, photons)


def _search(file: SegmentFile, offset: int) -> int:
    """Where the next chunk with a photon record begins; the end of the file if there is none."""
    at = offset + _PHOTONS_AT
    while at < file.size:
        block = file.read(at, _SEARCH + len(MAGIC))
        i = block.find(MAGIC)
        while i >= 0:
            start = at + i - _PHOTONS_AT
            if _chunk(file.read(start, _PHOTONS_AT + HEAD_BYTES), start, file.size) is not None:
                return start
            i = block.find(MAGIC, i + 1)
        if len(block) < _SEARCH:
            break
        at += _SEARCH
    return file.size
