"""PHU files, PicoQuant's unified container for histograms: curves of counts, no photons.

A curve can serve as an instrument response; it is no recording, and `read` says so.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Never

import numpy as np
from numpy.typing import NDArray

from hardware.types import PS_PER_S
from streams.formats.ptu_tags import TagValue, read_tags
from streams.formats.recording import FormatError

__all__ = ["Curve", "holds_histograms", "read", "read_histograms", "recognises"]

MAGIC = b"PQHISTO\0"
MOST_CURVES = 4096
MOST_BINS = 1 << 20
BYTES_PER_BIN = 4
_SHORTEST_BIN_PS, _LONGEST_BIN_PS = 1e-3, 1e9


@dataclass(frozen=True)
class Curve:
    """One histogram.

    Attributes:
        index: number of the curve as its software shows it; of cards with several inputs, the input.
        resolution_ps: width of a bin.
        counts: (n,) uint32, from time zero of the card on.
    """

    index: int
    resolution_ps: float
    counts: NDArray[np.uint32]


def recognises(head: bytes) -> bool:
    """Whether a file that begins like this is a PHU file."""
    return head.startswith(MAGIC)


def holds_histograms(path: str | Path) -> bool:
    """Whether a file can be read and is a PHU file."""
    try:
        with Path(path).open("rb") as file:
            return recognises(file.read(len(MAGIC)))
    except OSError:
        return False


def read(path: Path) -> Never:
    """Say that the file holds no photons.

    Raises:
        FormatError: always.
    """
    with path.open("rb") as file:
        curves = _number_of_curves(path, read_tags(file, path, path.stat().st_size))
    raise FormatError(
        path,
        f"is a PicoQuant histogram file ({curves} curve{'s' * (curves != 1)}), not photons: "
        "it can serve as an instrument response (--irf), or record in T3 mode",
    )


def read_histograms(path: str | Path) -> tuple[Curve, ...]:
    """The curves of a PHU file, in the order of the file.

    Raises:
        FormatError: it is no PHU file, its header is damaged, or it ends before a curve does.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            if not recognises(file.read(len(MAGIC))):
                raise FormatError(path, "is not a PicoQuant histogram file (.phu)")
            size = path.stat().st_size
            tags = read_tags(file, path, size)
            return tuple(_curve(file, path, tags, i, size) for i in range(_number_of_curves(path, tags)))
    except OSError as error:
        raise FormatError(path, f"cannot be read: {error.strerror or error}") from error


def _number_of_curves(path: Path, tags: Mapping[str, TagValue]) -> int:
    curves = tags.get("HistoResult_NumberOfCurves")
    if type(curves) is not int or not 0 <= curves <= MOST_CURVES:
        raise FormatError(path, f"has an impossible number of curves in its header ({curves}): it is damaged")
    if tags.get("HistoResult_BitsPerBin", 32) != BYTES_PER_BIN * 8:
        raise FormatError(path, "holds histograms whose bins are not 32 bits wide, which qdmon does not know")
    return curves


def _curve(file: BinaryIO, path: Path, tags: Mapping[str, TagValue], i: int, size: int) -> Curve:
    offset, bins = _tag(path, tags, "DataOffset", i), _tag(path, tags, "HistogramBins", i)
    resolution_s = tags.get(f"HistResDscr_MDescResolution({i})")
    resolution_ps = resolution_s * PS_PER_S if type(resolution_s) is float else math.nan
    if not _SHORTEST_BIN_PS <= resolution_ps <= _LONGEST_BIN_PS:
        raise FormatError(path, f"does not say legibly how wide the bins of curve {i} are: it is damaged")
    if bins > MOST_BINS or offset + bins * BYTES_PER_BIN > size:
        raise FormatError(path, f"ends inside curve {i}, which claims {bins} bins: copy it again")
    file.seek(offset)
    counts = np.frombuffer(file.read(bins * BYTES_PER_BIN), "<u4").astype(np.uint32, copy=False)
    index = tags.get(f"HistResDscr_CurveIndex({i})")
    return Curve(index if type(index) is int else i, resolution_ps, counts)


def _tag(path: Path, tags: Mapping[str, TagValue], name: str, i: int) -> int:
    value = tags.get(f"HistResDscr_{name}({i})")
    if type(value) is not int or value < 0:
        raise FormatError(path, f"does not say legibly where curve {i} is (tag {name}): it is damaged")
    return value
