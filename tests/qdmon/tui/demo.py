"""The screen on invented data, for looking at it: python -m tests.qdmon.tui.demo [START_S] [SILENT_AFTER_S].

No daemon, no photons: a timer hands the app one synthetic snapshot after the other.
"""

import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from rich.console import Console

from qdmon.analysis.results.intensity import Trace
from qdmon.tui.app.app import QdmonApp
from qdmon.tui.app.terminal import look_for, output_encoding
from qdmon.tui.view.scene import View
from tests.qdmon.tui.builders import live_link, snapshot

FPS = 10


class InventedSource:
    """A minute of the paper's experiment, a tenth of a second at a time."""

    def __init__(self, start_s: float, silent_after_s: float) -> None:
        self._whole = snapshot(75.0)
        self._start_s = start_s
        self._silent_after_s = silent_after_s
        self._waiting: View | None = None
        self._stopping = threading.Event()

    def start(self, notify: Callable[[], None]) -> None:
        threading.Thread(target=self._run, args=(notify,), daemon=True).start()

    def take(self) -> View | None:
        view, self._waiting = self._waiting, None
        return view

    def stop(self) -> None:
        self._stopping.set()

    def _run(self, notify: Callable[[], None]) -> None:
        began = time.monotonic()
        settled = -1.0
        while not self._stopping.wait(1.0 / FPS):
            now = time.monotonic()
            elapsed = min(now - began, self._silent_after_s)
            time_s = min(75.0, self._start_s + elapsed)
            if time_s - settled >= 0.5:
                base, settled = snapshot(time_s), time_s
            n = round(time_s / 0.01)
            whole = self._whole.trace
            shown = Trace(0.0, 0.01, whole.counts[:n], whole.arrival_ns[:n], whole.lost[:n])
            link = live_link(now, silent_s=now - began - elapsed)
            self._waiting = View(replace(base, time_s=time_s, trace=shown), link)
            notify()


def main() -> None:
    numbers = [float(a) for a in sys.argv[1:]]
    start_s, silent_after_s = (*numbers, *(0.0, 1e9)[len(numbers) :])
    look = look_for(
        os.environ, output_encoding(), Console(stderr=True).color_system, ascii_only="ASCII" in os.environ
    )
    QdmonApp(InventedSource(start_s, silent_after_s), look, title="qdmon demo", fps=FPS).run()


if __name__ == "__main__":
    main()
