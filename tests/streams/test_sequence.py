from hypothesis import given, settings
from hypothesis import strategies as st

from streams.sequence import Delivered, PassedOver, Sequencer, Wanted


class Daemon:
    """A publisher's history: positions 0..n-1, of which those in `forgotten` are no longer held."""

    def __init__(self, forgotten: set[int]) -> None:
        self.published = 0
        self.forgotten = forgotten

    def answer(self, wanted: Wanted, page: int) -> tuple[int, int, list[tuple[int, int]]]:
        stop = min(wanted.first + page, wanted.stop)
        if wanted.state_only:
            return wanted.first, wanted.stop, [(0, 0)] if wanted.first == 0 else []
        return wanted.first, stop, [(p, p) for p in range(wanted.first, stop) if p not in self.forgotten]


def drain(sequencer: Sequencer[int], delivered: list[int], passed: list[int]) -> None:
    while (step := sequencer.take()) is not None:
        if isinstance(step, Delivered):
            assert step.item == step.pos
            delivered.append(step.pos)
        else:
            passed.extend(range(step.first, step.stop))


@settings(max_examples=200)
@given(st.data(), st.sets(st.integers(0, 40), max_size=20), st.integers(1, 6))
def test_any_interleaving_gives_each_position_once_and_in_order(
    data: st.DataObject, forgotten: set[int], max_held: int
) -> None:
    daemon = Daemon(forgotten)
    sequencer: Sequencer[int] = Sequencer(max_held=max_held)
    delivered: list[int] = []
    passed: list[int] = []
    open_answers: list[tuple[int, int, list[tuple[int, int]]]] = []
    for action in data.draw(
        st.lists(st.sampled_from(["live", "live", "lost", "again", "beat", "ask", "answer", "old"]))
    ):
        if action == "live":
            sequencer.live(daemon.published, daemon.published, 100)
            daemon.published += 1
        elif action == "again" and daemon.published:
            pos = data.draw(st.integers(0, daemon.published - 1))
            sequencer.live(pos, pos, 100)
        elif action == "lost":
            daemon.published += 1
        elif action == "beat":
            sequencer.published(daemon.published)
        elif action == "ask" and (wanted := sequencer.wanted()):
            open_answers.append(daemon.answer(wanted, data.draw(st.integers(1, 12))))
        elif action == "answer" and open_answers:
            which = data.draw(st.integers(0, len(open_answers) - 1))
            sequencer.page(*open_answers.pop(which))
        elif action == "old" and open_answers:
            sequencer.page(*open_answers[0])
        drain(sequencer, delivered, passed)
    sequencer.published(daemon.published)
    while wanted := sequencer.wanted():
        assert sequencer.page(*daemon.answer(wanted, 5))
    drain(sequencer, delivered, passed)

    assert delivered == sorted(set(delivered))
    assert sorted(delivered + passed) == list(range(daemon.published))
    assert set(passed) <= forgotten
    assert sequencer.joined


@given(st.integers(0, 30), st.integers(0, 30))
def test_without_history_the_state_comes_first_and_then_everything_live(before: int, after: int) -> None:
    daemon = Daemon(set())
    sequencer: Sequencer[int] = Sequencer(history=False)
    delivered: list[int] = []
    for pos in range(before, before + after + 1):
        sequencer.live(pos, pos, 1)
    if wanted := sequencer.wanted():
        assert wanted == Wanted(0, before, state_only=True)
        sequencer.page(*daemon.answer(wanted, 1))
    drain(sequencer, delivered, [])
    assert delivered == ([0] if before else []) + list(range(before, before + after + 1))


def test_what_waits_is_bounded_and_what_is_let_go_is_asked_for_again() -> None:
    daemon = Daemon(set())
    sequencer: Sequencer[int] = Sequencer(max_held=10, max_held_bytes=500)
    for pos in range(100, 1000):
        sequencer.live(pos, pos, 100)
    assert sequencer.held_bytes <= 500
    delivered: list[int] = []
    while wanted := sequencer.wanted():
        sequencer.page(*daemon.answer(wanted, 64))
        drain(sequencer, delivered, [])
    assert delivered == list(range(1000))


def test_a_loss_at_the_tail_shows_with_the_next_heartbeat() -> None:
    sequencer: Sequencer[int] = Sequencer()
    sequencer.live(0, 0, 1)
    assert sequencer.wanted() is None
    sequencer.published(3)
    assert sequencer.wanted() == Wanted(1, 3)
    assert sequencer.page(1, 3, [(2, 2)])
    steps = [sequencer.take(), sequencer.take(), sequencer.take()]
    assert steps == [Delivered(0, 0), PassedOver(1, 2), Delivered(2, 2)]
