import asyncio
import math
import time
from collections.abc import Iterator

import numpy as np
import pytest

from hardware.types import Acquisition, Photons, RecordLayout
from streams.endpoints import Endpoints
from streams.followers import Followers
from streams.messages import End, Fluence, Heartbeat, Message, PhotonBatch, Segment
from streams.replay import replay
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
    await replay(
        messages, lambda m: sent.append((clock() - 100.0, m)), speed=speed, clock=clock, sleep=clock.sleep
    )
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
        await replay([], print, speed=speed)


async def test_a_replay_waits_for_a_slow_viewer_which_then_loses_nothing(endpoints: Endpoints) -> None:
    """Also when the history holds next to nothing."""
    every = [(1000 * i, 1000 * i + 1000) for i in range(1500)]
    with Subscriber(endpoints) as slow:
        async with publishing(endpoints, history_bytes=1 << 14, clock=FakeTime()) as publisher:
            await asyncio.to_thread(received_until, slow, lambda got: "joined" in kinds(got))
            reported(slow)
            await publisher.followed()
            playing = asyncio.create_task(
                replay(recording(1500), publisher.publish, speed=math.inf, room=publisher.room)
            )
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
        await replay(recording(50, photons=2000), publisher.publish, speed=math.inf, room=publisher.room)
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
            await replay(recording(500), publisher.publish, speed=math.inf, room=publisher.room)
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
