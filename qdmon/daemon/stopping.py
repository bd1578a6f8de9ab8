"""What asks a daemon to stop: signals, and the end of the process that started it."""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

__all__ = ["end_by_signal", "stop_signals", "watch_parent"]

_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


@contextmanager
def stop_signals(on_signal: Callable[[int], None]) -> Iterator[None]:
    """Call `on_signal(number)` in the running loop for SIGINT, SIGTERM and SIGHUP, while inside."""
    loop = asyncio.get_running_loop()
    old = {number: signal.getsignal(number) for number in _SIGNALS}

    def handler(number: int, _frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(on_signal, number)

    for number in _SIGNALS:
        try:
            loop.add_signal_handler(number, on_signal, number)
        except NotImplementedError:  # Windows: the loop has no signal handlers of its own
            signal.signal(number, handler)
    try:
        yield
    finally:
        for number in _SIGNALS:
            with suppress(NotImplementedError):
                loop.remove_signal_handler(number)
            signal.signal(number, old[number])


def end_by_signal(number: int) -> None:
    """End this process the way the signal would have, so that the caller sees the true cause."""
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    signal.signal(number, signal.SIG_DFL)
    signal.raise_signal(number)


def watch_parent(on_gone: Callable[[], None]) -> None:
    """Call `on_gone` in the running loop when standard input ends: whoever held its other end is gone.

    Works for a killed parent too, on every system, because the system closes the pipe.
    """
    loop = asyncio.get_running_loop()
    descriptor = sys.stdin.fileno()

    def wait() -> None:
        # os.read instead of sys.stdin: a thread inside a buffered reader would block interpreter exit.
        with suppress(OSError):
            while os.read(descriptor, 1024):
                pass
        with suppress(RuntimeError):  # the loop ended first
            loop.call_soon_threadsafe(on_gone)

    threading.Thread(target=wait, name="qdmon-parent", daemon=True).start()
