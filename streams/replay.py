"""A recording published again: the same messages, paced by their own pulse clock."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from itertools import chain

from hardware.types import Acquisition
from streams.messages import Heartbeat, Message, PhotonBatch, Segment, Session
from streams.opening import Opening

__all__ = ["Replay", "StreamTime", "begun_at"]

_SLICE_S = 0.1  # a change of speed is noticed within it
_SAME_S = 1e-9  # stream times that differ by less are one


class StreamTime:
    """Stream time of messages in order, s: pulses as time, one segment after the other."""

    def __init__(self) -> None:
        self._acquisition: Acquisition | None = None
        self._before_s = 0.0
        self._stop_s = 0.0

    def span_s(self, message: Message) -> tuple[float, float]:
        """Beginning and end of a message, the next in order; only photons take time."""
        if isinstance(message, Segment):
            self._acquisition, self._before_s = message.acquisition, self._stop_s
        elif isinstance(message, PhotonBatch) and self._acquisition is not None:
            first, stop = map(self._acquisition.seconds, (message.first_pulse, message.stop_pulse))
            self._stop_s = self._before_s + stop
            return self._before_s + first, self._stop_s
        return self._stop_s, self._stop_s


def begun_at(messages: Iterable[Message], start_s: float) -> Iterator[Message]:
    """A session that begins with the batch in which `start_s` lies, and with what holds there.

    At 0 it is the session itself.
    """
    opening, times = Opening(), StreamTime()
    since: list[Message] = []  # the last batch that is left out
    rest = iter(messages)
    for message in rest:
        stop_s = times.span_s(message)[1]
        if isinstance(message, PhotonBatch) and stop_s > start_s + _SAME_S:
            return chain(opening.messages(), since, [message], rest)
        since.append(message)
        if isinstance(message, PhotonBatch | Segment):
            for passed in since:
                opening.pass_over(passed)
            since.clear()
    return chain(opening.messages(), since)


async def _no_wait() -> None:
    """Nobody to wait for."""


class Replay:
    """Publishes sessions so that each batch leaves when its last pulse is due; may be steered meanwhile.

    A publisher speaks its own `Session` and its own heartbeats, so those of the recording are left out.
    To begin with a viewer, await `Publisher.followed` before; to end with it, `Publisher.delivered` after.

    Args:
        publish: usually `Publisher.publish`.
        speed: recorded seconds per second; inf is as fast as `room` allows.
        room: awaited before each message; `Publisher.room` waits for viewers that cannot keep up, so that
            a joined one misses nothing at any speed.
        clock: monotonic seconds.
        sleep: as `asyncio.sleep`.

    Attributes:
        time_s: end of what was published, in stream time, s.

    Raises:
        ValueError: the speed is not positive.
    """

    def __init__(
        self,
        publish: Callable[[Message], None],
        *,
        speed: float = 1.0,
        room: Callable[[], Awaitable[None]] = _no_wait,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._publish = publish
        self._room = room
        self._clock = clock
        self._sleep = sleep
        self._speed = _positive(speed)
        self._hurry_to_s = -math.inf
        self._hold_s = math.inf
        self._changed = asyncio.Event()
        self._anchor: tuple[float, float] | None = None  # this stream time was due at that moment
        self.time_s = 0.0

    @property
    def speed(self) -> float:
        """Recorded seconds per second, inf without pacing."""
        return self._speed

    @speed.setter
    def speed(self, speed: float) -> None:
        self._speed = _positive(speed)
        self._steer()

    @property
    def paused(self) -> bool:
        """It stands still, or will once a step is done."""
        return not math.isinf(self._hold_s)

    def play(self) -> None:
        """Go on."""
        self._hold_s = math.inf
        self._steer()

    def pause(self, after_s: float = 0.0) -> None:
        """Stand still after `after_s` more, in whole batches; what is hurried to is reached first."""
        self._hold_s = max(self.time_s, self._hurry_to_s) + after_s
        self._steer()

    def hurry_to(self, time_s: float) -> None:
        """Publish without pacing up to a stream time; a pause waits there."""
        self._hurry_to_s = time_s
        if self.paused:
            self._hold_s = time_s
        self._steer()

    async def run(self, messages: Iterable[Message]) -> None:
        """Publish a session from its beginning to its end; it is read one message at a time."""
        times = StreamTime()
        self._anchor = None
        for message in messages:
            if isinstance(message, Session | Heartbeat):
                continue
            await self._room()
            begin_s, end_s = times.span_s(message)
            await self._wait_until(begin_s, end_s)
            self._publish(message)
            self.time_s = end_s

    async def _wait_until(self, begin_s: float, end_s: float) -> None:
        while True:
            self._changed.clear()
            if begin_s >= self._hold_s - _SAME_S:
                await self._changed.wait()
                self._anchor = None
                continue
            if end_s <= self._hurry_to_s + _SAME_S or math.isinf(self._speed):
                self._anchor = None
                return
            if end_s <= begin_s:
                return
            if self._anchor is None:
                self._anchor = begin_s, self._clock()
            from_s, at_s = self._anchor
            left_s = at_s + (end_s - from_s) / self._speed - self._clock()
            if left_s <= 0:
                return
            await self._sleep(min(left_s, _SLICE_S))

    def _steer(self) -> None:
        """What was due when no longer holds: go on from here."""
        self._anchor = None
        self._changed.set()


def _positive(speed: float) -> float:
    if not speed > 0:
        raise ValueError(f"speed {speed} is not positive: give 1 for real time, inf for as fast as possible")
    return speed
