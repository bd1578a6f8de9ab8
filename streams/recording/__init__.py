"""The native recording: sessions in segment files that survive crashes, and a reader that always salvages.

docs/recording-format.md is the specification. `Recorder` writes a live session from its own thread,
`SessionWriter` writes one in the caller's, `open_session` reads both and whatever is left of them.
"""

from streams.recording.copying import Copied, archive, recover
from streams.recording.listing import SessionInfo, list_sessions
from streams.recording.opening import NativeRecording, open_session
from streams.recording.policy import (
    Position,
    Problem,
    ProblemKind,
    RecorderStatus,
    RecordingError,
    RecordingPolicy,
)
from streams.recording.recorder import Recorder
from streams.recording.session import SessionWriter, create_session
from streams.recording.unfinished import EmptyRecordingError
from streams.recording.verify import FileReport, SessionReport, verify

__all__ = [
    "Copied",
    "EmptyRecordingError",
    "FileReport",
    "NativeRecording",
    "Position",
    "Problem",
    "ProblemKind",
    "Recorder",
    "RecorderStatus",
    "RecordingError",
    "RecordingPolicy",
    "SessionInfo",
    "SessionReport",
    "SessionWriter",
    "archive",
    "create_session",
    "list_sessions",
    "open_session",
    "recover",
    "verify",
]
