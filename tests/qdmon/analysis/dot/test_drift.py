"""A drift of the light is told from shallow traps, hot carriers and noise, and taken into account."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from qdmon.analysis.dot.binned import BinnedDecays
from qdmon.analysis.dot.bright import bright_levels
from qdmon.analysis.dot.drift import SAME, STEP, Drift, drift_of, fit_with_drift, reread_with_drift
from qdmon.analysis.dot.fit import DotFit, fit_dot
from qdmon.analysis.dot.parameters import P
from qdmon.analysis.dot.verdict import call_of, read_bins
from tests.qdmon.analysis.dot.paths import BRIGHT, CONSTANTS, PAPERS_DOT, TRAPS, TRION, alternating, drawn

BIN_S, SECONDS = 0.005, 20
BINS = round(SECONDS / BIN_S)
START_S = np.asarray(np.arange(BINS) * BIN_S, np.float64)
CREEP = np.asarray(1 + 0.08 * np.sin(2 * np.pi * START_S / 30), np.float64)


def dimmed(path: NDArray[np.intp], gain: NDArray[np.float64], seed: int = 3) -> BinnedDecays:
    """Bins of the paper's dot, the light of which is collected in part."""
    data = drawn(np.random.default_rng(seed), path, bin_s=BIN_S)
    steady = data.steady_part(PAPERS_DOT)
    expected = steady + gain[:, None] * (data.expected(PAPERS_DOT)[path] - steady)
    counts = np.random.default_rng(seed).poisson(expected).astype(np.float32)
    return replace(data, counts=counts)


def fitted(data: BinnedDecays) -> DotFit:
    fit = fit_dot(data, 5.0)
    assert fit is not None
    return fit


def auger(seed: int = 1) -> NDArray[np.intp]:
    return alternating(np.random.default_rng(seed), BINS, [TRION])


@pytest.mark.parametrize("part", [CREEP, 0.6 * CREEP])
def test_a_level_is_as_bright_as_where_all_of_its_light_is_collected(part: NDArray[np.float64]) -> None:
    data = replace(dimmed(auger(), part), gain=part)
    usual = bright_levels(data)[0]
    assert usual[0] == pytest.approx(PAPERS_DOT.bright_cps, rel=0.03)
    assert usual[1] == pytest.approx(PAPERS_DOT.bright_ns, rel=0.01)


def test_light_that_is_collected_in_part_is_seen_to_be() -> None:
    found = fit_with_drift(dimmed(auger(), CREEP), START_S, fitted, None)
    assert found is not None
    assert found.drift is not None
    gain = found.drift.gain(START_S)
    assert gain is not None
    assert np.median(gain) == pytest.approx(1.0, abs=0.005)
    np.testing.assert_allclose(gain, CREEP / np.median(CREEP), atol=0.025)
    assert found.drift.span == pytest.approx(CREEP.max() / CREEP.min() - 1, abs=0.03)


def test_with_its_drift_a_charged_dot_has_no_traps_and_its_own_levels() -> None:
    """5 % lost to charging, 8 % up and down by the stage."""
    path = alternating(np.random.default_rng(1), BINS, [TRION], on_bins=120.0, off_bins=10.0)
    data = dimmed(path, CREEP)
    found = fit_with_drift(data, START_S, fitted, None)
    assert found is not None
    reading, without = read_bins(data, found.fit), read_bins(data, fitted(data))
    share, before = reading.shares[reading.best.family], without.shares[without.best.family]
    assert share.auger.value == pytest.approx(1.0, abs=0.02)
    assert share.loss.value == pytest.approx(float(PAPERS_DOT.losses.total[path].mean()), abs=0.003)
    assert (before.auger.value or 0.0) < 0.95
    bright = reading.best.dot
    assert bright.bright_cps == pytest.approx(PAPERS_DOT.bright_cps * np.median(CREEP), rel=0.01)
    assert bright.bright_ns == pytest.approx(PAPERS_DOT.bright_ns, rel=0.005)


def noisy_laser(rms: float, correlation_s: float, seed: int = 8) -> NDArray[np.float64]:
    """Light of a laser that wanders about its mean, bin by bin."""
    rng, kept = np.random.default_rng(seed), np.exp(-BIN_S / correlation_s)
    steps = rng.normal(0.0, np.sqrt(1 - kept**2), BINS)
    walk = np.empty(BINS)
    walk[0] = rng.normal()
    for i in range(1, BINS):
        walk[i] = kept * walk[i - 1] + steps[i]
    return np.asarray(1 + rms * walk)


def test_light_that_wanders_within_seconds_is_neither_traps_nor_hot_carriers() -> None:
    path = alternating(np.random.default_rng(1), BINS, [TRION], on_bins=80.0, off_bins=10.0)
    light = noisy_laser(0.07, 2.0)
    data = dimmed(path, light)
    found = fit_with_drift(data, START_S, fitted, None)
    assert found is not None
    assert found.drift is not None
    gain = found.drift.gain(START_S)
    assert gain is not None
    assert np.std(gain / light) < 0.3 * np.std(light)
    assert found.data.gain_error == pytest.approx(float(np.std(np.log(gain / light))), rel=0.4)
    call = call_of(found.data, read_bins(found.data, found.fit), (0.0, SECONDS), None)
    assert (call.blinking, call.reason) == ("auger", None)
    assert call.loss.value == pytest.approx(float(PAPERS_DOT.losses.total[path].mean()), abs=0.01)


def test_a_known_drift_goes_on_in_the_light_that_follows() -> None:
    """The dot stays what it was, at the same level; a drift that nobody knew of is left to the next fit."""
    data, half = dimmed(auger(), CREEP), BINS // 2
    first = fit_with_drift(data.first(half), START_S[:half], fitted, None)
    assert first is not None
    assert first.drift is not None
    seen = replace(data, gain=first.drift.gain(START_S))
    after = reread_with_drift(seen, START_S, first.fit, first.drift)
    assert after.drift is not None
    gain = after.drift.gain(START_S)
    assert gain is not None
    np.testing.assert_allclose(gain, CREEP / CREEP[:half].mean(), atol=0.035)
    unknown = reread_with_drift(data, START_S, first.fit, None)
    assert unknown.drift is None
    assert unknown.data is data


@pytest.mark.parametrize("dim", [[TRION], TRAPS[2:7].tolist(), [TRION, *TRAPS[3:9].tolist()]])
def test_steady_light_does_not_drift(dim: list[int]) -> None:
    path = alternating(np.random.default_rng(2), BINS, dim)
    data = dimmed(path, np.ones(BINS))
    found = drift_of(data, START_S, fitted(data).likeliest)
    assert found is not None
    assert found.span == 0
    assert found.gain(START_S) is None


def test_light_of_bright_bins_that_scatters_by_chance_is_steady_and_nothing_more_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = dimmed(auger(), np.ones(BINS))
    best = fitted(data).likeliest
    monkeypatch.setattr("qdmon.analysis.dot.drift.level_of", None)
    found = drift_of(data, START_S, best)
    assert found is not None
    assert (found.span, found.error, found.wander, found.ramp_s) == (0.0, 0.0, 0.0, 0.0)
    with pytest.raises(TypeError):
        drift_of(dimmed(auger(), CREEP), START_S, best)


def test_shallow_traps_that_come_for_seconds_are_no_drift() -> None:
    path = np.where(START_S // 4 % 2 == 0, BRIGHT, int(TRAPS[1]))
    data = dimmed(path, np.ones(BINS))
    found = drift_of(data, START_S, fitted(data).likeliest)
    assert found is not None
    assert found.span < 0.02


def test_a_lifetime_that_wanders_is_no_drift() -> None:
    """Three per cent up and down, as bright as ever."""
    path, rng = auger(), np.random.default_rng(3)
    data = drawn(rng, path, bin_s=BIN_S)
    counts = np.concatenate(
        [
            rng.poisson(data.expected(replace(PAPERS_DOT, bright_ns=lifetime_ns))[part])
            for lifetime_ns, part in zip(
                PAPERS_DOT.bright_ns * (1 + 0.03 * np.sin(np.arange(40) / 6)),
                np.split(path, 40),
                strict=True,
            )
        ]
    )
    wandering = replace(data, counts=counts.astype(np.float32))
    drift = drift_of(wandering, START_S, fitted(wandering).likeliest)
    assert drift is not None
    assert drift.span == 0


def test_hot_carriers_explain_themselves_better_than_a_drift_does() -> None:
    path = alternating(np.random.default_rng(4), BINS, CONSTANTS[:1].tolist(), on_bins=300.0, off_bins=200.0)
    data = dimmed(path, np.ones(BINS))
    drift = drift_of(data, START_S, fitted(data).likeliest)
    assert drift is not None
    assert drift.span > 0
    found = fit_with_drift(data, START_S, fitted, None)
    assert found is not None
    assert found.data is data


def test_a_drift_that_was_none_is_given_up() -> None:
    data = dimmed(auger(), np.ones(BINS))
    wrong = Drift(np.array([1.0, 10.0, 19.0]), np.array([-0.05, 0.0, 0.05]), 8.0, 3.0)
    found = fit_with_drift(replace(data, gain=wrong.gain(START_S)), START_S, fitted, wrong)
    assert found is not None
    assert found.drift is not None
    assert found.drift.span == 0
    assert found.data.gain is None


def test_where_nothing_is_bright_nothing_is_known_of_a_drift() -> None:
    data = dimmed(auger(), CREEP)
    best = fitted(data).likeliest
    dark = replace(data, counts=np.zeros_like(data.counts))
    assert drift_of(dark, START_S, best) is None


def test_a_drift_goes_in_steps_and_on_as_it_was_last() -> None:
    drift = Drift(np.array([1.0, 3.0, 5.0]), np.array([-0.05, 0.0, 0.05]), 8.0, 3.0)
    gain = drift.gain(np.array([0.0, 1.0, 2.0, 5.0, 90.0]))
    assert gain is not None
    np.testing.assert_allclose(np.log(gain), [-0.05, -0.05, -0.025, 0.05, 0.05], atol=STEP / 2 + 1e-9)


def test_what_wanders_is_told_from_what_creeps_by_the_second_before() -> None:
    time_s = np.asarray(np.arange(100) * 0.2, np.float64)
    creeping = Drift(time_s, np.linspace(-0.1, 0.1, 100), 8.0, 3.0)
    wandering = Drift(time_s, 0.1 * np.sin(2 * np.pi * time_s / 3), 8.0, 3.0)
    assert creeping.wander == pytest.approx(0.0072, abs=2e-4)
    assert wandering.wander == pytest.approx(0.087, abs=0.005)
    assert Drift(time_s[:1], np.zeros(1), 8.0, 1.0).wander == 0


@pytest.mark.parametrize(("ramp_s", "moved"), [(0.0, 0.0), (0.6, -0.9), (1.0, 0.9), (0.6, 0.2), (4.0, 0.9)])
def test_a_laser_on_its_way_is_told_by_the_beginning_of_a_stretch(ramp_s: float, moved: float) -> None:
    """A move too small, or too slow, is a drift like others."""
    time_s = np.asarray((np.arange(50) + 0.5) * 0.2, np.float64)
    course = moved * np.clip(1 - time_s / max(ramp_s, 0.1), 0, None)
    found = Drift(time_s, course, 8.0, 3.0).ramp_s
    if 0 < ramp_s < 2 and abs(moved) > 0.5:
        assert found == pytest.approx(ramp_s, abs=0.25)
    elif ramp_s < 2:
        assert found == 0
    assert found <= 1.6


def test_a_dot_is_as_bright_as_most_of_the_time_whatever_the_drift_was_known_by() -> None:
    data = dimmed(auger(), CREEP)
    first = fit_with_drift(data, START_S, fitted, None)
    assert first is not None
    assert first.drift is not None
    known = replace(first.drift, log_gain=first.drift.log_gain + 0.4, reference=first.drift.reference - 0.4)
    again = fit_with_drift(known.on(data, START_S), START_S, fitted, known)
    assert again is not None
    for found in (first, again):
        assert found.fit.both.dot.bright_cps == pytest.approx(76e3 * np.median(CREEP), rel=0.02)
        mean = float(found.fit.both.expected.mean[P.BRIGHT_CPS])
        assert mean == pytest.approx(np.log(found.fit.both.dot.bright_cps), abs=0.02)


def test_a_drift_is_another_one_if_its_course_is() -> None:
    time_s = np.array([1.0, 3.0, 5.0])
    creeping = Drift(time_s, np.array([-0.05, 0.0, 0.05]), 8.0, 3.0)
    lower = Drift(time_s, creeping.log_gain - 0.1, 8.1, 3.0)
    assert creeping.differs_from(None)
    assert not creeping.differs_from(lower)
    nearly = Drift(time_s, creeping.log_gain + 0.5 * SAME * np.array([1.0, -1.0, 0.0]), 8.0, 3.0)
    assert not creeping.differs_from(nearly)
    assert not Drift(time_s, np.zeros(3), 8.0, 3.0).differs_from(None)
