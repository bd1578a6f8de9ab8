"""Small files of every kind, made byte by byte."""

import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hardware.types import Photons
from streams.formats import Recording
from streams.formats.ptu import RECORD_TYPES
from streams.formats.ptu_tags import END, MAGIC, TagValue, pack_tag
from streams.messages import PhotonBatch

__all__ = ["PERIOD_S", "PT3_HEADER_BYTES", "all_photons", "pt3_bytes", "ptu_bytes", "some_photons", "write"]

PERIOD_S = 2e-7
PT3_HEADER_BYTES = 728


def some_photons(n: int = 200, gap: int = 3000, largest_nanotime: int = 3000, channels: int = 2) -> Photons:
    """n reproducible photons, about `gap` pulses apart."""
    rng = np.random.default_rng(5)
    return Photons(
        np.cumsum(rng.integers(0, 2 * gap, n)).astype(np.uint64),
        rng.integers(0, largest_nanotime + 1, n).astype(np.uint16),
        rng.integers(0, channels, n).astype(np.uint8),
    )


def ptu_bytes(
    words: NDArray[np.uint32], record_type: int = 0x0001_0307, **changed: TagValue | type[KeyError]
) -> bytes:
    """A PTU file of these words; a tag set to KeyError is left out."""
    t3 = "t3" in RECORD_TYPES.get(record_type, "t3")
    tags: Mapping[str, TagValue | type[KeyError]] = {
        "CreatorSW_Name": "someone",
        "HW_Type": "a card",
        "TTResultFormat_TTTRRecType": record_type,
        "TTResultFormat_BitsPerRecord": 32,
        "MeasDesc_GlobalResolution": PERIOD_S if t3 else 1e-12,
        "MeasDesc_Resolution": 64e-12,
        "TTResult_StopAfter": 2000,
        "TTResult_NumberOfRecords": len(words),
        **changed,
    }
    header = b"".join(pack_tag(name, value) for name, value in tags.items() if not isinstance(value, type))
    return MAGIC + b"1.0.00\0\0" + header + pack_tag(END, None) + words.astype("<u4").tobytes()


def pt3_bytes(words: NDArray[np.uint32], pad: bytes = b"\0", **changed: int) -> bytes:
    """A .pt3 file of these words, its strings padded as wanted; `offset_N=value` sets an int32."""
    head = bytearray(PT3_HEADER_BYTES)
    for offset, length, text in (
        (0, 16, b"PicoHarp 300"),
        (16, 6, b"2.0"),
        (52, 18, b"05/11/22 15:04:05"),
        (536, 16, b"PicoHarp 300"),
    ):
        head[offset : offset + length] = text.ljust(length, pad)
    numbers = {
        332: 32,
        340: 1,
        348: 3,
        364: 2000,
        560: 1234,
        564: 1,
        704: 5_000_000,
        712: 2000,
        720: len(words),
    }
    numbers |= {int(name.removeprefix("offset_")): value for name, value in changed.items()}
    struct.pack_into("<f", head, 584, 0.016)
    for offset, value in numbers.items():
        struct.pack_into("<i", head, offset, value)
    return bytes(head) + words.astype("<u4").tobytes()


def write(folder: Path, name: str, content: bytes) -> Path:
    """The content as a file."""
    path = folder / name
    path.write_bytes(content)
    return path


def all_photons(recording: Recording, batch_s: float = 0.05) -> Photons:
    """All photons of a recording, batch after batch."""
    return Photons.join([m.photons for m in recording.messages(batch_s) if isinstance(m, PhotonBatch)])
