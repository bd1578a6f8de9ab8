"""A user's mistake is one line that says what to do, a code that is not 0, and never a traceback."""

import socket
import sys
from pathlib import Path

import platformdirs
import pytest

from hardware.protocols import CardError
from qdmon.cli import app, errors


def run(capsys: pytest.CaptureFixture[str], *tokens: str) -> tuple[int, list[str]]:
    """Exit code and lines on standard error."""
    with pytest.raises(SystemExit) as ended:
        app.main(tokens)
    assert isinstance(ended.value.code, int)
    output = capsys.readouterr()
    assert "Traceback" not in output.out + output.err
    return ended.value.code, output.err.splitlines()


@pytest.mark.parametrize(
    ("tokens", "code", "words"),
    [
        (["demmo"], 2, "unknown command or argument 'demmo'; did you mean demo?"),
        (["xyzzy"], 2, "qdmon --help"),
        (["protocol", "lst"], 2, 'Did you mean "list"?'),
        (["demo", "--sped", "3"], 2, "Did you mean --speed?"),
        (["demo", "--speed", "fast"], 2, 'unable to convert "fast" into float'),
        (["demo", "cdse-zns-2mm"], 2, "cdse-zns-2nm"),
        (["demo", "--protocol", "papr-cdse"], 2, "paper-cdse"),
        (["simulate", "dot", "nope", "-o", "x.ptu"], 2, "mapbbr3"),
        (["simulate", "dot", "mapbbr3", "-o", "x.txt"], 2, "or into a session folder"),
        (["simulate", "dot", "mapbbr3", "-o", "x.ptu", "--duration", "-1"], 2, "above 0"),
        (["simulate", "dot", "mapbbr3", "-o", "x.ptu", "--protocol", "constant:0.2"], 2, "need it"),
        (["protocol", "show", "nope"], 2, "no such file, nor a protocol of that name"),
        (["config", "check", "/no/such/lab.toml"], 1, "/no/such/lab.toml: No such file or directory"),
        (["replay", "/no/such/dot.ptu"], 1, "is not there"),
        (["replay", "/no/such/dot.ptu", "--speed", "0"], 2, "give a number above 0, or max"),
        (["daemon"], 1, "add --simulate PRESET"),
        (["daemon", "--simulate", "nope"], 2, "mapbbr3"),
        (["daemon", "--simulate", "mapbbr3", "--speed", "-1"], 1, "speed"),
        (["daemon", "--simulate", "mapbbr3", "--bind", "tcp://0.0.0.0:5555"], 1, "is not an address"),
        (["watch", "tcp://example.org:1"], 1, "is not an address"),
        (["attach", "a b"], 1, "cannot name a daemon"),
    ],
)
def test_each_mistake_is_one_line(
    capsys: pytest.CaptureFixture[str], tokens: list[str], code: int, words: str
) -> None:
    got, lines = run(capsys, *tokens)
    assert got == code
    assert len(lines) == 1, lines
    assert lines[0].startswith("qdmon: ")
    assert words in lines[0]


def test_a_bad_configuration_names_each_key_on_its_own_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "lab.toml"
    path.write_text("[daemon]\nbatch_ms = 5\n[lasr]\n")
    code, lines = run(capsys, "daemon", "--config", str(path), "--simulate", "mapbbr3")
    assert code == 2
    assert [line.removeprefix(f"qdmon: {path}: ") for line in lines] == [
        "daemon.batch_ms: must be between 10 and 1000 (found 5)",
        "lasr: unknown key; did you mean laser?",
    ]


def test_a_real_laser_is_not_switched_on_without_the_word_arm(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A simulated bench named as if it were real: consent is asked for all the same."""
    path = tmp_path / "lab.toml"
    path.write_text(
        '[card]\ndriver = "sim"\noptions = { preset = "mapbbr3" }\n[protocol]\nrun = "paper-cdse"\n'
    )
    code, lines = run(capsys, "daemon", "--config", str(path), "--bind", str(tmp_path))
    assert code == 1
    assert "add --arm to consent" in lines[0]


def test_a_foreign_file_is_no_recording(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "photo.ptu"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(1000))
    code, lines = run(capsys, "replay", str(path))
    assert code == 1
    assert len(lines) == 1
    assert "not a photon recording" in lines[0]


def test_an_existing_recording_is_never_overwritten(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "dot.ptu"
    path.write_bytes(b"precious")
    code, lines = run(capsys, "simulate", "dot", "mapbbr3", "-o", str(path), "--duration", "0.1")
    assert code == 1
    assert "File exists" in lines[0]
    assert path.read_bytes() == b"precious"


def test_a_tcp_port_in_use_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        tokens = ("daemon", "--simulate", "mapbbr3", "--bind", f"tcp://127.0.0.1:{port}")
        code, lines = run(capsys, *tokens)
    assert code == 1
    assert len([line for line in lines if line.startswith("qdmon: ")]) == 1
    assert "is in use" in lines[-1]


def test_an_unexpected_error_says_where_the_details_are(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platformdirs, "user_log_dir", lambda *_, **__: str(tmp_path))
    assert errors.report_error(ZeroDivisionError("division by zero")) == errors.INTERNAL
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    (saved,) = tmp_path.iterdir()
    assert str(saved) in line
    assert "ZeroDivisionError" in saved.read_text()


def test_errors_inside_groups_are_told_like_any_other(capsys: pytest.CaptureFixture[str]) -> None:
    group = ExceptionGroup("tasks", [ExceptionGroup("more", [CardError("the card is out")])])
    assert errors.report_error(group) == errors.FAILED
    assert capsys.readouterr().err == "qdmon: the card is out\n"


def test_what_a_file_name_contains_cannot_steer_the_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    _, lines = run(capsys, "config", "check", "/no/\x1b[2Jsuch.toml")
    assert "\x1b" not in lines[0]


def test_an_interrupt_has_its_own_code() -> None:
    assert errors.report_error(KeyboardInterrupt()) == 130


@pytest.mark.skipif(sys.platform == "win32", reason="needs /dev/null semantics")
def test_debug_shows_the_error_in_full() -> None:
    with pytest.raises(FileNotFoundError):
        app.main(["--debug", "config", "check", "/no/such/lab.toml"])
