"""Light and lifetime of the levels of a dot, with errors that hold the truth as often as they say."""

from dataclasses import replace

import numpy as np
import pytest

from qdmon.analysis.dot.emissive import emissive_states
from qdmon.analysis.dot.fit import fit_dot, reread
from qdmon.analysis.results.estimate import Estimate
from tests.qdmon.analysis.dot.paths import BRIGHT, PAPERS_DOT, TRAPS, TRION, alternating, drawn, path_of

DOTS = 30


def _pulls(seed: int) -> dict[str, float]:
    """Errors of the paper's dot over the stated ones; 4 s in 5 ms bins."""
    rng = np.random.default_rng(seed)
    path = alternating(rng, 800, [TRION])
    data = drawn(rng, path)
    fit = fit_dot(data, background_sd_cps=1.0)
    assert fit is not None
    states, ratio = emissive_states(data, fit.families["auger"])
    trion = PAPERS_DOT.trion_ns
    level = PAPERS_DOT.beta * trion / PAPERS_DOT.bright_ns
    truth = {
        "tau1": (states[0].lifetime_ns, PAPERS_DOT.bright_ns),
        "I1": (states[0].intensity_cps, PAPERS_DOT.bright_cps),
        "tau2": (states[1].lifetime_ns, trion),
        "I2": (states[1].intensity_cps, PAPERS_DOT.bright_cps * level),
        "beta": (ratio, PAPERS_DOT.beta),
    }
    return {name: _pull(found, true) for name, (found, true) in truth.items()}


def _pull(found: Estimate, truth: float) -> float:
    assert found.value is not None
    assert found.error
    return (found.value - truth) / found.error


def test_errors_hold_the_truth_in_two_of_three_cases() -> None:
    pulls = [_pulls(seed) for seed in range(DOTS)]
    for name in pulls[0]:
        of_one = np.array([p[name] for p in pulls])
        inside = float(np.mean(np.abs(of_one) < 1))
        # Of 30, sd 0.085.
        assert 0.45 < inside < 0.92, f"{name}: {inside:.2f} within one error"
        assert abs(np.median(of_one)) < 0.6, f"{name} is off by {np.median(of_one):.2f} errors"


def test_a_pulse_that_comes_late_does_not_move_the_light_of_a_state() -> None:
    """Time zero wrong by 50 ps: the model then has more prompt light than was counted."""
    rng = np.random.default_rng(3)
    data = drawn(rng, alternating(rng, 800, [TRION]))
    fit = fit_dot(data, background_sd_cps=1.0)
    assert fit is not None
    edges = data.bins.edges_ns
    late = replace(data.bins, edges_ns=np.concatenate([edges[:1], edges[1:-1] + 0.05, edges[-1:]]))
    again = fit_dot(replace(data, bins=late), background_sd_cps=1.0)
    assert again is not None
    (_, dim), ratio = emissive_states(data, fit.families["auger"])
    (_, moved), moved_ratio = emissive_states(replace(data, bins=late), again.families["auger"])
    assert moved.intensity_cps.value == pytest.approx(dim.intensity_cps.value, rel=2e-3)
    assert moved_ratio.value == pytest.approx(ratio.value, rel=5e-3)
    # What the fit extrapolates does move.
    assert abs(again.both.dot.beta / fit.both.dot.beta - 1) > 5e-3


def test_a_dark_state_has_a_light_within_its_error_and_no_lifetime() -> None:
    rng = np.random.default_rng(5)
    data = drawn(rng, alternating(rng, 800, TRAPS[-1:].tolist()))
    fit = fit_dot(data, background_sd_cps=1.0)
    assert fit is not None
    states, ratio = emissive_states(data, fit.families["bc"])
    assert len(states) == 2
    light = states[1].intensity_cps
    assert light.value is not None
    assert light.error
    assert light.value < 4 * light.error + 0.05 * PAPERS_DOT.bright_cps
    assert ratio.value is None or ratio.error


def test_a_dot_that_is_never_dim_has_one_state() -> None:
    data = drawn(np.random.default_rng(6), path_of((BRIGHT, 800)))
    fit = fit_dot(data, background_sd_cps=1.0)
    assert fit is not None
    states, ratio = emissive_states(data, fit.both)
    assert len(states) == 1
    assert ratio.value is None


def test_the_bright_level_of_bins_that_never_show_it_is_nearly_as_sure_as_it_was() -> None:
    rng = np.random.default_rng(7)
    data = drawn(rng, alternating(rng, 800, TRAPS[2:3].tolist()))
    fit = fit_dot(data, background_sd_cps=1.0)
    assert fit is not None
    known, _ = emissive_states(data, fit.both)
    window = drawn(rng, path_of((int(TRAPS[2]), 400)))
    states, ratio = emissive_states(window, reread(window, fit).both)
    assert states[0].intensity_cps.error is not None
    assert states[0].intensity_cps.error < 3 * (known[0].intensity_cps.error or 0.0)
    assert ratio.error is not None
    assert ratio.error < 0.05
