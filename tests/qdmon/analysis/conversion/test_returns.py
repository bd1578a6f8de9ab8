"""What blinks and light say of a return: a sure law decides, other verdicts object, an odd blink is none."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import logit

from qdmon.analysis.conversion.regimes import Mark
from qdmon.analysis.conversion.returns import (
    FEWEST_AGAINST,
    LEAST_CHANCE,
    LEAST_ODDS,
    odds_by_blinks,
    odds_by_law,
    odds_of_return,
)
from qdmon.analysis.results.blinking import BLINKING_TYPES, Blinking, BlinkingCall
from qdmon.analysis.results.estimate import UNKNOWN, Estimate

FOR, AGAINST = 5.0, -5.0
MANY, FEW = FEWEST_AGAINST, FEWEST_AGAINST - 1


def blinks(number: int, odds: float, turns: float = 1.0) -> list[Mark]:
    return [Mark(t, t + 0.05, odds * turns**i, 0.02) for i, t in enumerate(np.arange(number).tolist())]


def call(kind: Blinking, old_type: float) -> BlinkingCall:
    """A verdict of this name that holds the old type, auger, for so likely."""
    chances = dict.fromkeys(BLINKING_TYPES, 0.0) | {"auger": old_type, "bc": 1 - old_type}
    return BlinkingCall(50.0, 60.0, kind, None, chances, UNKNOWN, UNKNOWN, (), UNKNOWN)


def shared(number: int, auger: float, begin_s: float = 0.0) -> list[Mark]:
    """Blinks of which so many are Auger's, well mixed, each of 20 ms of lost light."""
    kinds = np.diff(np.floor(np.arange(number + 1) * auger)) > 0
    return [
        Mark(begin_s + 0.2 * i, begin_s + 0.2 * i + 0.05, 15.0 if k else -15.0, 0.02)
        for i, k in enumerate(kinds.tolist())
    ]


def mixed_call(share: float) -> BlinkingCall:
    """A sure verdict on ten seconds from 50 s on."""
    chances = dict.fromkeys(BLINKING_TYPES, 0.0) | {"mixed": 1.0}
    return BlinkingCall(50.0, 60.0, "mixed", None, chances, Estimate(share, 0.01), UNKNOWN, (), UNKNOWN)


@pytest.mark.parametrize(
    ("by_blinks", "number", "found"),
    [
        (FOR, MANY, FOR),
        (FOR, FEW, FOR),
        (AGAINST, MANY, AGAINST),
        (AGAINST, FEW, None),
        (0.9 * LEAST_ODDS, MANY, None),
        (-0.9 * LEAST_ODDS, MANY, None),
        (0.0, 0, None),
    ],
)
@pytest.mark.parametrize("silent", [None, call("none", 1.0)])
def test_without_a_word_of_the_light_blinks_decide_but_an_odd_one_is_no_proof_against(
    by_blinks: float, number: int, found: float | None, silent: BlinkingCall | None
) -> None:
    assert odds_of_return("auger", by_blinks, number, silent, None) == found


@pytest.mark.parametrize(
    ("by_blinks", "number", "old_type", "found"),
    [
        (FOR, MANY, 0.6, FOR),
        (FOR, MANY, 0.4, None),
        (AGAINST, MANY, 0.4, AGAINST),
        (AGAINST, MANY, 0.6, None),
        (AGAINST, FEW, 0.4, None),
        (FOR, MANY, 0.001, None),
        (AGAINST, MANY, 0.999, None),
        (0.5 * LEAST_ODDS, MANY, 0.999, None),
    ],
)
@pytest.mark.parametrize("kind", ["undetermined", "auger", "hc"])
def test_a_verdict_without_a_law_can_only_object(
    by_blinks: float, number: int, old_type: float, found: float | None, kind: Blinking
) -> None:
    assert odds_of_return("auger", by_blinks, number, call(kind, old_type), None) == found


@pytest.mark.parametrize(
    ("by_blinks", "number", "old_type", "back"),
    [
        (AGAINST, MANY, 0.999, True),
        (FOR, MANY, 0.001, False),
        (0.0, 0, 0.999, True),
        (0.0, 0, 1.0, True),
        (0.0, 0, 0.0, False),
        (FOR, MANY, 0.6, True),
        (FOR, MANY, 0.4, None),
        (AGAINST, FEW, 0.4, False),
        (AGAINST, MANY, 0.6, None),
        (0.9 * LEAST_ODDS, MANY, 0.6, None),
    ],
)
def test_a_sure_law_decides_and_an_unsure_one_can_only_object(
    by_blinks: float, number: int, old_type: float, back: bool | None
) -> None:
    by_law = float(logit(min(max(old_type, LEAST_CHANCE), 1 - LEAST_CHANCE)))
    odds = odds_of_return("auger", by_blinks, number, call("auger", 0.5), by_law)
    assert (None if odds is None else odds > 0) == back


@pytest.mark.parametrize(
    ("now", "back"),
    [
        (blinks(10, 15.0), True),
        (blinks(10, -15.0), False),
        (blinks(10, 15.0, turns=-1.0), False),
    ],
)
def test_blinks_are_of_the_old_regime_or_the_new_one_or_a_third(now: list[Mark], back: bool) -> None:
    odds = odds_by_blinks(blinks(60, 15.0), blinks(60, -15.0), now, "auger")
    assert abs(odds) > LEAST_ODDS
    assert (odds > 0) == back


def test_a_share_of_its_own_is_the_old_type_still() -> None:
    """A mixed dot whose traps took half of the blinks, and take a third of them now."""
    third = [replace(m, odds=-15.0 if i % 3 == 0 else 15.0) for i, m in enumerate(blinks(60, 15.0))]
    assert odds_by_blinks(blinks(60, 15.0, turns=-1.0), blinks(60, -15.0), third, "mixed") > LEAST_ODDS


def test_no_blinks_say_nothing() -> None:
    assert abs(odds_by_blinks(blinks(60, 15.0), blinks(60, -15.0), [], "auger")) < LEAST_ODDS


@pytest.mark.parametrize(
    ("old", "new", "now", "back"),
    [
        (0.05, 0.8, 0.2, True),
        (0.1, 0.75, 0.24, True),
        (0.05, 0.8, 0.75, False),
        (0.05, 0.8, 0.5, False),
        (1.0, 0.05, 0.2, False),
        (0.1, 0.3, 0.21, None),
    ],
)
def test_a_share_that_is_back_is_the_old_law_whatever_its_name(
    old: float, new: float, now: float, back: bool | None
) -> None:
    """Just across a border a dot that was bc, or Auger, is called mixed."""
    blinks_now = shared(50, now, 50.0)
    kind: Blinking = "bc" if old < 0.15 else "auger"
    odds = odds_by_law(kind, mixed_call(now), shared(100, old), shared(100, new, 25.0), blinks_now)
    assert odds is not None
    assert (None if abs(odds) < LEAST_ODDS else odds > 0) == back


def test_a_verdict_that_speaks_of_no_law_says_nothing_of_a_share() -> None:
    silent = replace(mixed_call(0.2), blinking="undetermined")
    assert odds_by_law("bc", silent, shared(9, 0.0), shared(9, 0.8), shared(9, 0.2, 50.0)) is None


def test_without_a_blink_to_compare_with_the_type_decides() -> None:
    odds = odds_by_law("bc", mixed_call(0.2), [], shared(100, 0.8, 25.0), shared(50, 0.2, 50.0))
    assert odds is not None
    assert odds < 0
