"""PTU files, PicoQuant's unified container, whatever their name ends in (.ptu, .timeres, ...)."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from hardware.types import PS_PER_S, RecordLayout
from streams.formats.ptu_tags import MAGIC, TagValue, read_tags
from streams.formats.recording import FormatError, Recording
from streams.formats.word_file import WordFile, open_words

__all__ = ["RECORD_TYPES", "SIMULATED_TAG", "read", "recognises"]

SIMULATED_TAG = "UsrQdmonSimulated"

RECORD_TYPES: Mapping[int, RecordLayout] = {
    0x0001_0303: RecordLayout.PICOHARP_T3,
    0x0001_0203: RecordLayout.PICOHARP_T2,
    0x0001_0304: RecordLayout.HYDRAHARP_V1_T3,
    0x0001_0204: RecordLayout.HYDRAHARP_V1_T2,
    0x0101_0304: RecordLayout.GENERIC_T3,  # HydraHarp v2
    0x0101_0204: RecordLayout.GENERIC_T2,
    0x0001_0305: RecordLayout.GENERIC_T3,  # TimeHarp 260 N
    0x0001_0205: RecordLayout.GENERIC_T2,
    0x0001_0306: RecordLayout.GENERIC_T3,  # TimeHarp 260 P
    0x0001_0206: RecordLayout.GENERIC_T2,
    0x0001_0307: RecordLayout.GENERIC_T3,  # MultiHarp, PicoHarp 330
    0x0001_0207: RecordLayout.GENERIC_T2,
}
_T3 = (RecordLayout.PICOHARP_T3, RecordLayout.HYDRAHARP_V1_T3, RecordLayout.GENERIC_T3)
_SETTING_PREFIXES = ("HW", "MeasDesc_")
_SLOWEST_TICK_S = 1.0
_FASTEST_TICK_S = 1e-13  # so that 100 h of ticks stay below 2**62


def recognises(head: bytes) -> bool:
    """Whether a file that begins like this is a PTU file."""
    return head.startswith(MAGIC)


def read(path: Path) -> Recording:
    """Open a PTU file with T3 or T2 records.

    Raises:
        FormatError: the header is cut, damaged, lacks what cannot be guessed, or the records are of a
            kind that is not known.
    """
    with path.open("rb") as file:
        tags = read_tags(file, path, path.stat().st_size)
        words_offset = file.tell()
    layout = _layout(path, tags)
    is_t3 = layout in _T3
    tick_s = _pulse_period_s(path, tags) if is_t3 else _needed(path, tags, "MeasDesc_GlobalResolution")
    resolution_s = _needed(path, tags, "MeasDesc_Resolution") if is_t3 else None
    promised = tags.get("TTResult_NumberOfRecords")
    created = tags.get("File_CreatingTime")
    return open_words(
        WordFile(
            path=path,
            layout=layout,
            words_offset=words_offset,
            words_promised=promised if type(promised) is int else None,
            macro_tick_ps=tick_s * PS_PER_S,
            resolution_ps=None if resolution_s is None else resolution_s * PS_PER_S,
            longest_s=_longest_s(tags),
            instrument=_text(tags, "HW_Type") or "unknown PicoQuant card",
            serial=_text(tags, "HW_SerialNo"),
            software=f"{_text(tags, 'CreatorSW_Name')} {_text(tags, 'CreatorSW_Version')}".strip(),
            title=_text(tags, "File_Comment"),
            started_unix_ns=_unix_ns(created) if isinstance(created, datetime) else 0,
            simulated=tags.get(SIMULATED_TAG) is True,
            settings={
                k: str(v) for k, v in tags.items() if k.startswith(_SETTING_PREFIXES) and v is not None
            },
            header=tags,
        )
    )


def _layout(path: Path, tags: Mapping[str, TagValue]) -> RecordLayout:
    kind = tags.get("TTResultFormat_TTTRRecType")
    if type(kind) is not int:
        raise FormatError(
            path, "does not say what its records are (tag TTResultFormat_TTTRRecType is missing)"
        )
    if kind not in RECORD_TYPES:
        raise FormatError(path, f"holds records of type {kind:08x}, which qdmon does not know")
    if tags.get("TTResultFormat_BitsPerRecord", 32) != 32:
        raise FormatError(path, "holds records that are not 32 bits long, which qdmon does not know")
    return RECORD_TYPES[kind]


def _pulse_period_s(path: Path, tags: Mapping[str, TagValue]) -> float:
    rate_hz = tags.get("TTResult_SyncRate")
    if tags.get("MeasDesc_GlobalResolution") is None and type(rate_hz) is int and rate_hz > 0:
        return 1.0 / rate_hz
    return _needed(path, tags, "MeasDesc_GlobalResolution", "the pulse rate")


def _needed(path: Path, tags: Mapping[str, TagValue], name: str, what: str = "a time") -> float:
    value = tags.get(name)
    if type(value) is not float:
        raise FormatError(path, f"lacks {what} that cannot be guessed (tag {name} is missing)")
    if not _FASTEST_TICK_S <= value <= _SLOWEST_TICK_S:
        raise FormatError(path, f"has an impossible time in its header ({name} is {value:g} s)")
    return value


def _longest_s(tags: Mapping[str, TagValue]) -> float | None:
    durations_ms = [tags.get("TTResult_StopAfter"), tags.get("MeasDesc_AcquisitionTime")]
    known = [value for value in durations_ms if type(value) is int and value > 0]
    return max(known) / 1000 if known else None


def _text(tags: Mapping[str, TagValue], name: str) -> str:
    value = tags.get(name)
    return value if isinstance(value, str) else ""


def _unix_ns(moment: datetime) -> int:
    """Nanoseconds since 1970, taking the file's clock, whose zone it does not tell, as UTC; 0 before."""
    return max(0, round((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1e9))
