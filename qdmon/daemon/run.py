"""One run of the daemon: instruments in, messages out, and an end in good order whatever happens."""

import asyncio
import time
from collections.abc import Coroutine, Sequence
from typing import Any, Literal, Protocol

import structlog

from hardware.types import Acquisition
from hardware.worker import CardReader, TimedBlock
from qdmon.daemon.excitation import Excitation
from qdmon.daemon.instruments import Instruments
from qdmon.daemon.pipeline import PhotonPipeline
from qdmon.daemon.spectra import Spectra
from qdmon.daemon.steps import Level
from streams.messages import End, Message, Segment, Status

__all__ = ["Run", "Sink"]

SEGMENT = 0
SAFE_LIMIT_S = 3.0
SPECTROMETER_LIMIT_S = 1.0
DRAIN_LIMIT_S = 3.0
VIEWERS_LIMIT_S = 2.0
RECORDING_LIMIT_S = 25.0

log = structlog.get_logger("daemon")


class Sink(Protocol):
    """Where messages go: to the disk, then to the viewers."""

    def publish(self, message: Message) -> None:
        """Send; never waits for a subscriber."""

    async def room(self) -> None:
        """Wait while the disk is behind; not for long."""

    async def record_end(self, last: Message) -> None:
        """Close a recording with its last message."""

    async def delivered(self) -> None:
        """Wait until every subscriber that keeps up has everything."""


class Run:
    """Owns the order of things from the first message to the last.

    The end is the same after a request, a signal, a failure and a cancellation: laser safe, spectrometer
    stop, card stop, drain, last batch, recording closed, End; each step bounded.

    Args:
        instruments: opened.
        acquisition: what the card was configured to.
        sink: gets every message.
        levels: protocol steps; empty for none.
        after: what to do when the protocol is over.
        batch_s: length of a batch in stream time.
        mean_excitation_per_permille: <N> per 0.1 % of laser power; None if uncalibrated.
        keep_open: when the protocol ends the run, stay reachable for viewers until asked to stop.
    """

    def __init__(
        self,
        instruments: Instruments,
        acquisition: Acquisition,
        sink: Sink,
        *,
        levels: Sequence[Level] = (),
        after: Literal["hold", "off", "exit"] = "hold",
        batch_s: float = 0.05,
        mean_excitation_per_permille: float | None = None,
        keep_open: bool = False,
    ) -> None:
        self._acquisition = acquisition
        self._sink = sink
        self._after = after
        self._pipeline = PhotonPipeline(SEGMENT, acquisition, batch_s=batch_s)
        self._excitation = Excitation(
            instruments.laser,
            levels,
            mean_excitation_per_permille=mean_excitation_per_permille,
            segment=SEGMENT,
            pipeline=self._pipeline,
            publish=sink.publish,
        )
        self._spectra = Spectra(
            instruments.spectrometer, segment=SEGMENT, pipeline=self._pipeline, publish=sink.publish
        )
        self._reader = CardReader(instruments.bench.card, instruments.card_thread)
        self._tasks = asyncio.TaskGroup()
        self._children: set[asyncio.Task[None]] = set()
        self._consumer: asyncio.Task[None] | None = None
        self._stop = asyncio.Event()
        self._reason = "stopped"
        self._hurry = asyncio.Event()
        self._keep_open = keep_open
        self._limit: asyncio.Timeout | None = None
        self._sync_lost = False
        self._protocol_over = False
        self._over = False

    @property
    def queue_depth(self) -> int:
        """Raw blocks waiting to be decoded."""
        return self._reader.depth

    def stop(self, reason: str) -> None:
        """Ask for an orderly end; asking again cuts the waiting short, but never the laser's."""
        if not self._stop.is_set():
            self._reason = reason
            self._stop.set()
            return
        self._hurry.set()
        if self._limit is not None:
            self._limit.reschedule(0)

    async def run(self, *background: Coroutine[Any, Any, None]) -> None:
        """Run until asked to stop; `background` coroutines live as long. Raises what failed first."""
        try:
            async with asyncio.TaskGroup() as self._tasks:
                try:
                    for work in background:
                        self._spawn(work)
                    await self._begin()
                    self._spawn(self._excitation.watch())
                    self._spawn(self._spectra.watch())
                    self._consumer = self._spawn(self._consume())
                    await self._stop.wait()
                except Exception as error:
                    self._fail(error)
                    raise
                finally:
                    await self._end()
                    for child in self._children:
                        child.cancel()
        except BaseExceptionGroup as group:
            raise _first(group) from None

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        async def guarded() -> None:
            try:
                await work
            except Exception as error:
                self._fail(error)
                raise

        child = self._tasks.create_task(guarded())
        self._children.add(child)
        child.add_done_callback(self._children.discard)
        return child

    def _fail(self, error: Exception) -> None:
        self._reason = str(error) or type(error).__name__
        log.error("failure", error=self._reason, kind=type(error).__name__)
        self._sink.publish(Status("fault", self._reason))

    async def _begin(self) -> None:
        self._sink.publish(Segment(SEGMENT, self._acquisition))
        self._sink.publish(Status("starting", f"starting {self._acquisition.instrument}"))
        await self._excitation.begin()
        await self._reader.start()
        self._sink.publish(Status("running", "acquiring"))
        log.info("acquiring", instrument=self._acquisition.instrument)

    async def _consume(self) -> None:
        async for timed in self._reader:
            self._take(timed)
            await self._sink.room()
            level = self._excitation.advance(timed)
            if level is not None:
                log.info("fluence step", mean_excitation=level.mean_excitation)
                self._spawn(self._excitation.command(level))
            elif self._excitation.finished and not self._protocol_over:
                self._protocol_over = True
                self._spawn(self._after_protocol())

    def _take(self, timed: TimedBlock) -> None:
        for message in self._pipeline.feed(timed.block):
            self._sink.publish(message)
        self._spectra.advance(timed)
        if timed.block.overrun:
            log.warning("card FIFO overrun", pulse=self._pipeline.position)
        if timed.block.sync_lost != self._sync_lost:
            self._sync_lost = timed.block.sync_lost
            self._sink.publish(
                Status("fault", "the card sees no laser pulses: check the sync cable")
                if self._sync_lost
                else Status("running", "laser pulses are back")
            )

    async def _after_protocol(self) -> None:
        log.info("protocol finished", after=self._after)
        if self._after == "exit":
            self._over = True
            self.stop("protocol finished")
            return
        if self._after == "off":
            await self._excitation.make_safe()
        self._sink.publish(Status("running", "the protocol is over"))

    async def _end(self) -> None:
        await self._bounded("make the laser safe", self._excitation.make_safe(), SAFE_LIMIT_S, urgent=True)
        self._sink.publish(Status("stopping", self._reason))
        await self._bounded("stop the spectrometer", self._spectra.stop(), SPECTROMETER_LIMIT_S)
        self._reader.stop()
        await self._bounded("drain the card", self._drain(), DRAIN_LIMIT_S)
        self._reader.abandon()
        for message in self._pipeline.finish(time.monotonic_ns()):
            self._sink.publish(message)
        self._spectra.finish()
        end = End(self._reason)
        await self._bounded("close the recording", self._sink.record_end(end), RECORDING_LIMIT_S, urgent=True)
        self._sink.publish(end)
        if self._over and self._keep_open:
            await self._hurry.wait()
        else:
            await self._bounded("send everything to the viewers", self._sink.delivered(), VIEWERS_LIMIT_S)
        log.info("stopped", reason=self._reason, photons=self._pipeline.photons)

    async def _drain(self) -> None:
        if self._consumer is None:  # the card was never started
            return
        await asyncio.wait({self._consumer})
        if self._consumer.cancelled():  # because something else failed: the photons are still good
            async for timed in self._reader:
                self._take(timed)

    async def _bounded(
        self, what: str, work: Coroutine[Any, Any, None], limit_s: float, *, urgent: bool = False
    ) -> None:
        """Wait for a step of the end, not longer than its limit; a failure must not stop the next step."""
        try:
            async with asyncio.timeout(0 if self._hurry.is_set() and not urgent else limit_s) as limit:
                self._limit = None if urgent else limit
                await work
        except TimeoutError:
            log.warning(f"could not {what} in time", limit_s=limit_s)
        except Exception as error:
            log.warning(f"could not {what}", error=str(error))
        finally:
            self._limit = None


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
