"""A bright level that wanders is known no better than by how far; one that does not costs nothing."""

from dataclasses import replace

import numpy as np
import pytest

from qdmon.analysis.dot.binned import BinnedDecays
from qdmon.analysis.dot.emissive import emissive_states
from qdmon.analysis.dot.fit import fit_dot
from qdmon.analysis.dot.wander import TOP, bright_wander
from tests.qdmon.analysis.dot.paths import TRION, alternating, drawn


def dot_whose_light(rng: np.random.Generator, part: np.ndarray) -> BinnedDecays:
    """The paper's dot with trions, of whose light a part is seen in each bin."""
    data = drawn(rng, alternating(rng, len(part), [TRION]))
    return replace(data, counts=rng.binomial(data.counts.astype(np.int64), part[:, None]).astype(np.float32))


def wandering(rng: np.random.Generator, bins: int, rms: float, bins_alike: float = 60.0) -> np.ndarray:
    """Light that wanders about nine tenths, alike in so many bins."""
    values, step = np.empty(bins), np.exp(-1 / bins_alike)
    values[0] = rng.normal()
    for i in range(1, bins):
        values[i] = step * values[i - 1] + np.sqrt(1 - step**2) * rng.normal()
    return np.clip(0.9 * (1 + rms * values), 0.0, 1.0)


@pytest.mark.parametrize("seed", range(3))
def test_a_bright_level_that_stays_has_no_error_by_wandering(seed: int) -> None:
    rng = np.random.default_rng(seed)
    data = dot_whose_light(rng, np.full(3000, 0.9))
    fit = fit_dot(data, background_sd_cps=1.0)
    assert fit is not None
    assert bright_wander(data, fit.families["auger"]) == 0.0


def test_one_that_wanders_has_an_error_of_light_and_lifetime_by_how_far() -> None:
    """By 3 % rms, of which states just below the bright one take a part."""
    rng = np.random.default_rng(5)
    data = dot_whose_light(rng, wandering(rng, 3000, 0.03))
    fit = fit_dot(data, background_sd_cps=1.0)
    assert fit is not None
    found = fit.families["auger"]
    error = bright_wander(data, found)
    assert 0.015 * TOP < error < 0.035 * TOP
    bright = emissive_states(data, found)[0][0]
    for level in (bright.intensity_cps, bright.lifetime_ns):
        assert level.value is not None
        assert level.error is not None
        assert level.error / level.value == pytest.approx(error, rel=0.1)
