"""Charging and trapping that know nothing of each other: what the times of either kind say of a change."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdmon.analysis.conversion.kinds_apart import log_apart
from qdmon.analysis.conversion.regimes import Columns, Mark

CLEAR = 40.0


def every(wait_s: float, begin_s: float, stop_s: float, odds: float) -> list[Mark]:
    """Short blinks of one kind, evenly spaced."""
    times = np.arange(begin_s, stop_s, wait_s).tolist()
    return [Mark(t, t + 0.01, odds, 0.007) for t in times]


def sorted_marks(*parts: list[Mark]) -> list[Mark]:
    return sorted((m for part in parts for m in part), key=lambda m: m.start_s)


def at(marks: list[Mark], time_s: float, now_s: float | None = None) -> float:
    """Evidence of a change before the first blink from a time on."""
    place = next(i for i, m in enumerate(marks) if m.start_s >= time_s)
    return float(log_apart(Columns.of(marks), np.array([place]), now_s)[0])


def test_a_kind_that_comes_for_the_first_time_soon_is_little_news_and_late_is_much() -> None:
    for traps_s, expected in ((1.0, (0.0, 7.5)), (25.0, (10.0, 20.0))):
        traps = every(0.05, 0.0, traps_s, -CLEAR)
        charged = every(0.2, traps_s, traps_s + 0.5, CLEAR)
        assert expected[0] <= at(traps + charged, traps_s) < expected[1]


def test_a_kind_that_stays_away_is_news_by_how_regularly_it_came() -> None:
    charged = every(0.5, 0.25, 30.0, CLEAR)
    waits = np.tile([0.02, 0.02, 0.02, 0.02, 2.4], 10)
    times = np.concatenate([[0.0], np.cumsum(waits)])
    bursts = [Mark(t, t + 0.01, -CLEAR, 0.007) for t in times[times < 25.0].tolist()]
    steady = at(sorted_marks(every(0.5, 0.0, 25.0, -CLEAR), charged), 25.2)
    bursting = at(sorted_marks(bursts, charged), 25.2)
    assert steady > 3.0
    assert bursting < steady - 1.0


def test_looking_longer_without_a_kind_is_more_news() -> None:
    marks = sorted_marks(every(0.5, 0.0, 25.0, -CLEAR), every(0.5, 0.25, 26.0, CLEAR))
    assert at(marks, 25.2, now_s=27.0) < at(marks, 25.2, now_s=32.0)


@pytest.mark.parametrize("odds", [CLEAR, -CLEAR])
def test_a_law_that_stays_is_no_news(odds: float) -> None:
    rng = np.random.default_rng(3)
    times = np.cumsum(rng.exponential(0.3, 100)).tolist()
    marks = [Mark(t, t + 0.01, odds, 0.007) for t in times]
    assert np.median(log_apart(Columns.of(marks), np.arange(10, 95), None)) < 2.0


@given(
    st.lists(st.tuples(st.floats(0.0, 2.0), st.floats(-50.0, 50.0)), min_size=6, max_size=30),
    st.none() | st.floats(0.0, 100.0),
)
def test_it_never_speaks_against_a_change(blinks: list[tuple[float, float]], now_s: float | None) -> None:
    marks, time_s = [], 0.0
    for wait_s, odds in blinks:
        time_s += wait_s
        marks.append(Mark(time_s, time_s + 0.01, odds, 0.005))
        time_s += 0.01
    found = log_apart(Columns.of(marks), np.arange(5, len(marks)), now_s)
    assert np.all(np.isfinite(found))
    assert np.all(found >= 0)
