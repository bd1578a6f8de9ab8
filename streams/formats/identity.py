"""The session that a file of another program is: who recorded it, as far as it says."""

import hashlib
from pathlib import Path

from hardware.types import Verification
from streams.messages import Session

__all__ = ["file_session"]

DIGEST_BYTES = 1 << 20  # enough to tell two recordings apart


def file_session(
    path: Path,
    *,
    instrument: str,
    serial: str = "",
    software: str = "",
    title: str = "",
    started_unix_ns: int = 0,
    part: str = "",
) -> Session:
    """The session of a file; the same file, wherever it lies, is the same session.

    Args:
        path: the file.
        instrument: what recorded it.
        serial: of the instrument, "" if unknown.
        software: what wrote it, "" if unknown.
        title: what it calls itself.
        started_unix_ns: 0 if unknown.
        part: which measurement, where a file holds several.
    """
    digest = hashlib.blake2b(f"{path.stat().st_size}|{part}".encode(), digest_size=16)
    with path.open("rb") as file:
        digest.update(file.read(DIGEST_BYTES))
    return Session(
        session_id=digest.hexdigest(),
        started_unix_ns=started_unix_ns,
        software=software,
        source="replay",
        title=title,
        instruments={"card": f"{instrument}, {serial or 'no serial number'}, file, {Verification.COMPLETE}"},
    )
