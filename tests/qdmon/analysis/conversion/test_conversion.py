"""The log of conversions: what is taken for one, what it led to, and whether the old type came back."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from qdmon.analysis.conversion.conversion import MOST_OPEN, ConversionLog
from qdmon.analysis.conversion.regimes import Mark
from qdmon.analysis.conversion.sequential import Change
from qdmon.analysis.results.blinking import Blinking, BlinkingCall, Conversion
from qdmon.analysis.results.estimate import Estimate
from qdmon.analysis.results.segment import FluenceStep
from tests.qdmon.analysis.conversion.some_blinks import blinks, call, mixed_blinks

STEPS = [FluenceStep(0.0, 0.2), FluenceStep(25.0, 1.4), FluenceStep(50.0, 0.2)]


def converted(behind: list[Mark], returned: list[Mark] | None = None) -> ConversionLog:
    """An Auger dot for 25 s at the low fluence, then these blinks, then those after the return."""
    log = ConversionLog(1.0)
    log.add(blinks(0.0, 25.0, 15.0))
    for mark in behind:
        change = log.alarm([mark], STEPS[:2])
        if change is not None and not log.conversions:
            found = Conversion(change.time_s, change.error_s, "auger", change.after, 0.2, 1.4, 1.0, None)
            log.accept(change, found)
        log.add([mark])
    log.add(returned or [])
    return log


def test_a_blink_that_is_still_going_on_can_raise_the_alarm() -> None:
    log = ConversionLog(1.0)
    log.add(blinks(0.0, 25.0, 15.0))
    assert log.alarm([], STEPS[:2]) is None
    change = log.alarm([Mark(25.1, 25.12, -15.0, 0.01)], STEPS[:2])
    assert change is not None
    assert (change.before, change.after) == ("auger", "bc")


def test_after_a_conversion_the_new_regime_is_the_ordinary_one() -> None:
    log = converted(blinks(25.0, 50.0, -15.0))
    assert len(log.conversions) == 1
    assert log.alarm([], STEPS[:2]) is None
    assert log.types_since(25.0) == ("bc",)


@pytest.mark.parametrize(("after", "told"), [("bc", False), ("mixed", True)])
def test_what_a_dot_is_known_to_have_become_is_no_other_conversion(after: Blinking, told: bool) -> None:
    """The law takes a while to change, in which a dot does both."""
    behind = [*mixed_blinks(25.0, 33.0), *blinks(33.0, 50.0, -15.0)]
    log = ConversionLog(1.0)
    log.add(blinks(0.0, 25.0, 15.0))
    change = None
    for mark in behind:
        change = log.alarm([mark], STEPS[:2])
        if change is not None:
            break
        log.add([mark])
    assert change is not None
    log.accept(replace(change, maybe_after=()), Conversion(25.0, 0.01, "auger", after, 0.2, 1.4, 1.0, None))
    log.add(behind[len(log._marks) :])
    verdicts = [replace(call("bc", 0.999, 33.5), stop_s=50.0)]
    assert (log.alarm([], STEPS[:2], verdicts) is not None) == told


def test_the_same_blinks_after_the_return_make_it_irreversible() -> None:
    log = converted(blinks(25.0, 50.0, -15.0), blinks(50.0, 55.0, -15.0))
    (told,) = log.returns(50.0, 0.2)
    assert told.reversible is False
    assert log.returns(50.0, 0.2) == []


def test_the_old_blinks_make_it_reversible() -> None:
    log = converted(blinks(25.0, 50.0, -15.0), blinks(50.0, 55.0, 15.0))
    (told,) = log.returns(50.0, 0.2)
    assert told.reversible is True


def test_a_third_type_after_the_return_is_not_the_old_one() -> None:
    log = converted(blinks(25.0, 50.0, -15.0), mixed_blinks(50.0, 56.0))
    (told,) = log.returns(50.0, 0.2)
    assert told.reversible is False
    assert log.types_since(50.0) == ("mixed",)


def test_a_conversion_back_to_the_old_type_makes_it_reversible_however_few_the_blinks() -> None:
    log = converted(blinks(25.0, 50.0, -15.0), [Mark(52.0, 52.1, 0.5, 0.05)])
    assert log.returns(50.0, 0.2) == []
    log.conversions.append(Conversion(50.0, 0.01, "bc", "auger", 1.4, 0.2, 1.0, None))
    log.add([])
    told = log.returns(50.0, 0.2)
    assert [c.reversible for c in told] == [True]


def test_a_conversion_back_takes_back_that_it_was_irreversible() -> None:
    log = converted(blinks(25.0, 50.0, -15.0), blinks(50.0, 55.0, -15.0))
    assert [c.reversible for c in log.returns(50.0, 0.2)] == [False]
    log.conversions.append(Conversion(50.0, 0.01, "bc", "auger", 1.4, 0.2, 1.0, None))
    assert [c.reversible for c in log.returns(50.0, 0.2)] == [True]
    assert log.returns(50.0, 0.2) == []


@pytest.mark.parametrize(("start_s", "told"), [(50.0, [True]), (75.0, [])])
def test_more_light_of_the_same_return_takes_back_that_it_was_irreversible(
    start_s: float, told: list[bool]
) -> None:
    """The first verdict saw an odd burst. That at a later return is another matter."""
    log = converted(blinks(25.0, 50.0, -15.0), blinks(50.0, 55.0, -15.0))
    early = replace(call("bc", 0.999, 50.0), auger_share=Estimate(0.02, 0.003), stop_s=55.0)
    assert [c.reversible for c in log.returns(50.0, 0.2, early)] == [False]
    assert log.returns(50.0, 0.2, early) == []
    log.add(blinks(start_s, start_s + 25.0, 15.0, rate_hz=8.0))
    late = replace(call("auger", 0.999, start_s), auger_share=Estimate(0.98, 0.003), stop_s=start_s + 25.0)
    assert [c.reversible for c in log.returns(start_s, 0.2, late)] == told
    assert log.returns(start_s, 0.2, late) == []


@pytest.mark.parametrize(("left_over", "told"), [(2, []), (5, [False])])
def test_an_odd_blink_or_two_do_not_make_it_irreversible_while_no_verdict_speaks(
    left_over: int, told: list[bool]
) -> None:
    odd = [Mark(50.1 + i, 50.2 + i, -15.0, 0.05) for i in range(left_over)]
    for verdict in (None, call("none", 0.99, 50.0)):
        log = converted(blinks(25.0, 50.0, -15.0), odd)
        assert [c.reversible for c in log.returns(50.0, 0.2, verdict)] == told


def test_a_sure_verdict_on_the_return_decides_where_blinks_are_odd() -> None:
    odd = [*blinks(50.0, 55.0, 15.0), *blinks(55.0, 56.0, -15.0, rate_hz=4.0)]
    log = converted(blinks(25.0, 50.0, -15.0), odd)
    assert all(c.reversible is not True for c in log.returns(50.0, 0.2))
    log = converted(blinks(25.0, 50.0, -15.0), odd)
    light = replace(call("auger", 0.999, 50.0), auger_share=Estimate(0.98, 0.003))
    (told,) = log.returns(50.0, 0.2, light)
    assert told.reversible is True


def test_too_few_blinks_after_the_return_tell_nothing() -> None:
    log = converted(blinks(25.0, 50.0, -15.0), [Mark(52.0, 52.1, -0.2, 0.05)])
    assert log.returns(50.0, 0.2) == []


@pytest.mark.parametrize("mean_excitation", [0.4, 1.4, None])
def test_another_fluence_is_no_return(mean_excitation: float | None) -> None:
    log = converted(blinks(25.0, 50.0, -15.0), blinks(50.0, 55.0, -15.0))
    assert log.returns(50.0, mean_excitation) == []


def either(first: Blinking, second: Blinking) -> BlinkingCall:
    """A verdict that cannot tell two types apart, and rather thinks of the first."""
    none: dict[Blinking, float] = dict.fromkeys(("auger", "bc", "mixed", "hc", "none"), 0.0)
    return replace(call(first, 0.7), probabilities=none | {first: 0.7, second: 0.3})


@pytest.mark.parametrize(("other", "after"), [("none", "mixed"), ("bc", "bc")])
def test_of_types_that_were_left_open_the_last_word_may_exclude_the_one_that_was_named(
    other: Blinking, after: Blinking
) -> None:
    log = ConversionLog(1.0)
    log.add([*blinks(0.0, 25.0, 15.0), *blinks(25.0, 50.0, -15.0)])
    found = Conversion(25.0, 0.05, "auger", "bc", 0.2, 1.4, 1.0, None)
    log.accept(Change(0.0, 1.0, 1.0, 75, 25.0, 0.05, 25.0, "auger", "bc", (), ("mixed",)), found)
    assert log.refine(either("mixed", other), 1.4) is None
    log.refine(either("mixed", other), 1.4, last_word=True)
    assert log.conversions[0].after == after


def test_a_sure_verdict_says_what_the_first_blinks_could_not() -> None:
    log = converted(blinks(25.0, 50.0, -15.0))
    told = []
    for light in (either("mixed", "bc"), call("mixed", 0.99)):
        news = log.refine(light, 1.4, last_word=True)
        told.append((log.conversions[0].after, news))
    assert told == [("bc", None), ("mixed", log.conversions[0])]
    # Once.
    assert log.refine(call("mixed", 0.99), 1.4, last_word=True) is None


def test_while_more_light_comes_a_verdict_has_to_know_the_law() -> None:
    """A trap blink and an Auger blink are both mechanisms; what share of them the next will be is open."""
    for behind, news in ((mixed_blinks(25.0, 25.7), False), (mixed_blinks(25.0, 34.0), True)):
        log = converted([*blinks(25.0, 25.7, -15.0), *behind])
        (first,) = log.conversions
        light = replace(call("mixed", 0.99), auger_share=Estimate(0.5, 0.01))
        assert (log.refine(light, 1.4) is not None) == news
        assert (log.conversions[0].after == "mixed") == news
        assert (log.refine(light, 1.4, last_word=True) is None) == news
        assert log.conversions == [replace(first, after="mixed")]


@pytest.mark.parametrize("left_open", [True, False])
def test_a_verdict_that_bears_out_the_blinks_is_news_only_if_they_left_the_type_open(left_open: bool) -> None:
    log = ConversionLog(1.0)
    log.add([*blinks(0.0, 25.0, 15.0), *blinks(25.0, 50.0, -15.0)])
    found = Conversion(25.0, 0.05, "auger", "bc", 0.2, 1.4, 1.0, None)
    maybe: tuple[Blinking, ...] = ("mixed",) if left_open else ()
    log.accept(Change(0.0, 1.0, 1.0, 75, 25.0, 0.05, 25.0, "auger", "bc", (), maybe), found)
    assert [log.refine(call("bc", 0.99), 1.4, last_word=True) for _ in range(2)] == [
        found if left_open else None,
        None,
    ]


def test_the_first_new_blinks_do_not_tell_a_pure_type_from_a_mixed_one() -> None:
    """Two in a row may come from either; thirty in a row only from one."""
    log = ConversionLog(1.0)
    log.add(blinks(0.0, 25.0, -15.0))
    told = {}
    for i, mark in enumerate(blinks(25.0, 50.0, 15.0), 1):
        change = log.alarm([mark], STEPS[:2])
        if change is not None:
            told[i] = (change.after, *change.maybe_after)
            assert (change.before, change.maybe_before) == ("bc", ())
        log.add([mark])
    assert told[min(told)] == ("auger", "mixed")
    assert min(told) <= 4
    assert told[max(told)] == ("auger",)


def test_what_it_is_after_the_return_is_told_by_a_sure_verdict_else_by_its_blinks() -> None:
    log = converted(blinks(25.0, 50.0, -15.0), mixed_blinks(50.0, 56.0))
    assert log.types_since(50.0) == ("mixed",)
    assert log.types_since(50.0, call("bc", 0.99, 50.0)) == ("bc",)
    for no_word in (call("bc", 0.8, 50.0), call("bc", 0.99, 25.0), call("none", 0.99, 50.0)):
        assert log.types_since(50.0, no_word) == ("mixed",)
    (few,) = blinks(50.0, 50.4, -15.0)
    assert converted(blinks(25.0, 50.0, -15.0), [few]).types_since(50.0) == ("bc", "mixed")


@pytest.mark.parametrize("wrong", [call("auger", 0.99), call("none", 0.99), call("mixed", 0.99, start_s=0.0)])
def test_a_verdict_on_the_time_before_or_of_the_old_type_changes_nothing(wrong: BlinkingCall) -> None:
    log = converted(blinks(25.0, 50.0, -15.0))
    log.refine(wrong, 1.4, last_word=True)
    assert log.conversions[0].after == "bc"


@pytest.mark.parametrize(("seconds", "after"), [(9.0, "bc"), (20.0, "none")])
def test_a_conversion_leads_to_none_if_all_the_light_since_says_so_for_long(
    seconds: float, after: Blinking
) -> None:
    log = converted(blinks(25.0, 26.0, -15.0))
    light = replace(call("none", 0.99, 25.0), stop_s=25.0 + seconds)
    log.refine(light, 1.4)
    assert log.conversions[0].after == "bc"
    log.refine(light, 1.4, last_word=True)
    assert log.conversions[0].after == after


def test_a_verdict_at_another_fluence_does_not_say_what_a_conversion_led_to() -> None:
    log = converted(blinks(25.0, 50.0, -15.0), blinks(50.0, 55.0, -15.0))
    log.refine(call("mixed", 0.99), 0.2, last_word=True)
    assert log.conversions[0].after == "bc"


def test_blinks_that_will_be_read_again_are_forgotten() -> None:
    log = ConversionLog(1.0)
    log.add(blinks(0.0, 10.0, 15.0))
    log.forget_since(0.0)
    log.add(blinks(0.0, 10.0, -15.0))
    assert log.types_since(0.0) == ("bc",)
    assert log.alarm([], STEPS[:1]) is None


def test_rows_and_pulses_tell_the_same_time_of_a_step_to_rounding() -> None:
    """The blink at a step is read again, be its start in rows a little before that in pulses."""
    step_s = 47.670408
    log = ConversionLog(1.0)
    log.add([*blinks(40.0, 47.0, 15.0), Mark(step_s, step_s + 0.5, 15.0, 0.3)])
    log.forget_since(float(np.nextafter(step_s, 100.0)))
    assert log.last_s < step_s


@pytest.mark.parametrize(("back_at", "reversible"), [(0.2, True), (0.6, True), (0.9, None), (1.4, None)])
def test_a_return_is_to_any_fluence_at_which_the_old_type_was_seen(
    back_at: float, reversible: bool | None
) -> None:
    """Up a stair and down again: Auger at 0.2 and 0.6, bc at 1.4."""
    log = ConversionLog(1.0)
    log.add([*blinks(0.0, 25.0, 15.0), *blinks(25.0, 50.0, -15.0)])
    found = Conversion(25.0, 0.05, "auger", "bc", 0.2, 1.4, 1.0, None)
    log.accept(Change(0.0, 1.0, 1.0, 75, 25.0, 0.05, 25.0, "auger", "bc"), found, seen_at=[0.6, 1.4])
    log.add(blinks(50.0, 56.0, 15.0))
    log.returns(50.0, back_at)
    assert log.conversions[0].reversible is reversible


def test_a_regime_began_with_its_first_blink_also_if_that_is_kept_no_longer() -> None:
    log = ConversionLog(1.0)
    assert log.since_s == 0.0
    log.add(blinks(5.0, 10.0, 15.0, 100.0))
    first_s = log.since_s
    for later_s in (10.0, 15.0):
        log.add(blinks(later_s, later_s + 5.0, 15.0, 100.0))
    assert log.since_s == first_s == pytest.approx(5.0, abs=0.01)
    log.forget_since(7.0)
    assert log.since_s == first_s
    log.forget_since(5.0)
    assert log.since_s == 0.0
    log.add(blinks(20.0, 25.0, 15.0))
    seen = len(blinks(20.0, 25.0, 15.0))
    log.add(blinks(25.0, 30.0, -15.0))
    found = Conversion(25.0, 0.05, "auger", "bc", 0.2, 1.4, 1.0, None)
    log.accept(Change(0.0, 1.0, 1.0, seen, 25.0, 0.05, 25.0, "auger", "bc"), found)
    assert log.since_s == blinks(25.0, 30.0, -15.0)[0].start_s


def test_a_verdict_under_a_doubt_that_leans_the_other_way_leaves_a_return_open() -> None:
    light = replace(call("auger", 0.6, 50.0), blinking="undetermined", reason="a doubt")
    told = []
    for seen in (light, replace(light, probabilities=call("bc", 0.6).probabilities)):
        log = converted(blinks(25.0, 50.0, -15.0), blinks(50.0, 55.0, -15.0))
        told.append(log.returns(50.0, 0.2, seen))
    assert told[0] == []
    assert [c.reversible for c in told[1]] == [False]


def test_a_dot_that_had_runs_is_expected_to_have_them_after_a_conversion() -> None:
    runs = [m for k in range(10) for m in blinks(2.5 * k, 2.5 * k + 2.5, 15.0 * (-1) ** k, 4.0)]
    log = ConversionLog(1.0)
    log.add([*runs, *blinks(25.0, 28.0, 15.0)])
    seen_s = 25.0
    index = len(runs)
    change = Change(1.0, 1.0, 1.0, index, 25.0, 0.1, seen_s, "mixed", "auger")
    log.accept(change, Conversion(25.0, 0.1, "mixed", "auger", 0.2, 1.4, 1.0, None))
    log.add(blinks(28.0, 31.0, -15.0))
    assert log.alarm([], STEPS[:2], now_s=31.0) is None
    fresh = ConversionLog(1.0)
    fresh.add([*blinks(22.0, 28.0, 15.0), *blinks(28.0, 31.0, -15.0)])
    assert fresh.alarm([], STEPS[:2], now_s=31.0) is not None


def test_what_a_verdict_on_all_the_light_has_told_is_not_told_again_by_its_blinks() -> None:
    odd, then = blinks(25.0, 28.0, 15.0), blinks(28.0, 40.0, -15.0)
    found = Conversion(25.0, 0.05, "auger", "mixed", 0.2, 1.4, 1.0, None)
    alarms = []
    for settled_s in (-np.inf, 40.0):
        log = ConversionLog(1.0)
        log.add([*blinks(0.0, 25.0, 15.0), *odd, *then])
        log.accept(Change(0.0, 1.0, 1.0, 75, 25.0, 0.05, 25.0, "auger", "mixed"), found, settled_s)
        alarms.append(log.alarm([], STEPS[:2], now_s=40.0))
    assert alarms[0] is not None
    assert alarms[1] is None


def test_of_conversions_over_days_the_latest_can_still_prove_reversible() -> None:
    """Each to a higher fluence; the blinks around the first ones are no longer kept."""
    log = ConversionLog(1.0)
    odds = 15.0
    log.add(blinks(0.0, 10.0, odds))
    levels = [0.01 * 1.2**i for i in range(MOST_OPEN + 11)]
    for i, (low, high) in enumerate(pairwise(levels), 1):
        then = 10.0 * i
        old: Blinking = "auger" if odds > 0 else "bc"
        new: Blinking = "bc" if odds > 0 else "auger"
        odds = -odds
        before = blinks(then - 10.0, then, -odds)
        log.add(blinks(then, then + 10.0, odds))
        log.accept(
            Change(0.0, 1.0, 1.0, len(before), then, 0.05, then, old, new),
            Conversion(then, 0.05, old, new, low, high, 1.0, None),
        )
    end = 10.0 * len(levels)
    log.add(blinks(end, end + 10.0, odds))
    told = {low: bool(log.returns(end, low)) for low in levels[:-1]}
    assert not any(told[low] for low in levels[:5])
    assert all(told[low] for low in levels[-20:-2])
