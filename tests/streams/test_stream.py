"""Publisher and subscriber over real sockets."""

import asyncio
import multiprocessing
import os
import signal
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import zmq

from hardware.types import LossCause
from streams.endpoints import EndpointError, Endpoints, parse_address
from streams.messages import (
    Alert,
    End,
    Fluence,
    Gap,
    Heartbeat,
    Marker,
    Message,
    PhotonBatch,
    Segment,
    Session,
    Status,
)
from streams.publisher import Publisher
from streams.subscriber import LinkEvent, Subscriber
from tests.streams import wire_samples as samples
from tests.streams.sockets import (
    Received,
    collected,
    ended,
    kinds,
    publishing,
    pulses,
    received_until,
)

JOINS, BETWEEN = 20, 60


async def test_a_subscriber_gets_every_message_of_a_session_in_order(endpoints: Endpoints) -> None:
    sent: list[Message] = [
        samples.segment(),
        Fluence(0, 0, 0.2),
        *(samples.batch(i) for i in range(30)),
        Alert("a1", 0, 30_000, "conversion", "alert", "auger to bc"),
        End("done"),
    ]
    async with publishing(endpoints) as publisher:
        received = collected(endpoints, ended)
        await publisher.followed()
        for message in sent:
            publisher.publish(message)
        got = [m for m in await received if not isinstance(m, LinkEvent | Heartbeat)]
    assert len(got) == len(sent) + 1
    assert all(samples.same(a, b) for a, b in zip(got, [samples.session(), *sent], strict=True))


async def test_joining_a_fast_publisher_late_loses_nothing_and_repeats_nothing(endpoints: Endpoints) -> None:
    async with publishing(endpoints) as publisher:
        publisher.publish(samples.segment())
        readers = []
        for i in range(JOINS * BETWEEN):
            publisher.publish(samples.batch(i))
            if i % BETWEEN == 7:
                readers.append(collected(endpoints, ended))
            await asyncio.sleep(0.0005 if readers else 0)
        publisher.publish(End("done"))
        for received in await asyncio.gather(*readers):
            assert pulses(received) == [(1000 * i, 1000 * i + 1000) for i in range(JOINS * BETWEEN)]
            assert isinstance(received[0] if not kinds(received[:1]) else received[1], Session)
            assert "lost" not in kinds(received)


async def test_without_history_a_subscriber_gets_the_state_and_then_live(endpoints: Endpoints) -> None:
    async with publishing(endpoints) as publisher:
        publisher.publish(samples.segment(0))
        publisher.publish(samples.segment(1))
        publisher.publish(Fluence(1, 0, 0.2))
        publisher.publish(Fluence(1, 5, 1.4))
        publisher.publish(Status("running", "all well"))
        publisher.publish(samples.batch(0, segment=1))
        received = collected(endpoints, ended, history=False)
        await publisher.followed()
        publisher.publish(samples.batch(1, segment=1))
        publisher.publish(End("done"))
        got = [m for m in await received if not isinstance(m, LinkEvent | Heartbeat)]
    assert [type(m) for m in got] == [Session, Segment, Fluence, Status, PhotonBatch, End]
    assert got[1:3] == [samples.segment(1), Fluence(1, 5, 1.4)]
    assert pulses(list(got)) == [(1000, 2000)]


async def test_a_subscriber_may_ask_for_some_topics_only(endpoints: Endpoints) -> None:
    async with publishing(endpoints) as publisher:
        for i in range(5):
            publisher.publish(samples.batch(i))
            publisher.publish(Marker(0, 1000 * i, "operator", f"note {i}"))
        received = collected(endpoints, ended, topics=["marker/", "end/"])
        await publisher.followed()
        publisher.publish(Marker(0, 6000, "operator", "live"))
        publisher.publish(End("done"))
        got = [m for m in await received if not isinstance(m, LinkEvent)]
    assert [m.text for m in got if isinstance(m, Marker)] == [*(f"note {i}" for i in range(5)), "live"]
    assert len(got) == 7


async def test_a_stalled_subscriber_neither_slows_the_publisher_nor_loses_what_is_still_held(
    endpoints: Endpoints,
) -> None:
    with Subscriber(endpoints) as stalled:
        async with publishing(endpoints) as publisher:
            publisher.publish(samples.segment())
            await asyncio.to_thread(received_until, stalled, lambda got: "joined" in kinds(got))
            for i in range(1000):  # many times what the queues hold; publish does not even yield
                publisher.publish(samples.batch(i))
            publisher.publish(End("done"))
            received = await asyncio.to_thread(received_until, stalled, ended)
    assert pulses(received) == [(1000 * i, 1000 * i + 1000) for i in range(1000)]
    assert "lost" not in kinds(received)


async def test_a_subscriber_that_stood_still_while_its_publisher_went_away_follows_the_next_one(
    endpoints: Endpoints,
) -> None:
    with Subscriber(endpoints) as stalled:
        async with publishing(endpoints) as publisher:
            await asyncio.to_thread(received_until, stalled, lambda got: "joined" in kinds(got))
            for i in range(600):
                publisher.publish(samples.batch(i))
        async with publishing(endpoints) as publisher:
            publisher.publish(samples.batch(0))
            publisher.publish(End("done"))
            received = await asyncio.to_thread(received_until, stalled, ended)
    restart = next(i for i, m in enumerate(received) if isinstance(m, LinkEvent) and m.kind == "restarted")
    assert pulses(received[restart:]) == [(0, 1000)]


async def test_photons_that_are_gone_for_good_are_reported_as_a_gap_of_exactly_their_pulses(
    endpoints: Endpoints,
) -> None:
    with Subscriber(endpoints) as stalled:
        async with publishing(endpoints, history_bytes=20_000) as publisher:
            publisher.publish(samples.segment())
            publisher.publish(samples.batch(0))
            await asyncio.to_thread(received_until, stalled, lambda got: len(pulses(got)) == 1)
            for i in range(1, 2000):
                publisher.publish(samples.batch(i))
            publisher.publish(End("done"))
            received = await asyncio.to_thread(received_until, stalled, ended)
    gaps = [m for m in received if isinstance(m, Gap)]
    assert gaps
    assert kinds(received).count("lost") == len(gaps)
    assert all(gap.cause is LossCause.MESSAGES_DROPPED for gap in gaps)
    covered = sorted([*pulses(received), *((gap.first_pulse, gap.stop_pulse) for gap in gaps)])
    assert covered[0][0] == 1000
    assert covered[-1][1] == 2_000_000
    assert all(before[1] == after[0] for before, after in pairwise(covered))


async def test_a_late_joiner_is_not_told_of_losses_from_before_its_time(endpoints: Endpoints) -> None:
    async with publishing(endpoints, history_bytes=5_000) as publisher:
        publisher.publish(samples.segment())
        publisher.publish(Fluence(0, 0, 0.2))
        for i in range(200):
            publisher.publish(samples.batch(i))
        publisher.publish(End("done"))
        received = await collected(endpoints, ended)
    assert not any(isinstance(m, Gap) for m in received)
    assert "lost" not in kinds(received)
    first = pulses(received)[0][0]
    assert 100_000 < first < 200_000
    assert Fluence(0, 0, 0.2) in received


async def test_a_restarted_publisher_is_noticed_and_its_session_begins_from_the_start(
    endpoints: Endpoints,
) -> None:
    with Subscriber(endpoints) as subscriber:
        async with publishing(endpoints) as publisher:
            publisher.publish(samples.batch(0))
            await asyncio.to_thread(received_until, subscriber, lambda got: "joined" in kinds(got))
        async with publishing(endpoints, samples.session("replay")) as publisher:
            publisher.publish(samples.batch(7))
            received = await asyncio.to_thread(received_until, subscriber, lambda got: "joined" in kinds(got))
    assert "restarted" in kinds(received)
    restart = next(i for i, m in enumerate(received) if isinstance(m, LinkEvent) and m.kind == "restarted")
    assert received[restart + 1] == samples.session("replay")
    assert pulses(received[restart:]) == [(7000, 8000)]


def _publish_until_killed(endpoints: Endpoints) -> None:
    async def forever() -> None:
        async with publishing(endpoints) as publisher:
            publisher.publish(samples.segment())
            for i in range(1_000_000):
                publisher.publish(samples.batch(i))
                await asyncio.sleep(0.01)

    asyncio.run(forever())


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
def test_a_killed_publisher_falls_silent_and_another_takes_its_place(endpoints: Endpoints) -> None:
    context = multiprocessing.get_context("spawn")
    with Subscriber(endpoints, silence_s=0.5) as subscriber:
        for _ in range(2):
            daemon = context.Process(target=_publish_until_killed, args=(endpoints,))
            daemon.start()
            received_until(subscriber, lambda got: len(pulses(got)) > 3)
            assert daemon.pid is not None
            os.kill(daemon.pid, signal.SIGKILL)
            daemon.join()
            killed_s = time.monotonic()
            received_until(subscriber, lambda got: "silent" in kinds(got))
            assert time.monotonic() - killed_s < 3


def test_no_daemon_is_said_once_and_how_to_start_one(endpoints: Endpoints) -> None:
    with Subscriber(endpoints, silence_s=0.2) as subscriber:
        event = subscriber.receive(5)
        assert isinstance(event, LinkEvent)
        assert event.kind == "waiting"
        assert "qdmon daemon" in event.text
        assert subscriber.receive(0.3) is None


async def test_a_second_daemon_of_the_same_name_is_refused_and_the_first_goes_on(
    endpoints: Endpoints,
) -> None:
    async with publishing(endpoints) as publisher:
        with pytest.raises(EndpointError, match=rf"already runs \(pid {os.getpid()}\)"):
            async with Publisher(endpoints, samples.session()):
                pass
        received = collected(endpoints, ended)
        await publisher.followed()
        publisher.publish(End("done"))
        assert ended(await received)
    async with publishing(endpoints):
        pass


async def test_a_port_in_use_is_said_in_one_line() -> None:
    with zmq.Context() as context, context.socket(zmq.REP) as other:
        port = other.bind_to_random_port("tcp://127.0.0.1", 20_000, 60_000)
        with pytest.raises(EndpointError, match="in use") as failure:
            async with Publisher(parse_address(f"tcp://127.0.0.1:{port}"), samples.session()):
                pass
    assert "\n" not in str(failure.value)


async def test_a_loopback_port_works_as_well(runtime_folder: Path) -> None:
    with zmq.Context() as context, context.socket(zmq.REP) as other:
        port = other.bind_to_random_port("tcp://127.0.0.1", 20_000, 60_000)
    endpoints = parse_address(f"tcp://127.0.0.1:{port}")
    async with publishing(endpoints) as publisher:
        publisher.publish(samples.batch(0))
        publisher.publish(End("done"))
        assert pulses(await collected(endpoints, ended)) == [(0, 1000)]


async def test_heartbeats_carry_the_last_sequence_numbers(endpoints: Endpoints) -> None:
    def beaten(got: list[Received]) -> bool:
        return any(isinstance(m, Heartbeat) for m in got)

    async with publishing(endpoints, queue_depth=lambda: 3) as publisher:
        publisher.publish(samples.segment())
        for i in range(4):
            publisher.publish(samples.batch(i))
        received = await collected(endpoints, beaten)
    beat = next(m for m in received if isinstance(m, Heartbeat))
    assert beat.last_seq["photons/"] == 3
    assert beat.last_seq["session/"] == 0
    assert (beat.stop_pulse, beat.photons, beat.queue_depth) == (4000, 20, 3)


async def test_a_subscriber_of_an_idle_publisher_is_connected_at_once(endpoints: Endpoints) -> None:
    async with publishing(endpoints, heartbeat_s=3600.0) as publisher:
        for _ in range(3):
            await collected(endpoints, lambda got: "joined" in kinds(got))
        assert publisher.published == 1


async def test_rubbish_from_a_neighbour_stops_neither_side(endpoints: Endpoints) -> None:
    async with publishing(endpoints) as publisher:
        with zmq.Context() as context, context.socket(zmq.DEALER) as stranger:
            stranger.linger = 0
            stranger.connect(endpoints.query)
            for rubbish in ([b""], [b"\xc1"], [b"a", b"b", b"c", b"d"], [b"\x81\xa1v\x01"]):
                stranger.send_multipart(rubbish)
            received = collected(endpoints, ended)
            await publisher.followed()
            publisher.publish(samples.batch(0))
            publisher.publish(End("done"))
            assert pulses(await received) == [(0, 1000)]


async def test_what_no_receiver_would_accept_is_not_sent(endpoints: Endpoints) -> None:
    async with publishing(endpoints) as publisher:
        with pytest.raises(ValueError, match="first_pulse"):
            publisher.publish(Gap(0, 5, 3, LossCause.DECODE_GAP))
        with pytest.raises(ValueError, match="one session"):
            publisher.publish(samples.session("replay"))
        publisher.publish(samples.session())
        assert publisher.published == 1


async def test_a_caller_may_use_its_arrays_again(endpoints: Endpoints) -> None:
    async with publishing(endpoints) as publisher:
        received = collected(endpoints, ended)
        await publisher.followed()
        scratch = samples.batch(0, photons=20_000)
        expected = scratch.photons.nanotime.copy()
        publisher.publish(scratch)
        scratch.photons.nanotime[:] = 0
        publisher.publish(End("done"))
        batch = next(m for m in await received if isinstance(m, PhotonBatch))
    assert np.array_equal(batch.photons.nanotime, expected)
