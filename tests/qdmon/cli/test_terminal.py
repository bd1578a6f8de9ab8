"""The real process in a real terminal: it draws, it leaves on a key, and it takes its children along."""

import os
import select
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from qdmon.cli.child import Child

if sys.platform == "win32":
    pytest.skip("needs a POSIX terminal", allow_module_level=True)

import fcntl
import signal
import termios


class Terminal:
    """The other side of a pseudo terminal with a program in it."""

    def __init__(self, *tokens: str, columns: int = 100, rows: int = 30) -> None:
        self.master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "qdmon", *tokens],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            env=os.environ | {"TERM": "xterm-256color", "LANG": "C.UTF-8"},
        )
        os.close(slave)
        self.shown = b""

    def wait_for(self, text: bytes, limit_s: float = 60) -> None:
        """Read until the text was drawn."""
        until = time.monotonic() + limit_s
        while text not in self.shown:
            assert time.monotonic() < until, f"{text!r} was never drawn; the end was {self.shown[-2000:]!r}"
            if not self._read(0.2) and self.process.poll() is not None:
                raise AssertionError(f"ended with {self.process.returncode}: {self.shown[-2000:]!r}")

    def press(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def leave(self, limit_s: float = 30) -> int:
        """Read on until the program has ended; its exit code."""
        until = time.monotonic() + limit_s
        while self.process.poll() is None:
            assert time.monotonic() < until, "the program did not end"
            self._read(0.1)
        return self.process.returncode

    def hang_up(self) -> None:
        os.close(self.master)
        self.master = -1

    def _read(self, limit_s: float) -> bool:
        if self.master < 0:
            time.sleep(limit_s)
            return False
        ready, _, _ = select.select([self.master], [], [], limit_s)
        try:
            got = os.read(self.master, 65536) if ready else b""
        except OSError:  # the program closed its side
            return False
        self.shown += got
        return bool(got)


@contextmanager
def terminal(*tokens: str) -> Iterator[Terminal]:
    opened = Terminal(*tokens)
    try:
        yield opened
    finally:
        opened.process.kill()
        opened.process.wait()
        if opened.master >= 0:
            os.close(opened.master)


@pytest.fixture(scope="module")
def daemon() -> Iterator[tuple[str, Child]]:
    name = f"t{os.getpid()}"
    with Child(["daemon", "--simulate", "cdse-zns-2nm", "--seed", "1", "--bind", name]) as child:
        child.wait_ready()
        yield name, child


@pytest.fixture
def address(daemon: tuple[str, Child]) -> Iterator[str]:
    name, child = daemon
    yield name
    assert child.running, "leaving a screen must not end the daemon"


def test_attach_draws_the_stream_and_leaves_on_q(address: str) -> None:
    with terminal("attach", address) as screen:
        screen.wait_for(b"laser emission ON")
        screen.press(b"q")
        assert screen.leave() == 0
    assert b"Traceback" not in screen.shown


def test_a_closed_terminal_ends_the_screen(address: str) -> None:
    with terminal("attach", address) as screen:
        screen.wait_for(b"laser emission ON")
        screen.hang_up()
        screen.process.send_signal(signal.SIGHUP)
        assert screen.leave() != 0
    assert b"Traceback" not in screen.shown


def test_the_demo_draws_photons_and_takes_its_daemon_along() -> None:
    with terminal("demo", "cdse-zns-2nm", "--seed", "1") as screen:
        screen.wait_for(b"laser emission ON")
        screen.press(b"q")
        assert screen.leave() == 0
    assert b"Traceback" not in screen.shown


def test_a_screen_without_a_terminal_is_one_line_and_a_hint() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "qdmon", "attach", "nobody"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "qdmon watch" in done.stderr
