"""`qdmon analyze`: the verdict on recordings, as text or as one JSON object per file and line."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from qdmon.cli.analysis_options import file_choices, parse_background, parse_delay
from qdmon.cli.errors import FAILED, UserError, report_error, say_error

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qdmon.analysis.results.segment import FluenceStep
    from qdmon.analysis.settings import AnalysisSettings
    from qdmon.analysis.snapshot import Snapshot
    from qdmon.dark import Span
    from streams.formats import Choices, Recording

__all__ = ["analyze"]


@dataclass(frozen=True)
class _Given:
    """What the command line says, beside the files.

    Attributes:
        steps: fluence steps.
        settings: numbers.
        irf: file of the instrument response.
        dark: recording of the background.
        dark_spans: where the recordings are dark themselves.
        choices: what the files do not say themselves.
    """

    steps: "Sequence[FluenceStep]"
    settings: "AnalysisSettings"
    irf: Path | None
    dark: Path | None
    dark_spans: "Sequence[Span]"
    choices: "Choices"


def analyze(
    *files: Path,
    json_lines: Annotated[bool, Parameter(name="--json")] = False,
    fluence: Path | None = None,
    background_cps: str | None = None,
    dark: Path | None = None,
    dark_span: str | None = None,
    irf: Path | None = None,
    delay_ns: str = "auto",
    dead_time_ns: float | None = None,
    false_alarms_per_day: float = 1.0,
    particle: int | None = None,
    pulse_rate_hz: float | None = None,
    resolution_ps: float | None = None,
) -> int:
    """Say how the dots in recordings blink, and whether they converted.

    Example: qdmon analyze dot.ptu --fluence dot.fluence.csv --json

    Args:
        files: recordings, of any format that qdmon reads; of its own, the folder. Or names of reference
            recordings.
        json_lines: print one JSON object per file and line.
        fluence: table of fluence steps, time_s,mean_excitation.
        background_cps: counts per second of each detector that are not the dot's: R, or CHANNEL=R,...
        dark: recording made without light from the dot, for the background.
        dark_span: seconds of the recordings without light from the dot: START:STOP, or several with commas.
        irf: instrument response: a table time_ns,counts or a recording of scattered light.
        delay_ns: delay of the second detector in ns, or auto.
        dead_time_ns: how long a detector is blind after a click.
        false_alarms_per_day: conversions reported that are none, per 24 h of recording.
        particle: which measurement of a file that holds several.
        pulse_rate_hz: laser pulses per second, for files that do not say.
        resolution_ps: width of a TCSPC bin, for files that do not say.
    """
    from qdmon.analysis.settings import AnalysisSettings
    from qdmon.dark import parse_spans
    from qdmon.fluence import read_steps

    if not files:
        raise UserError("analyze needs at least one recording: qdmon analyze FILE...")
    if dead_time_ns is not None and not 0 <= dead_time_ns < 1e6:
        raise UserError(f"--dead-time-ns {dead_time_ns:g}: give nanoseconds, 0 or more")
    if not 0 < false_alarms_per_day <= 1e4:
        raise UserError(f"--false-alarms-per-day {false_alarms_per_day:g}: give a rate above 0")
    settings = AnalysisSettings(
        background_cps=parse_background(background_cps),
        detector_delay_ns=parse_delay(delay_ns),
        dead_time_ns=dead_time_ns,
        false_alarms_per_day=false_alarms_per_day,
    )
    steps = read_steps(fluence) if fluence is not None else ()
    spans = parse_spans(dark_span) if dark_span is not None else ()
    choices = file_choices(particle, pulse_rate_hz, resolution_ps)
    given = _Given(steps, settings, irf, dark, spans, choices)
    failed = 0
    for file in files:
        try:
            if not _one(file, given, json_lines=json_lines):
                failed = FAILED
        except (ValueError, OSError) as error:
            failed = report_error(error)
    return failed


def _one(file: Path, given: _Given, *, json_lines: bool) -> bool:
    """Analyse one file and print the result; False if some of the file could not be used."""
    from qdmon.offline import analyze_recording, settings_for
    from qdmon.reference import find_recording
    from qdmon.report import report
    from streams.formats import open_recording
    from streams.text import clean_text

    recording = open_recording(find_recording(file), given.choices)
    settings = settings_for(
        recording, given.settings, irf=given.irf, dark=given.dark, dark_spans=given.dark_spans
    )
    snapshot, _ = analyze_recording(recording, given.steps, settings, given.dark_spans)
    for problem in recording.problems:
        say_error(f"{clean_text(str(file), 300)}: {problem}")
    if snapshot is None:
        raise UserError(f"{file}: holds no segment to analyse")
    if json_lines:
        found = report(snapshot, str(file), settings, recording.problems)
        print(json.dumps(found, allow_nan=False))
    else:
        _print_text(recording, snapshot)
    sys.stdout.flush()
    return not recording.damaged


def _print_text(recording: "Recording", snapshot: "Snapshot") -> None:
    """The same for people."""
    from qdmon.summary import summary_lines
    from streams.text import clean_text

    print(clean_text(str(recording.path), 300))
    for line in summary_lines(snapshot):
        print(f"  {line}")
