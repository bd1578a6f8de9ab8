"""Headers of a fixed layout, as PicoQuant's older files begin with: texts and numbers at known offsets.

Strings are padded with NULs by PicoQuant's own software and with blanks by LabVIEW programs.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from streams.formats.recording import FormatError
from streams.text import clean_text

__all__ = ["COMMON_TEXTS", "Fields", "longest_s", "read_fields", "read_head", "unix_ns", "words_offset"]

COMMON_TEXTS = {
    "Ident": (0, 16),
    "FormatVersion": (16, 6),
    "CreatorName": (22, 18),
    "CreatorVersion": (40, 12),
    "FileTime": (52, 18),
    "Comment": (72, 256),
    "HardwareIdent": (536, 16),
}
"""Texts of PicoHarp 300 and HydraHarp 400 headers: name to offset and length."""

LONGEST_IMAGE_HEADER = 65_536
WORD_BITS = 32
_TIME_FORMATS = ("%d/%m/%y %H:%M:%S", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M")


@dataclass(frozen=True)
class Fields:
    """What a header holds, by name.

    Attributes:
        texts: cleaned.
        integers: signed.
        reals: as stored; may be anything a damaged header can hold.
    """

    texts: Mapping[str, str]
    integers: Mapping[str, int]
    reals: Mapping[str, float]

    @property
    def everything(self) -> dict[str, object]:
        """All of it in one map."""
        return {**self.texts, **self.integers, **self.reals}


def read_head(path: Path, length: int) -> bytes:
    """The first bytes of a file.

    Raises:
        FormatError: there are fewer.
    """
    with path.open("rb") as file:
        head = file.read(length)
    if len(head) < length:
        raise FormatError(path, f"ends inside its header ({len(head)} of {length} bytes): copy it again")
    return head


def read_fields(
    head: bytes,
    texts: Mapping[str, tuple[int, int]],
    integers: Mapping[str, int],
    reals: Mapping[str, tuple[int, str]],
    shift: int = 0,
) -> Fields:
    """Take a header apart.

    Args:
        head: long enough for all fields.
        texts: name to offset and length.
        integers: name to offset of an int32.
        reals: name to offset and `struct` code, f or d.
        shift: added to every offset.
    """
    return Fields(
        {name: _text(head, at + shift, length) for name, (at, length) in texts.items()},
        {name: int(struct.unpack_from("<i", head, at + shift)[0]) for name, at in integers.items()},
        {
            name: float(struct.unpack_from(f"<{code}", head, at + shift)[0])
            for name, (at, code) in reals.items()
        },
    )


def words_offset(path: Path, header_bytes: int, image_words: int, bits: int) -> int:
    """Where the words begin: behind the header and the image header that may follow it.

    Raises:
        FormatError: the image header is impossible, or words are not of 32 bits.
    """
    if bits != WORD_BITS:
        raise FormatError(path, f"holds records of {bits} bits, not 32: it is damaged")
    if not 0 <= image_words <= LONGEST_IMAGE_HEADER:
        raise FormatError(path, f"has an impossible image header ({image_words} words): it is damaged")
    return header_bytes + image_words * WORD_BITS // 8


def longest_s(*durations_ms: int) -> float | None:
    """The longest of some durations in a header, in s; None if none is told."""
    longest_ms = max(durations_ms)
    return longest_ms / 1000 if longest_ms > 0 else None


def unix_ns(text: str) -> int:
    """When a file says it was made, its clock taken as UTC; 0 if it does not say legibly."""
    for pattern in _TIME_FORMATS:
        try:
            moment = datetime.strptime(text, pattern).replace(tzinfo=UTC)
        except ValueError:
            continue
        return max(0, round(moment.timestamp() * 1e9))
    return 0


def _text(head: bytes, start: int, length: int) -> str:
    return clean_text(head[start : start + length].split(b"\0")[0].decode("cp1252", "replace"))
