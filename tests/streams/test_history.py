from hypothesis import given
from hypothesis import strategies as st

from streams.history import History, Kept


def kept(pos: int, topic: str = "photons/", at_s: float = 0.0, size: int = 100) -> Kept:
    return Kept(pos, topic, at_s, (b"x" * size,))


def positions(history: History, first: int, stop: int, topics: frozenset[str] | None = None) -> list[int]:
    found: list[int] = []
    while first < stop:
        page = history.page(first, stop, topics, 350)
        assert page.next_pos > first
        found += [message.pos for message in page.messages]
        first = page.next_pos
    return found


topics = st.sampled_from(["photons/", "spectrum/", "fluence/", "marker/"])


@given(st.lists(topics, max_size=200), st.integers(0, 200), st.integers(0, 200))
def test_pages_cover_what_is_held_once_and_in_order(sent: list[str], first: int, stop: int) -> None:
    history = History(600.0, 1 << 30)
    for pos, topic in enumerate(sent):
        history.add(kept(pos, topic))
    assert positions(history, first, stop) == list(range(first, min(stop, len(sent))))
    markers = positions(history, first, stop, frozenset(["marker/"]))
    assert markers == [p for p in range(first, min(stop, len(sent))) if sent[p] == "marker/"]


def test_photons_leave_by_age_and_by_size_and_everything_else_stays() -> None:
    history = History(10.0, 5_000)
    history.add(kept(0, "session/"))
    history.add(kept(1, "fluence/"))
    for i in range(300):
        history.add(kept(2 + i, at_s=0.1 * i))
        assert history.bulk_bytes <= 5_000
    assert positions(history, 0, 1000) == [0, 1, *range(252, 302)]
    history.add(kept(302, "marker/", at_s=29.9 + 10 - 2.45))
    assert positions(history, 0, 1000) == [0, 1, *range(277, 303)]
    assert history.oldest_bulk_pos == 277


def test_a_flood_of_markers_is_bounded_and_pushes_nothing_else_out() -> None:
    history = History(600.0, 5_000)
    history.add(kept(0, "session/"))
    history.add(kept(1, "fluence/"))
    history.add(kept(2))
    for pos in range(3, 25_003):
        history.add(kept(pos, "marker/", size=1))
    held = positions(history, 0, 30_000, frozenset(["session/", "fluence/", "photons/"]))
    assert held == [0, 1, 2]
    assert len(history.page(0, 30_000, frozenset(["marker/"]), 1 << 30).messages) <= 4096


def test_the_state_at_a_position_is_the_last_of_each_kind_before_it() -> None:
    history = History(600.0, 5_000)
    for pos, topic in enumerate(["session/", "segment/", "fluence/", "photons/", "fluence/", "status/"]):
        history.add(kept(pos, topic))
    assert [k.pos for k in history.in_force(4)] == [0, 1, 2]
    assert [k.pos for k in history.in_force(99)] == [0, 1, 4, 5]
    assert history.in_force(0) == ()
