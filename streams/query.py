"""Questions a subscriber may ask a publisher, and the answers, as frames (docs/wire-format.md).

A question is one msgpack map. An answer is one msgpack map and the frames of the messages it brings.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from streams import schema
from streams.messages import Message
from streams.wire import (
    MAX_HEADER,
    VERSION,
    Envelope,
    Frames,
    WireError,
    decode,
    pack_map,
    unpack_map,
)

__all__ = [
    "MAX_QUESTION",
    "Answer",
    "AskFetch",
    "AskState",
    "Question",
    "TellLeft",
    "TellSeen",
    "pack_answer",
    "pack_question",
    "unpack_answer",
    "unpack_question",
]

MAX_QUESTION = 1 << 14  # bytes


@dataclass(frozen=True, slots=True)
class AskState:
    """What holds just before position `at`: the last message of each of `streams.history.STATE`."""

    id: int
    at: int


@dataclass(frozen=True, slots=True)
class AskFetch:
    """What is held of the positions [first, stop), of these topics; an empty list asks for all."""

    id: int
    first: int
    stop: int
    topics: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TellSeen:
    """Everything before `pos` is with me, of session `sid`. Has no answer; lets a replay wait."""

    sid: str
    pos: int


@dataclass(frozen=True, slots=True)
class TellLeft:
    """I stop following session `sid`: do not wait for me. Has no answer."""

    sid: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a publisher answers.

    Attributes:
        id: of the question.
        sid: the publisher's stream.
        error: why there is no answer; "" if there is one.
        next_pos: everything held of the positions before it, from the first asked for, is here.
        published: number of positions published so far.
        oldest_bulk_pos: position of the oldest photons or spectrum held; None if there are none.
        last_seq: topic -> last sequence number sent on it.
        sizes: number of frames of each message that follows.
    """

    id: int
    sid: str
    error: str
    next_pos: int
    published: int
    oldest_bulk_pos: int | None
    last_seq: Mapping[str, int]
    sizes: tuple[int, ...]


_T = TypeVar("_T")

Question = AskState | AskFetch | TellSeen | TellLeft
_ASKS: dict[str, type[Question]] = {"state": AskState, "fetch": AskFetch, "seen": TellSeen, "left": TellLeft}
_NAMES = {kind: name for name, kind in _ASKS.items()}


def pack_question(question: Question) -> bytes:
    """The one frame of a question."""
    return pack_map({"v": VERSION, "ask": _NAMES[type(question)], **schema.plain(question)})


def unpack_question(frame: bytes) -> Question:
    """The question in a frame; raises WireError."""
    content = unpack_map(frame, MAX_QUESTION)
    kind = _ASKS.get(str(content.pop("ask", None)))
    if kind is None:
        raise WireError("unknown question: ask state, fetch, seen or left")
    return _parsed(kind, content)


def pack_answer(answer: Answer, messages: Sequence[Frames]) -> list[bytes | memoryview]:
    """The frames of an answer and of the messages it brings."""
    flat: list[bytes | memoryview] = [pack_map({"v": VERSION, **schema.plain(answer)})]
    for frames in messages:
        flat.extend(frames)
    return flat


def unpack_answer(frames: Frames) -> tuple[Answer, list[tuple[Envelope, Message] | WireError]]:
    """An answer and its messages; a message that cannot be read stands as the error it gave.

    Raises:
        WireError: the answer itself cannot be read.
    """
    if not frames:
        raise WireError("an answer has at least one frame")
    answer = _parsed(Answer, unpack_map(frames[0], MAX_HEADER))
    if sum(answer.sizes) != len(frames) - 1:
        raise WireError("an answer does not have the frames its header states")
    messages: list[tuple[Envelope, Message] | WireError] = []
    at = 1
    for size in answer.sizes:
        try:
            messages.append(decode(frames[at : at + size]))
        except WireError as error:
            messages.append(error)
        at += size
    return answer, messages


def _parsed(kind: type[_T], content: dict[str, Any]) -> _T:
    del content["v"]
    try:
        return kind(**schema.parse(kind, content))
    except (ValueError, TypeError) as error:
        raise WireError(str(error)) from None
