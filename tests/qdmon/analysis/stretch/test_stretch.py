"""Numbers of a stretch, from light that is known: lifetime, switching, charging, darkness, pile-up."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from hardware.types import Acquisition, Photons
from qdmon.analysis.calibration.timing import TimeAxis
from qdmon.analysis.calibration.trust import DECAY_TAIL, Settled
from qdmon.analysis.decays.decay import LateFit
from qdmon.analysis.decays.pileup import PileUp
from qdmon.analysis.dot.binned import BinnedDecays
from qdmon.analysis.dot.bounded import Expectation
from qdmon.analysis.dot.chain import Chain, Smoothed
from qdmon.analysis.dot.family import FamilyFit
from qdmon.analysis.dot.fit import DotFit
from qdmon.analysis.dot.states import Losses
from qdmon.analysis.dot.verdict import Reading, undetermined
from qdmon.analysis.results.blinking import Blinking, BlinkingCall, EmissiveState
from qdmon.analysis.results.estimate import UNKNOWN, Estimate
from qdmon.analysis.results.pair_correlation import G2
from qdmon.analysis.settings import AnalysisSettings
from qdmon.analysis.stretch.stretch import Stretch
from tests.qdmon.analysis import builders as b
from tests.qdmon.analysis.dot.paths import PAPERS_DOT

ACQ = b.acquisition()
AXIS = TimeAxis.build(ACQ, {0: 4000.0, 1: 4640.0})
UNTIMED = replace(ACQ, mode="T2", resolution_ps=None, nanotime_bins=0)
RATE_CPS, TAU_NS, BACKGROUND_CPS = 40e3, 20.0, 500.0
FloatArray = NDArray[np.float64]


@pytest.fixture(scope="module")
def light() -> tuple[Photons, int]:
    """A second of one level, 500 cps of background in each detector."""
    rng = np.random.default_rng(1)
    return b.photons(rng, [b.Dwell(1.0, RATE_CPS, TAU_NS)], acq=ACQ, background_cps=BACKGROUND_CPS)


def new_stretch(acq: Acquisition = ACQ, excitation: float | None = None) -> Stretch:
    return Stretch(acq, AnalysisSettings(), 0, excitation)


def seen(light: tuple[Photons, int]) -> Stretch:
    """A stretch that saw all of it, its background known."""
    photons, stop = light
    stretch = new_stretch()
    stretch.use_axis(AXIS, (0, 1), 2 * BACKGROUND_CPS)
    stretch.photons.count(photons)
    for first in range(0, stop, ACQ.pulses(0.25)):
        behind = min(first + ACQ.pulses(0.25), stop)
        stretch.sort(photons.between(first, behind), behind, [])
    return stretch


def settle(stretch: Stretch) -> None:
    tail = Estimate(2 * BACKGROUND_CPS, 20.0)
    stretch.background.settled = Settled(tail, DECAY_TAIL, 0.0, tail)


def test_the_last_background_serves_until_there_is_an_own_one() -> None:
    stretch = new_stretch()
    stretch.use_axis(AXIS, None, 321.0)
    assert stretch.background.cps == 321.0


def test_a_steady_dot_has_its_lifetime(light: tuple[Photons, int]) -> None:
    stretch = seen(light)
    settle(stretch)
    found = stretch.lifetime([])
    assert found.error is not None
    assert found.error == pytest.approx(TAU_NS / np.sqrt(RATE_CPS), rel=0.2)
    # The response is 0.15 ns wide.
    assert found.value == pytest.approx(TAU_NS, abs=3.5 * found.error)


def test_over_a_background_that_was_only_guessed_a_lifetime_has_no_error(light: tuple[Photons, int]) -> None:
    assert seen(light).lifetime([]).error is None


def test_background_lies_under_a_decay_for_the_time_looked_at(light: tuple[Photons, int]) -> None:
    stretch = seen(light)
    settle(stretch)
    whole, half = stretch.decay([]), stretch.decay([(0, ACQ.pulses(0.5))])
    assert whole is not None
    assert half is not None
    share = AXIS.bins.uniform_share
    assert whole.background == pytest.approx(2 * BACKGROUND_CPS * share, rel=1e-3)
    assert half.background == pytest.approx(whole.background / 2, rel=1e-3)
    assert whole.delayed == 0.0
    stretch.background.delayed = 0.1
    late = stretch.decay([])
    assert late is not None
    assert late.delayed == pytest.approx(0.1 * (late.counts.sum() - late.background.sum()))


def test_levels_are_told_once_the_pulse_is_placed(light: tuple[Photons, int]) -> None:
    stretch = seen(light)
    (level,) = stretch.dynamics.levels(stretch.background.cps, 0.0)
    assert level.rate_cps.value == pytest.approx(RATE_CPS, rel=0.02)


def test_light_without_nanotimes_has_levels_from_the_start_and_no_lifetime() -> None:
    rng = np.random.default_rng(2)
    stretch = new_stretch(UNTIMED)
    stop = UNTIMED.pulses(0.5)
    pulse = np.sort(rng.integers(0, stop, 10_000)).astype(np.uint64)
    nothing = np.zeros(len(pulse))
    stretch.sort(Photons(pulse, nothing.astype(np.uint16), nothing.astype(np.uint8)), stop, [])
    (level,) = stretch.dynamics.levels(0.0, 0.0)
    assert level.rate_cps.value == pytest.approx(20e3, rel=0.05)
    assert stretch.decay([]) is None
    assert stretch.lifetime([]) == UNKNOWN


def test_darkness_is_what_is_left_over_the_background() -> None:
    stretch = new_stretch(UNTIMED)
    assert new_stretch().dark_tail_s(1000.0, 10.0, []) == 0.0
    per_ms = np.concatenate([np.full(500, 30), np.full(1500, 5)])
    pulse = np.repeat(np.arange(2000) * UNTIMED.pulses(0.001), per_ms).astype(np.uint64)
    nothing = np.zeros(len(pulse))
    stretch.photons.sort(
        Photons(pulse, nothing.astype(np.uint16), nothing.astype(np.uint8)), UNTIMED.pulses(2.0)
    )
    assert stretch.dark_tail_s(1000.0, 10.0, []) == 0.0
    stretch.background.cps = 5000.0
    assert stretch.dark_tail_s(1000.0, 10.0, []) == pytest.approx(1.5, abs=0.05)
    # No farther than asked for, in whole bins.
    assert 0.5 < stretch.dark_tail_s(1000.0, 1.0, []) <= 1.0


@pytest.mark.parametrize(
    ("here", "before", "ratio"),
    [(0.2, 0.1, (1 - np.exp(-0.2)) / (1 - np.exp(-0.1))), (3.0, 0.5, (1 - np.exp(-3)) / (1 - np.exp(-0.5)))],
)
def test_a_dot_is_brighter_as_more_pulses_excite_it(here: float, before: float, ratio: float) -> None:
    stretch, known = new_stretch(excitation=here), DotFit({})
    stretch.follow(known, before)
    assert stretch.dot._before is not None
    assert stretch.dot._before[0] is known
    assert stretch.dot._before[1] == pytest.approx(ratio)


@pytest.mark.parametrize(("here", "before"), [(None, 0.1), (0.1, None), (0.0, 0.1)])
def test_without_two_fluences_a_dot_is_expected_as_bright_as_before(
    here: float | None, before: float | None
) -> None:
    stretch, known = new_stretch(excitation=here), DotFit({})
    stretch.follow(known, before)
    assert stretch.dot._before == (known, 1.0)


def test_what_is_known_of_the_dot_goes_with_its_fluence() -> None:
    stretch = new_stretch(excitation=0.3)
    assert stretch.known is None
    stretch.dot.fit = DotFit({})
    assert stretch.known == (stretch.dot.fit, 0.3)


def called(*levels_cps: float, kind: Blinking = "auger") -> BlinkingCall:
    states = tuple(EmissiveState(Estimate(cps), UNKNOWN) for cps in levels_cps)
    return replace(undetermined(0.0, 1.0, ""), states=states, blinking=kind)


def bins_of(counts: list[int], background_cps: float) -> tuple[BinnedDecays, FloatArray]:
    """Bins of 5 ms, their photons in two micro-bins."""
    table = np.repeat(np.array(counts)[:, None] / 2, 2, axis=1).astype(np.float32)
    starts = np.asarray(0.005 * np.arange(len(counts)), np.float64)
    return BinnedDecays(table, 0.005, AXIS.bins, background_cps), starts


def test_switch_offs_are_counted_in_bins_of_ten_milliseconds_over_the_background(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stretch = new_stretch()
    stretch.dot.call = called(5000.0, 1000.0)
    # 25 and 5 of the dot, and 15 of the background, in 5 ms; a single dim bin of 5 ms is no dwell.
    period = [40] * 10 + [20] * 10 + [40] * 9 + [20] + [40] * 10
    counts = period * 10
    monkeypatch.setattr(stretch.dot, "binned", lambda since, losses: bins_of(counts, 3000.0))
    rate = stretch.blinking_rate([])
    seconds = len(counts) * 0.005
    assert rate.value == pytest.approx(10 / seconds)
    assert rate.error == pytest.approx(np.sqrt(10) / seconds)


@pytest.mark.parametrize("levels_cps", [(), (5000.0,)])
def test_a_dot_with_one_level_switches_between_none(
    levels_cps: tuple[float, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    stretch = new_stretch()
    stretch.dot.call = called(*levels_cps)
    monkeypatch.setattr(stretch.dot, "binned", lambda since, losses: bins_of([40] * 100, 0.0))
    assert stretch.blinking_rate([]) == UNKNOWN
    monkeypatch.setattr(stretch.dot, "binned", lambda since, losses: None)
    stretch.dot.call = called(5000.0, 1000.0)
    assert stretch.blinking_rate([]) == UNKNOWN


def lossy(stretch: Stretch, auger: FloatArray, trap: FloatArray) -> None:
    """The latest fit found these losses in bins of 5 ms."""
    nothing = Smoothed(Chain(np.ones(1), np.ones(1)), np.zeros((0, 1), np.float32), np.zeros(1), 0.0)
    best = FamilyFit("both", PAPERS_DOT, Expectation(np.zeros(1), np.eye(1)), nothing, 0.0)
    fit = DotFit({"both": best})
    losses = Losses(auger, trap, np.zeros(len(auger)))
    stretch.dot.fit, stretch.dot.bin_s, stretch.dot.call = fit, 0.005, called()
    stretch.dot.reading = Reading(fit, {"both": 1.0}, best, losses, (), {})


def test_a_dot_is_charged_where_it_loses_to_auger_whatever_traps_do_meanwhile() -> None:
    bins = np.arange(4000)
    auger = np.where(bins % 200 >= 150, PAPERS_DOT.trion_loss, 0.0)
    trapped = np.where(bins % 200 < 60, 0.6, 0.0)
    rates = []
    for trap in (np.zeros(len(bins)), trapped):
        stretch = new_stretch(excitation=0.4)
        lossy(stretch, auger, trap)
        rate, count = stretch.charging()
        rates.append(rate)
        assert count is not None
        assert (count.mean_excitation, count.events) == (0.4, 20)
    # Once in 0.75 s of a neutral dot.
    assert rates[0].value == pytest.approx(1 / 0.75, rel=0.05)
    assert rates[1] == rates[0]


def test_a_stretch_without_a_charged_dwell_has_no_rate_and_still_counts() -> None:
    stretch = new_stretch(excitation=0.4)
    lossy(stretch, np.zeros(4000), np.zeros(4000))
    rate, count = stretch.charging()
    assert rate == UNKNOWN
    assert count is not None
    assert count.events == 0
    assert count.neutral_s == pytest.approx(20.0, rel=0.01)


def test_nothing_is_said_of_charging_before_a_fit_and_of_hot_carriers() -> None:
    assert new_stretch().charging() == (UNKNOWN, None)
    stretch = new_stretch(excitation=0.4)
    lossy(stretch, np.where(np.arange(4000) % 200 >= 150, 0.6, 0.0), np.zeros(4000))
    stretch.dot.call = called(kind="hc")
    assert stretch.charging() == (UNKNOWN, None)


def g2_of(single: bool | None, zero: float | None) -> G2:
    return G2(np.zeros(1), np.zeros(1, np.int64), Estimate(zero), None, 0.0, "none", single)


@pytest.mark.parametrize(
    ("single", "zero", "same_pulse"),
    [(True, 0.1, None), (None, 0.4, None), (False, None, None), (False, 0.6, 0.6), (False, 1.2, 1.0)],
)
def test_photons_pile_up_where_several_emitters_make_them(
    single: bool | None,
    zero: float | None,
    same_pulse: float | None,
    light: tuple[Photons, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stretch, told = seen(light), list[PileUp | None]()
    monkeypatch.setattr(LateFit, "renew", lambda self, histogram, pile_up: told.append(pile_up))
    stretch.renew_decay([(0, ACQ.pulses(0.4))], g2_of(single, zero))
    (pile_up,) = told
    if same_pulse is None:
        assert pile_up is None
    else:
        assert pile_up is not None
        assert pile_up.same_pulse == same_pulse
        assert pile_up.pulses == pytest.approx(0.6 * 5e6, rel=1e-3)
        assert pile_up.dead_time_ns == stretch.photons.dead_time_ns


def test_a_decay_is_fitted_where_the_card_records_it() -> None:
    stretch = new_stretch()
    stretch.use_axis(replace(AXIS, window=(10, 2000)), None, 0.0)
    assert stretch.late_fit is not None
    assert stretch.late_fit._window == (10, 2000)


def test_light_without_nanotimes_has_no_decay_to_renew() -> None:
    stretch = new_stretch(UNTIMED)
    stretch.renew_decay([], g2_of(False, 0.6))
    assert stretch.late_fit is None
