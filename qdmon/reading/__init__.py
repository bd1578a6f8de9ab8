"""Recordings as arrays and events, for scripts and notebooks: what `qdmon.open` gives.

Photons stay on the disk until they are asked for; nothing here knows a format.
"""

from qdmon.reading.events import EventKind, RecordedEvent
from qdmon.reading.intensity import Intensity
from qdmon.reading.opened import Analysis, OpenedRecording, Stretch

__all__ = ["Analysis", "EventKind", "Intensity", "OpenedRecording", "RecordedEvent", "Stretch"]
