import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.messages import RecordingState, ReplayState
from streams.orders import (
    MAX_ORDER,
    LoopReplay,
    Order,
    OrderHead,
    PauseReplay,
    PlayReplay,
    Reply,
    SeekReplay,
    SetReplaySpeed,
    StartRecording,
    StepReplay,
    StopRecording,
    TellState,
    pack_order,
    pack_reply,
    unpack_order,
    unpack_reply,
)
from streams.wire import WireError
from tests.streams import wire_samples as samples

HEAD = OrderHead("ab" * 16, 1_800_000_000_000_000_000)
orders: st.SearchStrategy[Order] = st.one_of(
    *(st.builds(kind) for kind in (TellState, StopRecording, PlayReplay, PauseReplay)),
    st.builds(StartRecording, samples.texts),
    st.builds(StepReplay, samples.reals),
    st.builds(SeekReplay, samples.reals),
    st.builds(SetReplaySpeed, st.none() | st.floats(1e-6, 1e6)),
    st.builds(LoopReplay, st.booleans()),
)
heads = st.builds(OrderHead, samples.ids, samples.naturals)
replies = st.builds(
    Reply,
    samples.texts,
    st.none() | samples.by_kind[RecordingState],
    st.none() | samples.by_kind[ReplayState],
)


@given(heads, orders)
def test_every_order_survives_the_wire(head: OrderHead, order: Order) -> None:
    assert unpack_order(pack_order(head, order)) == (head, order)


@given(samples.ids, replies)
def test_every_reply_survives_the_wire(order_id: str, reply: Reply) -> None:
    assert unpack_reply(pack_reply(order_id, reply)) == (order_id, reply)


@given(orders, st.data())
def test_a_damaged_order_is_a_wire_error_or_another_order(order: Order, data: st.DataObject) -> None:
    frame = bytearray(pack_order(HEAD, order))
    at = data.draw(st.integers(0, len(frame) - 1))
    frame[at] ^= data.draw(st.integers(1, 255))
    try:
        unpack_order(bytes(frame[: data.draw(st.integers(0, len(frame)))]))
    except WireError:
        return


def packed(**changes: object) -> bytes:
    good = {"v": 1, "do": "replay-seek", "order_id": "ab" * 16, "expires_unix_ns": 5, "time_s": 1.0}
    frame: bytes = msgpack.packb({k: v for k, v in (good | changes).items() if v is not ...})
    return frame


@pytest.mark.parametrize(
    "changes",
    [
        {"do": "laser-on"},
        {"do": None},
        {"v": 2},
        {"order_id": "x"},
        {"order_id": ...},
        {"expires_unix_ns": -1},
        {"expires_unix_ns": 1.5},
        {"time_s": -1.0},
        {"time_s": float("nan")},
        {"time_s": "1"},
        {"time_s": ...},
        {"more": 1},
        {"do": "replay-speed", "time_s": ..., "speed": 0.0},
        {"do": "record-start", "time_s": ..., "title": "x" * 201},
        {"do": "record-start", "time_s": ..., "title": "x" * MAX_ORDER},
        {"do": "replay-loop", "time_s": ..., "on": 1},
    ],
)
def test_what_is_not_exactly_an_order_is_refused_in_one_line(changes: dict[str, object]) -> None:
    unpack_order(packed())
    with pytest.raises(WireError) as refusal:
        unpack_order(packed(**changes))
    assert "\n" not in str(refusal.value)


def test_a_title_cannot_steer_a_terminal() -> None:
    frame = pack_order(HEAD, StartRecording("\x1b]0;gotcha\x07dot 7"))
    order = unpack_order(frame)[1]
    assert isinstance(order, StartRecording)
    assert order.title.isprintable()
