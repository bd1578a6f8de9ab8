"""A session without a screen: one line for each event, the report object at alerts and at the end."""

import json
import sys
from collections.abc import Callable
from typing import TextIO

from qdmon.analysis.monitor import Monitor
from qdmon.analysis.results.event import Event
from qdmon.cli.drain import Drain
from qdmon.report import report
from streams.endpoints import Endpoints
from streams.messages import Alert, Message, Status
from streams.subscriber import LinkEvent
from streams.text import clean_text

__all__ = ["HeadlessView", "follow"]

WAIT_S = 0.5


class HeadlessView:
    """Feeds a Monitor and writes what it concludes.

    Args:
        source: what reports name as their source.
        as_json: write the report object, one a line, at each alert and at the end, and nothing else.
        out: where to.
    """

    def __init__(self, source: str, *, as_json: bool, out: TextIO | None = None) -> None:
        self._source = source
        self._as_json = as_json
        self._out = out or sys.stdout
        self._monitor = Monitor()

    def take(self, item: Message | LinkEvent) -> bool:
        """Take a message or news of the link; False once the session is over."""
        if isinstance(item, LinkEvent):
            self._line(f"-- {clean_text(item.text)}")
            return item.kind != "ended"
        if isinstance(item, Status) and item.state == "fault":
            self._line(f"-- fault: {clean_text(item.text)}")
        if isinstance(item, Alert):
            self._line(f"-- {item.severity}: {clean_text(item.text)}")
        events = self._monitor.feed(item)
        for event in events:
            self._line(_as_line(event))
        if self._as_json and any(event.severity == "alert" for event in events):
            self.report()
        return True

    def report(self) -> None:
        """Write the report object as it stands, if there is anything to report."""
        snapshot = self._monitor.snapshot()
        if snapshot is not None:
            print(
                json.dumps(report(snapshot, self._source, self._monitor.settings), allow_nan=False),
                file=self._out,
                flush=True,
            )

    def _line(self, text: str) -> None:
        if not self._as_json:
            print(text, file=self._out, flush=True)


def follow(
    endpoints: Endpoints,
    view: HeadlessView,
    *,
    alive: Callable[[], bool] = lambda: True,
) -> bool:
    """Feed a view until the session is over; False if `alive` says no before that.

    Args:
        endpoints: of the publisher.
        view: takes everything that comes.
        alive: asked when nothing has come for a while.
    """
    with Drain(endpoints) as drain:
        while True:
            item = drain.next(WAIT_S)
            if item is None:
                if not alive():
                    return False
            elif not view.take(item):
                return True


def _as_line(event: Event) -> str:
    mark = {"info": " ", "warning": "!", "alert": "ALERT"}[event.severity]
    return f"{event.time_s:9.2f} s  {mark:5} {event.kind}: {clean_text(event.text)}"
