"""The laser on the pulse clock: runs the levels and says in the stream which pulses had which fluence."""

import asyncio
import time
from collections.abc import Callable, Sequence

import structlog

from hardware.protocols import LaserError
from hardware.types import LaserReading
from hardware.worker import TimedBlock
from qdmon.daemon.laser import LaserControl
from qdmon.daemon.pipeline import PhotonPipeline
from qdmon.daemon.steps import Level, LevelSchedule
from streams.messages import Fluence, LaserState, Marker, Message, Status

__all__ = ["Excitation"]

LOOK_S = 1.0
REPEAT_S = 5.0
SILENCES = 3
NOT_KNOWN = LaserReading(None, None, None, None)

log = structlog.get_logger("laser")


class Excitation:
    """Everything a run says about light.

    Args:
        laser: opened; None where fluence is set by hand.
        levels: the protocol, or empty: then the laser is only watched.
        mean_excitation_per_permille: <N> per 0.1 % of power; None if uncalibrated.
        segment: index of the segment.
        pipeline: where the photons are.
        publish: sends a message.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        laser: LaserControl | None,
        levels: Sequence[Level],
        *,
        mean_excitation_per_permille: float | None,
        segment: int,
        pipeline: PhotonPipeline,
        publish: Callable[[Message], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._laser = laser
        self._levels = tuple(levels)
        self._schedule = LevelSchedule(self._levels) if levels else None
        self._per_permille = mean_excitation_per_permille
        self._segment = segment
        self._pipeline = pipeline
        self._publish = publish
        self._clock = clock
        self._said: LaserReading | None = None
        self._said_s = 0.0
        self._expect_emission = False

    async def begin(self) -> None:
        """First level, then emission; without a protocol whatever the laser does is adopted.

        Where nobody knows <N>, nothing is said of it: a `Fluence` of None would mean that it changes.
        """
        if self._laser is None:
            return
        if not self._levels:
            reading = await self._laser.reading()
            found = self._found(reading)
            if found is not None:
                self._publish_fluence(0, found, reading.readback_permille)
        else:
            for level in self._levels:
                self._laser.check_level(level.power_permille)
            first = self._levels[0]
            await self._laser.set_power(first.power_permille)
            reading = await self._laser.emit()
            self._expect_emission = True
            self._publish_marker(0)
            self._publish_fluence(0, first.mean_excitation, first.power_permille)
        self._say(reading)

    def advance(self, timed: TimedBlock) -> Level | None:
        """Call after each block was published; gives the level to `command` now, if one is due."""
        if self._schedule is None:
            return None
        pipeline = self._pipeline
        settled = self._schedule.settled(timed.began_ns, pipeline.position, pipeline.seen)
        if settled is not None:
            self._edge(timed)
            self._publish_fluence(pipeline.position, settled.mean_excitation, settled.power_permille)
        due = self._schedule.due(pipeline.position)
        if due is not None:
            self._edge(timed)
            self._publish_marker(pipeline.position)
            self._publish_fluence(pipeline.position, None, due.power_permille)
        return due

    @property
    def finished(self) -> bool:
        """Whether the protocol has run to its end."""
        return self._schedule is not None and self._schedule.finished(self._pipeline.position)

    async def command(self, level: Level) -> None:
        """Set a level that `advance` gave; raises LaserError."""
        if self._laser is None or self._schedule is None:
            return
        reading = await self._laser.set_power(level.power_permille)
        self._schedule.acknowledged(time.monotonic_ns())
        self._say(reading)

    async def watch(self) -> None:
        """Ask the laser once a second, for ever; raises LaserError when it stays silent."""
        if self._laser is None:
            return
        silences = 0
        while True:
            await asyncio.sleep(LOOK_S)
            reading = await self._laser.reading()
            self._say(reading)
            silences = silences + 1 if reading.emission is None else 0
            if silences == SILENCES:
                raise LaserError("the laser does not answer: assume it is ON; check its cable and power")
            if self._expect_emission and reading.emission is False:
                self._emission_ended(reading)

    async def make_safe(self) -> None:
        """Emission off; what is known of it afterwards is published. Never raises."""
        if self._laser is None:
            return
        was_on, self._expect_emission = self._expect_emission, False
        self._schedule = None
        reading = await self._laser.make_safe()
        if was_on:
            self._publish_fluence(self._pipeline.stop_pulse, None, None)
        self._say(reading or NOT_KNOWN)

    def _emission_ended(self, reading: LaserReading) -> None:
        self._expect_emission = False
        self._schedule = None
        self._publish_fluence(self._pipeline.stop_pulse, None, None)
        why = "its interlock is open" if reading.interlock_ok is False else "see its display"
        log.error("emission ended by itself", interlock_ok=reading.interlock_ok)
        self._publish(Status("fault", f"laser emission ended by itself: {why}; the protocol is over"))

    def _found(self, reading: LaserReading) -> float | None:
        if not reading.emission or reading.readback_permille is None or self._per_permille is None:
            return None
        return reading.readback_permille * self._per_permille

    def _edge(self, timed: TimedBlock) -> None:
        for message in self._pipeline.edge(timed.block.host_time_ns):
            self._publish(message)

    def _publish_marker(self, pulse: int) -> None:
        if self._schedule is None:
            return
        number = self._schedule.index
        level = self._levels[number]
        text = f"step {number + 1}/{len(self._levels)}: <N> = {level.mean_excitation:g}"
        self._publish(Marker(self._segment, pulse, "protocol", text))

    def _publish_fluence(self, pulse: int, mean_excitation: float | None, permille: int | None) -> None:
        origin = "uncalibrated" if self._per_permille is None else "calibrated"
        self._publish(Fluence(self._segment, pulse, mean_excitation, permille, origin))

    def _say(self, reading: LaserReading) -> None:
        """LaserState when it changed, and now and then."""
        now = self._clock()
        if reading == self._said and now - self._said_s < REPEAT_S:
            return
        self._said, self._said_s = reading, now
        self._publish(
            LaserState(
                self._segment,
                self._pipeline.stop_pulse,
                reading.emission,
                reading.interlock_ok,
                reading.setpoint_permille,
                reading.readback_permille,
            )
        )
