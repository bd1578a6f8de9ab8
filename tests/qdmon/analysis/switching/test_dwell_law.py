"""Dwell laws: the exponent and cutoff that were drawn come back through bins, and nothing else is called."""

import numpy as np
import pytest
from numpy.typing import NDArray

from qdmon.analysis.results.intensity import DwellLaw
from qdmon.analysis.switching.dwell_law import dwell_laws
from qdmon.analysis.switching.dwells import Dwells, on_off_dwells
from tests.qdmon.analysis.switching.switching import Draw, charged_share, exponential, power_law, switching

NOTHING = np.empty(0, np.int64)
BRIGHT_CPS, DIM_CPS = 76e3, 28e3


def read(
    rng: np.random.Generator, on: Draw, off: Draw, count: int, bin_s: float
) -> tuple[DwellLaw, DwellLaw]:
    """Laws of the dwells in the photon counts of light that switches so many times."""
    edges = switching(rng, on, off, count)
    dark = charged_share(edges, bin_s, 0.95 * float(edges[-1]))
    counts = rng.poisson(bin_s * (BRIGHT_CPS * (1 - dark) + DIM_CPS * dark)).astype(np.float64)
    good = np.ones(len(counts), bool)
    return dwell_laws(*on_off_dwells(counts, good, bin_s, BRIGHT_CPS * bin_s, DIM_CPS * bin_s))


def numbers(laws: list[DwellLaw], what: str) -> NDArray[np.float64]:
    """(n, 2) values and errors of those that are known."""
    found = [getattr(law, what) for law in laws]
    return np.array([(e.value, e.error) for e in found if e.value is not None], np.float64).reshape(-1, 2)


@pytest.mark.parametrize("bin_s", [0.002, 0.01])
def test_exponential_dwells_keep_their_mean_though_short_ones_are_missed(bin_s: float) -> None:
    """Uncorrected they would come out 4 to 10 % too long in bins of 10 ms."""
    rng = np.random.default_rng(1)
    on_s, off_s = 0.2, 0.12
    laws = [read(rng, exponential(on_s), exponential(off_s), 250, bin_s) for _ in range(16)]

    for i, truth in ((0, on_s), (1, off_s)):
        own = [pair[i] for pair in laws]
        assert sum(law.law != "exponential" for law in own) <= 1
        found = numbers([law for law in own if law.law == "exponential"], "cutoff_s")
        assert float(found[:, 0].mean()) == pytest.approx(truth, rel=0.03)
        assert 0.55 <= float(np.mean(np.abs(found[:, 0] - truth) < found[:, 1])) <= 0.9


def test_power_laws_with_a_cutoff_come_back_through_missed_dwells_on_both_sides() -> None:
    """A third of the dwells is too short for the bins; left alone the exponents would be 0.3 too low."""
    rng = np.random.default_rng(2)
    on, off = (1.3, 1.0), (1.6, 0.5)
    laws = [read(rng, power_law(*on, 0.001), power_law(*off, 0.001), 800, 0.002) for _ in range(16)]

    for i, (exponent, cutoff_s) in enumerate((on, off)):
        own = [pair[i] for pair in laws]
        assert all(law.law == "power law" for law in own)
        found = numbers(own, "exponent")
        assert float(found[:, 0].mean()) == pytest.approx(exponent, abs=0.1)
        assert 0.55 <= float(np.mean(np.abs(found[:, 0] - exponent) < found[:, 1])) <= 0.92
        ends = numbers(own, "cutoff_s")
        assert len(ends) >= 5
        assert float(np.mean(np.abs(ends[:, 0] - cutoff_s) < 2 * ends[:, 1])) >= 0.85


def dwells_of(draw: Draw, count: int, seed: int) -> Dwells:
    rng = np.random.default_rng(seed)
    bins = np.floor(draw(rng, count) / 0.01 + rng.random(count)).astype(np.int64)
    return Dwells(bins[bins >= 2], NOTHING, 0.01)


def test_a_pure_power_law_has_no_cutoff_to_report() -> None:
    long_ones = dwells_of(exponential(50.0), 200, 1)
    law = dwell_laws(long_ones, dwells_of(power_law(1.5, 1e6, 0.01), 400, 2))[1]

    assert law.law == "power law"
    assert law.cutoff_s.value is None
    assert law.exponent.value == pytest.approx(1.5, abs=0.12)


def test_fewer_than_thirty_dwells_say_nothing() -> None:
    few = Dwells(np.arange(10, 39), NOTHING, 0.01)
    none = Dwells(NOTHING, NOTHING, 0.01)

    for law, count in zip(dwell_laws(few, none), (29, 0), strict=True):
        assert law.dwells == count
        assert law.law is None
        assert law.exponent.value is None
        assert law.cutoff_s.value is None


def test_a_dwell_cut_by_the_end_counts_as_at_least_so_long() -> None:
    rng = np.random.default_rng(4)
    true_s, watched, values = 1.0, 80, []
    for _ in range(20):
        bins = np.floor(rng.exponential(true_s, 150) / 0.01 + rng.random(150)).astype(np.int64)
        bins = bins[bins >= 2]
        cut = np.full(int((bins >= watched).sum()), watched)
        (law, _) = dwell_laws(Dwells(bins[bins < watched], cut, 0.01), Dwells(NOTHING, NOTHING, 0.01))
        assert law.cutoff_s.value is not None
        values.append(law.cutoff_s.value)

    assert np.mean(values) == pytest.approx(true_s, rel=0.05)
