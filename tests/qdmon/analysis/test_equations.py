"""The paper's relations: golden rows 1, 2, 3, 4 and 17 of the science notes, and what must hold for all."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdmon.analysis.equations import (
    auger_intensity,
    bc_intensity,
    lifetime_from_window_mean,
    mixed_intensity,
    radiative_rate_ratio,
    window_mean_ns,
)

# Counts per 10 ms and ns of the paper's CdSe/ZnS dot at <N> = 0.1.
I1, TAU1, I2, TAU2 = 760.0, 24.7, 280.0, 5.0


def test_row_1_the_papers_levels_have_a_radiative_rate_ratio_of_about_two() -> None:
    assert radiative_rate_ratio(I1, TAU1, I2, TAU2) == pytest.approx(1.821, rel=1e-3)


@pytest.mark.parametrize(("tau_ns", "counts"), [(19.4, 520), (22.55, 640), (14.36, 400)])
def test_row_2_eq_1_gives_the_intensity_of_a_bin_that_was_charged_for_part_of_it(
    tau_ns: float, counts: float
) -> None:
    assert float(auger_intensity(tau_ns, I1, TAU1, I2, TAU2)) == pytest.approx(counts, rel=1e-3)


def test_row_3_a_bc_dot_as_dim_as_the_trion_would_live_9_10_ns() -> None:
    assert float(bc_intensity(9.10, I1, TAU1)) == pytest.approx(I2, rel=1e-3)


@given(charged=st.floats(0, 1))
def test_eq_1_is_the_mixture_in_time_of_neutral_and_charged(charged: float) -> None:
    intensity = (1 - charged) * I1 + charged * I2
    tau = ((1 - charged) * I1 * TAU1 + charged * I2 * TAU2) / intensity
    assert float(auger_intensity(tau, I1, TAU1, I2, TAU2)) == pytest.approx(intensity, rel=1e-9)


def test_only_the_end_point_tells_eq_1_from_eq_2() -> None:
    # Near the bright level the curve of a charging dot even runs below the straight line.
    assert float(auger_intensity(TAU2, I1, TAU1, I2, TAU2)) > 1.8 * float(bc_intensity(TAU2, I1, TAU1))
    assert float(auger_intensity(20.0, I1, TAU1, I2, TAU2)) < float(bc_intensity(20.0, I1, TAU1))


@given(tau_ns=st.floats(TAU2, TAU1), share=st.floats(0, 1))
def test_eq_3_lies_between_eq_1_and_eq_2_in_proportion_to_the_auger_share(
    tau_ns: float, share: float
) -> None:
    auger = float(auger_intensity(tau_ns, I1, TAU1, I2, TAU2))
    bc = float(bc_intensity(tau_ns, I1, TAU1))
    mixed = float(mixed_intensity(tau_ns, I1, TAU1, I2, TAU2, share))
    assert mixed == pytest.approx(bc + share * (auger - bc), rel=1e-9)


def test_row_4_eq_3_through_noisy_anchored_points_gives_back_an_auger_share_of_three_quarters() -> None:
    rng = np.random.default_rng(4)
    tau = np.linspace(7.0, 22.0, 60)
    counts = rng.poisson(mixed_intensity(tau, I1, TAU1, I2, TAU2, 0.75))
    auger, bc = auger_intensity(tau, I1, TAU1, I2, TAU2), bc_intensity(tau, I1, TAU1)
    share = float((auger - bc) @ (counts - bc) / np.square(auger - bc).sum())
    assert share == pytest.approx(0.75, abs=0.08)


@pytest.mark.parametrize(("period_ns", "mean_ns"), [(200.0, 24.639), (100.0, 22.924), (50.0, 17.091)])
def test_row_17_the_mean_arrival_time_in_a_pulse_period_falls_short_of_the_lifetime(
    period_ns: float, mean_ns: float
) -> None:
    assert float(window_mean_ns(24.7, period_ns)) == pytest.approx(mean_ns, abs=1e-3)
    assert float(lifetime_from_window_mean(mean_ns, period_ns)) == pytest.approx(24.7, rel=1e-3)


@given(period_ns=st.floats(5, 1000), ratio=st.floats(0.005, 1.2))
def test_the_lifetime_comes_back_from_its_window_mean(period_ns: float, ratio: float) -> None:
    tau = ratio * period_ns
    back = float(lifetime_from_window_mean(window_mean_ns(tau, period_ns), period_ns))
    assert back == pytest.approx(tau, rel=1e-3)


@pytest.mark.parametrize("mean_ns", [-1.0, 0.0, 100.0, 150.0])
def test_no_lifetime_is_made_up_for_a_mean_that_no_exponential_has(mean_ns: float) -> None:
    assert np.isnan(float(lifetime_from_window_mean(mean_ns, 200.0)))
