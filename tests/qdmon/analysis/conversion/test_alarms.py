"""A rate of false alarms, shared out over time and over the steps of the fluence."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdmon.analysis.conversion.alarms import AFTER_RISE_S, CREDIT_S, DAY_S, SLACK, AlarmBudget
from qdmon.analysis.results.segment import FluenceStep


def sweeps(count: int) -> list[FluenceStep]:
    """Low and high fluence in turn, 25 s each."""
    return [FluenceStep(25.0 * i, 0.2 if i % 2 == 0 else 1.4) for i in range(count)]


def spent(budget: AlarmBudget, stop_s: float) -> float:
    """What a rate brings in false alarms: the bound is looser by the slack."""
    return float(budget.until(np.array([stop_s]))[0] + budget.at_step[budget.steps_s <= stop_s].sum()) / SLACK


@given(count=st.integers(1, 60), per_day=st.floats(0.01, 100.0))
def test_no_more_is_spent_than_the_rate_brings(count: int, per_day: float) -> None:
    stop_s = 25.0 * count
    most = per_day / DAY_S * (stop_s + CREDIT_S)
    assert spent(AlarmBudget.of(per_day, sweeps(count)), stop_s) <= most * (1 + 1e-9)


def test_a_day_of_sweeps_spends_nearly_all_of_it() -> None:
    budget = AlarmBudget.of(1.0, sweeps(3456))
    assert 0.9 <= spent(budget, DAY_S) <= 1.001


def test_a_rise_of_the_fluence_gets_more_than_a_fall() -> None:
    rise, fall = AlarmBudget.of(1.0, sweeps(3)).at_step
    assert rise > 2 * fall


def test_the_seconds_after_a_rise_get_more_than_later_ones() -> None:
    budget = AlarmBudget.of(1.0, sweeps(2))
    early, late = np.diff(
        budget.until(np.array([25.0, 26.0, 25.0 + 5 * AFTER_RISE_S, 26.0 + 5 * AFTER_RISE_S]))
    )[[0, 2]]
    assert early > 3 * late


def test_the_same_fluence_again_is_no_step() -> None:
    steps = [FluenceStep(0.0, 0.2), FluenceStep(10.0, None), FluenceStep(10.2, 0.2)]
    assert len(AlarmBudget.of(1.0, steps).steps_s) == 0


def test_without_any_step_only_time_counts() -> None:
    budget = AlarmBudget.of(1.0, [])
    assert spent(budget, DAY_S) == pytest.approx(0.2)


def test_back_at_the_fluence_before_a_conversion_one_alarm_in_a_hundred_may_be_false() -> None:
    steps = [FluenceStep(0.0, 0.1), FluenceStep(25.0, 1.0), FluenceStep(50.0, 0.1)]
    budget = AlarmBudget.of(1.0, steps)
    back = budget.returning()
    assert back.at_step[-1] == pytest.approx(0.01)
    assert back.at_step[0] == budget.at_step[0]
    assert budget.at_step[-1] < 0.002
    nowhere = AlarmBudget.of(1.0, steps[:1])
    assert len(nowhere.returning().at_step) == 0


def test_a_step_and_the_seconds_behind_a_rise_are_causes_of_a_change() -> None:
    budget = AlarmBudget.of(1.0, sweeps(3))  # up at 25 s, down at 50 s
    spans = {(20.0, 24.0): False, (24.0, 26.0): True, (30.0, 31.0): True, (40.0, 41.0): False}
    spans |= {(49.0, 51.0): True, (51.0, 52.0): False}
    begin, end = np.array(list(spans)).T
    assert budget.causes(begin, end).tolist() == list(spans.values())
    assert not AlarmBudget.of(1.0, []).causes(begin, end).any()
