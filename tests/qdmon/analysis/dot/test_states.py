"""The states a dot can be in: how long and how brightly each shines, and what it stands for."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from qdmon.analysis.calibration.after_pulses import AfterPulses
from qdmon.analysis.calibration.timing import MicroBins
from qdmon.analysis.dot.states import CHARGED, FAMILIES, KIND, SINGLE, DotModel, time_in
from qdmon.analysis.equations import auger_intensity
from tests.qdmon.analysis.dot.paths import BRIGHT, CONSTANTS, PAPERS_DOT, TRAPS, TRION

FloatArray = NDArray[np.float64]
# Nothing is left of any decay at the end of such a period.
LONG = MicroBins.for_period(2000.0)
FINE = MicroBins.for_period(2000.0, 1000)
CLEAN = replace(PAPERS_DOT, after_pulses=0.0)

dots = st.builds(
    DotModel,
    bright_cps=st.floats(1e3, 1e6),
    bright_ns=st.floats(5.0, 60.0),
    trion_ns=st.floats(0.3, 30.0),
    grey=st.floats(1.2, 3.5),
    beta=st.floats(1.5, 2.7),
    background_cps=st.floats(0.0, 5e3),
    delayed=st.floats(0.0, 0.15),
    spread=st.floats(0.0, 0.3),
    after_pulses=st.floats(0.0, 0.05),
)
shifts = arrays(np.float64, len(KIND), elements=st.floats(-0.3, 0.3))


def light(dot: DotModel) -> FloatArray:
    """(k,) photons per second of every state."""
    return np.asarray(dot.signal(LONG).sum(axis=1))


def mean_arrival_ns(dot: DotModel, state: int) -> float:
    """Over very fine bins."""
    signal = dot.signal(FINE)[state]
    return float(signal @ (FINE.edges_ns[1:] + np.maximum(FINE.edges_ns[:-1], 0.0)) / 2 / signal.sum())


def initial_amplitude(dot: DotModel) -> FloatArray:
    """I/tau of the states that decay: the radiative rate times a constant."""
    return light(dot)[: TRION + 2] / np.maximum(dot.lifetimes_ns[: TRION + 2], 1e-9)


def test_traps_leave_the_initial_amplitude_and_charge_raises_it_by_beta() -> None:
    # The last trap level is dark.
    amplitude = initial_amplitude(CLEAN)
    np.testing.assert_allclose(amplitude[TRAPS[:-1]] / amplitude[BRIGHT], 1.0, rtol=1e-3)
    np.testing.assert_allclose(amplitude[TRION:] / amplitude[BRIGHT], CLEAN.beta, rtol=1e-3)


def test_at_constant_lifetime_only_the_light_falls() -> None:
    np.testing.assert_array_equal(CLEAN.lifetimes_ns[CONSTANTS], CLEAN.bright_ns)
    level = light(CLEAN)[CONSTANTS] / light(CLEAN)[BRIGHT]
    assert np.all(np.diff(level) < 0)
    assert level[0] < 1
    assert level[-1] == 0
    assert mean_arrival_ns(CLEAN, int(CONSTANTS[5])) == pytest.approx(mean_arrival_ns(CLEAN, BRIGHT))


def test_a_bin_half_bright_half_charged_lies_on_equation_1() -> None:
    shares = np.array([0.04, 0.11, 0.2, 0.31, 0.43, 0.55, 0.67, 0.79, 0.91])
    # Every other one is a mixture with the second trion.
    mixtures = np.flatnonzero(KIND == "charged mixture")[::2]
    bright, trion = light(CLEAN)[[BRIGHT, TRION]]
    intensity = light(CLEAN)[mixtures]
    np.testing.assert_allclose(intensity, (1 - shares) * bright + shares * trion)
    tau = np.array([mean_arrival_ns(CLEAN, int(m)) for m in mixtures])
    expected = auger_intensity(tau, bright, CLEAN.bright_ns, trion, CLEAN.trion_ns)
    np.testing.assert_allclose(intensity, expected, rtol=2e-3)


@given(dots, shifts)
def test_what_a_state_loses_and_what_it_emits_make_up_the_bright_rate(
    dot: DotModel, shift: FloatArray
) -> None:
    dot = dot.with_levels(shift)
    lost = dot.losses
    total = lost.auger + lost.trap + lost.constant
    assert np.all((total >= 0) & (total <= 1 + 1e-12))
    emitted = light(dot) / light(dot)[BRIGHT]
    np.testing.assert_allclose(total + emitted, 1.0, atol=1e-3)


def test_each_cause_of_loss_belongs_to_its_own_states() -> None:
    lost = CLEAN.losses
    neutral, constant = np.char.startswith(KIND, "neutral"), np.char.startswith(KIND, "constant")
    assert np.all(lost.auger[~CHARGED] == 0)
    assert np.all(lost.trap[~neutral] == 0)
    assert np.all(lost.constant[~constant] == 0)
    assert lost.auger[BRIGHT] + lost.trap[BRIGHT] + lost.constant[BRIGHT] == 0


@given(dots)
def test_all_the_light_of_a_state_falls_into_the_period(dot: DotModel) -> None:
    assert light(dot)[BRIGHT] == pytest.approx(dot.bright_cps * (1 + dot.after_pulses), rel=1e-3)
    assert np.all(dot.signal(LONG) >= 0)


@given(st.floats(0.01, 0.3))
@settings(max_examples=20)
def test_a_spread_of_lifetimes_keeps_their_mean(spread: float) -> None:
    one, many = CLEAN, replace(CLEAN, spread=spread)
    assert mean_arrival_ns(many, BRIGHT) == pytest.approx(mean_arrival_ns(one, BRIGHT), rel=2e-3)
    late = FINE.edges_ns[:-1] > 5 * CLEAN.bright_ns
    assert many.signal(FINE)[BRIGHT, late].sum() > one.signal(FINE)[BRIGHT, late].sum()


def sum_of_waits(time_ns: FloatArray, tau_ns: float) -> FloatArray:
    """Chance that a decay and a trap of 60 ns, 22 ns of dead time between, are over by then."""
    t = np.maximum(time_ns - 22.0, 0.0)
    return np.asarray(1 - (tau_ns * np.exp(-t / tau_ns) - 60.0 * np.exp(-t / 60.0)) / (tau_ns - 60.0))


@pytest.mark.parametrize("bright_ns", [5.0, 24.7, 59.95])
@pytest.mark.parametrize("period_ns", [50.0, 200.0, 1000.0])
def test_after_pulses_fall_where_a_trap_empties_however_many_pulses_later(
    bright_ns: float, period_ns: float
) -> None:
    bins = MicroBins.for_period(period_ns)
    dot = replace(CLEAN, bright_ns=bright_ns)
    more = replace(dot, after_pulses=0.02).signal(bins)[BRIGHT] - dot.signal(bins)[BRIGHT]
    assert more.sum() == pytest.approx(0.02 * dot.bright_cps)
    pulses = np.arange(-1, 100)[:, None] * period_ns
    expected = np.diff(sum_of_waits(bins.edges_ns + pulses, bright_ns), axis=1).sum(axis=0)
    np.testing.assert_allclose(more, 0.02 * dot.bright_cps * expected, rtol=5e-3, atol=1.0)


@given(dots, shifts)
def test_levels_that_move_stay_in_order_and_below_the_bright_one(dot: DotModel, shift: FloatArray) -> None:
    moved = dot.with_levels(shift)
    for levels in (moved.quenched, moved.constant):
        assert np.all(np.diff(levels) <= 0)
        assert np.all((levels >= 0) & (levels <= 0.97))
    assert light(moved)[BRIGHT] == light(dot)[BRIGHT]
    np.testing.assert_array_equal(light(moved)[TRION : TRION + 2], light(dot)[TRION : TRION + 2])


def test_in_the_dark_a_trap_and_a_constant_lifetime_look_alike() -> None:
    signal = CLEAN.signal(LONG)
    assert signal[TRAPS[-1]].sum() == signal[CONSTANTS[-1]].sum() == 0


@given(st.integers(0, len(TRAPS) - 2), st.floats(-0.04, 0.0))
def test_a_level_moves_by_what_it_is_told(trap: int, change: float) -> None:
    shift = np.where(np.arange(len(KIND)) >= TRAPS[trap], change, 0.0)
    moved = CLEAN.with_levels(shift).lifetimes_ns[TRAPS[trap]] / CLEAN.lifetimes_ns[TRAPS[trap]]
    assert moved == pytest.approx(np.exp(change))


@given(dots)
def test_the_derivative_by_the_level_is_that_of_the_signal(dot: DotModel) -> None:
    step = 1e-4
    bins = MicroBins.for_period(200.0)
    lower = dot.with_levels(np.full(len(KIND), -step)).signal(bins)
    # A charged dot is never as bright as a neutral one; at that wall there is no derivative.
    brightness = dot.beta * dot.lifetimes_ns[CHARGED & SINGLE] / dot.bright_ns
    assume(np.all(np.abs(np.log(brightness / 0.97)) > 0.002))
    numerical = (dot.signal(bins) - lower) / step
    by_level = dot.by_level(bins)
    np.testing.assert_allclose(by_level[SINGLE], numerical[SINGLE], atol=2e-3 * dot.bright_cps)
    assert np.all(by_level[[BRIGHT, TRION, TRION + 1]] == 0)


def test_the_highest_level_can_come_down_again() -> None:
    raised = CLEAN.with_levels(np.full(len(KIND), 0.3))
    assert raised.quenched[0] == 0.97
    by_level = raised.by_level(LONG)[TRAPS[0]]
    assert by_level.sum() == pytest.approx(0.97 * CLEAN.bright_cps, rel=0.01)


def test_every_family_has_the_bright_state_and_none_has_anothers() -> None:
    assert all(states[BRIGHT] for states in FAMILIES.values())
    assert not np.any(FAMILIES["auger"] & FAMILIES["bc"] & (np.arange(len(KIND)) > 0))
    np.testing.assert_array_equal(FAMILIES["both"], FAMILIES["auger"] | FAMILIES["bc"])
    np.testing.assert_array_equal(FAMILIES["all"], FAMILIES["both"] | FAMILIES["hc"])


def test_after_pulses_of_each_detector_come_after_its_own_dead_time() -> None:
    late = replace(CLEAN, after_pulses=0.02)
    both = AfterPulses(np.array([22.0, 77.0]), np.array([60.0, 40.0]), np.array([0.3, 0.7]))
    two = replace(LONG, by_detector_ns=np.array([LONG.edges_ns] * 2), light=np.array([0.5, 0.5]))
    found = late.signal(replace(two, after_pulses=both)) - CLEAN.signal(two)
    alone = [
        late.signal(replace(LONG, after_pulses=AfterPulses(both.dead_ns[[d]], both.trap_ns[[d]], np.ones(1))))
        - CLEAN.signal(LONG)
        for d in (0, 1)
    ]
    np.testing.assert_allclose(found, 0.3 * alone[0] + 0.7 * alone[1], atol=1e-6 * CLEAN.bright_cps)


def test_light_is_what_the_detectors_see_of_it_between_their_own_edges() -> None:
    shifted = FINE.edges_ns + np.array([[0.0], [0.3]])
    two = replace(FINE, by_detector_ns=shifted, light=np.array([0.25, 0.75]))
    alone = [CLEAN.signal(replace(FINE, edges_ns=edges)) for edges in shifted]
    np.testing.assert_allclose(CLEAN.signal(two), 0.25 * alone[0] + 0.75 * alone[1], rtol=1e-9, atol=1e-9)


def test_time_in_mixtures_is_time_in_what_they_are_mixed_of() -> None:
    rng = np.random.default_rng(1)
    spent = rng.random(len(KIND))
    shared = time_in(spent)
    assert shared.sum() == pytest.approx(spent.sum())
    assert np.all(shared >= spent[SINGLE])
    lost = PAPERS_DOT.losses.total
    assert shared @ lost[SINGLE] == pytest.approx(spent @ lost)


def test_what_a_state_loses_goes_to_what_it_is_whatever_it_is_named() -> None:
    named = CHARGED[SINGLE].astype(np.float64)
    for cause in ("auger", "trap", "constant"):
        np.testing.assert_array_equal(
            getattr(PAPERS_DOT.losses_of(named), cause), getattr(PAPERS_DOT.losses, cause)
        )
    half = PAPERS_DOT.losses_of(np.full(len(named), 0.5))
    np.testing.assert_allclose(half.total, PAPERS_DOT.losses.total)
    np.testing.assert_allclose(half.auger, half.total / 2)
    charged = PAPERS_DOT.losses_of(np.ones(len(named)))
    np.testing.assert_allclose(charged.auger, PAPERS_DOT.losses.total)
    assert not charged.trap.any()
    assert not charged.constant.any()
