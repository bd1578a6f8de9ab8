"""The older PicoHarp 300 T3 files (.pt3, format 2.0): one fixed header, then the words.

Strings are padded with NULs by PicoQuant's own software and with blanks by LabVIEW programs.
"""

import math
import struct
from datetime import UTC, datetime
from pathlib import Path

from hardware.types import RecordLayout
from streams.formats.recording import FormatError, Recording
from streams.formats.word_blocks import WORD_BYTES
from streams.formats.word_file import WordFile, open_words
from streams.text import clean_text

__all__ = ["read", "recognises"]

IDENT = b"PicoHarp 300"
HEADER_BYTES = 728
T3_MODE = 3
PS_PER_NS = 1000.0
LONGEST_IMAGE_HEADER = 65_536

_STRINGS = {
    "Ident": (0, 16),
    "FormatVersion": (16, 6),
    "CreatorName": (22, 18),
    "CreatorVersion": (40, 12),
    "FileTime": (52, 18),
    "Comment": (72, 256),
    "HardwareIdent": (536, 16),
    "HardwareVersion": (552, 8),
}
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
_RESOLUTION_OFFSET = 584  # float32, ns
_TIME_FORMATS = ("%d/%m/%y %H:%M:%S", "%d/%m/%Y %H:%M")
_SETTINGS = ("SyncDivider", "Offset", "CFDZeroCross0", "CFDLevel0", "CFDZeroCross1", "CFDLevel1", "RangeNo")


def recognises(head: bytes) -> bool:
    """Whether a file that begins like this is a PicoHarp 300 file of the older kind."""
    return head.startswith(IDENT)


def read(path: Path) -> Recording:
    """Open a .pt3 file.

    Raises:
        FormatError: the header is cut, is not of a T3 measurement in format 2.0, or lacks the pulse rate
            or the TCSPC resolution.
    """
    with path.open("rb") as file:
        head = file.read(HEADER_BYTES)
    if len(head) < HEADER_BYTES:
        raise FormatError(
            path, f"ends inside its header ({len(head)} of {HEADER_BYTES} bytes): copy it again"
        )
    texts = {name: _text(head, *where) for name, where in _STRINGS.items()}
    numbers = {name: int(struct.unpack_from("<i", head, at)[0]) for name, at in _INTEGERS.items()}
    resolution_ns = float(struct.unpack_from("<f", head, _RESOLUTION_OFFSET)[0])
    _check(path, texts["FormatVersion"], numbers, resolution_ns)
    longest_ms = max(numbers["StopAfter"], numbers["AcquisitionTime"])
    return open_words(
        WordFile(
            path=path,
            layout=RecordLayout.PICOHARP_T3,
            words_offset=HEADER_BYTES + WORD_BYTES * numbers["ImgHdrSize"],
            words_promised=numbers["NumRecords"],
            macro_tick_ps=1e12 / numbers["InpRate0"],
            resolution_ps=resolution_ns * PS_PER_NS,
            longest_s=longest_ms / 1000 if longest_ms > 0 else None,
            instrument=texts["HardwareIdent"] or texts["Ident"],
            serial=str(numbers["HardwareSerial"]),
            software=f"{texts['CreatorName']} {texts['CreatorVersion']}".strip(),
            title=texts["Comment"],
            started_unix_ns=_unix_ns(texts["FileTime"]),
            simulated=False,
            settings={name: str(numbers[name]) for name in _SETTINGS},
            header={**texts, **numbers, "Resolution": resolution_ns},
        )
    )


def _check(path: Path, version: str, numbers: dict[str, int], resolution_ns: float) -> None:
    if version != "2.0":
        raise FormatError(path, f"is a PicoHarp 300 file of format {version!r}; qdmon reads 2.0")
    if numbers["MeasurementMode"] != T3_MODE:
        raise FormatError(
            path, f"is a PicoHarp 300 file of measurement mode {numbers['MeasurementMode']}, not 3 (T3, .pt3)"
        )
    if numbers["BitsPerRecord"] != 32:
        raise FormatError(path, f"holds records of {numbers['BitsPerRecord']} bits, not 32: it is damaged")
    if numbers["InpRate0"] <= 0:
        raise FormatError(path, "lacks the pulse rate, which cannot be guessed (InpRate0 is not positive)")
    if not (math.isfinite(resolution_ns) and 1e-6 <= resolution_ns <= 1e6):
        raise FormatError(path, f"has an impossible TCSPC resolution in its header ({resolution_ns:g} ns)")
    if not 0 <= numbers["ImgHdrSize"] <= LONGEST_IMAGE_HEADER:
        raise FormatError(
            path, f"has an impossible image header ({numbers['ImgHdrSize']} words): it is damaged"
        )


def _text(head: bytes, start: int, length: int) -> str:
    return clean_text(head[start : start + length].split(b"\0")[0].decode("cp1252", "replace"))


def _unix_ns(text: str) -> int:
    """When the file says it was made, its clock taken as UTC; 0 if it does not say legibly."""
    for pattern in _TIME_FORMATS:
        try:
            moment = datetime.strptime(text, pattern).replace(tzinfo=UTC)
        except ValueError:
            continue
        return max(0, round(moment.timestamp() * 1e9))
    return 0
