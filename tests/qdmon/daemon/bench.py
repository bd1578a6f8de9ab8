"""A bench whose every call is written down, and whose photons are countable: one a millisecond of stream."""

import asyncio
import threading
import time
from dataclasses import dataclass, field

import numpy as np

from hardware.protocols import Bench, CardError, LaserError
from hardware.records import encoder_for
from hardware.types import (
    Acquisition,
    DeviceInfo,
    LaserReading,
    Photons,
    RawBlock,
    RecordLayout,
    Verification,
)

PULSES_PER_BLOCK = 50_000
RATE_HZ = 1e6
PER_PERMILLE = 0.01


@dataclass
class Log:
    """What was called, in order, from whatever thread."""

    calls: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, call: str) -> None:
        with self.lock:
            self.calls.append(call)

    async def reached(self, call: str) -> None:
        """Wait for a call."""
        async with asyncio.timeout(10):
            while call not in self.calls:  # noqa: ASYNC110 - the calls come from other threads
                await asyncio.sleep(0)

    def order(self, *names: str) -> list[str]:
        """The first call of each of these names, in the order they came."""
        return sorted((n for n in names if n in self.calls), key=self.calls.index)


class RecordingLaser:
    """Does as told and remembers; `power_at` says which level it had at the pulse a caller asks for."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self.level = 0
        self.emission = False
        self.armed = False
        self.refuse_power = False
        self.silent = False
        self.delay_s = 0.0

    def open(self) -> DeviceInfo:
        self.log.note("laser open")
        return DeviceInfo("laser", "paper laser", "0", "test", Verification.COMPLETE)

    def reading(self) -> LaserReading:
        if self.silent:
            return LaserReading(None, None, None, None)
        return LaserReading(self.emission, True, self.level, self.level)

    def set_power_permille(self, level: int) -> LaserReading:
        self.log.note(f"power {level}")
        if self.refuse_power:
            raise LaserError("the laser refused the power level")
        time.sleep(self.delay_s)
        self.level = level
        return self.reading()

    def arm(self) -> None:
        self.armed = True

    def emission_on(self) -> LaserReading:
        if not self.armed:
            raise LaserError("not armed")
        self.armed = False
        self.emission = True
        self.log.note("emission on")
        return self.reading()

    def emission_off(self) -> LaserReading:
        self.emission = False
        self.log.note("emission off")
        return self.reading()

    def close(self) -> None:
        self.emission = False
        self.log.note("laser close")


class SteppingCard:
    """Each read is 50 ms of stream; a photon each 1000 pulses carries the laser level as its nanotime.

    `read` runs as fast as it is called, so a run of seconds of stream takes milliseconds.
    """

    def __init__(self, log: Log, laser: RecordingLaser, *, fail_at_block: int | None = None) -> None:
        self.log = log
        self.laser = laser
        self.fail_at_block = fail_at_block
        self.overrun_blocks: set[int] = set()
        self.dark_blocks: set[int] = set()
        self.blocks = 0
        self.position = 0
        self.running = False
        self.encoder = encoder_for(RecordLayout.GENERIC_T3)

    def open(self) -> DeviceInfo:
        self.log.note("card open")
        return DeviceInfo("card", "paper card", "0", "test", Verification.COMPLETE)

    def configure(self) -> Acquisition:
        return Acquisition("T3", 1e12 / RATE_HZ, 16.0, 4096, (0, 1), RecordLayout.GENERIC_T3, "paper card")

    def start(self) -> None:
        self.log.note("card start")
        self.running = True

    def read(self) -> RawBlock:
        if not self.running:
            return RawBlock(np.empty(0, np.uint32), time.monotonic_ns())
        number, self.blocks = self.blocks, self.blocks + 1
        if number == self.fail_at_block:
            raise CardError("the card was pulled out")
        time.sleep(0.0005)
        first, self.position = self.position, self.position + PULSES_PER_BLOCK
        pulse = np.arange(first, self.position, 1000, dtype=np.uint64)
        if number in self.dark_blocks:
            pulse = pulse[:0]
        nanotime = np.full(len(pulse), self.laser.level if self.laser.emission else 0, np.uint16)
        words = self.encoder.feed(Photons(pulse, nanotime, np.zeros(len(pulse), np.uint8)), self.position)
        return RawBlock(
            words, time.monotonic_ns(), number in self.overrun_blocks, sync_lost=number in self.dark_blocks
        )

    def stop(self) -> None:
        self.log.note("card stop")
        self.running = False

    def close(self) -> None:
        self.log.note("card close")


def make_bench(**card_options: int | None) -> tuple[Bench, SteppingCard, RecordingLaser, Log]:
    log = Log()
    laser = RecordingLaser(log)
    card = SteppingCard(log, laser, **card_options)
    return Bench(card, laser, PER_PERMILLE, {"bench": "paper"}), card, laser, log
