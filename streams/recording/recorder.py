"""A live session on its way to the disk, in a thread of its own."""

import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Literal

from hardware.types import LossCause
from streams.messages import Message
from streams.recording.events import is_recorded
from streams.recording.files import Files, is_full
from streams.recording.intake import Intake
from streams.recording.policy import (
    Position,
    Problem,
    ProblemKind,
    RecorderStatus,
    RecordingError,
    RecordingPolicy,
)
from streams.recording.session import SessionWriter, create_session
from streams.recording.space import SpaceWatch

__all__ = ["Recorder"]

TICK_S = 0.1
QUIET_S = 60.0  # between two mentions of the same trouble
FULL = "the disk is full: recording waits until there is space; make some"
ALMOST_FULL = "the disk is almost full: recording waits until there is space; make some"


class Recorder:
    """Records a session into a new directory; the disk's slowness and failures stay in its own thread.

    `put` is called by whoever publishes, with every message, in order: `Session` and `Segment` first,
    then (for a recording that begins later) the `Fluence` and `LaserState` in force and the batches kept
    from before, then live. Nothing it does can raise into the caller or make it wait.

    Args:
        parent: folder of the sessions; created if it is missing.
        title: what the operator calls it; becomes the readable part of the directory's name.
        policy: see `RecordingPolicy`.
        expected_bytes_per_s: for the check of free space before the start; None does without.
        on_problem: called from the writer thread when a problem begins and when it is over (once each):
            make an `Alert` of it. Must not block.
        on_acknowledged: called from the writer thread with what was written and what is durable, after
            each change. Must not block.
        unix_ns: wall clock, for names and for people.
        clock: monotonic seconds.
        files: the system, for tests.

    Raises:
        RecordingError: the directory cannot be made, or there is too little space.
    """

    def __init__(
        self,
        parent: Path,
        title: str = "",
        policy: RecordingPolicy = RecordingPolicy(),  # noqa: B008 - frozen
        *,
        expected_bytes_per_s: float | None = None,
        on_problem: Callable[[Problem], None] = lambda _: None,
        on_acknowledged: Callable[[Position, Position], None] = lambda written, durable: None,
        unix_ns: Callable[[], int] = time.time_ns,
        clock: Callable[[], float] = time.monotonic,
        files: Files | None = None,
    ) -> None:
        self._policy = policy
        self._on_problem = on_problem
        self._on_acknowledged = on_acknowledged
        self._clock = clock
        self._files = files or Files()
        self._intake = Intake(policy.queue_bytes, unix_ns)
        self._folder = create_session(parent, title, unix_ns(), self._files)
        self._space = SpaceWatch(self._folder, policy, self._files, clock)
        try:
            self._space.claim(expected_bytes_per_s)
        except RecordingError:
            with suppress(OSError):
                self._folder.rmdir()
            raise
        self._writer = SessionWriter(self._folder, policy, files=self._files)
        self._told = (Position(), Position())
        self._failure: Problem | None = None
        self._failed_s = 0.0
        self._slow = self._low = False
        self._mentioned_s: dict[ProblemKind, float] = {}
        self._refused = 0
        self._synced_s = self._flushed_s = clock()
        self._stopping = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="qdmon-recorder", daemon=True)
        self._thread.start()

    @property
    def folder(self) -> Path:
        """The session directory, `YYYYMMDD-HHMMSS-<slug>-<8 hex>`."""
        return self._folder

    def put(self, message: Message) -> bool:
        """Queue a message for the disk; never waits, from any one thread.

        Returns:
            False if the queue is full: a photon batch was then not taken, and its pulses will be in the
            recording as a gap with its cause; `on_problem` says so once. Producers that can wait call
            `room` before, and lose nothing.
        """
        return not is_recorded(message) or self._intake.put(message)

    def put_all(self, messages: Iterable[Message]) -> None:
        """Queue several, for the pre-trigger."""
        for message in messages:
            self.put(message)

    @property
    def backlog(self) -> float:
        """How full the queue is, 0 to 1: slow the producer down before it is 1."""
        return self._intake.fill

    def room(self, timeout_s: float) -> bool:
        """Wait until the queue has room; False if it took too long. For producers with a thread to spare."""
        return self._intake.room(timeout_s)

    def status(self) -> RecorderStatus:
        """How it is doing now; cheap, from any thread."""
        writer, failure = self._writer, self._failure
        state: Literal["recording", "suspended", "stopped"] = "recording" if failure is None else "suspended"
        if self._stopped.is_set():
            state = "stopped"
        return RecorderStatus(
            state=state,
            folder=str(self._folder),
            written=writer.written,
            durable=writer.durable,
            bytes=writer.bytes,
            photons=writer.written.photons,
            files=writer.files_begun,
            waiting_bytes=self._intake.waiting_bytes,
            lost_photons=self._intake.lost_photons,
            lost_messages=self._intake.lost_messages + self._refused,
            free_bytes=self._space.free_bytes,
            remaining_s=self._space.remaining_s,
            error=failure.text if failure is not None else "",
        )

    def stop(self, timeout_s: float = 30.0) -> RecorderStatus:
        """Write what waits, close the last segment and wait for it. Blocks: call it in a thread.

        A second call returns the same status. If the disk takes longer than `timeout_s` the status is not
        "stopped", and what was written stays readable.
        """
        self._stopping.set()
        self._intake.wake()
        self._stopped.wait(timeout_s)
        return self.status()

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                self._turn()
            if self._failure is not None:
                self._resume()  # perhaps there is space again: one last chance for what waits
            while self._failure is None and self._intake.waiting:
                self._turn()
            self._end()
        except Exception as error:
            self._suspend("disk-failed", f"recording broke off: {type(error).__name__}: {error}")
        finally:
            self._writer.abandon()
            self._space.release()
            self._acknowledge()
            self._stopped.set()

    def _turn(self) -> None:
        """One round: take what came, write what is due, force it to the disk, look at the space."""
        if self._failure is not None:
            self._retry()
            return
        for message, unix_ns in self._intake.take(TICK_S):
            self._add(message, unix_ns)
            if self._writer.due and self._failure is None:
                self._flush()
        if self._failure is None:
            self._keep_up(self._clock())
        self._watch_queue()
        self._acknowledge()

    def _keep_up(self, now: float) -> None:
        """What is due at this time of the clock."""
        if self._writer.urgent or now - self._flushed_s >= self._policy.flush_s:
            self._flushed_s = now
            self._flush()
        if self._failure is None and now - self._synced_s >= self._policy.sync_s:
            self._synced_s = now
            if self._policy.sync != "never":
                self._attempt(self._writer.sync, self._writer.new_segment)
            self._look_at_space()

    def _add(self, message: Message, unix_ns: int) -> None:
        try:
            self._writer.add(message, unix_ns)
        except ValueError as error:
            self._refused += 1
            if self._refused == 1:
                self._tell("refused", f"a message cannot be recorded: {error}")

    def _flush(self) -> None:
        self._attempt(self._writer.flush, self._writer.flush)
        if self._policy.sync == "always" and self._failure is None:
            self._attempt(self._writer.sync, self._writer.new_segment)
        self._acknowledge()

    def _attempt(self, action: Callable[[], None], again: Callable[[], None]) -> None:
        """Do something to the disk; if it fails try a new segment file once, then suspend.

        Args:
            action: what to do.
            again: how to go on where there was no space, once there is some. A file that could not be
                forced to the disk is never trusted again, because the system may have dropped its pages.
        """
        try:
            action()
        except OSError as error:
            if is_full(error):
                self._full(again)
                return
            try:
                self._writer.new_segment()
            except OSError as again:
                text = f"the disk fails ({_reason(again)}): check it; nothing is recorded now"
                self._suspend("disk-failed", text)
                return
            self._mention(
                "disk-failed", f"the disk failed ({_reason(error)}); recording goes on in a new file"
            )

    def _full(self, again: Callable[[], None]) -> None:
        """Give back the ballast, write what was refused and close the file in good order."""
        self._space.release()
        try:
            again()
            self._writer.close()
        except OSError:
            self._writer.abandon()
        self._suspend("disk-full", FULL)

    def _look_at_space(self) -> None:
        self._space.look(self._writer.bytes)
        if self._failure is None and self._space.exhausted:
            with suppress(OSError):
                self._writer.close()
            self._suspend("disk-full", ALMOST_FULL)
        elif self._space.low != self._low:
            self._low = self._space.low
            if self._low:
                self._mention("disk-low", self._space.warning)

    def _watch_queue(self) -> None:
        """While the disk fails its own problem says all; what was refused meanwhile is no news afterwards."""
        overflowing = self._intake.overflowing and self._failure is None
        if overflowing and not self._slow:
            self._mention("disk-slow", "the disk is too slow for the photons: some are not recorded")
        self._slow = overflowing

    def _suspend(self, kind: ProblemKind, text: str) -> None:
        self._failure = Problem(kind, text)
        self._failed_s = self._clock()
        self._intake.cause = LossCause.DISK_FULL if kind == "disk-full" else LossCause.DISK_FAILED
        self._on_problem(self._failure)

    def _retry(self) -> None:
        """Wait, and now and then see whether the disk works again."""
        self._stopping.wait(TICK_S)
        if self._clock() - self._failed_s >= self._policy.retry_s:
            self._failed_s = self._clock()
            self._resume()

    def _resume(self) -> None:
        try:
            if not self._folder.is_dir():
                self._files.make_folder(self._folder)
            self._space.regain()
            self._writer.new_segment()
        except (OSError, RecordingError):
            self._writer.abandon()
            return
        self._failure = None
        self._slow = True  # what was refused until now had the cause that was told
        self._intake.cause = LossCause.DISK_TOO_SLOW
        self._tell("resumed", "recording goes on in a new file")

    def _end(self) -> None:
        if self._failure is not None:
            with suppress(OSError):
                self._writer.close()
            return
        try:
            self._writer.close()
        except OSError as error:
            self._space.release()
            try:
                self._writer.new_segment()
                self._writer.close()
            except OSError:
                self._suspend("disk-failed", f"the end of the recording is lost ({_reason(error)})")

    def _acknowledge(self) -> None:
        now = (self._writer.written, self._writer.durable)
        if now != self._told:
            self._told = now
            self._on_acknowledged(*now)

    def _mention(self, kind: ProblemKind, text: str) -> None:
        """Tell of something that may come again and again, but not too often."""
        now = self._clock()
        if now - self._mentioned_s.get(kind, -QUIET_S) >= QUIET_S:
            self._mentioned_s[kind] = now
            self._tell(kind, text)

    def _tell(self, kind: ProblemKind, text: str) -> None:
        self._on_problem(Problem(kind, text))


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
