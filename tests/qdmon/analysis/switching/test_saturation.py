"""How the bright level bends with power says by how much the stated <N> is wrong."""

from dataclasses import replace

import numpy as np
import pytest

from qdmon.analysis.antibunching.g2 import no_g2
from qdmon.analysis.dot.verdict import undetermined
from qdmon.analysis.results.blinking import Conversion, EmissiveState
from qdmon.analysis.results.estimate import UNKNOWN, Estimate
from qdmon.analysis.results.segment import SegmentResult
from qdmon.analysis.switching.excitation import excited, excited_twice
from qdmon.analysis.switching.saturation import Saturation, SaturationPoint, saturation, saturation_of

WEAK = (0.03, 0.05, 0.08, 0.12, 0.2, 0.3)
STRONG = (0.1, 0.3, 0.6, 1.0, 1.5)
BRIGHTNESS_CPS, RATIO, LASER_CPS, SECONDS = 8e5, 0.09, 2e3, 10.0


def sweep(
    rng: np.random.Generator, scale: float, stated: tuple[float, ...], *, late: bool = False
) -> list[SaturationPoint]:
    """Bright levels of 10 s each on a laser that repeats to 0.3 %."""
    points = []
    for j in stated:
        rate = BRIGHTNESS_CPS * excited(scale * j)
        if not late:
            rate = rate + BRIGHTNESS_CPS * RATIO * excited_twice(scale * j) + LASER_CPS * j
        error = float(np.sqrt(rate / SECONDS))
        seen = float(rate) * (1 + 0.003 * rng.normal()) + error * rng.normal()
        points.append(SaturationPoint(j, Estimate(seen, error)))
    return points


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize(("stated", "scale"), [(WEAK, 0.6), (WEAK, 1.7), (STRONG, 1.0)])
def test_the_scale_comes_back_within_its_error(stated: tuple[float, ...], scale: float, late: bool) -> None:
    rng = np.random.default_rng(1)
    pulls, errors = [], []
    for _ in range(40):
        known = Estimate(RATIO + 0.01 * rng.normal(), 0.01)
        found = saturation(sweep(rng, scale, stated, late=late), known, late=late)
        assert found is not None
        assert found.scale.value is not None
        assert found.scale.error is not None
        pulls.append((found.scale.value - scale) / found.scale.error)
        errors.append(found.scale.error / scale)

    assert 0.55 <= float(np.mean(np.abs(pulls) < 1)) <= 0.95
    assert abs(float(np.mean(pulls))) < 0.5
    assert float(np.mean(errors)) < 0.08


def one(points: list[SaturationPoint], ratio_error: float = 0.01) -> Saturation:
    found = saturation(points, Estimate(RATIO, ratio_error))
    assert found is not None
    return found


def test_the_other_parameters_come_with_their_covariance() -> None:
    found = one(sweep(np.random.default_rng(2), 1.0, STRONG))

    assert found.brightness_cps.value == pytest.approx(BRIGHTNESS_CPS, rel=0.05)
    assert found.yield_ratio.value == pytest.approx(RATIO, abs=0.03)
    assert found.covariance.shape == (4, 4)
    # A higher scale bends more, a higher brightness is then needed less.
    assert found.covariance[0, 1] < 0
    assert found.brightness_cps.error == pytest.approx(float(np.sqrt(found.covariance[1, 1])))
    assert 0 < found.chi2_reduced < 5


def test_the_less_is_known_of_the_biexciton_the_less_certain_is_the_scale() -> None:
    points = sweep(np.random.default_rng(3), 1.0, STRONG)

    known, vague = one(points), one(points, 0.05)

    assert known.scale.error is not None
    assert vague.scale.error is not None
    assert vague.scale.error > 1.5 * known.scale.error
    assert saturation(points, Estimate(0.2, 0.2)) is None


def test_a_sweep_that_does_not_bend_says_nothing() -> None:
    rng = np.random.default_rng(4)
    assert all(
        saturation(sweep(rng, 1.0, (0.004, 0.006, 0.01, 0.015)), Estimate(RATIO, 0.01)) is None
        for _ in range(20)
    )
    straight = [SaturationPoint(j, Estimate(1e5 * j, 30.0)) for j in WEAK]
    assert saturation(straight, Estimate(RATIO, 0.01)) is None


def test_three_powers_are_too_few_however_often_they_are_repeated() -> None:
    points = sweep(np.random.default_rng(5), 1.0, (0.1, 0.5, 1.0, 1.0, 1.0, 0.1))
    assert saturation(points, Estimate(RATIO, 0.01)) is None


def test_points_that_scatter_more_than_they_say_make_the_error_larger() -> None:
    points = sweep(np.random.default_rng(6), 1.0, STRONG)
    odd = replace(
        points[2],
        intensity_cps=replace(points[2].intensity_cps, value=1.03 * (points[2].intensity_cps.value or 0)),
    )

    calm, wild = one(points), one([*points[:2], odd, *points[3:]])

    assert wild.chi2_reduced > 3
    assert (wild.scale.error or 0) > 1.5 * (calm.scale.error or 0)


def stretch(point: SaturationPoint, start_s: float) -> SegmentResult:
    state = EmissiveState(point.intensity_cps, UNKNOWN)
    call = replace(undetermined(start_s, start_s + 10, "a sweep"), states=(state,))
    g2 = replace(no_g2(), zero=Estimate(RATIO, 0.01))
    return SegmentResult(start_s, start_s + 10, point.stated, call, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, g2)


def test_the_fluences_of_a_session_are_a_sweep_up_to_its_first_conversion() -> None:
    points = sweep(np.random.default_rng(7), 1.4, STRONG)
    segments = [stretch(point, 10.0 * i) for i, point in enumerate(points)]
    dim = replace(points[0].intensity_cps, value=0.8 * (points[0].intensity_cps.value or 0))
    segments.append(stretch(SaturationPoint(STRONG[0], dim), 60.0))
    conversion = Conversion(55.0, 0.1, "auger", "bc", 0.1, 1.5, 0.99, None)

    found = saturation_of(segments, [conversion])

    assert found is not None
    assert found.scale.error is not None
    assert found.scale.value == pytest.approx(1.4, abs=3 * found.scale.error)
    assert saturation_of(segments, [replace(conversion, time_s=25.0)]) is None
    assert saturation_of([], []) is None
