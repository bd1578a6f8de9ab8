"""Photon-HDF5 files (photon-hdf5.org): photon columns with units, written by many programs.

Timestamps count laser pulses, or a clock of the card; which, tells the laser's repetition rate. Without one,
nanotimes cannot be tied to pulses and are left out.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardware.types import PS_PER_S, DecodedBlock, Markers, Photons
from streams.formats.choices import Choices
from streams.formats.column_file import MOST_NANOTIME_BINS, ColumnFile, open_columns
from streams.formats.hdf5_file import Column, Hdf5File, hdf5_file
from streams.formats.identity import file_session
from streams.formats.recording import FormatError, Recording
from streams.formats.user_notes import Notes, read_notes

__all__ = ["FORMAT_NAME", "is_photon_hdf5", "read"]

FORMAT_NAME = "Photon-HDF5"
PART_PHOTONS = 262_144
SAME_RATE = 0.01  # a nominal laser rate and the measured unit of a timestamp agree at least so well
NOTED = 1e-9  # our notes and the fields of the format differ by rounding only
MOST_MARKER_INPUTS = 8
_FASTEST_S, _SLOWEST_S = 1e-15, 1.0


@dataclass(frozen=True, slots=True)
class _Times:
    """The time base: unit of the timestamps, TCSPC bin and laser period in ps, what could not be used."""

    tick_ps: float
    resolution_ps: float | None
    laser_period_ps: float | None
    assumed: tuple[str, ...] = ()


def is_photon_hdf5(file: Hdf5File) -> bool:
    """Whether a file says that it is one, or at least is built like one."""
    said = file.attribute("/", "format_name") or file.text("/identity/format_name")
    return said == FORMAT_NAME or any(name.startswith("photon_data") for name in file.names())


def read(path: Path, file: Hdf5File, choices: Choices) -> Recording:
    """Open a Photon-HDF5 file.

    Args:
        path: the file.
        file: the same, open.
        choices: the spot of a multi-spot file, and the pulse rate where the file does not say it.

    Raises:
        FormatError: groups or units are missing or impossible, columns damaged, or there are several spots.
    """
    group = _group(path, file, choices.particle)
    notes = read_notes(path, file)
    times = _as_noted(_times(path, file, group, choices), notes)
    timestamps = file.column(f"{group}/timestamps")
    if timestamps is None:
        raise FormatError(path, f"has no timestamps in /{group}")
    identity = _identity(file, notes)
    return open_columns(
        ColumnFile(
            path=path,
            session=file_session(
                path,
                instrument=identity["instrument"],
                serial=identity["serial"],
                software=identity["software"],
                title=identity["title"],
                started_unix_ns=notes.whole("started_unix_ns") or _unix_ns(identity["created"]),
                part=group,
            ),
            parts=partial(_parts, path, group, times.resolution_ps is not None, notes),
            macro_tick_ps=times.tick_ps,
            resolution_ps=times.resolution_ps,
            laser_period_ps=times.laser_period_ps,
            instrument=identity["instrument"],
            serial=identity["serial"],
            simulated=notes.facts.get("simulated") is True,
            settings=notes.settings,
            header=identity,
            assumed=times.assumed,
        )
    )


def _group(path: Path, file: Hdf5File, wanted: int | None) -> str:
    groups = sorted(name for name in file.names() if name.startswith("photon_data"))
    if wanted is None:
        if len(groups) == 1:
            return groups[0]
        if not groups:
            raise FormatError(path, "is a Photon-HDF5 file without the group photon_data")
        spots = ", ".join(name.removeprefix("photon_data") for name in groups[:20])
        raise FormatError(path, f"holds several spots: choose one with --particle ({spots})")
    if (name := f"photon_data{wanted}") not in groups:
        raise FormatError(path, f"has no spot {wanted}: leave out --particle to see which there are")
    return name


def _times(path: Path, file: Hdf5File, group: str, choices: Choices) -> _Times:
    unit_s = file.number(f"{group}/timestamps_specs/timestamps_unit")
    if unit_s is None or not _FASTEST_S <= unit_s <= _SLOWEST_S:
        raise FormatError(path, f"lacks a possible unit of its timestamps ({group}/timestamps_specs)")
    tick_ps = unit_s * PS_PER_S
    if file.column(f"{group}/nanotimes") is None:
        return _Times(tick_ps, None, None)
    bin_s = file.number(f"{group}/nanotimes_specs/tcspc_unit")
    if bin_s is None:
        bin_s = _same_of_all(file, "setup/detectors/tcspc_unit")
    if bin_s is None or not _FASTEST_S <= bin_s <= _SLOWEST_S:
        return _Times(tick_ps, None, None, ("nanotimes have no unit (tcspc_unit): they are left out",))
    rate_hz = choices.pulse_rate_hz or file.number(f"{group}/measurement_specs/laser_repetition_rate")
    if rate_hz is None:
        rate_hz = _same_of_all(file, "setup/laser_repetition_rates")
    if rate_hz is None or not 1 / _SLOWEST_S <= rate_hz <= 1 / _FASTEST_S:
        reason = (
            "it does not say the laser's repetition rate: nanotimes are left out; --pulse-rate-hz says it"
        )
        return _Times(tick_ps, None, None, (reason,))
    counts_pulses = abs(unit_s * rate_hz - 1) <= SAME_RATE
    return _Times(tick_ps, bin_s * PS_PER_S, None if counts_pulses else PS_PER_S / rate_hz)


def _as_noted(times: _Times, notes: Notes) -> _Times:
    """In the units of our own notes, which are exact, and say what counted pulses, if they fit the file's."""
    tick, resolution = (notes.facts.get(name) for name in ("macro_tick_ps", "resolution_ps"))
    if not isinstance(tick, float) or not _near(tick, times.tick_ps, NOTED):
        return times
    times = replace(times, tick_ps=tick)
    if times.resolution_ps is None:
        return times
    if isinstance(resolution, float) and _near(resolution, times.resolution_ps, NOTED):
        times = replace(times, resolution_ps=resolution)
    period = notes.facts.get("laser_period_ps")
    if isinstance(period, float) and _near(period, times.laser_period_ps or tick, SAME_RATE):
        return replace(times, laser_period_ps=period)
    return times


def _near(value: float, other: float, relative: float) -> bool:
    return abs(value - other) <= relative * other


def _same_of_all(file: Hdf5File, name: str) -> float | None:
    """The value of a list whose entries agree."""
    values = file.small(name)
    return float(values[0]) if len(values) and bool((values == values[0]).all()) else None


def _identity(file: Hdf5File, notes: Notes) -> dict[str, str]:
    software = f"{file.text('identity/software')} {file.text('identity/software_version')}".strip()
    recorder = f"{file.text('provenance/software')} {file.text('provenance/software_version')}".strip()
    return {
        "title": file.text("description"),
        "software": recorder or software,
        "written_by": software,
        "created": file.text("provenance/creation_time") or file.text("identity/creation_time"),
        "author": file.text("identity/author"),
        "original": file.text("provenance/filename"),
        "instrument": notes.text("instrument") or recorder or "unknown card",
        "serial": notes.text("serial"),
    }


def _unix_ns(text: str) -> int:
    """When a file says it was made, its clock taken as UTC; 0 if it does not say legibly."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return 0
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0, round(moment.timestamp() * 1e9))


def _parts(path: Path, group: str, timed: bool, notes: Notes) -> Iterator[DecodedBlock]:
    """The photons of a group, a part at a time, with the gaps and markers that belong to it."""
    with hdf5_file(path) as file:
        columns = _columns(path, file, group)
        inputs = _marker_inputs(file, group)
        markers, losses = notes.markers, notes.losses
        n = len(columns[0])
        for start in range(0, n, PART_PHOTONS):
            stop = min(start + PART_PHOTONS, n)
            photons, found = _split(_photons(path, columns, start, stop, timed=timed), inputs)
            if len(found.pulse):
                yield DecodedBlock(Photons.empty(), found, (), 0)
            upto = int(photons.pulse.max()) if len(photons) else 0
            now = int(np.searchsorted(markers.pulse, np.uint64(upto)))
            due = Markers(markers.pulse[:now], markers.bits[:now])
            markers = Markers(markers.pulse[now:], markers.bits[now:])
            gone = [loss for loss in losses if loss.first_pulse < upto]
            losses = losses[len(gone) :]
            yield DecodedBlock(photons, due, tuple(gone), 0)
        yield DecodedBlock(Photons.empty(), markers, losses, notes.whole("stop_pulse"))


def _columns(path: Path, file: Hdf5File, group: str) -> tuple[Column, Column | None, Column | None]:
    timestamps, nanotimes, detectors = (
        file.column(f"{group}/{name}") for name in ("timestamps", "nanotimes", "detectors")
    )
    if timestamps is None:
        raise FormatError(path, f"has no timestamps in /{group}")
    for column in (timestamps, nanotimes, detectors):
        if column is None:
            continue
        if len(column) != len(timestamps):
            raise FormatError(path, f"has columns of different length in /{group}: copy it again")
        if column.dtype.kind not in "iu":
            raise FormatError(path, f"has columns in /{group} that are not whole numbers")
    return timestamps, nanotimes, detectors


def _photons(
    path: Path,
    columns: tuple[Column, Column | None, Column | None],
    start: int,
    stop: int,
    *,
    timed: bool,
) -> Photons:
    timestamps, nanotimes, detectors = columns
    pulse = timestamps.read(start, stop)
    nanotime: NDArray[np.uint16] = np.zeros(len(pulse), np.uint16)
    channel: NDArray[np.uint8] = np.zeros(len(pulse), np.uint8)
    if timed and nanotimes is not None:
        nanotime = _fitting(path, nanotimes.read(start, stop), MOST_NANOTIME_BINS, "nanotimes").astype(
            np.uint16
        )
    if detectors is not None:
        channel = _fitting(path, detectors.read(start, stop), 256, "detector numbers").astype(np.uint8)
    return Photons(_fitting(path, pulse, 1 << 62, "timestamps").astype(np.uint64), nanotime, channel)


def _fitting(path: Path, values: NDArray[Any], stop: int, what: str) -> NDArray[Any]:
    if len(values) and (int(values.min()) < 0 or int(values.max()) >= stop):
        raise FormatError(path, f"has {what} outside 0 to {stop - 1}, which qdmon does not know")
    return values


def _marker_inputs(file: Hdf5File, group: str) -> dict[int, int]:
    """Numbers in the detector column that are no detectors, and the marker input each stands for."""
    specs = f"{group}/measurement_specs/detectors_specs"
    return {
        int(number): i
        for i in range(MOST_MARKER_INPUTS)
        for number in file.small(f"{specs}/non_photon_id{i + 1}").tolist()
    }


def _split(photons: Photons, inputs: dict[int, int]) -> tuple[Photons, Markers]:
    if not inputs:
        return photons, Markers.empty()
    bits = np.zeros(256, np.uint8)
    for number, i in inputs.items():
        if 0 <= number < 256:
            bits[number] |= 1 << i
    found = bits[photons.channel]
    kept = found == 0
    order = np.argsort(photons.pulse[~kept], kind="stable")
    return (
        Photons(photons.pulse[kept], photons.nanotime[kept], photons.channel[kept]),
        Markers(photons.pulse[~kept][order], found[~kept][order]),
    )
