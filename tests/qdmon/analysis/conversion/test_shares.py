"""What is known of shares beforehand: which changes a budget of false alarms is spent on."""

import numpy as np

from qdmon.analysis.conversion.shares import ANY_CHANGE, CHANGE_AT_RISE, LOG_PRIOR, LOG_WEIGHT, SHARES


def test_weights_of_shares_and_of_types_add_up_to_one() -> None:
    assert np.isclose(np.exp(LOG_WEIGHT).sum(), 1.0)
    assert np.isclose(np.exp(LOG_PRIOR).sum(), 1.0)


def test_any_change_spends_its_budget_once() -> None:
    weight = np.exp(LOG_WEIGHT)
    assert np.isclose(weight @ ANY_CHANGE @ weight, 1.0)


def test_a_share_that_hardly_moves_is_no_change() -> None:
    near = np.abs(SHARES[:, None] - SHARES) <= 0.2
    assert not ANY_CHANGE[near].any()
    assert not CHANGE_AT_RISE[near].any()


def test_a_rise_favours_dots_that_already_charge_a_little_and_ends_that_keep_their_traps() -> None:
    trapped = int(np.argmin(np.abs(SHARES - 0.05)))
    mixed, auger = int(np.argmin(np.abs(SHARES - 0.5))), len(SHARES) - 1
    assert CHANGE_AT_RISE[trapped, mixed] > 10 * CHANGE_AT_RISE[-1, mixed]
    assert CHANGE_AT_RISE[trapped, mixed] > CHANGE_AT_RISE[trapped, auger]
