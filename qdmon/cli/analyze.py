"""`qdmon analyze`: the verdict on recordings, as text or as one JSON object per file and line."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from qdmon.cli.errors import FAILED, UserError, report_error, say_error

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from qdmon.analysis.snapshot import FluenceStep, Snapshot
    from streams.formats import Recording

__all__ = ["analyze"]


def analyze(
    *files: Path,
    json_lines: Annotated[bool, Parameter(name="--json")] = False,
    fluence: Path | None = None,
    background_cps: str | None = None,
    irf: Path | None = None,
    delay_ns: str = "auto",
) -> int:
    """Say how the dots in recordings blink, and whether they converted.

    Example: qdmon analyze dot.ptu --fluence dot.fluence.csv --json

    Args:
        files: recordings (.ptu, .pt3).
        json_lines: print one JSON object per file and line.
        fluence: table of fluence steps, time_s,mean_excitation.
        background_cps: counts per second of each detector that are not the dot's: R, or CHANNEL=R,...
        irf: instrument response: a table time_ns,counts or a recording of scattered light.
        delay_ns: delay of the second detector in ns, or auto.
    """
    from qdmon.fluence import read_steps

    if not files:
        raise UserError("analyze needs at least one recording: qdmon analyze FILE...")
    steps = read_steps(fluence) if fluence is not None else ()
    background = _background(background_cps)
    delay = _delay(delay_ns)
    failed = 0
    for file in files:
        try:
            if not _one(file, steps, background, irf, delay, json_lines=json_lines):
                failed = FAILED
        except (ValueError, OSError) as error:
            failed = report_error(error)
    return failed


def _one(
    file: Path,
    steps: "Sequence[FluenceStep]",
    background: "Mapping[int | None, float]",
    irf: Path | None,
    delay_ns: float | None,
    *,
    json_lines: bool,
) -> bool:
    """Analyse one file and print the result; False if some of the file could not be used."""
    from qdmon.analysis.settings import AnalysisSettings
    from qdmon.irf import read_irf
    from qdmon.offline import analyze_recording
    from qdmon.report import report
    from streams.formats import open_recording
    from streams.text import clean_text

    recording = open_recording(file)
    settings = AnalysisSettings(
        background_cps=background,
        t0_ps=read_irf(irf, recording.acquisition) if irf is not None else {},
        irf_origin=str(irf) if irf is not None else "given",
        detector_delay_ns=delay_ns,
    )
    snapshot, _ = analyze_recording(recording, steps, settings)
    for problem in recording.problems:
        say_error(f"{clean_text(str(file), 300)}: {problem}")
    if snapshot is None:
        raise UserError(f"{file}: holds no segment to analyse")
    if json_lines:
        print(json.dumps(report(snapshot, str(file), settings), allow_nan=False))
    else:
        _print_text(recording, snapshot)
    sys.stdout.flush()
    return not recording.problems


def _background(text: str | None) -> "Mapping[int | None, float]":
    """Background option: one rate for all detectors, or CHANNEL=RATE pairs."""
    if text is None:
        return {}
    rates: dict[int | None, float] = {}
    try:
        for part in text.split(","):
            channel, equals, rate = part.rpartition("=")
            rates[int(channel) if equals else None] = float(rate)
    except ValueError:
        raise UserError(f"--background-cps {text!r}: give a rate, or CHANNEL=RATE,CHANNEL=RATE") from None
    if not all(0 <= r < 1e9 for r in rates.values()):
        raise UserError(f"--background-cps {text!r}: rates must be finite and not negative")
    return rates


def _delay(text: str) -> float | None:
    if text == "auto":
        return None
    try:
        delay = float(text)
    except ValueError:
        delay = float("nan")
    if not abs(delay) < 1e6:
        raise UserError(f"--delay-ns {text!r}: give a number of nanoseconds, or auto")
    return delay


def _print_text(recording: "Recording", snapshot: "Snapshot") -> None:
    """The same for people."""
    from qdmon.summary import summary_lines
    from streams.text import clean_text

    print(clean_text(str(recording.path), 300))
    for line in summary_lines(snapshot):
        print(f"  {line}")
