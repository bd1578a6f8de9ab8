"""Two single-photon detectors and the card's time-to-digital converter.

Takes ideal arrivals, adds background, jitter and cable delays, and gives the clicks that survive the
dead time, after-pulses among them, as pulse index and TCSPC bin.
"""

import math

import numpy as np
from numpy.typing import NDArray

from hardware.jit import jit
from hardware.sim.faults import Faults
from hardware.sim.optics import Setup
from hardware.types import Photons

__all__ = ["Detectors"]

_Floats = NDArray[np.float64]
_Channels = NDArray[np.uint8]
_FWHM = 2.0 * math.sqrt(2.0 * math.log(2.0))


class Detectors:
    """Detectors with memory: dead time, pending after-pulses and light under way across chunks."""

    def __init__(self, setup: Setup, faults: Faults, rng: np.random.Generator) -> None:
        self._setup = setup
        self._faults = faults
        self._rng = rng
        self._jitter_ns = math.hypot(setup.laser_fwhm_ns, setup.detector_fwhm_ns) / _FWHM
        self._last_click_ns = np.full(2, -np.inf)
        self._afterpulse_ns = np.full(2, np.inf)
        self._late_ns = np.empty(0)
        self._late_channel = np.empty(0, np.uint8)

    def click(
        self, times_ns: _Floats, channels: _Channels, first_pulse: int, pulses: int, mean_excitation: float
    ) -> Photons:
        """Clicks of the pulses [first_pulse, first_pulse + pulses).

        Args:
            times_ns: (n,) float64, arrivals of the dot's photons in ns since `first_pulse`.
            channels: (n,) uint8, the detector each goes to.
            first_pulse: counted since the start of the simulation.
            pulses: length of the chunk.
            mean_excitation: <N>, which sets the laser's background.

        Returns:
            Photons in order of time, `pulse` counted since the start of the simulation.
        """
        start_s = first_pulse / self._setup.pulse_rate_hz
        length_ns = pulses * self._setup.period_ns
        scattered, scattered_channel = self._scatter(pulses, mean_excitation)
        times_ns = np.concatenate([times_ns, scattered])
        channels = np.concatenate([channels, scattered_channel])
        times_ns = np.maximum(times_ns + self._response(channels, start_s), 0.0)
        steady, steady_channel = self._steady(length_ns, start_s, mean_excitation)
        times_ns = np.concatenate([self._late_ns, times_ns, steady])
        channels = np.concatenate([self._late_channel, channels, steady_channel])
        order = np.argsort(times_ns, kind="stable")
        times_ns, channels = times_ns[order], channels[order]

        arrived = int(np.searchsorted(times_ns, length_ns))
        self._late_ns, self._late_channel = times_ns[arrived:] - length_ns, channels[arrived:]
        clicks_ns, clicked = _survive(
            self._rng,
            times_ns[:arrived],
            channels[:arrived],
            length_ns,
            self._setup.dead_time_ns,
            self._setup.afterpulse,
            self._setup.afterpulse_ns,
            self._last_click_ns,
            self._afterpulse_ns,
        )
        return self._digitise(clicks_ns, clicked, first_pulse, pulses)

    def _scatter(self, pulses: int, mean_excitation: float) -> tuple[_Floats, _Channels]:
        """Laser light that arrives with its pulse."""
        n = int(self._rng.poisson(pulses * self._setup.scatter * mean_excitation))
        times_ns = self._rng.integers(0, pulses, n).astype(np.float64) * self._setup.period_ns
        return times_ns, (self._rng.random(n) >= self._setup.splitter).astype(np.uint8)

    def _steady(self, length_ns: float, start_s: float, mean_excitation: float) -> tuple[_Floats, _Channels]:
        """Dark counts and light that knows nothing of the pulses."""
        extra_cps = self._faults.extra_background_cps(start_s)
        mean = (self._setup.background_cps(mean_excitation) + extra_cps) * length_ns * 1e-9
        counts = self._rng.poisson(mean, 2)
        times_ns = self._rng.random(int(counts.sum())) * length_ns
        return times_ns, np.repeat(np.array([0, 1], np.uint8), counts)

    def _response(self, channels: _Channels, start_s: float) -> _Floats:
        """(n,) delay and jitter of each click in ns: cable, Gaussian laser and detector, tail."""
        n = len(channels)
        delay_ns = np.array(self._setup.delay_ns) + self._faults.delay_shift_ns(start_s)
        late = self._rng.random(n) < self._setup.tail_fraction
        response: _Floats = delay_ns[channels] + self._jitter_ns * self._rng.standard_normal(n)
        response[late] += self._setup.tail_ns * self._rng.standard_exponential(int(late.sum()))
        return response

    def _digitise(self, clicks_ns: _Floats, channels: _Channels, first_pulse: int, pulses: int) -> Photons:
        period_ns = self._setup.period_ns
        pulse = np.minimum(np.floor(clicks_ns / period_ns), pulses - 1)
        nanotime = np.floor((clicks_ns - pulse * period_ns) * (1000.0 / self._setup.resolution_ps))
        # A click on the edge of a bin may round to either side; it stays within its period.
        nanotime = np.clip(nanotime, 0, self._setup.nanotime_bins - 1).astype(np.uint16)
        index = pulse.astype(np.uint64) + np.uint64(first_pulse)
        alive = ~self._faults.silent(channels, index / self._setup.pulse_rate_hz)
        return Photons(index[alive], nanotime[alive], channels[alive])


@jit
def _survive(
    rng: np.random.Generator,
    times_ns: _Floats,
    channels: _Channels,
    length_ns: float,
    dead_time_ns: float,
    afterpulse: float,
    afterpulse_ns: float,
    last_click_ns: _Floats,
    pending_ns: _Floats,
) -> tuple[_Floats, _Channels]:
    """Clicks in [0, length_ns): each blinds its detector and may be followed by an after-pulse.

    `last_click_ns` and `pending_ns` (both per channel) are updated for the chunk that follows.
    """
    clicks_ns = np.empty(len(times_ns) + 64, np.float64)
    clicked = np.empty(len(times_ns) + 64, np.uint8)
    n = np.uint64(0)
    i = np.uint64(0)
    while True:
        now = length_ns
        source = -1
        if i < np.uint64(len(times_ns)):
            now = times_ns[i]
            source = 2
        for c in range(2):
            if pending_ns[c] < now:
                now = pending_ns[c]
                source = c
        if source < 0:
            break
        if source == 2:
            channel = channels[i]
            i += np.uint64(1)
        else:
            channel = np.uint8(source)
            pending_ns[source] = np.inf
        if now - last_click_ns[channel] < dead_time_ns:
            continue
        last_click_ns[channel] = now
        if n == np.uint64(len(clicks_ns)):
            clicks_ns = np.concatenate((clicks_ns, np.empty_like(clicks_ns)))
            clicked = np.concatenate((clicked, np.empty_like(clicked)))
        clicks_ns[n] = now
        clicked[n] = channel
        n += np.uint64(1)
        if rng.random() < afterpulse:
            due_ns = now + dead_time_ns + afterpulse_ns * rng.standard_exponential()
            pending_ns[channel] = min(pending_ns[channel], due_ns)
    for c in range(2):
        last_click_ns[c] -= length_ns
        pending_ns[c] -= length_ns
    return clicks_ns[:n].copy(), clicked[:n].copy()
