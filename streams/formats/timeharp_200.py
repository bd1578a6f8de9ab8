"""TimeHarp 200 files (.t3r, formats 5.0 and 6.0): one fixed header, then the words.

The card is started by a photon and stopped by the laser, and stamps photons with a clock of its own,
usually 100 ns: its steps are no laser pulses. The rate of those is the one the header measured.
"""

import math
from pathlib import Path

from hardware.types import PS_PER_S, RecordLayout
from streams.formats.fixed_header import Fields, longest_s, read_fields, read_head, unix_ns, words_offset
from streams.formats.recording import FormatError, Recording
from streams.formats.word_file import WordFile, open_words

__all__ = ["read", "recognises"]

IDENT = b"TimeHarp 200"
TTTR = 2
VERSION_BYTES = 22  # identity and format, the same in all formats
PS_PER_NS = 1000.0
LONGEST_CLOCK_NS = 1_000_000

# Offsets of format 5.0. In 6.0 the software's name and version (30 bytes) replace the hardware's (6 bytes)
# in front of the time, and the board's identity (24 bytes) comes in front of its serial number.
_BEFORE_TIME, _BEFORE_BOARD = 24, 24
_FRONT_TEXTS = {"FileTime": (28, 18), "Comment": (48, 256)}
_FRONT = {
    "NumberOfChannels": 304,
    "Curves": 308,
    "BitsPerRecord": 312,
    "RoutingChannels": 316,
    "NumberOfBoards": 320,
    "MeasurementMode": 328,
    "SubMode": 332,
    "RangeNo": 336,
    "Offset": 340,
    "AcquisitionTime": 344,
    "StopAt": 348,
    "StopOnOvfl": 352,
}
_BACK = {
    "BoardSerial": 516,
    "CFDZeroCross": 520,
    "CFDDiscriminatorMin": 524,
    "SYNCLevel": 528,
    "CurveOffset": 532,
    "TTTRGlobClock": 540,
    "SyncRate": 568,
    "AverageCFDRate": 572,
    "StopAfter": 576,
    "StopReason": 580,
    "NumRecords": 584,
    "ImgHdrSize": 588,
}
_BACK_REALS = {"Resolution": (536, "f")}  # ns
HEADER_BYTES = 592
_SETTINGS = ("Offset", "RangeNo", "CFDZeroCross", "CFDDiscriminatorMin", "SYNCLevel", "TTTRGlobClock")


def recognises(head: bytes) -> bool:
    """Whether a file that begins like this is a TimeHarp 200 file."""
    return head.startswith(IDENT)


def read(path: Path) -> Recording:
    """Open a .t3r file.

    Raises:
        FormatError: the header is cut, is not of a time-tagged measurement in format 5.0 or 6.0, or lacks
            the pulse rate, the clock or the TCSPC resolution.
    """
    fields, header_bytes = _fields(path)
    texts, numbers = fields.texts, fields.integers
    _check(path, fields)
    return open_words(
        WordFile(
            path=path,
            layout=RecordLayout.TIMEHARP_200_T3,
            words_offset=words_offset(path, header_bytes, numbers["ImgHdrSize"], numbers["BitsPerRecord"]),
            words_promised=numbers["NumRecords"],
            macro_tick_ps=numbers["TTTRGlobClock"] * PS_PER_NS,
            laser_period_ps=PS_PER_S / numbers["SyncRate"],
            resolution_ps=fields.reals["Resolution"] * PS_PER_NS,
            longest_s=longest_s(numbers["StopAfter"], numbers["AcquisitionTime"]),
            instrument=texts["Ident"],
            serial=str(numbers["BoardSerial"]),
            software=f"{texts.get('CreatorName', '')} {texts.get('CreatorVersion', '')}".strip(),
            title=texts["Comment"],
            started_unix_ns=unix_ns(texts["FileTime"]),
            simulated=False,
            settings={name: str(numbers[name]) for name in _SETTINGS},
            header=fields.everything,
        )
    )


def _fields(path: Path) -> tuple[Fields, int]:
    """The header of either format, and its length."""
    texts = {"Ident": (0, 16), "FormatVersion": (16, 6)}
    version = read_fields(read_head(path, VERSION_BYTES), texts, {}, {}).texts["FormatVersion"]
    if version == "5.0":
        front = back = 0
        texts["HardwareVersion"] = (22, 6)
    elif version == "6.0":
        front, back = _BEFORE_TIME, _BEFORE_TIME + _BEFORE_BOARD
        texts |= {"CreatorName": (22, 18), "CreatorVersion": (40, 12)}
        texts |= {"HardwareIdent": (540, 16), "HardwareVersion": (556, 8)}
    else:
        raise FormatError(path, f"is a TimeHarp 200 file of format {version!r}; qdmon reads 5.0 and 6.0")
    head = read_head(path, HEADER_BYTES + back)
    start = read_fields(head, texts, {}, {})
    middle = read_fields(head, _FRONT_TEXTS, _FRONT, {}, shift=front)
    end = read_fields(head, {}, _BACK, _BACK_REALS, shift=back)
    both = {**middle.integers, **end.integers}
    return Fields({**start.texts, **middle.texts}, both, end.reals), len(head)


def _check(path: Path, fields: Fields) -> None:
    numbers, resolution_ns = fields.integers, fields.reals["Resolution"]
    if numbers["MeasurementMode"] != TTTR:
        raise FormatError(path, "is a TimeHarp 200 histogram (.thd), not photons: record in TTTR mode")
    if numbers["SyncRate"] <= 0:
        raise FormatError(path, "lacks the pulse rate, which cannot be guessed (SyncRate is not positive)")
    if not 0 < numbers["TTTRGlobClock"] <= LONGEST_CLOCK_NS:
        raise FormatError(path, f"has an impossible clock in its header ({numbers['TTTRGlobClock']} ns)")
    if not (math.isfinite(resolution_ns) and 1e-6 <= resolution_ns <= 1e6):
        raise FormatError(path, f"has an impossible TCSPC resolution in its header ({resolution_ns:g} ns)")
