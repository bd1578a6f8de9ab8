"""Recordings in other formats: nothing silently lost, and the analysis of what was written is the same."""

from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from qdmon.analysis.settings import AnalysisSettings
from qdmon.export.convert import NATIVE, Conversion, format_of
from qdmon.export.photons import ExportError, steps_file_of
from qdmon.fluence import read_steps
from qdmon.offline import analyze_recording
from qdmon.report import report
from streams.formats import Recording, open_recording
from streams.messages import PhotonBatch, Segment
from tests.qdmon.export.sessions import STEPS, acquisition, photons_in, session
from tests.streams.formats.files import all_photons

NOW_NS = 1_700_000_000 * 10**9


def analysed(recording: Recording, steps_file: Path | None = None) -> object:
    """The report without the operator's marks, for which foreign files have no place."""
    steps = read_steps(steps_file) if steps_file is not None else ()
    snapshot, _ = analyze_recording(recording, steps, AnalysisSettings())
    assert snapshot is not None
    told = replace(snapshot, events=tuple(e for e in snapshot.events if e.kind != "marker"))
    return report(told, "dot", AnalysisSettings())


@cache
def original() -> object:
    """The report on the session itself, which is always the same."""
    with TemporaryDirectory() as folder:
        return analysed(session(Path(folder) / "dot"))


@pytest.mark.parametrize("name", ["x.h5", "x.photon.hdf5"])
def test_photon_hdf5_and_its_table_of_steps_give_the_same_analysis(tmp_path: Path, name: str) -> None:
    recording, out = session(tmp_path / "dot"), tmp_path / name
    done = Conversion(recording, NOW_NS).write(out, format_of(out, None))
    assert done.files == (out, steps_file_of(out))
    assert analysed(open_recording(out), steps_file_of(out)) == original()


def test_the_native_format_keeps_steps_and_gaps_by_itself(tmp_path: Path) -> None:
    recording, out = session(tmp_path / "dot"), tmp_path / "x"
    Conversion(recording, NOW_NS).write(out, NATIVE)
    assert analysed(open_recording(out)) == original()


def test_steps_given_beside_a_recording_go_with_it(tmp_path: Path) -> None:
    steps = tmp_path / "steps.csv"
    steps.write_text("time_s,mean_excitation\n0,0.2\n2,0.6\n")
    plain = tmp_path / "plain.h5"
    Conversion(session(tmp_path / "dot"), NOW_NS).write(plain, "photon-hdf5")
    known = read_steps(steps)
    Conversion(open_recording(plain), NOW_NS, steps=known).write(tmp_path / "x.ptu", "ptu")
    assert [s.mean_excitation for s in read_steps(tmp_path / "x.fluence.csv")] == [0.2, 0.6]


def test_a_moment_of_changing_fluence_is_an_empty_cell(tmp_path: Path) -> None:
    Conversion(session(tmp_path / "dot"), NOW_NS).write(tmp_path / "x.h5", "photon-hdf5")
    steps = read_steps(tmp_path / "x.fluence.csv")
    assert [s.mean_excitation for s in steps] == [STEPS[0][0], None, STEPS[1][0]]
    assert [s.start_s for s in steps] == pytest.approx([0.0, 2.0, 2.05])


def test_what_a_format_cannot_hold_is_said(tmp_path: Path) -> None:
    recording = session(tmp_path / "dot")
    ptu = " | ".join(Conversion(recording, NOW_NS).write(tmp_path / "x.ptu", "ptu").notes)
    assert "no place for gaps: 1 of 0.02 s" in ptu
    assert "1 spectra" in ptu
    assert "1 notes and markers" in ptu
    assert "card markers" not in ptu
    sms = " | ".join(Conversion(recording, NOW_NS).write(tmp_path / "y.h5", "full-sms").notes)
    assert "1 card markers" in sms
    h5 = " | ".join(Conversion(recording, NOW_NS).write(tmp_path / "z.h5", "photon-hdf5").notes)
    assert "gaps" not in h5


def test_the_photons_of_a_ptu_are_those_of_the_session(tmp_path: Path) -> None:
    recording = session(tmp_path / "dot")
    done = Conversion(recording, NOW_NS).write(tmp_path / "x.ptu", "ptu")
    back = open_recording(tmp_path / "x.ptu")
    assert done.rows == back.photons == photons_in(recording.messages())
    assert back.header["UsrSource"] == "dot"
    assert len(str(back.header["UsrSourceSha256"])) == 64


def test_bins_that_a_ptu_cannot_count_are_joined_only_when_asked(tmp_path: Path) -> None:
    resolution = acquisition().resolution_ps or 0.0
    fine = replace(acquisition(), resolution_ps=resolution / 8, nanotime_bins=65_536)
    recording = session(tmp_path / "dot", fine)
    with pytest.raises(ExportError, match=r"65536 TCSPC bins .* --rebin joins 2 to one"):
        Conversion(recording, NOW_NS).write(tmp_path / "x.ptu", "ptu")
    assert [p.name for p in tmp_path.iterdir()] == ["dot"]
    done = Conversion(recording, NOW_NS, rebin=True).write(tmp_path / "x.ptu", "ptu")
    assert "TCSPC bins were joined, 2 to one" in done.notes
    back = open_recording(tmp_path / "x.ptu")
    assert back.acquisition.resolution_ps == pytest.approx(resolution / 4)
    sent = np.concatenate([m.photons.nanotime for m in recording.messages() if isinstance(m, PhotonBatch)])
    assert np.array_equal(all_photons(back).nanotime, sent // 2)


def test_a_second_time_base_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    recording = session(tmp_path / "dot")

    class Longer(type(recording)):  # type: ignore[misc]
        def messages(self, batch_s: float = 0.05) -> object:
            yield from super().messages(batch_s)
            yield Segment(1, acquisition())

    longer = Longer(**{name: getattr(recording, name) for name in recording.__dataclass_fields__})
    with pytest.raises(ExportError, match="several time bases"):
        Conversion(longer, NOW_NS).write(tmp_path / "x.h5", "photon-hdf5")
    assert [p.name for p in tmp_path.iterdir()] == ["dot"]


@pytest.mark.parametrize("kind", ["ptu", "photon-hdf5", "full-sms", NATIVE, ".csv"])
def test_an_interrupt_leaves_no_half_file(tmp_path: Path, kind: str) -> None:
    def interrupt(photons: int) -> None:
        if photons > 1000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Conversion(session(tmp_path / "dot"), NOW_NS, tick=interrupt).write(tmp_path / "x", kind)
    assert [p.name for p in tmp_path.iterdir()] == ["dot"]


@pytest.mark.parametrize("kind", ["ptu", "photon-hdf5", "full-sms", NATIVE, ".npz"])
def test_nothing_of_the_same_name_is_touched(tmp_path: Path, kind: str) -> None:
    (tmp_path / "x").write_text("mine")
    with pytest.raises(FileExistsError):
        Conversion(session(tmp_path / "dot"), NOW_NS).write(tmp_path / "x", kind)
    assert (tmp_path / "x").read_text() == "mine"


def test_a_table_of_steps_in_the_way_is_not_touched_either(tmp_path: Path) -> None:
    (tmp_path / "x.fluence.csv").write_text("mine")
    with pytest.raises(FileExistsError):
        Conversion(session(tmp_path / "dot"), NOW_NS).write(tmp_path / "x.h5", "photon-hdf5")
    assert (tmp_path / "x.fluence.csv").read_text() == "mine"
    assert not (tmp_path / "x.h5").exists()


@pytest.mark.parametrize(
    ("name", "wanted", "kind"),
    [
        ("x.PTU", None, "ptu"),
        ("x.photon.hdf5", None, "photon-hdf5"),
        ("x", None, NATIVE),
        ("x.csv", None, ".csv"),
        ("x.dat", "ptu", "ptu"),
        ("x.h5", "full-sms", "full-sms"),
    ],
)
def test_the_name_or_the_user_says_the_format(name: str, wanted: str | None, kind: str) -> None:
    assert format_of(Path(name), wanted) == kind


def test_a_name_that_says_nothing_is_refused_with_those_that_do() -> None:
    with pytest.raises(ExportError, match=r"name it \.ptu, \.h5"):
        format_of(Path("x.dat"), None)
    with pytest.raises(ExportError, match="give one of ptu"):
        format_of(Path("x"), "pdf")
