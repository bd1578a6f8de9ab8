"""One thread per device, and blocks that reach the event loop in order, all of them."""

import asyncio
import threading

import numpy as np
import pytest

from hardware.protocols import CardError, DeviceError
from hardware.types import Acquisition, DeviceInfo, RawBlock
from hardware.worker import CardReader, DeviceThread


def block(number: int) -> RawBlock:
    return RawBlock(np.array([number], np.uint32), host_time_ns=number)


EMPTY = RawBlock(np.empty(0, np.uint32), 0)


class ScriptedCard:
    """Gives `before` while running, `left` after stop; then nothing. Remembers who called what."""

    def __init__(self, before: list[RawBlock | Exception], left: list[RawBlock] | None = None) -> None:
        self.before = before
        self.left = left or []
        self.calls: list[str] = []
        self.threads: set[str] = set()
        self.stopped = False
        self.exhausted = threading.Event()

    def _note(self, call: str) -> None:
        self.calls.append(call)
        self.threads.add(threading.current_thread().name)

    def open(self) -> DeviceInfo:
        raise NotImplementedError

    def configure(self) -> Acquisition:
        raise NotImplementedError

    def start(self) -> None:
        self._note("start")

    def read(self) -> RawBlock:
        self._note("read")
        source = self.left if self.stopped else self.before
        if not source:
            self.exhausted.set()
            return EMPTY
        item = source.pop(0)
        if isinstance(item, Exception):
            raise item
        return item

    def stop(self) -> None:
        self._note("stop")
        self.stopped = True

    def close(self) -> None:
        self._note("close")


async def collect(reader: CardReader) -> list[int]:
    return [int(timed.block.words[0]) async for timed in reader if len(timed.block.words)]


async def test_every_block_arrives_in_order_including_those_left_in_the_card_at_the_stop() -> None:
    card = ScriptedCard([block(i) for i in range(20)], left=[block(20), block(21)])
    reader = CardReader(card, DeviceThread("card"))
    await reader.start()
    taking = asyncio.create_task(collect(reader))
    await asyncio.to_thread(card.exhausted.wait, 5)
    reader.stop()
    assert await taking == list(range(22))
    assert card.calls.index("stop") > card.calls.index("start")


async def test_a_full_buffer_makes_the_card_wait_and_loses_nothing() -> None:
    card = ScriptedCard([block(i) for i in range(30)])
    reader = CardReader(card, DeviceThread("card"), capacity=2)
    await reader.start()
    while not reader.waits:  # noqa: ASYNC110 - the card's thread meets a full buffer
        await asyncio.sleep(0)
    assert reader.depth <= 2
    taking = asyncio.create_task(collect(reader))
    await asyncio.to_thread(card.exhausted.wait, 5)
    reader.stop()
    assert await taking == list(range(30))


async def test_a_failing_card_hands_over_what_it_read_before_it_failed() -> None:
    card = ScriptedCard([block(0), block(1), CardError("the cable is out")])
    reader = CardReader(card, DeviceThread("card"))
    await reader.start()
    seen = [int((await anext(reader)).block.words[0]) for _ in range(2)]
    assert seen == [0, 1]
    with pytest.raises(CardError, match="the cable is out"):
        await anext(reader)
    assert "stop" not in card.calls, "the laser goes first, so the caller stops a card that failed"


async def test_reads_begin_before_they_return_and_after_the_read_before() -> None:
    card = ScriptedCard([block(i) for i in range(5)])
    reader = CardReader(card, DeviceThread("card"))
    await reader.start()
    began = [(await anext(reader)).began_ns for _ in range(5)]
    reader.abandon()
    assert began == sorted(began)


async def test_one_thread_makes_all_the_calls() -> None:
    card = ScriptedCard([block(0)])
    thread = DeviceThread("card")
    reader = CardReader(card, thread)
    await reader.start()
    await anext(reader)
    reader.abandon()
    await thread.call(card.close, timeout_s=5)
    assert card.threads == {"qdmon-card"}
    assert card.calls[-1] == "close", "calls queue behind the reading, they never interrupt it"


async def test_a_device_that_does_not_answer_is_an_error_in_one_line() -> None:
    thread = DeviceThread("laser")
    release = threading.Event()
    with pytest.raises(DeviceError, match=r"laser did not answer within 0\.01 s"):
        await thread.call(release.wait, timeout_s=0.01)
    release.set()
    thread.close()
    assert thread.join(5)


async def test_what_a_driver_raises_reaches_the_caller() -> None:
    thread = DeviceThread("laser")

    def refuse() -> None:
        raise DeviceError("interlock open")

    with pytest.raises(DeviceError, match="interlock open"):
        await thread.call(refuse, timeout_s=5)
    assert await thread.call(lambda: 42, timeout_s=5) == 42, "the thread lives on"
    thread.close()
