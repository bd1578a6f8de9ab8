"""The compiled loops over words of cards that a photon starts and the laser stops.

Their nanotimes run backwards in the words and forwards in what they are decoded to.
"""

import numpy as np
from numpy.typing import NDArray

from hardware.jit import jit
from hardware.records.kernels import DAMAGE, FAR, Columns

__all__ = ["decode_spc", "decode_valid_bit"]

_FAR = np.uint64(FAR)
_ONE = np.uint64(1)
_ZERO = np.uint64(0)
_DAMAGE = np.uint8(DAMAGE)
_BITS_12 = np.uint64(4095)
_BITS_28 = np.uint64(0x0FFF_FFFF)
_TOP_OF_12 = np.uint64(0x800)

_Words = NDArray[np.uint32]
_U64 = NDArray[np.uint64]


@jit
def decode_valid_bit(
    words: _Words, base: np.uint64, out: Columns
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    """Decode TimeHarp 200 words: 1 reserved, 1 valid, 2 channel, 12 nanotime, 16 tick.

    Args:
        words: (n,) uint32.
        base: ticks of all overflows so far.
        out: columns of length n to fill, as far as there are photons and events.

    Returns:
        photons, events, words of no known kind, and the new base.
    """
    pulse, nanotime, channel, event_pulse, event_bits = out
    photons, events, unknown = _ZERO, _ZERO, _ZERO
    for i in range(np.uint64(words.size)):
        word = np.uint64(words[i])
        tick = word & np.uint64(0xFFFF)
        field = (word >> np.uint64(16)) & _BITS_12
        if word & np.uint64(0x4000_0000):
            pulse[photons] = base + tick
            nanotime[photons] = field ^ _BITS_12
            channel[photons] = (word >> np.uint64(28)) & np.uint64(3)
            photons += _ONE
            continue
        if field & _TOP_OF_12:
            base = min(base + np.uint64(65_536), _FAR)
        if field & np.uint64(7):
            event_pulse[events] = base + tick
            event_bits[events] = field & np.uint64(7)
            events += _ONE
        elif not field & _TOP_OF_12:
            unknown += _ONE
    return photons, events, unknown, base


@jit
def decode_spc(
    words: _Words,
    base: np.uint64,
    last: np.uint64,
    longest_jump: np.uint64,
    out: Columns,
    gaps: tuple[_U64, _U64],
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64, np.uint64, np.uint64]:
    """Decode Becker & Hickl words: 4 flags, 12 nanotime, 4 channel, 12 tick.

    A photon or marker can carry one overflow itself. Invalid words that are neither marker nor overflow
    are what the card saw outside its time window: it says they are no photons, and they are left out.

    Args:
        words: (n,) uint32.
        base: ticks of all overflows so far.
        last: tick of the last word before these that had one.
        longest_jump: an overflow word that counts further than these ticks is damage; it counts as one.
        out: columns of length n to fill, as far as there are photons and events.
        gaps: first tick and stop of each stretch the card lost, of length n.

    Returns:
        photons, events, gaps, words of no known kind, the new base and the new last tick.
    """
    pulse, nanotime, channel, event_pulse, event_bits = out
    photons, events, lost, unknown = _ZERO, _ZERO, _ZERO, _ZERO
    for i in range(np.uint64(words.size)):
        word = np.uint64(words[i])
        flags = word >> np.uint64(28)
        if flags & np.uint64(0b1101) == np.uint64(0b1100):
            count = word & _BITS_28
            if count > _ONE and count * np.uint64(4096) > longest_jump:
                event_pulse[events] = base
                event_bits[events] = _DAMAGE
                events += _ONE
                count = _ONE
            base = min(base + count * np.uint64(4096), _FAR)
            now = max(base, last)
        else:
            if flags & np.uint64(0b0100):
                base = min(base + np.uint64(4096), _FAR)
            now = base + (word & _BITS_12)
            bits = (word >> np.uint64(12)) & np.uint64(15)
            if flags & _ONE:
                if bits:
                    event_pulse[events] = now
                    event_bits[events] = bits
                    events += _ONE
                else:
                    unknown += _ONE
            elif flags < np.uint64(0b1000):
                pulse[photons] = now
                nanotime[photons] = ((word >> np.uint64(16)) & _BITS_12) ^ _BITS_12
                channel[photons] = bits
                photons += _ONE
        if flags & np.uint64(0b0010):
            gaps[0][lost] = min(last + _ONE, now)
            gaps[1][lost] = max(now, gaps[0][lost] + _ONE)
            lost += _ONE
        last = now
    return photons, events, lost, unknown, base, last
