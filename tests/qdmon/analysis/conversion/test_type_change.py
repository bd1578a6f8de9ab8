"""From which type to which a share changed: what blinks say, what verdicts say, and how sure of the law."""

from dataclasses import replace

import numpy as np
import pytest

from qdmon.analysis.conversion.regimes import TYPES, Mark
from qdmon.analysis.conversion.type_change import Known, law_of, leaning_of, share_of_law, type_pairs
from qdmon.analysis.results.blinking import Blinking, BlinkingCall
from qdmon.analysis.results.estimate import UNKNOWN, Estimate

BC, MIXED, AUGER = range(3)


def blinks(start_s: float, stop_s: float, trap: int, auger: int) -> list[Mark]:
    """So many blinks of either kind, well mixed, of equal loss."""
    kinds = np.random.default_rng(3).permutation(np.repeat([-30.0, 30.0], [trap, auger]))
    times = np.linspace(start_s, stop_s, len(kinds), endpoint=False) + 0.01
    return [Mark(t, t + 0.03, o, 0.02) for t, o in zip(times.tolist(), kinds.tolist(), strict=True)]


def verdict(start_s: float, stop_s: float, kind: Blinking, share: float) -> BlinkingCall:
    """A verdict that is all but certain of the type its light had."""
    chances: dict[Blinking, float] = dict.fromkeys((*TYPES, "hc", "none"), 0.0)
    return BlinkingCall(
        start_s, stop_s, kind, None, chances | {kind: 1.0}, Estimate(share, 0.005), Estimate(0.2), (), UNKNOWN
    )


def chances(behind: list[Mark], call: BlinkingCall) -> np.ndarray:
    """Of the types behind 25 s, for a dot that was mixed."""
    before = blinks(0.0, 25.0, 40, 40)
    known = [verdict(0.0, 25.0, "mixed", 0.5), call]
    pairs = type_pairs([*before, *behind], len(before), Known(known))
    return np.asarray(pairs[MIXED] / pairs[MIXED].sum())


def test_all_chances_add_up_to_one() -> None:
    marks = [*blinks(0.0, 25.0, 0, 30), *blinks(25.0, 27.0, 4, 0)]
    pairs = type_pairs(marks, 30)
    assert pairs.sum() == pytest.approx(1.0)
    assert pairs[AUGER, BC] > 0.8


def test_a_mixed_dot_is_auger_once_trapping_has_all_but_gone() -> None:
    behind = blinks(25.0, 40.0, 2, 98)
    assert chances(behind, verdict(25.0, 40.0, "auger", 0.98))[AUGER] > 0.9


def test_a_share_just_across_the_border_is_no_other_law() -> None:
    behind = blinks(25.0, 40.0, 8, 92)
    assert chances(behind, verdict(25.0, 40.0, "auger", 0.92))[MIXED] > 0.5


def test_the_verdict_on_a_mixed_dot_counts_only_after_a_while() -> None:
    behind = blinks(25.0, 29.0, 1, 11)
    assert chances(behind, verdict(25.0, 29.0, "auger", 0.98))[MIXED] == pytest.approx(1.0)


def test_a_verdict_that_has_seen_both_sides_says_nothing_of_either() -> None:
    marks = [*blinks(0.0, 30.0, 0, 60), *blinks(30.0, 33.0, 8, 0)]
    across = verdict(10.0, 32.0, "mixed", 0.8)
    assert np.array_equal(type_pairs(marks, 60, Known([across])), type_pairs(marks, 60))


def test_a_verdict_of_both_mechanisms_is_half_believed_where_every_blink_is_of_one() -> None:
    marks = [*blinks(0.0, 25.0, 0, 60), *blinks(25.0, 27.0, 4, 0)]
    pairs = type_pairs(marks, 60, Known([verdict(0.0, 25.0, "mixed", 0.8)]))
    assert pairs[AUGER, BC] > 0.5
    assert pairs[MIXED, MIXED] > pairs[AUGER, AUGER]


@pytest.mark.parametrize(("seconds", "sure"), [(2.0, False), (20.0, True)])
def test_a_verdict_of_one_mechanism_speaks_for_its_law_if_it_is_long(seconds: float, sure: bool) -> None:
    """A mixed dot may well charge and not be trapped for two seconds."""
    first_s = 25.0 + seconds
    marks = [*blinks(25.0, first_s, 0, 4), *blinks(first_s, first_s + 2.0, 4, 0)]
    law = law_of(verdict(25.0, first_s, "auger", 0.99), marks)
    assert law is not None
    assert (law[AUGER] > 0.98) == sure


def test_back_at_a_fluence_a_mixed_dot_is_expected_to_be_what_it_was_there() -> None:
    before, behind = blinks(0.0, 25.0, 15, 85), blinks(25.0, 40.0, 90, 10)
    known = [verdict(0.0, 25.0, "mixed", 0.85), verdict(25.0, 40.0, "bc", 0.09)]
    out_of_the_blue = type_pairs([*before, *behind], len(before), Known(known))
    back = type_pairs([*before, *behind], len(before), Known(known, expected="bc"))
    assert back[MIXED, BC] > 0.9 > out_of_the_blue[MIXED, BC]


@pytest.mark.parametrize(
    ("expected", "known"), [("bc", True), ("mixed", False), ("auger", False), (None, False)]
)
def test_back_where_it_was_another_a_mixed_dot_needs_few_blinks_and_no_long_verdict(
    expected: Blinking | None, known: bool
) -> None:
    before, behind = blinks(25.0, 50.0, 20, 60), blinks(50.0, 53.0, 12, 0)
    pairs = type_pairs([*before, *behind], len(before), Known([verdict(25.0, 50.0, "mixed", 0.75)], expected))
    assert (pairs[MIXED, BC] > 0.95) == known


@pytest.mark.parametrize(("back_s", "known"), [(50.0, True), (50.015, True), (54.0, False)])
def test_what_is_expected_at_a_fluence_says_nothing_of_blinks_before_it_came_back(
    back_s: float, known: bool
) -> None:
    before, behind = blinks(25.0, 50.0, 20, 60), blinks(50.0, 53.0, 12, 0)
    said = Known([verdict(25.0, 50.0, "mixed", 0.75)], "bc", back_s)
    pairs = type_pairs([*before, *behind], len(before), said)
    assert (pairs[MIXED, BC] > 0.95) == known
    assert (pairs[MIXED, MIXED] > 0.95) != known


@pytest.mark.parametrize(("seen_s", "told"), [(15.0, True), (8.0, False), (None, False)])
def test_in_the_midst_of_a_stretch_a_mixed_dot_needs_a_verdict_on_all_the_light_since(
    seen_s: float | None, told: bool
) -> None:
    """One is made if nothing else is left open."""
    before, behind = blinks(0.0, 25.0, 40, 40), blinks(25.0, 40.0, 60, 0)
    asked: list[float] = []

    def light_since(time_s: float) -> BlinkingCall | None:
        asked.append(time_s)
        return verdict(time_s, time_s + seen_s, "bc", 0.0) if seen_s is not None else None

    known = Known([verdict(0.0, 20.0, "mixed", 0.5)], light_since=light_since)
    pairs = type_pairs([*before, *behind], len(before), known)
    assert asked == [behind[0].start_s]
    assert (pairs[MIXED, BC] > 0.95) == told
    assert (pairs[MIXED, MIXED] > 0.95) != told


def test_the_type_before_is_that_of_the_last_verdict_before_however_short() -> None:
    marks = [*blinks(0.0, 30.0, 30, 0), *blinks(30.0, 45.0, 20, 20), *blinks(45.0, 47.0, 0, 5)]
    known = [verdict(0.0, 30.0, "bc", 0.01), verdict(30.0, 45.0, "mixed", 0.5)]
    pairs = type_pairs(marks, 70, Known(known))
    assert pairs.sum(axis=1)[MIXED] > 0.95


def test_a_verdict_that_saw_the_law_change_between_two_blinks_is_not_of_before() -> None:
    """A second of light between the last charged blink and the first trapped one, already of the new law."""
    marks = [*blinks(0.0, 28.0, 0, 60), *blinks(29.4, 31.0, 4, 0)]
    known = [verdict(25.0, 27.5, "auger", 1.0), verdict(25.0, 29.0, "mixed", 0.8)]
    assert type_pairs(marks, 60, Known(known)).sum(axis=1)[AUGER] > 0.9
    # Where it is all there is, it has to do.
    assert type_pairs(marks, 60, Known(known[1:])).sum(axis=1)[AUGER] < 0.9


def doubted(call: BlinkingCall, doubt: float) -> BlinkingCall:
    """The same, of which a doubt has spread a part evenly over all types."""
    spread = {kind: (1 - doubt) * p + doubt / 5 for kind, p in call.probabilities.items()}
    return replace(call, blinking="undetermined", reason="a doubt", probabilities=spread)


def test_a_doubt_that_is_spread_evenly_does_not_change_which_way_a_verdict_leans() -> None:
    call = verdict(0.0, 25.0, "bc", 0.05)
    assert leaning_of(doubted(call, 0.5)) == pytest.approx(leaning_of(call))
    assert leaning_of(doubted(call, 1.0)) == pytest.approx(dict.fromkeys(call.probabilities, 0.2))


def test_where_a_verdict_under_a_doubt_objects_nothing_is_sure() -> None:
    before, behind = blinks(0.0, 25.0, 60, 0), blinks(25.0, 30.0, 8, 12)
    first = verdict(0.0, 25.0, "bc", 0.01)
    certain = []
    for kind in ("mixed", "bc"):
        then = doubted(verdict(25.0, 30.0, kind, 0.5), 0.5)
        certain.append(1 - np.trace(type_pairs([*before, *behind], len(before), Known([first, then]))))
    assert certain[0] > 0.95
    assert certain[1] < 0.5


def test_of_the_verdicts_on_a_growing_stretch_the_one_on_most_light_counts_behind_a_change() -> None:
    before, behind = blinks(0.0, 25.0, 60, 0), blinks(25.0, 40.0, 20, 20)
    known = [
        verdict(0.0, 25.0, "bc", 0.01),
        verdict(25.0, 29.0, "bc", 0.1),
        verdict(25.0, 40.0, "mixed", 0.5),
    ]
    assert type_pairs([*before, *behind], len(before), Known(known))[BC, MIXED] > 0.9


def test_what_a_short_verdict_saw_of_this_stretch_before_the_place_is_what_was_before() -> None:
    before = [*blinks(0.0, 25.0, 60, 0), *blinks(25.0, 32.0, 10, 10)]
    behind = blinks(32.0, 34.0, 0, 6)
    known = [
        verdict(0.0, 25.0, "bc", 0.01),
        verdict(25.0, 31.0, "mixed", 0.5),
        verdict(25.0, 34.0, "mixed", 0.6),
    ]
    assert type_pairs([*before, *behind], len(before), Known(known))[BC].sum() < 0.01


@pytest.mark.parametrize(("earlier", "auger"), [("mixed", False), ("auger", True)])
def test_a_dot_that_was_mixed_at_the_fluence_before_is_so_whatever_a_short_look_says(
    earlier: Blinking, auger: bool
) -> None:
    traps = 30 if earlier == "mixed" else 0
    before = [*blinks(0.0, 25.0, traps, 30), *blinks(25.0, 26.6, 0, 14)]
    known = [
        verdict(0.0, 25.0, earlier, 0.4 if earlier == "mixed" else 0.99),
        verdict(25.0, 26.5, "auger", 1.0),
    ]
    types = type_pairs([*before, *blinks(26.6, 40.0, 30, 70)], len(before), Known(known)).sum(axis=1)
    assert types[AUGER if auger else MIXED] > 0.9


@pytest.mark.parametrize(("number", "least"), [(6, 0.0), (200, 0.95)])
def test_a_dot_that_was_hardly_mixed_before_is_auger_after_many_blinks_of_one_kind(
    number: int, least: float
) -> None:
    """The verdict before was two to one for mixed, and may have taken a drift of the light for traps."""
    sure = verdict(0.0, 25.0, "mixed", 0.88)
    doubted = replace(sure, probabilities=sure.probabilities | {"mixed": 0.66, "auger": 0.34})
    before = [*blinks(0.0, 25.0, 0, 60), *blinks(25.0, 31.0, 0, number)]
    known = [doubted, verdict(25.0, 31.0, "auger", 1.0)]
    types = type_pairs([*before, *blinks(31.0, 32.0, 10, 10)], len(before), Known(known)).sum(axis=1)
    assert least <= types[AUGER] < (1.0 if least else 0.8)


def test_blinks_of_one_kind_alone_leave_the_share_of_the_law_open_by_their_number() -> None:
    """One blink of a trap may be that of any dot; a dozen are not."""
    errors = []
    for number in (1, 12):
        share = share_of_law(verdict(25.0, 29.0, "bc", 0.0), blinks(25.0, 29.0, number, 0))
        assert share is not None
        errors.append(share.error)
    assert errors == pytest.approx([1 / 3, 1 / 14], rel=0.01)
