"""The sequential test on label sequences: false alarms, delay in blinks, and the time of the change."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from qdmon.analysis.conversion.alarms import AlarmBudget
from qdmon.analysis.conversion.regimes import Mark
from qdmon.analysis.conversion.sequential import Change, find_change
from qdmon.analysis.results.segment import FluenceStep

STEPS = [FluenceStep(0.0, 0.2), FluenceStep(25.0, 1.4), FluenceStep(50.0, 0.2)]
CLEAR = 12.0
RATE_HZ = 3.0


def blinks(
    rng: np.random.Generator, laws: Sequence[tuple[float, float]], *, clear: float = CLEAR
) -> list[Mark]:
    """Blinks of a dot whose share of Auger blinks is given until each time.

    Args:
        rng: chance.
        laws: (share, until_s).
        clear: mean log odds of a blink; their scatter is that of a calibrated likelihood ratio.
    """
    marks, time_s = [], 0.0
    for share, until_s in laws:
        while True:
            time_s += rng.exponential(1 / RATE_HZ)
            if time_s >= until_s:
                time_s = until_s
                break
            sign = 1.0 if rng.random() < share else -1.0
            odds = sign * rng.normal(clear, np.sqrt(2 * clear))
            marks.append(Mark(time_s, time_s + 0.03, odds, 0.02))
    return marks


def first_alarm(marks: list[Mark], since_s: float = 0.0, per_day: float = 1.0) -> tuple[int, Change] | None:
    """Number of blinks at the first alarm from a time on, and what it says."""
    for n in range(1, len(marks) + 1):
        now_s = marks[n - 1].start_s
        if now_s < since_s:
            continue
        steps = [s for s in STEPS if s.start_s <= now_s]
        change = find_change(marks[:n], AlarmBudget.of(per_day, steps))
        if change is not None:
            return n, change
    return None


@pytest.mark.parametrize(("old", "new", "kinds"), [(1.0, 0.0, ("auger", "bc")), (0.0, 1.0, ("bc", "auger"))])
def test_one_clear_blink_of_the_new_kind_is_enough_at_a_rise_of_the_fluence(
    old: float, new: float, kinds: tuple[str, str]
) -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        marks = blinks(rng, [(old, 25.0), (new, 40.0)], clear=30.0)
        alarm = first_alarm(marks, 25.0)
        assert alarm is not None
        n, change = alarm
        assert sum(m.start_s >= 25.0 for m in marks[:n]) == 1
        assert (change.before, change.after) == kinds
        assert change.time_s == pytest.approx(25.0, abs=0.2)


@pytest.mark.parametrize(("at_s", "median"), [(31.0, 1), (40.0, 2)])
def test_seconds_behind_a_rise_one_is_enough_as_a_rule_and_later_two(at_s: float, median: int) -> None:
    rng = np.random.default_rng(2)
    needed = []
    for _ in range(20):
        marks = blinks(rng, [(1.0, at_s), (0.0, at_s + 14)], clear=30.0)
        alarm = first_alarm(marks, at_s)
        assert alarm is not None
        needed.append(sum(m.start_s >= at_s for m in marks[: alarm[0]]))
    assert np.median(needed) == median
    assert max(needed) <= 3


@pytest.mark.parametrize("first", [-CLEAR, CLEAR])
def test_a_burst_of_one_kind_and_then_the_other_is_no_change_so_soon(first: float) -> None:
    """Forty blinks in a second, and then the first two of the other kind."""
    burst = [Mark(0.02 * i, 0.02 * i + 0.01, first, 0.007) for i in range(40)]
    other = [Mark(1.2 + 0.2 * i, 1.25 + 0.2 * i, -first, 0.04) for i in range(2)]
    assert first_alarm(burst + other) is None


def test_a_blink_that_its_photons_do_not_settle_is_no_evidence() -> None:
    marks = [Mark(i / 3, i / 3 + 0.03, CLEAR, 0.02) for i in range(75)]
    vague = [Mark(25.1 + i / 3, 25.13 + i / 3, -0.5, 0.02) for i in range(5)]
    assert first_alarm(marks + vague) is None


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_pure_dot_raises_no_alarm_in_hours(share: float) -> None:
    """Only a blink of the other kind can raise one, so only those are looked at."""
    rng = np.random.default_rng(int(share))
    alarms = 0
    for _ in range(160):
        marks = blinks(rng, [(share, 75.0)], clear=10.0)
        odd = [n for n, m in enumerate(marks, 1) if (m.odds > 0) != (share > 0.5)]
        for n in odd:
            steps = [s for s in STEPS if s.start_s <= marks[n - 1].start_s]
            alarms += find_change(marks[:n], AlarmBudget.of(1.0, steps)) is not None
    assert alarms == 0


@pytest.mark.parametrize("share", [0.1, 0.35, 0.75])
def test_a_mixed_dot_raises_none_either(share: float) -> None:
    rng = np.random.default_rng(3)
    assert sum(first_alarm(blinks(rng, [(share, 75.0)])) is not None for _ in range(3)) == 0


def test_a_step_that_moves_the_share_of_a_mixed_dot_is_no_conversion() -> None:
    rng = np.random.default_rng(4)
    alarms = [first_alarm(blinks(rng, [(0.3, 25.0), (0.75, 50.0), (0.3, 75.0)]), 25.0) for _ in range(4)]
    assert sum(a is not None for a in alarms) == 0


def test_a_higher_rate_of_false_alarms_needs_less_evidence() -> None:
    marks = [Mark(i / 3, i / 3 + 0.03, CLEAR, 0.02) for i in range(105)] + [Mark(35.0, 35.03, -CLEAR, 0.02)]
    assert first_alarm(marks, per_day=1.0) is None
    assert first_alarm(marks, per_day=1000.0) is not None


def test_the_interval_of_the_time_holds_two_thirds_of_the_instants() -> None:
    rng = np.random.default_rng(5)
    held = []
    for _ in range(40):
        instant_s = 28.0 + 5 * rng.random()
        alarm = first_alarm(blinks(rng, [(1.0, instant_s), (0.0, 60.0)], clear=30.0), instant_s)
        assert alarm is not None
        held.append(abs(alarm[1].time_s - instant_s) <= alarm[1].error_s)
    assert 0.5 < np.mean(held) < 0.85


def test_too_few_blinks_show_no_change() -> None:
    assert find_change([], AlarmBudget.of(1.0, [])) is None
    few = [Mark(0.1 * i, 0.1 * i + 0.03, CLEAR, 0.02) for i in range(4)] + [Mark(25.1, 25.2, -CLEAR, 0.05)]
    assert find_change(few, AlarmBudget.of(1.0, STEPS[:2])) is None


def test_the_few_auger_blinks_of_a_trapped_dot_foretell_more_at_a_rise() -> None:
    rng = np.random.default_rng(11)
    needed = []
    for _ in range(20):
        marks = blinks(rng, [(0.04, 25.0), (0.9, 45.0)], clear=30.0)
        alarm = first_alarm(marks, 25.0)
        assert alarm is not None
        needed.append(sum(m.start_s >= 25.0 for m in marks[: alarm[0]]))
    assert np.median(needed) <= 3


def test_a_trapped_dot_with_few_auger_blinks_that_stays_so_makes_no_alarm() -> None:
    rng = np.random.default_rng(12)
    alarms = [first_alarm(blinks(rng, [(0.06, 75.0)], clear=30.0), 25.0) for _ in range(20)]
    assert alarms.count(None) >= 19


def test_a_blink_that_begins_at_the_step_counts_as_behind_it() -> None:
    old = [Mark(t, t + 0.03, -40.0, 0.02) for t in np.arange(0.5, 25.0, 0.5).tolist()]
    change = find_change([*old, Mark(25.0, 25.1, 80.0, 0.07)], AlarmBudget.of(1.0, STEPS[:2]))
    assert change is not None
    assert change.time_s == pytest.approx(25.0, abs=0.05)


def dwells(edges_s: Sequence[float], odds: float) -> list[Mark]:
    """Blinks that touch."""
    return [Mark(a, b, odds, 0.5 * (b - a)) for a, b in pairwise(edges_s)]


def test_a_change_in_a_long_dwell_is_placed_where_the_dwell_ends_rather_than_in_its_middle() -> None:
    rng = np.random.default_rng(8)
    old = blinks(rng, [(1.0, 29.0)], clear=30.0)
    marks = [*old, *dwells([30.0, 33.0], 30.0), *dwells([33.0, 33.2, 33.5], -30.0)]
    change = find_change(marks, AlarmBudget.of(1.0, STEPS[:2]))
    assert change is not None
    assert change.time_s == pytest.approx(33.0, abs=1.0)
    assert abs(change.time_s - 33.0) <= change.error_s + 0.01


def test_between_blinks_that_begin_together_nothing_changed() -> None:
    rng = np.random.default_rng(5)
    old, new = blinks(rng, [(0.0, 25.0)]), blinks(rng, [(1.0, 5.0)])
    behind = [replace(m, start_s=m.start_s + 25.0, stop_s=m.stop_s + 25.0) for m in new]
    found = [
        find_change(marks, AlarmBudget.of(1.0, STEPS[:2]))
        for marks in ([*old, *behind], [*old, old[-1], *behind])
    ]
    assert found[0] is not None
    assert found[1] is not None
    assert found[1].time_s == pytest.approx(found[0].time_s, abs=0.05)


def test_the_time_is_that_of_the_change_that_is_told() -> None:
    """Six Auger blinks behind the step and then traps only: it is not a mixed dot since the step."""
    rng = np.random.default_rng(9)
    old = blinks(rng, [(1.0, 25.0)], clear=30.0)
    auger = [Mark(t, t + 0.1, 60.0, 0.05) for t in np.arange(25.05, 26.2, 0.2).tolist()]
    traps = [Mark(t, t + 0.1, -60.0, 0.05) for t in np.arange(26.3, 27.0, 0.15).tolist()]
    change = find_change([*old, *auger, *traps], AlarmBudget.of(1.0, STEPS[:2]))
    assert change is not None
    assert (change.before, change.after) == ("auger", "bc")
    assert change.time_s == pytest.approx(26.25, abs=0.15)
    assert change.error_s < 0.15
