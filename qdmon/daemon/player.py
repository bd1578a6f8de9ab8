"""Steers a replay: play, pause, step, seek, speed, loop."""

import asyncio
import math
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Literal

from streams.control import Refused
from streams.messages import End, Message, ReplayState
from streams.orders import (
    LoopReplay,
    Order,
    PauseReplay,
    PlayReplay,
    Reply,
    SeekReplay,
    SetReplaySpeed,
    StepReplay,
    TellState,
)
from streams.publisher import Publisher
from streams.replay import Replay

__all__ = ["CONTEXT_S", "Player"]

CONTEXT_S = 600.0
LOOK_S = 1.0
VIEWERS_S = 2.0
LEAST_STEP_S = 1e-6  # a step is a batch at least

END = End("end of the recording")


class Player:
    """Publishes a recording as its operator wants it.

    What is sought ahead, and not far, comes soon because everything up to it is sent unpaced; anything else
    begins a new stream, with the context before it.

    Args:
        publisher: entered.
        messages: makes the session that begins at a stream time, s, without its End.
        duration_s: of the recording; None if unknown.
        speed: recorded seconds per second; inf is as fast as viewers take it.
        start_s: where to begin.
        paused: stand still there.
        loop: begin again at the end.
        context_s: how much of what came before a sought time is sent along.
    """

    def __init__(
        self,
        publisher: Publisher,
        messages: Callable[[float], Iterable[Message]],
        duration_s: float | None,
        *,
        speed: float = 1.0,
        start_s: float = 0.0,
        paused: bool = False,
        loop: bool = False,
        context_s: float = CONTEXT_S,
    ) -> None:
        self._publisher = publisher
        self._messages = messages
        self._duration_s = duration_s
        self._context_s = context_s
        self._loop = loop
        self._sought = asyncio.Event()
        self._ended = False
        self._replay = Replay(publisher.publish, speed=speed, room=publisher.room)
        if paused:
            self._replay.pause()
        self._aim_at(start_s)

    @property
    def state(self) -> ReplayState:
        """Where it stands."""
        replay = self._replay
        speed = None if math.isinf(replay.speed) else replay.speed
        phase: Literal["playing", "paused", "ended"] = "paused" if replay.paused else "playing"
        if self._ended:
            phase = "ended"
        return ReplayState(phase, replay.time_s, self._duration_s, speed, self._loop)

    async def run(self, *, stay: bool = False) -> None:
        """Play to the end, beginning when a viewer is there; with `stay` wait at the end for orders."""
        await self._publisher.followed()
        self._publisher.publish(self.state)
        while True:
            if await self._played_from(self._target_s):
                if self._loop:
                    self._aim_at(0.0)
                else:
                    await self._end()
                    if not stay:
                        return
                    await self._sought.wait()
            await self._begin_stream()

    async def watch(self) -> None:
        """Say where it stands once a second, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            if not self._ended:
                self._publisher.publish(self.state)

    async def do(self, order: Order) -> Reply:
        """Do an order; raises Refused."""
        replay = self._replay
        match order:
            case PlayReplay():
                replay.play()
                if self._ended:
                    self._seek(0.0)
            case PauseReplay():
                replay.pause()
            case StepReplay(step_s):
                replay.pause(max(step_s, LEAST_STEP_S))
            case SeekReplay(time_s):
                self._seek(time_s if self._duration_s is None else min(time_s, self._duration_s))
            case SetReplaySpeed(speed):
                replay.speed = math.inf if speed is None else speed
            case LoopReplay(on):
                self._loop = on
            case TellState():
                return Reply(replay=self.state)
            case _:
                raise Refused("this is a replay, and a recording already: there is nothing to record")
        if not (self._ended or self._sought.is_set()):
            self._publisher.publish(self.state)
        return Reply(replay=self.state)

    def _seek(self, time_s: float) -> None:
        now_s = self._replay.time_s
        near = now_s <= time_s <= now_s + self._context_s
        if near and not self._ended and not self._sought.is_set():
            self._target_s = time_s
            self._replay.hurry_to(time_s)
            return
        self._aim_at(time_s)
        self._ended = False
        self._sought.set()

    def _aim_at(self, time_s: float) -> None:
        """The next stream is for this time."""
        self._target_s = self._replay.time_s = time_s
        self._replay.hurry_to(time_s)

    async def _played_from(self, start_s: float) -> bool:
        """Play until the end, True, or until something out of reach is sought, False."""
        self._sought.clear()
        self._replay.time_s = start_s
        messages = await asyncio.to_thread(self._messages, max(0.0, start_s - self._context_s))
        playing = asyncio.create_task(self._replay.run(messages))
        sought = asyncio.create_task(self._sought.wait())
        try:
            await asyncio.wait({playing, sought}, return_when=asyncio.FIRST_COMPLETED)
            if playing.done():
                await playing
                return not self._sought.is_set()
            return False
        finally:
            for task in (playing, sought):
                task.cancel()
            with suppress(asyncio.CancelledError):
                await playing

    async def _end(self) -> None:
        self._ended = True
        self._publisher.publish(self.state)
        self._publisher.publish(END)
        await self._publisher.delivered()

    async def _begin_stream(self) -> None:
        """Let the viewers start afresh, and wait until they have."""
        followed = self._publisher.followers > 0
        self._publisher.restart()
        self._publisher.publish(self.state)
        if followed:
            with suppress(TimeoutError):
                async with asyncio.timeout(VIEWERS_S):
                    await self._publisher.followed()
