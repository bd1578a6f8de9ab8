"""Real publishers and subscribers for tests: short ipc paths, subscribers in threads, deadlines."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from streams.endpoints import Endpoints
from streams.messages import Message, PhotonBatch, Session
from streams.publisher import Publisher
from streams.subscriber import LinkEvent, Subscriber
from tests.streams import wire_samples as samples

DEADLINE_S = 20.0
Received = Message | LinkEvent


@contextlib.asynccontextmanager
async def publishing(
    endpoints: Endpoints, session: Session | None = None, **options: Any
) -> AsyncIterator[Publisher]:
    """A publisher that serves, with fast heartbeats."""
    options = {"heartbeat_s": 0.05} | options
    async with Publisher(endpoints, session or samples.session(), **options) as publisher:
        service = asyncio.create_task(publisher.serve())
        try:
            yield publisher
        finally:
            service.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await service


def received_until(
    subscriber: Subscriber, enough: Callable[[list[Received]], bool], deadline_s: float = DEADLINE_S
) -> list[Received]:
    """What a subscriber hands on until it is enough; fails at the deadline."""
    got: list[Received] = []
    stop_s = time.monotonic() + deadline_s
    while not enough(got):
        left_s = stop_s - time.monotonic()
        assert left_s > 0, f"not enough within {deadline_s} s: {got[-5:]}"
        if (item := subscriber.receive(min(left_s, 1.0))) is not None:
            got.append(item)
    return got


def collected(
    endpoints: Endpoints, enough: Callable[[list[Received]], bool], **options: Any
) -> Awaitable[list[Received]]:
    """The same in a thread of its own, with a subscriber of its own."""

    def run() -> list[Received]:
        with Subscriber(endpoints, **options) as subscriber:
            return received_until(subscriber, enough)

    return asyncio.ensure_future(asyncio.to_thread(run))


def pulses(received: list[Received]) -> list[tuple[int, int]]:
    """First and stop pulse of the photon batches, as they came."""
    return [(m.first_pulse, m.stop_pulse) for m in received if isinstance(m, PhotonBatch)]


def kinds(received: list[Received]) -> list[str]:
    """The link events, as they came."""
    return [m.kind for m in received if isinstance(m, LinkEvent)]


def ended(received: list[Received]) -> bool:
    """The session is over."""
    return "ended" in kinds(received[-1:])


def reported(subscriber: Subscriber) -> None:
    """Let a subscriber report what it handed on: it does when asked for more than it has."""
    while subscriber.receive(0.0) is not None:
        pass
