"""Recording and replay from the command line: what is on the disk, what is said, what is refused."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from qdmon.cli.app import _with_values, main
from qdmon.cli.child import Child
from qdmon.reference import reference_path
from streams.recording import verify


def qdmon(*tokens: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "qdmon", *tokens], capture_output=True, text=True, timeout=110, check=False
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


@dataclass
class Here:
    """Commands run in this process."""

    capsys: pytest.CaptureFixture[str]

    def run(self, *tokens: str) -> tuple[int, str, str]:
        """Exit code, output and errors."""
        self.capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(tokens)
        said = self.capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    def told(self, *tokens: str) -> dict[str, Any]:
        """The JSON object a command prints."""
        code, out, errors = self.run(*tokens, "--json")
        assert code == 0, errors
        found = json.loads(out)
        assert isinstance(found, dict)
        return found

    def refusal(self, *tokens: str, code: int = 1) -> str:
        """The one line a refused command says."""
        ended, _, errors = self.run(*tokens)
        assert ended == code, errors
        (line,) = errors.splitlines()
        return line


@pytest.fixture
def here(capsys: pytest.CaptureFixture[str]) -> Here:
    return Here(capsys)


@pytest.fixture
def address() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="qd-") as folder:
        yield folder


def until(condition: Callable[[], object]) -> None:
    limit_s = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < limit_s


def test_a_recording_is_started_watched_and_stopped_from_outside(
    here: Here, address: str, tmp_path: Path
) -> None:
    config = tmp_path / "lab.toml"
    folder = tmp_path / "kept"
    config.write_text(f"[recording]\nfolder = {json.dumps(str(folder))}\npre_trigger_s = 2.0\n")
    arguments = ["daemon", "--simulate", "mapbbr3", "--seed", "3", "--config", str(config), "--bind", address]
    with Child(arguments) as child:
        child.wait_ready()
        assert here.told("record", "status", "--address", address)["state"] == "off"
        assert "nothing is being recorded" in here.refusal("record", "stop", "--address", address)
        begun = here.told("record", "start", "dot ../7", "--address", address)
        assert begun["state"] == "on"
        assert "already recording" in here.refusal("record", "start", "--address", address)
        until(lambda: here.told("record", "status", "--address", address)["durable_pulse"])
        (listed,) = here.run("record", "list", str(folder))[1].splitlines()
        assert listed.startswith("open")
        ended = here.told("record", "stop", "--address", address)
        assert "a live session" in here.refusal("player", "pause", address)
        assert child.stop() == 0
    assert (ended["state"], ended["name"]) == ("off", begun["name"])
    (kept,) = folder.iterdir()
    assert kept.name == begun["name"]
    assert verify(kept).intact
    listed_json = here.told("record", "list", "--config", str(config))
    assert listed_json["state"] == "finished"
    assert listed_json["photons"] == ended["photons"] > 0
    assert listed_json["size_bytes"] > ended["photons"]


def test_a_replay_is_steered_from_another_terminal(here: Here, address: str) -> None:
    path = str(reference_path("mapbbr3"))
    with Child(["serve-file", path, "--start", "12", "--paused", "--bind", address]) as child:
        child.wait_ready()
        watching = subprocess.Popen(
            [sys.executable, "-m", "qdmon", "watch", address, "--json"], stdout=subprocess.DEVNULL
        )
        try:
            until(lambda: here.told("player", "status", address)["time_s"] == pytest.approx(12.0))
            assert here.told("player", "status", address)["state"] == "paused"
            here.told("player", "step", address, "--seconds", "0.2")
            until(lambda: here.told("player", "status", address)["time_s"] == pytest.approx(12.2))
            assert here.told("player", "speed", "max", address)["speed"] is None
            assert here.told("player", "loop", "on", address)["loop"] is True
            assert here.told("player", "loop", "off", address)["loop"] is False
            assert here.told("player", "seek", "5", address)["state"] == "paused"
            until(lambda: here.told("player", "status", address)["time_s"] == pytest.approx(5.0))
            here.told("player", "play", address)
            until(lambda: here.told("player", "status", address)["state"] == "ended")
            assert "a replay" in here.refusal("record", "status", "--address", address, code=2)
        finally:
            watching.kill()
            watching.wait()


@pytest.mark.parametrize(
    ("tokens", "words", "code"),
    [
        (("record", "status", "--address", "nobody-there"), "no daemon listens", 1),
        (("record", "list", "/does/not/exist"), "is not a folder", 2),
        (("player", "seek", "-5", "x"), "0 or more", 2),
        (("player", "speed", "0", "x"), "above 0", 2),
        (("player", "loop", "maybe", "x"), "on or off", 2),
    ],
)
def test_mistakes_are_one_line_that_says_what_to_do(
    here: Here, tokens: tuple[str, ...], words: str, code: int
) -> None:
    assert words in here.refusal(*tokens, code=code)


def test_a_daemon_that_cannot_record_does_not_begin(address: str) -> None:
    done = qdmon("daemon", "--simulate", "mapbbr3", "--bind", address, "--record", "/proc/nope", code=1)
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("qdmon: ")]
    assert "/proc/nope" in line


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (["daemon", "--record"], ["daemon", "--record="]),
        (["daemon", "--record", "--speed", "2"], ["daemon", "--record=", "--speed", "2"]),
        (["daemon", "--record", "here"], ["daemon", "--record", "here"]),
        (["daemon", "--record=here"], ["daemon", "--record=here"]),
    ],
)
def test_record_may_stand_without_a_folder(given: list[str], meant: list[str]) -> None:
    assert _with_values(given) == meant
