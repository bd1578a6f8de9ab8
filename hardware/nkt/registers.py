"""Register map of the SuperK EXTREME main module (module type 60 hex), and what its values mean.

Addresses, types and units are those of the vendor's public register file for module type 60 and of the
open SuperK clients that agree with it (MSL equipment, pylablib); payloads are little-endian.
"""

import math
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Literal

from hardware.nkt.port import BadAnswerError

__all__ = [
    "CURRENT_LEVEL",
    "EMISSION",
    "EMISSION_OFF",
    "EMISSION_ON",
    "ERROR_CODE",
    "FIRMWARE_ADDRESS",
    "INLET_TEMPERATURE",
    "INTERLOCK",
    "MAIN_MODULE",
    "MODULE_TYPE",
    "NIM_DELAY",
    "PANEL_MODULE",
    "PICKER_RATIO",
    "POWER_LEVEL",
    "SERIAL",
    "SETUP",
    "STATUS",
    "SYSTEM_TYPE",
    "TYPE_EXTREME",
    "TYPE_PANEL",
    "USER_TEXT",
    "WATCHDOG",
    "Interlock",
    "InterlockCircuit",
    "InterlockState",
    "Register",
    "Setup",
    "Status",
    "TextRegister",
    "permille_from_percent",
]

MAIN_MODULE = 0x0F
PANEL_MODULE = 0x01
TYPE_EXTREME = 0x60
TYPE_PANEL = 0x61
FIRMWARE_ADDRESS = 0x64  # two bytes of number, then text

EMISSION_OFF = 0
EMISSION_ON = 3

_RANGES = {"u8": (0, 0xFF), "u16": (0, 0xFFFF), "i16": (-0x8000, 0x7FFF), "u8-u16": (0, 0xFFFF)}


@dataclass(frozen=True, slots=True)
class Register:
    """A register holding one whole number.

    Attributes:
        address: register number on the module.
        name: what it is, in words.
        kind: width and sign; "u8-u16" is one byte below 256 and two from there on.
        unit: of one step.
        writable: whether the module takes writes.
    """

    address: int
    name: str
    kind: Literal["u8", "u16", "i16", "u8-u16"]
    unit: str = ""
    writable: bool = False

    def pack(self, value: int) -> bytes:
        """The payload for a value; raises ValueError if the register cannot hold it."""
        low, high = _RANGES[self.kind]
        if not low <= value <= high:
            raise ValueError(f"{self.name} takes {low} to {high}, not {value}")
        one_byte = self.kind == "u8" or (self.kind == "u8-u16" and value < 0x100)
        return value.to_bytes(1 if one_byte else 2, "little", signed=self.kind == "i16")

    def unpack(self, payload: bytes) -> int:
        """The value in a payload; raises BadAnswerError if its length is not this register's."""
        widths = {"u8": (1,), "u8-u16": (1, 2)}.get(self.kind, (2,))
        if len(payload) not in widths:
            raise BadAnswerError(
                f"the laser answered {len(payload)} bytes for {self.name} (register {self.address:02X}), "
                f"expected {' or '.join(map(str, widths))}: is it a SuperK EXTREME?"
            )
        return int.from_bytes(payload, "little", signed=self.kind == "i16")


@dataclass(frozen=True, slots=True)
class TextRegister:
    """A register holding ASCII text of at most `length` characters."""

    address: int
    name: str
    length: int
    writable: bool = False

    def pack(self, text: str) -> bytes:
        """The payload for a text; raises ValueError if it is too long or not ASCII."""
        if len(text) > self.length or not text.isascii():
            raise ValueError(f"{self.name} takes at most {self.length} ASCII characters, not {text!r}")
        return text.encode("ascii")

    def unpack(self, payload: bytes) -> str:
        """The text up to the first NUL, without anything that is not printable ASCII."""
        return "".join(chr(byte) for byte in payload.split(b"\0")[0] if 0x20 <= byte < 0x7F).strip()


MODULE_TYPE = Register(0x61, "module type", "u8")
SERIAL = TextRegister(0x65, "serial number", 20)
STATUS = Register(0x66, "status bits", "u16")
ERROR_CODE = Register(0x67, "error code", "u8")

INLET_TEMPERATURE = Register(0x11, "inlet temperature", "i16", "0.1 °C")
EMISSION = Register(0x30, "emission", "u8", writable=True)
SETUP = Register(0x31, "setup", "u16", writable=True)
INTERLOCK = Register(0x32, "interlock", "u16", writable=True)
PICKER_RATIO = Register(0x34, "pulse-picker ratio", "u8-u16", writable=True)
WATCHDOG = Register(0x36, "watchdog interval", "u8", "s", writable=True)
POWER_LEVEL = Register(0x37, "power level", "u16", "0.1 %", writable=True)
CURRENT_LEVEL = Register(0x38, "current level", "u16", "0.1 %", writable=True)
NIM_DELAY = Register(0x39, "NIM trigger delay", "u16", "about 9 ps", writable=True)
SYSTEM_TYPE = Register(0x6B, "system type", "u8")
USER_TEXT = TextRegister(0x6C, "user text", 20, writable=True)


class Setup(IntEnum):
    """What the laser holds constant or follows (register 31)."""

    CONSTANT_CURRENT = 0
    CONSTANT_POWER = 1
    MODULATED_CURRENT = 2
    MODULATED_POWER = 3
    POWER_LOCK = 4

    @staticmethod
    def words(value: int) -> str:
        """A register value in words; values not in the map say so."""
        try:
            return Setup(value).name.lower().replace("_", " ")
        except ValueError:
            return f"unknown (code {value})"


class Status(IntFlag):
    """Status bits of the main module (register 66)."""

    EMISSION = 1 << 0
    INTERLOCK_RELAYS_OFF = 1 << 1
    INTERLOCK_SUPPLY_LOW = 1 << 2
    INTERLOCK_LOOP_OPEN = 1 << 3
    OUTPUT_CONTROL_LOW = 1 << 4
    SUPPLY_LOW = 1 << 5
    INLET_TEMPERATURE_OUT_OF_RANGE = 1 << 6
    CLOCK_BATTERY_LOW = 1 << 7
    ADDRESS_CONFLICT = 1 << 13
    LOG_ERROR = 1 << 14
    SYSTEM_ERROR = 1 << 15

    def words(self) -> tuple[str, ...]:
        """Every set bit that has a meaning, in words, lowest first."""
        return tuple((bit.name or "").lower().replace("_", " ") for bit in Status if bit in self)


class InterlockState(IntEnum):
    """Low byte of the interlock register."""

    OPEN = 0
    WAITING_FOR_RESET = 1
    CLOSED = 2


class InterlockCircuit(IntEnum):
    """High byte of the interlock register: where the loop is open."""

    KEY = 0x01
    DOOR = 0x02
    EXTERNAL = 0x03
    APPLICATION = 0x04
    INTERNAL = 0x05
    POWER_FAILURE = 0x06
    DISABLED = 0x07
    CIRCUIT_FAILURE = 0xFF


_CIRCUIT_WORDS = {
    InterlockCircuit.KEY: "open at the key switch",
    InterlockCircuit.DOOR: "open at the door switch",
    InterlockCircuit.EXTERNAL: "open at the external module",
    InterlockCircuit.APPLICATION: "open at the application module",
    InterlockCircuit.INTERNAL: "open at an internal module",
    InterlockCircuit.POWER_FAILURE: "power failure",
    InterlockCircuit.DISABLED: "disabled by the source",
    InterlockCircuit.CIRCUIT_FAILURE: "circuit failure",
}


@dataclass(frozen=True, slots=True)
class Interlock:
    """The interlock register taken apart."""

    state: int
    circuit: int

    @classmethod
    def of(cls, value: int) -> "Interlock":
        """From the 16-bit register value: state in the low byte, circuit in the high byte."""
        return cls(state=value & 0xFF, circuit=value >> 8)

    @property
    def value(self) -> int:
        """The 16-bit register value."""
        return self.circuit << 8 | self.state

    @property
    def ok(self) -> bool:
        """The loop is closed and has been reset; nothing else permits emission."""
        return self.state == InterlockState.CLOSED

    def words(self) -> str:
        """One phrase for the operator: "closed", "waiting for reset", "open at the door switch"."""
        if self.ok:
            return "closed"
        if self.state == InterlockState.WAITING_FOR_RESET:
            return "waiting for reset"
        if self.state != InterlockState.OPEN:
            return f"in an unknown state (code {self.state:02X})"
        try:
            return _CIRCUIT_WORDS[InterlockCircuit(self.circuit)]
        except ValueError:
            return f"open (unknown place, code {self.circuit:02X})"


def permille_from_percent(percent: float) -> int:
    """The 0.1 % step nearest to a percentage; raises ValueError unless 0 <= percent <= 100.

    Rounded: truncating the float product puts 348 of the 1001 settings one step low.
    """
    if not (math.isfinite(percent) and 0 <= percent <= 100):
        raise ValueError(f"a power level is 0 to 100 %, not {percent}")
    return round(percent * 10)
