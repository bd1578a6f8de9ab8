"""The recording of a running session: begun and ended on demand, fed before any viewer, reported to all.

`streams.recording` writes; this decides when, keeps what came just before, and turns what the writer says
into messages.
"""

import asyncio
import time
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import structlog

from qdmon.daemon.pretrigger import PreTrigger
from streams.control import Refused
from streams.messages import (
    Alert,
    End,
    Heartbeat,
    Message,
    PhotonBatch,
    RecordingState,
    ReplayState,
    Segment,
    Session,
)
from streams.recording import Problem, Recorder, RecordingError, RecordingPolicy

__all__ = ["Recording"]

LOOK_S = 1.0
CLOSE_S = 20.0
BYTES_PER_PHOTON = 2.8
BYTES_PER_S = 4000.0  # of everything else
USUAL_CPS = 100_000.0  # expected while no photon has been seen yet

_FULL = 0.75
_ROOM_AGAIN = 0.25
_PATIENCE_S = 1.0
_LOOK_AGAIN_S = 0.005
_PENDING = 4096

log = structlog.get_logger("recording")


class Recording:
    """What happens to a session on its way to the disk.

    Everything but the writing itself runs in the event loop.

    Args:
        session: the first message of every recording.
        folder: where session directories are made.
        policy: of the writer.
        pre_trigger_s: how much of what came before a start is included, s.
        publish: sends a message to the viewers (state and alerts).
        clock: monotonic seconds.
        unix_ns: wall clock, for names.
        recorder: makes a writer.
    """

    def __init__(
        self,
        session: Session,
        folder: Path,
        policy: RecordingPolicy,
        *,
        pre_trigger_s: float,
        publish: Callable[[Message], None],
        clock: Callable[[], float] = time.monotonic,
        unix_ns: Callable[[], int] = time.time_ns,
        recorder: Callable[..., Recorder] = Recorder,
    ) -> None:
        self._session = session
        self._folder = folder
        self._policy = policy
        self._publish = publish
        self._clock = clock
        self._unix_ns = unix_ns
        self._before = PreTrigger(pre_trigger_s)
        self._loop = asyncio.get_running_loop()
        self._new_recorder = recorder
        self._recorder: Recorder | None = None
        self._busy = asyncio.Lock()
        self._state = RecordingState("off")
        self._segment: Segment | None = None
        self._at = (0, 0)  # segment and stop pulse of the newest batch
        self._duration_s = 0.0
        self._pending: deque[tuple[int, int, float]] = deque()  # batches not yet safe, with when they came
        self._impatient = False

    @property
    def state(self) -> RecordingState:
        """How it stands now."""
        return self._state if self._recorder is None else self._state_of(self._recorder)

    def take(self, message: Message) -> None:
        """The next message of the session; never waits. Call it before the viewers get the message."""
        if isinstance(message, Heartbeat | RecordingState | ReplayState):
            return
        self._before.add(message)
        if self._recorder is not None:
            self._recorder.put(message)
            self._note(message)
        elif isinstance(message, Segment):
            self._segment = message

    async def room(self) -> None:
        """Wait while the writer is far behind, but not for long: the card must not be kept waiting."""
        recorder = self._recorder
        if recorder is None or self._impatient:
            self._impatient = recorder is not None and recorder.backlog > _ROOM_AGAIN
            return
        until_s = self._clock() + _PATIENCE_S
        while recorder.backlog > _FULL and self._recorder is recorder:
            if self._clock() > until_s or recorder.status().state != "recording":
                self._impatient = True  # what does not fit is lost to the recording, which says so
                return
            await asyncio.sleep(_LOOK_AGAIN_S)

    async def start(self, title: str = "") -> None:
        """Begin a recording with the last seconds; raises Refused, with the reason."""
        async with self._busy:
            if self._recorder is not None:
                raise Refused(f"already recording {self._recorder.folder.name}: stop it first")
            rate_cps = self._before.rate_cps
            expected = BYTES_PER_S + BYTES_PER_PHOTON * (USUAL_CPS if rate_cps is None else rate_cps)
            try:
                recorder = await asyncio.to_thread(
                    self._new_recorder,
                    self._folder,
                    title or self._session.title,
                    self._policy,
                    expected_bytes_per_s=expected,
                    on_problem=self._heard,
                    unix_ns=self._unix_ns,
                )
            except RecordingError as error:
                raise Refused(str(error)) from error
            self._begin(recorder, title)
        log.info("recording", folder=str(recorder.folder))
        self._publish(self.state)

    async def stop(self, last: Message | None = None) -> None:
        """End the recording, with a last message; raises Refused if there is none."""
        async with self._busy:
            recorder = self._recorder
            if recorder is None:
                raise Refused("nothing is being recorded")
            recorder.put(last or End("recording stopped"))
            self._state, self._recorder = self.state, None  # what comes now is no longer part of it
            status = await asyncio.to_thread(recorder.stop, CLOSE_S)
            closed = status.state == "stopped"
            text = (
                status.error if closed else "the disk did not take the end of it in time: use qdmon recover"
            )
            ended = self._state_of(recorder)
            self._state = replace(ended, state="off", text=text, durable_age_s=0.0, space_s=None)
        log.info("recording ended", folder=status.folder, photons=status.photons, closed=closed)
        self._publish(self._state)

    async def close(self, last: Message) -> None:
        """End it if there is one; the session is over."""
        if self._recorder is not None:
            await self.stop(last)

    async def watch(self) -> None:
        """Say how it stands, and then once a second while there is one, until cancelled."""
        self._publish(self.state)
        while True:
            await asyncio.sleep(LOOK_S)
            if self._recorder is not None:
                self._publish(self.state)

    def _state_of(self, recorder: Recorder) -> RecordingState:
        status = recorder.status()
        durable = (status.durable.segment, status.durable.stop_pulse) if status.durable.messages else None
        while durable is not None and self._pending and self._pending[0][:2] <= durable:
            self._pending.popleft()
        return RecordingState(
            "failed" if status.state == "suspended" else "on",
            recorder.folder.name,
            status.error,
            status.photons,
            status.bytes,
            self._duration_s,
            durable[0] if durable else None,
            durable[1] if durable else None,
            self._clock() - self._pending[0][2] if self._pending else 0.0,
            status.remaining_s,
        )

    def _begin(self, recorder: Recorder, title: str) -> None:
        """Hand over what came before, without a turn of the loop between it and what comes next."""
        self._duration_s = 0.0
        self._pending.clear()
        self._impatient = False
        opening = self._before.messages()
        session = replace(self._session, title=title) if title else self._session
        for message in (session, *opening):
            recorder.put(message)
            self._note(message)
        self._recorder = recorder

    def _note(self, message: Message) -> None:
        if isinstance(message, Segment):
            self._segment = message
        if not isinstance(message, PhotonBatch):
            return
        self._at = message.segment, message.stop_pulse
        if self._segment is not None:
            pulses = message.stop_pulse - message.first_pulse
            self._duration_s += self._segment.acquisition.seconds(pulses)
        if len(self._pending) < _PENDING:
            self._pending.append((*self._at, self._clock()))

    def _heard(self, problem: Problem) -> None:
        """Called from the writer's thread."""
        self._loop.call_soon_threadsafe(self._tell, problem)

    def _tell(self, problem: Problem) -> None:
        log.warning("recording", kind=problem.kind, text=problem.text)
        segment, pulse = self._at
        alert = Alert(uuid.uuid4().hex, segment, pulse, "recording", problem.severity, problem.text)
        self.take(alert)
        self._publish(alert)
        if self._recorder is not None:
            self._publish(self.state)
