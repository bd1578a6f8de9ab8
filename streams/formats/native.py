"""Our own recordings among the other formats; `streams.recording` reads them."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streams.formats.recording import Recording

__all__ = ["read", "recognises"]

_MAGIC = b"\x89MCAP0\r\n"
_MARKS = (b"qdmon-recording", b"qdmonPHO", b"qdmon.session")


def recognises(head: bytes) -> bool:
    """Whether the first bytes of a file look like a segment of a session, even where some are damaged."""
    return head.startswith(_MAGIC) or any(mark in head for mark in _MARKS)


def read(path: Path) -> "Recording":
    """Open a session directory or a segment file; raises FormatError."""
    from streams.recording.opening import open_session  # which needs the formats in its turn

    return open_session(path)
