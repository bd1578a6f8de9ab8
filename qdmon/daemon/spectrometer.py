"""The daemon's hold on the spectrometer: welcome, but no reason to stop counting photons."""

from collections.abc import Callable
from typing import TypeVar

import numpy as np
import structlog

from hardware.protocols import Spectrometer, SpectrometerError
from hardware.types import DeviceInfo, SpectralAxis, SpectrumFrame
from hardware.worker import DeviceThread

__all__ = ["SpectrometerControl"]

T = TypeVar("T")

_CALL_S = 10.0
_STOP_S = 1.0

log = structlog.get_logger("spectrometer")


class SpectrometerControl:
    """A spectrometer in its own thread. Nothing here raises: what failed is in `problem`, and it stays off.

    Attributes:
        axis: what frames are like; None while not configured.
        problem: why there are no spectra, in one line; None while all is well.
    """

    def __init__(self, spectrometer: Spectrometer) -> None:
        self._spectrometer = spectrometer
        self._thread = DeviceThread("spectrometer")
        self.axis: SpectralAxis | None = None
        self.problem: str | None = None

    async def open(self) -> DeviceInfo | None:
        """Connect and configure; None if that failed."""
        info = await self._try(self._spectrometer.open)
        self.axis = await self._try(lambda: _checked(self._spectrometer.configure()))
        return info if self.axis is not None else None

    async def start(self) -> None:
        """Begin to expose."""
        await self._try(self._spectrometer.start)

    async def read(self) -> SpectrumFrame | None:
        """The next frame, if one comes within about 0.1 s."""
        return await self._try(self._spectrometer.read)

    async def stop(self) -> None:
        """End exposing, in whatever state it is."""
        await self._end("stop", self._spectrometer.stop)

    async def close(self) -> None:
        """Release the device and end the thread."""
        await self._end("stop", self._spectrometer.stop)
        await self._end("close", self._spectrometer.close)
        self._thread.close()

    async def _try(self, function: Callable[[], T]) -> T | None:
        if self.problem is not None:
            return None
        try:
            return await self._thread.call(function, timeout_s=_CALL_S)
        except Exception as error:
            self.problem = str(error) or type(error).__name__
            log.warning("no spectra", error=self.problem, kind=type(error).__name__)
            return None

    async def _end(self, what: str, function: Callable[[], None]) -> None:
        try:
            await self._thread.call(function, timeout_s=_STOP_S)
        except Exception as error:
            log.warning(f"spectrometer did not {what}", error=str(error))


def _checked(axis: SpectralAxis) -> SpectralAxis:
    nm = axis.wavelength_nm
    if nm.ndim != 1 or nm.dtype != np.float64 or not np.isfinite(nm).all() or not (np.diff(nm) > 0).all():
        raise SpectrometerError("the spectrometer's wavelengths do not ascend; calibrate it again")
    return axis
