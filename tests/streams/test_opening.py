from hypothesis import given
from hypothesis import strategies as st

from hardware.types import LossCause
from streams.messages import Fluence, Gap, LaserState, Marker, Message, PhotonBatch, Segment, Status
from streams.opening import Opening
from tests.streams import wire_samples as samples


def opened_after(messages: list[Message]) -> list[Message]:
    opening = Opening()
    for message in messages:
        opening.pass_over(message)
    return opening.messages()


def story() -> list[Message]:
    """Two segments with everything that can hold, batches of 1000 pulses."""
    told: list[Message] = [samples.session()]
    for index in range(2):
        told += [samples.segment(index), Fluence(index, 0, 0.2), Status("running", f"segment {index}")]
        for number in range(6):
            if number == 2:
                told += [Gap(index, 2500, 4500, LossCause.FIFO_OVERRUN), Marker(index, 2100, "card", "1")]
            if number == 4:
                told += [Fluence(index, 4000, 1.4), LaserState(index, 4000, True, True, 140, 140)]
            told.append(samples.batch(number, segment=index))
    return told


def test_before_the_first_message_nothing_holds() -> None:
    assert opened_after([]) == []


def test_at_the_start_there_is_nothing_but_what_was_said() -> None:
    told = story()[:4]
    assert opened_after(told) == told


@given(st.integers(0, len(story())))
def test_a_session_begun_anywhere_tells_of_every_later_photon_what_the_whole_one_does(cut: int) -> None:
    """Segment, fluence and losses at each batch are those of the uncut session."""
    told = story()
    begun = opened_after(told[:cut]) + told[cut:]
    whole, part = facts(told), facts(begun)
    later = [m for m in told[cut:] if isinstance(m, PhotonBatch)]
    assert part == whole[len(whole) - len(later) :]


def facts(told: list[Message]) -> list[tuple[object, ...]]:
    """For each batch: segment, fluence, laser, and the pulses of it that count."""
    found: list[tuple[object, ...]] = []
    segment: Segment | None = None
    fluence: Fluence | None = None
    gaps: list[Gap] = []
    for message in told:
        if isinstance(message, Segment):
            segment, fluence, gaps = message, None, []
        elif isinstance(message, Fluence):
            fluence = message
        elif isinstance(message, Gap):
            gaps.append(message)
        elif isinstance(message, PhotonBatch):
            lost = [
                (max(g.first_pulse, message.first_pulse), min(g.stop_pulse, message.stop_pulse)) for g in gaps
            ]
            found.append(
                (segment, fluence, message.first_pulse, [span for span in lost if span[0] < span[1]])
            )
    return found


def test_what_was_passed_over_is_no_darkness() -> None:
    opened = opened_after(story()[:9])
    assert Gap(0, 0, 3000, LossCause.NOT_COVERED) in opened
