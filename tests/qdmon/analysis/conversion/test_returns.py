"""What blinks and light say of a return: a sure law decides, other verdicts object, an odd blink is none."""

from dataclasses import replace

import numpy as np
import pytest

from qdmon.analysis.conversion.regimes import TYPES, Mark
from qdmon.analysis.conversion.returns import (
    FEWEST_AGAINST,
    LEAST_ODDS,
    odds_by_blinks,
    odds_of_return,
)
from qdmon.analysis.results.blinking import BLINKING_TYPES, Blinking, BlinkingCall
from qdmon.analysis.results.estimate import UNKNOWN

FOR, AGAINST = 5.0, -5.0
MANY, FEW = FEWEST_AGAINST, FEWEST_AGAINST - 1


def blinks(number: int, odds: float, turns: float = 1.0) -> list[Mark]:
    return [Mark(t, t + 0.05, odds * turns**i, 0.02) for i, t in enumerate(np.arange(number).tolist())]


def call(kind: Blinking, old_type: float) -> BlinkingCall:
    """A verdict of this name that holds the old type, auger, for so likely."""
    chances = dict.fromkeys(BLINKING_TYPES, 0.0) | {"auger": old_type, "bc": 1 - old_type}
    return BlinkingCall(50.0, 60.0, kind, None, chances, UNKNOWN, UNKNOWN, (), UNKNOWN)


def law(old_type: float) -> np.ndarray:
    return np.array([1 - old_type if kind == "bc" else old_type * (kind == "auger") for kind in TYPES])


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
    odds = odds_of_return("auger", by_blinks, number, call("auger", 0.5), law(old_type))
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
