"""The words of a file, decoded block after block in bounded memory, and a survey of all of them.

Two limits keep damage from inventing time. An overflow record that claims more darkness than the whole
measurement counts as a single overflow and is reported as a gap of that length: the photons after it are
kept, a little too early, rather than thrown away or moved years ahead. And reading ends where the sum of
all claims passes the longest measurement any card can make.
"""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from hardware.jit import jit
from hardware.records import RecordDecoder, decoder_for
from hardware.types import DecodedBlock, Loss, LossCause, Markers, RecordLayout
from streams.formats.recording import FormatError

__all__ = ["WORD_BYTES", "Survey", "WordArea", "decoded", "survey"]

WORD_BYTES = 4
BLOCK_WORDS = 262_144


@dataclass(frozen=True)
class WordArea:
    """Where the words of a file are, and what to believe of them.

    Attributes:
        path: the file.
        offset: of the first word, bytes.
        words: how many there are.
        layout: how each is packed.
        longest_jump: pulses of darkness that one word may claim.
        last_pulse: reading ends here.
    """

    path: Path
    offset: int
    words: int
    layout: RecordLayout
    longest_jump: int
    last_pulse: int


@dataclass(frozen=True)
class Survey:
    """What one pass over all words found.

    Attributes:
        photons: how many.
        channels: detectors that occur, ascending.
        per_channel: photons of each.
        largest_nanotime: TCSPC bin, 0 without photons.
        stop_pulse: end of the recording, exclusive.
        damaged: overflow records that were not believed.
        gaps: stretches that the card says it lost.
        unknown: records of no known kind.
        ends_early: time became impossible before the words ended.
    """

    photons: int
    channels: tuple[int, ...]
    per_channel: tuple[int, ...]
    largest_nanotime: int
    stop_pulse: int
    damaged: int
    gaps: int
    unknown: int
    ends_early: bool


def decoded(area: WordArea) -> Iterator[DecodedBlock]:
    """Decode all words from the start.

    Raises:
        FormatError: the file lost words since it was opened.
    """
    return _decoded(area, decoder_for(area.layout, area.longest_jump))


def survey(area: WordArea) -> Survey:
    """Decode all words once and keep only what they add up to."""
    decoder = decoder_for(area.layout, area.longest_jump)
    counts = np.zeros(256, np.int64)
    photons = damaged = gaps = largest_nanotime = stop_pulse = position = 0
    for block in _decoded(area, decoder):
        photons += len(block.photons)
        by_damage = sum(loss.cause is LossCause.FILE_DAMAGED for loss in block.losses)
        damaged += by_damage
        gaps += len(block.losses) - by_damage
        nanotime = int(_tally(block.photons.nanotime, block.photons.channel, counts))
        largest_nanotime = max(largest_nanotime, nanotime)
        ends = [int(pulse[-1]) + 1 for pulse in (block.photons.pulse, block.markers.pulse) if len(pulse)]
        position = block.position
        stop_pulse = max([stop_pulse, position, *ends, *(loss.first_pulse + 1 for loss in block.losses)])
    return Survey(
        photons=photons,
        channels=tuple(np.flatnonzero(counts).tolist()),
        per_channel=tuple(counts[counts > 0].tolist()),
        largest_nanotime=largest_nanotime,
        stop_pulse=stop_pulse,
        damaged=damaged,
        gaps=gaps,
        unknown=decoder.unknown_records,
        ends_early=position >= area.last_pulse,
    )


def _decoded(area: WordArea, decoder: RecordDecoder) -> Iterator[DecodedBlock]:
    with area.path.open("rb") as file:
        file.seek(area.offset)
        for words in _words(file, area):
            block = decoder.feed(words)
            block = dataclasses.replace(block, losses=tuple(_in_a_file(loss) for loss in block.losses))
            if block.position >= area.last_pulse:
                yield _before(block, area.last_pulse)
                return
            yield block


def _in_a_file(loss: Loss) -> Loss:
    """A file cannot have words missing as a card's transfer can: what makes no sense is damage."""
    damaged = loss.cause is LossCause.DECODE_GAP
    return dataclasses.replace(loss, cause=LossCause.FILE_DAMAGED) if damaged else loss


def _words(file: BinaryIO, area: WordArea) -> Iterator[NDArray[np.uint32]]:
    left = area.words
    while left:
        data = file.read(min(left, BLOCK_WORDS) * WORD_BYTES)
        words = np.frombuffer(data, "<u4", len(data) // WORD_BYTES)
        if not len(words):
            raise FormatError(
                area.path, "became shorter while it was read: open it again when it is complete"
            )
        left -= len(words)
        yield words.astype(np.uint32, copy=False)


def _before(block: DecodedBlock, stop_pulse: int) -> DecodedBlock:
    markers = block.markers
    kept = markers.pulse < np.uint64(stop_pulse)
    return DecodedBlock(
        block.photons.between(0, stop_pulse),
        Markers(markers.pulse[kept], markers.bits[kept]),
        tuple(loss for loss in block.losses if loss.first_pulse < stop_pulse),
        stop_pulse,
    )


@jit
def _tally(nanotime: NDArray[np.uint16], channel: NDArray[np.uint8], counts: NDArray[np.int64]) -> np.uint16:
    """Add (n,) photons to the (256,) counts per channel; return their largest nanotime."""
    largest = np.uint16(0)
    for i in range(np.uint64(channel.size)):
        counts[channel[i]] += 1
        largest = max(largest, nanotime[i])
    return largest
