"""The receiving end of a session: every message once, in order, from the past into the present.

Blocking, for one thread of its own. Finding a daemon, late join, repair of losses, silence and restarts
are dealt with here; `streams.sequence` and `streams.losses` hold the rules, this module the sockets.
"""

import math
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self

import zmq

from streams.endpoints import Endpoints
from streams.losses import LossLedger
from streams.messages import End, Heartbeat, Message
from streams.query import (
    Answer,
    AskFetch,
    AskState,
    TellLeft,
    TellSeen,
    pack_question,
    unpack_answer,
)
from streams.sequence import Delivered, Sequencer, Wanted
from streams.wire import MAX_FRAME, TOPICS, Envelope, WireError, decode, topic_of

__all__ = ["LinkEvent", "LinkKind", "Subscriber"]

LinkKind = Literal["waiting", "joined", "silent", "back", "lost", "restarted", "ended", "unreadable"]

_RECEIVE_QUEUE = 80
_SEND_QUEUE = 8
_GOODBYE_MS = 100
_ASK_AGAIN_S = 1.0  # after which a question counts as lost
_REPORT_S = 0.25
_REPORT_EVERY = 16  # positions
_AT_ONCE = 16  # live messages taken from the socket before handing on what is ready

_Item = tuple[Envelope, Message]


@dataclass(frozen=True, slots=True)
class LinkEvent:
    """Something about the connection, for people.

    "waiting": no daemon answers yet; "joined": everything up to the present was handed on; "silent" and
    "back"; "lost": messages are gone for good; "restarted": a new session follows; "ended": on purpose;
    "unreadable": what arrives is not this protocol, or another version of it.
    """

    kind: LinkKind
    text: str


class Subscriber:
    """Receives a session; use in one thread only, as `with` or with `close`.

    Messages come in order, each once: first what the publisher still has (or with history=False the state
    that holds now), then live. Photons that are gone for good are reported as `Gap` with cause
    MESSAGES_DROPPED before the batch that follows them. Heartbeats are handed on as they come.

    Args:
        endpoints: of the publisher; it need not be there yet.
        topics: hand on these only ("photons/", see `streams.wire.TOPICS`); None for all.
        history: begin with the past.
        silence_s: without any sign of life for so long the link counts as silent.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        endpoints: Endpoints,
        *,
        topics: Iterable[str] | None = None,
        history: bool = True,
        silence_s: float = 2.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._endpoints = endpoints
        self._topics = None if topics is None else frozenset(topics)
        if self._topics is not None and not self._topics <= set(TOPICS.values()):
            raise ValueError(f"unknown topics: choose from {', '.join(TOPICS.values())}")
        self._history = history
        self._silence_s = silence_s
        self._clock = clock
        self._context = zmq.Context(io_threads=1)
        self._live = self._connected(zmq.SUB, endpoints.data)
        self._query = self._connected(zmq.DEALER, endpoints.query)
        self._poller = zmq.Poller()
        self._poller.register(self._live, zmq.POLLIN)
        self._poller.register(self._query, zmq.POLLIN)
        self._out: deque[Message | LinkEvent] = deque()
        self._heard_s = clock()
        self._link: Literal["new", "up", "silent", "ended"] = "new"
        self._told_waiting = False
        self._complaint = ""
        self._question = 0
        self._begin(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Say goodbye and let go of the sockets; may be called twice."""
        if self._sid is not None and not self._query.closed:
            self._send(pack_question(TellLeft(self._sid)))
        self._context.destroy(linger=_GOODBYE_MS)

    def receive(self, timeout_s: float) -> Message | LinkEvent | None:
        """The next message or news of the link; None if nothing came within `timeout_s`."""
        deadline_s = self._clock() + timeout_s
        while not self._out:
            stream, done_pos = self._sequence, self._sequence.next_pos  # who asks for more is done with these
            self._take_what_came()
            self._hand_on()
            if self._sequence is stream:
                self._report(done_pos)
            self._watch_silence()
            self._ask()
            left_s = deadline_s - self._clock()
            if self._out or left_s <= 0:
                break
            self._poller.poll(1 + int(1000 * min(left_s, self._silence_s / 4, _REPORT_S)))
        return self._out.popleft() if self._out else None

    def _connected(self, kind: int, address: str) -> zmq.Socket[bytes]:
        # No ZMTP heartbeats: libzmq 4.3.5 aborts the process when one meets a full receive queue of a lost
        # connection (libzmq issues 4364 and 4767). The stream has its own heartbeat.
        socket: zmq.Socket[bytes] = self._context.socket(kind)
        socket.linger = 0
        socket.maxmsgsize = MAX_FRAME
        socket.rcvhwm = _RECEIVE_QUEUE
        socket.sndhwm = _SEND_QUEUE
        socket.reconnect_ivl = 50
        socket.reconnect_ivl_max = 500
        if kind == zmq.SUB:
            socket.subscribe(b"")  # all topics: positions can only be checked if all of them come
        socket.connect(address)
        return socket

    def _begin(self, sid: str | None) -> None:
        """Start over with the stream `sid`."""
        self._sid = sid
        self._sequence: Sequencer[_Item] = Sequencer(history=self._history)
        self._losses = LossLedger()
        self._open: dict[int, Wanted] = {}  # questions that an answer may still come to
        self._asked_s = -math.inf
        self._joined = False
        self._reported: tuple[int, float] = (0, -math.inf)

    def _take_what_came(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                frames = self._live.recv_multipart(zmq.DONTWAIT)
            except zmq.Again:
                break
            self._heard()
            try:
                envelope, message = decode(frames)
            except WireError as error:
                self._complain(str(error))
            else:
                self._take_live(envelope, message, sum(map(len, frames)))
        try:
            frames = self._query.recv_multipart(zmq.DONTWAIT)
        except zmq.Again:
            return
        self._heard()
        try:
            self._take_answer(*unpack_answer(frames))
        except WireError as error:
            self._complain(str(error))

    def _heard(self) -> None:
        self._heard_s = self._clock()
        if self._link == "silent":
            self._out.append(LinkEvent("back", f"the daemon at {self._endpoints} is back"))
        if self._link in ("new", "silent"):
            self._link = "up"

    def _complain(self, why: str) -> None:
        if why != self._complaint:
            self._complaint = why
            self._out.append(LinkEvent("unreadable", f"cannot read what {self._endpoints} sends: {why}"))

    def _take_live(self, envelope: Envelope, message: Message, size: int) -> None:
        if envelope.sid != self._sid:
            if self._sid is not None:
                self._out.append(LinkEvent("restarted", f"a new session runs at {self._endpoints}"))
            self._begin(envelope.sid)
            self._link = "up"
        if isinstance(message, Heartbeat):
            self._sequence.published(envelope.pos)
            if self._joined and self._wants(message):  # a session does not begin with a heartbeat
                self._out.append(message)
        else:
            self._sequence.live(envelope.pos, (envelope, message), size)

    def _take_answer(self, answer: Answer, messages: list[_Item | WireError]) -> None:
        if answer.error:
            self._complain(answer.error)
        wanted = self._open.get(answer.id)
        if wanted is None or answer.sid != self._sid:
            return
        readable = [(m[0].pos, m) for m in messages if not isinstance(m, WireError) and m[0].sid == self._sid]
        for message in messages:
            if isinstance(message, WireError):
                self._complain(str(message))
        if self._sequence.page(wanted.first, min(answer.next_pos, wanted.stop), readable):
            self._open.clear()
            self._asked_s = -math.inf

    def _hand_on(self) -> None:
        while (step := self._sequence.take()) is not None:
            if not isinstance(step, Delivered):
                continue
            envelope, message = step.item
            if not self._wants(message):
                continue
            if (lost := self._losses.before(envelope, message)) is not None:
                what = f"{lost.messages} messages of {lost.topic} are gone"
                self._out.append(LinkEvent("lost", f"{what}: this program could not keep up or was stopped"))
                if lost.gap is not None:
                    self._out.append(lost.gap)
            self._out.append(message)
            if isinstance(message, End):
                self._link = "ended"
                self._out.append(LinkEvent("ended", f"the session is over: {message.reason}"))
        if self._sequence.joined and not self._joined:
            self._joined = True
            self._out.append(LinkEvent("joined", f"connected to {self._endpoints}"))

    def _wants(self, message: Message) -> bool:
        return self._topics is None or topic_of(message) in self._topics

    def _watch_silence(self) -> None:
        quiet_s = self._clock() - self._heard_s
        if self._link == "new" and not self._told_waiting and quiet_s > self._silence_s / 4:
            self._told_waiting = True
            self._out.append(
                LinkEvent("waiting", f"no daemon answers at {self._endpoints}; start one with `qdmon daemon`")
            )
        elif self._link == "up" and quiet_s > self._silence_s:
            self._link = "silent"
            self._out.append(
                LinkEvent("silent", f"no sign of life from {self._endpoints} for {quiet_s:.0f} s")
            )

    def _ask(self) -> None:
        """Ask for what is missing, one question at a time."""
        wanted = self._sequence.wanted()
        now_s = self._clock()
        if wanted is None or now_s - self._asked_s < _ASK_AGAIN_S:
            return
        self._question += 1
        self._open[self._question] = wanted
        self._asked_s = now_s
        if wanted.state_only:
            self._send(pack_question(AskState(self._question, wanted.stop)))
        else:
            topics = tuple(sorted(self._topics or ()))
            self._send(pack_question(AskFetch(self._question, wanted.first, wanted.stop, topics)))

    def _report(self, done_pos: int) -> None:
        """Say how far this subscriber has come, so that a replay can wait for it."""
        pos, said_s = self._reported
        if self._sid is None or not self._joined or self._link == "silent":
            return
        due_s = 0.0 if done_pos != pos and not self._out else _REPORT_S
        if done_pos - pos >= _REPORT_EVERY or self._clock() - said_s >= due_s:
            self._send(pack_question(TellSeen(self._sid, done_pos)))
            self._reported = (done_pos, self._clock())

    def _send(self, question: bytes) -> None:
        with suppress(zmq.Again):  # nobody there: the question is asked again later
            self._query.send(question, zmq.DONTWAIT)
