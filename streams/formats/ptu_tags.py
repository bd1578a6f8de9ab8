"""The tag list at the head of a PTU file: reading it with suspicion, writing it plainly.

A tag is 48 bytes: a name of 32 characters, an index (-1: not in an array), a type code, and 8 bytes that
are the value, or the number of bytes of a value that follows.
"""

import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from streams.formats.recording import FormatError
from streams.text import clean_text

__all__ = ["MAGIC", "TagValue", "pack_tag", "read_tags"]

MAGIC = b"PQTTTR\x00\x00"
MAGIC_AND_VERSION_BYTES = 16
END = "Header_End"

MOST_TAGS = 20_000
LONGEST_TEXT_BYTES = 65_536

_TAG = struct.Struct("<32siI8s")
_EMPTY, _BOOL, _INT, _BITS, _COLOR, _FLOAT, _DATE = (
    0xFFFF_0008,
    0x0000_0008,
    0x1000_0008,
    0x1100_0008,
    0x1200_0008,
    0x2000_0008,
    0x2100_0008,
)
_FLOATS, _ANSI, _WIDE, _BLOB = 0x2001_FFFF, 0x4001_FFFF, 0x4002_FFFF, 0xFFFF_FFFF
_FOLLOWED = (_FLOATS, _ANSI, _WIDE, _BLOB)
_DAY_ZERO = datetime(1899, 12, 30, tzinfo=UTC)

TagValue = bool | int | float | str | datetime | None


def read_tags(file: BinaryIO, path: Path, size: int) -> dict[str, TagValue]:
    """Read tags from the start of a PTU file up to its end tag, and leave the file behind it.

    Args:
        file: at its start.
        path: for messages.
        size: of the file in bytes; nothing that claims to be larger is read or allocated.

    Returns:
        name, or name(index), to value; texts cleaned, number lists and blobs skipped (None).

    Raises:
        FormatError: the file ends first, a tag is of no known type, or there are too many.
    """
    file.seek(MAGIC_AND_VERSION_BYTES)
    tags: dict[str, TagValue] = {}
    for _ in range(MOST_TAGS):
        raw = file.read(_TAG.size)
        if len(raw) < _TAG.size:
            raise FormatError(path, f"ends inside its header, after {len(tags)} tags: copy it again")
        name_bytes, index, kind, value = _TAG.unpack(raw)
        name = clean_text(name_bytes.split(b"\0")[0].decode("latin-1"))
        if name == END:
            return tags
        tags[name if index < 0 else f"{name}({index})"] = (
            _followed(file, path, size, name, kind, value)
            if kind in _FOLLOWED
            else _inline(path, name, kind, value)
        )
    raise FormatError(path, f"has more than {MOST_TAGS} tags in its header: it is damaged")


def _inline(path: Path, name: str, kind: int, value: bytes) -> TagValue:
    integer, real = struct.unpack("<q", value)[0], struct.unpack("<d", value)[0]
    if kind == _EMPTY:
        return None
    if kind == _BOOL:
        return bool(integer)
    if kind in (_INT, _BITS, _COLOR):
        return int(integer)
    if kind == _FLOAT:
        return float(real)
    if kind == _DATE:
        return _date(real)
    raise FormatError(path, f"has a header tag {name!r} of unknown type {kind:08x}: the header is damaged")


def _followed(file: BinaryIO, path: Path, size: int, name: str, kind: int, value: bytes) -> TagValue:
    length = struct.unpack("<q", value)[0]
    start = file.tell()
    if not 0 <= length <= size - start:
        raise FormatError(
            path, f"ends inside its header tag {name!r}, which claims {length} bytes: copy it again"
        )
    text = file.read(min(length, LONGEST_TEXT_BYTES)) if kind in (_ANSI, _WIDE) else b""
    file.seek(start + length)
    if kind == _ANSI:
        return clean_text(text.split(b"\0")[0].decode("cp1252", "replace"))
    if kind == _WIDE:
        return clean_text(text.decode("utf-16-le", "replace").split("\0")[0])
    return None


def _date(days: float) -> datetime | None:
    try:
        return _DAY_ZERO + timedelta(days=days)
    except (OverflowError, ValueError):
        return None


def pack_tag(name: str, value: TagValue, index: int = -1) -> bytes:
    """One tag as bytes; a float is written as such, so that whole numbers must be int.

    Raises:
        ValueError: the name is too long.
    """
    return b"".join(_packed(name, value, index))


def _packed(name: str, value: TagValue, index: int) -> Iterator[bytes]:
    key = name.encode("ascii")
    if len(key) > 31:
        raise ValueError(f"the tag name {name} is longer than 31 characters")
    if isinstance(value, str):
        text = value.encode("cp1252", "replace") + b"\0"
        text += b"\0" * (-len(text) % 8)
        yield _TAG.pack(key, index, _ANSI, struct.pack("<q", len(text)))
        yield text
    elif isinstance(value, datetime):
        yield _TAG.pack(key, index, _DATE, struct.pack("<d", (value - _DAY_ZERO) / timedelta(days=1)))
    elif isinstance(value, bool):
        yield _TAG.pack(key, index, _BOOL, struct.pack("<q", value))
    elif isinstance(value, int):
        yield _TAG.pack(key, index, _INT, struct.pack("<q", value))
    elif isinstance(value, float):
        yield _TAG.pack(key, index, _FLOAT, struct.pack("<d", value))
    else:
        yield _TAG.pack(key, index, _EMPTY, bytes(8))
