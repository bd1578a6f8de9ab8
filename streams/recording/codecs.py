"""The codecs of photon columns there are, by number; the optional one only where its package is installed."""

import functools
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardware.types import Photons
from streams.recording.payload import PCODEC, PlaneCodec, ZstdPlanes
from streams.recording.policy import RecordingError

__all__ = ["archive_codec", "codecs"]

LEVEL = 8


class _PcodecColumns:
    """Pulse differences (u64), nanotimes (u16) and channels (u16), each close to its entropy, by pcodec."""

    number = PCODEC

    def pack(self, photons: Photons, planes: NDArray[np.uint8]) -> list[bytes]:
        """One pcodec file for each column."""
        pcodec = import_module("pcodec")
        width, n = len(planes) - 3, len(photons)
        differences = np.zeros((n, 8), np.uint8)
        differences[:, :width] = planes[:width].T
        columns = (
            differences.view("<u8").reshape(n),
            np.ascontiguousarray(photons.nanotime),
            photons.channel.astype(np.uint16),
        )
        config = pcodec.ChunkConfig(compression_level=LEVEL)
        return [bytes(pcodec.standalone.simple_compress(column, config)) for column in columns]

    def unpack(self, frames: Sequence[memoryview], n: int, first_pulse: int) -> Photons:
        """The inverse; ValueError for anything that is not n photons."""
        if len(frames) != 3:
            raise ValueError("photon columns do not fit the header")
        differences = _decompressed(frames[0], np.empty(n, np.uint64))
        nanotime = _decompressed(frames[1], np.empty(n, np.uint16))
        channel = _decompressed(frames[2], np.empty(n, np.uint16))
        if n and int(channel.max()) > 255:
            raise ValueError("a photon column is damaged")
        pulse = np.cumsum(differences, dtype=np.uint64)
        pulse += np.uint64(first_pulse)
        photons = Photons(pulse, nanotime, channel.astype(np.uint8))
        for column in (photons.pulse, photons.nanotime, photons.channel):
            column.flags.writeable = False
        return photons


def _decompressed(frame: memoryview, target: NDArray[Any]) -> NDArray[Any]:
    try:
        progress = import_module("pcodec").standalone.simple_decompress_into(bytes(frame), target)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # its panics are no Exception
        raise ValueError("a photon column is damaged") from error
    if progress.n_processed != len(target):
        raise ValueError("a photon column does not have the length the header states")
    return target


@functools.cache
def codecs() -> dict[int, PlaneCodec]:
    """The codecs that can be read here, by number."""
    found: list[PlaneCodec] = [ZstdPlanes()]
    if find_spec("pcodec") is not None:
        found.append(_PcodecColumns())
    return {codec.number: codec for codec in found}


def archive_codec() -> PlaneCodec:
    """The codec of archives; RecordingError where its package is missing."""
    if PCODEC not in codecs():
        raise RecordingError("archives need the package pcodec: pip install 'qdmon[archive]'")
    return codecs()[PCODEC]
