"""Levels on the pulse clock: no pulse is claimed for a level it may not have had."""

from hypothesis import given
from hypothesis import strategies as st

from qdmon.daemon.steps import Level, LevelSchedule

LOW = Level(0.2, 20, 1000)
HIGH = Level(1.4, 140, 500)


def test_a_level_is_due_once_when_its_time_has_come() -> None:
    schedule = LevelSchedule([LOW, HIGH])
    assert schedule.due(999) is None
    assert schedule.due(1000) is HIGH
    assert schedule.due(1001) is None


def test_a_read_begun_before_the_acknowledgement_proves_nothing() -> None:
    schedule = LevelSchedule([LOW, HIGH])
    schedule.due(1000)
    schedule.acknowledged(host_time_ns=77)
    assert schedule.settled(began_ns=76, position=2000, seen=2000) is None


def test_without_an_acknowledgement_nothing_settles() -> None:
    schedule = LevelSchedule([LOW, HIGH])
    schedule.due(1000)
    assert schedule.settled(began_ns=10**9, position=9000, seen=9000) is None


def test_photons_of_the_draining_read_may_still_be_old_ones() -> None:
    """The card held them when the laser answered, and some are later than the position says."""
    schedule = LevelSchedule([LOW, HIGH])
    schedule.due(1000)
    schedule.acknowledged(77)
    assert schedule.settled(78, position=2000, seen=2600) is None
    assert schedule.settled(79, position=2500, seen=3000) is None
    assert schedule.settled(80, position=2600, seen=3100) is HIGH
    assert schedule.settled(81, position=2700, seen=3200) is None, "once is enough"


def test_the_last_level_is_over_after_its_own_time_from_when_it_surely_held() -> None:
    schedule = LevelSchedule([LOW, HIGH])
    schedule.due(1000)
    schedule.acknowledged(1)
    assert not schedule.finished(10**9)
    schedule.settled(2, position=3000, seen=3000)
    assert not schedule.finished(3499)
    assert schedule.finished(3500)
    assert schedule.due(10**9) is None


@given(
    reads=st.lists(st.tuples(st.integers(1, 2000), st.integers(0, 300)), min_size=20, max_size=60),
    answer_after=st.integers(1, 5),
)
def test_whatever_the_timing_no_old_photon_is_claimed_for_the_new_level(
    reads: list[tuple[int, int]], answer_after: int
) -> None:
    """A card is read at times 0, 1, 2 ...; the level changes `answer_after` reads after the command.

    A photon is old if it was counted before the acknowledgement, that is, if it came with a read begun
    before it or with the first one begun after it.
    """
    schedule = LevelSchedule([LOW, HIGH])
    position = seen = 0
    commanded: int | None = None
    last_old = 0
    for now, (step, ahead) in enumerate(reads):
        position += step
        seen = max(seen, position + ahead)
        if commanded is not None and now <= commanded + answer_after:
            last_old = seen
        if commanded is not None and now == commanded + answer_after:
            schedule.acknowledged(now)
        level = schedule.settled(now, position, seen)
        if level is not None:
            assert position >= last_old
            return
        if commanded is None and schedule.due(position) is not None:
            commanded = now
