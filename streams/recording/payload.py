"""The photons of a chunk as one block of bytes that keeps where each batch began and ended.

Batches are compressed together, because byte planes of 100 000 photons are 8 % smaller than those of
5000. docs/recording-format.md has the layout byte by byte.
"""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hardware.types import Photons
from streams import columns
from streams.messages import PhotonBatch

__all__ = [
    "HEAD_BYTES",
    "MAGIC",
    "MAX_BATCHES",
    "PCODEC",
    "PLANES_ZSTD",
    "PhotonHead",
    "PlaneCodec",
    "ZstdPlanes",
    "follows",
    "pack_photons",
    "read_head",
    "unpack_photons",
]

MAGIC = b"qdmonPHO"
VERSION = 1
PLANES_ZSTD = 1
PCODEC = 2
MAX_BATCHES = 1 << 16
MAX_FRAMES = 16

_HEAD = struct.Struct("<8sHHI7QIII")
_CRC = struct.Struct("<I")
HEAD_BYTES = _HEAD.size + _CRC.size
_TABLE = np.dtype([("pos", "<u4"), ("photons", "<u4"), ("stop_pulse", "<u8"), ("host_time_ns", "<u8")])


class PlaneCodec(Protocol):
    """A way to make columns smaller; `number` goes into the header."""

    number: int

    def pack(self, photons: Photons, planes: NDArray[np.uint8]) -> list[bytes]:
        """The photons, given also as `streams.columns.to_planes`, as frames."""

    def unpack(self, frames: Sequence[memoryview], n: int, first_pulse: int) -> Photons:
        """The inverse; ValueError for anything that is not n photons."""


class ZstdPlanes:
    """The codec of live recordings, needing nothing but zstd."""

    number = PLANES_ZSTD

    def pack(self, photons: Photons, planes: NDArray[np.uint8]) -> list[bytes]:
        """A zstd frame for each plane."""
        return columns.compressed(planes)

    def unpack(self, frames: Sequence[memoryview], n: int, first_pulse: int) -> Photons:
        """The inverse; ValueError for anything that is not n photons."""
        if not 3 <= len(frames) <= 11:
            raise ValueError("photon planes do not fit the header")
        return columns.from_planes(columns.decompressed(frames, n), first_pulse)


@dataclass(frozen=True, slots=True)
class PhotonHead:
    """What the head of a photon record says, checked by its own CRC.

    Attributes:
        codec: number of the codec of the columns.
        frames: number of compressed frames.
        segment: index of the acquisition segment.
        session_ns: session time of `first_pulse`.
        pos: position in the session of the first message of the chunk that is not a repetition.
        first_pulse: start of the first batch; without any, the pulse the stream has come to.
        stop_pulse: end of the last batch, exclusive.
        first_photon: pulse of the first photon, `first_pulse` if there is none.
        last_photon: pulse of the last photon, `first_pulse` if there is none.
        photons: number of photons in all batches.
        batches: number of batches.
        crc: CRC-32 of the batch table and of the byte planes.
    """

    codec: int
    frames: int
    segment: int
    session_ns: int
    pos: int
    first_pulse: int
    stop_pulse: int
    first_photon: int
    last_photon: int
    photons: int
    batches: int
    crc: int


def follows(before: PhotonBatch, after: PhotonBatch) -> bool:
    """Whether two batches join without a hole, so that one record can hold both."""
    return before.segment == after.segment and before.stop_pulse == after.first_pulse


def pack_photons(
    batches: Sequence[tuple[int, PhotonBatch]],
    *,
    pos: int,
    session_ns: int,
    here: tuple[int, int],
    codec: PlaneCodec,
) -> bytes:
    """One record of all photons of a chunk.

    Args:
        batches: with their positions, each following the one before.
        pos: of the first message of the chunk.
        session_ns: session time of the first pulse.
        here: segment and pulse the stream has come to, where there are no batches.
        codec: of the columns.
    """
    segment, first = (batches[0][1].segment, batches[0][1].first_pulse) if batches else here
    stop = batches[-1][1].stop_pulse if batches else first
    photons = Photons.join([batch.photons for _, batch in batches])
    n = len(photons)
    planes = columns.to_planes(photons, first)
    table = np.array(
        [(p, len(b.photons), b.stop_pulse, b.host_time_ns) for p, b in batches], _TABLE
    ).tobytes()
    frames = codec.pack(photons, planes)
    head = _HEAD.pack(
        MAGIC,
        VERSION,
        codec.number,
        len(frames),
        segment,
        session_ns,
        pos,
        first,
        stop,
        int(photons.pulse[0]) if n else first,
        int(photons.pulse[-1]) if n else first,
        n,
        len(batches),
        zlib.crc32(planes.data, zlib.crc32(table)),
    )
    sizes = np.array([len(frame) for frame in frames], "<u4").tobytes()
    return b"".join([head, _CRC.pack(zlib.crc32(head)), table, sizes, *frames])


def read_head(data: bytes | memoryview) -> PhotonHead | None:
    """The head of a photon record; None if the bytes are not one of a version and size we can read."""
    if len(data) < HEAD_BYTES:
        return None
    head = bytes(data[: _HEAD.size])
    if _CRC.unpack_from(data, _HEAD.size)[0] != zlib.crc32(head):
        return None
    magic, version, *fields = _HEAD.unpack(head)
    found = PhotonHead(*fields)
    sane = (
        found.photons <= columns.MAX_PHOTONS and found.batches <= MAX_BATCHES and found.frames <= MAX_FRAMES
    )
    ordered = found.first_pulse <= found.first_photon <= found.last_photon <= found.stop_pulse
    small = max(found.stop_pulse, found.session_ns, found.pos, found.segment) < 1 << 63
    return found if magic == MAGIC and version == VERSION and sane and ordered and small else None


def unpack_photons(
    data: memoryview, codecs: dict[int, PlaneCodec]
) -> tuple[PhotonHead, list[tuple[int, PhotonBatch]]]:
    """The batches in a record with their positions; every number is checked before it is used.

    Raises:
        ValueError: the record is damaged, or needs a codec that is not there.
    """
    head = read_head(data)
    if head is None:
        raise ValueError("the head of the photons is damaged")
    if head.codec not in codecs:
        need = "pip install 'qdmon[archive]'" if head.codec == PCODEC else "use a newer qdmon"
        raise ValueError(f"photons with codec {head.codec}: {need}")
    rest = data[HEAD_BYTES:]
    table_bytes = head.batches * _TABLE.itemsize
    sizes_end = table_bytes + 4 * head.frames
    if len(rest) < sizes_end:
        raise ValueError("photons are cut off")
    table = np.frombuffer(rest[:table_bytes], _TABLE)
    sizes = np.frombuffer(rest[table_bytes:sizes_end], "<u4").astype(np.int64)
    ends = [sizes_end, *(sizes_end + np.cumsum(sizes)).tolist()]
    if ends[-1] != len(rest) or int(table["photons"].astype(np.uint64).sum()) != head.photons:
        raise ValueError("photons do not have the length their head states")
    frames = [rest[a:b] for a, b in pairwise(ends)]
    photons = codecs[head.codec].unpack(frames, head.photons, head.first_pulse)
    planes = columns.to_planes(photons, head.first_pulse)
    if zlib.crc32(planes.data, zlib.crc32(rest[:table_bytes])) != head.crc:
        raise ValueError("photons do not have the checksum their head states")
    return head, _batches(head, table, photons)


def _batches(head: PhotonHead, table: NDArray[np.void], photons: Photons) -> list[tuple[int, PhotonBatch]]:
    found = []
    first, i = head.first_pulse, 0
    for pos, n, stop, host_time_ns in table.tolist():
        part = Photons(photons.pulse[i : i + n], photons.nanotime[i : i + n], photons.channel[i : i + n])
        if not first <= stop < 1 << 63 or host_time_ns >= 1 << 63:
            raise ValueError("batches are out of order")
        columns.check_photons(part, first, stop)
        found.append((pos, PhotonBatch(head.segment, first, stop, host_time_ns, part)))
        first, i = stop, i + n
    if first != head.stop_pulse:
        raise ValueError("batches do not end where their head states")
    return found
