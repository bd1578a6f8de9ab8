"""Full SMS files (.h5 of the single-molecule group in Pretoria): particles with times in nanoseconds.

Each "Particle N" holds "Absolute Times (ns)" as whole numbers and "Micro Times (ns)" as floats, and the same
with "2" for a second detector. Files without a version, or up to 1.02, say "(s)" for the micro times, which
are nanoseconds all the same in published ones. No file says the pulse rate, and absolute times are no pulses.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hardware.types import PS_PER_S, DecodedBlock, Markers, Photons
from streams.formats.choices import Choices
from streams.formats.column_file import MOST_NANOTIME_BINS, ColumnFile, open_columns
from streams.formats.hdf5_file import Column, Hdf5File, hdf5_file
from streams.formats.identity import file_session
from streams.formats.recording import FormatError, Recording

__all__ = ["COUNT_ATTRIBUTE", "is_full_sms", "read"]

COUNT_ATTRIBUTE = "# Particles"
PARTICLE = "Particle "
PART_PHOTONS = 262_144
TICK_PS = 1000.0
NS_PER_S = 1e9
LONGEST_MICRO_TIME_S = 1e-3  # larger numbers under "(s)" are nanoseconds
FINEST_STEP_NS = 1e-4
OFF_GRID = 0.1  # of a step
_DATES = ("%d %B %Y %I:%M %p", "%A, %B %d, %Y %I:%M %p")


@dataclass(frozen=True, slots=True)
class _Detector:
    """Where the photons of one detector are: names of its columns and what makes its micro times ns."""

    number: int
    absolute: str
    micro: str
    to_ns: float


def is_full_sms(file: Hdf5File) -> bool:
    """Whether a file is built like one."""
    return file.attribute("/", COUNT_ATTRIBUTE) is not None and bool(_particles(file))


def read(path: Path, file: Hdf5File, choices: Choices) -> Recording:
    """Open one particle of a Full SMS file.

    Args:
        path: the file.
        file: the same, open.
        choices: which particle, where there are several, and the pulse rate, without which micro times
            are left out.

    Raises:
        FormatError: there are several particles and none is chosen, or its times are damaged.
    """
    number = _chosen(path, _particles(file), choices.particle)
    group = f"{PARTICLE}{number}"
    detectors = _detectors(path, file, group)
    step_ns = _step_ns(path, file, group, detectors) if choices.pulse_rate_hz is not None else None
    assumed: tuple[str, ...] = ()
    if choices.pulse_rate_hz is None:
        assumed = ("it does not say the pulse rate: micro times are left out; --pulse-rate-hz says it",)
    title = str(file.attribute(group, "Description") or file.attribute(group, "Discription") or "")
    card = str(file.attribute(f"{group}/{detectors[0].absolute}", "bh Card") or "")
    instrument = f"Becker & Hickl {card}" if card else "unknown card"
    return open_columns(
        ColumnFile(
            path=path,
            session=file_session(
                path,
                instrument=instrument,
                software=f"Full SMS {file.attribute('/', 'Version') or ''}".strip(),
                title=title,
                started_unix_ns=_unix_ns(str(file.attribute(group, "Date") or "")),
                part=group,
            ),
            parts=partial(_parts, path, group, detectors, step_ns),
            macro_tick_ps=TICK_PS,
            resolution_ps=None if step_ns is None else step_ns * 1000,
            laser_period_ps=None if choices.pulse_rate_hz is None else PS_PER_S / choices.pulse_rate_hz,
            instrument=instrument,
            header={"particle": number, "description": title, "date": file.attribute(group, "Date")},
            assumed=assumed,
        )
    )


def _particles(file: Hdf5File) -> list[int]:
    names = [name.removeprefix(PARTICLE) for name in file.names() if name.startswith(PARTICLE)]
    return sorted(int(name) for name in names if name.isascii() and name.isdecimal() and len(name) < 9)


def _chosen(path: Path, particles: list[int], wanted: int | None) -> int:
    if wanted is None and len(particles) == 1:
        return particles[0]
    listed = ", ".join(str(n) for n in particles[:20]) + (", ..." if len(particles) > 20 else "")
    if wanted is None:
        raise FormatError(path, f"holds {len(particles)} particles: choose one with --particle ({listed})")
    if wanted not in particles:
        raise FormatError(path, f"has no particle {wanted}; it has {listed}")
    return wanted


def _detectors(path: Path, file: Hdf5File, group: str) -> tuple[_Detector, ...]:
    found = []
    for number, infix in ((1, ""), (2, " 2")):
        absolute = f"Absolute Times{infix} (ns)"
        times = file.column(f"{group}/{absolute}")
        if times is None:
            continue
        for unit in ("ns", "s"):
            micro = file.column(f"{group}/Micro Times{infix} ({unit})")
            if micro is None:
                continue
            if len(micro) != len(times) or times.dtype.kind not in "iu":
                raise FormatError(path, f"has times of {group} that do not fit each other: copy it again")
            to_ns = NS_PER_S if unit == "s" and _in_seconds(micro) else 1.0
            found.append(_Detector(number, absolute, f"Micro Times{infix} ({unit})", to_ns))
            break
    if not found:
        raise FormatError(path, f"has no photon times in {group}")
    return tuple(found)


def _in_seconds(micro: Column) -> bool:
    """Whether numbers are seconds, as the name says: then none is anywhere near a millisecond."""
    first = micro.read(0, min(len(micro), PART_PHOTONS))
    return len(first) == 0 or float(first.max()) < LONGEST_MICRO_TIME_S


def _step_ns(path: Path, file: Hdf5File, group: str, detectors: tuple[_Detector, ...]) -> float:
    """The TCSPC bin: the largest step that all micro times are multiples of.

    Raises:
        FormatError: there is none, so that they did not come from a TCSPC card.
    """
    values = np.zeros(1)
    for detector in detectors:
        for _, micro in _pairs(file, group, detector):
            if not bool((np.isfinite(micro) & (micro >= 0)).all()):
                raise FormatError(path, f"has impossible micro times in {group}")
            values = np.union1d(values, micro)
            if len(values) > MOST_NANOTIME_BINS:
                break
    gaps = np.diff(values)
    gaps = gaps[gaps > FINEST_STEP_NS]
    for divisor in range(1, 9) if len(gaps) else ():
        step = float(gaps.min()) / divisor
        multiples = np.round(values / step)
        step = float(values @ multiples / (multiples @ multiples))
        if multiples[-1] < MOST_NANOTIME_BINS and float(np.abs(values / step - multiples).max()) < OFF_GRID:
            return step
    raise FormatError(path, f"has micro times in {group} without a common step: no TCSPC card made them")


def _pairs(
    file: Hdf5File, group: str, detector: _Detector
) -> Iterator[tuple[NDArray[np.uint64], NDArray[np.float64]]]:
    """Absolute and micro times of one detector in ns, a part at a time."""
    absolute, micro = (file.column(f"{group}/{name}") for name in (detector.absolute, detector.micro))
    if absolute is None or micro is None:
        return
    for start in range(0, len(absolute), PART_PHOTONS):
        stop = min(start + PART_PHOTONS, len(absolute))
        times = absolute.read(start, stop)
        if int(times.min()) < 0:
            raise ValueError(f"negative times in {group}")
        yield (
            times.astype(np.uint64),
            micro.read(start, stop).astype(np.float64) * detector.to_ns,
        )


def _parts(
    path: Path, group: str, detectors: tuple[_Detector, ...], step_ns: float | None
) -> Iterator[DecodedBlock]:
    """The photons of all detectors, in the order of time as far as each detector's are."""
    with hdf5_file(path) as file:
        for photons in _merged([_photons(file, group, detector, step_ns) for detector in detectors]):
            yield DecodedBlock(photons, Markers.empty(), (), 0)


def _photons(file: Hdf5File, group: str, detector: _Detector, step_ns: float | None) -> Iterator[Photons]:
    """One detector's photons; each part in the order of time."""
    for absolute, micro in _pairs(file, group, detector):
        order = np.argsort(absolute, kind="stable")
        nanotime = np.zeros(len(absolute), np.uint16)
        if step_ns is not None:
            nanotime = np.round(micro[order] / step_ns).astype(np.uint16)
        yield Photons(absolute[order], nanotime, np.full(len(absolute), detector.number, np.uint8))


def _merged(sources: list[Iterator[Photons]]) -> Iterator[Photons]:
    """Streams in order of time as one; of each, one part is held."""
    held = [next(source, None) for source in sources]
    while any(part is not None for part in held):
        ends = [int(part.pulse[-1]) for part in held if part is not None]
        upto = min(ends) + 1
        ready = [part.between(0, upto) for part in held if part is not None]
        joined = Photons.join(ready)
        order = np.argsort(joined.pulse, kind="stable")
        yield Photons(joined.pulse[order], joined.nanotime[order], joined.channel[order])
        for i, part in enumerate(held):
            if part is not None:
                rest = part.between(upto, 1 << 63)
                held[i] = rest if len(rest) else next(sources[i], None)


def _unix_ns(text: str) -> int:
    """When a particle was measured, the clock taken as UTC; 0 if the file does not say legibly."""
    for pattern in _DATES:
        try:
            moment = datetime.strptime(text, pattern).replace(tzinfo=UTC)
        except ValueError:
            continue
        return max(0, round(moment.timestamp() * 1e9))
    return 0
