"""`qdmon verify`, `recover` and `archive`, and native recordings wherever a command takes a file."""

import json
from pathlib import Path

import pytest

from qdmon.cli import hosting
from qdmon.cli.app import main
from qdmon.reference import reference_path
from streams.recording import create_session, list_sessions, open_session, verify
from tests.streams.formats.test_spc import GOOD as SPC_THAT_LEAVES_THE_BIN_OPEN
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


def test_an_empty_session_is_said_to_be_empty_by_every_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = create_session(tmp_path, "killed", 10**18)
    code, out, errors = run(capsys, "verify", folder)
    assert (code, errors) == (1, "")
    assert out == f"{folder}: empty: nothing was recorded yet\n"
    code, out, _ = run(capsys, "verify", folder, "--json")
    report = json.loads(out)
    assert (code, report["empty"], report["intact"], report["closed"]) == (1, True, False, False)
    code, out, _ = run(capsys, "record", "list", tmp_path)
    assert code == 0
    assert out.startswith("empty ")
    assert "0 photons" in out
    for command in ("analyze", "replay", "recover"):
        code, _, errors = run(capsys, command, folder)
        assert (code, errors) == (1, f"qdmon: {folder} is empty: nothing was recorded yet\n")


def test_a_replay_of_what_a_file_leaves_open_succeeds_and_one_of_damage_does_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hosting, "follow_child", lambda *_, **__: 0)
    open_file = tmp_path / "a.spc"
    open_file.write_bytes(SPC_THAT_LEAVES_THE_BIN_OPEN)
    code, _, errors = run(capsys, "replay", open_file, "--headless")
    assert "a guess" in errors
    assert code == 0
    folder = written(tmp_path, everything())
    code, _, errors = run(capsys, "replay", folder, "--headless")
    assert (code, errors) == (0, "")
    [path] = folder.iterdir()
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    code, _, errors = run(capsys, "replay", folder, "--headless")
    assert "not closed" in errors
    assert code == 1


def test_commands_on_files_take_the_name_of_a_reference_recording(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    photons = open_session(reference_path("mapbbr3")).photons
    code, out, _ = run(capsys, "verify", "mapbbr3", "--json")
    assert (code, json.loads(out)["photons"]) == (0, photons)
    code, out, _ = run(capsys, "convert", "mapbbr3", "dot.ptu", "--json")
    assert (code, json.loads(out)["photons"]) == (0, photons)
    code, out, _ = run(capsys, "recover", "mapbbr3", "--json")
    saved = json.loads(out)
    assert (code, saved["photons"]) == (0, photons)
    assert Path(saved["folder"]).resolve().parent == tmp_path
    for command in ("verify", "recover", "convert"):
        code, _, errors = run(capsys, command, "mapbbr4", *(["x.ptu"] if command == "convert" else []))
        assert code == 1
        assert "mapbbr4 is not there" in errors
        assert "cdse-zns-2nm, cspbbr3-large, mapbbr3" in errors
