"""A daemon or a replay in a process of its own, which never outlives this one.

The child reads its standard input; when the pipe closes, because we close it or because we died in
whatever way, it ends in good order.
"""

import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from qdmon.cli.errors import FAILED, UserError

__all__ = ["Child"]

READY_S = 180.0
STOP_S = 10.0
LOOK_S = 0.1


class Child:
    """`python -m qdmon ARGUMENTS --with-parent`; use as a context manager.

    Args:
        arguments: of the qdmon command line.
    """

    def __init__(self, arguments: Sequence[str]) -> None:
        self._log = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115 - kept
        self._said: queue.SimpleQueue[str] = queue.SimpleQueue()
        flags = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)  # exists on Windows only
        self._process = subprocess.Popen(
            [sys.executable, "-m", "qdmon", *arguments, "--with-parent"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            start_new_session=True,  # Ctrl-C in our terminal is ours to handle
            creationflags=flags,
        )
        threading.Thread(target=self._listen, daemon=True).start()

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    def wait_ready(self, tick: Callable[[], None] = lambda: None) -> None:
        """Wait for its first line, calling `tick` meanwhile; UserError in its own words if it ends."""
        until = time.monotonic() + READY_S
        while self._said.empty():
            if not self.running:
                raise UserError(self.last_words())
            if time.monotonic() > until:
                raise UserError(f"the daemon was not ready after {READY_S:g} s; try qdmon doctor")
            tick()
            time.sleep(LOOK_S)

    def last_words(self) -> str:
        """The last line it wrote to standard error."""
        self._process.wait(STOP_S)
        self._log.seek(0)
        lines = [line.strip() for line in self._log if line.strip()]
        own = [line.removeprefix("qdmon: ") for line in lines if line.startswith("qdmon: ")]
        if own:
            return own[-1]
        return lines[-1] if lines else f"the daemon ended with code {self._process.returncode}"

    def stop(self) -> int:
        """End it in good order, by force if that takes too long; returns its exit code."""
        if self._process.stdin is not None and not self._process.stdin.closed:
            self._process.stdin.close()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        return self._process.returncode if self._process.returncode >= 0 else FAILED

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._log.close()

    def _listen(self) -> None:
        if self._process.stdout is not None:
            with self._process.stdout as lines:
                for line in lines:
                    self._said.put(line)
