"""How each `RecordLayout` divides its 32 bits: the one table that decoder and encoder share.

Facts restated from the manuals of the TimeHarp 260, MultiHarp 150, HydraHarp 400, PicoHarp 300 and
TimeHarp 200, and from the FIFO chapter of the Becker & Hickl TCSPC handbook.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

from hardware.types import RecordLayout

__all__ = ["WORD_FORMATS", "Style", "WordFormat"]


class Style(Enum):
    """How a word says what it is, and in which order its fields come (from the top)."""

    FLAGGED = auto()
    """Bit 31 marks specials: channel 63 overflow, 1..15 markers, 0 sync in T2. Channel, nanotime, pulse."""

    CHANNEL_15 = auto()
    """Channel 15 marks specials: code 0 overflow, else markers. Channel, nanotime, pulse."""

    VALID_BIT = auto()
    """Bit 30 marks photons; else the nanotime field tells: its top bit overflow, its low three markers.
    Channel, nanotime (reversed), tick."""

    SPC = auto()
    """Bit 31 invalid, 30 overflow, 29 gap, 28 marker; invalid and overflow together: the other bits count
    overflows. Nanotime (reversed), channel, tick."""


@dataclass(frozen=True, slots=True)
class WordFormat:
    """Fields of one 32-bit word.

    Attributes:
        style: how it says what it is.
        channel_bits: width of the channel field.
        nanotime_bits: width of the nanotime field, 0 in T2.
        pulse_bits: width of the pulse (T2: tick) field, at the bottom.
        wrap: pulses that one overflow stands for.
        largest_count: overflows that one word can carry; 1 where words do not count.
    """

    style: Style
    channel_bits: int
    nanotime_bits: int
    pulse_bits: int
    wrap: int
    largest_count: int

    @property
    def channel_shift(self) -> int:
        """Position of the lowest channel bit."""
        return self.pulse_bits + (0 if self.style is Style.SPC else self.nanotime_bits)

    @property
    def nanotime_shift(self) -> int:
        """Position of the lowest nanotime bit."""
        return self.pulse_bits + (self.channel_bits if self.style is Style.SPC else 0)

    @property
    def nanotime_flip(self) -> int:
        """What turns the field into a nanotime by exclusive or.

        All its bits if a photon starts the clock and the laser stops it, so that the field runs backwards.
        """
        return self.largest_nanotime if self.style in (Style.VALID_BIT, Style.SPC) else 0

    @property
    def photon_word(self) -> int:
        """Bits that every photon has set."""
        return 0x4000_0000 if self.style is Style.VALID_BIT else 0

    @property
    def largest_channel(self) -> int:
        """Largest detector number a photon can have; PicoHarp keeps its channel 15 for specials."""
        return (1 << self.channel_bits) - (2 if self.style is Style.CHANNEL_15 else 1)

    @property
    def largest_nanotime(self) -> int:
        """Largest TCSPC bin that fits; 0 in T2."""
        return (1 << self.nanotime_bits) - 1

    @property
    def overflow_word(self) -> int:
        """An overflow with its count (if any) left at zero."""
        return {
            Style.FLAGGED: 0xFE00_0000,
            Style.CHANNEL_15: 0xF000_0000,
            Style.VALID_BIT: 0x0800_0000,
            Style.SPC: 0xC000_0000,
        }[self.style]


WORD_FORMATS: Mapping[RecordLayout, WordFormat] = {
    RecordLayout.GENERIC_T3: WordFormat(Style.FLAGGED, 6, 15, 10, 1024, 1023),
    RecordLayout.GENERIC_T2: WordFormat(Style.FLAGGED, 6, 0, 25, 33_554_432, 33_554_431),
    RecordLayout.HYDRAHARP_V1_T3: WordFormat(Style.FLAGGED, 6, 15, 10, 1024, 1),
    RecordLayout.HYDRAHARP_V1_T2: WordFormat(Style.FLAGGED, 6, 0, 25, 33_552_000, 1),
    RecordLayout.PICOHARP_T3: WordFormat(Style.CHANNEL_15, 4, 12, 16, 65_536, 1),
    RecordLayout.PICOHARP_T2: WordFormat(Style.CHANNEL_15, 4, 0, 28, 210_698_240, 1),
    RecordLayout.TIMEHARP_200_T3: WordFormat(Style.VALID_BIT, 2, 12, 16, 65_536, 1),
    RecordLayout.BECKER_HICKL_T3: WordFormat(Style.SPC, 4, 12, 12, 4096, 0x0FFF_FFFF),
}
