"""Golden rows 1-4, as functions, and what is only stated: 13, 15 and 25.

The rows are those of the table of golden checks in the science notes; numbers are the paper's.
"""

from dataclasses import replace

import numpy as np
import pytest

from hardware.sim import describe
from hardware.sim.presets import find_preset
from qdmon.analysis.equations import (
    auger_intensity,
    bc_intensity,
    mixed_intensity,
    radiative_rate_ratio,
)
from qdmon.analysis.results.segment import FluenceStep
from qdmon.tui.view.readouts import readouts
from tests.qdmon.tui.builders import scene, snapshot

# Counts per 10 ms and ns of the paper's CdSe/ZnS dot at <N> = 0.1.
I1, TAU1, I2, TAU2 = 760.0, 24.7, 280.0, 5.0


def test_row_01_the_papers_levels_have_a_radiative_rate_ratio_of_1_821() -> None:
    assert radiative_rate_ratio(I1, TAU1, I2, TAU2) == pytest.approx(280 * 24.7 / (760 * 5.0), rel=1e-12)
    assert radiative_rate_ratio(I1, TAU1, I2, TAU2) == pytest.approx(1.821, abs=1e-3)


@pytest.mark.parametrize(("tau_ns", "counts"), [(19.4, 520), (22.55, 640), (14.36, 400)])
def test_row_02_eq_1_gives_the_intensity_of_a_bin_charged_for_part_of_it(
    tau_ns: float, counts: float
) -> None:
    assert float(auger_intensity(tau_ns, I1, TAU1, I2, TAU2)) == pytest.approx(counts, rel=1e-3)


def test_row_03_a_bc_dot_as_dim_as_the_trion_lives_9_10_ns() -> None:
    assert float(bc_intensity(I2 * TAU1 / I1, I1, TAU1)) == pytest.approx(I2, rel=1e-12)
    assert pytest.approx(9.10, abs=5e-4) == I2 * TAU1 / I1


def test_row_04_eq_3_through_noisy_points_with_anchored_ends_gives_an_auger_share_of_three_quarters() -> None:
    rng = np.random.default_rng(4)
    tau = np.linspace(7.0, 22.0, 60)
    counts = rng.poisson(mixed_intensity(tau, I1, TAU1, I2, TAU2, 0.75))
    auger, bc = auger_intensity(tau, I1, TAU1, I2, TAU2), bc_intensity(tau, I1, TAU1)
    share = float((auger - bc) @ (counts - bc) / np.square(auger - bc).sum())
    assert share == pytest.approx(0.75, abs=0.08)


@pytest.mark.parametrize(("mean_excitation", "words"), [(0.1, "weak"), (0.29, "weak"), (0.3, "strong")])
def test_row_13_excitation_below_0_3_is_labelled_weak(mean_excitation: float, words: str) -> None:
    shown = replace(snapshot(), fluence_steps=(FluenceStep(0.0, mean_excitation),))
    (excitation,) = [r for r in readouts(scene(shown=shown)) if r.label == "excitation <N>"]
    assert excitation.error.startswith(words)


@pytest.mark.parametrize(
    ("preset", "bohr_diameter"),
    [
        ("mapbbr3", "Bohr diameter 4 nm"),
        ("cspbbr3-small", "Bohr diameter of 7 nm"),
        ("cspbi3-small", "Bohr diameter of 12 nm"),
        ("cspbbr3-large", "Bohr diameter of 7 nm"),
        ("cspbi3-large", "Bohr diameter of 12 nm"),
    ],
)
def test_row_15_perovskites_below_their_bohr_diameter_convert_and_those_above_do_not(
    preset: str, bohr_diameter: str
) -> None:
    text = describe(preset)
    assert bohr_diameter in text
    large = preset.endswith("-large")
    assert ("above" in text) is large
    assert ("never converts" in text) is large
    assert ("reversible" in text) is not large
    # What makes it so: ionisation by two excitons beside traps that are always there, or neither.
    dot = find_preset(preset).dot
    assert dot.charging is not None
    assert (dot.charging.multiple > 0) is not large
    assert (dot.traps is not None) is not large


@pytest.mark.parametrize(("preset", "size"), [("cdse-zns-2nm", "12.2 nm"), ("mapbbr3", "3.2 nm")])
def test_row_25_the_dots_of_figure_1_have_their_published_size(preset: str, size: str) -> None:
    assert size in describe(preset)
