"""Photon columns as bytes: plain for the live stream, delta byte planes under zstd for what is kept.

The planes follow the information: the bytes of a number that carry noise are stored as they are, the
others shrink to almost nothing. One zstd frame per plane, because planes that share an entropy table
cost 10 % more at the usual batch sizes.
"""

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import zstandard
from numpy.typing import NDArray

from hardware.jit import jit
from hardware.types import Photons

__all__ = [
    "MAX_PHOTONS",
    "check_photons",
    "compressed",
    "decompressed",
    "from_columns",
    "from_planes",
    "pack",
    "to_columns",
    "to_planes",
    "unpack",
]

MAX_PHOTONS = 1 << 22  # per batch: 44 MiB as plain columns

_ZSTD_LEVEL = 1  # higher levels are not smaller on photon data
_LOCAL = threading.local()  # a zstd context must not be shared between threads, and costs 40 us to make


def _compressor() -> zstandard.ZstdCompressor:
    if not hasattr(_LOCAL, "compressor"):
        _LOCAL.compressor = zstandard.ZstdCompressor(level=_ZSTD_LEVEL)
    return _LOCAL.compressor  # type: ignore[no-any-return]


def _decompressor() -> zstandard.ZstdDecompressor:
    if not hasattr(_LOCAL, "decompressor"):
        _LOCAL.decompressor = zstandard.ZstdDecompressor()
    return _LOCAL.decompressor  # type: ignore[no-any-return]


def check_photons(photons: Photons, first_pulse: int, stop_pulse: int) -> None:
    """Raise ValueError unless the photons are in order and all within [first_pulse, stop_pulse).

    Also holds the types and the length of the columns to `hardware.types.Photons`.
    """
    columns: tuple[NDArray[Any], ...] = (photons.pulse, photons.nanotime, photons.channel)
    if [c.dtype.str[1:] for c in columns] != ["u8", "u2", "u1"] or any(c.ndim != 1 for c in columns):
        raise ValueError("photon columns must be uint64, uint16, uint8")
    n = len(photons)
    if not n == len(photons.nanotime) == len(photons.channel):
        raise ValueError("photon columns of different length")
    if n > MAX_PHOTONS:
        raise ValueError(f"{n} photons in one batch, at most {MAX_PHOTONS}")
    if n == 0:
        return
    pulse = photons.pulse
    if int(pulse[0]) < first_pulse or int(pulse[-1]) >= stop_pulse:
        raise ValueError("photons outside the pulses their batch covers")
    if not bool((pulse[1:] >= pulse[:-1]).all()):
        raise ValueError("photons out of order")


def _read_only(*arrays: NDArray[np.generic]) -> None:
    for array in arrays:
        array.flags.writeable = False


def to_columns(photons: Photons) -> list[memoryview]:
    """The columns as little-endian bytes, sharing memory with the arrays: 11 bytes per photon."""
    return [
        np.ascontiguousarray(photons.pulse, "<u8").view(np.uint8).data,
        np.ascontiguousarray(photons.nanotime, "<u2").view(np.uint8).data,
        np.ascontiguousarray(photons.channel, "<u1").data,
    ]


def from_columns(columns: Sequence[bytes], n: int) -> Photons:
    """The inverse of `to_columns`; the arrays are read-only. Raises ValueError on any wrong length."""
    if len(columns) != 3 or [len(c) for c in columns] != [8 * n, 2 * n, n]:
        raise ValueError("photon columns do not have the length the header states")
    return Photons(
        np.frombuffer(columns[0], "<u8").astype(np.uint64, copy=False),
        np.frombuffer(columns[1], "<u2").astype(np.uint16, copy=False),
        np.frombuffer(columns[2], np.uint8),
    )


def to_planes(photons: Photons, first_pulse: int) -> NDArray[np.uint8]:
    """The photons as byte planes, (w + 3, n) uint8.

    The rows are, in order: the bytes of the pulse differences from the least significant on, as many as
    the largest difference needs (w of 0 to 8; the first difference is to `first_pulse`), the low and the high
    byte of the nanotime, the channel.
    """
    pulse = np.ascontiguousarray(photons.pulse)
    bits = int(_difference_bits(pulse, np.uint64(first_pulse))).bit_length()
    planes = np.empty(((bits + 7) // 8 + 3, len(pulse)), np.uint8)
    _fill_planes(pulse, np.ascontiguousarray(photons.nanotime), np.uint64(first_pulse), planes)
    planes[-1] = photons.channel
    return planes


def from_planes(planes: NDArray[np.uint8], first_pulse: int) -> Photons:
    """The inverse of `to_planes`; the arrays are read-only."""
    width, n = len(planes) - 3, planes.shape[1]
    delta = np.zeros((n, 8), np.uint8)
    delta[:, :width] = planes[:width].T
    nanotime = np.ascontiguousarray(planes[width : width + 2].T).view("<u2").reshape(n)
    pulse = np.cumsum(delta.view("<u8").reshape(n), dtype=np.uint64)
    pulse += np.uint64(first_pulse)
    photons = Photons(pulse, nanotime.astype(np.uint16, copy=False), planes[-1].copy())
    _read_only(photons.pulse, photons.nanotime, photons.channel)
    return photons


@jit
def _difference_bits(pulse: NDArray[np.uint64], before: np.uint64) -> np.uint64:
    """All bits that occur in the differences of neighbours."""
    bits = np.uint64(0)
    for i in range(len(pulse)):
        bits |= pulse[i] - before
        before = pulse[i]
    return bits


@jit
def _fill_planes(
    pulse: NDArray[np.uint64], nanotime: NDArray[np.uint16], before: np.uint64, planes: NDArray[np.uint8]
) -> None:
    width = planes.shape[0] - 3
    for i in range(len(pulse)):
        difference = pulse[i] - before
        before = pulse[i]
        for byte in range(width):
            planes[byte, i] = np.uint8(difference & np.uint64(255))
            difference >>= np.uint64(8)
        planes[width, i] = np.uint8(nanotime[i] & np.uint16(255))
        planes[width + 1, i] = np.uint8(nanotime[i] >> np.uint16(8))


def compressed(planes: NDArray[np.uint8]) -> list[bytes]:
    """Each row as a zstd frame that states its size."""
    compress = _compressor().compress
    return [compress(plane.data) for plane in planes]


def decompressed(frames: Sequence[bytes | memoryview], n: int) -> NDArray[np.uint8]:
    """The inverse of `compressed`, (number of frames, n) uint8.

    Nothing is allocated before the sizes stated by every frame are known to be n.

    Raises:
        ValueError: a frame is damaged, or does not hold n bytes.
    """
    # zstandard ignores a size limit wherever the frame states a size, so the stated size is checked first.
    try:
        if any(zstandard.frame_content_size(frame) != n for frame in frames):
            raise ValueError("a photon plane does not have the length the header states")
        planes = np.empty((len(frames), n), np.uint8)
        for row, frame in zip(planes, frames, strict=True):
            data = _decompressor().decompress(frame, max_output_size=max(n, 1), allow_extra_data=False)
            if len(data) != n:
                raise ValueError("a photon plane is damaged")
            row[:] = np.frombuffer(data, np.uint8)
    except zstandard.ZstdError as error:
        raise ValueError(f"a photon plane is damaged: {error}") from None
    return planes


def pack(photons: Photons, first_pulse: int) -> list[bytes]:
    """`to_planes`, each a zstd frame. About 2.7 bytes per photon at 100 kcps and 5 MHz."""
    return compressed(to_planes(photons, first_pulse))


def unpack(frames: Sequence[bytes], n: int, first_pulse: int) -> Photons:
    """The inverse of `pack`; the arrays are read-only.

    Raises:
        ValueError: the frames are damaged, or are not n photons.
    """
    if not 3 <= len(frames) <= 11 or not 0 <= n <= MAX_PHOTONS:
        raise ValueError("photon planes do not fit the header")
    return from_planes(decompressed(frames, n), first_pulse)
