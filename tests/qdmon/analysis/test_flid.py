"""The lifetime-intensity map and the curve of the paper drawn over it."""

import numpy as np
import pytest

from qdmon.analysis.flid import empty_flid, flid_map
from qdmon.analysis.snapshot import FlidMap
from qdmon.analysis.verdict import undetermined
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
    drawn = b.watched_dot("auger").snapshot.flid
    assert drawn.curve.startswith("Eq. 1")
    assert on_curve(drawn, 24.7) == pytest.approx(76e3, rel=0.03)
    assert on_curve(drawn, 5.0) == pytest.approx(28e3, rel=0.03)
    assert on_curve(drawn, 19.4) == pytest.approx(52e3, rel=0.03)


def test_eq_2_is_the_straight_line_of_a_bc_dot() -> None:
    drawn = b.watched_dot("bc").snapshot.flid
    assert drawn.curve.startswith("Eq. 2")
    assert on_curve(drawn, 9.1) == pytest.approx(28e3, rel=0.03)


def test_eq_3_names_its_share_and_no_curve_is_drawn_for_constant_lifetime() -> None:
    mixed = b.watched_dot("mixed").snapshot
    assert mixed.flid.curve.startswith("Eq. 3")
    assert mixed.segments[0].call.auger_share.value is not None
    assert f"{mixed.segments[0].call.auger_share.value:.2f}" in mixed.flid.curve
    assert b.watched_dot("hc", 12.0).snapshot.flid.curve == ""
