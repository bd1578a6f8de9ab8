"""Golden rows 18, 19 and 20: g2(0) of published dots, a filtered biexciton, and dots behind a time gate."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from hardware.sim.presets import Preset, find_preset
from hardware.sim.simulation import DotSimulation
from qdmon.analysis.calibration.timing import TimeAxis
from qdmon.analysis.results.estimate import Estimate
from qdmon.analysis.results.pair_correlation import G2
from tests.qdmon.analysis.antibunching.pulsed import dots_in_focus, emitter, g2_of, true_g2

MEAN_EXCITATION = 0.1
SECONDS = 5.0
PULSES = 1_000_000


def bright_biexciton(ratio: float, share: float = 1.0) -> Preset:
    """The paper's blinking dot with a biexciton of this yield over the exciton's.

    Args:
        ratio: eta_XX/eta_X.
        share: of its light that is detected, to compare dots with one dot of the same brightness.
    """
    preset = find_preset("cdse-zns-2nm")
    exciton = replace(preset.dot.exciton, biexciton_yield_ratio=ratio)
    setup = replace(preset.setup, efficiency=share * preset.setup.efficiency)
    return replace(preset, dot=replace(preset.dot, exciton=exciton, conversion=None), setup=setup)


@cache
def looked_at(ratio: float, shares: tuple[float, ...]) -> tuple[G2, float]:
    """g2 of one or several dots in the focus, and the true g2(0) of the first of them."""
    dots = [DotSimulation(bright_biexciton(ratio, share), seed) for seed, share in enumerate(shares)]
    photons, pulses = dots_in_focus(dots, SECONDS, MEAN_EXCITATION)
    setup = dots[0].preset.setup
    at = TimeAxis.build(dots[0].acquisition(), {i: 1e3 * t for i, t in enumerate(setup.delay_ns)})
    steady = Estimate(len(dots) * setup.background_cps(MEAN_EXCITATION))
    found = g2_of(photons, pulses, at=at, background_cps={0: steady, 1: steady})
    return found, true_g2(dots[0], MEAN_EXCITATION)


@pytest.mark.parametrize("truth", [0.0002, 0.128])
def test_row_18_the_extremes_of_published_dots_are_recovered_within_the_error(truth: float) -> None:
    pulls, upper = [], []
    for seed in range(25):
        photons = emitter(np.random.default_rng(seed), PULSES, 0.02, truth, biexciton_ns=0.6)
        g2 = g2_of(photons, PULSES)
        assert g2.zero.value is not None
        assert g2.zero.error is not None
        assert g2.upper_limit_99 is not None
        pulls.append((g2.zero.value - truth) / g2.zero.error)
        upper.append(g2.upper_limit_99)
    assert abs(float(np.mean(pulls))) < 0.6
    assert float(np.sqrt(np.mean(np.square(pulls)))) < 1.4
    assert float(np.mean(np.array(upper) > truth)) >= 0.95


def test_row_19_a_filter_that_takes_57_percent_of_biexciton_photons_takes_g2_from_0_07_to_0_03() -> None:
    found = {}
    for filtered in (0.0, 0.57):
        photons = emitter(
            np.random.default_rng(19), 4 * PULSES, 0.03, 0.07, biexciton_ns=0.6, filtered=filtered
        )
        found[filtered] = g2_of(photons, 4 * PULSES)
        assert found[filtered].single_emitter is True
    assert found[0.0].zero.value == pytest.approx(0.07, abs=0.01)
    assert found[0.57].zero.value == pytest.approx(0.03, abs=0.01)
    assert max(g2.zero.error or 1.0 for g2 in found.values()) < 0.006


# eta_XX/eta_X, and g2(0) of all photons at <N> = 0.1 by an independent simulation (science notes 2.6).
TABLE = {0.03: 0.035, 0.10: 0.108, 0.30: 0.320, 0.60: 0.630}


@pytest.mark.parametrize("ratio", TABLE)
def test_row_20_behind_the_gate_a_single_dot_has_no_pairs_left(ratio: float) -> None:
    found, truth = looked_at(ratio, (1.0,))
    assert found.zero.value is not None
    assert found.zero.error is not None
    assert abs(found.zero.value - truth) < 4 * found.zero.error
    assert found.zero.value == pytest.approx(TABLE[ratio], abs=0.06 + 0.1 * TABLE[ratio])
    assert found.gated_zero.error is not None
    assert found.gated_zero.value == pytest.approx(0.01, abs=0.01 + 3 * found.gated_zero.error)
    assert found.gated_upper_limit_99 is not None
    assert found.gated_upper_limit_99 < 0.15
    assert found.single_emitter is True


@pytest.mark.parametrize("ratio", TABLE)
def test_row_20_behind_the_gate_two_dots_stay_at_one_half(ratio: float) -> None:
    found, _ = looked_at(ratio, (0.5, 0.5))
    assert found.zero.value is not None
    assert found.zero.value > 0.44 + ratio / 3
    assert found.gated_zero.error is not None
    assert found.gated_zero.value == pytest.approx(0.47, abs=3 * found.gated_zero.error)
    assert found.single_emitter is False


def test_row_20_a_dot_beside_one_three_times_as_bright_is_never_called_single() -> None:
    found, _ = looked_at(0.03, (0.75, 0.25))
    assert found.upper_limit_99 is not None
    assert found.upper_limit_99 < 0.5
    assert found.single_emitter is not True
