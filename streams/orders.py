"""Orders an operator may give a daemon or a replay, and the replies, as frames (docs/wire-format.md).

An order is one msgpack map, its reply another. An order runs out: what waited too long, because the daemon
was busy or not there, is refused instead of surprising somebody later.
"""

from dataclasses import dataclass
from typing import Any

from streams import schema
from streams.messages import RecordingState, ReplayState
from streams.wire import VERSION, WireError, pack_map, unpack_map

__all__ = [
    "MAX_ORDER",
    "LoopReplay",
    "Order",
    "OrderHead",
    "PauseReplay",
    "PlayReplay",
    "Reply",
    "SeekReplay",
    "SetReplaySpeed",
    "StartRecording",
    "StepReplay",
    "StopRecording",
    "TellState",
    "pack_order",
    "pack_reply",
    "unpack_order",
    "unpack_reply",
]

MAX_ORDER = 1 << 14  # bytes, of an order and of a reply
MAX_TITLE = 200  # characters


@dataclass(frozen=True, slots=True)
class OrderHead:
    """What every order carries.

    Attributes:
        order_id: 32 hex digits, new for every order; an order repeated with its id is done once.
        expires_unix_ns: not to be done at or after this moment.
    """

    order_id: str
    expires_unix_ns: int


@dataclass(frozen=True, slots=True)
class TellState:
    """Only say how things are."""


@dataclass(frozen=True, slots=True)
class StartRecording:
    """Begin a recording; `title` is what people call it."""

    title: str = ""


@dataclass(frozen=True, slots=True)
class StopRecording:
    """End the recording; answered once it is closed."""


@dataclass(frozen=True, slots=True)
class PlayReplay:
    """Go on."""


@dataclass(frozen=True, slots=True)
class PauseReplay:
    """Stand still."""


@dataclass(frozen=True, slots=True)
class StepReplay:
    """Play `step_s` of stream time, at least one batch, then stand still."""

    step_s: float


@dataclass(frozen=True, slots=True)
class SeekReplay:
    """Go on from stream time `time_s`."""

    time_s: float


@dataclass(frozen=True, slots=True)
class SetReplaySpeed:
    """Recorded seconds per second; None plays as fast as the viewers take it."""

    speed: float | None


@dataclass(frozen=True, slots=True)
class LoopReplay:
    """Begin again at the end, or not."""

    on: bool


Order = (
    TellState
    | StartRecording
    | StopRecording
    | PlayReplay
    | PauseReplay
    | StepReplay
    | SeekReplay
    | SetReplaySpeed
    | LoopReplay
)

_ORDERS: dict[str, type[Order]] = {
    "state": TellState,
    "record-start": StartRecording,
    "record-stop": StopRecording,
    "replay-play": PlayReplay,
    "replay-pause": PauseReplay,
    "replay-step": StepReplay,
    "replay-seek": SeekReplay,
    "replay-speed": SetReplaySpeed,
    "replay-loop": LoopReplay,
}
_NAMES = {kind: name for name, kind in _ORDERS.items()}


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of an order.

    Attributes:
        error: why it was not done, in one line that says what to do; "" if it was.
        recording: how the recording stands now; None where there can be none.
        replay: how the replay stands now; None if this is not one.
    """

    error: str = ""
    recording: RecordingState | None = None
    replay: ReplayState | None = None


@dataclass(frozen=True, slots=True)
class _ReplyHead:
    order_id: str


def pack_order(head: OrderHead, order: Order) -> bytes:
    """The one frame of an order."""
    return pack_map({"v": VERSION, "do": _NAMES[type(order)], **schema.plain(head), **schema.plain(order)})


def unpack_order(frame: bytes) -> tuple[OrderHead, Order]:
    """The order in a frame; raises WireError."""
    content = unpack_map(frame, MAX_ORDER)
    kind = _ORDERS.get(str(content.pop("do", None)))
    if kind is None:
        raise WireError("unknown order: this daemon does not know it; update the older program")
    head = {name: content.pop(name) for name in schema.fields_of(OrderHead) if name in content}
    return OrderHead(**_parsed(OrderHead, head)), _checked(kind(**_parsed(kind, content)))


def pack_reply(order_id: str, reply: Reply) -> bytes:
    """The one frame of a reply to an order."""
    return pack_map({"v": VERSION, "order_id": order_id, **schema.plain(reply)})


def unpack_reply(frame: bytes) -> tuple[str, Reply]:
    """The id of the order that is answered, and the reply; raises WireError."""
    content = unpack_map(frame, MAX_ORDER)
    head = {name: content.pop(name) for name in ("order_id",) if name in content}
    return _parsed(_ReplyHead, head)["order_id"], Reply(**_parsed(Reply, content))


def _checked(order: Order) -> Order:
    if isinstance(order, SetReplaySpeed) and order.speed == 0:
        raise WireError("a speed must be above 0: give 1 for real time")
    if isinstance(order, StartRecording) and len(order.title) > MAX_TITLE:
        raise WireError(f"a title has at most {MAX_TITLE} characters: shorten it")
    return order


def _parsed(kind: type, content: dict[str, Any]) -> dict[str, Any]:
    content.pop("v", None)
    try:
        return schema.parse(kind, content)
    except (ValueError, TypeError) as error:
        raise WireError(str(error)) from None
