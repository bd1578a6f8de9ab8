"""The analysis of a whole recording: nothing of the trace or the levels is forgotten on the way."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from qdmon.analysis.monitor import Monitor
from qdmon.analysis.results.intensity import Level
from qdmon.analysis.results.segment import FluenceStep, SegmentResult
from qdmon.analysis.settings import AnalysisSettings
from qdmon.analysis.snapshot import Snapshot
from qdmon.fluence import with_fluence
from streams.formats import Recording
from streams.messages import PhotonBatch

__all__ = ["Analysed", "analysed"]

LOOK_S = 5.0  # a monitor remembers the latest levels only, about half a minute of quick blinking
STILL_MOVING = 2  # the latest levels, whose edges are not final


@dataclass(frozen=True, slots=True)
class Analysed:
    """What a recording tells.

    Attributes:
        snapshot: at its end.
        levels: of each segment of the snapshot, all of them; each net of the background known by then.
    """

    snapshot: Snapshot
    levels: tuple[tuple[Level, ...], ...]


def analysed(
    recording: Recording,
    steps: Sequence[FluenceStep],
    settings: AnalysisSettings,
    tick: Callable[[int], None] = lambda _: None,
) -> Analysed | None:
    """Run the monitor over a whole recording; None if there is no segment in it.

    Args:
        recording: the recording.
        steps: fluence steps that it does not hold itself.
        settings: choices and what is known of the set-up; the whole trace is kept, whatever they say.
        tick: called now and then with the number of photons seen so far.
    """
    kept_s = max(settings.trace_kept_s, recording.duration_s + 1.0)
    monitor = Monitor(replace(settings, trace_kept_s=kept_s))
    log = _LevelLog()
    photons, looked_s = 0, 0.0
    for message in with_fluence(recording.messages(), steps):
        monitor.feed(message)
        if not isinstance(message, PhotonBatch):
            continue
        photons += len(message.photons)
        tick(photons)
        now_s = recording.acquisition.seconds(message.stop_pulse)
        if now_s - looked_s >= LOOK_S:
            looked_s = now_s
            log.take(monitor.snapshot())
    snapshot = monitor.snapshot()
    if snapshot is None:
        return None
    log.take(snapshot, final=True)
    return Analysed(snapshot, tuple(log.of(segment) for segment in snapshot.segments))


@dataclass
class _LevelLog:
    """Levels by the start of their segment, put together from looks that overlap."""

    found: dict[float, list[Level]] = field(default_factory=dict)

    def take(self, snapshot: Snapshot | None, *, final: bool = False) -> None:
        """Take note of what is final in a snapshot, or of all of it at the end."""
        segments = snapshot.segments if snapshot is not None else ()
        for i, segment in enumerate(segments):
            over = final or i < len(segments) - 1
            known = self.found.setdefault(segment.start_s, [])
            levels = segment.levels if over else segment.levels[:-STILL_MOVING]
            known += [level for level in levels if not known or level.start_s > known[-1].start_s]

    def of(self, segment: SegmentResult) -> tuple[Level, ...]:
        """All levels of a segment."""
        return tuple(self.found.get(segment.start_s, ()))
