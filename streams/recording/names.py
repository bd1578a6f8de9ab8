"""Names of session directories and segment files: made from an allow-list, so that no title is a path."""

import re
import time
import unicodedata
from pathlib import Path

__all__ = ["PART", "is_session_name", "segment_name", "segment_paths", "session_name", "slug"]

PART = ".part"  # ends the name of a segment that was not closed
MAX_SLUG = 40
_SESSION = re.compile(r"\d{8}-\d{6}-[a-z0-9][a-z0-9-]{0,39}-[0-9a-f]{8}")
_SEGMENT = re.compile(r"(\d{4,6})\.mcap(\.part)?")


def slug(title: str) -> str:
    """The readable part of a name: lower-case letters, digits and single hyphens, at most 40; never empty."""
    plain = unicodedata.normalize("NFKD", title[:400]).encode("ascii", "ignore").decode("ascii").lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:MAX_SLUG].rstrip("-") or "session"


def session_name(started_unix_ns: int, title: str, token: str) -> str:
    """`YYYYMMDD-HHMMSS-<slug>-<8 hex>`, the time in the local zone.

    Raises:
        ValueError: the token is not 8 hex digits.
    """
    stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(started_unix_ns // 10**9))
    name = f"{stamp}-{slug(title)}-{token}"
    if not is_session_name(name):
        raise ValueError(f"no session name can be made with the token {token!r}")
    return name


def is_session_name(name: str) -> bool:
    """Whether a folder of this name is a session of ours."""
    return _SESSION.fullmatch(name) is not None


def segment_name(number: int) -> str:
    """Name of a closed segment file; numbers begin with 1."""
    return f"{number:04d}.mcap"


def segment_paths(folder: Path) -> dict[int, Path]:
    """The segment files in a session directory by number, ascending; only regular files of its own.

    Where a number is there closed and unclosed, the closed one counts.
    """
    found: dict[int, Path] = {}
    for path in sorted(folder.iterdir(), reverse=True):  # "0001.mcap.part" before "0001.mcap"
        match = _SEGMENT.fullmatch(path.name)
        if match and path.is_file() and not path.is_symlink():
            found[int(match[1])] = path
    return dict(sorted(found.items()))
