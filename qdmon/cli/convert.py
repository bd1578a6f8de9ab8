"""`qdmon convert`: a recording in another format, or a table derived from it."""

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

if TYPE_CHECKING:
    from qdmon.export.convert import Conversion, Converted

__all__ = ["convert"]


def convert(
    source: Path,
    out: Path,
    /,
    *,
    format_: Annotated[str | None, Parameter(name="--format")] = None,
    what: str = "trace",
    fluence: Path | None = None,
    background_cps: str | None = None,
    delay_ns: str = "auto",
    rebin: bool = False,
    particle: int | None = None,
    pulse_rate_hz: float | None = None,
    resolution_ps: float | None = None,
    force: bool = False,
    json_: bool = False,
) -> int:
    """Write a recording in another format, or a table derived from it.

    The ending of OUT says which: .h5 and .hdf5 Photon-HDF5, .ptu PTU, no ending a folder in qdmon's own
    format, .csv, .npz and .parquet a table. Fluence steps go into a table beside photon files.

    Example: qdmon convert dot.ptu dot.h5
    Example: qdmon convert dot.ptu levels.csv --what levels

    Args:
        source: the recording, or the name of a reference recording.
        out: the file, or folder, to write.
        format_: ptu, photon-hdf5, full-sms or native, whatever OUT is called.
        what: for tables: trace, levels, flid or g2.
        fluence: table of fluence steps, time_s,mean_excitation.
        background_cps: for tables: counts per second that are not the dot's: R, or CHANNEL=R,...
        delay_ns: for tables: delay of the second detector in ns, or auto.
        rebin: join TCSPC bins where there are more than a .ptu record counts.
        particle: which measurement of a file that holds several.
        pulse_rate_hz: laser pulses per second, for files that do not say.
        resolution_ps: width of a TCSPC bin, for files that do not say.
        force: replace files of the same name.
        json_: say what was written as a JSON object.
    """
    from qdmon.analysis.settings import AnalysisSettings
    from qdmon.cli.analysis_options import file_choices, parse_background, parse_delay
    from qdmon.cli.errors import FAILED, say_error
    from qdmon.export.convert import Conversion
    from qdmon.fluence import read_steps
    from qdmon.reference import find_recording
    from streams.formats import open_recording
    from streams.text import clean_text

    kind = _kind_of(out, format_)
    settings = AnalysisSettings(
        background_cps=parse_background(background_cps), detector_delay_ns=parse_delay(delay_ns)
    )
    steps = read_steps(fluence) if fluence is not None else ()
    source = find_recording(source)
    recording = open_recording(source, file_choices(particle, pulse_rate_hz, resolution_ps))
    _refuse_itself(source, out)
    conversion = Conversion(
        recording, time.time_ns(), what=what, steps=steps, settings=settings, rebin=rebin, replace=force
    )
    done = _written(conversion, out, kind)
    for problem in recording.problems:
        say_error(f"{clean_text(str(source), 300)}: {problem}")
    _say(done, kind, as_json=json_)
    return FAILED if recording.damaged else 0


def _kind_of(out: Path, wanted: str | None) -> str:
    """Format of the file to write, in a folder that is there."""
    from qdmon.cli.errors import UserError
    from qdmon.export.convert import format_of

    kind = format_of(out, wanted)
    if out.parent != Path() and not out.parent.is_dir():
        raise UserError(f"{out}: there is no folder {out.parent}: make it first")
    return kind


def _refuse_itself(source: Path, out: Path) -> None:
    """A recording is never written over itself, --force or not."""
    from qdmon.cli.errors import UserError

    if out.exists() and out.samefile(source):
        raise UserError(f"{out}: is the recording itself; give another name")


def _written(conversion: "Conversion", out: Path, kind: str) -> "Converted":
    """Write under a bar, until it is done or somebody presses Ctrl-C."""
    from qdmon.cli.bar import Bar
    from qdmon.cli.interrupt import Interrupt
    from streams.text import clean_text

    photons = conversion.recording.photons
    with Interrupt() as interrupt, Bar(f"writing {clean_text(out.name)}", photons) as bar:

        def tick(done: int) -> None:
            interrupt.check()
            bar.at(done)

        return replace(conversion, tick=tick).write(out, kind)


def _say(done: "Converted", kind: str, *, as_json: bool) -> None:
    """What was written, on standard output; what was changed or left out, beside it."""
    import json

    from qdmon.cli.errors import say_error
    from qdmon.export.table_files import TABLE_ENDINGS
    from streams.text import clean_text

    unit = "rows" if kind in TABLE_ENDINGS else "photons"
    if as_json:
        files = [str(path) for path in done.files]
        print(json.dumps({"files": files, unit: done.rows, "notes": list(done.notes)}))
        return
    print(f"{clean_text(str(done.files[0]), 300)}: {done.rows} {unit}")
    for note in done.notes:
        say_error(f"note: {note}")
