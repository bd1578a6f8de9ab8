"""A SuperK EXTREME that exists only as its registers, and the real driver on top of it.

Register semantics are those of `hardware.nkt.registers`; the ramp time and that a trip by software waits
for a reset are chosen. What goes wrong on the way to it is `hardware.sim.laser_link`.
"""

import threading
import time
from collections.abc import Callable, Container

from hardware.nkt import registers as reg
from hardware.nkt.port import BadAnswerError, NoAnswerError, RefusedError
from hardware.nkt.superk import SuperK
from hardware.protocols import LaserError
from hardware.types import Verification

__all__ = ["SimulatedSuperK", "simulated_laser"]

RAMP_S = 0.5
INLET_TEMPERATURE_DECIDEGREES = 254
FULL_PERMILLE = 1000

# address -> (register, values the main module takes)
_SETTINGS = {
    register.address: (register, accepted)
    for register, accepted in (
        (reg.SETUP, range(reg.Setup.POWER_LOCK + 1)),
        (reg.PICKER_RATIO, range(1, 0x10000)),
        (reg.WATCHDOG, range(0x100)),
        (reg.POWER_LEVEL, range(FULL_PERMILLE + 1)),
        (reg.CURRENT_LEVEL, range(FULL_PERMILLE + 1)),
        (reg.NIM_DELAY, range(1024)),
    )
}
_WRITABLE: dict[int, tuple[reg.Register, Container[int]]] = {
    **_SETTINGS,
    reg.EMISSION.address: (reg.EMISSION, (reg.EMISSION_OFF, reg.EMISSION_ON)),
    reg.INTERLOCK.address: (reg.INTERLOCK, range(0x10000)),
}


class SimulatedSuperK:
    """The register file of a SuperK EXTREME (module 0F) with its front panel (module 01); a `RegisterPort`.

    Thread-safe. Power-up state: emission off, interlock closed and reset, constant power at 0.0 %.

    Args:
        serial: what the serial number register says.
        clock: monotonic seconds; drives the emission ramp and the watchdog.
        ramp_s: time from the emission command until register 30 reads 3 and full power is out.
    """

    def __init__(
        self,
        *,
        serial: str = "SIM-0001",
        clock: Callable[[], float] = time.monotonic,
        ramp_s: float = RAMP_S,
    ) -> None:
        self._fixed = _fixed_registers(reg.SERIAL.pack(serial))
        self._clock = clock
        self._ramp_s = ramp_s
        self._lock = threading.RLock()
        self._values = dict.fromkeys(_SETTINGS, 0)
        self._values[reg.SETUP.address] = reg.Setup.CONSTANT_POWER
        self._values[reg.PICKER_RATIO.address] = 1
        self._user_text = b""
        self._circuit: reg.InterlockCircuit | None = None
        self._needs_reset = False
        self._on_since_s: float | None = None
        self._heard_s = clock()
        self._port_open = False

    # The port.

    def open(self) -> None:
        """Take the port."""
        with self._lock:
            self._port_open = True

    def close(self) -> None:
        """Release the port; the laser itself goes on as it is."""
        with self._lock:
            self._port_open = False

    def read(self, module: int, register: int) -> bytes:
        """Payload of a register; raises LaserError as a real port does."""
        with self._lock:
            self._arrive(module)
            return self._read_register(module, register)

    def write(self, module: int, register: int, payload: bytes) -> None:
        """Write a register; raises LaserError as a real port does."""
        with self._lock:
            self._arrive(module)
            if module != reg.MAIN_MODULE:
                raise _refusal(module, register)
            self._write_register(register, payload)

    # What people around the laser can see and do.

    @property
    def emitted_permille(self) -> int:
        """Power coming out now, in 0.1 % of full power; 0 when emission is off. Feeds no watchdog."""
        with self._lock:
            on_since_s = self._still_on_since()
            if on_since_s is None:
                return 0
            holds_current = self._values[reg.SETUP.address] in (
                reg.Setup.CONSTANT_CURRENT,
                reg.Setup.MODULATED_CURRENT,
            )
            level = self._values[(reg.CURRENT_LEVEL if holds_current else reg.POWER_LEVEL).address]
            elapsed_s = self._clock() - on_since_s
            return level if elapsed_s >= self._ramp_s else int(level * elapsed_s / self._ramp_s)

    def open_interlock(self, circuit: reg.InterlockCircuit) -> None:
        """Break the interlock loop: emission stops at once."""
        with self._lock:
            self._circuit = circuit
            self._trip()

    def close_interlock(self) -> None:
        """Close the loop again; the laser then waits for a reset."""
        with self._lock:
            self._circuit = None

    def reset_interlock(self) -> None:
        """Reset at the front panel; does nothing while the loop is open."""
        with self._lock:
            self._needs_reset = self._circuit is not None

    def press_emission(self) -> None:
        """The front panel's emission button: toggles, if the interlock permits."""
        with self._lock:
            self._switch_emission(on=self._still_on_since() is None)

    # How a request is met; the lock is held from here on.

    def _arrive(self, module: int) -> None:
        if not self._port_open:
            raise LaserError("the laser's port is not open: open it first")
        if module not in self._fixed:
            raise NoAnswerError(f"module {module:02X} of the laser does not answer: is it installed?")
        if module == reg.MAIN_MODULE:
            self._still_on_since()
            self._heard_s = self._clock()

    def _read_register(self, module: int, register: int) -> bytes:
        if register in self._fixed[module]:
            return self._fixed[module][register]
        if module == reg.MAIN_MODULE:
            if register in _SETTINGS:
                return _SETTINGS[register][0].pack(self._values[register])
            match register:
                case reg.EMISSION.address:
                    return reg.EMISSION.pack(self._emission_register())
                case reg.INTERLOCK.address:
                    return reg.INTERLOCK.pack(self._interlock().value)
                case reg.STATUS.address:
                    return reg.STATUS.pack(self._status())
                case reg.USER_TEXT.address:
                    return self._user_text
        raise _refusal(module, register)

    def _write_register(self, register: int, payload: bytes) -> None:
        if register == reg.USER_TEXT.address and len(payload) <= reg.USER_TEXT.length:
            self._user_text = payload
            return
        value = _accepted_value(register, payload)
        if value is None:
            raise _refusal(reg.MAIN_MODULE, register)
        if register == reg.EMISSION.address:
            self._switch_emission(on=value == reg.EMISSION_ON)
        elif register == reg.INTERLOCK.address:
            self._reset_or_trip(value)
        else:
            self._values[register] = value

    # The laser's own logic.

    def _still_on_since(self) -> float | None:
        """When emission was switched on, after the watchdog had its say; None if it is off."""
        limit_s = self._values[reg.WATCHDOG.address]
        if limit_s and self._clock() - self._heard_s > limit_s:
            self._on_since_s = None
        return self._on_since_s

    def _switch_emission(self, *, on: bool) -> None:
        if not on:
            self._on_since_s = None
        elif self._on_since_s is None and self._interlock().ok:
            self._on_since_s = self._clock()

    def _trip(self) -> None:
        self._needs_reset = True
        self._on_since_s = None

    def _reset_or_trip(self, value: int) -> None:
        if value == 0:
            self._trip()
        else:
            self.reset_interlock()

    def _emission_register(self) -> int:
        if self._on_since_s is None:
            return reg.EMISSION_OFF
        elapsed_s = self._clock() - self._on_since_s
        if elapsed_s >= self._ramp_s:
            return reg.EMISSION_ON
        return 1 if elapsed_s < self._ramp_s / 2 else 2

    def _interlock(self) -> reg.Interlock:
        if self._circuit is not None:
            return reg.Interlock(reg.InterlockState.OPEN, self._circuit)
        state = reg.InterlockState.WAITING_FOR_RESET if self._needs_reset else reg.InterlockState.CLOSED
        return reg.Interlock(state, 0)

    def _status(self) -> reg.Status:
        bits = reg.Status(0)
        if self._on_since_s is not None:
            bits |= reg.Status.EMISSION
        if not self._interlock().ok:
            bits |= reg.Status.INTERLOCK_RELAYS_OFF
        if self._circuit is not None:
            bits |= reg.Status.INTERLOCK_LOOP_OPEN
        if self._circuit is reg.InterlockCircuit.POWER_FAILURE:
            bits |= reg.Status.INTERLOCK_SUPPLY_LOW
        return bits


def _fixed_registers(serial: bytes) -> dict[int, dict[int, bytes]]:
    """Module -> register -> payload, for what never changes."""
    return {
        reg.PANEL_MODULE: {
            reg.MODULE_TYPE.address: bytes([reg.TYPE_PANEL]),
            reg.SERIAL.address: serial,
        },
        reg.MAIN_MODULE: {
            reg.MODULE_TYPE.address: bytes([reg.TYPE_EXTREME]),
            reg.SERIAL.address: serial,
            reg.FIRMWARE_ADDRESS: (100).to_bytes(2, "little") + b"simulated",
            reg.INLET_TEMPERATURE.address: reg.INLET_TEMPERATURE.pack(INLET_TEMPERATURE_DECIDEGREES),
            reg.ERROR_CODE.address: reg.ERROR_CODE.pack(0),
            reg.SYSTEM_TYPE.address: reg.SYSTEM_TYPE.pack(0),
        },
    }


def _accepted_value(register: int, payload: bytes) -> int | None:
    """The number a write carries; None if the main module would not take it."""
    if register not in _WRITABLE:
        return None
    kind, accepted = _WRITABLE[register]
    try:
        value = kind.unpack(payload)
    except BadAnswerError:
        return None
    return value if value in accepted else None


def _refusal(module: int, register: int) -> RefusedError:
    return RefusedError(f"module {module:02X} of the laser refused register {register:02X}")


def simulated_laser(
    *,
    serial: str = "SIM-0001",
    clock: Callable[[], float] = time.monotonic,
    max_permille: int = FULL_PERMILLE,
    watchdog_s: int = 5,
    sleep: Callable[[float], None] = time.sleep,
) -> tuple[SuperK, Callable[[], int]]:
    """The SuperK driver on a simulated laser, and a thread-safe look at the light itself.

    Args:
        serial: of the simulated laser.
        clock: monotonic seconds, for the laser's ramp and watchdog and for the arming.
        max_permille: limit of the driver, 0.1 %.
        watchdog_s: silence after which the laser switches emission off.
        sleep: how the driver waits for the ramp; must let `clock` advance.

    Returns:
        The driver, not yet open, and a function giving the power emitted now in 0.1 % (0 when off).
    """
    registers = SimulatedSuperK(serial=serial, clock=clock)
    laser = SuperK(
        registers,
        max_permille=max_permille,
        watchdog_s=watchdog_s,
        clock=clock,
        sleep=sleep,
        driver="sim",
        verification=Verification.COMPLETE,
    )
    return laser, lambda: registers.emitted_permille
