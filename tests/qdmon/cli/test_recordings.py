"""`qdmon verify`, `recover` and `archive`, and native recordings wherever a command takes a file."""

import json
from pathlib import Path

import pytest

from qdmon.cli.app import main
from streams.recording import list_sessions, verify
from tests.streams.recording.sessions import everything, written


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    """Exit code, output and errors of a command."""
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    out, errors = capsys.readouterr()
    assert isinstance(ended.value.code, int)
    return ended.value.code, out, errors


def damage(folder: Path) -> None:
    [path] = folder.iterdir()
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 8
    path.write_bytes(data)


def test_an_intact_recording_is_said_to_be_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = written(tmp_path, everything())
    code, out, _ = run(capsys, "verify", folder)
    assert code == 0
    assert "intact" in out
    code, out, _ = run(capsys, "verify", folder / "0001.mcap", "--json")
    report = json.loads(out)
    assert (code, report["intact"], report["closed"], report["photons"]) == (0, True, True, 2400)


def test_a_damaged_one_is_found_and_what_is_left_is_saved(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = written(tmp_path, everything())
    damage(folder)
    before = [path.read_bytes() for path in folder.iterdir()]
    code, out, _ = run(capsys, "verify", folder)
    assert code == 1
    assert "damaged" in out
    assert "file damaged" in out
    code, out, _ = run(capsys, "recover", folder, "--out", tmp_path / "saved", "--json")
    saved = json.loads(out)
    assert code == 1
    assert saved["photons"] == 2400 - 5 * 40
    assert verify(saved["folder"]).intact
    assert [path.read_bytes() for path in folder.iterdir()] == before
    assert len(list_sessions(tmp_path / "saved")) == 1


def test_what_is_no_recording_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "notes.txt").write_text("no photons here" * 100)
    for command in ("verify", "recover", "archive"):
        for name in ("notes.txt", "missing", "."):
            code, _, errors = run(capsys, command, tmp_path / name)
            assert code == 1
            assert errors.count("\n") == 1
            assert errors.startswith("qdmon: ")


def test_analyze_says_what_is_lost_and_leaves_it_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = written(tmp_path, everything())
    damage(folder)
    code, out, errors = run(capsys, "analyze", folder, "--json")
    report = json.loads(out)
    assert code == 1
    assert "is lost" in errors
    assert report["photons"] == 2400 - 5 * 40
    assert "file damaged" in {loss["cause"] for loss in report["losses"]}
