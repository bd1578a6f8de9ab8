"""Analysis of a recording: its messages, with the fluence steps a user knows, through the monitor."""

from collections.abc import Sequence

from qdmon.analysis.monitor import Monitor
from qdmon.analysis.settings import AnalysisSettings
from qdmon.analysis.snapshot import Event, FluenceStep, Snapshot
from qdmon.dark import Span, with_darkness
from qdmon.fluence import with_fluence
from streams.formats import Recording

__all__ = ["analyze_recording"]


def analyze_recording(
    recording: Recording,
    steps: Sequence[FluenceStep],
    settings: AnalysisSettings,
    dark: Sequence[Span] = (),
) -> tuple[Snapshot | None, tuple[Event, ...]]:
    """Run the monitor over a whole recording.

    Args:
        recording: the recording.
        steps: fluence steps.
        settings: choices and what is known of the set-up.
        dark: spans without light; their photons are no dot's.

    Returns:
        The last snapshot, None for a recording without a segment; and every event on the way.
    """
    monitor = Monitor(settings)
    events: list[Event] = []
    for message in with_darkness(with_fluence(recording.messages(), steps), dark):
        events += monitor.feed(message)
    return monitor.snapshot(), tuple(events)
