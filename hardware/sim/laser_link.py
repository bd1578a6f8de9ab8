"""A bad cable: what can happen to register requests between a driver and a laser."""

import threading
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto

from hardware.nkt.port import BusyError, NoAnswerError, RefusedError, RegisterPort
from hardware.protocols import LaserError

__all__ = ["Fault", "FaultyLink"]


class Fault(Enum):
    """What can happen to one request on its way."""

    LOST_REQUEST = auto()  # never arrives, no answer
    LOST_ANSWER = auto()  # carried out, no answer
    LATE = auto()  # no answer, and carried out only just before the next request
    NACK = auto()  # refused, not carried out
    BUSY = auto()  # not carried out


@dataclass
class _Planned:
    fault: Fault
    register: int | None
    writes_only: bool
    times: int


@dataclass(frozen=True)
class _Request:
    module: int
    register: int
    payload: bytes | None  # None reads


class FaultyLink:
    """A `RegisterPort` in front of another one that loses, delays and refuses on demand. Thread-safe.

    Args:
        port: what is at the far end.
    """

    def __init__(self, port: RegisterPort) -> None:
        self._port = port
        self._lock = threading.Lock()
        self._plugged = True
        self._planned: list[_Planned] = []
        self._late: list[_Request] = []

    def inject(
        self, fault: Fault, *, register: int | None = None, writes_only: bool = False, times: int = 1
    ) -> None:
        """Let the next `times` requests (to that register, if given) meet a fault."""
        with self._lock:
            self._planned.append(_Planned(fault, register, writes_only, times))

    def unplug(self) -> None:
        """Pull the cable: nothing arrives any more."""
        with self._lock:
            self._plugged = False

    def plug_in(self) -> None:
        """Put the cable back."""
        with self._lock:
            self._plugged = True

    def open(self) -> None:
        """Take the port at the far end."""
        self._port.open()

    def close(self) -> None:
        """Release the port at the far end."""
        self._port.close()

    def read(self, module: int, register: int) -> bytes:
        """Payload of a register, unless a fault is due; raises LaserError."""
        return self._exchange(_Request(module, register, None))

    def write(self, module: int, register: int, payload: bytes) -> None:
        """Write a register, unless a fault is due; raises LaserError."""
        self._exchange(_Request(module, register, payload))

    def _exchange(self, request: _Request) -> bytes:
        with self._lock:
            fault = self._due(request)
            if not self._plugged or fault is Fault.LOST_REQUEST:
                raise _silence(request)
            while self._late:
                self._unheard(self._late.pop(0))
            match fault:
                case Fault.LATE:
                    self._late.append(request)
                    raise _silence(request)
                case Fault.LOST_ANSWER:
                    self._unheard(request)
                    raise _silence(request)
                case Fault.NACK:
                    raise RefusedError(
                        f"module {request.module:02X} of the laser refused register {request.register:02X}"
                    )
                case Fault.BUSY:
                    raise BusyError(f"module {request.module:02X} of the laser is busy: try again")
            return self._carry_out(request)

    def _due(self, request: _Request) -> Fault | None:
        for planned in self._planned:
            fits = planned.register in (None, request.register)
            if fits and not (planned.writes_only and request.payload is None):
                planned.times -= 1
                if planned.times == 0:
                    self._planned.remove(planned)
                return planned.fault
        return None

    def _carry_out(self, request: _Request) -> bytes:
        if request.payload is None:
            return self._port.read(request.module, request.register)
        self._port.write(request.module, request.register, request.payload)
        return b""

    def _unheard(self, request: _Request) -> None:
        with suppress(LaserError):  # nobody hears a refusal either
            self._carry_out(request)


def _silence(request: _Request) -> NoAnswerError:
    return NoAnswerError(
        f"module {request.module:02X} of the laser does not answer: check its power and its cable"
    )
