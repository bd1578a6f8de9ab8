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

from hardware.types import Photons

__all__ = ["MAX_PHOTONS", "check_photons", "from_columns", "pack", "to_columns", "unpack"]

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


def pack(photons: Photons, first_pulse: int) -> list[bytes]:
    """Delta byte planes, each a zstd frame that states its size n.

    The planes are, in order: the bytes of the pulse differences from the least significant on, as many as
    the largest difference needs (0 to 8; the first difference is to `first_pulse`), the low and the high
    byte of the nanotime, the channel. About 2.7 bytes per photon at 100 kcps and 5 MHz.
    """
    delta = np.diff(photons.pulse, prepend=np.uint64(first_pulse)).astype("<u8", copy=False)
    width = (int(delta.max()).bit_length() + 7) // 8 if len(delta) else 0
    delta_bytes = delta.view(np.uint8).reshape(-1, 8)
    nanotime_bytes = np.ascontiguousarray(photons.nanotime, "<u2").view(np.uint8).reshape(-1, 2)
    planes = [delta_bytes[:, i] for i in range(width)]
    planes += [nanotime_bytes[:, 0], nanotime_bytes[:, 1], photons.channel]
    compress = _compressor().compress
    return [compress(np.ascontiguousarray(plane).data) for plane in planes]


def unpack(planes: Sequence[bytes], n: int, first_pulse: int) -> Photons:
    """The inverse of `pack`; the arrays are read-only.

    Nothing is allocated before the sizes stated by every plane are known to be n.

    Raises:
        ValueError: the planes are damaged, or are not n photons.
    """
    width = len(planes) - 3
    if not 0 <= width <= 8 or not 0 <= n <= MAX_PHOTONS:
        raise ValueError("photon planes do not fit the header")
    delta = np.zeros(n, "<u8")
    nanotime = np.empty(n, "<u2")
    delta_bytes = delta.view(np.uint8).reshape(-1, 8)
    nanotime_bytes = nanotime.view(np.uint8).reshape(-1, 2)
    targets = [delta_bytes[:, i] for i in range(width)] + [nanotime_bytes[:, 0], nanotime_bytes[:, 1]]
    plain = [_decompressed(plane, n) for plane in planes]
    for target, plane in zip(targets, plain, strict=False):
        target[:] = plane
    pulse = np.cumsum(delta, dtype=np.uint64)
    pulse += np.uint64(first_pulse)
    photons = Photons(pulse, nanotime.astype(np.uint16, copy=False), plain[-1])
    _read_only(photons.pulse, photons.nanotime)
    return photons


def _decompressed(plane: bytes, n: int) -> NDArray[np.uint8]:
    # zstandard ignores a size limit wherever the frame states a size, so the stated size is checked first.
    try:
        if zstandard.frame_content_size(plane) != n:
            raise ValueError("a photon plane does not have the length the header states")
        data = _decompressor().decompress(plane, max_output_size=max(n, 1), allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise ValueError(f"a photon plane is damaged: {error}") from None
    if len(data) != n:
        raise ValueError("a photon plane is damaged")
    return np.frombuffer(data, np.uint8)
