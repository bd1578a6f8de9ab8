"""SIMINICS FT1040 binary files (.bin): a four-byte mark, words, and an end mark; no header at all.

Written from the vendor's guide; no file of a real card was met. The guide shows big-endian words; a file
whose mark is reversed is taken for little-endian. T3 words count in units that were set on the card and are
in no file, so a user has to say pulse rate and resolution.
"""

from collections.abc import Iterator
from os import SEEK_END
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hardware.siminics import Words
from hardware.types import PS_PER_S, DecodedBlock
from streams.formats.choices import NOTHING_SAID, Choices
from streams.formats.column_file import ColumnFile, open_columns
from streams.formats.identity import file_session
from streams.formats.recording import FormatError, Recording

__all__ = ["read", "recognises"]

_MODES: dict[bytes, tuple[Literal["T3", "T2"], str]] = {
    b"\xeb\x90\xb7\x13": ("T3", ">u4"),
    b"\x13\xb7\x90\xeb": ("T3", "<u4"),
    b"\xeb\x90\xb7\x12": ("T2", ">u4"),
    b"\x12\xb7\x90\xeb": ("T2", "<u4"),
}
_END = 0xEEEE_DDDD
WORD_BYTES = 4
BLOCK_WORDS = 262_144
T2_TICK_PS = 64.0
INSTRUMENT = "SIMINICS FT1040"


def recognises(head: bytes) -> bool:
    """Whether a file that begins like this is one."""
    return head[:WORD_BYTES] in _MODES


def read(path: Path, choices: Choices = NOTHING_SAID) -> Recording:
    """Open a SIMINICS file.

    Args:
        path: the file.
        choices: pulse rate and resolution, needed in T3.

    Raises:
        FormatError: the time base of a T3 file is not given, or the words are no words.
    """
    with path.open("rb") as file:
        mode, order = _MODES[file.read(WORD_BYTES)]
    tick_ps, resolution_ps = T2_TICK_PS, None
    if mode == "T3":
        if choices.pulse_rate_hz is None or choices.resolution_ps is None:
            raise FormatError(
                path,
                "is a SIMINICS file, which has no time base: give --pulse-rate-hz and --resolution-ps",
            )
        tick_ps, resolution_ps = PS_PER_S / choices.pulse_rate_hz, choices.resolution_ps
    return open_columns(
        ColumnFile(
            path=path,
            session=file_session(path, instrument=INSTRUMENT),
            parts=lambda: _parts(path, Words(mode), order),
            macro_tick_ps=tick_ps,
            resolution_ps=resolution_ps,
            instrument=INSTRUMENT,
            header={"mode": mode, "byte order": "big" if order == ">u4" else "little"},
            problems=tuple(_problems(path, mode, order)),
        )
    )


def _blocks(path: Path, order: str) -> Iterator[NDArray[np.uint32]]:
    """The words between the marks."""
    words = (path.stat().st_size - WORD_BYTES) // WORD_BYTES
    with path.open("rb") as file:
        file.seek(WORD_BYTES)
        while words > 0:
            data = file.read(min(words, BLOCK_WORDS) * WORD_BYTES)
            block = np.frombuffer(data, order, len(data) // WORD_BYTES).astype(np.uint32)
            if not len(block):
                raise FormatError(path, "became shorter while it was read: open it again when it is complete")
            words -= len(block)
            yield block[:-1] if words == 0 and block[-1] == _END else block


def _parts(path: Path, decoder: Words, order: str) -> Iterator[DecodedBlock]:
    for block in _blocks(path, order):
        try:
            yield decoder.feed(block)
        except ValueError as error:
            raise FormatError(path, f"holds {error}: it is damaged, or no SIMINICS file") from None
    yield decoder.rest()


def _problems(path: Path, mode: Literal["T3", "T2"], order: str) -> Iterator[str]:
    decoder = Words(mode)
    gaps = sum(len(part.losses) for part in _parts(path, decoder, order))
    size = path.stat().st_size
    if size % WORD_BYTES:
        yield f"the last word is cut after {size % WORD_BYTES} of {WORD_BYTES} bytes: it is left out"
    with path.open("rb") as file:
        file.seek(-WORD_BYTES, SEEK_END)
        if file.read() != _END.to_bytes(WORD_BYTES, "big" if order == ">u4" else "little"):
            yield "the end mark is missing: the measurement did not end in good order; reading what is there"
    if decoder.began_at:
        yield f"it begins at overflow {decoder.began_at}: another file goes before it, or its start is lost"
    if gaps:
        yield f"overflow records are missing at {gaps} places: these stretches are left out and show as gaps"
    if decoder.unknown:
        yield f"words of no known kind: {decoder.unknown}; they are left out"
