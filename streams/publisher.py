"""The sending end of a session: live messages to everyone who listens, history to everyone who asks."""

import asyncio
import contextlib
import secrets
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import zmq
import zmq.asyncio

from streams.endpoints import EndpointError, Endpoints, claimed, private_files
from streams.followers import Followers
from streams.history import History, Kept
from streams.messages import Heartbeat, Message, PhotonBatch, Segment, Session
from streams.query import (
    MAX_QUESTION,
    Answer,
    AskFetch,
    AskState,
    TellLeft,
    TellSeen,
    pack_answer,
    unpack_question,
)
from streams.wire import Envelope, WireError, encode, topic_of

__all__ = ["Publisher"]

SEND_QUEUE = 80  # messages waiting for one subscriber: 4 s at the usual cadence
ANSWER_QUEUE = 4  # a subscriber asks one question at a time
PAGE_BYTES = 2 << 20
LINGER_MS = 500
WINDOW = SEND_QUEUE - 16  # how far a follower may be behind while a replay goes on: its queue never fills


@dataclass(slots=True)
class _Progress:
    segment: int = 0
    stop_pulse: int = 0
    photons: int = 0


class Publisher:
    """Publishes one session; use as `async with`, then run `serve` beside whatever publishes.

    `publish` never waits: a subscriber that cannot keep up misses messages, notices by their numbers and
    fetches them from the history. Not thread-safe: everything runs in the event loop's thread.

    Args:
        endpoints: where to bind.
        session: its first message, published on entering.
        history_s: how long photons are kept for late subscribers, in s.
        history_bytes: bound of their packed size.
        heartbeat_s: time between two heartbeats.
        clock: monotonic seconds.
        unix_ns: wall clock for the send times.
        queue_depth: raw blocks that wait to be decoded, for the heartbeat.
    """

    def __init__(
        self,
        endpoints: Endpoints,
        session: Session,
        *,
        history_s: float = 600.0,
        history_bytes: int = 256 << 20,
        heartbeat_s: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
        unix_ns: Callable[[], int] = time.time_ns,
        queue_depth: Callable[[], int] = lambda: 0,
    ) -> None:
        self._endpoints = endpoints
        self._session = session
        self._heartbeat_s = heartbeat_s
        self._clock = clock
        self._unix_ns = unix_ns
        self._queue_depth = queue_depth
        self._keep = history_s, history_bytes
        self._heard = asyncio.Event()
        self._started_s = clock()
        self._exit = contextlib.ExitStack()
        self._progress = _Progress()
        self._begin_stream()

    async def __aenter__(self) -> Self:
        """Claim the endpoints, bind and publish the session; raises EndpointError."""
        with contextlib.ExitStack() as undo:
            undo.enter_context(claimed(self._endpoints))
            self._context = zmq.asyncio.Context(io_threads=1)
            undo.callback(self._context.destroy, linger=LINGER_MS)
            self._data = self._bound(zmq.XPUB, self._endpoints.data)
            self._query = self._bound(zmq.ROUTER, self._endpoints.query)
            self._exit = undo.pop_all()
        self.publish(self._session)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Send what is queued, for at most half a second, then release the endpoints."""
        self._data.close(linger=LINGER_MS)
        self._query.close(linger=0)
        try:
            await asyncio.to_thread(self._context.term)
        finally:
            self._exit.close()

    @property
    def published(self) -> int:
        """Number of positions published so far."""
        return self._published

    def restart(self) -> None:
        """Begin a new stream of the same session: subscribers forget what they had and start afresh."""
        self._begin_stream()
        self.publish(self._session)
        self._heartbeat()

    def publish(self, message: Message) -> None:
        """Send a message to all who listen and keep it for those who come later; never waits.

        Publishing the session a second time does nothing.

        Raises:
            WireError: no receiver would accept the message; nothing was sent.
            ValueError: another session.
            TypeError: a heartbeat, which `serve` sends by itself.
        """
        if isinstance(message, Session) and self._published:
            if message != self._session:
                raise ValueError("a publisher speaks for one session: start another one for a new session")
            return
        if isinstance(message, Heartbeat):
            raise TypeError("the publisher makes its own heartbeats")
        envelope = self._next_envelope(topic_of(message))
        frames = encode(message, envelope)
        packed = encode(message, envelope, "planes-zstd") if isinstance(message, PhotonBatch) else frames
        kept = tuple(bytes(frame) for frame in packed)
        self._sent[topic_of(message)] += 1
        self._published += 1
        self._history.add(Kept(envelope.pos, topic_of(message), self._clock(), kept))
        if isinstance(message, Segment):
            self._progress = _Progress(message.index, 0, self._progress.photons)
        elif isinstance(message, PhotonBatch):
            photons = self._progress.photons + len(message.photons)
            self._progress = _Progress(message.segment, message.stop_pulse, photons)
        self._send(frames)

    async def serve(self) -> None:
        """Answer questions, greet subscribers and beat once a second, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._answer_questions())
            tasks.create_task(self._greet())
            tasks.create_task(self._beat())

    @property
    def followers(self) -> int:
        """How many subscribers follow closely."""
        return len(self._followers)

    async def followed(self) -> None:
        """Wait until a subscriber has joined and caught up."""
        while not len(self._followers):
            await self._wait_for_report()

    async def room(self) -> None:
        """Wait while a follower is so far behind that more messages could fill its queue."""
        while (slowest := self._followers.slowest()) is not None and slowest + WINDOW < self._published:
            await self._wait_for_report()

    async def delivered(self) -> None:
        """Wait until every follower has handed on everything published so far."""
        while (slowest := self._followers.slowest()) is not None and slowest < self._published:
            await self._wait_for_report()

    def _begin_stream(self) -> None:
        self._sid = secrets.token_hex(16)
        self._history = History(*self._keep)
        self._followers = Followers(self._clock)
        self._sent: Counter[str] = Counter()
        self._published = 0
        self._progress = _Progress()

    async def _wait_for_report(self) -> None:
        self._heard.clear()
        with contextlib.suppress(TimeoutError):  # a follower may fall silent: look again now and then
            async with asyncio.timeout(0.25):
                await self._heard.wait()

    def _bound(self, kind: int, address: str) -> zmq.asyncio.Socket:
        socket = self._context.socket(kind)
        socket.linger = 0
        socket.maxmsgsize = MAX_QUESTION
        socket.handshake_ivl = 5000
        socket.sndhwm = SEND_QUEUE if kind == zmq.XPUB else ANSWER_QUEUE
        if kind == zmq.XPUB:
            socket.xpub_verbose = True
        try:
            with private_files():
                socket.bind(address)
        except zmq.ZMQError as error:
            where = address.removeprefix("ipc://")
            if error.errno == zmq.EADDRINUSE:
                raise EndpointError(f"{where} is in use: stop who uses it or choose another port") from None
            raise EndpointError(f"cannot listen at {where}: {zmq.strerror(error.errno or 0)}") from None
        return socket

    def _next_envelope(self, topic: str) -> Envelope:
        return Envelope(self._sid, self._sent[topic], self._published, self._unix_ns())

    def _send(self, frames: list[bytes | memoryview]) -> None:
        # Frames are copied, so a caller may use its arrays again. An XPUB never blocks and never refuses:
        # the future is done when it is returned.
        future = self._data.send_multipart(frames, flags=zmq.DONTWAIT, copy=True)
        if isinstance(future, asyncio.Future) and future.done():
            future.result()

    def _heartbeat(self) -> None:
        last_seq = {topic: sent - 1 for topic, sent in self._sent.items() if sent}
        progress = self._progress
        message = Heartbeat(
            last_seq,
            self._clock() - self._started_s,
            progress.segment,
            progress.stop_pulse,
            progress.photons,
            self._queue_depth(),
        )
        topic = topic_of(message)
        envelope = self._next_envelope(topic)
        self._sent[topic] += 1
        self._send(encode(message, envelope))

    async def _beat(self) -> None:
        while True:
            self._heartbeat()
            await asyncio.sleep(self._heartbeat_s)

    async def _greet(self) -> None:
        """A heartbeat for whoever subscribes, so that it knows at once that it is connected."""
        while True:
            if (await self._data.recv()).startswith(b"\x01"):
                self._heartbeat()

    async def _answer_questions(self) -> None:
        while True:
            *route, question = await self._query.recv_multipart()
            if 0 < len(route) <= 2 and (frames := self._answer(route[0], question)):
                await self._query.send_multipart([*route, *frames])

    def _answer(self, who: bytes, question: bytes) -> list[bytes | memoryview]:
        """The frames that answer a question; none if it takes no answer."""
        try:
            asked = unpack_question(question)
        except WireError as error:
            return self._packed_answer(0, 0, (), str(error))
        match asked:
            case TellSeen(sid, pos):
                if sid == self._sid:
                    self._followers.report(who, min(pos, self._published))
                    self._heard.set()
                return []
            case TellLeft():
                self._followers.left(who)
                self._heard.set()
                return []
            case AskState(number, at):
                return self._packed_answer(number, at, self._history.in_force(at))
            case AskFetch(number, first, stop, topics):
                stop = min(stop, self._published)
                page = self._history.page(first, stop, frozenset(topics) or None, PAGE_BYTES)
                return self._packed_answer(number, page.next_pos, page.messages)

    def _packed_answer(
        self, number: int, next_pos: int, messages: tuple[Kept, ...], error: str = ""
    ) -> list[bytes | memoryview]:
        answer = Answer(
            id=number,
            sid=self._sid,
            error=error,
            next_pos=next_pos,
            published=self._published,
            oldest_bulk_pos=self._history.oldest_bulk_pos,
            last_seq={topic: sent - 1 for topic, sent in self._sent.items() if sent},
            sizes=tuple(len(kept.frames) for kept in messages),
        )
        return pack_answer(answer, [kept.frames for kept in messages])
