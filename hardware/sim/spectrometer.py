"""A spectrometer that looks at the dot a simulated card counts."""

import threading
import time
import zlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from hardware.protocols import SpectrometerError
from hardware.sim.simulation import DotSimulation
from hardware.sim.spectra import EXCESS_NOISE_FACTOR, spectrum_counts, wavelengths_nm
from hardware.sim.state import StatePath
from hardware.sim.truth import Truth
from hardware.types import DeviceInfo, SpectralAxis, SpectrumFrame, Verification

__all__ = ["SimulatedSpectrometer"]

_LONGEST_READ_S = 0.1
_FRAMES_KEPT = 16  # like a camera's own memory: the oldest is overwritten when nobody reads
_SLACK_S = 1e-6
_BRANCH = 3  # the simulation's own chance takes 0 to 2


@dataclass(frozen=True, slots=True)
class _Exposure:
    """Light of one frame, not yet read out."""

    truth: Truth
    pulses: tuple[int, int]
    began_ns: int
    ended_ns: int

    def __add__(self, later: "_Exposure") -> "_Exposure":
        path = StatePath.join([self.truth.path, later.truth.path])
        pulses = self.pulses[0], later.pulses[1]
        return _Exposure(replace(later.truth, path=path), pulses, self.began_ns, later.ended_ns)

    @property
    def seconds(self) -> float:
        return float(self.truth.path.stop_s[-1] - self.truth.path.start_s[0])


class SimulatedSpectrometer:
    """Implements `hardware.protocols.Spectrometer`, gated by the card: frames say which pulses they saw.

    The card's thread hands over the light with `see`, so that nothing but that thread touches the
    simulation. Exposures are whole chunks of simulated time, at whatever speed it passes. The noise of a
    frame depends on the dot's seed and on where the frame begins, never on when it is read.
    """

    def __init__(
        self,
        simulation: DotSimulation,
        *,
        exposure_s: float = 1.0,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """Prepare a spectrometer; it is blind before `start`.

        Args:
            simulation: the dot; only `see` looks at it.
            exposure_s: of a frame, in simulated time.
            clock_ns: monotonic host clock.

        Raises:
            ValueError: exposure is not positive.
        """
        if not 0.0 < exposure_s < np.inf:
            raise ValueError(f"exposure is {exposure_s} s; it must be above 0")
        self._simulation = simulation
        self._exposure_s = exposure_s
        self._clock_ns = clock_ns
        self._opened = False
        self._running = False
        self._seen_ns = 0
        self._exposing: _Exposure | None = None
        self._exposed: deque[_Exposure] = deque(maxlen=_FRAMES_KEPT)
        self._changed = threading.Condition()

    def open(self) -> DeviceInfo:
        """Identify; never fails."""
        self._opened = True
        serial = f"SIM-{self._simulation.seed}"
        return DeviceInfo("spectrometer", "simulated spectrometer", serial, "sim", Verification.COMPLETE)

    def configure(self) -> SpectralAxis:
        """Pixels and exposure; SpectrometerError if not open."""
        self._check_open()
        return SpectralAxis(wavelengths_nm(self._simulation.preset), self._exposure_s, EXCESS_NOISE_FACTOR)

    def start(self) -> None:
        """Expose from the next chunk on; SpectrometerError if not open."""
        self._check_open()
        with self._changed:
            self._forget()
            self._running = True

    def see(self, start_s: float, first_pulse: int, stop_pulse: int) -> None:
        """The simulation has just lived a chunk: where it began, and its pulses in the card's segment.

        Without sync the card counts no pulses, and the chunk's first is its stop pulse.
        """
        now_ns = self._clock_ns()
        with self._changed:
            began_ns, self._seen_ns = self._seen_ns, now_ns
            if not self._running:
                return
            light = _Exposure(
                self._simulation.truth_since(start_s), (first_pulse, stop_pulse), began_ns, now_ns
            )
            if self._exposing is None or first_pulse < self._exposing.pulses[1]:  # or the card began anew
                self._exposing = light
            else:
                self._exposing += light
            if self._exposing.seconds > self._exposure_s - _SLACK_S:
                self._exposed.append(self._exposing)
                self._exposing = None
                self._changed.notify()

    def read(self) -> SpectrumFrame | None:
        """The oldest frame not yet read; None after 0.1 s, or once stopped. SpectrometerError if not open."""
        self._check_open()
        with self._changed:
            self._changed.wait_for(lambda: self._exposed or not self._running, timeout=_LONGEST_READ_S)
            if not self._exposed:
                return None
            exposure = self._exposed.popleft()
        path = exposure.truth.path
        chance = self._chance(exposure)
        counts = spectrum_counts(exposure.truth, float(path.start_s[0]), float(path.stop_s[-1]), chance)
        return SpectrumFrame(counts, exposure.began_ns, exposure.ended_ns, exposure.pulses)

    def stop(self) -> None:
        """Blind from now on; finished frames can still be read."""
        with self._changed:
            self._running = False
            self._exposing = None

    def close(self) -> None:
        """Stop and forget what was not read."""
        self.stop()
        with self._changed:
            self._forget()
        self._opened = False

    def _check_open(self) -> None:
        if not self._opened:
            raise SpectrometerError("the simulated spectrometer is not open: open it first")

    def _forget(self) -> None:
        self._exposing = None
        self._exposed.clear()

    def _chance(self, exposure: _Exposure) -> np.random.Generator:
        """A source of its own for each frame, apart from those of the photons."""
        simulation = self._simulation
        begins = round(float(exposure.truth.path.start_s[0]) * simulation.preset.setup.pulse_rate_hz)
        entropy = [simulation.seed, zlib.crc32(simulation.preset.name.encode())]
        return np.random.default_rng(np.random.SeedSequence(entropy, spawn_key=(_BRANCH, begins)))
