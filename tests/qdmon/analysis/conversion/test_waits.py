"""Bright times around a change: longer or shorter than the old rate of blinking would have them."""

import numpy as np
import pytest

from qdmon.analysis.conversion.regimes import Columns, Mark
from qdmon.analysis.conversion.waits import MOST_AGAINST, MOST_FOR, log_waits

NO_STEPS = np.zeros(0)


def blinks(*starts_s: float) -> list[Mark]:
    return [Mark(t, t + 0.01, -20.0, 0.005) for t in starts_s]


def steady(rate_hz: float, stop_s: float) -> list[float]:
    return np.arange(0.1, stop_s, 1 / rate_hz).tolist()


def ratio(
    marks: list[Mark], place: int, *, steps_s: np.ndarray = NO_STEPS, now_s: float | None = None
) -> float:
    return float(log_waits(Columns.of(marks), np.array([place]), steps_s, now_s)[0])


def test_waits_like_those_before_speak_for_the_old_rate() -> None:
    old = steady(5.0, 10.0)
    assert ratio(blinks(*old), len(old) - 5) < 0


def test_much_longer_waits_speak_for_a_new_one() -> None:
    old = steady(8.0, 10.0)
    assert ratio(blinks(*old, 11.5, 14.0, 15.5), len(old)) > 2


def test_a_long_quiet_after_the_last_blink_counts_as_well() -> None:
    old = steady(8.0, 10.0)
    marks = blinks(*old, 10.3)
    quiet = [ratio(marks, len(old), now_s=t) for t in (10.4, 11.0, 13.0)]
    assert quiet[0] < quiet[1] < quiet[2]


def test_behind_a_step_nothing_is_known_of_the_old_rate() -> None:
    old = steady(8.0, 10.0)
    assert ratio(blinks(*old, 12.0, 16.0), len(old), steps_s=np.array([10.5])) == pytest.approx(0.0)


def test_however_odd_the_waits_are_they_decide_nothing_alone() -> None:
    old = steady(20.0, 10.0)
    place = len(old)
    slow = ratio(blinks(*old, 20.0, 30.0, 60.0, 90.0), place)
    fast = ratio(blinks(*old, *(10.05 + np.arange(0, 30) * 0.05).tolist()), place)
    assert slow == pytest.approx(MOST_FOR)
    assert fast == pytest.approx(-MOST_AGAINST)


def test_a_long_wait_is_no_news_of_a_dot_whose_waits_have_no_scale() -> None:
    rng = np.random.default_rng(3)
    powers = 0.003 * (1 - rng.random(200)) ** (-1 / 0.7)
    waits = np.minimum(powers, 5.0)
    scaled = rng.exponential(np.median(waits) / np.log(2), 200)
    found = []
    for each in (waits, scaled):
        old = (0.1 + np.cumsum(each + 0.01)).tolist()
        found.append(ratio(blinks(*old, old[-1] + 50 * float(np.median(each))), len(old)))
    assert found[0] < MOST_FOR - 2
    assert found[1] == pytest.approx(MOST_FOR)


def test_parts_of_one_dwell_do_not_make_a_dot_blink_faster() -> None:
    starts = steady(2.0, 20.0)
    whole = blinks(*starts)
    middles = [m.start_s + 0.005 for m in whole]
    parts = [
        part
        for m, middle in zip(whole, middles, strict=True)
        for part in (Mark(m.start_s, middle, -20.0, 0.0), Mark(middle, m.stop_s, 20.0, 0.0))
    ]
    later = Mark(22.0, 22.01, 20.0, 0.0)
    alone, divided = (ratio([*marks, later], len(marks)) for marks in (whole, parts))
    assert divided == pytest.approx(alone, abs=0.2)
