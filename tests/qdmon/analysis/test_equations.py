"""What must hold for the paper's relations whatever their numbers; its own numbers are golden rows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdmon.analysis.equations import (
    auger_intensity,
    bc_intensity,
    lifetime_from_window_mean,
    mixed_intensity,
    window_mean_ns,
)

# Counts per 10 ms and ns of the paper's CdSe/ZnS dot at <N> = 0.1.
I1, TAU1, I2, TAU2 = 760.0, 24.7, 280.0, 5.0


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
