"""The lifetime-intensity map and the curve of the paper drawn over it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdmon.analysis.dot.verdict import undetermined
from qdmon.analysis.levels.flid import FlidPoints, blurred_density, empty_flid, flid_map
from qdmon.analysis.results.intensity import FlidMap
from tests.qdmon.analysis import builders as b


def test_every_bin_is_on_the_map_once() -> None:
    rng = np.random.default_rng(1)
    tau = rng.normal(20.0, 1.0, 1000)
    tau[:100] = np.nan
    rate = rng.normal(60e3, 2e3, 1000)
    drawn = flid_map(rate, tau, np.full(1000, 600.0), undetermined(0.0, 1.0, "test"))
    assert float(drawn.density.sum()) == pytest.approx(900, rel=0.05)


def test_the_densest_place_is_where_the_dot_was() -> None:
    rng = np.random.default_rng(2)
    tau, rate = rng.normal(20.0, 0.5, 2000), rng.normal(60e3, 1e3, 2000)
    drawn = flid_map(rate, tau, np.full(2000, 600.0), undetermined(0.0, 1.0, "test"))
    y, x = np.unravel_index(int(np.argmax(drawn.density)), drawn.density.shape)
    assert drawn.lifetime_edges_ns[x] == pytest.approx(20.0, rel=0.05)
    assert drawn.intensity_edges_cps[y] == pytest.approx(60e3, rel=0.05)


def test_a_handful_of_bins_makes_no_map() -> None:
    drawn = flid_map(np.full(5, 1e4), np.full(5, 20.0), np.full(5, 100.0), undetermined(0.0, 1.0, "test"))
    assert drawn.density.shape == empty_flid().density.shape
    assert drawn.curve == ""


def on_curve(drawn: FlidMap, tau_ns: float) -> float:
    return float(np.interp(tau_ns, drawn.curve_lifetime_ns, drawn.curve_intensity_cps))


def test_eq_1_runs_through_both_levels_of_an_auger_dot() -> None:
    drawn = b.watched_dot("auger", 10.0).snapshot.flid
    assert drawn.curve.startswith("Eq. 1")
    assert on_curve(drawn, 24.7) == pytest.approx(76e3, rel=0.03)
    assert on_curve(drawn, 5.0) == pytest.approx(28e3, rel=0.03)
    assert on_curve(drawn, 19.4) == pytest.approx(52e3, rel=0.03)


def test_eq_2_is_the_straight_line_of_a_bc_dot() -> None:
    drawn = b.watched_dot("bc", 10.0).snapshot.flid
    assert drawn.curve.startswith("Eq. 2")
    assert on_curve(drawn, 9.1) == pytest.approx(28e3, rel=0.03)


def test_eq_3_names_its_share_and_no_curve_is_drawn_for_constant_lifetime() -> None:
    mixed = b.watched_dot("mixed", 10.0).snapshot
    assert mixed.flid.curve.startswith("Eq. 3")
    assert mixed.segments[0].call.auger_share.value is not None
    assert f"{mixed.segments[0].call.auger_share.value:.2f}" in mixed.flid.curve
    assert b.watched_dot("hc", 6.0).snapshot.flid.curve == ""


EDGES_NS, EDGES_CPS = np.linspace(0.0, 40.0, 81), np.linspace(0.0, 100e3, 51)


def point(tau_ns: float, tau_error_ns: float, rate_cps: float, rate_error_cps: float) -> FlidPoints:
    values = (tau_ns, tau_error_ns, rate_cps, rate_error_cps, 0.7)
    return FlidPoints(*(np.array([v]) for v in values))


@given(
    tau_ns=st.floats(10.0, 30.0),
    tau_error_ns=st.floats(0.0, 2.4),
    rate_cps=st.floats(30e3, 70e3),
    rate_error_cps=st.floats(0.0, 7e3),
)
def test_a_point_on_the_map_leaves_its_weight_there(
    tau_ns: float, tau_error_ns: float, rate_cps: float, rate_error_cps: float
) -> None:
    density = blurred_density(point(tau_ns, tau_error_ns, rate_cps, rate_error_cps), EDGES_NS, EDGES_CPS)
    assert density.min() >= 0
    assert float(density.sum()) == pytest.approx(0.7, rel=1e-3)


def test_a_point_is_as_wide_as_it_is_uncertain() -> None:
    density = blurred_density(point(20.0, 2.0, 50e3, 5e3), EDGES_NS, EDGES_CPS) / 0.7
    centre_ns, centre_cps = (0.5 * (e[1:] + e[:-1]) for e in (EDGES_NS, EDGES_CPS))
    over_ns, over_cps = density.sum(axis=0), density.sum(axis=1)
    assert float(over_ns @ centre_ns) == pytest.approx(20.0, abs=0.02)
    assert float(over_cps @ centre_cps) == pytest.approx(50e3, abs=50.0)
    assert float(np.sqrt(over_ns @ np.square(centre_ns - 20.0))) == pytest.approx(2.0, rel=0.01)
    assert float(np.sqrt(over_cps @ np.square(centre_cps - 50e3))) == pytest.approx(5e3, rel=0.01)


def test_half_of_a_point_on_the_border_is_lost_and_an_unknown_one_is_left_out() -> None:
    density = blurred_density(point(40.0, 1.0, 50e3, 1e3), EDGES_NS, EDGES_CPS)
    assert float(density.sum()) == pytest.approx(0.35, rel=1e-3)
    for unknown in (point(np.nan, 1.0, 5e4, 1e3), point(20.0, np.inf, 5e4, 1e3), point(20.0, 1.0, 2e5, 1e3)):
        assert not blurred_density(unknown, EDGES_NS, EDGES_CPS).any()
