"""`qdmon recover` and `qdmon archive`: a recording written once more, whole or smaller."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

if TYPE_CHECKING:
    from streams.recording import Copied

__all__ = ["archive", "recover"]


def recover(
    file: Path,
    /,
    *,
    out: Path | None = None,
    as_json: Annotated[bool, Parameter(name="--json")] = False,
) -> int:
    """Save what is intact in a damaged native recording into a new one; the old one is not changed.

    What is lost is a gap in the new one, and left out of every analysis. Exit code 1 if anything is.

    Example: qdmon recover recordings/20260114-093000-dot-7-1a2b3c4d

    Args:
        file: a session's folder, one of its segment files, or the name of a reference recording.
        out: folder in which the new session is made; beside the old one if not given, or here for a name.
        as_json: print one JSON object.
    """
    from qdmon.cli.errors import FAILED
    from qdmon.cli.progress import Progress
    from streams.recording import recover as save

    file, out = _found(file, out)
    with Progress(f"recovering {file.name}") as progress:
        copied = save(file, out, progress.tick)
    _print(copied, as_json=as_json)
    return FAILED if copied.gaps or copied.lost_messages else 0


def archive(
    file: Path,
    /,
    *,
    out: Path | None = None,
    as_json: Annotated[bool, Parameter(name="--json")] = False,
) -> int:
    """Write a copy of a native recording that is about 4 % smaller; the original stays.

    Needs the package pcodec, to read the copy as well: pip install 'qdmon[archive]'

    Example: qdmon archive recordings/20260114-093000-dot-7-1a2b3c4d --out /archive

    Args:
        file: a session's folder, one of its segment files, or the name of a reference recording.
        out: folder in which the copy is made; beside the original if not given, or here for a name.
        as_json: print one JSON object.
    """
    from qdmon.cli.errors import FAILED
    from qdmon.cli.progress import Progress
    from streams.recording import archive as shrink

    file, out = _found(file, out)
    with Progress(f"archiving {file.name}") as progress:
        copied = shrink(file, out, progress.tick)
    _print(copied, as_json=as_json)
    return FAILED if copied.gaps or copied.lost_messages else 0


def _found(file: Path, out: Path | None) -> tuple[Path, Path | None]:
    """The session, and where to write; never beside a reference, which is the program's own."""
    from qdmon.reference import find_recording

    found = find_recording(file)
    return found, Path() if out is None and found != file else out


def _print(copied: "Copied", *, as_json: bool) -> None:
    from streams.text import clean_text

    if as_json:
        print(json.dumps(asdict(copied) | {"folder": str(copied.folder)}))
        return
    per_photon = f", {copied.size_bytes / copied.photons:.2f} B each" if copied.photons else ""
    print(f"{clean_text(str(copied.folder), 300)}: {copied.photons} photons{per_photon}")
    for problem in copied.problems:
        print(f"  was: {clean_text(problem, 300)}")
    for gap in copied.gaps:
        print(f"  photons of the pulses {gap.first_pulse} to {gap.stop_pulse} are missing: {gap.cause}")
