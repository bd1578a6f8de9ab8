"""The daemon's hold on the laser: limits, the operator's consent, and the way to safe.

Emission starts only in `emit`, and only with consent. `make_safe` never raises and may be called at
any time; whatever goes wrong elsewhere ends there first.
"""

import structlog

from hardware.protocols import DeviceError, LaserError, PulsedLaser
from hardware.types import DeviceInfo, LaserReading
from hardware.worker import DeviceThread

__all__ = ["LaserControl"]

_CALL_S = 10.0
_SAFE_S = 2.0

log = structlog.get_logger("laser")


class LaserControl:
    """A laser in its own thread.

    Args:
        laser: not yet opened.
        max_permille: power level never exceeded, 0.1 %.
        consent: an operator agreed to emission in this run.
    """

    def __init__(self, laser: PulsedLaser, *, max_permille: int, consent: bool) -> None:
        self._laser = laser
        self._thread = DeviceThread("laser")
        self._max_permille = max_permille
        self._consent = consent
        self._safe = False
        self._switching_on = False

    async def open(self) -> DeviceInfo:
        """Connect; changes nothing."""
        return await self._thread.call(self._laser.open, timeout_s=_CALL_S)

    async def reading(self) -> LaserReading:
        """Ask the laser; feeds its watchdog too."""
        return await self._thread.call(self._laser.reading, timeout_s=_CALL_S)

    def check_level(self, permille: int) -> None:
        """LaserError if the level is out of this session's limits."""
        if not 0 <= permille <= self._max_permille:
            raise LaserError(
                f"power level {permille / 10:g} % is beyond laser.max_permille = {self._max_permille}; "
                f"lower the fluence or raise the limit"
            )

    async def set_power(self, permille: int) -> LaserReading:
        """Request a level within limits and wait for the acknowledgement."""
        self.check_level(permille)
        return await self._thread.call(lambda: self._laser.set_power_permille(permille), timeout_s=_CALL_S)

    async def emit(self) -> LaserReading:
        """Arm and switch emission on; LaserError without consent or after `make_safe`."""
        if not self._consent:
            raise LaserError("emission needs an operator's consent; start the daemon with --arm")
        return await self._thread.call(self._arm_and_emit, timeout_s=_CALL_S)

    async def make_safe(self) -> LaserReading | None:
        """Emission off, confirmed by the laser; None if it did not confirm (assume it is ON)."""
        self._safe = True
        # The laser's own thread may be waiting for the ramp; off must not wait for on.
        thread = DeviceThread("laser-off") if self._switching_on else self._thread
        try:
            reading = await thread.call(self._laser.emission_off, timeout_s=_SAFE_S)
        except Exception as error:
            log.warning("laser did not confirm emission off; assume it is ON", error=str(error))
            return None
        log.info("laser is safe", emission=reading.emission)
        return reading

    async def close(self) -> None:
        """Emission off, release the port, end the thread; never raises."""
        self._safe = True
        try:
            await self._thread.call(self._laser.close, timeout_s=_SAFE_S)
        except DeviceError as error:
            log.warning("laser did not close", error=str(error))
        self._thread.close()

    def _arm_and_emit(self) -> LaserReading:
        self._switching_on = True
        try:
            self._laser.arm()
            if self._safe:  # looked at after arming: an earlier off could not have withdrawn this consent
                raise LaserError("emission refused: the daemon is stopping")
            return self._laser.emission_on()
        finally:
            self._switching_on = False
