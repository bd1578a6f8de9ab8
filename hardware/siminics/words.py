"""The 32-bit words of a SIMINICS FT1040, whose overflow records are numbered.

Facts restated from the vendor's guide. Bit 31 marks specials, then 6 bits of channel; in T3 15 bits of time
and 10 of sync number, in T2 25 bits of time. Special channel 63 is an overflow with its number modulo 1024 in
the lowest 10 bits, special channels 1 to 15 are markers. As overflows are numbered, a missing one shows, and
the words after it are placed right again; 1024 missing ones in a row, or a multiple, do not show, nor does
one that is missing at the very beginning.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hardware.types import DecodedBlock, Loss, LossCause, Markers, Photons

__all__ = ["Words"]

NUMBERS = 1024
_OVERFLOW = 0x7F  # special flag and channel 63
_LOW_BITS = {"T3": 10, "T2": 25}
_CHANNEL_SHIFT = 25
MOST_HELD = 1 << 22


class Words:
    """Decodes the words of one measurement, whatever the blocks they come in.

    Words are held back until the overflow that ends their frame tells where they belong; a frame whose
    overflow is not the next one is left out and reported as a loss, with all that is missing around it.

    Attributes:
        unknown: words of no known kind.
        began_at: number of the first overflow, 0 at the start of a measurement; None before it.
    """

    def __init__(self, mode: Literal["T3", "T2"]) -> None:
        self._low_bits = _LOW_BITS[mode]
        self._frame = 0  # frames that have passed
        self._held: NDArray[np.uint32] = np.empty(0, np.uint32)
        self.unknown = 0
        self.began_at: int | None = None

    def feed(self, words: NDArray[np.uint32]) -> DecodedBlock:
        """Decode the next words, as far as overflows close their frames.

        Args:
            words: (n,) uint32.
        """
        words = np.concatenate([self._held, words])
        overflows = np.flatnonzero(words >> np.uint32(_CHANNEL_SHIFT) == _OVERFLOW)
        if not len(overflows):
            if len(words) > MOST_HELD:
                raise ValueError("no overflow record in millions of words")
            self._held = words
            return DecodedBlock(Photons.empty(), Markers.empty(), (), self._frame << self._low_bits)
        self._held = words[overflows[-1] + 1 :]
        numbers = (words[overflows] & np.uint32(NUMBERS - 1)).astype(np.int64)
        if self.began_at is None:
            self.began_at = self._frame = int(numbers[0])
        before = np.concatenate([[self._frame - 1], numbers[:-1]])
        missed = (numbers - before - 1) % NUMBERS
        frames = self._frame + np.concatenate([[0], np.cumsum(missed + 1)])
        self._frame = int(frames[-1])
        losses = tuple(
            Loss(int(frames[i]) << self._low_bits, int(frames[i + 1]) << self._low_bits, LossCause.DECODE_GAP)
            for i in np.flatnonzero(missed).tolist()
        )
        closed = words[: overflows[-1]]
        frame_of = np.searchsorted(overflows, np.arange(len(closed)))
        sound = missed[frame_of] == 0
        photons, markers = self._events(closed[sound], frames[frame_of[sound]])
        return DecodedBlock(photons, markers, losses, self._frame << self._low_bits)

    def rest(self) -> DecodedBlock:
        """What was held back, once no more words come."""
        held, self._held = self._held, np.empty(0, np.uint32)
        photons, markers = self._events(held, np.full(len(held), self._frame))
        return DecodedBlock(photons, markers, (), self._frame << self._low_bits)

    def _events(self, words: NDArray[np.uint32], frames: NDArray[np.int64]) -> tuple[Photons, Markers]:
        """Photons and markers of words that are no overflows, or of none."""
        low = words & np.uint32((1 << self._low_bits) - 1)
        pulse = (frames.astype(np.uint64) << np.uint64(self._low_bits)) + low
        field = words >> np.uint32(_CHANNEL_SHIFT)
        is_photon = field < 64
        is_marker = (field > 64) & (field < 80)
        self.unknown += int((~is_photon & ~is_marker & (field != _OVERFLOW)).sum())
        nanotime = (words[is_photon] >> np.uint32(self._low_bits)) & np.uint32(
            (1 << (_CHANNEL_SHIFT - self._low_bits)) - 1
        )
        return (
            Photons(pulse[is_photon], nanotime.astype(np.uint16), field[is_photon].astype(np.uint8)),
            Markers(pulse[is_marker], (field[is_marker] & 15).astype(np.uint8)),
        )
