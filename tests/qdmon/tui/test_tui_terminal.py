"""The real process on a real terminal: bytes out, keys in, and the terminal taken away."""

import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pty = pytest.importorskip("pty", reason="pseudo terminals exist on Unix only")

PROGRAM = """
import sys
import qdmon.tui
from streams.endpoints import parse_address
sys.exit(qdmon.tui.run(parse_address(sys.argv[1]), title="a \\x1b]0;owned\\x07 dot"))
"""
DEADLINE_S = 20.0


class Terminal:
    """The program on a pseudo terminal."""

    def __init__(self, folder: Path, **env: str) -> None:
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(folder / "nobody")],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            env={**os.environ, "TERM": "xterm-256color", "LINES": "24", "COLUMNS": "80", **env},
        )
        os.close(slave)
        self.seen = b""

    def read_until(self, words: bytes) -> None:
        """Read what it writes until `words` came."""
        deadline = time.monotonic() + DEADLINE_S
        while words not in self.seen:
            ready, _, _ = select.select([self.master], [], [], 0.2)
            if ready:
                self.seen += os.read(self.master, 65536)
            assert time.monotonic() < deadline, f"{words!r} never came, but {self.seen[-500:]!r}"


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short private folder for sockets nobody opened."""
    made = tmp_path_factory.mktemp("q")
    made.chmod(0o700)
    return made


@pytest.fixture
def terminal(folder: Path) -> Iterator[Terminal]:
    """The program without colours, ended afterwards whatever happened."""
    running = Terminal(folder, NO_COLOR="1")
    yield running
    running.process.kill()
    running.process.wait()


def test_it_draws_waits_for_a_daemon_and_quits_on_q(terminal: Terminal) -> None:
    terminal.read_until(b"loading analysis")
    terminal.read_until(b"no daemon answers")
    assert b"\x1b[38;" not in terminal.seen
    assert b"owned" not in terminal.seen
    os.write(terminal.master, b"q")
    assert terminal.process.wait(DEADLINE_S) == 0


def test_it_ends_when_its_terminal_is_closed(terminal: Terminal) -> None:
    terminal.read_until(b"loading analysis")
    os.close(terminal.master)
    assert terminal.process.wait(DEADLINE_S) != 0
