"""Files that hold photons as columns, or are decoded to them: from a survey to a recording.

Such files need not be in order of time. How far a part ever goes back behind those before is found by the
survey; a block is then said to be complete only up to that far before its latest photon, and the batches sort
out the rest.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from hardware.types import PS_PER_S, Acquisition, DecodedBlock, Photons, RecordLayout
from streams.formats.recording import FormatError, Recording
from streams.messages import Session

__all__ = ["LONGEST_RECORDING_S", "MOST_NANOTIME_BINS", "ColumnFile", "open_columns"]

LONGEST_RECORDING_S = 360_000.0  # 100 h: the longest measurement of the usual cards
FURTHEST_BACK_S = 1.0
MOST_NANOTIME_BINS = 65_536


@dataclass(frozen=True)
class ColumnFile:
    """What a file says of itself, and a way to its photons.

    Attributes:
        path: the file.
        session: who recorded it.
        parts: a new pass over the photons in the order of the file, in bounded parts; the position of a
            part is only a lower bound of where the recording ends.
        macro_tick_ps: unit of the pulse index: the pulse period in T3, a tick in T2.
        resolution_ps: TCSPC bin; None in T2.
        instrument: model; "" if unknown.
        serial: "" if unknown.
        laser_period_ps: of T3 photons whose index counts ticks; None where it counts pulses, and in T2.
        simulated: no light was ever involved.
        settings: of the instrument.
        header: what the file says of itself, cleaned.
        problems: what was found wrong before the photons were looked at.
        assumed: what the file does not say, and what was done instead.
    """

    path: Path
    session: Session
    parts: Callable[[], Iterator[DecodedBlock]] = field(repr=False)
    macro_tick_ps: float
    resolution_ps: float | None
    instrument: str
    serial: str = ""
    laser_period_ps: float | None = None
    simulated: bool = False
    settings: Mapping[str, str] = field(default_factory=dict)
    header: Mapping[str, object] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()


@dataclass
class _Survey:
    """What one pass adds up to; `back` is how far time ever goes back, in pulses.

    Photons and markers of one part need not be in order among each other.
    """

    photons: int = 0
    largest_nanotime: int = 0
    latest: int = 0
    back: int = 0
    stop_pulse: int = 0

    def __post_init__(self) -> None:
        self.counts = np.zeros(256, np.int64)

    def add(self, part: DecodedBlock) -> None:
        photons = part.photons
        self.photons += len(photons)
        self.counts += np.bincount(photons.channel, minlength=256)
        if len(photons.nanotime):
            self.largest_nanotime = max(self.largest_nanotime, int(photons.nanotime.max()))
        before = np.uint64(self.latest)
        for pulse in (photons.pulse, part.markers.pulse):
            if len(pulse):
                latest = np.maximum(np.maximum.accumulate(pulse), before)
                self.back = max(self.back, int((latest - pulse).max()))
                self.latest = max(self.latest, int(latest[-1]))
                self.stop_pulse = max(self.stop_pulse, self.latest + 1)
        self.stop_pulse = max([self.stop_pulse, part.position, *(loss.stop_pulse for loss in part.losses)])


def open_columns(source: ColumnFile) -> Recording:
    """Survey the photons of a file and offer them as a recording.

    Raises:
        FormatError: its times run further, or go back further, than a measurement can.
    """
    found = _Survey()
    for part in source.parts():
        found.add(part)
    hours = found.stop_pulse * source.macro_tick_ps / PS_PER_S / 3600
    if hours > LONGEST_RECORDING_S / 3600:
        raise FormatError(source.path, f"has times up to {hours:.3g} h, which no card records: it is damaged")
    back_s = found.back * source.macro_tick_ps / PS_PER_S
    if back_s > FURTHEST_BACK_S:
        raise FormatError(
            source.path, f"has times that go back by {back_s:.3g} s: it is damaged, or several in one"
        )
    empty = () if found.photons else ("there are no photons in it",)
    return Recording(
        path=source.path,
        session=source.session,
        acquisition=_acquisition(source, found),
        header=source.header,
        problems=(*source.assumed, *source.problems, *empty),
        photons=found.photons,
        stop_pulse=found.stop_pulse,
        blocks=lambda: _blocks(source.parts(), found.back),
        assumed=source.assumed,
    )


def _acquisition(source: ColumnFile, found: _Survey) -> Acquisition:
    bins = 0
    if source.resolution_ps is not None:
        per_pulse = math.ceil((source.laser_period_ps or source.macro_tick_ps) / source.resolution_ps)
        bins = min(max(per_pulse, found.largest_nanotime + 1), MOST_NANOTIME_BINS)
    return Acquisition(
        mode="T2" if source.resolution_ps is None else "T3",
        macro_tick_ps=source.macro_tick_ps,
        resolution_ps=source.resolution_ps,
        nanotime_bins=bins,
        channels=tuple(np.flatnonzero(found.counts).tolist()),
        layout=RecordLayout.GENERIC_T2 if source.resolution_ps is None else RecordLayout.GENERIC_T3,
        instrument=source.instrument,
        serial=source.serial,
        simulated=source.simulated,
        settings=source.settings,
        laser_period_ps=source.laser_period_ps,
    )


def _blocks(parts: Iterator[DecodedBlock], back: int) -> Iterator[DecodedBlock]:
    latest = 0
    for part in parts:
        photons = part.photons
        if len(photons) and bool((photons.pulse[1:] < photons.pulse[:-1]).any()):
            order = np.argsort(photons.pulse, kind="stable")
            photons = Photons(photons.pulse[order], photons.nanotime[order], photons.channel[order])
        ends = [int(pulse.max()) for pulse in (photons.pulse, part.markers.pulse) if len(pulse)]
        latest = max([latest, *ends])
        yield replace(part, photons=photons, position=max(latest - back, 0))
