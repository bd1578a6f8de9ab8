"""How the driver reaches registers: one request, one answer, whatever carries them."""

from typing import Protocol

from hardware.protocols import LaserError

__all__ = ["BadAnswerError", "BusyError", "NoAnswerError", "RefusedError", "RegisterPort"]


class NoAnswerError(LaserError):
    """Nothing came back: whether the request was carried out is unknown."""


class RefusedError(LaserError):
    """The module said no (NACK): the register is absent, read-only, or the value is not accepted."""


class BusyError(LaserError):
    """The module was busy and did not carry out the request."""


class BadAnswerError(LaserError):
    """An answer came that the register cannot have."""


class RegisterPort(Protocol):
    """Registers of the modules on one Interbus, as raw little-endian payloads.

    Implementations serialise nothing and retry only reads and set-point writes; every failure is a
    `LaserError`. A request that got no answer raises `NoAnswerError`, never an old answer.
    """

    def open(self) -> None:
        """Take the port; raises LaserError. Sends nothing that changes a register."""

    def close(self) -> None:
        """Release the port; may be called twice and after a failed `open`."""

    def read(self, module: int, register: int) -> bytes:
        """Payload of a register; raises LaserError."""

    def write(self, module: int, register: int, payload: bytes) -> None:
        """Write a register and wait for the acknowledgement; raises LaserError."""
