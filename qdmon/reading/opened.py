"""One recording of any format, as scripts use it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any

from hardware.types import Acquisition, Photons
from qdmon.analysis.results.event import Event
from qdmon.analysis.results.segment import FluenceStep
from qdmon.analysis.settings import USUAL_FALSE_ALARMS, AnalysisSettings
from qdmon.analysis.snapshot import Snapshot
from qdmon.fluence import read_steps
from qdmon.offline import analyze_recording, settings_for
from qdmon.reading.events import EventKind, RecordedEvent, check_kinds, events_of
from qdmon.reading.intensity import Intensity, count
from qdmon.report import report
from streams.formats import Recording
from streams.messages import Message, PhotonBatch, Session
from streams.recording import NativeRecording

__all__ = ["Analysis", "OpenedRecording", "Stretch"]

BLOCK = 1 << 20
_SAME_S = 1e-9


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a recording with one time base; its pulses count from 0.

    Attributes:
        index: `segment` of its messages.
        acquisition: time base, detectors and settings.
        start_s: when it began, on the clock of the recording.
        stop_s: when it ended.
    """

    index: int
    acquisition: Acquisition
    start_s: float
    stop_s: float


@dataclass(frozen=True, slots=True)
class Analysis:
    """What the analysis says of a recording.

    Attributes:
        snapshot: everything it knows at the end.
        events: what it told on the way: conversions, bleaching, and so on.
        report: the object that `qdmon analyze --json` prints.
    """

    snapshot: Snapshot
    events: tuple[Event, ...]
    report: Mapping[str, Any]


class OpenedRecording:
    """A recording whose photons stay on the disk until they are asked for.

    Times are seconds since its start, counted in laser pulses.
    """

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._stretches = _stretches(recording)

    def __repr__(self) -> str:
        instrument = self.acquisition.instrument
        return f"<{self.path.name}: {self.photons} photons in {self.duration_s:.6g} s, {instrument}>"

    @property
    def path(self) -> Path:
        """The file, or the session's folder."""
        return self._recording.path

    @property
    def session(self) -> Session:
        """Who recorded it, when, with what, as far as the file says."""
        return self._recording.session

    @property
    def header(self) -> Mapping[str, object]:
        """What the file says of itself, in its own words."""
        return self._recording.header

    @property
    def acquisition(self) -> Acquisition:
        """Time base, detectors and settings; of the first stretch, if there are several."""
        return self._recording.acquisition

    @property
    def stretches(self) -> tuple[Stretch, ...]:
        """The parts with one time base each; most recordings have one."""
        return self._stretches

    @property
    def duration_s(self) -> float:
        """Length in s."""
        return self._recording.duration_s

    @property
    def photons(self) -> int:
        """How many photons it holds."""
        return self._recording.photons

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong with it, in words; reading may find more."""
        return tuple(self._recording.problems)

    def between(self, start_s: float, stop_s: float) -> Photons:
        """The photons with start_s <= time < stop_s, as arrays (`hardware.types.Photons`).

        Of qdmon's own recordings only these seconds are read; other files are read from their beginning.

        Raises:
            ValueError: start_s is after stop_s, or the interval reaches over two stretches.
        """
        if not start_s <= stop_s:
            raise ValueError(f"from {start_s} s to {stop_s} s: the start must not be after the stop")
        start_s, stop_s = max(start_s, 0.0), min(stop_s, self.duration_s)
        touched = [
            s for s in self._stretches if s.start_s < stop_s - _SAME_S and start_s < s.stop_s - _SAME_S
        ]
        if len(touched) > 1:
            parts = ", ".join(f"{s.start_s:g}-{s.stop_s:g} s" for s in touched)
            raise ValueError(f"the pulses of {parts} count from 0 each: ask for one after the other")
        if not touched:
            return Photons.empty()
        stretch = touched[0]
        first, stop = (stretch.acquisition.pulses(max(t - stretch.start_s, 0.0)) for t in (start_s, stop_s))
        batches = self._batches(stretch.index, first, stop)
        return Photons.join([batch.photons.between(first, stop) for batch in batches])

    def blocks(self, max_photons: int = BLOCK) -> Iterator[PhotonBatch]:
        """All photons, one block after the other, so that memory stays bounded.

        A block holds at most `max_photons`, unless a single batch of the recording (about 50 ms) holds
        more. It covers the pulses [first_pulse, stop_pulse) of its `segment`.

        Raises:
            ValueError: `max_photons` is not positive.
        """
        if max_photons < 1:
            raise ValueError(f"blocks of {max_photons} photons: give a number above 0")
        return _joined(self._recording.messages(), max_photons)

    def events(self, *kinds: EventKind) -> Iterator[RecordedEvent]:
        """What happened beside photons, in order: all, or only these kinds.

        Raises:
            ValueError: unknown kind.
        """
        return events_of(self._recording.messages(), check_kinds(kinds))

    def intensity(self, bin_s: float = 0.01) -> Intensity:
        """Counts per detector in bins over the whole recording; ValueError if `bin_s` is not positive."""
        starts = {s.index: (s.acquisition, s.start_s) for s in self._stretches}
        return count(self._recording.messages(), starts, self.duration_s, bin_s)

    def analyze(
        self,
        *,
        fluence: str | PathLike[str] | Sequence[tuple[float, float | None]] = (),
        background_cps: float | Mapping[int, float] | None = None,
        dark: str | PathLike[str] | None = None,
        dark_spans: Sequence[tuple[float, float]] = (),
        irf: str | PathLike[str] | None = None,
        delay_ns: float | None = None,
        dead_time_ns: float | None = None,
        false_alarms_per_day: float = USUAL_FALSE_ALARMS,
    ) -> Analysis:
        """How the dot blinks and whether it converted: the analysis of `qdmon analyze`.

        What is not given is what the recording says of itself, else it is found from the photons.

        Args:
            fluence: steps (time_s, <N>) that the recording does not hold, or a table of them.
            background_cps: counts per second of each detector that are not the dot's.
            dark: recording made without light from the dot, for the background.
            dark_spans: (start_s, stop_s) without light from the dot.
            irf: instrument response: a table time_ns,counts or a recording of scattered light.
            delay_ns: delay of the second detector.
            dead_time_ns: how long a detector is blind after a click.
            false_alarms_per_day: conversions reported that are none, per 24 h.

        Raises:
            ValueError: something given cannot be used, or there is nothing to analyse.
        """
        steps = (
            read_steps(Path(fluence))
            if isinstance(fluence, str | PathLike)
            else tuple(FluenceStep(time_s, mean_excitation) for time_s, mean_excitation in fluence)
        )
        given = AnalysisSettings(
            background_cps=_background(background_cps),
            detector_delay_ns=delay_ns,
            dead_time_ns=dead_time_ns,
            false_alarms_per_day=false_alarms_per_day,
        )
        irf_path, dark_path = (Path(p) if p is not None else None for p in (irf, dark))
        settings = settings_for(self._recording, given, irf=irf_path, dark=dark_path, dark_spans=dark_spans)
        snapshot, events = analyze_recording(self._recording, steps, settings, dark_spans)
        if snapshot is None:
            raise ValueError(f"{self.path} holds nothing to analyse")
        return Analysis(snapshot, events, report(snapshot, str(self.path), settings, self.problems))

    def _batches(self, segment: int, first: int, stop: int) -> Iterator[PhotonBatch]:
        """Batches that may hold photons of these pulses; of a native recording only their chunks are read."""
        recording = self._recording
        if isinstance(recording, NativeRecording):
            messages = recording.messages_within(segment, first, stop)
        else:
            messages = recording.messages()
        for message in messages:
            if isinstance(message, PhotonBatch) and message.segment == segment:
                if message.first_pulse >= stop:
                    return
                yield message


def _stretches(recording: Recording) -> tuple[Stretch, ...]:
    if not isinstance(recording, NativeRecording):
        return (Stretch(0, recording.acquisition, 0.0, recording.duration_s),)
    found, now_s = [], 0.0
    for part in recording.stretches:
        stop_s = now_s + part.acquisition.seconds(part.stop_pulse)
        found.append(Stretch(part.index, part.acquisition, now_s, stop_s))
        now_s = stop_s
    return tuple(found)


def _joined(messages: Iterator[Message], max_photons: int) -> Iterator[PhotonBatch]:
    held: list[PhotonBatch] = []
    photons = 0
    for batch in messages:
        if not isinstance(batch, PhotonBatch):
            continue
        follows = held and (held[-1].segment, held[-1].stop_pulse) == (batch.segment, batch.first_pulse)
        if held and (not follows or photons + len(batch.photons) > max_photons):
            yield _one(held)
            held, photons = [], 0
        held.append(batch)
        photons += len(batch.photons)
    if held:
        yield _one(held)


def _one(batches: list[PhotonBatch]) -> PhotonBatch:
    last = batches[-1]
    photons = Photons.join([batch.photons for batch in batches])
    return replace(last, first_pulse=batches[0].first_pulse, photons=photons)


def _background(given: float | Mapping[int, float] | None) -> dict[int | None, float]:
    if given is None:
        return {}
    rates: dict[int | None, float] = {None: given} if isinstance(given, int | float) else dict(given.items())
    if not all(0 <= rate < 1e9 for rate in rates.values()):
        raise ValueError(f"background_cps {given}: rates must be finite and not negative")
    return rates
