"""What lies under a stretch: known beforehand, read off its own decays, or shared out by its states."""

from dataclasses import replace

import numpy as np
import pytest

from qdmon.analysis.calibration.trust import ASSUMED_ZERO, DECAY_TAIL, GIVEN, STATES, Settled
from qdmon.analysis.dot.binned import BinnedDecays
from qdmon.analysis.dot.bounded import Expectation
from qdmon.analysis.dot.chain import Chain, Smoothed
from qdmon.analysis.dot.family import FamilyFit
from qdmon.analysis.dot.maximise import parameters_of
from qdmon.analysis.dot.parameters import P
from qdmon.analysis.results.estimate import UNKNOWN, Estimate
from qdmon.analysis.stretch.own_background import OwnBackground
from tests.qdmon.analysis.dot.paths import PAPERS_DOT, TRION, alternating, drawn

TRUE_CPS = PAPERS_DOT.background_cps


@pytest.fixture(scope="module")
def light() -> BinnedDecays:
    rng = np.random.default_rng(1)
    return drawn(rng, alternating(rng, 1000, [TRION]))


def found_by_states(background_cps: float, error_cps: float, delayed: float = 0.0) -> FamilyFit:
    """What a fit says of the background, and expects of the delayed light."""
    mean = parameters_of(PAPERS_DOT)
    mean[P.BACKGROUND_CPS], mean[P.DELAYED] = background_cps, delayed
    variance = np.full(len(P), 1e-6)
    variance[P.BACKGROUND_CPS] = error_cps**2
    nothing = Smoothed(Chain(np.ones(1), np.ones(1)), np.zeros((0, 1), np.float32), np.zeros(1), 0.0)
    return FamilyFit("auger", PAPERS_DOT, Expectation(mean, np.diag(variance)), nothing, 0.0)


def test_bins_are_told_what_lies_under_them(light: BinnedDecays) -> None:
    background = OwnBackground()
    background.cps, background.delayed = 321.0, 0.04
    told = background.under(light)
    assert (told.background_cps, told.bins.delayed) == (321.0, 0.04)
    assert told.counts is light.counts


def test_before_any_fit_it_is_assumed_to_be_zero() -> None:
    background = OwnBackground()
    assert (background.cps, background.origin) == (0.0, ASSUMED_ZERO)


def test_the_end_of_the_decays_tells_it_where_nobody_else_does(light: BinnedDecays) -> None:
    background = OwnBackground()
    assert background.settle(light) is None
    assert background.origin == DECAY_TAIL
    assert background.settled is not None
    found = background.settled.background
    assert background.cps == found.value == pytest.approx(TRUE_CPS, abs=3.5 * (found.error or 0.0))


def test_what_is_known_beforehand_is_used_and_says_how_well(light: BinnedDecays) -> None:
    background = OwnBackground()
    background.known = Estimate(TRUE_CPS, 3.0), "dark recording"
    known_to_cps = background.settle(light)
    assert (background.cps, background.origin) == (TRUE_CPS, "dark recording")
    assert known_to_cps is not None
    assert 3.0 < known_to_cps < 0.2 * TRUE_CPS


def test_where_nothing_tells_it_the_last_one_stays(light: BinnedDecays) -> None:
    background = OwnBackground()
    background.cps, background.delayed = 250.0, 0.02
    background.settle(replace(light, counts=light.counts[:2]))
    assert background.origin == ASSUMED_ZERO
    assert (background.cps, background.delayed) == (250.0, 0.02)


def test_states_share_out_what_only_the_decays_told_of() -> None:
    background = OwnBackground()
    tail = Estimate(300.0, 40.0)
    background.settled = Settled(tail, DECAY_TAIL, 0.0, tail)
    background.share_out(found_by_states(410.0, 5.0, delayed=0.03))
    assert (background.cps, background.delayed) == (410.0, 0.03)
    # What is reported is still what the decays say.
    assert background.settled.background is tail


@pytest.mark.parametrize(("error_cps", "origin"), [(5.0, STATES), (50_000.0, ASSUMED_ZERO)])
def test_where_the_decays_cannot_tell_states_that_can_are_believed(error_cps: float, origin: str) -> None:
    background = OwnBackground()
    background.settled = Settled(Estimate(0.0), ASSUMED_ZERO, None, UNKNOWN, doubt="nobody knows")
    background.share_out(found_by_states(410.0, error_cps))
    assert background.origin == origin
    assert (background.settled.doubt is None) == (origin == STATES)
    assert background.cps == 410.0


def test_states_do_not_overrule_what_was_known_beforehand() -> None:
    background = OwnBackground()
    background.cps = 200.0
    background.share_out(found_by_states(410.0, 5.0))
    given = Estimate(200.0)
    background.settled = Settled(given, GIVEN, 0.0, UNKNOWN, known_to_cps=10.0)
    background.share_out(found_by_states(410.0, 5.0))
    assert (background.cps, background.origin) == (200.0, GIVEN)
