"""What the keys order, and how recording and replay are shown."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from textual.pilot import Pilot

from qdmon.tui.app.app import QdmonApp
from qdmon.tui.panels import PAINTERS
from qdmon.tui.render.frame import Frame
from qdmon.tui.render.inks import Ink
from qdmon.tui.view.health import health
from qdmon.tui.view.link import LinkState, after_message
from qdmon.tui.view.recording import recording_short, recording_text
from qdmon.tui.view.scene import View
from streams.control import ControlError
from streams.messages import RecordingState, ReplayState, Session
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
from tests.qdmon.tui.builders import live_link, scene, snapshot

NAME = "20260101-120000-dot-7-0123abcd"
ON = RecordingState("on", NAME, "", 1_000_000, 2_650_000, 10.0, 0, 50_000_000, 0.4, 3600.0)
FAILED = replace(ON, state="failed", text="the disk is full: make space")


def recording_link(state: RecordingState | None) -> LinkState:
    return replace(live_link(), recording=state)


def replay_link(state: ReplayState) -> LinkState:
    link = live_link()
    assert link.session is not None
    return replace(link, session=replace(link.session, source="replay"), player=state)


class Desk:
    """An app whose orders are written down."""

    def __init__(self, link: LinkState, refusal: str = "") -> None:
        self.orders: list[Order] = []
        self.refusal = refusal
        self.now_s = 100.0
        self.view: View | None = View(snapshot(20.0), link)
        self.app = QdmonApp(self, give=self.give, clock=lambda: self.now_s)

    def start(self, notify: Callable[[], None]) -> None:
        notify()

    def take(self) -> View | None:
        view, self.view = self.view, None
        return view

    def stop(self) -> None:
        """Nothing to end."""

    def give(self, order: Order) -> Reply:
        self.orders.append(order)
        if self.refusal:
            raise ControlError(self.refusal)
        return Reply()

    async def press(self, pilot: Pilot[int], *keys: str) -> list[Order]:
        """Orders that the keys gave."""
        for _ in range(100):
            await pilot.pause()
            if self.app.scene.newest is not None:
                break
        await pilot.press(*keys)
        await self.app.workers.wait_for_complete()
        await pilot.pause()
        return self.orders

    def notes(self) -> str:
        return " ".join(note.message for note in self.app._notifications)


async def test_r_starts_a_recording() -> None:
    desk = Desk(recording_link(RecordingState("off")))
    async with desk.app.run_test(size=(200, 50)) as pilot:
        assert await desk.press(pilot, "r") == [StartRecording()]


async def test_r_stops_a_recording_only_when_pressed_twice() -> None:
    desk = Desk(recording_link(ON))
    async with desk.app.run_test(size=(80, 24)) as pilot:
        assert await desk.press(pilot, "r") == []
        assert "again" in desk.notes()
        desk.now_s += 60.0
        assert await desk.press(pilot, "r") == []
        assert await desk.press(pilot, "r") == [StopRecording()]


async def test_a_refusal_is_shown_in_its_words() -> None:
    desk = Desk(recording_link(RecordingState("off")), refusal="0.1 GB free: make space [bold]")
    async with desk.app.run_test(size=(200, 50)) as pilot:
        await desk.press(pilot, "r")
        assert "0.1 GB free: make space [bold]" in desk.notes()


@pytest.mark.parametrize(
    ("keys", "orders"),
    [
        ("space", [PauseReplay()]),
        ("right", [SeekReplay(40.0)]),
        ("left", [SeekReplay(20.0)]),
        ("left left left left", [SeekReplay(20.0), SeekReplay(10.0), SeekReplay(0.0), SeekReplay(0.0)]),
        ("plus", [SetReplaySpeed(4.0)]),
        ("minus", [SetReplaySpeed(1.0)]),
        ("full_stop", [StepReplay(0.1)]),
        ("o", [LoopReplay(True)]),
        ("r", []),
        ("left_square_bracket shift+left", []),
    ],
)
async def test_keys_steer_a_replay(keys: str, orders: list[Order]) -> None:
    desk = Desk(replay_link(ReplayState("playing", 30.0, 60.0, 2.0)))
    async with desk.app.run_test(size=(200, 50)) as pilot:
        assert await desk.press(pilot, *keys.split()) == orders
        assert not desk.app.scene.controls.paused


@pytest.mark.parametrize(
    ("state", "key", "order"),
    [
        (ReplayState("paused", 30.0, 60.0, 1.0), "space", PlayReplay()),
        (ReplayState("ended", 60.0, 60.0, 1.0), "space", PlayReplay()),
        (ReplayState("playing", 30.0, 60.0, 64.0), "plus", SetReplaySpeed(None)),
        (ReplayState("playing", 30.0, 60.0, None), "minus", SetReplaySpeed(64.0)),
        (ReplayState("playing", 30.0, 60.0, 1 / 16), "minus", SetReplaySpeed(1 / 16)),
        (ReplayState("playing", 30.0, 60.0, 1.0, True), "o", LoopReplay(False)),
    ],
)
async def test_what_a_key_orders_depends_on_where_the_replay_stands(
    state: ReplayState, key: str, order: Order
) -> None:
    desk = Desk(replay_link(state))
    async with desk.app.run_test(size=(80, 24)) as pilot:
        assert await desk.press(pilot, key) == [order]


async def test_the_same_keys_steer_only_the_view_of_a_live_session() -> None:
    desk = Desk(live_link())
    async with desk.app.run_test(size=(200, 50)) as pilot:
        assert await desk.press(pilot, "space", "space", "left", "plus", "minus") == []


@pytest.mark.parametrize(
    ("state", "text", "ink"),
    [
        (None, "", Ink.MUTED),
        (RecordingState("off"), "not recorded", Ink.MUTED),
        (ON, f"● REC {NAME}  2.65 MB, safe to 0.4 s ago", Ink.OK),
        (replace(ON, durable_age_s=9.0), "the disk is slow", Ink.WARN),
        (FAILED, "■ REC FAILED: the disk is full: make space", Ink.ALERT),
        (replace(ON, state="off"), f"recorded {NAME}", Ink.MUTED),
    ],
)
def test_the_header_says_whether_photons_are_kept(state: RecordingState | None, text: str, ink: Ink) -> None:
    shown, shown_ink = recording_text(recording_link(state))
    assert text in shown
    assert shown_ink is ink


def test_a_session_that_is_not_kept_though_it_should_be_is_not_healthy() -> None:
    found = health(replace(scene(), link=recording_link(FAILED)))
    assert (found.word, found.reason, found.level) == ("NO REC", FAILED.text, "alert")
    assert health(replace(scene(), link=recording_link(ON))).word != "NO REC"


def test_a_small_terminal_shows_the_mark_and_the_size() -> None:
    frame = Frame(80, 1)
    PAINTERS["status"](frame, replace(scene("compact"), link=recording_link(ON)))
    assert "● 2.65 MB" in str(frame)
    assert recording_short(recording_link(FAILED))[0].startswith("■ REC FAILED")
    assert recording_short(recording_link(RecordingState("off")))[0] == ""


@pytest.mark.parametrize(
    ("state", "badge"),
    [
        (ReplayState("playing", 12.0, 60.0, 1.0), " REPLAY 1.0x 0:12 of 1:00 "),
        (ReplayState("paused", 12.0, None, 4.0, True), " REPLAY PAUSED loop 0:12 "),
        (ReplayState("playing", 12.0, 60.0, None), " REPLAY max 0:12 of 1:00 "),
    ],
)
def test_the_badge_of_a_replay_says_where_it_stands(state: ReplayState, badge: str) -> None:
    frame = Frame(200, 1)
    PAINTERS["header"](frame, replace(scene(), link=replay_link(state)))
    assert badge in str(frame)


def test_a_replay_that_seeks_forgets_what_was_said_later_but_is_no_new_session() -> None:
    link = replay_link(ReplayState("playing", 30.0, 60.0, 1.0))
    assert isinstance(link.session, Session)
    again = after_message(link, link.session, 101.0, 0)
    assert again.laser is None
    assert again.notes == link.notes
