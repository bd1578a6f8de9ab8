"""Writing photons as PTU files that PicoQuant's software and the usual readers open.

Generic T3 records (type 00010307). Markers are not written. The number of records is set last, so a file
whose writer died says so by claiming none, and readers that go to the end still get its photons.
"""

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from hardware.records import WORD_FORMATS, encoder_for
from hardware.types import PS_PER_S, Acquisition, Photons, RecordLayout
from streams.formats.ptu import SIMULATED_TAG
from streams.formats.ptu_tags import END, MAGIC, TagValue, pack_tag
from streams.text import clean_text

__all__ = ["PtuWriter", "write_ptu"]

_LAYOUT = RecordLayout.GENERIC_T3
_RECORD_TYPE = 0x0001_0307
_DURATIONS = ("MeasDesc_AcquisitionTime", "TTResult_StopAfter")  # ms, known at the end
_COUNT = "TTResult_NumberOfRecords"
_VALUE_OFFSET = 40  # of the 48 bytes of a tag


class PtuWriter:
    """Writes one T3 segment; a context manager.

    Args:
        path: a file that does not exist yet.
        acquisition: of the segment.
        comment: the title of the recording.
        created_unix_ns: when it was recorded.

    Raises:
        ValueError: T2, or TCSPC bins that the 15 bits of a record cannot count.
        FileExistsError: there is such a file already.
    """

    def __init__(
        self, path: str | Path, acquisition: Acquisition, *, comment: str = "", created_unix_ns: int = 0
    ) -> None:
        _check(acquisition)
        self._acquisition = acquisition
        self._encoder = encoder_for(_LAYOUT)
        self._records = 0
        self._stop_pulse = 0
        self._offsets: dict[str, int] = {}
        self._file = Path(path).open("xb")  # noqa: SIM115 - closed by `close`
        self._write_header(Path(path).name, comment, created_unix_ns)

    def __enter__(self) -> "PtuWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def append(self, photons: Photons, position: int) -> None:
        """Write the next photons and the darkness up to `position`.

        Raises:
            ValueError: a photon does not fit a record or is out of order.
        """
        words = self._encoder.feed(photons, position)
        self._file.write(words.astype("<u4", copy=False).tobytes())
        self._records += len(words)
        last = int(photons.pulse[-1]) + 1 if len(photons) else 0
        self._stop_pulse = max(self._stop_pulse, position, last)

    def close(self) -> None:
        """Write the duration and then the number of records into the header; may be called twice."""
        if self._file.closed:
            return
        with self._file:
            duration_ms = round(1000 * self._acquisition.seconds(self._stop_pulse))
            for name in _DURATIONS:
                self._overwrite(name, duration_ms)
            self._file.flush()
            self._overwrite(_COUNT, self._records)

    def _overwrite(self, name: str, value: int) -> None:
        self._file.seek(self._offsets[name] + _VALUE_OFFSET)
        self._file.write(value.to_bytes(8, "little", signed=True))

    def _write_header(self, name: str, comment: str, created_unix_ns: int) -> None:
        self._file.write(MAGIC + b"1.0.00\0\0")
        for tag, value in _tags(self._acquisition, name, clean_text(comment), created_unix_ns):
            self._offsets[tag] = self._file.tell()
            self._file.write(pack_tag(tag, value))
        self._file.write(pack_tag(END, None))


def write_ptu(
    path: str | Path,
    acquisition: Acquisition,
    blocks: Iterable[tuple[Photons, int]],
    *,
    comment: str = "",
    created_unix_ns: int = 0,
) -> None:
    """Write blocks of photons, each with the position up to which pulses have passed; see `PtuWriter`."""
    with PtuWriter(path, acquisition, comment=comment, created_unix_ns=created_unix_ns) as writer:
        for photons, position in blocks:
            writer.append(photons, position)


def _check(acquisition: Acquisition) -> None:
    if acquisition.mode != "T3" or acquisition.resolution_ps is None:
        raise ValueError("only T3 recordings can be written as PTU: this one has no nanotimes")
    bins = WORD_FORMATS[_LAYOUT].largest_nanotime + 1
    if acquisition.nanotime_bins > bins:
        raise ValueError(
            f"{acquisition.nanotime_bins} TCSPC bins do not fit the {bins} of a PTU record: "
            "make the bins wider first"
        )


def _tags(
    acquisition: Acquisition, name: str, comment: str, created_unix_ns: int
) -> Iterable[tuple[str, TagValue]]:
    created = datetime.fromtimestamp(created_unix_ns / 1e9, UTC)
    identity = f"{name} {created_unix_ns} {acquisition.instrument} {acquisition.serial} {comment}"
    period_ps, resolution_ps = acquisition.macro_tick_ps, acquisition.resolution_ps or 0.0
    yield "File_GUID", f"{{{uuid.uuid5(uuid.NAMESPACE_OID, identity)}}}"
    yield "File_CreatingTime", created
    yield "File_Comment", comment
    yield "CreatorSW_Name", "qdmon"
    yield "CreatorSW_Version", "1"
    yield "Measurement_Mode", 3
    yield "Measurement_SubMode", 0
    yield "HW_Type", clean_text(acquisition.instrument)
    yield "HW_SerialNo", clean_text(acquisition.serial)
    yield "HW_InpChannels", max(acquisition.channels, default=0) + 1
    yield "HW_BaseResolution", resolution_ps / PS_PER_S
    yield "HWSync_Divider", 1
    yield "MeasDesc_BinningFactor", 1
    yield "MeasDesc_Resolution", resolution_ps / PS_PER_S
    yield "MeasDesc_GlobalResolution", period_ps / PS_PER_S
    yield "TTResult_SyncRate", round(PS_PER_S / period_ps)
    yield "TTResult_StopReason", 0
    yield "TTResultFormat_TTTRRecType", _RECORD_TYPE
    yield "TTResultFormat_BitsPerRecord", 32
    if acquisition.simulated:
        yield SIMULATED_TAG, True
    for tag in (*_DURATIONS, _COUNT):
        yield tag, 0
