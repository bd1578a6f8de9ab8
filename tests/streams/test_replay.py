import asyncio
import math
import time
from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np
import pytest

from hardware.types import Acquisition, Photons, RecordLayout
from streams.endpoints import Endpoints
from streams.followers import Followers
from streams.messages import End, Fluence, Gap, Heartbeat, Marker, Message, PhotonBatch, Segment
from streams.replay import Replay, StreamTime, begun_at
from streams.subscriber import Subscriber
from tests.streams import wire_samples as samples
from tests.streams.sockets import collected, ended, kinds, publishing, pulses, received_until, reported

BATCH_S = 1000 * 200e-9  # 1000 pulses of 200 ns


class FakeTime:
    """A clock that only moves when somebody sleeps."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        self.now_s += seconds


def recording(batches: int, photons: int = 5) -> Iterator[Message]:
    yield samples.session()
    yield samples.segment()
    yield Fluence(0, 0, 0.2)
    for i in range(batches):
        yield samples.batch(i, photons)
    yield End("end of file")


async def send_times(messages: list[Message], speed: float) -> list[tuple[float, Message]]:
    clock = FakeTime()
    sent: list[tuple[float, Message]] = []
    player = Replay(lambda m: sent.append((clock() - 100.0, m)), speed=speed, clock=clock, sleep=clock.sleep)
    await player.run(messages)
    return sent


@pytest.mark.parametrize("speed", [0.5, 1.0, 20.0])
async def test_a_batch_leaves_when_its_last_pulse_is_due(speed: float) -> None:
    sent = await send_times(list(recording(10)), speed)
    due_s = [at_s for at_s, message in sent if isinstance(message, PhotonBatch)]
    assert due_s == pytest.approx([(i + 1) * BATCH_S / speed for i in range(10)])
    assert [type(message) for _, message in sent[:2]] == [Segment, Fluence]


async def test_time_goes_on_over_segments_and_starts_with_the_first_pulse_recorded() -> None:
    slow = Acquisition("T3", 400_000.0, 16.0, 12_500, (0, 1), RecordLayout.GENERIC_T3, "test card")
    messages: list[Message] = [samples.segment(0), samples.batch(500), samples.batch(501)]
    messages += [Segment(1, slow), samples.batch(0, segment=1)]
    sent = await send_times(messages, 1.0)
    due_s = [at_s for at_s, message in sent if isinstance(message, PhotonBatch)]
    assert due_s == pytest.approx([BATCH_S, 2 * BATCH_S, 4 * BATCH_S])


async def test_the_recordings_own_session_and_heartbeats_are_not_repeated() -> None:
    beat = Heartbeat({}, 0.0, 0, 0, 0, 0)
    sent = await send_times([samples.session(), beat, End("over")], math.inf)
    assert [message for _, message in sent] == [End("over")]


@pytest.mark.parametrize("speed", [0.0, -1.0, math.nan])
async def test_a_speed_that_is_not_positive_is_refused(speed: float) -> None:
    with pytest.raises(ValueError, match="not positive"):
        Replay(print, speed=speed)


def batches(sent: list[tuple[float, Message]]) -> list[int]:
    """Numbers of the batches sent."""
    return [m.first_pulse // 1000 for _, m in sent if isinstance(m, PhotonBatch)]


class Stage:
    """A replay of 100 batches under way, on a clock that moves with it."""

    def __init__(self, then: Callable[["Stage", int], None] = lambda stage, count: None) -> None:
        self.clock = FakeTime()
        self.sent: list[tuple[float, Message]] = []
        self.player = Replay(self.publish, clock=self.clock, sleep=self.sleep)
        self.then = then  # called with how many batches were sent

    def publish(self, message: Message) -> None:
        self.sent.append((self.clock() - 100.0, message))
        self.then(self, len(batches(self.sent)))

    async def sleep(self, seconds: float) -> None:
        await self.clock.sleep(seconds)
        await asyncio.sleep(0)

    async def settle(self) -> None:
        """Run until it stands still or is over."""
        task = asyncio.ensure_future(self.player.run(recording(100)))
        seen = -1
        while not task.done() and seen != len(self.sent):
            seen = len(self.sent)
            for _ in range(300):
                await asyncio.sleep(0)
        self.task = task


async def test_a_pause_holds_the_next_batch_and_play_goes_on_without_hurry() -> None:
    def then(stage: Stage, count: int) -> None:
        if count == 10:
            stage.player.pause(BATCH_S)  # the tenth is being sent

    stage = Stage(then)
    await stage.settle()
    assert stage.player.paused
    assert batches(stage.sent) == list(range(10))
    stage.clock.now_s += 3600.0
    stage.player.play()
    await stage.task
    due_s = [at_s - 3600.0 for at_s, m in stage.sent if isinstance(m, PhotonBatch)][10:]
    assert due_s == pytest.approx([(i + 1) * BATCH_S for i in range(10, 100)])


@pytest.mark.parametrize(
    ("step_s", "batches_played"), [(1e-6, 1), (BATCH_S, 1), (4 * BATCH_S, 4), (4.5 * BATCH_S, 5)]
)
async def test_a_step_plays_its_time_in_whole_batches_and_stands_still(
    step_s: float, batches_played: int
) -> None:
    stage = Stage()
    stage.player.pause()
    await stage.settle()
    assert batches(stage.sent) == []
    stage.player.pause(step_s)
    for _ in range(300):
        await asyncio.sleep(0)
    assert batches(stage.sent) == list(range(batches_played))
    assert stage.player.paused
    stage.task.cancel()


async def test_a_new_speed_holds_from_where_it_is() -> None:
    def then(stage: Stage, count: int) -> None:
        if count == 10:
            stage.player.speed = 4.0

    stage = Stage(then)
    await stage.settle()
    await stage.task
    due_s = [at_s for at_s, m in stage.sent if isinstance(m, PhotonBatch)]
    expected = [(i + 1) * BATCH_S for i in range(10)]
    expected += [10 * BATCH_S + (i + 1) * BATCH_S / 4 for i in range(90)]
    assert due_s == pytest.approx(expected)


async def test_what_lies_before_a_sought_time_takes_no_time_and_a_pause_waits_there() -> None:
    stage = Stage()
    stage.player.pause()
    stage.player.hurry_to(50 * BATCH_S)
    await stage.settle()
    assert batches(stage.sent) == list(range(50))
    assert stage.clock() == 100.0
    stage.player.play()
    await stage.task
    assert stage.clock() == pytest.approx(100.0 + 50 * BATCH_S)


@pytest.mark.parametrize("start", [0, 1, 17, 99])
def test_a_session_can_be_begun_at_any_time_with_what_holds_there(start: int) -> None:
    begun = list(begun_at(recording(100), (start + 0.5) * BATCH_S))
    first = next(m for m in begun if isinstance(m, PhotonBatch))
    assert first.first_pulse == 1000 * start
    assert begun[:3] == list(recording(0))[:3]
    assert isinstance(begun[-1], End)
    covered = [(m.first_pulse, m.stop_pulse) for m in begun if isinstance(m, Gap | PhotonBatch)]
    assert covered[0][0] == 0
    assert all(a[1] == b[0] for a, b in pairwise(covered))
    assert covered[-1][1] == 100_000


def test_begun_at_its_beginning_a_session_is_itself() -> None:
    told = [*list(recording(0))[:-1], Marker(0, 0, "protocol", "step 1"), *list(recording(9))[3:]]
    begun = list(begun_at(told, 0.0))
    assert len(begun) == len(told)
    assert all(samples.same(one, other) for one, other in zip(begun, told, strict=True))


def test_what_was_said_just_before_the_first_batch_is_said_again() -> None:
    told = [*list(recording(4))[:-1], Marker(0, 4000, "protocol", "step 2"), samples.batch(4)]
    assert Marker(0, 4000, "protocol", "step 2") in list(begun_at(told, 4.5 * BATCH_S))


def test_beyond_the_end_there_is_only_the_end() -> None:
    begun = list(begun_at(recording(5), 1e6))
    assert not [m for m in begun if isinstance(m, PhotonBatch)]


def test_stream_time_runs_through_all_segments() -> None:
    times = StreamTime()
    told: list[Message] = [samples.segment(0), samples.batch(0), samples.batch(1), samples.segment(1)]
    told.append(samples.batch(3, segment=1))
    assert [times.span_s(m)[1] for m in told] == pytest.approx(
        [0, BATCH_S, 2 * BATCH_S, 2 * BATCH_S, 6 * BATCH_S]
    )


async def test_a_replay_waits_for_a_slow_viewer_which_then_loses_nothing(endpoints: Endpoints) -> None:
    """Also when the history holds next to nothing."""
    every = [(1000 * i, 1000 * i + 1000) for i in range(1500)]
    with Subscriber(endpoints) as slow:
        async with publishing(endpoints, history_bytes=1 << 14, clock=FakeTime()) as publisher:
            await asyncio.to_thread(received_until, slow, lambda got: "joined" in kinds(got))
            reported(slow)
            await publisher.followed()
            player = Replay(publisher.publish, speed=math.inf, room=publisher.room)
            playing = asyncio.create_task(player.run(recording(1500)))
            for _ in range(5000):  # turns of the loop: many more than the replay would need
                await asyncio.sleep(0)
            assert publisher.published < 100
            received = await asyncio.to_thread(received_until, slow, ended)
            await playing
            reported(slow)
            await publisher.delivered()
    assert pulses(received) == every
    assert "lost" not in kinds(received)


async def test_a_replay_gives_the_photons_of_the_recording(endpoints: Endpoints) -> None:
    async with publishing(endpoints) as publisher:
        reader = collected(endpoints, ended)
        await publisher.followed()
        player = Replay(publisher.publish, speed=math.inf, room=publisher.room)
        await player.run(recording(50, photons=2000))
        received = [m.photons for m in await reader if isinstance(m, PhotonBatch)]
    original = [m.photons for m in recording(50, photons=2000) if isinstance(m, PhotonBatch)]
    one, other = Photons.join(received), Photons.join(original)
    assert np.array_equal(one.pulse, other.pulse)
    assert np.array_equal(one.nanotime, other.nanotime)
    assert np.array_equal(one.channel, other.channel)


async def test_a_viewer_that_stands_still_is_not_waited_for_forever(endpoints: Endpoints) -> None:
    def hurried_clock() -> float:
        return 100 * time.monotonic()

    with Subscriber(endpoints) as stopped:
        async with publishing(endpoints, clock=hurried_clock) as publisher:
            await asyncio.to_thread(received_until, stopped, lambda got: "joined" in kinds(got))
            reported(stopped)
            await publisher.followed()
            player = Replay(publisher.publish, speed=math.inf, room=publisher.room)
            await player.run(recording(500))
            assert publisher.published == 1 + 2 + 500 + 1


def test_only_those_heard_of_lately_are_waited_for() -> None:
    clock = FakeTime()
    followers = Followers(clock, patience_s=5.0)
    assert followers.slowest() is None
    followers.report(b"a", 10)
    clock.now_s += 4
    followers.report(b"b", 20)
    assert followers.slowest() == 10
    clock.now_s += 2
    assert followers.slowest() == 20
    followers.left(b"b")
    assert followers.slowest() is None
