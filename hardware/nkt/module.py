"""The main module's registers as numbers: read, write, write and check."""

from contextlib import suppress

from hardware.nkt.port import NoAnswerError, RegisterPort
from hardware.nkt.registers import EMISSION, MAIN_MODULE, STATUS, Register, Status, TextRegister
from hardware.protocols import LaserError

__all__ = ["MainModule"]


class MainModule:
    """Typed access to the SuperK main module behind a port; not thread-safe."""

    def __init__(self, port: RegisterPort) -> None:
        self._port = port

    def get(self, register: Register) -> int:
        """The register's value; raises LaserError."""
        return register.unpack(self.raw(register))

    def text(self, register: TextRegister) -> str:
        """The register's text, printable ASCII only; raises LaserError."""
        return register.unpack(self.raw(register))

    def raw(self, register: Register | TextRegister) -> bytes:
        """The register's payload as it came; raises LaserError."""
        return self._port.read(MAIN_MODULE, register.address)

    def ask(self, register: Register) -> int | None:
        """The register's value, None if no answer that makes sense came."""
        with suppress(LaserError):
            return self.get(register)
        return None

    def put(self, register: Register, value: int) -> None:
        """Write a value; raises LaserError."""
        self._port.write(MAIN_MODULE, register.address, register.pack(value))

    def put_checked(self, register: Register, value: int) -> None:
        """Write a value and read it back; raises LaserError unless the laser now has it.

        A write without an answer may have arrived all the same: the read-back decides.
        """
        with suppress(NoAnswerError):
            self.put(register, value)
        found = self.get(register)
        if found != value:
            raise LaserError(
                f"the laser did not take {register.name} {value}, it reads {found}: check it and try again"
            )

    def emitting(self) -> bool | None:
        """On if the emission register or its status bit says so, off only if both do, else unknown."""
        level, status = self.ask(EMISSION), self.ask(STATUS)
        if level or (status is not None and status & Status.EMISSION):
            return True
        return None if level is None or status is None else False
