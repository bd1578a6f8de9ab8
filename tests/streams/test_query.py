import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.messages import Status
from streams.query import (
    Answer,
    AskFetch,
    AskState,
    Question,
    TellLeft,
    TellSeen,
    pack_answer,
    pack_question,
    unpack_answer,
    unpack_question,
)
from streams.wire import Envelope, Frames, WireError, encode
from tests.streams import wire_samples as samples

HERE = Envelope("ab" * 16, 1, 2, 3)
questions: st.SearchStrategy[Question] = st.one_of(
    st.builds(AskState, samples.naturals, samples.naturals),
    st.builds(AskFetch, samples.naturals, samples.naturals, samples.naturals, st.just(("gap/", "end/"))),
    st.builds(TellSeen, samples.ids, samples.naturals),
    st.builds(TellLeft, samples.ids),
)


@given(questions)
def test_every_question_survives_the_wire(question: Question) -> None:
    assert unpack_question(pack_question(question)) == question


@given(questions, st.data())
def test_a_damaged_question_is_a_wire_error_or_another_question(
    question: Question, data: st.DataObject
) -> None:
    frame = bytearray(pack_question(question))
    at = data.draw(st.integers(0, len(frame) - 1))
    frame[at] ^= data.draw(st.integers(1, 255))
    try:
        unpack_question(bytes(frame[: data.draw(st.integers(0, len(frame)))]))
    except WireError:
        return


def test_an_answer_brings_its_messages_and_points_out_the_unreadable_ones() -> None:
    answer = Answer(7, HERE.sid, "", 12, 20, None, {"photons/": 3}, (5, 2, 2))
    frames: list[Frames] = [
        encode(samples.batch(0), HERE),
        encode(Status("running", "ok"), HERE),
        [b"status/", b"\xc1"],
    ]
    again, messages = unpack_answer(pack_answer(answer, frames))
    assert again == answer
    first, second, third = messages
    assert not isinstance(first, WireError)
    assert samples.same(first[1], samples.batch(0))
    assert second == (HERE, Status("running", "ok"))
    assert isinstance(third, WireError)


@pytest.mark.parametrize("sizes", [(6,), (1 << 40,), (5, -5, 5), ()])
def test_an_answer_that_miscounts_its_frames_is_refused(sizes: tuple[int, ...]) -> None:
    good = Answer(7, HERE.sid, "", 12, 20, 3, {}, (5,))
    frames = pack_answer(good, [encode(samples.batch(0), HERE)])
    wrong = pack_answer(Answer(7, HERE.sid, "", 12, 20, 3, {}, sizes), [])
    with pytest.raises(WireError):
        unpack_answer([*wrong, *frames[1:]])
