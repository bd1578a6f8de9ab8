"""Blinks in runs: a proper likelihood, independent without persistence, and learned from the blinks."""

from itertools import product

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from qdmon.analysis.conversion.alarms import AlarmBudget
from qdmon.analysis.conversion.regimes import Mark, Regime
from qdmon.analysis.conversion.runs import INFLATION, log_likelihood, log_likelihood_behind
from qdmon.analysis.conversion.sequential import find_change, log_evidence
from qdmon.analysis.conversion.shares import SHARES
from qdmon.analysis.results.segment import FluenceStep

STEPS = [FluenceStep(0.0, 0.2), FluenceStep(25.0, 1.4)]


def marks_of(kinds: list[bool], odds: float = 30.0, every_s: float = 0.3) -> list[Mark]:
    """Blinks of these kinds, Auger or not."""
    return [
        Mark(i * every_s, i * every_s + 0.03, odds if kind else -odds, 0.02) for i, kind in enumerate(kinds)
    ]


def in_runs(rng: np.random.Generator, number: int, share: float, persistence: float) -> list[bool]:
    """Kinds of a dot whose blinks come in runs."""
    kinds = [bool(rng.random() < share)]
    while len(kinds) < number:
        again = persistence + (1 - persistence) * (share if kinds[-1] else 1 - share)
        kinds.append(kinds[-1] if rng.random() < again else not kinds[-1])
    return kinds


def test_the_chances_of_all_sequences_add_up_to_one() -> None:
    clear = 60.0
    total = sum(
        np.exp(log_likelihood(np.where(kinds, clear, -clear))[-1] - clear * sum(kinds))
        for kinds in product([False, True], repeat=6)
    )
    assert np.allclose(total, 1.0, atol=1e-3)


def test_without_persistence_blinks_are_independent() -> None:
    found = log_likelihood(30.0 * np.array([1, 1, -1, 1]))[-1][0] - 3 * 30.0
    middle = (SHARES > 0.02) & (SHARES < 0.98)
    assert np.allclose(found[middle], np.log(SHARES**3 * (1 - SHARES))[middle], atol=1e-2)


@given(odds=st.lists(st.floats(-50, 50), min_size=1, max_size=12))
def test_the_blinks_are_as_likely_backwards(odds: list[float]) -> None:
    forward, backward = log_likelihood(np.array(odds)), log_likelihood_behind(np.array(odds))
    assert np.allclose(forward[-1], backward[0], atol=1e-6)
    assert np.allclose(backward[-1], 0.0)


def test_a_dot_tells_by_its_blinks_whether_they_come_in_runs() -> None:
    rng = np.random.default_rng(1)
    independent, runs = (
        np.exp(Regime.of(marks_of(in_runs(rng, 120, 0.5, persistence))).families())
        for persistence in (0.0, 0.9)
    )
    assert independent[0] > 0.9
    assert runs[0] < 0.01
    assert INFLATION @ runs > 3 * INFLATION @ independent


def test_blinks_of_one_kind_are_no_sign_of_runs() -> None:
    assert np.exp(Regime.of(marks_of([True] * 60)).families())[0] > 0.9


def test_a_run_as_the_dot_has_shown_many_says_nothing_of_its_share() -> None:
    """The same run behind blinks that were well mixed does."""
    new = [True] * 14
    budget = AlarmBudget.of(1.0, STEPS)
    runs, mixed = ([kind for kind in (True, False) * (40 // n) for _ in range(n)] for n in (10, 1))
    after_runs, after_mixed = (log_evidence(marks_of(before + new), budget) for before in (runs, mixed))
    assert after_runs is not None
    assert after_mixed is not None
    assert after_runs < 0
    assert after_mixed > after_runs + 3


def test_a_pure_dot_that_changes_out_of_the_blue_is_told_by_half_a_dozen_blinks() -> None:
    marks = marks_of([True] * 60 + [False] * 6)
    assert find_change(marks, AlarmBudget.of(1.0, [])) is not None


def test_dots_with_runs_seldom_raise_an_alarm() -> None:
    rng = np.random.default_rng(2)
    alarms = 0
    for share in (0.4, 0.6) * 8:
        marks = marks_of(in_runs(rng, 110, share, 0.8))
        budgets = (AlarmBudget.of(1.0, STEPS[: 1 + (m.start_s >= 25.0)]) for m in marks)
        alarms += any(
            find_change(marks[:n], budget) is not None
            for n, budget in enumerate(budgets, 1)
            if n > 40 and n % 4 == 0
        )
    assert alarms <= 2
