"""One line that shows that something slow is going on."""

import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self, TextIO

__all__ = ["Background", "Progress"]

QUIET_S = 0.3
TICK_S = 0.1


class Progress:
    """`what` with the seconds so far, rewritten in place on a terminal; printed once elsewhere.

    Nothing is shown of what takes less than a moment.

    Args:
        what: what is going on.
        out: where to; standard error by default.
    """

    def __init__(self, what: str, out: TextIO | None = None) -> None:
        self._what = what
        self._out = out or sys.stderr
        self._began = time.monotonic()
        self._shown = False

    def tick(self, share: float | None = None) -> None:
        """Call now and then; `share` of what is done, 0 to 1, where it is known."""
        elapsed = time.monotonic() - self._began
        if elapsed < QUIET_S:
            return
        if self._out.isatty():
            done = "" if share is None else f"{share:4.0%}, "
            print(f"\r{self._what} ... {done}{elapsed:.0f} s ", end="", file=self._out, flush=True)
        elif not self._shown:
            print(f"{self._what} ...", file=self._out, flush=True)
        self._shown = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shown and self._out.isatty():
            print("\r\x1b[K", end="", file=self._out, flush=True)


class Background:
    """Work in a thread, waited for visibly.

    Args:
        work: called at once; what it raises, `wait` raises.
    """

    def __init__(self, work: Callable[[], object]) -> None:
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(work,), daemon=True)
        self._thread.start()

    def wait(self, what: str) -> None:
        """Wait for the end and show a line meanwhile."""
        with Progress(what) as progress:
            while self._thread.is_alive():
                self._thread.join(TICK_S)
                progress.tick()
        if self._error is not None:
            raise self._error

    def _run(self, work: Callable[[], object]) -> None:
        try:
            work()
        except BaseException as error:
            self._error = error
