"""The instant at which light rises, whatever comes with it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from qdmon.analysis.calibration.rise import BACK_NS, Rise, fit_rise

BIN_NS = 0.096
BINS = 40
EDGES_NS: NDArray[np.float64] = np.arange(BINS + 1, dtype=np.float64) * BIN_NS


def counts_of(
    rng: np.random.Generator,
    at_ns: float,
    photons: int,
    lifetime_ns: float = 20.0,
    *,
    width_ns: float = 0.15,
    prompt: float = 0.0,
) -> NDArray[np.float64]:
    """Photons of a decay (and of light of the pulse, as a share of it) with some steady light."""
    early = int(prompt * photons)
    arrival = np.concatenate([rng.exponential(lifetime_ns, photons), rng.exponential(0.3, early)])
    arrival += at_ns + rng.normal(0, width_ns, len(arrival))
    found, _ = np.histogram(arrival, EDGES_NS)
    return (found + rng.poisson(photons * 2e-4, BINS)).astype(np.float64)


def rises(seed: int, photons: int, times: int, **light: float) -> list[Rise]:
    rng = np.random.default_rng(seed)
    found = [fit_rise(counts_of(rng, BACK_NS, photons, **light), EDGES_NS, BACK_NS) for _ in range(times)]
    return [rise for rise in found if rise is not None]


@settings(max_examples=40, deadline=None)
@given(
    at_ns=st.floats(1.2, 1.7),
    guess_off_ns=st.floats(-0.15, 0.15),
    lifetime_ns=st.floats(2.0, 40.0),
    width_ns=st.floats(0.05, 0.3),
    seed=st.integers(0, 1000),
)
def test_many_photons_place_the_pulse_wherever_one_begins_to_look(
    at_ns: float, guess_off_ns: float, lifetime_ns: float, width_ns: float, seed: int
) -> None:
    counts = counts_of(np.random.default_rng(seed), at_ns, 300_000, lifetime_ns, width_ns=width_ns)
    rise = fit_rise(counts, EDGES_NS, at_ns + guess_off_ns)
    assert rise is not None
    assert abs(rise.at_ns - at_ns) < 0.05 + 4 * rise.error_ns


@pytest.mark.parametrize("photons", [3000, 20_000])
@pytest.mark.parametrize("lifetime_ns", [5.0, 20.0])
@pytest.mark.parametrize("prompt", [0.0, 0.1])
def test_the_stated_error_is_the_scatter(photons: int, lifetime_ns: float, prompt: float) -> None:
    found = rises(1, photons, 80, lifetime_ns=lifetime_ns, prompt=prompt)
    assert len(found) > 70
    off = np.array([r.at_ns for r in found])
    pulls = (off - off.mean()) / [r.error_ns for r in found]
    assert 0.6 < float(np.sqrt(np.mean(pulls**2))) < 1.4
    assert float(np.abs(pulls).max()) < 5


def test_few_photons_place_the_pulse_where_many_do() -> None:
    few, many = (np.mean([r.at_ns for r in rises(2, n, 80)]) for n in (3000, 100_000))
    assert abs(float(few - many)) < 0.035


def test_light_of_the_pulse_does_not_move_the_instant() -> None:
    without, with_it = (np.mean([r.at_ns for r in rises(3, 100_000, 20, prompt=p)]) for p in (0.0, 0.12))
    assert abs(float(with_it - without)) < 0.05


@pytest.mark.parametrize(("bins", "guess_ns"), [(BINS, 0.2), (9, 0.9)])
def test_a_rise_without_its_surroundings_is_not_fitted(bins: int, guess_ns: float) -> None:
    counts = counts_of(np.random.default_rng(4), guess_ns, 20_000)[:bins]
    assert fit_rise(counts, EDGES_NS[: bins + 1], guess_ns) is None


@given(st.lists(st.integers(0, 10**7), min_size=0, max_size=BINS), st.floats(-1.0, 5.0))
def test_any_counts_at_all_give_a_finite_instant_or_none(counts: list[int], guess_ns: float) -> None:
    rise = fit_rise(np.array(counts, np.float64), EDGES_NS[: len(counts) + 1], guess_ns)
    assert rise is None or (np.isfinite(rise.at_ns) and 0 < rise.error_ns < np.inf)
