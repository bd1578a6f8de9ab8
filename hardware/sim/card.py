"""A TCSPC card that counts the photons of a simulated dot and speaks generic T3 words."""

import time
from collections import deque
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from hardware.protocols import CardError
from hardware.records import RecordEncoder, encoder_for
from hardware.sim.faults import Faults
from hardware.sim.optics import CHUNK_S
from hardware.sim.simulation import DotSimulation
from hardware.sim.truth import Truth
from hardware.types import Acquisition, DeviceInfo, Photons, RawBlock, RecordLayout, Verification

__all__ = ["SimulatedCard"]

_Words = NDArray[np.uint32]

_LONGEST_READ_NS = 100_000_000
_LARGEST_LAG_NS = 1_000_000_000


class SimulatedCard:
    """Implements `hardware.protocols.TcspcCard`; one read gives one chunk of 50 ms of simulated time.

    The dot lives on from segment to segment, the pulse index restarts. A host that falls more than a
    second behind finds that simulated time has waited for it. Of the faults the card's own are overruns
    and lost syncs, in times of the simulation; a chunk they touch is lost whole.
    """

    def __init__(
        self,
        simulation: DotSimulation,
        mean_excitation: Callable[[], float],
        *,
        speed: float = 1.0,
        faults: Faults | None = None,
        witness: Callable[[float, int, int], None] | None = None,
        clock_ns: Callable[[], int] = time.monotonic_ns,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Prepare a card; nothing runs before `start`.

        Args:
            simulation: the dot and the set-up.
            mean_excitation: asked for <N> at the beginning of each chunk; 0 when the laser is dark.
            speed: simulated seconds per second; infinity gives chunks as fast as they are read.
            faults: the card looks at its own, see `Faults`.
            witness: told in the card's thread of each chunk just lived: when it began in the simulation's
                time, its first and its stop pulse in the segment.
            clock_ns: monotonic host clock.
            sleep: waits so many seconds, while `clock_ns` goes on.

        Raises:
            ValueError: speed is not positive.
        """
        if not speed > 0.0:
            raise ValueError(f"speed is {speed}; it must be above 0")
        self._simulation = simulation
        self._mean_excitation = mean_excitation
        self._chunk_pulses = simulation.preset.setup.chunk_pulses
        self._chunk_ns = CHUNK_S * 1e9 / speed
        self._faults = faults or Faults()
        self._witness = witness
        self._clock_ns = clock_ns
        self._sleep = sleep
        self._opened = False
        self._running = False
        self._chunk_started_ns = 0.0
        self._chunk_excitation: float | None = None
        self._uncounted = 0
        self._encoder: RecordEncoder = encoder_for(RecordLayout.GENERIC_T3)
        self._left: deque[RawBlock] = deque()

    @property
    def truth(self) -> Truth:
        """What the dot has really done so far."""
        return self._simulation.truth

    def open(self) -> DeviceInfo:
        """Identify; never fails. Compiles the kernels now, so that the first read is on time."""
        self._opened = True
        DotSimulation(self._simulation.preset, seed=0).advance(self._chunk_pulses, mean_excitation=0.1)
        acquisition = self._simulation.acquisition()
        return DeviceInfo("card", acquisition.instrument, acquisition.serial, "sim", Verification.COMPLETE)

    def configure(self) -> Acquisition:
        """Time base, detectors and instrument; CardError if not open."""
        if not self._opened:
            raise CardError("the simulated card is not open: open it before configuring")
        return self._simulation.acquisition()

    def start(self) -> None:
        """Begin a segment: pulse index 0 is here; CardError if not open or already running."""
        if not self._opened or self._running:
            state = "already running: stop it first" if self._running else "not open: open it before starting"
            raise CardError(f"the simulated card is {state}")
        self._running = True
        self._left.clear()
        self._encoder = encoder_for(RecordLayout.GENERIC_T3)
        self._uncounted = self._simulation.position
        self._chunk_started_ns = float(self._clock_ns())
        self._chunk_excitation = None

    def read(self) -> RawBlock:
        """The next chunk once its time has passed, or no words after 0.1 s; CardError if never started."""
        if self._left:
            return self._left.popleft()
        if not self._running:
            if not self._opened:
                raise CardError("the simulated card is not open: open and start it before reading")
            return self._block(np.empty(0, np.uint32))
        if self._chunk_excitation is None:
            self._chunk_excitation = self._mean_excitation()
        due_ns = self._chunk_started_ns + self._chunk_ns
        wait_ns = due_ns - self._clock_ns()
        if wait_ns > 0.0:
            self._sleep(min(wait_ns, _LONGEST_READ_NS) * 1e-9)
        if wait_ns > _LONGEST_READ_NS:
            return self._block(np.empty(0, np.uint32))
        self._chunk_started_ns = max(due_ns, self._clock_ns() - _LARGEST_LAG_NS)
        return self._advance(self._chunk_pulses)

    def stop(self) -> None:
        """End the segment now; the part of a chunk that has passed is left to read."""
        if not self._running:
            return
        self._running = False
        if self._chunk_ns > 0.0:
            passed = (self._clock_ns() - self._chunk_started_ns) / self._chunk_ns
            pulses = int(min(max(passed, 0.0), 1.0) * self._chunk_pulses)
            if pulses:
                self._left.append(self._advance(pulses))

    def close(self) -> None:
        """Stop and forget what was not read."""
        self.stop()
        self._left.clear()
        self._opened = False

    def _advance(self, pulses: int) -> RawBlock:
        mean_excitation = self._chunk_excitation
        if mean_excitation is None:
            mean_excitation = self._mean_excitation()
        self._chunk_excitation = None
        start_s = self._simulation.position / self._simulation.preset.setup.pulse_rate_hz
        first_pulse = self._simulation.position - self._uncounted
        photons = self._simulation.advance(pulses, mean_excitation)
        stop_s = self._simulation.position / self._simulation.preset.setup.pulse_rate_hz
        sync_lost = _touches(self._faults.sync_losses, start_s, stop_s)
        if sync_lost:
            self._uncounted += pulses
        if self._witness is not None:
            self._witness(start_s, first_pulse, self._simulation.position - self._uncounted)
        if sync_lost:
            return self._block(np.empty(0, np.uint32), sync_lost=True)
        if _touches(self._faults.overruns, start_s, stop_s):
            return self._block(np.empty(0, np.uint32), overrun=True)
        counted = Photons(photons.pulse - np.uint64(self._uncounted), photons.nanotime, photons.channel)
        return self._block(self._encoder.feed(counted, self._simulation.position - self._uncounted))

    def _block(self, words: _Words, *, overrun: bool = False, sync_lost: bool = False) -> RawBlock:
        return RawBlock(words, self._clock_ns(), overrun, sync_lost)


def _touches(intervals: tuple[tuple[float, float], ...], start_s: float, stop_s: float) -> bool:
    return any(begin < stop_s and end > start_s for begin, end in intervals)
