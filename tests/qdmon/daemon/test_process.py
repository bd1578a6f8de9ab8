"""The daemon as a process: how it is told to stop, what it leaves behind, and what subscribers see."""

import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import IO

import pytest

from streams.endpoints import parse_address
from streams.messages import End, Fluence, LaserState, Message, PhotonBatch, Segment, Session
from streams.subscriber import LinkEvent, Subscriber

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")


@pytest.fixture
def address() -> Iterator[str]:
    """A folder with a name short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="qd-") as folder:
        yield folder


@contextmanager
def daemon(address: str, *more: str, wait: bool = True) -> Iterator[subprocess.Popen[str]]:
    arguments = ["daemon", "--simulate", "cdse-zns-2nm", "--seed", "1", "--bind", address, *more]
    process = subprocess.Popen(
        [sys.executable, "-m", "qdmon", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        if wait:
            assert first_line(process.stdout).startswith("listening at")
        yield process
    finally:
        process.kill()
        process.communicate()


def first_line(stream: IO[str] | None) -> str:
    assert stream is not None
    return stream.readline()


def collect(subscriber: Subscriber, until: type[Message], most: int = 20_000) -> list[Message]:
    """Messages up to and with the first of a kind."""
    messages: list[Message] = []
    for _ in range(most):
        item = subscriber.receive(20.0)
        assert item is not None, f"silence while waiting for {until.__name__}"
        if not isinstance(item, LinkEvent):
            messages.append(item)
            if isinstance(item, until):
                if until is End:  # let the publisher know that we have everything
                    subscriber.receive(0.3)
                    subscriber.receive(0.3)
                return messages
    raise AssertionError(f"no {until.__name__} among {most} messages")


def test_sigterm_ends_the_session_in_order_and_shows_in_the_exit_code(address: str) -> None:
    with daemon(address, "--speed", "5") as process, Subscriber(parse_address(address)) as subscriber:
        head = collect(subscriber, PhotonBatch)
        process.send_signal(signal.SIGTERM)
        messages = head + collect(subscriber, End)
        process.communicate(timeout=15)
    assert process.returncode == -signal.SIGTERM
    assert isinstance(messages[0], Session)
    assert isinstance(messages[1], Segment)
    lasers = [message for message in messages if isinstance(message, LaserState)]
    assert lasers[0].emission is True
    assert lasers[-1].emission is False
    fluence = next(message for message in messages if isinstance(message, Fluence))
    assert (fluence.pulse, fluence.mean_excitation) == (0, 0.2)


def test_ctrl_c_ends_it_with_the_code_of_an_interrupt_and_no_traceback(address: str) -> None:
    with daemon(address) as process:
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=15)
    assert process.returncode == 130
    assert "Traceback" not in errors


def test_the_end_of_the_process_that_holds_its_input_ends_a_child(address: str) -> None:
    with daemon(address, "--with-parent") as process, Subscriber(parse_address(address)) as subscriber:
        collect(subscriber, PhotonBatch)
        assert process.stdin is not None
        process.stdin.close()
        process.stdin = None
        end = collect(subscriber, End)[-1]
        process.communicate(timeout=15)
    assert process.returncode == 0
    assert end == End("the program that started the daemon is gone")


def test_a_killed_daemon_leaves_nothing_that_keeps_the_next_one_from_starting(address: str) -> None:
    with daemon(address) as process:
        process.kill()
        process.wait(timeout=15)
    with daemon(address) as process:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=15)
    assert not [path for path in Path(address).iterdir() if path.suffix != ".lock"]


def test_an_address_in_use_is_one_line_and_the_first_daemon_goes_on(address: str) -> None:
    with daemon(address) as first:
        with daemon(address, wait=False) as second:
            _, errors = second.communicate(timeout=30)
        assert second.returncode == 1
        lines = [line for line in errors.splitlines() if line.startswith("qdmon: ")]
        assert len(lines) == 1
        assert "already runs" in lines[0]
        assert first.poll() is None


def test_a_protocol_that_is_over_can_end_the_daemon_with_success(address: str, tmp_path: Path) -> None:
    steps = tmp_path / "steps.toml"
    steps.write_text("[[step]]\nmean_excitation = 0.2\nduration_s = 1.0\n")
    arguments = ("--speed", "10", "--protocol", str(steps), "--after", "exit")
    with daemon(address, *arguments) as process, Subscriber(parse_address(address)) as subscriber:
        messages = collect(subscriber, End)
        process.communicate(timeout=15)
    assert process.returncode == 0
    assert messages[-1] == End("protocol finished")
    batches = [message for message in messages if isinstance(message, PhotonBatch)]
    assert all(a.stop_pulse == b.first_pulse for a, b in pairwise(batches))
    assert batches[-1].stop_pulse >= 5_000_000
