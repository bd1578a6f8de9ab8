"""From a recording to a file of another format, photons or a table: what the ending of its name asks for."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from qdmon.analysis.results.segment import FluenceStep
from qdmon.analysis.settings import AnalysisSettings
from qdmon.export.analysis import analysed
from qdmon.export.derive import WHAT, derived
from qdmon.export.native import NativeExport
from qdmon.export.photons import KINDS, ExportError, PhotonExport
from qdmon.export.table_files import TABLE_ENDINGS, write_table
from qdmon.fluence import with_fluence
from qdmon.report import report
from streams.formats import Recording
from streams.formats.new_file import new_file
from streams.formats.provenance import Provenance, sha256_of
from streams.messages import Message

__all__ = ["NATIVE", "Conversion", "Converted", "format_of"]

NATIVE = "native"
_ENDINGS: Mapping[str, str] = {
    ".ptu": "ptu",
    ".h5": "photon-hdf5",
    ".hdf5": "photon-hdf5",
    "": NATIVE,
    **{ending: ending for ending in TABLE_ENDINGS},
}


def format_of(out: Path, wanted: str | None) -> str:
    """The format of a file to be written: `NATIVE`, one of `KINDS`, or one of `TABLE_ENDINGS`.

    Args:
        out: its name.
        wanted: what the user asked for, without regard to the name.

    Raises:
        ExportError: neither tells.
    """
    if wanted is not None:
        if wanted not in KINDS and wanted != NATIVE:
            raise ExportError(f"--format {wanted}: give one of {', '.join([*KINDS, NATIVE])}")
        return wanted
    ending = "" if out.is_dir() else out.suffix.lower()
    if ending not in _ENDINGS:
        known = ", ".join(e for e in _ENDINGS if e)
        raise ExportError(f"{out}: name it {known}, or without an ending for a folder in qdmon's own format")
    return _ENDINGS[ending]


@dataclass(frozen=True, slots=True)
class Converted:
    """What was written.

    Attributes:
        files: the file or folder, and what lies beside it.
        rows: photons, or rows of a table.
        notes: what was changed or left out, one line each.
    """

    files: tuple[Path, ...]
    rows: int
    notes: tuple[str, ...] = ()


@dataclass
class Conversion:
    """One conversion.

    Attributes:
        recording: what is converted.
        unix_ns: the time, for the record.
        what: which table, where a table is asked for.
        steps: fluence steps that the recording does not hold itself.
        settings: of the analysis, for tables.
        rebin: join TCSPC bins where a format cannot count them.
        replace: take the place of files of the same names.
        tick: called now and then with the number of photons done.
    """

    recording: Recording
    unix_ns: int
    what: str = "trace"
    steps: Sequence[FluenceStep] = ()
    settings: AnalysisSettings = field(default_factory=AnalysisSettings)
    rebin: bool = False
    replace: bool = False
    tick: Callable[[int], None] = field(default=lambda _: None)

    def write(self, out: Path, kind: str) -> Converted:
        """Write `out` in a format of `format_of`.

        Raises:
            ExportError: the format cannot hold this recording.
            MissingExtraError: the format needs a package that is not there.
            FileExistsError: a file of the name is there and may not be replaced.
        """
        if kind in TABLE_ENDINGS:
            return self._table(out, kind)
        if kind == NATIVE:
            folder = NativeExport(self._messages, self._origin(), self.unix_ns, self.tick).write(out)
            return Converted((folder.path,), folder.photons)
        done = PhotonExport(
            self.recording, self._messages, kind, self._origin(), self.rebin, self.replace, self.tick
        ).write(out)
        return Converted((out, *([done.steps] if done.steps else [])), done.photons, done.notes)

    def _messages(self) -> Iterator[Message]:
        return with_fluence(self.recording.messages(), self.steps)

    def _table(self, out: Path, ending: str) -> Converted:
        if self.what not in WHAT:
            raise ExportError(f"--what {self.what}: give one of {', '.join(WHAT)}")
        found = analysed(self.recording, self.steps, self.settings, self.tick)
        if found is None:
            raise ExportError(f"{self.recording.path}: holds no photons to analyse")
        said = report(found.snapshot, self.recording.path.name, self.settings)
        facts = {
            "provenance": self._origin().as_dict(),
            **{key: said[key] for key in ("pulse_rate_hz", "resolution_ps", "duration_s", "losses")},
            **{key: said[key] for key in ("calibration", "g2", "options")},
            "fluence_steps": [[s.start_s, s.mean_excitation] for s in found.snapshot.fluence_steps],
            "unknown": "NaN or empty",
        }
        table = derived(found, self.what, facts)
        with new_file(out, replace=self.replace) as part:
            write_table(part, ending, table)
        return Converted((out,), len(table))

    def _origin(self) -> Provenance:
        session = self.recording.session
        return Provenance(
            source=self.recording.path.name,
            source_sha256=sha256_of(self.recording.path, lambda: self.tick(0)),
            software=f"qdmon {version('qdmon')}",
            made_unix_ns=self.unix_ns,
            title=session.title,
            recorded_by=session.software,
            started_unix_ns=session.started_unix_ns,
            notes=tuple(self.recording.problems),
        )
