"""How well the share of the loss, and the loss, are known."""

from dataclasses import replace

import numpy as np
import pytest

from qdmon.analysis.dot.verdict import read_bins
from tests.qdmon.analysis.dot.paths import PAPERS_DOT, TRAPS, TRION, alternating, drawn
from tests.qdmon.analysis.dot.readings import MANY_TRAPS, read


def test_a_drift_that_is_badly_known_leaves_the_share_in_doubt() -> None:
    rng = np.random.default_rng(7)
    path = alternating(rng, 3000, [TRION, int(TRAPS[1])], on_bins=60.0, off_bins=20.0)
    data = drawn(rng, path)
    fit = read(data).fit
    errors = [
        read_bins(replace(data, gain_error=error), fit).shares["both"].auger.error or 0.0
        for error in (0.0, 0.01, 0.05)
    ]
    assert errors[0] == errors[1]
    assert errors[2] > 1.1 * errors[0]


def test_the_error_of_the_share_grows_when_photons_are_fewer() -> None:
    dim = [TRION, TRION, *MANY_TRAPS]
    errors = []
    for light in (1.0, 0.15, 0.05):
        rng = np.random.default_rng(5)
        dot = replace(PAPERS_DOT, bright_cps=light * PAPERS_DOT.bright_cps)
        reading = read(drawn(rng, alternating(rng, 1500, dim), dot, bin_s=0.01))
        errors.append(reading.shares["both"].auger.error or 0.0)
    assert errors[0] < errors[1] < errors[2]
    assert errors[2] > 2 * errors[0]


def test_biexcitons_of_unknown_lifetime_leave_the_share_in_doubt() -> None:
    path = alternating(np.random.default_rng(5), 1500, [TRION, *MANY_TRAPS])
    errors = []
    for early in (0.0, 0.02, 0.12):
        dot = replace(PAPERS_DOT, early=early)
        errors.append(read(drawn(np.random.default_rng(6), path, dot)).shares["both"].auger.error or 0.0)
    assert errors[1] == pytest.approx(errors[0], rel=0.1)
    assert errors[2] > 5 * errors[0]


def test_the_share_covers_the_truth_where_photons_are_few() -> None:
    off = []
    dot = replace(PAPERS_DOT, bright_cps=12e3)
    for seed in range(12):
        rng = np.random.default_rng(seed)
        path = alternating(rng, 600, [TRION, TRION, *MANY_TRAPS])
        share = read(drawn(rng, path, dot, bin_s=0.01)).shares["both"].auger
        lost = dot.losses
        auger, trap = lost.auger[path].sum(), lost.trap[path].sum()
        off.append(((share.value or 0.0) - auger / (auger + trap)) / (share.error or 1.0))
    assert np.abs(off).max() < 5
    assert np.count_nonzero(np.abs(off) < 2) >= 9


def test_of_shallow_traps_that_are_hardly_ever_all_empty_some_loss_is_missing() -> None:
    rng = np.random.default_rng(21)
    shallow = drawn(rng, alternating(rng, 3000, [int(TRAPS[0])], on_bins=12.0, off_bins=8.0))
    deep = drawn(rng, alternating(rng, 3000, [int(TRAPS[8])], on_bins=120.0, off_bins=5.0))
    relative = []
    for data in (shallow, deep):
        reading = read(data)
        loss = reading.shares[reading.best.family].loss
        assert loss.value
        assert loss.error
        relative.append(loss.error / loss.value)
    assert relative[0] > 0.4
    assert relative[1] < 0.2
