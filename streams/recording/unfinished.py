"""What a crash leaves at the end of a segment file, and sessions that ended before anything was in them."""

import struct
from collections.abc import Sequence

from streams.formats.recording import FormatError
from streams.recording.names import PART
from streams.recording.payload import MAGIC
from streams.recording.scan import (
    CHANNEL,
    CHUNK,
    HEADER,
    MCAP_MAGIC,
    MESSAGE_INDEX,
    SCHEMA,
    Found,
    SegmentFile,
)

__all__ = ["NOTHING_YET", "EmptyRecordingError", "ends_in_cut_block", "holds_nothing_yet"]

NOTHING_YET = "nothing was recorded yet"
MAX_HEAD = 1 << 20

_RECORD = struct.Struct("<BQ")
_LENGTHS = struct.Struct("<BQQQQIIQ")


class EmptyRecordingError(FormatError):
    """A session was begun, and its first block was never written."""


def ends_in_cut_block(file: SegmentFile, start: int) -> bool:
    """Whether a file never closed ends, from `start` on, in a block cut short as a crash leaves it."""
    tail = file.read(start, _LENGTHS.size)
    if tail[:1] == bytes([MESSAGE_INDEX]):  # compared with its chunk elsewhere
        return True
    if len(tail) < _LENGTHS.size:
        return bytes([CHUNK]).startswith(tail[:1])
    opcode, length, _, _, size, _, no_compression, stored = _LENGTHS.unpack(tail)
    same = length - _LENGTHS.size + _RECORD.size == size == stored
    return bool(opcode == CHUNK and not no_compression and same and start + _RECORD.size + length > file.size)


def holds_nothing_yet(files: Sequence[tuple[SegmentFile, Found]]) -> bool:
    """Whether a session is one unclosed file that is as it should be, as far as it goes, without photons.

    A damaged file that held photons is not taken for one: their mark would be in it.
    """
    if len(files) != 1:
        return False
    file, found = files[0]
    if not file.path.name.endswith(PART) or found.closed_at is not None:
        return False
    if any(chunk.photons is not None or chunk.content(file) is None for chunk in found.chunks):
        return False
    if file.size < len(MCAP_MAGIC):
        return MCAP_MAGIC.startswith(file.read(0, len(MCAP_MAGIC)))
    stop = file.size
    for damage in found.damage:
        if damage.stop < file.size or not _is_cut(file, damage.start):
            return False
        stop = damage.start
    start = found.chunks[-1].stop if found.chunks else 0
    return stop - start <= MAX_HEAD and MAGIC not in file.read(start, stop - start)


def _is_cut(file: SegmentFile, start: int) -> bool:
    """Whether the file ends there in something cut short: its first block of photons, or what goes before."""
    tail = file.read(start, MAX_HEAD + 1)
    if tail[:1] == bytes([CHUNK]):
        return ends_in_cut_block(file, start)
    if len(tail) > MAX_HEAD or MAGIC in tail or tail[0] not in (HEADER, SCHEMA, CHANNEL, MESSAGE_INDEX):
        return False
    return len(tail) < _RECORD.size or _RECORD.size + _RECORD.unpack_from(tail)[1] > len(tail)
