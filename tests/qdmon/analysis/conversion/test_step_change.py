"""Verdicts on both sides of a step of the fluence: a conversion if both are sure, and of different types."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from qdmon.analysis.conversion.alarms import AlarmBudget
from qdmon.analysis.conversion.both_sides import BothSides
from qdmon.analysis.conversion.regimes import TYPES, Mark
from qdmon.analysis.conversion.sequential import Change
from qdmon.analysis.conversion.step_change import share_moved, step_change
from qdmon.analysis.conversion.type_change import law_of
from qdmon.analysis.results.blinking import Blinking, BlinkingCall
from qdmon.analysis.results.estimate import UNKNOWN, Estimate
from qdmon.analysis.results.segment import FluenceStep
from tests.qdmon.analysis.conversion.some_blinks import blinks, call, mixed_blinks

BUDGET = AlarmBudget.of(1.0, [FluenceStep(0.0, 0.2), FluenceStep(25.0, 1.4)])


def change_of(
    marks: list[Mark],
    before: BlinkingCall,
    *since: BlinkingCall,
    own: Sequence[Mark] = (),
    expected: Blinking | None = None,
) -> Change | None:
    """What verdicts before and since a step at 25 s make of some blinks."""
    return step_change(BothSides(25.0, before, since, marks, own, expected, BUDGET))


def marks_and_verdict(first: list[Mark], then: list[Mark], share: float) -> tuple[list[Mark], BlinkingCall]:
    """Blinks of 25 s on either side of a step, and the verdict on those behind it."""
    behind = replace(call("mixed", 0.99, 25.0), auger_share=Estimate(share, 0.01), stop_s=50.0)
    return [*first, *then], behind


def before_step(probability: float = 0.99) -> BlinkingCall:
    return replace(call("bc", probability, 0.0), auger_share=Estimate(0.01, 0.01), stop_s=25.0)


def test_sure_verdicts_on_both_sides_of_a_step_are_a_conversion() -> None:
    marks, behind = marks_and_verdict(blinks(0.0, 25.0, -15.0), mixed_blinks(25.0, 50.0), 0.5)
    change = change_of(marks, before_step(), behind)
    assert change is not None
    assert (change.before, change.after, change.time_s) == ("bc", "mixed", 25.0)
    assert change.index == len(blinks(0.0, 25.0, -15.0))
    assert change.probability > 0.9


def unsure(kind: Blinking) -> BlinkingCall:
    """Two verdicts in five say that it is another type."""
    types: tuple[Blinking, ...] = ("auger", "bc", "mixed", "hc", "none")
    chances = dict.fromkeys(types, 0.0) | {"bc": 0.6, kind: 0.4}
    return replace(before_step(), probabilities=chances)


@pytest.mark.parametrize("short", [replace(before_step(), start_s=23.5), unsure("mixed"), unsure("hc")])
def test_a_short_or_unsure_verdict_on_one_side_is_none(short: BlinkingCall) -> None:
    marks, behind = marks_and_verdict(blinks(0.0, 25.0, -15.0), mixed_blinks(25.0, 50.0), 0.28)
    assert change_of(marks, short, behind) is None


def test_a_share_just_across_the_border_at_a_step_is_no_conversion() -> None:
    marks, behind = marks_and_verdict(blinks(0.0, 25.0, -15.0), mixed_blinks(25.0, 50.0), 0.17)
    assert change_of(marks, before_step(), behind) is None


def test_verdicts_that_are_sure_each_but_not_both_together_are_none() -> None:
    marks, behind = marks_and_verdict(blinks(0.0, 25.0, -15.0), mixed_blinks(25.0, 50.0), 0.24)
    assert change_of(marks, before_step(), behind) is not None
    marks, behind = marks_and_verdict(blinks(0.0, 25.0, -15.0), mixed_blinks(25.0, 50.0), 0.2)
    assert change_of(marks, before_step(), behind) is None


def test_a_type_that_may_be_either_of_two_has_changed_if_the_other_side_is_neither() -> None:
    marks, _ = marks_and_verdict(mixed_blinks(0.0, 25.0)[:20], blinks(25.0, 50.0, 15.0), 0.5)
    before = replace(call("mixed", 0.99, 0.0), auger_share=Estimate(0.2, 0.01), stop_s=25.0)
    law = law_of(before, marks)
    assert law is not None
    assert 0.6 < law[TYPES.index("mixed")] < 0.9
    behind = replace(call("auger", 0.99, 25.0), auger_share=Estimate(0.99, 0.01), stop_s=50.0)
    change = change_of(marks, before, behind)
    assert change is not None
    assert (change.before, change.after) == ("mixed", "auger")


def test_a_chance_that_the_light_is_of_two_dots_hides_no_change_of_type() -> None:
    marks, behind = marks_and_verdict(blinks(0.0, 25.0, -15.0), mixed_blinks(25.0, 50.0), 0.5)
    assert change_of(marks, before_step(0.9), behind) is not None


def test_a_change_behind_the_step_is_where_the_blinks_show_it() -> None:
    old, new = blinks(0.0, 31.0, -15.0), mixed_blinks(31.0, 50.0)
    marks, behind = marks_and_verdict(old, new, 0.4)
    change = change_of(marks, before_step(), behind)
    assert change is not None
    assert change.time_s == pytest.approx(31.0, abs=3 * change.error_s)
    assert 0 < change.error_s < 2.0


def test_a_share_that_clearly_moved_needs_less_certainty_of_the_types() -> None:
    """A tenth of the loss before, by a few charged blinks, and two thirds behind."""
    few = [m if i % 15 else replace(m, odds=15.0) for i, m in enumerate(blinks(0.0, 25.0, -15.0))]
    before = replace(call("bc", 0.99, 0.0), auger_share=Estimate(0.11, 0.01), stop_s=25.0)
    law = law_of(before, few)
    assert law is not None
    assert 0.75 < law[TYPES.index("bc")] < 0.95
    found = []
    for share in (0.67, 0.3):
        marks, behind = marks_and_verdict(few, mixed_blinks(25.0, 50.0), share)
        found.append(change_of(marks, before, behind))
    assert found[0] is not None
    assert (found[0].before, found[0].after) == ("bc", "mixed")
    assert 0.75 < found[0].probability < 0.95
    assert found[1] is None


def test_a_share_that_moved_far_shows_in_seconds() -> None:
    few = [m if i % 15 else replace(m, odds=15.0) for i, m in enumerate(blinks(0.0, 25.0, -15.0))]
    before = replace(call("bc", 0.9, 0.0), auger_share=Estimate(0.13, 0.01), stop_s=25.0)
    found = []
    for stop_s in (26.5, 29.0):
        marks = [*few, *mixed_blinks(25.0, stop_s)]
        behind = replace(call("mixed", 0.99, 25.0), auger_share=Estimate(0.7, 0.01), stop_s=stop_s)
        found.append(change_of(marks, before, behind))
    assert found[0] is None
    assert found[1] is not None
    assert (found[1].before, found[1].after, found[1].time_s) == ("bc", "mixed", 25.0)


def test_a_share_that_moved_far_takes_ten_seconds_to_end_a_mechanism_of_a_mixed_dot() -> None:
    """The fluence moves the share of a mixed dot as a rule."""
    before = replace(call("mixed", 0.99, 0.0), auger_share=Estimate(0.4, 0.01), stop_s=25.0)
    found = []
    for stop_s in (31.0, 38.0):
        then = blinks(25.0, stop_s, 15.0)
        marks = [*mixed_blinks(0.0, 25.0), *then[:-1], replace(then[-1], odds=-15.0)]
        behind = replace(call("auger", 0.99, 25.0), auger_share=Estimate(0.99, 0.01), stop_s=stop_s)
        found.append(change_of(marks, before, behind))
    assert found[0] is None
    assert found[1] is not None


@pytest.mark.parametrize(("expected", "told"), [(None, False), ("bc", True)])
def test_a_mixed_dot_need_only_be_what_it_was_where_it_was_that_before(
    expected: Blinking | None, told: bool
) -> None:
    before = replace(call("mixed", 0.99, 0.0), auger_share=Estimate(0.6, 0.01), stop_s=25.0)
    few = [m if i % 8 else replace(m, odds=15.0) for i, m in enumerate(blinks(25.0, 33.0, -15.0))]
    behind = replace(call("bc", 0.9, 25.0), auger_share=Estimate(0.1, 0.01), stop_s=33.0)
    change = change_of([*mixed_blinks(0.0, 25.0), *few], before, behind, expected=expected)
    assert (change is not None) == told


@pytest.mark.parametrize(("or_else", "told"), [("auger", True), ("bc", False)])
def test_a_dot_of_either_of_two_types_has_converted_if_it_is_surely_neither(
    or_else: Blinking, told: bool
) -> None:
    types: tuple[Blinking, ...] = ("auger", "bc", "mixed", "hc", "none")
    share = Estimate(0.88, 0.08) if or_else == "auger" else Estimate(0.17, 0.08)
    open_between = dict.fromkeys(types, 0.0) | {"mixed": 0.55, or_else: 0.45}
    before = replace(call("mixed", 0.55, 0.0), probabilities=open_between, auger_share=share, stop_s=25.0)
    then = blinks(25.0, 50.0, -15.0)
    behind = replace(call("bc", 0.97, 25.0), auger_share=Estimate(0.03, 0.01), stop_s=50.0)
    change = change_of([*mixed_blinks(0.0, 25.0), *then], before, behind)
    assert (change is not None) == told


@pytest.mark.parametrize(
    ("share", "now", "law_from", "told"),
    [(0.2, 0.941, 0.9, True), (0.7, 0.941, 0.9, False), (0.2, 0.935, 0.75, False)],
)
def test_a_mixed_dot_whose_share_moved_far_need_not_be_as_sure_of_its_law(
    share: float, now: float, law_from: float, told: bool
) -> None:
    """What it did is sure on both sides; one blink in sixteen is trapped, and the next may be more."""
    before = replace(call("mixed", 0.999, 0.0), auger_share=Estimate(share, 0.01), stop_s=25.0)
    few = [m if i % 16 else replace(m, odds=-15.0) for i, m in enumerate(blinks(25.0, 50.0, 15.0))]
    behind = replace(call("auger", 0.999, 25.0), auger_share=Estimate(now, 0.01), stop_s=50.0)
    marks = [*mixed_blinks(0.0, 25.0), *few]
    law = law_of(behind, marks)
    assert law is not None
    assert law_from < law[TYPES.index("auger")] < min(law_from + 0.15, 0.95)
    change = change_of(marks, before, behind)
    assert (change is not None) == told


def test_a_share_that_blinks_show_to_have_moved_needs_no_sure_verdicts() -> None:
    """One dwell of seconds is most of the loss, so that the light knows its law badly; blinks know."""
    long = replace(blinks(33.0, 34.0, 15.0)[0], stop_s=36.0, lost_s=2.0)
    behind = [*mixed_blinks(25.0, 33.0), long, *mixed_blinks(36.0, 50.0)]
    chances = unsure("mixed").probabilities | {"bc": 0.85, "mixed": 0.15}
    before = replace(before_step(), probabilities=chances, auger_share=Estimate(0.03, 0.06))
    then = replace(call("mixed", 0.99, 25.0), auger_share=Estimate(0.6, 0.05), stop_s=50.0)
    seen = [*blinks(0.0, 25.0, -15.0), *behind]
    unread = [replace(m, odds=m.odds / 100) for m in seen]
    found = [change_of(marks, before, then) for marks in (seen, unread)]
    assert found[0] is not None
    assert (found[0].before, found[0].after) == ("bc", "mixed")
    assert found[1] is None


@pytest.mark.parametrize(
    ("kind", "expected", "place_s"),
    [("auger", None, 31.5), ("auger", "mixed", 25.0), ("bc", None, 25.0)],
)
def test_traps_came_after_the_last_verdict_of_a_charged_dot_and_charges_come_and_go_with_the_light(
    kind: Blinking, expected: Blinking | None, place_s: float
) -> None:
    """What blinks are nobody knows: six seconds behind the step a verdict was still sure of the old law."""
    odds, old, new = (15.0, 0.99, 0.4) if kind == "auger" else (-15.0, 0.01, 0.6)
    before = replace(call(kind, 0.99, 0.0), auger_share=Estimate(old, 0.01), stop_s=25.0)
    still = replace(call(kind, 0.99, 25.0), auger_share=Estimate(old, 0.01), stop_s=30.0)
    behind = replace(call("mixed", 0.99, 25.0), auger_share=Estimate(new, 0.01), stop_s=33.0)
    later = replace(behind, stop_s=37.0)
    marks = [*blinks(0.0, 30.0, odds), *(replace(m, odds=0.0) for m in blinks(30.0, 37.0, odds))]
    change = change_of(marks, before, still, behind, later, expected=expected)
    assert change is not None
    assert change.time_s == place_s
    if place_s > 25.0:
        assert change.seen_s == 33.0
        assert change.error_s == pytest.approx(0.34 * 3.0)


def test_a_change_that_may_be_at_the_step_is_there() -> None:
    """The first blink of the new kind comes seconds behind it, and none of the old."""
    marks, behind = marks_and_verdict(blinks(0.0, 25.0, -15.0), mixed_blinks(29.0, 50.0), 0.5)
    change = change_of(marks, before_step(), behind)
    assert change is not None
    assert change.time_s == 25.0


def test_what_rows_cannot_tell_the_blinks_of_the_verdict_place() -> None:
    """Rows know nothing of the blinks behind the step; by the verdict they are Auger's, then traps'."""
    old = blinks(0.0, 25.0, 15.0)
    unread = [replace(m, odds=0.0) for m in blinks(25.0, 45.0, 15.0)]
    own = [*blinks(25.0, 35.0, 12.0), *blinks(35.0, 45.0, -12.0)]
    before = replace(call("auger", 0.99, 0.0), auger_share=Estimate(0.99, 0.01), stop_s=25.0)
    behind = replace(call("mixed", 0.99, 25.0), auger_share=Estimate(0.5, 0.01), stop_s=45.0)
    found = [change_of([*old, *unread], before, behind, own=seen) for seen in ([], own)]
    assert found[0] is not None
    assert (found[0].time_s, found[0].after) == (25.0, "mixed")
    assert found[1] is not None
    assert found[1].time_s == pytest.approx(35.0, abs=0.5)
    assert (found[1].before, found[1].after) == ("auger", "bc")


def test_a_share_may_move_far_and_the_type_stay() -> None:
    marks = [*mixed_blinks(0.0, 25.0), *mixed_blinks(25.0, 50.0)]
    before = replace(call("mixed", 0.99, 0.0), auger_share=Estimate(0.2, 0.01), stop_s=25.0)
    behind = replace(call("mixed", 0.99, 25.0), auger_share=Estimate(0.8, 0.01), stop_s=50.0)
    assert share_moved(BothSides(25.0, before, [behind], marks, [], None, BUDGET))
    for other in (
        replace(behind, stop_s=30.0),
        replace(behind, blinking="auger"),
        replace(behind, auger_share=Estimate(0.4, 0.01)),
        replace(behind, auger_share=Estimate(0.8, 0.3)),
        replace(behind, auger_share=UNKNOWN),
    ):
        assert not share_moved(BothSides(25.0, before, [other], marks, [], None, BUDGET))
