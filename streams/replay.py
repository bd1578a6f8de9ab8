"""A recording published again: the same messages, paced by their own pulse clock."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Iterable

from hardware.types import Acquisition
from streams.messages import Heartbeat, Message, PhotonBatch, Segment, Session

__all__ = ["replay"]


async def _no_wait() -> None:
    """Nobody to wait for."""


async def replay(
    messages: Iterable[Message],
    publish: Callable[[Message], None],
    *,
    speed: float = 1.0,
    room: Callable[[], Awaitable[None]] = _no_wait,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Publish messages so that each batch leaves when its last pulse is due.

    A publisher speaks its own `Session` and its own heartbeats, so those of the recording are left out.
    To begin with a viewer, await `Publisher.followed` before; to end with it, `Publisher.delivered` after.

    Args:
        messages: a session in order; read one at a time.
        publish: usually `Publisher.publish`.
        speed: 1 as recorded, inf as fast as `room` allows.
        room: awaited before each message; `Publisher.room` waits for viewers that cannot keep up, so that
            a joined one misses nothing at any speed.
        clock: monotonic seconds.
        sleep: as `asyncio.sleep`.

    Raises:
        ValueError: the speed is not positive.
    """
    if not speed > 0:
        raise ValueError(f"speed {speed} is not positive: give 1 for real time, inf for as fast as possible")
    pace = _Pace(speed, clock())
    for message in messages:
        if isinstance(message, Session | Heartbeat):
            continue
        await room()
        await sleep(max(0.0, pace.due_s(message) - clock()))
        publish(message)


class _Pace:
    """When a message is due, in s of the clock; time is the pulses covered so far, over all segments."""

    def __init__(self, speed: float, start_s: float) -> None:
        self._speed = speed
        self._due_s = start_s
        self._acquisition: Acquisition | None = None
        self._stop_pulse: int | None = None

    def due_s(self, message: Message) -> float:
        """When to send this message, the next in order."""
        if isinstance(message, Segment):
            self._acquisition, self._stop_pulse = message.acquisition, None
        elif isinstance(message, PhotonBatch) and self._acquisition is not None:
            since = message.first_pulse if self._stop_pulse is None else self._stop_pulse
            if not math.isinf(self._speed):
                self._due_s += self._acquisition.seconds(message.stop_pulse - since) / self._speed
            self._stop_pulse = message.stop_pulse
        return self._due_s
