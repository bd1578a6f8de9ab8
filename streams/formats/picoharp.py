"""The older PicoHarp 300 files (.pt2, .pt3, format 2.0): one fixed header, then the words.

In T2 the detectors are numbered as the card's inputs: 0 is the one that takes the laser in T3.
"""

import math
from pathlib import Path

from hardware.types import PS_PER_S, RecordLayout
from streams.formats.fixed_header import (
    COMMON_TEXTS,
    Fields,
    longest_s,
    read_fields,
    read_head,
    unix_ns,
    words_offset,
)
from streams.formats.recording import FormatError, Recording
from streams.formats.word_file import WordFile, open_words

__all__ = ["read", "recognises"]

IDENT = b"PicoHarp 300"
HEADER_BYTES = 728
T2, T3 = 2, 3
HISTOGRAM = 0
TICK_PS = 4.0  # of every T2 measurement
PS_PER_NS = 1000.0

_TEXTS = {**COMMON_TEXTS, "HardwareVersion": (552, 8)}
_INTEGERS = {
    "Curves": 328,
    "BitsPerRecord": 332,
    "RoutingChannels": 336,
    "NumberOfBoards": 340,
    "MeasurementMode": 348,
    "SubMode": 352,
    "RangeNo": 356,
    "Offset": 360,
    "AcquisitionTime": 364,
    "StopAt": 368,
    "StopOnOvfl": 372,
    "HardwareSerial": 560,
    "SyncDivider": 564,
    "CFDZeroCross0": 568,
    "CFDLevel0": 572,
    "CFDZeroCross1": 576,
    "CFDLevel1": 580,
    "RouterModelCode": 588,
    "RouterEnabled": 592,
    "ExtDevices": 692,
    "InpRate0": 704,
    "InpRate1": 708,
    "StopAfter": 712,
    "StopReason": 716,
    "NumRecords": 720,
    "ImgHdrSize": 724,
}
_REALS = {"Resolution": (584, "f")}  # ns
_SETTINGS = ("SyncDivider", "Offset", "CFDZeroCross0", "CFDLevel0", "CFDZeroCross1", "CFDLevel1", "RangeNo")


def recognises(head: bytes) -> bool:
    """Whether a file that begins like this is a PicoHarp 300 file of the older kind."""
    return head.startswith(IDENT)


def read(path: Path) -> Recording:
    """Open a .pt2 or .pt3 file.

    Raises:
        FormatError: the header is cut, is not of a T2 or T3 measurement in format 2.0, or lacks the pulse
            rate or the TCSPC resolution of a T3 measurement.
    """
    fields = read_fields(read_head(path, HEADER_BYTES), _TEXTS, _INTEGERS, _REALS)
    texts, numbers = fields.texts, fields.integers
    _check(path, fields)
    is_t3 = numbers["MeasurementMode"] == T3
    return open_words(
        WordFile(
            path=path,
            layout=RecordLayout.PICOHARP_T3 if is_t3 else RecordLayout.PICOHARP_T2,
            words_offset=words_offset(path, HEADER_BYTES, numbers["ImgHdrSize"], numbers["BitsPerRecord"]),
            words_promised=numbers["NumRecords"],
            macro_tick_ps=PS_PER_S / numbers["InpRate0"] if is_t3 else TICK_PS,
            resolution_ps=fields.reals["Resolution"] * PS_PER_NS if is_t3 else None,
            longest_s=longest_s(numbers["StopAfter"], numbers["AcquisitionTime"]),
            instrument=texts["HardwareIdent"] or texts["Ident"],
            serial=str(numbers["HardwareSerial"]),
            software=f"{texts['CreatorName']} {texts['CreatorVersion']}".strip(),
            title=texts["Comment"],
            started_unix_ns=unix_ns(texts["FileTime"]),
            simulated=False,
            settings={name: str(numbers[name]) for name in _SETTINGS},
            header=fields.everything,
        )
    )


def _check(path: Path, fields: Fields) -> None:
    numbers, resolution_ns = fields.integers, fields.reals["Resolution"]
    if (version := fields.texts["FormatVersion"]) != "2.0":
        raise FormatError(path, f"is a PicoHarp 300 file of format {version!r}; qdmon reads 2.0")
    mode = numbers["MeasurementMode"]
    if mode == HISTOGRAM:
        raise FormatError(path, "is a PicoHarp 300 histogram (.phd), not photons: record in T2 or T3 mode")
    if mode not in (T2, T3):
        raise FormatError(
            path, f"is a PicoHarp 300 file of measurement mode {mode}, neither 2 nor 3 (T2, T3)"
        )
    if mode == T2:
        return
    if numbers["InpRate0"] <= 0:
        raise FormatError(path, "lacks the pulse rate, which cannot be guessed (InpRate0 is not positive)")
    if not (math.isfinite(resolution_ns) and 1e-6 <= resolution_ns <= 1e6):
        raise FormatError(path, f"has an impossible TCSPC resolution in its header ({resolution_ns:g} ns)")
