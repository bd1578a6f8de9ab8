"""The stateful encoder: what a card would have written for given photons and darkness."""

import numpy as np
from numpy.typing import NDArray

from hardware.records.kernels import ascending, encode
from hardware.records.words import WORD_FORMATS, WordFormat
from hardware.types import Photons, RecordLayout

__all__ = ["RecordEncoder", "encoder_for"]


class RecordEncoder:
    """Encodes one segment of photons, whatever the blocks they come in."""

    def __init__(self, words: WordFormat) -> None:
        self._format = words
        self._base = 0

    @property
    def position(self) -> int:
        """Pulses told so far by overflow words: where a decoder of all words would stand."""
        return self._base

    def feed(self, photons: Photons, position: int) -> NDArray[np.uint32]:
        """Words for the photons and for the darkness up to `position`.

        Args:
            photons: the next ones, non-decreasing in pulse, also across calls.
            position: pulses that have passed; photons at or beyond it are encoded all the same.

        Returns:
            (m,) uint32. Overflows are counted in one word where the layout can, else one word each.

        Raises:
            ValueError: a photon does not fit the word or precedes words already made; nothing is encoded.
        """
        self._check(photons)
        field = self._format
        last = max(position, int(photons.pulse[-1]) if len(photons) else 0)
        wraps = max(last - self._base, 0) // field.wrap
        words = np.empty(2 * len(photons) + 1 + wraps // field.largest_count, np.uint32)
        written, base = encode(
            photons.pulse,
            photons.nanotime,
            photons.channel,
            np.uint64(max(position, 0)),
            np.uint64(self._base),
            (np.uint64(field.channel_shift), np.uint64(field.nanotime_shift)),
            (np.uint64(field.photon_word), np.uint64(field.nanotime_flip), np.uint64(field.overflow_word)),
            np.uint64(field.wrap),
            np.uint64(field.largest_count),
            words,
        )
        self._base = int(base)
        return words[: int(written)].copy()

    def _check(self, photons: Photons) -> None:
        if not len(photons):
            return
        field = self._format
        if (nanotime := int(photons.nanotime.max())) > field.largest_nanotime:
            raise ValueError(
                f"nanotime {nanotime} does not fit the word, whose largest is {field.largest_nanotime}: "
                "use wider TCSPC bins or another layout"
            )
        if (channel := int(photons.channel.max())) > field.largest_channel:
            raise ValueError(
                f"channel {channel} does not fit the word, whose largest is {field.largest_channel}"
            )
        if int(photons.pulse[0]) < self._base or not ascending(photons.pulse):
            raise ValueError("photons must come in the order of their pulses: sort them first")


def encoder_for(layout: RecordLayout) -> RecordEncoder:
    """An encoder at the start of a segment."""
    return RecordEncoder(WORD_FORMATS[layout])
