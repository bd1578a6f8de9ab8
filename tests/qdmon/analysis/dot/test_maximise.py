"""A dot moves to the photons of its states: it arrives, and knows how exactly."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from qdmon.analysis.dot.binned import BinnedDecays
from qdmon.analysis.dot.maximise import (
    BETA_RANGE,
    GREY_RANGE,
    MOST_DELAYED,
    TRION_RANGE,
    Prior,
    Taken,
    improved,
)
from qdmon.analysis.dot.parameters import LOGARITHMIC, PARAMETERS, P
from qdmon.analysis.dot.states import FAMILIES, DotModel
from tests.qdmon.analysis.dot.paths import BRIGHT, PAPERS_DOT, TRAPS, TRION, alternating, drawn, path_of

FloatArray = NDArray[np.float64]
BOTH = FAMILIES["both"]
OF_STATES = [P.BRIGHT_CPS, P.BRIGHT_NS, P.TRION_NS, P.GREY, P.BETA]


def vector(dot: DotModel) -> FloatArray:
    values = np.array([getattr(dot, name) for name in PARAMETERS])
    values[LOGARITHMIC] = np.log(values[LOGARITHMIC])
    return values


def moved(dot: DotModel, parameter: P, step: float) -> DotModel:
    name = PARAMETERS[parameter]
    value = getattr(dot, name)
    return replace(dot, **{name: value * np.exp(step) if parameter < LOGARITHMIC.stop else value + step})


def prior(dot: DotModel = PAPERS_DOT, **sd: float) -> Prior:
    """As good as nothing is known of what is named; the rest is known."""
    return Prior(vector(dot), np.array([sd.get(name, 1e-5) for name in PARAMETERS]))


OPEN = prior(bright_cps=9.0, bright_ns=9.0, trion_ns=9.0, grey=9.0, beta=9.0)


def certain(path: NDArray[np.intp]) -> NDArray[np.float32]:
    """Posterior of somebody who saw the states."""
    every = np.eye(len(BOTH), dtype=np.float32)[path]
    return every[:, BOTH]


def settled(
    data: BinnedDecays, dot: DotModel, path: NDArray[np.intp], known: Prior, steps: int = 30
) -> tuple[DotModel, FloatArray]:
    for _ in range(steps):
        step = improved(data, dot, Taken.by(certain(path)), BOTH, known)
        dot = step.dot
    return dot, step.summed_up().covariance


def expected_log_likelihood(data: BinnedDecays, dot: DotModel, path: NDArray[np.intp]) -> float:
    """Of the complete data, by definition: every bin under its own state."""
    mu = data.expected(dot)[path, 1:]
    return float((data.fitted * np.log(mu) - mu).sum(dtype=np.float64))


PERTURBED = replace(PAPERS_DOT, bright_cps=60e3, bright_ns=29.0, trion_ns=6.5, grey=1.9, beta=2.1)


@pytest.mark.parametrize("seed", range(3))
def test_a_dot_known_wrongly_comes_right_within_its_stated_errors(seed: int) -> None:
    rng = np.random.default_rng(seed)
    path = alternating(rng, 2000, [TRION, TRION + 1, int(TRAPS[7])])
    found, covariance = settled(drawn(rng, path), PERTURBED, path, OPEN)
    off = ((vector(found) - vector(PAPERS_DOT)) / np.sqrt(np.diag(covariance)))[OF_STATES]
    assert np.all(np.abs(off) < 3.5)
    assert np.sqrt(covariance[P.BRIGHT_CPS, P.BRIGHT_CPS]) < 0.01
    assert found.quenched[7] == pytest.approx(PAPERS_DOT.quenched[7], rel=0.05)


def test_errors_cover_the_truth_as_often_as_they_should() -> None:
    off = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        path = alternating(rng, 400, [TRION, TRION + 1])
        found, covariance = settled(drawn(rng, path), PAPERS_DOT, path, OPEN, steps=5)
        off.append(((vector(found) - vector(PAPERS_DOT)) / np.sqrt(np.diag(covariance)))[OF_STATES])
    # 100 numbers of unit variance: their mean square errs by 0.14.
    assert 0.6 < np.square(off).mean() < 1.4


def test_an_end_is_a_summit_as_sharp_as_the_covariance_says() -> None:
    rng = np.random.default_rng(1)
    # No trapped states, so no free levels beside the parameters.
    path = alternating(rng, 2000, [TRION, TRION + 1])
    data = drawn(rng, path)
    found, covariance = settled(data, PERTURBED, path, OPEN)
    information = np.linalg.inv(covariance)
    top = expected_log_likelihood(data, found, path)
    for parameter in OF_STATES:
        step = 0.3 / np.sqrt(information[parameter, parameter])
        up, down = (
            expected_log_likelihood(data, moved(found, parameter, s), path) - top for s in (step, -step)
        )
        slope, curvature = (up - down) / (2 * step), -(up + down) / step**2
        # In units of what one standard deviation changes.
        assert abs(slope) / np.sqrt(information[parameter, parameter]) < 0.02
        assert curvature == pytest.approx(information[parameter, parameter], rel=0.03)


def test_every_step_climbs() -> None:
    rng = np.random.default_rng(2)
    path = alternating(rng, 1000, [TRION, int(TRAPS[4]), int(TRAPS[10])])
    data, dot = drawn(rng, path), PERTURBED
    heights = [expected_log_likelihood(data, dot, path)]
    for _ in range(8):
        dot = improved(data, dot, Taken.by(certain(path)), BOTH, OPEN).dot
        heights.append(expected_log_likelihood(data, dot, path))
    assert np.all(np.diff(heights) > -0.5)
    assert heights[-1] > heights[0] + 1000


def test_a_parameter_at_its_wall_does_not_hold_the_others_back() -> None:
    rng = np.random.default_rng(5)
    path = alternating(rng, 2000, [TRION])
    sharp = replace(PAPERS_DOT, background_cps=250.0)
    data = drawn(rng, path, sharp)
    known = prior(sharp, bright_cps=9.0, background_cps=1e4, delayed=0.1, spread=0.1, after_pulses=0.1)
    # Too much background: for a while spread and after-pulses would rather be negative.
    found, _ = settled(data, replace(sharp, background_cps=1200.0), path, known, steps=6)
    assert found.background_cps == pytest.approx(250.0, abs=60.0)
    assert min(found.spread, found.delayed, found.after_pulses) >= 0.0


def test_what_is_mostly_nothing_leaves_the_others_little_doubt_where_it_is_none() -> None:
    def lifetime_sd(dot: DotModel, **sd: float) -> float:
        path = path_of((BRIGHT, 1000))
        known = prior(dot, bright_cps=9.0, bright_ns=9.0, **sd)
        _, covariance = settled(drawn(np.random.default_rng(4), path, dot), dot, path, known, steps=6)
        return float(np.sqrt(covariance[P.BRIGHT_NS, P.BRIGHT_NS]))

    spread_out = replace(PAPERS_DOT, delayed=0.05, spread=0.1)
    known = [lifetime_sd(dot) for dot in (PAPERS_DOT, spread_out)]
    near = lifetime_sd(PAPERS_DOT, delayed=0.02, spread=0.01) / known[0]
    far = lifetime_sd(spread_out, delayed=9.0, spread=9.0) / known[1]
    assert far > 1.7
    assert 1.0 < near < 1.15


def test_the_errors_of_one_bright_level_are_those_of_counting() -> None:
    dot = replace(PAPERS_DOT, background_cps=0.0)
    path = path_of((BRIGHT, 1000))
    data = drawn(np.random.default_rng(1), path, dot, period_ns=1000.0)
    _, covariance = settled(data, dot, path, prior(dot, bright_cps=9.0, bright_ns=9.0), steps=2)
    photons = float(data.fitted.sum())
    gate = float(data.bins.edges_ns[1]) / dot.bright_ns
    # One exponential: tau errs by 1/sqrt(N), and with it what the gate took from the rate.
    assert covariance[P.BRIGHT_NS, P.BRIGHT_NS] == pytest.approx(1 / photons, rel=0.05)
    assert covariance[P.BRIGHT_CPS, P.BRIGHT_CPS] == pytest.approx((1 + gate**2) / photons, rel=0.05)
    assert covariance[P.BRIGHT_CPS, P.BRIGHT_NS] == pytest.approx(-gate / photons, rel=0.1)


def test_less_light_makes_larger_errors() -> None:
    rng = np.random.default_rng(1)
    path = alternating(rng, 1600, [TRION])
    data = drawn(rng, path)
    _, much = settled(data, PAPERS_DOT, path, OPEN, steps=2)
    few = replace(data, counts=data.counts[:400])
    _, little = settled(few, PAPERS_DOT, path[:400], OPEN, steps=2)
    ratio = np.sqrt(np.diag(little) / np.diag(much))[[P.BRIGHT_CPS, P.BRIGHT_NS, P.TRION_NS]]
    np.testing.assert_allclose(ratio, 2.0, rtol=0.2)


def test_a_state_nobody_saw_leaves_what_was_believed_of_it() -> None:
    rng = np.random.default_rng(1)
    path = path_of((BRIGHT, 500))
    believed = prior(bright_cps=9.0, bright_ns=9.0, trion_ns=0.3, beta=0.1)
    found, covariance = settled(drawn(rng, path), PAPERS_DOT, path, believed)
    assert found.trion_ns == pytest.approx(PAPERS_DOT.trion_ns)
    assert np.sqrt(covariance[P.TRION_NS, P.TRION_NS]) == pytest.approx(0.3)
    assert np.sqrt(covariance[P.BETA, P.BETA]) == pytest.approx(0.1)


def test_the_background_and_late_light_are_found_in_the_tail() -> None:
    rng = np.random.default_rng(4)
    dot = replace(PAPERS_DOT, background_cps=900.0, delayed=0.03)
    path = alternating(rng, 3000, [TRION, int(TRAPS[7])])
    data = replace(drawn(rng, path, dot), background_cps=300.0)
    known = prior(bright_cps=9.0, bright_ns=9.0, trion_ns=9.0, beta=9.0, background_cps=1e4, delayed=1.0)
    found, covariance = settled(data, PAPERS_DOT, path, known)
    for parameter, truth in ((P.BACKGROUND_CPS, 900.0), (P.DELAYED, 0.03)):
        error = float(np.sqrt(covariance[parameter, parameter]))
        assert abs(vector(found)[parameter] - truth) < 3.5 * error
    assert found.delayed == pytest.approx(0.03, abs=0.01)


FAR: dict[str, Callable[[DotModel], DotModel]] = {
    "a trion as slow as the exciton": lambda d: replace(d, trion_ns=d.bright_ns),
    "a charged state with the rate of the neutral one": lambda d: replace(d, beta=1.0),
    "a floor of half the light": lambda d: replace(d, delayed=0.5),
}


@pytest.mark.parametrize("truth", FAR.values(), ids=FAR.keys())
def test_no_photons_move_a_dot_beyond_what_physics_allows(truth: Callable[[DotModel], DotModel]) -> None:
    rng = np.random.default_rng(5)
    path = alternating(rng, 500, [TRION, TRION + 1])
    data = drawn(rng, path, truth(PAPERS_DOT))
    everything = Prior(vector(PAPERS_DOT), np.full(len(PARAMETERS), 10.0))
    found, covariance = settled(data, PAPERS_DOT, path, everything)
    assert TRION_RANGE[0] <= found.trion_ns / found.bright_ns * (1 + 1e-9)
    assert found.trion_ns / found.bright_ns <= TRION_RANGE[1] * (1 + 1e-9)
    assert BETA_RANGE[0] <= found.beta <= BETA_RANGE[1]
    assert 1.2 <= found.grey <= GREY_RANGE[1]
    assert 0 <= found.delayed <= MOST_DELAYED
    assert found.background_cps >= 0
    assert np.all(np.isfinite(covariance))


def test_the_prior_is_highest_at_its_mean() -> None:
    at = OPEN.log_density(PAPERS_DOT)
    assert at == 0
    assert OPEN.log_density(replace(PAPERS_DOT, beta=PAPERS_DOT.beta + 9.0)) == pytest.approx(-0.5)
    assert OPEN.log_density(replace(PAPERS_DOT, bright_cps=PAPERS_DOT.bright_cps * np.exp(9.0))) == (
        pytest.approx(-0.5)
    )


def test_bins_that_may_be_of_one_state_or_the_next_say_less_of_either() -> None:
    rng = np.random.default_rng(6)
    path = alternating(rng, 1000, [int(TRAPS[0])])
    data, known = drawn(rng, path), prior(bright_cps=9.0, bright_ns=9.0)
    sure = certain(path)
    columns = [int(np.flatnonzero(np.flatnonzero(BOTH) == state)[0]) for state in (BRIGHT, TRAPS[0])]
    doubtful = sure.copy()
    doubtful[:, columns] = 0.8 * sure[:, columns] + 0.2 * sure[:, columns[::-1]]

    def light_sd(posterior: NDArray[np.float32]) -> float:
        found = improved(data, PAPERS_DOT, Taken.by(posterior), BOTH, known).summed_up()
        return float(np.sqrt(found.covariance[P.BRIGHT_CPS, P.BRIGHT_CPS]))

    assert light_sd(doubtful) > 1.2 * light_sd(sure)
