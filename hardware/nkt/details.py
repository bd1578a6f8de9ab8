"""What an operator may want to know of a SuperK beyond emission and power."""

from dataclasses import dataclass

from hardware.nkt import registers as reg
from hardware.nkt.module import MainModule

__all__ = ["SuperKDetails"]


@dataclass(frozen=True, slots=True)
class SuperKDetails:
    """The slow part of the laser's state; None where it did not answer.

    Attributes:
        interlock: in words, such as "open at the door switch".
        setup: operating mode in words, such as "constant power".
        picker_ratio: every how many pulses of the oscillator leave the laser.
        watchdog_s: silence after which the laser switches emission off by itself; 0 is never.
        inlet_temperature_c: in degrees Celsius.
        error_code: 0 is none.
        conditions: the set status bits in words.
    """

    interlock: str | None = None
    setup: str | None = None
    picker_ratio: int | None = None
    watchdog_s: int | None = None
    inlet_temperature_c: float | None = None
    error_code: int | None = None
    conditions: tuple[str, ...] | None = None

    @classmethod
    def ask(cls, module: MainModule) -> "SuperKDetails":
        """Ask the laser, register by register; never raises."""
        interlock, setup = module.ask(reg.INTERLOCK), module.ask(reg.SETUP)
        temperature, status = module.ask(reg.INLET_TEMPERATURE), module.ask(reg.STATUS)
        return cls(
            interlock=None if interlock is None else reg.Interlock.of(interlock).words(),
            setup=None if setup is None else reg.Setup.words(setup),
            picker_ratio=module.ask(reg.PICKER_RATIO),
            watchdog_s=module.ask(reg.WATCHDOG),
            inlet_temperature_c=None if temperature is None else temperature / 10,
            error_code=module.ask(reg.ERROR_CODE),
            conditions=None if status is None else reg.Status(status).words(),
        )
