"""The older HydraHarp 400 files (.ht2, .ht3, formats 1.0 and 2.0): a header, its inputs, then the words.

Format 1.0 counts T2 time in half picoseconds and tells overflows one by one; 2.0 counts picoseconds and
may tell any number of overflows in one word.
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

IDENT = b"HydraHarp\0"
HEADER_BYTES = 696  # up to the inputs
INPUT_BYTES = 20
TAIL_BYTES = 24
MOST_INPUTS = 64
T2, T3 = 2, 3
HISTOGRAM = 0

_LAYOUTS = {
    ("1.0", T2): RecordLayout.HYDRAHARP_V1_T2,
    ("1.0", T3): RecordLayout.HYDRAHARP_V1_T3,
    ("2.0", T2): RecordLayout.GENERIC_T2,
    ("2.0", T3): RecordLayout.GENERIC_T3,
}
_TICK_PS = {"1.0": 0.5, "2.0": 1.0}

_TEXTS = {**COMMON_TEXTS, "HardwarePartNo": (552, 8)}
_INTEGERS = {
    "Curves": 328,
    "BitsPerRecord": 332,
    "MeasurementMode": 340,
    "SubMode": 344,
    "Binning": 348,
    "Offset": 360,
    "AcquisitionTime": 364,
    "StopAt": 368,
    "StopOnOvfl": 372,
    "HardwareSerial": 560,
    "InputChannelsPresent": 664,
    "RefClockSource": 668,
    "ExtDevices": 672,
    "MarkerSettings": 676,
    "SyncDivider": 680,
    "SyncCFDLevel": 684,
    "SyncCFDZeroCross": 688,
    "SyncOffset": 692,
}
_REALS = {"Resolution": (352, "d"), "BaseResolution": (648, "d")}  # ps
_TAIL = {"SyncRate": 0, "StopAfter": 4, "StopReason": 8, "ImgHdrSize": 12}  # then the records, 64 bits
_SETTINGS = ("Binning", "Offset", "SyncDivider", "SyncCFDLevel", "SyncCFDZeroCross", "SyncOffset")


def recognises(head: bytes) -> bool:
    """Whether a file that begins like this is a HydraHarp file of the older kind."""
    return head.startswith((IDENT, IDENT.replace(b"\0", b" ")))


def read(path: Path) -> Recording:
    """Open a .ht2 or .ht3 file.

    Raises:
        FormatError: the header is cut, is not of a T2 or T3 measurement in format 1.0 or 2.0, or lacks the
            pulse rate or the TCSPC resolution of a T3 measurement.
    """
    fields = read_fields(read_head(path, HEADER_BYTES), _TEXTS, _INTEGERS, _REALS)
    version, mode = fields.texts["FormatVersion"], fields.integers["MeasurementMode"]
    layout = _layout(path, version, mode)
    tail_at = HEADER_BYTES + INPUT_BYTES * _inputs(path, fields)
    head = read_head(path, tail_at + TAIL_BYTES)
    tail = read_fields(head, {}, _TAIL, {}, shift=tail_at).integers
    promised = int.from_bytes(head[-8:], "little")
    texts, numbers = fields.texts, fields.integers
    if mode == T3:
        _check_t3(path, tail["SyncRate"], fields.reals["Resolution"])
    return open_words(
        WordFile(
            path=path,
            layout=layout,
            words_offset=words_offset(path, len(head), tail["ImgHdrSize"], numbers["BitsPerRecord"]),
            words_promised=promised,
            macro_tick_ps=PS_PER_S / tail["SyncRate"] if mode == T3 else _TICK_PS[version],
            resolution_ps=fields.reals["Resolution"] if mode == T3 else None,
            longest_s=longest_s(tail["StopAfter"], numbers["AcquisitionTime"]),
            instrument=texts["HardwareIdent"] or texts["Ident"],
            serial=str(numbers["HardwareSerial"]),
            software=f"{texts['CreatorName']} {texts['CreatorVersion']}".strip(),
            title=texts["Comment"],
            started_unix_ns=unix_ns(texts["FileTime"]),
            simulated=False,
            settings={name: str(numbers[name]) for name in _SETTINGS},
            header={**fields.everything, **tail, "NumRecords": promised},
        )
    )


def _layout(path: Path, version: str, mode: int) -> RecordLayout:
    if version not in _TICK_PS:
        raise FormatError(path, f"is a HydraHarp file of format {version!r}; qdmon reads 1.0 and 2.0")
    if mode == HISTOGRAM:
        raise FormatError(path, "is a HydraHarp histogram (.hhd), not photons: record in T2 or T3 mode")
    if (version, mode) not in _LAYOUTS:
        raise FormatError(path, f"is a HydraHarp file of measurement mode {mode}, neither 2 nor 3 (T2, T3)")
    return _LAYOUTS[version, mode]


def _inputs(path: Path, fields: Fields) -> int:
    inputs = fields.integers["InputChannelsPresent"]
    if not 0 <= inputs <= MOST_INPUTS:
        raise FormatError(path, f"has an impossible number of inputs in its header ({inputs}): it is damaged")
    return inputs


def _check_t3(path: Path, sync_rate_hz: int, resolution_ps: float) -> None:
    if sync_rate_hz <= 0:
        raise FormatError(path, "lacks the pulse rate, which cannot be guessed (SyncRate is not positive)")
    if not (math.isfinite(resolution_ps) and 1e-3 <= resolution_ps <= 1e9):
        raise FormatError(path, f"has an impossible TCSPC resolution in its header ({resolution_ps:g} ps)")
