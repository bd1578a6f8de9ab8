"""`qdmon convert` as people type it: files in, files out, one line for every mistake."""

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from qdmon.cli.app import main
from streams.formats import open_recording, write_ptu
from streams.formats.photon_hdf5_writer import PhotonHdf5Writer
from tests.streams.formats.hdf5_files import full_sms_file
from tests.streams.formats.test_ptu_writer import ACQUISITION, PHOTONS
from tests.streams.formats.test_siminics import siminics


@pytest.fixture
def dot(tmp_path: Path) -> Path:
    write_ptu(tmp_path / "dot.ptu", ACQUISITION, [(PHOTONS, 20_000_000)])
    return tmp_path / "dot.ptu"


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    assert isinstance(ended.value.code, int)
    said = capsys.readouterr()
    assert "Traceback" not in said.out + said.err
    return ended.value.code, said.out, said.err


@pytest.mark.parametrize("name", ["x.h5", "x.hdf5", "x.ptu", "x"])
def test_a_recording_is_written_and_read_again(
    capsys: pytest.CaptureFixture[str], dot: Path, name: str
) -> None:
    code, out, err = run(capsys, "convert", dot, dot.with_name(name))
    assert (code, err) == (0, "")
    assert f"{len(PHOTONS)} photons" in out
    assert open_recording(dot.with_name(name)).photons == len(PHOTONS)


def test_what_was_written_is_said_as_json_when_asked(capsys: pytest.CaptureFixture[str], dot: Path) -> None:
    steps = dot.with_name("steps.csv")
    steps.write_text("time_s,mean_excitation\n0,0.2\n")
    code, out, _ = run(capsys, "convert", dot, dot.with_name("x.h5"), "--fluence", steps, "--json")
    said = json.loads(out)
    assert code == 0
    assert said["photons"] == len(PHOTONS)
    assert [Path(file).name for file in said["files"]] == ["x.h5", "x.fluence.csv"]


def test_a_file_that_is_there_is_replaced_only_by_force(
    capsys: pytest.CaptureFixture[str], dot: Path
) -> None:
    out = dot.with_name("x.h5")
    out.write_text("mine")
    code, _, err = run(capsys, "convert", dot, out)
    assert (code, out.read_text()) == (1, "mine")
    assert "--force replaces it" in err
    assert run(capsys, "convert", dot, out, "--force")[0] == 0
    assert open_recording(out).photons == len(PHOTONS)


def test_the_recording_itself_is_never_the_target(capsys: pytest.CaptureFixture[str], dot: Path) -> None:
    before = dot.read_bytes()
    code, _, err = run(capsys, "convert", dot, dot, "--force")
    assert code == 2
    assert "is the recording itself" in err
    assert dot.read_bytes() == before


def test_what_a_file_does_not_say_can_be_said(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "x.bin").write_bytes(siminics())
    code, _, err = run(capsys, "convert", tmp_path / "x.bin", tmp_path / "x.ptu")
    assert code == 1
    assert "give --pulse-rate-hz and --resolution-ps" in err
    given = ("--pulse-rate-hz", 5e6, "--resolution-ps", 64)
    assert run(capsys, "convert", tmp_path / "x.bin", tmp_path / "x.ptu", *given)[0] == 0
    assert open_recording(tmp_path / "x.ptu").acquisition.pulse_rate_hz == pytest.approx(5e6)


def test_one_of_several_particles_is_taken(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    source = full_sms_file(tmp_path / "many.h5", particles=2)
    code, _, err = run(capsys, "convert", source, tmp_path / "x.h5")
    assert code == 1
    assert "choose one with --particle (1, 2)" in err
    given = ("--particle", 2, "--pulse-rate-hz", 2e7)
    assert run(capsys, "convert", source, tmp_path / "x.h5", *given)[0] == 0
    assert "dot 2" in open_recording(tmp_path / "x.h5").session.title


def test_a_table_is_derived_and_told_by_its_rows(capsys: pytest.CaptureFixture[str], dot: Path) -> None:
    code, out, _ = run(capsys, "convert", dot, dot.with_name("x.csv"), "--what", "trace")
    assert code == 0
    assert out.endswith("399 rows\n")  # the last bin is not full


def test_control_c_in_the_middle_leaves_nothing(
    capsys: pytest.CaptureFixture[str], dot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = PhotonHdf5Writer.append

    def pressed(*arguments: Any) -> None:
        append(*arguments)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(PhotonHdf5Writer, "append", pressed)
    code, out, err = run(capsys, "convert", dot, dot.with_name("x.h5"))
    assert (code, out, err) == (130, "", "")
    assert [p.name for p in dot.parent.iterdir()] == ["dot.ptu"]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("x.dat",), "name it .ptu"),
        (("x.csv", "--what", "nothing"), "give one of trace"),
        (("x.h5", "--format", "pdf"), "give one of ptu"),
        (("no/such/x.h5",), "make it first"),
        (("x.h5", "--pulse-rate-hz", "-3"), "--pulse-rate-hz -3 is impossible"),
        (("x.h5", "--pulse-rate-hz", "5e6"), "leave out --pulse-rate-hz"),
        (("x.csv", "--delay-ns", "soon"), "give a number of nanoseconds"),
    ],
)
def test_each_mistake_is_one_line_and_leaves_nothing(
    capsys: pytest.CaptureFixture[str], dot: Path, words: tuple[str, ...], reason: str
) -> None:
    code, _, err = run(capsys, "convert", dot, dot.parent / words[0], *words[1:])
    assert code != 0
    assert reason in err
    assert len(err.splitlines()) == 1
    assert [p.name for p in dot.parent.iterdir()] == ["dot.ptu"]
