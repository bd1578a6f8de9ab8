"""SuperK EXTREME behind a `RegisterPort`: power in 0.1 % steps, emission only on an operator's word.

Rules, each with its test: nothing is written by `open`; emission needs a fresh consent, a closed interlock,
constant-power mode, a power level within the limit and the laser's own watchdog; what was written is read
back; whatever goes wrong after the emission command ends with emission off; no answer means "assume ON".
"""

import math
import operator
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from hardware.nkt import registers as reg
from hardware.nkt.consent import Consent
from hardware.nkt.details import SuperKDetails
from hardware.nkt.module import MainModule
from hardware.nkt.port import RefusedError, RegisterPort
from hardware.protocols import LaserError
from hardware.types import DeviceInfo, LaserReading, Verification

__all__ = ["SuperK"]

OFF_ATTEMPTS = 40
OFF_SILENCES = 3
RAMP_POLLS = 160
POLL_S = 0.05
FULL_PERMILLE = 1000

ASSUME_ON = "emission could not be confirmed off: assume it is ON and turn the key switch"


class SuperK:
    """`hardware.protocols.PulsedLaser` for a SuperK EXTREME (module type 60 at address 0F).

    Once emission is on, the caller must ask for `reading` more often than `watchdog_s`: any register
    access feeds the laser's watchdog, silence switches emission off.

    Args:
        port: reaches the registers; opened by `open`, closed by `close`.
        max_permille: highest power level that may be requested or emitted, 0.1 %, 0 to 1000.
        arm_s: how long an `arm` lasts.
        watchdog_s: silence in s (1 to 255) after which the laser itself switches emission off.
        clock: monotonic seconds.
        sleep: waits between looks at a ramping laser.
        driver: name reported in `DeviceInfo`.
        verification: reported in `DeviceInfo`.
    """

    def __init__(
        self,
        port: RegisterPort,
        *,
        max_permille: int,
        arm_s: float = 30.0,
        watchdog_s: int = 5,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        driver: str = "nkt-superk",
        verification: Verification = Verification.FROM_MANUAL,
    ) -> None:
        if not 0 <= max_permille <= FULL_PERMILLE:
            raise ValueError(f"max_permille must be 0 to {FULL_PERMILLE}, not {max_permille}")
        if not (math.isfinite(arm_s) and arm_s > 0):
            raise ValueError(f"arm_s must be a positive number of seconds, not {arm_s}")
        if not 1 <= watchdog_s <= 255:
            raise ValueError(f"watchdog_s must be 1 to 255 whole seconds, not {watchdog_s}")
        self._port = port
        self._module = MainModule(port)
        self._max_permille = max_permille
        self._watchdog_s = watchdog_s
        self._sleep = sleep
        self._driver = driver
        self._verification = verification
        self._consent = Consent(arm_s, clock)
        self._lock = threading.RLock()
        self._opened = False
        self._setpoint: int | None = None
        self._watchdog_found: int | None = None

    def open(self) -> DeviceInfo:
        """Connect, identify, adopt the power level and emission found; writes nothing. Raises LaserError."""
        with self._lock:
            if self._opened:
                raise LaserError("the laser is open already: close it first")
            self._port.open()
            try:
                info = self._identify()
                self._setpoint = self._module.get(reg.POWER_LEVEL)
            except BaseException:
                self._port.close()
                raise
            self._opened = True
            return info

    def reading(self) -> LaserReading:
        """The present state; fields are None where the laser did not answer. Never raises."""
        with self._lock:
            if not self._opened:
                return LaserReading(None, None, None, None)
            interlock = self._module.ask(reg.INTERLOCK)
            return LaserReading(
                emission=self._module.emitting(),
                interlock_ok=None if interlock is None else reg.Interlock.of(interlock).ok,
                setpoint_permille=self._setpoint,
                readback_permille=self._module.ask(reg.POWER_LEVEL),
                status_bits=self._module.ask(reg.STATUS),
            )

    def details(self) -> SuperKDetails:
        """The rest of the state, in words and units; None where the laser did not answer. Never raises."""
        with self._lock:
            return SuperKDetails.ask(self._module) if self._opened else SuperKDetails()

    def set_power_permille(self, level: int) -> LaserReading:
        """Request a power level in 0.1 % and read it back; raises LaserError if refused or out of limits."""
        wanted = self._within_limits(level)
        with self._lock:
            self._need_open()
            self._need_constant_power()
            self._setpoint = None
            self._module.put_checked(reg.POWER_LEVEL, wanted)
            self._setpoint = wanted
            return self.reading()

    def arm(self) -> None:
        """Consent to one `emission_on` within `arm_s`; raises LaserError if the laser is not open."""
        self._need_open()
        self._consent.give()

    def emission_on(self) -> LaserReading:
        """Switch emission on and wait until the laser confirms it; raises LaserError with emission off.

        Uses the consent up whatever happens. Also an interrupt while the laser ramps up leaves it off,
        and an `emission_off` or `close` from another thread ends the ramp.
        """
        with self._lock:
            self._need_open()
            ticket = self._consent.take()
            self._need_interlock()
            self._need_constant_power()
            self._need_power_within_limit()
            self._arm_watchdog()
            try:
                self._module.put(reg.EMISSION, reg.EMISSION_ON)
                self._await_emission(ticket)
                return self.reading()
            except LaserError as error:
                raise LaserError(f"{error}; {self._switched_off_again()}") from error
            except BaseException as interrupt:
                if not self._switch_off():
                    interrupt.add_note(ASSUME_ON)
                raise

    def emission_off(self) -> LaserReading:
        """Switch emission off and confirm it; withdraws any consent. Raises LaserError if unconfirmed."""
        self._consent.withdraw()
        with self._lock:
            self._need_open()
            if not self._switch_off():
                raise LaserError(ASSUME_ON)
            return self.reading()

    def close(self) -> None:
        """Emission off, then release the port; raises LaserError, port released, if off is unconfirmed."""
        self._consent.withdraw()
        with self._lock:
            if not self._opened:
                return
            try:
                off = self._switch_off()
                if off:
                    self._restore_watchdog()
            finally:
                self._opened = False
                self._port.close()
        if not off:
            raise LaserError(ASSUME_ON)

    # What follows expects the lock to be held.

    def _identify(self) -> DeviceInfo:
        kind = self._module.raw(reg.MODULE_TYPE)
        if kind != bytes([reg.TYPE_EXTREME]):
            raise LaserError(
                f"module {reg.MAIN_MODULE:02X} is of type {kind[::-1].hex().upper() or 'unknown'}, "
                f"not a SuperK EXTREME (type {reg.TYPE_EXTREME:02X}): this driver cannot run it"
            )
        try:
            fianium = self._module.get(reg.SYSTEM_TYPE) == 1
        except RefusedError:  # older systems have no such register and are EXTREMEs
            fianium = False
        serial = self._module.text(reg.SERIAL)
        model = "SuperK FIANIUM" if fianium else "SuperK EXTREME"
        return DeviceInfo("laser", model, serial, self._driver, self._verification)

    def _need_open(self) -> None:
        if not self._opened:
            raise LaserError("the laser is not open: connect it first")

    def _within_limits(self, level: int) -> int:
        try:
            wanted = operator.index(level)
        except TypeError:
            wanted = None
        if wanted is None or isinstance(level, bool):
            raise LaserError(f"a power level is a whole number of 0.1 % steps, not {level!r}")
        if not 0 <= wanted <= self._max_permille:
            raise LaserError(
                f"power {_percent(wanted)} refused: the limit set for this laser is 0 to "
                f"{_percent(self._max_permille)}"
            )
        return wanted

    def _need_interlock(self) -> None:
        interlock = reg.Interlock.of(self._module.get(reg.INTERLOCK))
        if not interlock.ok:
            raise LaserError(
                f"emission refused: interlock {interlock.words()}; close and reset it at the laser"
            )

    def _need_constant_power(self) -> None:
        setup = self._module.get(reg.SETUP)
        if setup != reg.Setup.CONSTANT_POWER:
            raise LaserError(
                f"refused: the laser is in {reg.Setup.words(setup)} mode, where the power level and its "
                "limit do not hold; set it to constant power at its front panel"
            )

    def _need_power_within_limit(self) -> None:
        level = self._module.get(reg.POWER_LEVEL)
        if level > self._max_permille:
            raise LaserError(
                f"emission refused: the power level is {_percent(level)}, above the limit of "
                f"{_percent(self._max_permille)}; lower it first"
            )

    def _arm_watchdog(self) -> None:
        if self._watchdog_found is None:
            self._watchdog_found = self._module.get(reg.WATCHDOG)
        self._module.put_checked(reg.WATCHDOG, self._watchdog_s)

    def _restore_watchdog(self) -> None:
        """Leave the laser as found, or it would switch off whoever uses its front panel after us."""
        if self._watchdog_found is not None:
            with suppress(LaserError):
                self._module.put(reg.WATCHDOG, self._watchdog_found)

    def _await_emission(self, ticket: int) -> None:
        """Poll through the ramp; raises LaserError if emission is not confirmed or off was asked for."""
        for _ in range(RAMP_POLLS):
            if not self._consent.holds(ticket):
                raise LaserError("emission was asked off while the laser was switching on")
            status = reg.Status(self._module.get(reg.STATUS))
            if reg.Status.EMISSION in status and self._module.get(reg.EMISSION) == reg.EMISSION_ON:
                return
            self._need_interlock()
            self._sleep(POLL_S)
        raise LaserError("the laser accepted the command but did not confirm emission: look at its display")

    def _switch_off(self) -> bool:
        """Write off and read it back, a bounded number of times; True once the laser confirms it."""
        silences = 0
        for _ in range(OFF_ATTEMPTS):
            with suppress(LaserError):  # the read-back decides
                self._module.put(reg.EMISSION, reg.EMISSION_OFF)
            emitting = self._module.emitting()
            if emitting is False:
                return True
            silences += emitting is None
            if silences == OFF_SILENCES:
                return False
            self._sleep(POLL_S)
        return False

    def _switched_off_again(self) -> str:
        return "emission was switched off again" if self._switch_off() else ASSUME_ON


def _percent(permille: int) -> str:
    return f"{permille / 10:.1f} %"
