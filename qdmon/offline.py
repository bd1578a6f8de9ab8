"""Analysis of a recording: its messages, with the fluence steps a user knows, through the monitor."""

from collections.abc import Sequence

from qdmon.analysis.monitor import Monitor
from qdmon.analysis.settings import AnalysisSettings
from qdmon.analysis.snapshot import Event, FluenceStep, Snapshot
from qdmon.fluence import with_fluence
from streams.formats import Recording

__all__ = ["analyze_recording"]


def analyze_recording(
    recording: Recording, steps: Sequence[FluenceStep], settings: AnalysisSettings
) -> tuple[Snapshot | None, tuple[Event, ...]]:
    """Run the monitor over a whole recording.

    Returns:
        The last snapshot, None for a recording without a segment; and every event on the way.
    """
    monitor = Monitor(settings)
    events: list[Event] = []
    for message in with_fluence(recording.messages(), steps):
        events += monitor.feed(message)
    return monitor.snapshot(), tuple(events)
