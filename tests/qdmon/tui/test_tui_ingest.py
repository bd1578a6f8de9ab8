"""The thread between wire and screen, stepped by hand with a clock of its own."""

from collections import deque
from dataclasses import replace

import pytest

from qdmon.analysis.snapshot import Snapshot
from qdmon.tui.ingest import Ingest
from qdmon.tui.view.scene import View
from streams.messages import Heartbeat, Message, Session
from streams.subscriber import LinkEvent
from tests.qdmon.tui.builders import snapshot

SESSION = Session("ab" * 16, 0, "qdmon 0.1.0", "live")
HEARTBEAT = Heartbeat({}, 1.0, 0, 0, 0, 0)
SNAPSHOT = snapshot(5.0)


class Wire:
    """A receiver that was given its messages; every receive takes 10 ms of the clock."""

    def __init__(self, *items: Message | LinkEvent | None) -> None:
        self.items = deque(items)
        self.now_s = 100.0
        self.closed = False

    def receive(self, timeout_s: float) -> Message | LinkEvent | None:
        self.now_s += 0.01 if self.items else timeout_s
        return self.items.popleft() if self.items else None

    def close(self) -> None:
        self.closed = True


class Counting:
    """An analysis that only counts."""

    made = 0

    def __init__(self) -> None:
        type(self).made += 1
        self.fed: list[Message] = []
        self.snapshots = 0

    def feed(self, message: Message) -> None:
        self.fed.append(message)

    def snapshot(self) -> Snapshot:
        self.snapshots += 1
        return replace(SNAPSHOT, photons=len(self.fed))


@pytest.fixture(autouse=True)
def _count_from_zero() -> None:
    Counting.made = 0


def opened(wire: Wire, analysis: type[Counting] = Counting) -> Ingest:
    """An ingest that is connected but not running."""
    ingest = Ingest(lambda: (wire, analysis), fps=10, clock=lambda: wire.now_s, host_clock=lambda: 0)
    ingest.open()
    return ingest


def steps(ingest: Ingest, count: int) -> list[View]:
    """Step and take what is offered."""
    views = []
    for _ in range(count):
        ingest.step()
        if (view := ingest.take()) is not None:
            views.append(view)
    return views


def test_views_come_at_the_frame_rate_however_fast_messages_come() -> None:
    views = steps(opened(Wire(SESSION, *[HEARTBEAT] * 99)), 100)
    assert 9 <= len(views) <= 11
    assert views[-1].snapshot is not None


def test_no_snapshot_is_made_while_the_screen_has_not_taken_the_last() -> None:
    made: list[Counting] = []

    class Kept(Counting):
        def __init__(self) -> None:
            super().__init__()
            made.append(self)

    ingest = opened(Wire(SESSION, *[HEARTBEAT] * 99), Kept)
    for _ in range(100):
        ingest.step()
    assert len(made[0].fed) == 100
    assert made[0].snapshots == 1


def test_time_passes_on_the_screen_when_nothing_comes() -> None:
    views = steps(opened(Wire(SESSION)), 40)
    assert not views[0].link.lost
    assert views[-1].link.lost
    assert views[-1].link.silent_s > 2.5
    assert len(views) <= 10


def test_a_new_session_gets_a_new_analysis_and_the_same_one_again_does_not() -> None:
    other = replace(SESSION, session_id="cd" * 16)
    ingest = opened(Wire(SESSION, HEARTBEAT, SESSION, other, HEARTBEAT))
    views = steps(ingest, 6)
    assert Counting.made == 2
    assert views[-1].link.session == other


def test_link_events_reach_the_view_and_not_the_analysis() -> None:
    views = steps(opened(Wire(LinkEvent("waiting", "no daemon answers"))), 1)
    assert views[0].link.problem == "no daemon answers"
    assert views[0].snapshot is None


def test_a_failing_analysis_is_said_in_one_line_and_the_sockets_are_closed() -> None:
    class Broken(Counting):
        def feed(self, message: Message) -> None:
            raise ValueError("cannot\ncope")

    wire = Wire(SESSION)
    ingest = Ingest(lambda: (wire, Broken), clock=lambda: wire.now_s)
    ingest.start(lambda: None)
    ingest.stop()
    view = ingest.take()
    assert view is not None
    assert view.link.phase == "failed"
    assert view.link.problem == "this screen stopped: ValueError: cannot"
    assert wire.closed


def test_a_thread_notifies_and_stops() -> None:
    wire = Wire(SESSION)
    told: list[int] = []
    ingest = Ingest(lambda: (wire, Counting), clock=lambda: wire.now_s)
    ingest.start(lambda: told.append(1))
    ingest.stop()
    assert wire.closed
