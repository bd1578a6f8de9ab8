"""From the wire to the screen: one thread that receives, analyses and leaves the newest view in a slot.

The screen takes a view when it has drawn the one before; no snapshot is made while one waits. So a slow
terminal costs frames and never photons, and nothing is computed that nobody will see.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from qdmon.analysis.snapshot import Snapshot
from qdmon.tui.view.link import LinkState, after_link_event, after_message
from qdmon.tui.view.scene import View
from streams.endpoints import Endpoints
from streams.messages import Message, Session

if TYPE_CHECKING:
    from streams.subscriber import LinkEvent

__all__ = ["Analysis", "Ingest", "Receiver", "ViewSource"]

_IDLE_S = 0.5
"""With nothing new a view is still made this often, so that silence is seen as time passing."""


class Receiver(Protocol):
    """What is asked of `streams.subscriber.Subscriber`."""

    def receive(self, timeout_s: float) -> "Message | LinkEvent | None":
        """The next message or news of the link; None if nothing came in time."""

    def close(self) -> None:
        """Let go of the sockets."""


class Analysis(Protocol):
    """What is asked of `qdmon.analysis.monitor.Monitor`."""

    def feed(self, message: Message) -> object:
        """Take a message in."""

    def snapshot(self) -> Snapshot | None:
        """What is known; None before the first segment."""


class ViewSource(Protocol):
    """Where the app gets its views from."""

    def start(self, notify: Callable[[], None]) -> None:
        """Begin; `notify` is called from any thread when a view waits."""

    def take(self) -> View | None:
        """The view that waits, if any; None if there is none."""

    def stop(self) -> None:
        """End, and wait for it briefly."""


Parts = Callable[[], tuple[Receiver, Callable[[], Analysis]]]


def _real_parts(endpoints: Endpoints) -> tuple[Receiver, Callable[[], Analysis]]:
    """The subscriber and the analysis; imported here, in the thread, because numba takes its time."""
    from qdmon.analysis.monitor import Monitor
    from streams.subscriber import Subscriber

    return Subscriber(endpoints), Monitor


class Ingest:
    """A thread that turns the stream at some endpoints into views.

    Args:
        parts: opens the receiver and says how to make an analysis; called in the thread.
        fps: views a second at most.
        clock: monotonic seconds.
        host_clock: the clock of `PhotonBatch.host_time_ns` on this machine.
    """

    def __init__(
        self,
        parts: Parts,
        *,
        fps: int = 10,
        clock: Callable[[], float] = time.monotonic,
        host_clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._parts = parts
        self._period_s = 1.0 / fps
        self._clock = clock
        self._host_clock = host_clock
        self._link = LinkState()
        self._snapshot: Snapshot | None = None
        self._fresh = False
        self._offered_s = float("-inf")
        self._slot: View | None = None
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="qdmon-ingest", daemon=True)
        self._notify: Callable[[], None] = lambda: None
        self._receiver: Receiver | None = None
        self._new_analysis: Callable[[], Analysis] | None = None
        self._analysis: Analysis | None = None

    @classmethod
    def of(cls, endpoints: Endpoints, *, fps: int = 10) -> "Ingest":
        """The real one."""
        return cls(lambda: _real_parts(endpoints), fps=fps)

    def start(self, notify: Callable[[], None]) -> None:
        """Begin; `notify` is called from the thread when a view waits."""
        self._notify = notify
        self._thread.start()

    def stop(self) -> None:
        """End; a step that hangs is left to die with the process."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(2.0)

    def take(self) -> View | None:
        """The view that waits, if any."""
        with self._lock:
            view, self._slot = self._slot, None
        return view

    def open(self) -> None:
        """Import and connect; slow the first time."""
        self._receiver, self._new_analysis = self._parts()
        self._analysis = self._new_analysis()
        self._link = replace(self._link, phase="waiting", now_s=self._clock())

    def step(self) -> None:
        """Receive and analyse at most one message, then offer a view if one is due and wanted."""
        if self._receiver is None:
            raise RuntimeError("open() comes first")
        item = self._receiver.receive(self._period_s)
        if item is not None:
            self._take_in(item)
        now_s = self._clock()
        due_s = self._period_s if self._fresh else _IDLE_S
        if self._slot is None and now_s - self._offered_s >= due_s:
            self._offer(now_s)

    def _take_in(self, item: "Message | LinkEvent") -> None:
        from streams.subscriber import LinkEvent

        now_s = self._clock()
        if isinstance(item, LinkEvent):
            self._link = after_link_event(self._link, item.kind, item.text, now_s)
            return
        known = self._link.session
        if isinstance(item, Session) and known is not None and known.session_id != item.session_id:
            self._snapshot = None
            self._analysis = self._new_analysis() if self._new_analysis else None
        self._link = after_message(self._link, item, now_s, self._host_clock())
        if self._analysis is not None:
            self._analysis.feed(item)
            self._fresh = True

    def _offer(self, now_s: float) -> None:
        if self._fresh and self._analysis is not None:
            self._snapshot = self._analysis.snapshot()
            self._fresh = False
        self._offered_s = now_s
        self._put(View(self._snapshot, replace(self._link, now_s=self._clock())))

    def _put(self, view: View) -> None:
        with self._lock:
            self._slot = view
        self._notify()

    def _run(self) -> None:
        try:
            self.open()
            while not self._stopping.is_set():
                self.step()
        except Exception as error:
            self._fail(error)
        finally:
            if self._receiver is not None:
                self._receiver.close()

    def _fail(self, error: Exception) -> None:
        """Say so on the screen; the daemon and a recording are not affected."""
        first_line = (str(error).splitlines() or [""])[0]
        problem = f"this screen stopped: {type(error).__name__}: {first_line}"
        self._put(View(self._snapshot, replace(self._link, phase="failed", problem=problem)))
