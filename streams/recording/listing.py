"""Which sessions there are in a folder."""

from dataclasses import dataclass
from pathlib import Path

from streams.formats.recording import FormatError
from streams.recording.names import is_session_name, segment_paths
from streams.recording.opening import open_session
from streams.recording.unfinished import NOTHING_YET, EmptyRecordingError

__all__ = ["SessionInfo", "list_sessions"]


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """One session as its heads tell.

    Attributes:
        path: its directory.
        started_unix_ns: wall clock at its start; None if it cannot be read.
        photons: recorded; None if it cannot be read.
        duration_s: stream time; None if it cannot be read.
        size_bytes: of its files.
        problems: in words, empty if nothing.
        empty: it was begun, and its first block is not written.
    """

    path: Path
    started_unix_ns: int | None
    photons: int | None
    duration_s: float | None
    size_bytes: int
    problems: tuple[str, ...]
    empty: bool = False


def list_sessions(parent: Path) -> tuple[SessionInfo, ...]:
    """The sessions in a folder, oldest first; none if it is not there. OSError if it cannot be read."""
    if not parent.is_dir():
        return ()
    return tuple(
        _info(path) for path in sorted(parent.iterdir()) if is_session_name(path.name) and path.is_dir()
    )


def _info(path: Path) -> SessionInfo:
    size = sum(file.stat().st_size for file in segment_paths(path).values())
    try:
        found = open_session(path)
    except EmptyRecordingError:
        return SessionInfo(path, None, 0, 0.0, size, (NOTHING_YET,), empty=True)
    except FormatError as error:
        return SessionInfo(path, None, None, None, size, (str(error),))
    return SessionInfo(
        path, found.session.started_unix_ns, found.photons, found.duration_s, size, tuple(found.problems)
    )
