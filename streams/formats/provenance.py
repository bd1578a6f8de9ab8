"""Where an exported file comes from: carried by every export, so that it can be traced and made again."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

__all__ = ["Provenance", "sha256_of"]

_READ_BYTES = 1 << 20


@dataclass(frozen=True)
class Provenance:
    """Origin of the photons and of the file.

    Attributes:
        source: name of the file or folder they were read from, without its path.
        source_sha256: of its bytes, in hex; of a folder, of its files in the order of their names.
        software: what wrote the export, with its version.
        made_unix_ns: when.
        title: of the recording.
        recorded_by: software that recorded it, "" if unknown.
        started_unix_ns: when it was recorded, 0 if unknown.
        notes: what was done to the photons on the way, and what could not be kept, one sentence each.
        details: anything else worth keeping, by name.
    """

    source: str
    source_sha256: str
    software: str
    made_unix_ns: int
    title: str = ""
    recorded_by: str = ""
    started_unix_ns: int = 0
    notes: tuple[str, ...] = ()
    details: Mapping[str, object] = field(default_factory=dict)

    def as_dict(self) -> dict[str, object]:
        """Plain data, for JSON."""
        return {**asdict(self), "notes": list(self.notes), "details": dict(self.details)}


def sha256_of(path: Path, tick: Callable[[], None] = lambda: None) -> str:
    """The checksum of a file, or of all files of a folder by name.

    Args:
        path: file or folder.
        tick: called after every MiB.
    """
    digest = hashlib.sha256()
    files = sorted(p for p in path.iterdir() if p.is_file()) if path.is_dir() else [path]
    for file in files:
        with file.open("rb") as stream:
            while block := stream.read(_READ_BYTES):
                digest.update(block)
                tick()
    return digest.hexdigest()
