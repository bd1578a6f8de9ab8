"""Verdicts of a regime: each on a growing stretch once, then the last of it, and never too many."""

import pytest

from qdmon.analysis.conversion.verdicts import MOST_VERDICTS, RegimeVerdicts
from qdmon.analysis.results.blinking import BLINKING_TYPES, Blinking, BlinkingCall, EmissiveState
from qdmon.analysis.results.estimate import UNKNOWN, Estimate

LEVEL = EmissiveState(Estimate(1e5), Estimate(20.0))


def verdict(start_s: float, stop_s: float, kind: Blinking, *, saw_the_dot: bool = True) -> BlinkingCall:
    chances = dict.fromkeys(BLINKING_TYPES, 0.0) | {kind: 1.0}
    states = (LEVEL,) if saw_the_dot else ()
    return BlinkingCall(start_s, stop_s, kind, None, chances, UNKNOWN, Estimate(0.2), states, UNKNOWN)


def test_every_verdict_on_a_growing_stretch_is_kept_once_and_so_are_not_too_many() -> None:
    verdicts = RegimeVerdicts()
    seen = [verdict(0.0, stop_s, "bc") for stop_s in range(1, 2 * MOST_VERDICTS)]
    for call in seen:
        for _ in range(2):
            known = verdicts.known(call)
    assert known == seen[-MOST_VERDICTS:]


def test_of_a_stretch_that_is_over_the_last_verdict_stays() -> None:
    verdicts = RegimeVerdicts()
    first, last, here = verdict(0.0, 5.0, "bc"), verdict(0.0, 9.0, "bc"), verdict(9.0, 10.0, "auger")
    verdicts.known(first)
    verdicts.stretch_over(last)
    assert verdicts.before is last
    assert verdicts.known(here) == [last, here]


def test_a_verdict_that_is_given_later_takes_the_place_of_the_one_that_waited() -> None:
    verdicts = RegimeVerdicts()
    waiting, given, other = (verdict(0.0, 9.0, kind) for kind in ("undetermined", "bc", "bc"))
    verdicts.stretch_over(waiting)
    verdicts.revise(other, given)
    assert verdicts.before is waiting
    verdicts.revise(waiting, given)
    assert verdicts.before is given


def test_a_stretch_in_which_no_dot_was_seen_leaves_no_verdict() -> None:
    verdicts = RegimeVerdicts()
    dark = verdict(0.0, 5.0, "undetermined", saw_the_dot=False)
    verdicts.known(dark)
    verdicts.stretch_over(dark)
    here = verdict(5.0, 10.0, "bc")
    assert verdicts.before is None
    assert verdicts.known(here) == [here]


@pytest.mark.parametrize(
    ("kinds", "since_s"),
    [
        (("mixed", "auger", "auger"), 15.0),
        (("auger", "mixed", "auger"), 30.0),
        (("auger", "auger", "auger"), 0.0),
        (("auger", "auger", "mixed"), 30.0),
    ],
)
def test_a_type_was_first_seen_where_the_verdicts_in_a_row_began(
    kinds: tuple[Blinking, ...], since_s: float
) -> None:
    verdicts = RegimeVerdicts()
    for i, kind in enumerate(kinds):
        verdicts.stretch_over(verdict(15.0 * i, 15.0 * (i + 1), kind))
    assert verdicts.first_seen_s("auger") == since_s
