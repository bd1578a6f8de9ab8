import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import zmq
import zmq.asyncio

from streams.control import ControlError, ControlServer, Refused, give_order
from streams.endpoints import EndpointError, Endpoints
from streams.messages import RecordingState
from streams.orders import (
    MAX_ORDER,
    Order,
    OrderHead,
    PauseReplay,
    Reply,
    StartRecording,
    StopRecording,
    TellState,
    pack_order,
    unpack_reply,
)

ON = Reply(recording=RecordingState("on", "20260101-dot"))


class Doer:
    """Notes what it is told to do; refuses to stop, and fails at standing still."""

    def __init__(self) -> None:
        self.done: list[Order] = []

    async def do(self, order: Order) -> Reply:
        self.done.append(order)
        if isinstance(order, StopRecording):
            raise Refused("no recording runs:\nstart one")
        if isinstance(order, PauseReplay):
            raise ZeroDivisionError("oops")
        return ON


@contextlib.asynccontextmanager
async def taking_orders(
    endpoints: Endpoints, doer: Doer, unix_ns: Callable[[], int] = time.time_ns
) -> AsyncIterator[None]:
    async with ControlServer(endpoints, doer.do, unix_ns=unix_ns) as server:
        service = asyncio.create_task(server.serve())
        try:
            yield
        finally:
            service.cancel()


async def give(endpoints: Endpoints, order: Order) -> Reply:
    return await asyncio.to_thread(give_order, endpoints, order)


async def send(endpoints: Endpoints, *frames: list[bytes], kind: int = zmq.DEALER) -> list[tuple[str, Reply]]:
    """What comes back for each of some multipart messages."""
    with zmq.asyncio.Context() as context, context.socket(kind) as socket:
        socket.linger = 0
        socket.connect(endpoints.control)
        answers = []
        for parts in frames:
            await socket.send_multipart(parts)
            async with asyncio.timeout(10):
                answers.append(unpack_reply(await socket.recv()))
        return answers


def order(expires_unix_ns: int, order_id: str = "ab" * 16) -> list[bytes]:
    return [pack_order(OrderHead(order_id, expires_unix_ns), StartRecording("dot"))]


async def test_an_order_is_done_and_answered_with_how_things_stand(endpoints: Endpoints) -> None:
    doer = Doer()
    async with taking_orders(endpoints, doer):
        assert await give(endpoints, StartRecording("dot 7")) == ON
    assert doer.done == [StartRecording("dot 7")]


async def test_a_refusal_is_one_line_and_a_failure_does_not_end_the_service(endpoints: Endpoints) -> None:
    async with taking_orders(endpoints, Doer()):
        with pytest.raises(ControlError, match=r"^no recording runs: start one$"):
            await give(endpoints, StopRecording())
        with pytest.raises(ControlError, match="ZeroDivisionError: oops"):
            await give(endpoints, PauseReplay())
        assert await give(endpoints, TellState()) == ON


async def test_an_order_that_waited_too_long_is_not_done(endpoints: Endpoints) -> None:
    doer = Doer()
    async with taking_orders(endpoints, doer, unix_ns=lambda: 10_000_000_000):
        answers = await send(endpoints, order(9_000_000_000), order(71_000_000_000, "cd" * 16))
    assert "1.0 s too late" in answers[0][1].error
    assert "set the clocks" in answers[1][1].error
    assert doer.done == []


async def test_an_order_given_twice_with_one_id_is_done_once(endpoints: Endpoints) -> None:
    doer = Doer()
    async with taking_orders(endpoints, doer, unix_ns=lambda: 0):
        first, again = await send(endpoints, order(10**9), order(10**9))
    assert first == again == ("ab" * 16, ON)
    assert len(doer.done) == 1


async def test_a_program_with_a_plain_request_socket_is_served_too(endpoints: Endpoints) -> None:
    async with taking_orders(endpoints, Doer(), unix_ns=lambda: 0):
        assert await send(endpoints, order(10**9), kind=zmq.REQ) == [("ab" * 16, ON)]


async def test_nonsense_is_answered_with_an_error_and_the_next_order_is_done(endpoints: Endpoints) -> None:
    doer = Doer()
    async with taking_orders(endpoints, doer, unix_ns=lambda: 0):
        nonsense, good = await send(endpoints, [b"\xc1" * 100], order(10**9))
    assert nonsense[1].error
    assert good[1] == ON
    assert len(doer.done) == 1


async def test_an_oversized_frame_costs_its_sender_the_connection_and_nobody_else(
    endpoints: Endpoints,
) -> None:
    doer = Doer()
    async with taking_orders(endpoints, doer):
        with zmq.asyncio.Context() as context, context.socket(zmq.DEALER) as socket:
            socket.linger = 0
            socket.connect(endpoints.control)
            await socket.send(b"x" * (MAX_ORDER + 1))
            assert await give(endpoints, TellState()) == ON
    assert doer.done == [TellState()]


def test_without_a_daemon_the_client_says_so_at_once(endpoints: Endpoints) -> None:
    with pytest.raises(ControlError, match="no daemon listens at"):
        give_order(endpoints, TellState(), nobody_s=0.05)


def test_a_daemon_that_goes_away_while_the_order_is_sent_is_not_waited_for(
    endpoints: Endpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A daemon is there when the client looks, and killed before it has sent its order."""
    send = zmq.Socket.send
    with zmq.Context() as context, context.socket(zmq.ROUTER) as daemon:
        daemon.linger = 0
        daemon.bind(endpoints.control)

        def sent_too_late(client: zmq.Socket[bytes], order: bytes) -> None:
            client.poll(1000, zmq.POLLOUT)
            daemon.close()
            while client.poll(0, zmq.POLLOUT):  # until the library's own thread has noticed
                time.sleep(0.001)
            send(client, order)

        monkeypatch.setattr(zmq.Socket, "send", sent_too_late)
        with pytest.raises(ControlError, match="no daemon listens at"):
            give_order(endpoints, TellState(), nobody_s=0.05)


async def test_a_daemon_that_does_not_answer_is_not_waited_for_longer_than_the_order_is_valid(
    endpoints: Endpoints,
) -> None:
    with zmq.asyncio.Context() as context, context.socket(zmq.ROUTER) as mute:
        mute.linger = 0
        mute.bind(endpoints.control)
        with pytest.raises(ControlError, match="did not answer"):
            await asyncio.to_thread(give_order, endpoints, TellState(), valid_s=0.05)


async def test_the_control_socket_is_for_this_account_only_and_a_bad_place_is_one_line(
    endpoints: Endpoints,
) -> None:
    async with taking_orders(endpoints, Doer()):
        mode = Path(endpoints.control.removeprefix("ipc://")).stat().st_mode  # noqa: ASYNC240
    assert mode & 0o077 == 0
    nowhere = Endpoints(endpoints.data, endpoints.query, "ipc:///does/not/exist/x.control")
    with pytest.raises(EndpointError, match="cannot listen"):
        async with ControlServer(nowhere, Doer().do):
            pass
