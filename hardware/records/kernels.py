"""The compiled loops over 32-bit words. Everything unsigned: a signed index costs 0.6 ns per photon.

Positions saturate at `FAR`, far beyond any recording, so that damaged counts cannot wrap 64 bits.
"""

import numpy as np
from numpy.typing import NDArray

from hardware.jit import jit

__all__ = ["DAMAGE", "FAR", "Columns", "ascending", "decode_flagged", "decode_unflagged", "encode"]

FAR = 1 << 62
DAMAGE = 255  # in place of marker bits: an overflow word with an impossible count

_FAR = np.uint64(FAR)
_ONE = np.uint64(1)
_DAMAGE = np.uint8(DAMAGE)

_Words = NDArray[np.uint32]
_U64 = NDArray[np.uint64]
_U16 = NDArray[np.uint16]
_U8 = NDArray[np.uint8]

# pulse, nanotime and channel of the photons; pulse and marker bits (or DAMAGE) of the events
Columns = tuple[_U64, _U16, _U8, _U64, _U8]


@jit
def decode_flagged(
    words: _Words,
    base: np.uint64,
    nanotime_bits: np.uint64,
    pulse_bits: np.uint64,
    wrap: np.uint64,
    counted: bool,
    longest_jump: np.uint64,
    out: Columns,
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    """Decode words whose bit 31 marks specials.

    Args:
        words: (n,) uint32.
        base: pulses of all overflows so far.
        nanotime_bits: width of the nanotime, 0 in T2.
        pulse_bits: width of the pulse field below it.
        wrap: pulses per overflow.
        counted: the low bits of an overflow say how many it stands for (0 means 1).
        longest_jump: an overflow word that counts further than these pulses is damage; it counts as one.
        out: columns of length n to fill, as far as there are photons and events.

    Returns:
        photons, events, words of no known kind, and the new base.
    """
    pulse, nanotime, channel, event_pulse, event_bits = out
    pulse_mask = (_ONE << pulse_bits) - _ONE
    nanotime_mask = (_ONE << nanotime_bits) - _ONE
    channel_shift = pulse_bits + nanotime_bits
    photons = np.uint64(0)
    events = np.uint64(0)
    unknown = np.uint64(0)
    for i in range(np.uint64(words.size)):
        word = np.uint64(words[i])
        low = word & pulse_mask
        if word < np.uint64(0x8000_0000):
            pulse[photons] = base + low
            nanotime[photons] = (word >> pulse_bits) & nanotime_mask
            channel[photons] = word >> channel_shift
            photons += _ONE
            continue
        special = (word >> channel_shift) & np.uint64(63)
        if special == np.uint64(63):
            count = low if counted and low != np.uint64(0) else _ONE
            if count > _ONE and count * wrap > longest_jump:
                event_pulse[events] = base
                event_bits[events] = _DAMAGE
                events += _ONE
                count = _ONE
            base = min(base + count * wrap, _FAR)
        elif special >= _ONE and special <= np.uint64(15):
            event_pulse[events] = base + low
            event_bits[events] = special
            events += _ONE
        elif special != np.uint64(0) or nanotime_bits != np.uint64(0):
            unknown += _ONE
    return photons, events, unknown, base


@jit
def decode_unflagged(
    words: _Words,
    base: np.uint64,
    nanotime_bits: np.uint64,
    pulse_bits: np.uint64,
    wrap: np.uint64,
    out: Columns,
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    """Decode PicoHarp 300 words, where channel 15 marks specials; arguments as in `decode_flagged`.

    The code of a special is the nanotime in T3 and the lowest four bits of the tick in T2.
    """
    pulse, nanotime, channel, event_pulse, event_bits = out
    pulse_mask = (_ONE << pulse_bits) - _ONE
    nanotime_mask = (_ONE << nanotime_bits) - _ONE
    code_shift = np.uint64(0) if nanotime_bits == np.uint64(0) else pulse_bits
    code_mask = np.uint64(15) if nanotime_bits == np.uint64(0) else nanotime_mask
    marker_mask = pulse_mask & ~code_mask if nanotime_bits == np.uint64(0) else pulse_mask
    photons = np.uint64(0)
    events = np.uint64(0)
    unknown = np.uint64(0)
    for i in range(np.uint64(words.size)):
        word = np.uint64(words[i])
        if word < np.uint64(0xF000_0000):
            pulse[photons] = base + (word & pulse_mask)
            nanotime[photons] = (word >> pulse_bits) & nanotime_mask
            channel[photons] = word >> np.uint64(28)
            photons += _ONE
            continue
        code = (word >> code_shift) & code_mask
        if code == np.uint64(0):
            base = min(base + wrap, _FAR)
        elif code & np.uint64(15):
            event_pulse[events] = base + (word & marker_mask)
            event_bits[events] = code & np.uint64(15)
            events += _ONE
        else:
            unknown += _ONE
    return photons, events, unknown, base


@jit
def ascending(pulse: _U64) -> bool:
    """Whether (n,) uint64 never decreases; without an early exit, so that it vectorises."""
    disorder = False
    for i in range(_ONE, np.uint64(pulse.size)):
        disorder |= pulse[i] < pulse[i - _ONE]
    return not disorder


@jit
def encode(
    pulse: _U64,
    nanotime: _U16,
    channel: _U8,
    position: np.uint64,
    base: np.uint64,
    shifts: tuple[np.uint64, np.uint64],
    fixed: tuple[np.uint64, np.uint64, np.uint64],
    wrap: np.uint64,
    largest_count: np.uint64,
    words: _Words,
) -> tuple[np.uint64, np.uint64]:
    """Write photons, and before each the overflows due, then the overflows up to `position`.

    Args:
        pulse: (n,) uint64, non-decreasing and at or after `base`; with `nanotime` and `channel`.
        nanotime: (n,) uint16.
        channel: (n,) uint8.
        position: pulses that have passed in the end.
        base: pulses of all overflows so far.
        shifts: positions of the channel and of the nanotime field.
        fixed: bits every photon has set, what is exclusive-ored with the nanotime, and an overflow word
            whose count is zero.
        wrap: pulses per overflow.
        largest_count: overflows one word can stand for.
        words: (m,) uint32, large enough.

    Returns:
        words written and the new base.
    """
    channel_shift, nanotime_shift = shifts
    photon_word, nanotime_flip, overflow_word = fixed
    written = np.uint64(0)
    total = np.uint64(pulse.size)
    for i in range(total + _ONE):
        now = pulse[i] if i < total else max(position, base)
        if now - base >= wrap:
            due = (now - base) // wrap
            base += due * wrap
            while due > np.uint64(0):
                count = min(due, largest_count)
                due -= count
                words[written] = overflow_word | (count if largest_count > _ONE else np.uint64(0))
                written += _ONE
        if i < total:
            words[written] = (
                photon_word
                | (np.uint64(channel[i]) << channel_shift)
                | ((np.uint64(nanotime[i]) ^ nanotime_flip) << nanotime_shift)
                | (now - base)
            )
            written += _ONE
    return written, base
