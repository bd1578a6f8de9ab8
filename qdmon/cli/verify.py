"""`qdmon verify`: is a recording as it was written?"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

if TYPE_CHECKING:
    from streams.recording import SessionReport

__all__ = ["verify"]


def verify(file: Path, /, *, as_json: Annotated[bool, Parameter(name="--json")] = False) -> int:
    """Check every bit of a native recording; exit code 0 only if it is intact, and not empty.

    Example: qdmon verify recordings/20260114-093000-dot-7-1a2b3c4d

    Args:
        file: a session's folder, one of its segment files, or the name of a reference recording.
        as_json: print one JSON object.
    """
    from qdmon.cli.errors import FAILED
    from qdmon.cli.progress import Progress
    from qdmon.reference import find_recording
    from streams.recording import verify as check

    file = find_recording(file)
    with Progress(f"verifying {file.name}") as progress:
        report = check(file, progress.tick)
    if as_json:
        print(json.dumps({"intact": report.intact, "closed": report.closed} | asdict(report)))
    else:
        _print(report)
    return 0 if report.intact else FAILED


def _print(report: "SessionReport") -> None:
    from streams.text import clean_text

    if report.empty:
        print(f"{clean_text(report.path, 300)}: empty: {'; '.join(report.problems)}")
        return
    state = "intact" if report.intact else "damaged: qdmon recover saves what is left"
    closed = "" if report.closed else ", never closed"
    print(f"{clean_text(report.path, 300)}: {state}{closed}")
    print(f"  {report.photons} photons, {report.messages} messages in {len(report.files)} files")
    for file in report.files:
        for problem in file.problems:
            print(f"  {clean_text(file.name)}: {problem}")
        if file.unfinished_bytes:
            print(f"  {clean_text(file.name)}: ends in an unfinished block, {file.unfinished_bytes} bytes")
    for problem in report.problems:
        print(f"  {clean_text(problem, 300)}")
    for gap in report.gaps:
        print(f"  photons of the pulses {gap.first_pulse} to {gap.stop_pulse} are missing: {gap.cause}")
