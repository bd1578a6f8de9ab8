"""The stateful decoder: blocks of words in, photons on one running pulse index out."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from hardware.records.kernels import DAMAGE, FAR, Columns, ascending, decode_flagged, decode_unflagged
from hardware.records.reversed_kernels import decode_spc, decode_valid_bit
from hardware.records.words import WORD_FORMATS, Style, WordFormat
from hardware.types import DecodedBlock, Loss, LossCause, Markers, Photons, RecordLayout

__all__ = ["RecordDecoder", "decoder_for"]

_T = TypeVar("_T", bound=np.generic)


class RecordDecoder:
    """Decodes one segment of words, whatever the blocks they come in.

    Only overflow words move `position`: cards write them in order, so no later photon can precede the
    last one seen, whereas photons between two overflows may arrive slightly out of order. A block
    therefore brings its photons at once, sorted, but those at or beyond its position can still be
    joined by photons of the next block.

    Attributes:
        unknown_records: words so far that are neither photon, overflow, marker nor sync; left out.
    """

    def __init__(self, words: WordFormat, longest_jump: int = FAR) -> None:
        self._format = words
        self._longest_jump = longest_jump
        self._base = 0
        self._last = 0
        self.unknown_records = 0

    @property
    def position(self) -> int:
        """Every pulse below it is complete."""
        return self._base

    def feed(self, words: NDArray[np.uint32]) -> DecodedBlock:
        """Decode the next words.

        Args:
            words: (n,) uint32 in the card's own layout and host byte order; not kept.

        Returns:
            Photons non-decreasing in pulse (equal pulses in the order of the words), markers, losses and
            the new position. Losses are overflow words too long to be true (DECODE_GAP, of one wrap) and
            what the card says it lost (FIFO_OVERRUN, from the word before to the one that says so).
        """
        n = len(words)
        out = (
            np.empty(n, np.uint64),
            np.empty(n, np.uint16),
            np.empty(n, np.uint8),
            np.empty(n, np.uint64),
            np.empty(n, np.uint8),
        )
        gaps: list[Loss] = []
        photons, events = self._run(words, out, gaps)
        pulse, nanotime, channel, event_pulse, event_bits = out
        markers, losses = self._markers_and_losses(event_pulse[:events], event_bits[:events])
        return DecodedBlock(
            _in_order(_trimmed(pulse, photons), _trimmed(nanotime, photons), _trimmed(channel, photons)),
            markers,
            (*losses, *gaps),
            position=self._base,
        )

    def _run(self, words: NDArray[np.uint32], out: Columns, gaps: list[Loss]) -> tuple[int, int]:
        """Fill the columns and the gaps; return how many photons and events there are."""
        field = self._format
        base, longest = np.uint64(self._base), np.uint64(self._longest_jump)
        widths = (np.uint64(field.nanotime_bits), np.uint64(field.pulse_bits), np.uint64(field.wrap))
        if field.style is Style.SPC:
            return self._run_spc(words, out, gaps)
        if field.style is Style.FLAGGED:
            found = decode_flagged(words, base, *widths, field.largest_count > 1, longest, out)
        elif field.style is Style.VALID_BIT:
            found = decode_valid_bit(words, base, out)
        else:
            found = decode_unflagged(words, base, *widths, out)
        photons, events, unknown, self._base = (int(x) for x in found)
        self.unknown_records += unknown
        return photons, events

    def _run_spc(self, words: NDArray[np.uint32], out: Columns, gaps: list[Loss]) -> tuple[int, int]:
        stretches = np.empty(len(words), np.uint64), np.empty(len(words), np.uint64)
        base, last, longest = (np.uint64(x) for x in (self._base, self._last, self._longest_jump))
        found = decode_spc(words, base, last, longest, out, stretches)
        photons, events, lost, unknown, self._base, self._last = (int(x) for x in found)
        self.unknown_records += unknown
        first, stop = (stretch[:lost].tolist() for stretch in stretches)
        gaps += (Loss(a, b, LossCause.FIFO_OVERRUN) for a, b in zip(first, stop, strict=True))
        return photons, events

    def _markers_and_losses(
        self, pulse: NDArray[np.uint64], bits: NDArray[np.uint8]
    ) -> tuple[Markers, tuple[Loss, ...]]:
        if not len(pulse):
            return Markers.empty(), ()
        damaged = bits == DAMAGE
        starts = pulse[damaged].tolist()
        losses = tuple(Loss(p, p + self._format.wrap, LossCause.DECODE_GAP) for p in starts)
        order = np.argsort(pulse[~damaged], kind="stable")
        return Markers(pulse[~damaged][order], bits[~damaged][order]), losses


def decoder_for(layout: RecordLayout, longest_jump: int = FAR) -> RecordDecoder:
    """A decoder at the start of a segment.

    Args:
        layout: how the words are packed.
        longest_jump: pulses of darkness one overflow word may stand for before it is taken for damage,
            counted as one wrap and reported as a loss; by default anything goes.
    """
    return RecordDecoder(WORD_FORMATS[layout], longest_jump)


def _trimmed(column: NDArray[_T], used: int) -> NDArray[_T]:
    """The used part; a copy if a view would keep mostly unused memory alive."""
    return column[:used] if 2 * used >= len(column) else column[:used].copy()


def _in_order(pulse: NDArray[np.uint64], nanotime: NDArray[np.uint16], channel: NDArray[np.uint8]) -> Photons:
    if ascending(pulse):
        return Photons(pulse, nanotime, channel)
    order = np.argsort(pulse, kind="stable")
    return Photons(pulse[order], nanotime[order], channel[order])
