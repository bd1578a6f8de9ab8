"""The instruments of a set-up, opened and closed together, each in a thread of its own."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace

import structlog

from hardware.protocols import Bench
from hardware.types import Acquisition, DeviceInfo
from hardware.worker import DeviceThread
from qdmon.daemon.laser import LaserControl
from qdmon.daemon.spectrometer import SpectrometerControl

__all__ = ["Instruments"]

_CALL_S = 10.0
_CLOSE_S = 3.0

log = structlog.get_logger("daemon")


class Instruments:
    """The bench, opened, each device in its thread."""

    def __init__(self, bench: Bench, *, max_permille: int, consent: bool) -> None:
        self.bench = bench
        self.card_thread = DeviceThread("card")
        self.laser = (
            LaserControl(bench.laser, max_permille=max_permille, consent=consent) if bench.laser else None
        )
        self.spectrometer = SpectrometerControl(bench.spectrometer) if bench.spectrometer else None
        self.identities: dict[str, str] = {}

    async def compile(self, kernels: Callable[[], None]) -> None:
        """Compile what photons will need, for as long as that takes: no device is waited for."""
        await asyncio.wrap_future(self.card_thread.submit(kernels))

    async def open(self, settings: Mapping[str, str]) -> Acquisition:
        """Connect everything and configure the card; switches nothing on. A spectrometer may fail to.

        Args:
            settings: added to the acquisition's settings, for whoever reads the session.
        """
        if self.laser is not None:
            self._note(await self.laser.open())
        self._note(await self.card_thread.call(self.bench.card.open, timeout_s=_CALL_S))
        acquisition = await self.card_thread.call(self.bench.card.configure, timeout_s=_CALL_S)
        if self.spectrometer is not None:
            spectrometer = await self.spectrometer.open()
            if spectrometer is not None:
                self._note(spectrometer)
        return replace(acquisition, settings={**acquisition.settings, **self.bench.identity, **settings})

    async def close(self) -> None:
        """Release everything; never raises."""
        if self.laser is not None:
            await self.laser.close()
        if self.spectrometer is not None:
            await self.spectrometer.close()
        for name, call in (("stop", self.bench.card.stop), ("close", self.bench.card.close)):
            try:
                await self.card_thread.call(call, timeout_s=_CLOSE_S)
            except Exception as error:
                log.warning(f"card did not {name}", error=str(error))
        self.card_thread.close()

    def _note(self, info: DeviceInfo) -> None:
        self.identities[info.role] = f"{info.model}, {info.serial}, {info.driver}, {info.verification}"
