"""Writing photons as PTU files that PicoQuant's software and the usual readers open.

Generic records (types 00010307 for T3, 00010207 for T2). The number of records is set last, so a file whose
writer died says so by claiming none, and readers that go to the end still get its photons.
"""

import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from hardware.records import WORD_FORMATS, encoder_for
from hardware.types import PS_PER_S, Acquisition, Markers, Photons, RecordLayout
from streams.formats.ptu import SIMULATED_TAG
from streams.formats.ptu_tags import END, MAGIC, TagValue, pack_tag
from streams.text import clean_text

__all__ = ["PtuWriter", "largest_bins", "write_ptu"]

_RECORDS = {"T3": (RecordLayout.GENERIC_T3, 0x0001_0307, 3), "T2": (RecordLayout.GENERIC_T2, 0x0001_0207, 2)}
_MARKER_SHIFT = 25
_SPECIAL = 0x8000_0000
_MARKER_INPUTS = 4
FAR = 1 << 63
NO_TAGS: Mapping[str, TagValue] = {}
_DURATIONS = ("MeasDesc_AcquisitionTime", "TTResult_StopAfter")  # ms, known at the end
_COUNT = "TTResult_NumberOfRecords"
_VALUE_OFFSET = 40  # of the 48 bytes of a tag


class PtuWriter:
    """Writes one segment; a context manager.

    Args:
        path: a file that does not exist yet.
        acquisition: of the segment.
        comment: the title of the recording.
        created_unix_ns: when it was recorded.
        tags: more to say in the header, by names that begin with "Usr".

    Raises:
        ValueError: times that count no laser pulses although there are nanotimes, or TCSPC bins that the
            15 bits of a record cannot count.
        FileExistsError: there is such a file already.
    """

    def __init__(
        self,
        path: str | Path,
        acquisition: Acquisition,
        *,
        comment: str = "",
        created_unix_ns: int = 0,
        tags: Mapping[str, TagValue] = NO_TAGS,
    ) -> None:
        _check(acquisition)
        self._acquisition = acquisition
        self._encoder = encoder_for(_RECORDS[acquisition.mode][0])
        self._records = 0
        self._stop_pulse = 0
        self._offsets: dict[str, int] = {}
        self._file = Path(path).open("xb")  # noqa: SIM115 - closed by `close`
        self._write_header(Path(path).name, comment, created_unix_ns, tags)

    def __enter__(self) -> "PtuWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def append(self, photons: Photons, position: int, markers: Markers | None = None) -> None:
        """Write the next photons, the markers among them, and the darkness up to `position`.

        Args:
            photons: the next ones.
            position: pulses that have passed.
            markers: of the card's four inputs, none before photons already written.

        Raises:
            ValueError: a photon or marker does not fit a record or is out of order.
        """
        rest = photons
        if markers is not None:
            for pulse, bits in zip(markers.pulse.tolist(), markers.bits.tolist(), strict=True):
                before = rest.between(0, pulse)
                self._write(self._encoder.feed(before, pulse))
                self._write_marker(pulse, bits)
                rest = rest.between(pulse, FAR)
        self._write(self._encoder.feed(rest, position))
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

    def _write(self, words: NDArray[np.uint32]) -> None:
        self._file.write(words.astype("<u4", copy=False).tobytes())
        self._records += len(words)

    def _write_marker(self, pulse: int, bits: int) -> None:
        low = pulse - self._encoder.position
        if low < 0 or not 0 < bits < 1 << _MARKER_INPUTS:
            raise ValueError(
                f"marker {bits:08b} at {pulse} does not fit a record: it has four inputs, in order"
            )
        self._write(np.array([_SPECIAL | bits << _MARKER_SHIFT | low], np.uint32))

    def _overwrite(self, name: str, value: int) -> None:
        self._file.seek(self._offsets[name] + _VALUE_OFFSET)
        self._file.write(value.to_bytes(8, "little", signed=True))

    def _write_header(
        self, name: str, comment: str, created_unix_ns: int, tags: Mapping[str, TagValue]
    ) -> None:
        self._file.write(MAGIC + b"1.0.00\0\0")
        ours = _tags(self._acquisition, name, clean_text(comment), created_unix_ns)
        for tag, value in (*ours, *tags.items()):
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


def largest_bins() -> int:
    """TCSPC bins that a T3 record can count."""
    return WORD_FORMATS[RecordLayout.GENERIC_T3].largest_nanotime + 1


def _check(acquisition: Acquisition) -> None:
    if acquisition.mode == "T2":
        return
    if not acquisition.counts_pulses:
        raise ValueError(
            "times that count a clock of the card instead of laser pulses cannot be written as PTU"
        )
    bins = largest_bins()
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
    tick_ps = acquisition.macro_tick_ps
    _, record_type, mode = _RECORDS[acquisition.mode]
    resolution_ps = tick_ps if acquisition.resolution_ps is None else acquisition.resolution_ps
    yield "File_GUID", f"{{{uuid.uuid5(uuid.NAMESPACE_OID, identity)}}}"
    yield "File_CreatingTime", created
    yield "File_Comment", comment
    yield "CreatorSW_Name", "qdmon"
    yield "CreatorSW_Version", "1"
    yield "Measurement_Mode", mode
    yield "Measurement_SubMode", 0
    yield "HW_Type", clean_text(acquisition.instrument)
    yield "HW_SerialNo", clean_text(acquisition.serial)
    yield "HW_InpChannels", max(acquisition.channels, default=0) + 1
    yield "HW_BaseResolution", resolution_ps / PS_PER_S
    yield "HWSync_Divider", 1
    yield "MeasDesc_BinningFactor", 1
    yield "MeasDesc_Resolution", resolution_ps / PS_PER_S
    yield "MeasDesc_GlobalResolution", tick_ps / PS_PER_S
    yield "TTResult_SyncRate", round(acquisition.pulse_rate_hz or 0.0)
    yield "TTResult_StopReason", 0
    yield "TTResultFormat_TTTRRecType", record_type
    yield "TTResultFormat_BitsPerRecord", 32
    if acquisition.simulated:
        yield SIMULATED_TAG, True
    for tag in (*_DURATIONS, _COUNT):
        yield tag, 0
