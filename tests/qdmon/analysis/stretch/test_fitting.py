"""When the dot of a stretch is fitted, to which bins, and what is said while it is not known."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from qdmon.analysis.calibration.timing import TimeAxis
from qdmon.analysis.calibration.trust import DECAY_TAIL, Settled
from qdmon.analysis.dot.binned import BinnedDecays
from qdmon.analysis.dot.drift import Drift, Levelled
from qdmon.analysis.dot.family import FamilyFit
from qdmon.analysis.dot.fit import DotFit
from qdmon.analysis.dot.verdict import Reading, undetermined
from qdmon.analysis.results.blinking import BlinkingCall, EmissiveState
from qdmon.analysis.results.estimate import UNKNOWN, Estimate
from qdmon.analysis.stretch import fitting
from qdmon.analysis.stretch.fitting import FIT_GROWTH, SEARCH_GROWTH, StretchFit
from qdmon.analysis.stretch.own_background import OwnBackground
from qdmon.analysis.stretch.photons import BASE_BIN_S, StretchPhotons
from tests.qdmon.analysis import builders as b

ACQ = b.acquisition()
AXIS = TimeAxis.build(ACQ, {0: 4000.0, 1: 4640.0})
WIDTH = ACQ.pulses(BASE_BIN_S)
WINDOW_S = 2.0
FloatArray = NDArray[np.float64]


class SteadyLight(StretchPhotons):
    """As much light in every millisecond, whenever somebody looks, until it is out for good."""

    out_s = np.inf

    def binned(
        self, from_pulse: int, to_pulse: int | None, left_out: list[tuple[int, int]]
    ) -> tuple[BinnedDecays, FloatArray] | None:
        stop = self.stop_pulse if to_pulse is None else to_pulse
        starts = np.arange(from_pulse, stop - WIDTH + 1, WIDTH)
        for first, behind in left_out:
            starts = starts[(starts >= behind) | (starts + WIDTH <= first)]
        if len(starts) < 10:
            return None
        seconds = np.asarray(starts * ACQ.seconds(1), np.float64)
        counts = np.where(seconds < self.out_s, 5.0, 0.0)[:, None] * np.ones(AXIS.bins.count)
        return BinnedDecays(counts.astype(np.float32), BASE_BIN_S, AXIS.bins, 0.0), seconds


class Background(OwnBackground):
    """Counts how often it is estimated and shared out."""

    def __init__(self) -> None:
        super().__init__()
        self.settles = self.shares = 0
        self.doubt: str | None = None

    def settle(self, data: BinnedDecays) -> float | None:
        self.settles += 1
        self.cps = 300.0
        self.settled = Settled(Estimate(300.0), DECAY_TAIL, 0.0, UNKNOWN, doubt=self.doubt)
        return None

    def share_out(self, found: FamilyFit) -> None:
        self.shares += 1


@dataclass(frozen=True)
class Asked:
    """A fit: which kind, of how many bins, what was known beforehand, and over which background."""

    kind: str
    bins: int
    known: object
    over_cps: float = field(default=0.0, compare=False)


class Stage:
    """A stretch of steady light whose fits are only noted down."""

    def __init__(self, patch: pytest.MonkeyPatch, first_s: float = 0.0) -> None:
        self.photons = SteadyLight(ACQ, ACQ.pulses(first_s), 120.0)
        self.background = Background()
        self.dot = StretchFit(self.photons, self.background, WINDOW_S)
        self.asked: list[Asked] = []
        self.stands_out = True
        # Course of the light, as any fit anew finds it in what begins at the first second.
        self.drift: Drift | None = None
        # Time in which a lamp is on.
        self.lamp_s = (np.inf, np.inf)
        for name in ("fit_dot", "go_on", "reread", "adapted", "read_bins", "call_of", "foreign_bins"):
            patch.setattr(fitting, name, getattr(self, name))
        patch.setattr(fitting, "expected_bright", lambda known: known)
        patch.setattr(fitting, "fit_with_drift", self.fit_with_drift)
        patch.setattr(fitting, "reread_with_drift", self.reread_with_drift)

    def fit_dot(
        self, data: BinnedDecays, sd_cps: float | None, expected: object, biexciton_yield: float
    ) -> DotFit | None:
        self.asked.append(Asked("anew", len(data.counts), expected, data.background_cps))
        return DotFit({}) if self.stands_out else None

    def go_on(
        self, data: BinnedDecays, known: DotFit, sd_cps: float | None, biexciton_yield: float
    ) -> DotFit:
        self.asked.append(Asked("on", len(data.counts), known, data.background_cps))
        return DotFit({})

    def reread(self, data: BinnedDecays, fit: DotFit) -> DotFit:
        self.asked.append(Asked("again", len(data.counts), fit))
        return DotFit({})

    def fit_with_drift(
        self,
        data: BinnedDecays,
        start_s: FloatArray,
        fitted: Callable[[BinnedDecays], DotFit | None],
        known: Drift | None,
    ) -> Levelled | None:
        fit = fitted(data)
        drift = self.drift if start_s[0] < 0.1 else None
        return Levelled(data, fit, drift or known) if fit is not None else None

    def reread_with_drift(
        self, data: BinnedDecays, start_s: FloatArray, known: DotFit, drift: Drift | None
    ) -> Levelled:
        return Levelled(data, self.reread(data, known), drift)

    def adapted(self, data: BinnedDecays, fit: DotFit, light_ratio: float) -> DotFit:
        self.asked.append(Asked("elsewhere", len(data.counts), (fit, light_ratio)))
        return DotFit({})

    def read_bins(self, _data: BinnedDecays, fit: DotFit) -> Reading:
        nothing = np.zeros(0)
        return Reading(fit, {}, None, nothing, (), {})  # type: ignore[arg-type]

    def call_of(
        self,
        data: BinnedDecays,
        reading: Reading,
        span_s: tuple[float, float],
        doubt: str | None,
        belief: float,
    ) -> BlinkingCall:
        some = EmissiveState(UNKNOWN, UNKNOWN)
        return replace(undetermined(*span_s, doubt or f"believed to {belief:g}"), states=(some,))

    def foreign_bins(self, data: BinnedDecays) -> NDArray[np.bool_]:
        at_s = ACQ.seconds(self.dot.since_pulse) + np.arange(len(data.counts)) * data.bin_s
        return (at_s > self.lamp_s[0] - 1e-6) & (at_s < self.lamp_s[1] - 1e-6)

    def at(self, seconds: float) -> "Stage":
        self.photons.stop_pulse = ACQ.pulses(seconds)
        return self

    def kinds(self) -> list[str]:
        return [asked.kind for asked in self.asked]


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    return Stage(monkeypatch)


@settings(max_examples=20, deadline=None)
@given(step_s=st.floats(0.1, 2.0))
def test_fits_become_rarer_as_a_stretch_grows_and_searches_rarer_still(step_s: float) -> None:
    with pytest.MonkeyPatch.context() as patch:
        stage = Stage(patch)
        fits_s: list[float] = []
        for time_s in np.arange(1, 60 / step_s) * step_s:
            if stage.at(float(time_s)).dot.refit_if_due([], None):
                fits_s.append(float(time_s))
    assert len(fits_s) == len(stage.asked)
    assert 1.0 - 1e-6 <= fits_s[0] < 1.0 + step_s
    for before_s, after_s in pairwise(fits_s):
        due_s = max(FIT_GROWTH * before_s, before_s + 0.5)
        assert due_s - 1e-6 <= after_s < due_s + step_s + 1e-6
    searches_s = [time_s for time_s, kind in zip(fits_s, stage.kinds(), strict=True) if kind == "anew"]
    assert searches_s[0] == fits_s[0]
    for before_s, after_s in pairwise(searches_s):
        skipped = max(t for t in fits_s if t < after_s)
        assert after_s >= SEARCH_GROWTH * before_s - 1e-6
        # It is the first fit from then on.
        assert skipped < SEARCH_GROWTH * before_s + 1e-6


@pytest.mark.parametrize(("ramp_s", "since_s"), [(0.6, 0.6), (0.0, 0.0)])
def test_while_the_laser_was_on_its_way_the_light_is_not_the_dots(
    stage: Stage, ramp_s: float, since_s: float
) -> None:
    time_s = np.asarray((np.arange(6) + 0.5) * 0.2, np.float64)
    stage.drift = Drift(time_s, np.where(time_s < ramp_s, -0.8, 0.0), 8.0, 3.0)
    assert stage.at(1.2).dot.refit_if_due([], None)
    assert ACQ.seconds(stage.dot.since_pulse) == pytest.approx(since_s, abs=0.01)
    assert stage.dot.call.start_s == pytest.approx(since_s, abs=0.01)
    assert len(stage.asked) == (2 if ramp_s else 1)
    assert stage.kinds() == ["anew"] * len(stage.asked)


def test_the_background_is_estimated_with_the_dot_and_stays_while_the_dot_does(stage: Stage) -> None:
    stage.at(1.0).dot.refit([], None)
    stage.at(1.5).dot.refit([], None, search=False)
    assert stage.kinds() == ["anew", "again"]
    assert (stage.background.settles, stage.background.shares) == (1, 1)
    assert stage.asked[0].over_cps == stage.background.cps


def test_a_last_fit_goes_on_from_a_search_of_enough_light_that_has_not_grown_much_since(stage: Stage) -> None:
    assert stage.at(3.0).dot.refit_if_due([], None)
    known = stage.dot.fit
    stage.at(14.9).dot.refit([], None)
    assert stage.asked[-1] == Asked("on", 14900, known)
    assert (stage.background.settles, stage.background.shares) == (2, 2)
    stage.at(15.1).dot.refit([], None)
    assert stage.kinds() == ["anew", "on", "anew"]


def test_a_last_fit_searches_where_the_last_search_had_little_light_or_was_of_another_dot(
    stage: Stage,
) -> None:
    assert stage.at(2.0).dot.refit_if_due([], None)
    stage.at(3.0).dot.refit([], None)
    stage.at(10.0).dot.restart_at(ACQ.pulses(9.0), [], None)
    stage.at(10.5).dot.refit([], None)
    assert stage.kinds() == ["anew"] * 4


def test_the_light_since_a_time_is_read_by_the_dot_that_is_known(stage: Stage) -> None:
    assert stage.at(0.1).dot.since(0.0, []) is None
    assert stage.at(6.0).dot.refit_if_due([], None)
    call = stage.dot.since(2.0, [])
    assert call is not None
    assert (call.start_s, call.stop_s) == pytest.approx((2.0, 6.0), abs=0.01)
    assert stage.kinds()[-1] == "again"


def test_a_dot_that_is_not_known_yet_is_looked_for_whether_it_was_asked_for_or_not(stage: Stage) -> None:
    stage.at(1.0).dot.refit([], None, search=False)
    assert stage.kinds() == ["anew"]


def test_too_few_bins_are_no_verdict_and_do_not_undo_one(stage: Stage) -> None:
    stage.at(0.005).dot.refit([], None)
    assert stage.dot.call.reason == "too few photons yet"
    stage.dot.refit([], "two emitters")
    assert stage.dot.call.reason == "two emitters"
    stage.at(1.0).dot.refit([], None)
    known = stage.dot.call
    stage.dot.refit([(0, ACQ.pulses(1.0))], None)
    assert stage.dot.call is known
    assert len(stage.asked) == 1


def test_without_a_bright_level_nothing_is_called(stage: Stage) -> None:
    stage.stands_out = False
    stage.at(1.0).dot.refit([], None)
    assert stage.dot.call.reason == "no emitting level stands out"
    assert stage.dot.fit is None
    assert stage.background.shares == 0


def test_doubt_about_the_background_is_told_unless_there_is_another(stage: Stage) -> None:
    stage.background.doubt = "the background is not known"
    stage.at(1.0).dot.refit([], None)
    assert stage.dot.call.reason == "the background is not known"
    stage.dot.refit([], "two emitters")
    assert stage.dot.call.reason == "two emitters"


def test_a_verdict_rests_on_the_belief_in_one_emitter(stage: Stage) -> None:
    stage.dot.belief = 0.7
    stage.at(1.0).dot.refit([], None)
    window = stage.dot.look([], None, stage.photons.stop_pulse)
    assert window is not None
    assert stage.dot.call.reason == window.reason == "believed to 0.7"


def test_bins_after_the_light_went_out_for_good_say_nothing(stage: Stage) -> None:
    stage.photons.out_s = 3.0
    stage.at(6.0).dot.refit([], None)
    assert stage.asked[0].bins == 3000
    assert (stage.dot.call.start_s, stage.dot.call.stop_s) == pytest.approx((0.0, 3.0))


def test_a_bleached_dot_is_fitted_once_more_to_what_came_before(stage: Stage) -> None:
    stage.at(10.0).dot.refit_if_due([], None)
    stage.dot.freeze_before(ACQ.pulses(4.0))
    assert stage.at(10.1).dot.refit_if_due([], None)
    assert stage.asked[-1].bins == 4000
    assert stage.dot.call.stop_s == pytest.approx(4.0)


def test_after_a_conversion_the_verdict_rests_on_what_follows_and_the_search_begins_where_the_dot_was(
    stage: Stage,
) -> None:
    stage.at(5.0).dot.refit([], None)
    before = stage.dot.fit
    stage.dot.restart_at(ACQ.pulses(4.0), [], None)
    assert stage.dot.since_pulse == ACQ.pulses(4.0)
    assert stage.asked[-1] == Asked("anew", 1000, (before, 1.0))
    assert stage.dot.call.start_s == pytest.approx(4.0)
    # Its own second makes the next fit due half a second later.
    assert not stage.at(5.4).dot.refit_if_due([], None)
    assert stage.at(5.6).dot.refit_if_due([], None)


def test_right_after_a_conversion_the_next_fit_waits_for_half_a_second_of_light(stage: Stage) -> None:
    stage.at(5.0).dot.restart_at(ACQ.pulses(4.9), [], None)
    assert not stage.at(5.4).dot.refit_if_due([], None)
    assert stage.at(5.6).dot.refit_if_due([], None)


def test_until_there_is_light_enough_a_converted_dot_is_taken_to_be_as_bright_as_before(stage: Stage) -> None:
    stage.at(5.0).dot.refit([], None)
    before = stage.dot.fit
    stage.dot.restart_at(ACQ.pulses(4.995), [], None)
    assert stage.dot.fit is None
    stage.at(5.3).dot.look([], None, ACQ.pulses(5.3))
    assert stage.asked[-1] == Asked("elsewhere", 305, (before, 1.0))


def test_a_conversion_before_the_stretch_leaves_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(monkeypatch, first_s=10.0).at(12.0)
    stage.dot.restart_at(ACQ.pulses(9.0), [], None)
    assert stage.dot.since_pulse == stage.photons.first_pulse
    assert stage.asked[-1].bins == 2000


def test_a_window_is_read_with_the_dot_of_the_stretch_and_ends_where_it_was_asked_for(stage: Stage) -> None:
    assert stage.at(1.0).dot.look([], None, ACQ.pulses(1.0)) is None
    stage.dot.refit([], None)
    known = stage.dot.fit
    call = stage.at(6.0).dot.look([], None, ACQ.pulses(5.5))
    assert call is not None
    assert (call.start_s, call.stop_s) == pytest.approx((5.5 - WINDOW_S, 5.5))
    assert stage.asked[-1] == Asked("again", 2000, known)
    # Looking changes nothing.
    assert stage.dot.fit is known


def test_a_window_does_not_reach_back_before_a_conversion(stage: Stage) -> None:
    stage.at(5.0).dot.restart_at(ACQ.pulses(4.5), [], None)
    call = stage.dot.look([], None, ACQ.pulses(5.0))
    assert call is not None
    assert call.start_s == pytest.approx(4.5)


def test_a_dot_known_from_another_fluence_serves_from_a_fifth_of_a_second_on(stage: Stage) -> None:
    known = DotFit({})
    stage.dot.follow(known, 1.7)
    assert stage.at(0.19).dot.look([], None, ACQ.pulses(0.19)) is None
    assert stage.at(0.2).dot.look([], None, ACQ.pulses(0.2)) is not None
    assert stage.asked == [Asked("elsewhere", 200, (known, 1.7))]
    # Its own light says more.
    stage.at(1.0).dot.refit([], None)
    assert stage.asked[-1] == Asked("anew", 1000, (known, 1.7))
    stage.dot.look([], None, ACQ.pulses(1.0))
    assert stage.asked[-1].kind == "again"


def test_light_that_is_not_the_dots_is_left_out_of_all_that_follows(stage: Stage) -> None:
    stage.lamp_s = (0.3, 0.5)
    stage.at(1.0).dot.refit([], None)
    assert stage.dot.foreign == [(ACQ.pulses(0.3), ACQ.pulses(0.5))]
    assert stage.asked[-1].bins == 800
    binned = stage.dot.binned(0, [])
    assert binned is not None
    assert not np.any((binned[1] > 0.2995) & (binned[1] < 0.4995))


def test_foreign_light_is_told_anew_since_the_last_conversion_and_kept_from_before(stage: Stage) -> None:
    stage.lamp_s = (0.3, 0.5)
    stage.at(1.0).dot.refit([], None)
    stage.at(1.2).dot.refit([], None)
    before = (ACQ.pulses(0.3), ACQ.pulses(0.5))
    assert stage.dot.foreign == [before]
    stage.lamp_s = (2.0, 2.1)
    stage.at(3.0).dot.restart_at(ACQ.pulses(1.0), [], None)
    assert stage.dot.foreign == [before, (ACQ.pulses(2.0), ACQ.pulses(2.1))]
    # More light shows that it was none.
    stage.lamp_s = (np.inf, np.inf)
    stage.dot.refit([], None)
    assert stage.dot.foreign == [before]


def test_whether_there_was_foreign_light_is_known_before_the_next_fit(stage: Stage) -> None:
    stage.lamp_s = (0.3, 0.5)
    stage.at(0.6)
    assert stage.dot.lit_since(ACQ.pulses(0.4), [])
    assert not stage.dot.lit_since(ACQ.pulses(0.5), [])
    assert stage.asked == []


def test_bins_are_given_with_the_background_under_them(stage: Stage) -> None:
    stage.background.cps, stage.background.delayed = 250.0, 0.03
    binned = stage.at(1.0).dot.binned(0, [])
    assert binned is not None
    assert (binned[0].background_cps, binned[0].bins.delayed) == (250.0, 0.03)
