"""Keys into orders for the daemon, given from a thread so that the screen never waits for an answer."""

import time
from collections.abc import Callable

from textual.app import App

from qdmon.tui.view.link import LinkState
from streams.control import ControlError
from streams.orders import (
    LoopReplay,
    Order,
    PauseReplay,
    PlayReplay,
    Reply,
    SeekReplay,
    SetReplaySpeed,
    StartRecording,
    StepReplay,
    StopRecording,
)

__all__ = ["Operator"]

SURE_S = 3.0
SEEK_S = 10.0
STEP_S = 0.1
FASTEST = 64.0
SLOWEST = 1 / 16

_SEEKING_S = 1.5


class Operator:
    """Gives orders; what goes wrong is shown for a moment.

    Args:
        app: shows notes and runs the threads.
        give: gives an order and waits for the reply; raises ControlError. None: nobody to give it to.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        app: App[int],
        give: Callable[[Order], Reply] | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app = app
        self._give = give
        self._clock = clock
        self._asked_s = float("-inf")
        self._sought = (0.0, float("-inf"))

    def record(self, link: LinkState) -> None:
        """Start recording; when one runs, stop it on the second press only."""
        if link.replay:
            self._app.notify("a replay is a recording already", markup=False)
        elif link.recording is None or link.recording.state == "off":
            self._order(StartRecording())
        elif self._clock() - self._asked_s > SURE_S:
            self._asked_s = self._clock()
            self._app.notify("press r again to stop the recording", timeout=SURE_S, markup=False)
        else:
            self._asked_s = float("-inf")
            self._order(StopRecording())

    def play_or_pause(self, link: LinkState) -> None:
        """Go on, or stand still."""
        playing = link.player is None or link.player.state == "playing"
        self._order(PauseReplay() if playing else PlayReplay())

    def seek(self, link: LinkState, direction: int) -> None:
        """Some seconds on or back, from where an earlier press went if that was just now."""
        to_s, at_s = self._sought
        if self._clock() - at_s > _SEEKING_S:
            to_s = link.stream_s if link.player is None else link.player.time_s
        to_s = max(0.0, to_s + direction * SEEK_S)
        self._sought = to_s, self._clock()
        self._order(SeekReplay(to_s))

    def speed(self, link: LinkState, direction: int) -> None:
        """Twice or half as fast; beyond the fastest it is as fast as possible."""
        now = None if link.player is None else link.player.speed
        if now is None:
            self._order(SetReplaySpeed(None if direction > 0 else FASTEST))
            return
        wanted = max(SLOWEST, now * 2.0**direction)
        self._order(SetReplaySpeed(None if wanted > FASTEST else wanted))

    def step(self) -> None:
        """A tenth of a second, then stand still."""
        self._order(StepReplay(STEP_S))

    def loop(self, link: LinkState) -> None:
        """Begin again at the end, or not."""
        self._order(LoopReplay(link.player is None or not link.player.loop))

    def _order(self, order: Order) -> None:
        give = self._give
        if give is None:
            self._app.notify("this screen cannot give orders", severity="warning", markup=False)
            return

        def run() -> None:
            try:
                give(order)
            except ControlError as error:
                self._app.call_from_thread(self._app.notify, str(error), severity="error", markup=False)

        self._app.run_worker(run, thread=True, group="orders", exit_on_error=False)
