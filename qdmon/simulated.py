"""A simulated dot as a whole session: photons, fluence, laser, spectra and markers on one clock.

Nothing here knows the time of day: the same arguments give the same messages, bit for bit.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from importlib.metadata import version
from typing import Any

from hardware.sim import MEAN_EXCITATION_PER_PERMILLE, describe
from hardware.sim.presets import Preset, find_preset
from hardware.sim.simulation import DotSimulation
from hardware.sim.spectrometer import SimulatedSpectrometer
from hardware.sim.truth import FluenceStep
from hardware.types import Acquisition, SpectralAxis
from streams.messages import (
    End,
    Fluence,
    LaserState,
    Marker,
    Message,
    PhotonBatch,
    Segment,
    Session,
    Spectrum,
)

__all__ = ["SimulatedSession"]

FULL_PERMILLE = 1000
NS_PER_S = 1e9
_SLACK_S = 1e-6


class SimulatedSession:
    """One dot going through fluence steps, once.

    Args:
        preset: kind of dot.
        seed: which dot.
        steps: <N> from each time on; the laser is off before the first.
        duration_s: length of the session.
        brightness: share of the preset's light that is detected; the background stays as it is.

    Raises:
        ValueError: unknown preset, negative seed, or a brightness that is not above 0 and at most 1.
    """

    def __init__(
        self,
        preset: str,
        seed: int,
        steps: Sequence[FluenceStep],
        duration_s: float,
        *,
        brightness: float = 1.0,
    ) -> None:
        self._simulation = DotSimulation(_dimmed(find_preset(preset), brightness), seed)
        self._steps = sorted(steps)
        self._duration_s = duration_s
        self._brightness = brightness
        acquisition = self._simulation.acquisition()
        if brightness != 1.0:
            stated = {**acquisition.settings, "brightness": f"{brightness:g}"}
            acquisition = replace(acquisition, settings=stated)
        self._acquisition = acquisition
        self._spectrometer = SimulatedSpectrometer(self._simulation)
        self._exposed_s = 0.0

    @property
    def acquisition(self) -> Acquisition:
        """What the card records, the brightness among its settings where it is not the preset's."""
        return self._acquisition

    def messages(self) -> Iterator[Message]:
        """The session from its beginning to its end; batches end every 50 ms and where a step begins."""
        yield self._session()
        yield Segment(0, self._acquisition)
        self._spectrometer.open()
        axis = self._spectrometer.configure()
        self._spectrometer.start()
        waiting = list(self._steps)
        position = 0
        for photons, stop in self._simulation.run(self._steps, self._duration_s):
            if waiting and position >= self._acquisition.pulses(waiting[0].start_s):
                yield from self._step(position, waiting.pop(0))
            at_ns = round(self._acquisition.seconds(stop) * NS_PER_S)
            yield PhotonBatch(0, position, stop, at_ns, photons)
            yield from self._spectrum(axis, position, stop)
            position = stop
        yield Fluence(0, position, None, origin="calibrated")
        yield LaserState(0, position, False, True, 0, 0)
        yield End("the simulation is over")

    def truth(self) -> dict[str, Any]:
        """What the dot really did as far as it was simulated, and the law it followed; plain data."""
        preset = self._simulation.preset
        return {
            **self._simulation.truth.to_record(),
            "brightness": self._brightness,
            "law": asdict(preset.dot),
        }

    def _session(self) -> Session:
        simulation = self._simulation
        name, serial = simulation.preset.name, f"SIM-{simulation.seed}"
        made_from = repr((name, simulation.seed, self._steps, self._duration_s, self._brightness))
        return Session(
            session_id=hashlib.sha256(made_from.encode()).hexdigest()[:32],
            started_unix_ns=0,
            software=f"qdmon {version('qdmon')}",
            source="simulated",
            title=name,
            instruments={
                "sample": describe(name),
                "card": f"{self._acquisition.instrument}, {serial}",
                "laser": f"simulated laser, {serial}",
                "spectrometer": f"simulated spectrometer, {serial}",
            },
        )

    def _step(self, pulse: int, step: FluenceStep) -> Iterator[Message]:
        """What a daemon says where a step begins; here light and command change at the same pulse."""
        number = self._steps.index(step) + 1
        permille = round(step.mean_excitation / MEAN_EXCITATION_PER_PERMILLE)
        power = permille if permille <= FULL_PERMILLE else None
        text = f"step {number}/{len(self._steps)}: <N> = {step.mean_excitation:g}"
        yield Marker(0, pulse, "protocol", text)
        yield Fluence(0, pulse, step.mean_excitation, power, "calibrated")
        yield LaserState(0, pulse, step.mean_excitation > 0.0, True, power, power)

    def _spectrum(self, axis: SpectralAxis, first: int, stop: int) -> Iterator[Message]:
        """The frame that ends with these pulses, if one does."""
        self._spectrometer.see(self._acquisition.seconds(first), first, stop)
        self._exposed_s += self._acquisition.seconds(stop - first)
        if self._exposed_s < axis.exposure_s - _SLACK_S:
            return
        self._exposed_s = 0.0
        frame = self._spectrometer.read()
        if frame is not None and frame.pulses is not None:
            nm, noise = axis.wavelength_nm, axis.excess_noise_factor
            yield Spectrum(0, *frame.pulses, nm, frame.counts, noise)


def _dimmed(preset: Preset, brightness: float) -> Preset:
    """The same dots, seen through worse optics."""
    if not 0.0 < brightness <= 1.0:
        raise ValueError(f"brightness is {brightness:g}; it must be above 0 and at most 1")
    return replace(preset, setup=replace(preset.setup, efficiency=preset.setup.efficiency * brightness))
