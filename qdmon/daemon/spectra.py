"""Spectra on the pulse clock: each is published once the photons of its exposure have been."""

from collections import deque
from collections.abc import Callable

import numpy as np
import structlog

from hardware.types import SpectrumFrame
from hardware.worker import TimedBlock
from qdmon.daemon.pipeline import PhotonPipeline
from qdmon.daemon.pulse_map import PulseMap
from qdmon.daemon.spectrometer import SpectrometerControl
from streams.messages import Message, Spectrum, Status

__all__ = ["Spectra"]

FRAMES_WAITING = 64

log = structlog.get_logger("spectrometer")


class Spectra:
    """Everything a run says about spectra.

    Args:
        spectrometer: opened; None where there is none.
        segment: index of the segment.
        pipeline: where the photons are.
        publish: sends a message.
    """

    def __init__(
        self,
        spectrometer: SpectrometerControl | None,
        *,
        segment: int,
        pipeline: PhotonPipeline,
        publish: Callable[[Message], None],
    ) -> None:
        self._spectrometer = spectrometer
        self._segment = segment
        self._pipeline = pipeline
        self._publish = publish
        self._map = PulseMap()
        self._waiting: deque[SpectrumFrame] = deque(maxlen=FRAMES_WAITING)
        self._stopping = False

    async def watch(self) -> None:
        """Expose and take frames, until cancelled or until the spectrometer fails, which is said in words."""
        if self._spectrometer is None:
            return
        await self._spectrometer.start()
        while self._spectrometer.problem is None and not self._stopping:
            frame = await self._spectrometer.read()
            if frame is not None:
                self._waiting.append(frame)
                self._publish_ready()
        if not self._stopping:
            self._publish(Status("running", f"no spectra: {self._spectrometer.problem}"))

    def advance(self, timed: TimedBlock) -> None:
        """Call after each block was published."""
        if self._spectrometer is None:
            return
        pipeline = self._pipeline
        self._map.note(timed.began_ns, timed.block.host_time_ns, pipeline.position, pipeline.seen)
        self._publish_ready()

    async def stop(self) -> None:
        """No more exposures; frames that wait for their photons still come with `advance` and `finish`."""
        self._stopping = True
        if self._spectrometer is None:
            return
        await self._spectrometer.stop()
        while (frame := await self._spectrometer.read()) is not None:
            self._waiting.append(frame)

    def finish(self) -> None:
        """Call after the last batch: what can still be placed."""
        self._publish_ready()
        if self._waiting:
            log.info("spectra beyond the last photons are dropped", frames=len(self._waiting))

    def _publish_ready(self) -> None:
        while self._waiting:
            first, stop = self._waiting[0].pulses or self._pulses_of(self._waiting[0])
            if stop is None or stop > self._pipeline.stop_pulse:
                return
            frame = self._waiting.popleft()
            # No pulses were counted (no sync), or it is older than the memory of reads: it has no place.
            if first is not None and first < stop:
                self._publish_frame(frame, first, stop)

    def _pulses_of(self, frame: SpectrumFrame) -> tuple[int | None, int | None]:
        return self._map.first_pulse(frame.began_ns), self._map.stop_pulse(frame.ended_ns)

    def _publish_frame(self, frame: SpectrumFrame, first: int, stop: int) -> None:
        axis = self._spectrometer.axis if self._spectrometer is not None else None
        counts = np.asarray(frame.counts, np.float64)
        if axis is None or counts.shape != axis.wavelength_nm.shape or not np.isfinite(counts).all():
            log.warning("frame dropped: not a number for each pixel", shape=counts.shape)
            return
        wavelength_nm = axis.wavelength_nm
        self._publish(Spectrum(self._segment, first, stop, wavelength_nm, counts, axis.excess_noise_factor))
