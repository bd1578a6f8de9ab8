"""One thread per device: blocking driver calls never wait for each other, nor the event loop for them.

A driver is only ever called from its own thread, one call at a time. Raw blocks reach the event loop
through a bounded buffer; when it is full the card's thread waits and the card's own FIFO fills, so
that a loss, if there is one, is seen and reported by the card (`RawBlock.overrun`), never made here.
"""

import asyncio
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Self, TypeVar

from hardware.protocols import DeviceError, TcspcCard
from hardware.types import RawBlock

__all__ = ["CardReader", "DeviceThread", "TimedBlock"]

T = TypeVar("T")

_WAIT_S = 0.05
_DRAIN_S = 1.0


class DeviceThread:
    """The one thread that may touch a device.

    The thread is a daemon thread: a driver that never returns cannot keep the process alive.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=f"qdmon-{name}", daemon=True)
        self._thread.start()

    def submit(self, function: Callable[[], T]) -> Future[T]:
        """Queue a blocking call; calls run in the order of submission."""
        future: Future[T] = Future()

        def job() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(function())
            except BaseException as error:
                future.set_exception(error)

        self._jobs.put(job)
        return future

    async def call(self, function: Callable[[], T], *, timeout_s: float) -> T:
        """Run a blocking call and wait for it; DeviceError if it takes longer than `timeout_s`."""
        try:
            async with asyncio.timeout(timeout_s):
                return await asyncio.wrap_future(self.submit(function))
        except TimeoutError:
            raise DeviceError(
                f"{self.name} did not answer within {timeout_s:g} s; check its cable and power"
            ) from None

    def close(self) -> None:
        """Let queued calls finish, then end the thread; does not wait."""
        self._jobs.put(None)

    def join(self, timeout_s: float) -> bool:
        """True if the thread has ended."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()


@dataclass(frozen=True, slots=True)
class TimedBlock:
    """A raw block and when its read was begun (monotonic host clock, ns)."""

    block: RawBlock
    began_ns: int


class CardReader:
    """Reads a card continuously in its thread; iterate over it in the event loop.

    The iteration ends after `stop` once the card has nothing left, and raises the driver's error
    after the blocks that came before it; a card that failed is left for the caller to stop.

    Args:
        card: configured, not started.
        thread: the card's thread; it is busy from `start` until the reading ends.
        capacity: raw blocks that may wait for the event loop.
    """

    def __init__(self, card: TcspcCard, thread: DeviceThread, *, capacity: int = 64) -> None:
        self._card = card
        self._thread = thread
        self._room = threading.Semaphore(capacity)
        self._stopping = threading.Event()
        self._abandoned = threading.Event()
        self._blocks: deque[TimedBlock] = deque()
        self._arrived = asyncio.Event()
        self._finished = False
        self._error: BaseException | None = None
        self._loop = asyncio.get_running_loop()
        self.waits = 0
        """Times the card's thread had to wait for room: the host fell behind."""

    @property
    def depth(self) -> int:
        """Raw blocks waiting to be taken."""
        return len(self._blocks)

    async def start(self, *, timeout_s: float = 10.0) -> None:
        """Start the segment and begin reading; raises what the driver raises."""
        await self._thread.call(self._card.start, timeout_s=timeout_s)
        self._thread.submit(self._run)

    def stop(self) -> None:
        """Ask the card's thread to stop the card and hand over what is left; does not wait."""
        self._stopping.set()

    def abandon(self) -> None:
        """Nobody will take blocks any more: end reading without handing over."""
        self._abandoned.set()
        self._stopping.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> TimedBlock:
        while not self._blocks:
            if self._error is not None:
                raise self._error
            if self._finished:
                raise StopAsyncIteration
            self._arrived.clear()
            await self._arrived.wait()
        self._room.release()
        return self._blocks.popleft()

    def _run(self) -> None:
        error: BaseException | None = None
        try:
            while not self._stopping.is_set():
                self._hand_over(self._read())
            self._card.stop()
            self._drain()
        except BaseException as caught:
            error = caught
        self._post(self._finish, error)

    def _drain(self) -> None:
        until = time.monotonic() + _DRAIN_S
        while time.monotonic() < until:
            timed = self._read()
            if not len(timed.block.words):
                return
            self._hand_over(timed)

    def _read(self) -> TimedBlock:
        began_ns = time.monotonic_ns()
        return TimedBlock(self._card.read(), began_ns)

    def _hand_over(self, timed: TimedBlock) -> None:
        if not self._room.acquire(blocking=False):
            self.waits += 1
            while not self._room.acquire(timeout=_WAIT_S):
                if self._abandoned.is_set():
                    return
        self._post(self._accept, timed)

    def _post(self, function: Callable[[T], None], argument: T) -> None:
        try:
            self._loop.call_soon_threadsafe(function, argument)
        except RuntimeError:  # the loop is closed: the daemon is gone
            self._abandoned.set()
            self._stopping.set()

    def _accept(self, timed: TimedBlock) -> None:
        self._blocks.append(timed)
        self._arrived.set()

    def _finish(self, error: BaseException | None) -> None:
        self._error = error
        self._finished = True
        self._arrived.set()
