"""The control channel: one who takes orders, and how to give one.

A socket of its own, so that whoever may watch need not be able to command. Orders are done one after the
other, each at most once, none after it has run out.
"""

import contextlib
import secrets
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

import zmq
import zmq.asyncio

from streams.endpoints import EndpointError, Endpoints, private_files
from streams.orders import (
    MAX_ORDER,
    Order,
    OrderHead,
    Reply,
    pack_order,
    pack_reply,
    unpack_order,
    unpack_reply,
)
from streams.wire import WireError

__all__ = ["ControlError", "ControlServer", "Refused", "give_order"]

VALID_S = 10.0
FARTHEST_S = 60.0  # an order valid for longer comes from another clock
NOBODY_S = 1.5
NO_ORDER = "0" * 32

_REPLIES_KEPT = 256
_QUEUE = 16
_NS_PER_S = 1_000_000_000


class ControlError(Exception):
    """An order was not done; says why and what to do in one line."""


class Refused(Exception):  # noqa: N818 - not a failure of the program
    """Raised by whoever does orders: not this one, and why, in one line."""


class ControlServer:
    """Takes orders at an endpoint; use as `async with`, then run `serve`.

    The endpoints must be claimed already (the publisher of the same daemon does).

    Args:
        endpoints: its `control` is bound.
        do: does an order and says how things stand; raises Refused.
        unix_ns: wall clock, which orders run out by.
    """

    def __init__(
        self,
        endpoints: Endpoints,
        do: Callable[[Order], Awaitable[Reply]],
        *,
        unix_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._address = endpoints.control
        self._do = do
        self._unix_ns = unix_ns
        self._given: OrderedDict[str, bytes] = OrderedDict()

    async def __aenter__(self) -> Self:
        """Bind; raises EndpointError."""
        self._context = zmq.asyncio.Context(io_threads=1)
        self._socket = self._context.socket(zmq.ROUTER)
        self._socket.linger = 0
        self._socket.maxmsgsize = MAX_ORDER
        self._socket.handshake_ivl = 5000
        self._socket.sndhwm = self._socket.rcvhwm = _QUEUE
        try:
            with private_files():
                self._socket.bind(self._address)
        except zmq.ZMQError as error:
            self._context.destroy(linger=0)
            where = self._address.removeprefix("ipc://")
            raise EndpointError(f"cannot listen at {where}: {zmq.strerror(error.errno or 0)}") from None
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of the socket."""
        self._context.destroy(linger=0)

    async def serve(self) -> None:
        """Take orders until cancelled."""
        while True:
            *route, frame = await self._socket.recv_multipart()
            if 0 < len(route) <= 2:
                reply = await self._reply(frame)
                with contextlib.suppress(zmq.Again):  # whoever asked does not listen
                    await self._socket.send_multipart([*route, reply], zmq.DONTWAIT)

    async def _reply(self, frame: bytes) -> bytes:
        try:
            head, order = unpack_order(frame)
        except WireError as error:
            return pack_reply(NO_ORDER, Reply(str(error)))
        if (given := self._given.get(head.order_id)) is not None:
            return given
        reply = pack_reply(head.order_id, await self._answer(head, order))
        self._given[head.order_id] = reply
        if len(self._given) > _REPLIES_KEPT:
            self._given.popitem(last=False)
        return reply

    async def _answer(self, head: OrderHead, order: Order) -> Reply:
        left_s = (head.expires_unix_ns - self._unix_ns()) / _NS_PER_S
        if left_s <= 0:
            return Reply(f"the order came {-left_s:.1f} s too late and was not done: give it again")
        if left_s > FARTHEST_S:
            return Reply(f"the order is valid for {left_s:.0f} s, too long: set the clocks of both machines")
        try:
            return await self._do(order)
        except Refused as refusal:
            return Reply(" ".join(str(refusal).split()))
        except Exception as error:
            return Reply(f"the daemon failed at it: {type(error).__name__}: {' '.join(str(error).split())}")


def give_order(
    endpoints: Endpoints,
    order: Order,
    *,
    valid_s: float = VALID_S,
    nobody_s: float = NOBODY_S,
    unix_ns: Callable[[], int] = time.time_ns,
) -> Reply:
    """Give an order and wait for the reply; blocks.

    Args:
        endpoints: of the daemon.
        order: what to do.
        valid_s: how long to wait, and how long the daemon may do it.
        nobody_s: how long to look for a daemon.
        unix_ns: wall clock.

    Raises:
        ControlError: nobody listens, nobody answers, or the order was refused.
    """
    head = OrderHead(secrets.token_hex(16), unix_ns() + int(valid_s * _NS_PER_S))
    with zmq.Context(io_threads=1) as context, context.socket(zmq.DEALER) as socket:
        socket.linger = 0
        socket.maxmsgsize = MAX_ORDER
        socket.immediate = True  # an order waits for a daemon here, never in a queue
        socket.sndtimeo = int(1000 * nobody_s)  # not a poll before: a daemon may die between the two
        socket.connect(endpoints.control)
        try:
            socket.send(pack_order(head, order))
        except zmq.Again:
            raise ControlError(
                f"no daemon listens at {endpoints}: start one with `qdmon daemon`, or name its address"
            ) from None
        if not socket.poll(int(1000 * valid_s), zmq.POLLIN):
            raise ControlError(
                f"the daemon at {endpoints} did not answer within {valid_s:g} s: is it still alive?"
            )
        try:
            _, reply = unpack_reply(socket.recv())
        except WireError as error:
            raise ControlError(f"cannot read what {endpoints} answers: {error}") from None
    if reply.error:
        raise ControlError(reply.error)
    return reply
