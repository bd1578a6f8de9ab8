"""Telling Becker & Hickl files apart, and from everything else, by their times being in order.

They have no magic number. The first word holds the macro clock, then come records in one of four
packings; read in the right one, times never go back, and in a wrong one they do at every other record.
"""

from enum import Enum, auto

import numpy as np
from numpy.typing import NDArray

__all__ = ["SpcKind", "kind_of"]

_U64 = NDArray[np.uint64]

MOST_CLOCK_UNITS = 100_000  # 10 us; a clock of 1 ns at least
LEAST_CLOCK_UNITS = 10
IN_ORDER = 0.97  # share of the steps; a bit may be damaged here and there
FEWEST_FOR_RARE = 16  # records that must be there to call a file one of the rare kinds
MOST_WRAPS = 1 << 33  # in the few records looked at; far beyond any darkness


class SpcKind(Enum):
    """How a .spc file packs its records."""

    FIFO_32 = auto()
    SPC_600_256 = auto()
    SPC_600_4096 = auto()
    SPC_QC = auto()


def kind_of(head: bytes) -> SpcKind | None:
    """The kind of a file that begins like this; None if it is no .spc file."""
    words = np.frombuffer(head, "<u4", len(head) // 4).astype(np.uint64)
    if not len(words):
        return None
    first, records = int(words[0]), words[1:]
    many = len(records) >= FEWEST_FOR_RARE
    if first >> 31:
        if first >> 24 & 1:
            return SpcKind.SPC_QC if many and _in_order(*_times_qc(records)) else None
        if LEAST_CLOCK_UNITS <= first & 0xFF_FFFF <= MOST_CLOCK_UNITS:
            if _in_order(*_times_32(records, 12, 0)):
                return SpcKind.FIFO_32
            if many and _in_order(*_times_32(records, 17, 8)):
                return SpcKind.SPC_600_256
    return SpcKind.SPC_600_4096 if many and _is_48_bit(head) else None


def _in_order(ticks: _U64, wraps: int) -> bool:
    """Whether times hardly ever go back, and are not all the same, which is no sign of anything.

    Args:
        ticks: (n,) uint64.
        wraps: overflows they claim in all.
    """
    if len(ticks) < 2:
        return wraps < MOST_WRAPS
    share = float(np.mean(ticks[1:] >= ticks[:-1]))
    moves = ticks[-1] > ticks[0] or len(ticks) < FEWEST_FOR_RARE
    return bool(moves and share >= IN_ORDER and wraps < MOST_WRAPS)


def _times_32(words: _U64, bits: int, shift: int) -> tuple[_U64, int]:
    """Times of 32-bit records whose macro time is `bits` wide at `shift`, and their overflows."""
    flags = words >> np.uint64(28)
    counting = flags & np.uint64(0b1101) == np.uint64(0b1100)
    wraps = np.where(counting, words & np.uint64(0x0FFF_FFFF), flags >> np.uint64(2) & np.uint64(1))
    ticks = _after(wraps, bits) + (words >> np.uint64(shift) & np.uint64((1 << bits) - 1))
    return ticks[~counting], int(wraps.sum())


def _times_qc(words: _U64) -> tuple[_U64, int]:
    """Times of SPC-QC records: an overflow is a record of its own, all its other bits zero."""
    overflow = words == np.uint64(0x8000_0000)
    ticks = _after(overflow.astype(np.uint64), 12) + (words & np.uint64(0xFFF))
    return ticks[~overflow], int(overflow.sum())


def _is_48_bit(head: bytes) -> bool:
    """Whether six-byte records are in order: ADC and flags, macro time 23..16, routing, macro time 15..0.

    Their first record holds the macro clock in its middle and nothing at its end.
    """
    parts = np.frombuffer(head, "<u2", len(head) // 6 * 3).reshape(-1, 3).astype(np.uint64)
    if not LEAST_CLOCK_UNITS <= parts[0, 1] <= MOST_CLOCK_UNITS or parts[0, 2]:
        return False
    flags, high, low = parts[1:].T
    wraps = flags >> np.uint64(13) & np.uint64(1)
    ticks = _after(wraps, 24) + ((high & np.uint64(0xFF)) << np.uint64(16)) + low
    return bool((flags < np.uint64(0x8000)).all()) and _in_order(ticks, int(wraps.sum()))


def _after(wraps: _U64, bits: int) -> _U64:
    return np.cumsum(wraps, dtype=np.uint64) << np.uint64(bits)
