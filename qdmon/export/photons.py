"""A recording in another photon format; what that format cannot hold is said, or put beside it."""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from hardware.types import Acquisition, Loss, Markers, Photons
from streams.formats import FormatError, Recording
from streams.formats.full_sms_writer import FullSmsWriter
from streams.formats.new_file import new_file
from streams.formats.photon_hdf5_writer import PhotonHdf5Writer
from streams.formats.provenance import Provenance
from streams.formats.ptu_writer import PtuWriter, largest_bins
from streams.messages import Fluence, Gap, LaserState, Marker, Message, PhotonBatch, Segment, Spectrum
from streams.text import clean_text

__all__ = ["KINDS", "ExportError", "Exported", "PhotonExport", "steps_file_of"]


class ExportError(Exception):
    """A recording cannot be written as asked; one line that says why and what to do."""


class _Writer(Protocol):
    def append(self, photons: Photons, position: int, markers: Markers | None = None) -> None: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class _Kind:
    """What a format can hold besides photons.

    Attributes:
        name: for messages.
        gaps: stretches with missing photons.
        markers: of the card.
    """

    name: str
    gaps: bool
    markers: bool


KINDS = {
    "ptu": _Kind("PTU", gaps=False, markers=True),
    "photon-hdf5": _Kind("Photon-HDF5", gaps=True, markers=True),
    "full-sms": _Kind("Full SMS", gaps=False, markers=False),
}


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written.

    Attributes:
        photons: how many.
        notes: what was changed or left out, one line each.
        steps: the table of fluence steps beside it; None if there were none.
    """

    photons: int
    notes: tuple[str, ...]
    steps: Path | None


def steps_file_of(path: Path) -> Path:
    """Where the fluence steps of an exported file are written: a table for `analyze --fluence`."""
    return path.with_suffix(".fluence.csv")


@dataclass
class PhotonExport:
    """One export.

    Attributes:
        recording: what is written again.
        messages: a new pass over it, with what is known beside it.
        kind: one of `KINDS`.
        origin: where it comes from.
        rebin: make TCSPC bins wider where the format cannot count them.
        replace: take the place of files of the same names.
        tick: called now and then with the number of photons written so far.
    """

    recording: Recording
    messages: Callable[[], Iterator[Message]]
    kind: str
    origin: Provenance
    rebin: bool = False
    replace: bool = False
    tick: Callable[[int], None] = field(default=lambda _: None)

    def write(self, path: Path) -> Exported:
        """Write the file, and the fluence steps beside it; they appear when they are complete.

        Raises:
            ExportError: the format cannot hold this recording.
            FileExistsError: a file of the name is there and may not be replaced.
        """
        steps_path = steps_file_of(path)
        _check_free(steps_path, replaceable=self.replace)
        with new_file(path, replace=self.replace) as part:
            copied = _Copied(self.recording.acquisition)
            with self._writer(part, path) as (writer, shift):
                self._copy(writer, shift, copied)
        steps = copied.steps
        if steps:
            with new_file(steps_path, replace=self.replace) as part:
                part.write_text(_steps_table(steps), encoding="utf-8")
        notes = (*self._rebinned(shift), *copied.notes(KINDS[self.kind], steps_path if steps else None))
        return Exported(copied.photons, notes, steps_path if steps else None)

    @contextmanager
    def _writer(self, part: Path, path: Path) -> Iterator[tuple[_Writer, int]]:
        acquisition = self.recording.acquisition
        shift = self._shift(acquisition)
        if shift and acquisition.resolution_ps is not None:
            acquisition = replace(
                acquisition,
                resolution_ps=acquisition.resolution_ps * (1 << shift),
                nanotime_bins=-(-acquisition.nanotime_bins >> shift),
            )
        origin = replace(self.origin, notes=(*self.origin.notes, *self._rebinned(shift)))
        try:
            writer = self._opened(part, acquisition, origin)
            try:
                yield writer, shift
            finally:
                writer.close()
        except FormatError:
            raise
        except ValueError as error:
            raise ExportError(f"{path}: {error}") from None

    def _opened(self, part: Path, acquisition: Acquisition, origin: Provenance) -> _Writer:
        if self.kind == "ptu":
            return PtuWriter(
                part,
                acquisition,
                comment=origin.title,
                created_unix_ns=origin.started_unix_ns,
                tags={
                    "UsrSource": clean_text(origin.source),
                    "UsrSourceSha256": origin.source_sha256,
                    "UsrRecordedBy": clean_text(origin.recorded_by),
                    "UsrConvertedBy": origin.software,
                    "UsrNotes": "; ".join(clean_text(note) for note in origin.notes),
                },
            )
        if self.kind == "full-sms":
            return FullSmsWriter(part, acquisition, origin)
        return PhotonHdf5Writer(part, acquisition, origin)

    def _shift(self, acquisition: Acquisition) -> int:
        """How often bins must be joined in pairs for the format to count them."""
        if self.kind != "ptu" or acquisition.nanotime_bins <= largest_bins():
            return 0
        shift = math.ceil(math.log2(acquisition.nanotime_bins / largest_bins()))
        if not self.rebin:
            raise ExportError(
                f"{acquisition.nanotime_bins} TCSPC bins do not fit the {largest_bins()} of a PTU record: "
                f"--rebin joins {1 << shift} to one, or write .h5"
            )
        return shift

    def _rebinned(self, shift: int) -> tuple[str, ...]:
        return (f"TCSPC bins were joined, {1 << shift} to one",) if shift else ()

    def _copy(self, writer: _Writer, shift: int, copied: "_Copied") -> None:
        markers: list[tuple[int, int]] = []
        for message in self.messages():
            copied.see(message)
            if isinstance(message, Marker) and message.origin == "card":
                markers.append((message.pulse, _marker_bits(message.text)))
            if isinstance(message, Gap) and isinstance(writer, PhotonHdf5Writer):
                writer.lose(
                    Loss(message.first_pulse, message.stop_pulse, message.cause, message.lost_photons)
                )
            if isinstance(message, PhotonBatch):
                photons = message.photons
                if shift:
                    photons = replace(photons, nanotime=photons.nanotime >> np.uint16(shift))
                writer.append(photons, message.stop_pulse, _as_columns(markers))
                markers.clear()
                self.tick(copied.photons)


class _Copied:
    """Counts what goes by, so that what a format cannot hold can be said."""

    def __init__(self, acquisition: Acquisition) -> None:
        self._acquisition = acquisition
        self.photons = 0
        self.steps: list[tuple[float, float | None]] = []
        self._gaps: list[int] = []
        self._others: Counter[str] = Counter()

    def see(self, message: Message) -> None:
        """Take note of a message.

        Raises:
            ExportError: another time base begins, which no single file of another format can hold.
        """
        match message:
            case Segment() if message.index > 0:
                raise ExportError(
                    "the session has several time bases, which one file of another format cannot hold: "
                    "convert it to a folder, or record again without changing the pulse rate"
                )
            case PhotonBatch():
                self.photons += len(message.photons)
            case Gap():
                self._gaps.append(message.stop_pulse - message.first_pulse)
            case Fluence():
                time_s = self._acquisition.seconds(message.pulse)
                if self.steps and self.steps[-1][0] == time_s:
                    self.steps.pop()
                self.steps.append((time_s, message.mean_excitation))
            case Marker():
                self._others["card markers" if message.origin == "card" else "notes and markers"] += 1
            case Spectrum():
                self._others["spectra"] += 1
            case LaserState():
                self._others["laser states"] += 1

    def notes(self, kind: _Kind, steps: Path | None) -> tuple[str, ...]:
        """What the file does not hold, one line each."""
        found = []
        if self._gaps and not kind.gaps:
            lost_s = self._acquisition.seconds(sum(self._gaps))
            found.append(
                f"{kind.name} has no place for gaps: {len(self._gaps)} of {lost_s:.3g} s look like darkness"
            )
        if steps is not None:
            found.append(f"{kind.name} has no place for fluence steps: they are in {steps.name}")
        left = [
            f"{n} {what}" for what, n in self._others.items() if what != "card markers" or not kind.markers
        ]
        if left:
            found.append(f"{kind.name} has no place for {', '.join(left)}: left out")
        return tuple(found)


def _check_free(path: Path, *, replaceable: bool) -> None:
    if path.exists() and not replaceable:
        raise FileExistsError(17, "is there already; --force replaces it", str(path))


def _steps_table(steps: Sequence[tuple[float, float | None]]) -> str:
    """As `qdmon.fluence` reads it; an empty <N> means that it was changing."""
    lines = [f"{time_s!r},{'' if value is None else repr(value)}" for time_s, value in steps]
    return "\n".join(["time_s,mean_excitation", *lines]) + "\n"


def _marker_bits(text: str) -> int:
    """Bits of the inputs in the text of a card marker, "marker 1 + 3"; 0 if there are none."""
    numbers = [int(word) for word in text.replace("+", " ").split() if word in "12345678"]
    return sum(1 << (number - 1) for number in set(numbers))


def _as_columns(markers: Sequence[tuple[int, int]]) -> Markers | None:
    kept = [(pulse, bits) for pulse, bits in markers if bits]
    if not kept:
        return None
    return Markers(np.array([m[0] for m in kept], np.uint64), np.array([m[1] for m in kept], np.uint8))
