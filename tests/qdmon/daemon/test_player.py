"""A steered replay, as a real viewer on a real socket sees it."""

import asyncio
import contextlib
import math
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import pairwise

import pytest

from qdmon.daemon.player import END, Player
from streams.control import Refused
from streams.endpoints import Endpoints, parse_address
from streams.messages import Fluence, Gap, Message, PhotonBatch, ReplayState, Session
from streams.orders import (
    LoopReplay,
    PauseReplay,
    PlayReplay,
    SeekReplay,
    SetReplaySpeed,
    StartRecording,
    StepReplay,
    TellState,
)
from streams.publisher import Publisher
from streams.replay import begun_at
from streams.subscriber import LinkEvent, Subscriber
from tests.streams import wire_samples as samples

BATCH_S = 1000 * 200e-9
BATCHES = 200


@pytest.fixture
def endpoints() -> Iterator[Endpoints]:
    with tempfile.TemporaryDirectory(prefix="qd") as folder:
        yield parse_address(f"{folder}/s")


def recording(start_s: float) -> Iterator[Message]:
    told: list[Message] = [samples.session("replay"), samples.segment(), Fluence(0, 0, 0.2)]
    told += [samples.batch(number) for number in range(BATCHES)]
    return begun_at(told, start_s)


async def happened(condition: Callable[[], bool]) -> None:
    """Wait for something in another thread."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.001)


class Viewer:
    """A subscriber in a thread; remembers the streams it was shown, each from its Session on."""

    def __init__(self, endpoints: Endpoints) -> None:
        self.streams: list[list[Message]] = []
        self.events: list[str] = []
        self._over = False
        self._endpoints = endpoints

    def watch(self) -> None:
        with Subscriber(self._endpoints) as subscriber:
            while not self._over:
                item = subscriber.receive(0.05)
                if isinstance(item, LinkEvent):
                    self.events.append(item.kind)
                elif isinstance(item, Session):
                    self.streams.append([item])
                elif item is not None and self.streams:
                    self.streams[-1].append(item)

    def stop(self) -> None:
        self._over = True

    async def until(self, streams: int, number: int) -> list[int]:
        """Numbers of the batches of a stream, once one of them was shown."""
        await happened(lambda: len(self.streams) >= streams and number in self.batches(streams - 1))
        return self.batches(streams - 1)

    def batches(self, stream: int) -> list[int]:
        return [m.first_pulse // 1000 for m in self.streams[stream] if isinstance(m, PhotonBatch)]


@contextlib.asynccontextmanager
async def playing(endpoints: Endpoints, **options: float | bool) -> AsyncIterator[tuple[Player, Viewer]]:
    async with Publisher(endpoints, samples.session("replay"), heartbeat_s=0.05) as publisher:
        player = Player(publisher, recording, BATCHES * BATCH_S, **options)  # type: ignore[arg-type]
        viewer = Viewer(endpoints)
        seen = asyncio.ensure_future(asyncio.to_thread(viewer.watch))
        tasks = [asyncio.ensure_future(work) for work in (publisher.serve(), player.run(stay=True))]
        try:
            yield player, viewer
        finally:
            viewer.stop()
            await seen
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_start_in_the_middle_begins_with_the_context_and_no_darkness(endpoints: Endpoints) -> None:
    options = {"start_s": 100 * BATCH_S, "context_s": 20 * BATCH_S, "speed": math.inf}
    async with playing(endpoints, **options) as (_, viewer):
        shown = await viewer.until(1, BATCHES - 1)
    assert shown == list(range(80, BATCHES))
    (gap,) = [m for m in viewer.streams[0] if isinstance(m, Gap)]
    assert (gap.first_pulse, gap.stop_pulse) == (0, 80_000)
    assert Fluence(0, 0, 0.2) in viewer.streams[0]


async def test_seeking_back_begins_a_new_stream_that_has_everything_before_it(endpoints: Endpoints) -> None:
    async with playing(endpoints, start_s=150 * BATCH_S, paused=True) as (player, viewer):
        assert await viewer.until(1, 149) == list(range(150))
        reply = await player.do(SeekReplay(50 * BATCH_S))
        assert reply.replay is not None
        assert reply.replay.state == "paused"
        assert await viewer.until(2, 49) == list(range(50))
    assert "restarted" in viewer.events


async def test_seeking_ahead_goes_on_in_the_same_stream_without_a_hole(endpoints: Endpoints) -> None:
    async with playing(endpoints, paused=True) as (player, viewer):
        await player.do(SeekReplay(120 * BATCH_S))
        shown = await viewer.until(1, 119)
        await player.do(StepReplay(0.0))
        shown = await viewer.until(1, 120)
    assert shown == list(range(121))
    assert len(viewer.streams) == 1


async def test_what_is_ordered_before_the_first_viewer_came_is_done_when_it_comes(
    endpoints: Endpoints,
) -> None:
    async with Publisher(endpoints, samples.session("replay")) as publisher:
        player = Player(publisher, recording, BATCHES * BATCH_S, start_s=50 * BATCH_S, paused=True)
        await player.do(StepReplay(3 * BATCH_S))
        viewer = Viewer(endpoints)
        seen = asyncio.ensure_future(asyncio.to_thread(viewer.watch))
        tasks = [asyncio.ensure_future(work) for work in (publisher.serve(), player.run(stay=True))]
        assert await viewer.until(1, 52) == list(range(53))
        viewer.stop()
        await seen
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_play_at_the_end_begins_anew(endpoints: Endpoints) -> None:
    async with playing(endpoints, speed=math.inf) as (player, viewer):
        await viewer.until(1, BATCHES - 1)
        await happened(lambda: END in viewer.streams[0])
        assert player.state.state == "ended"
        await player.do(PlayReplay())
        assert await viewer.until(2, BATCHES - 1) == list(range(BATCHES))


async def test_a_loop_shows_the_recording_again_and_again_whole(endpoints: Endpoints) -> None:
    async with playing(endpoints, speed=math.inf, loop=True) as (player, viewer):
        await viewer.until(3, 0)
        await player.do(LoopReplay(False))
        await viewer.until(3, BATCHES - 1)
    for stream in viewer.streams[:2]:
        numbers = [m.first_pulse // 1000 for m in stream if isinstance(m, PhotonBatch)]
        assert all(b == a + 1 for a, b in pairwise(numbers))


async def test_the_state_says_what_was_ordered_and_reaches_the_viewers(endpoints: Endpoints) -> None:
    async with playing(endpoints, paused=True) as (player, viewer):
        await player.do(SetReplaySpeed(4.0))
        await player.do(LoopReplay(True))
        told = (await player.do(TellState())).replay
        assert told == ReplayState("paused", 0.0, BATCHES * BATCH_S, 4.0, True)
        await happened(lambda: bool(viewer.streams) and told in viewer.streams[0])
        fast = (await player.do(SetReplaySpeed(None))).replay
        assert fast is not None
        assert fast.speed is None


async def test_a_time_beyond_the_end_is_the_end(endpoints: Endpoints) -> None:
    async with playing(endpoints) as (player, viewer):
        await player.do(PauseReplay())
        await player.do(SeekReplay(1e9))
        await viewer.until(1, BATCHES - 1)
        await happened(lambda: END in viewer.streams[0])
        assert player.state.state == "ended"
        assert player.state.time_s == pytest.approx(BATCHES * BATCH_S)


async def test_a_replay_is_not_recorded(endpoints: Endpoints) -> None:
    async with playing(endpoints, paused=True) as (player, _):
        with pytest.raises(Refused, match="a recording already"):
            await player.do(StartRecording())
