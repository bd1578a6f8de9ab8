"""How each `RecordLayout` divides its 32 bits: the one table that decoder and encoder share.

Facts restated from the manuals of the TimeHarp 260, MultiHarp 150, HydraHarp 400 and PicoHarp 300.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from hardware.types import RecordLayout

__all__ = ["WORD_FORMATS", "WordFormat"]


@dataclass(frozen=True, slots=True)
class WordFormat:
    """Fields of one 32-bit word, from the top: [special flag,] channel, nanotime, pulse.

    Attributes:
        flagged: bit 31 set marks a special word (channel 63 overflow, 1..15 markers, 0 sync in T2);
            otherwise channel 15 does (code 0 overflow, else markers).
        channel_bits: width of the channel field; it ends below the flag.
        nanotime_bits: width of the nanotime field, 0 in T2.
        pulse_bits: width of the pulse (T2: tick) field, at the bottom.
        wrap: pulses that one overflow stands for.
        largest_count: overflows that one word can carry; 1 where words do not count.
    """

    flagged: bool
    channel_bits: int
    nanotime_bits: int
    pulse_bits: int
    wrap: int
    largest_count: int

    @property
    def channel_shift(self) -> int:
        """Position of the lowest channel bit."""
        return self.nanotime_bits + self.pulse_bits

    @property
    def largest_channel(self) -> int:
        """Largest detector number a photon can have; PicoHarp keeps its channel 15 for specials."""
        return (1 << self.channel_bits) - (1 if self.flagged else 2)

    @property
    def largest_nanotime(self) -> int:
        """Largest TCSPC bin that fits; 0 in T2."""
        return (1 << self.nanotime_bits) - 1

    @property
    def overflow_word(self) -> int:
        """An overflow with its count (if any) left at zero."""
        return 0xFE00_0000 if self.flagged else 0xF000_0000


WORD_FORMATS: Mapping[RecordLayout, WordFormat] = {
    RecordLayout.GENERIC_T3: WordFormat(True, 6, 15, 10, 1024, 1023),
    RecordLayout.GENERIC_T2: WordFormat(True, 6, 0, 25, 33_554_432, 33_554_431),
    RecordLayout.HYDRAHARP_V1_T3: WordFormat(True, 6, 15, 10, 1024, 1),
    RecordLayout.HYDRAHARP_V1_T2: WordFormat(True, 6, 0, 25, 33_552_000, 1),
    RecordLayout.PICOHARP_T3: WordFormat(False, 4, 12, 16, 65_536, 1),
    RecordLayout.PICOHARP_T2: WordFormat(False, 4, 0, 28, 210_698_240, 1),
}
