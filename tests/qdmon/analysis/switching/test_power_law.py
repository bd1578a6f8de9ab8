"""The law t^-m exp(-t/tc) in whole bins with rounded edges."""

import numpy as np
import pytest
from scipy.integrate import quad

from qdmon.analysis.switching.power_law import PowerLaw, log_survival
from qdmon.analysis.switching.resolution import LEAST_BINS


@pytest.mark.parametrize("exponent", [0.0, 1.0, 1.5, 2.5])
@pytest.mark.parametrize("in_cutoffs", [1e-5, 0.02, 3.0])
def test_the_survival_is_the_integral_it_says(exponent: float, in_cutoffs: float) -> None:
    from_t = 2.0
    integral = quad(
        lambda u: np.exp((1 - exponent) * u - in_cutoffs * np.expm1(u)),
        0,
        np.log1p(60 / in_cutoffs),
        epsabs=0,
        epsrel=1e-11,
        limit=300,
    )[0]
    expected = np.log(integral) + (1 - exponent) * np.log(from_t) - in_cutoffs

    (found,) = log_survival(np.array([from_t]), exponent, in_cutoffs / from_t)

    assert found == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(("exponent", "rate"), [(0.0, 0.05), (1.5, 0.01), (3.0, 0.002)])
def test_the_dwells_of_all_lengths_are_the_whole(exponent: float, rate: float) -> None:
    law = PowerLaw(exponent, rate)
    longest = 400

    masses = law.mass(np.arange(LEAST_BINS, longest + 1))
    # Above the last whole bin the triangle falls from 1 to 0.
    rest = law.survival(np.array([longest, longest + 1])).mean()

    assert masses.sum() + rest == pytest.approx(law.whole, rel=1e-3)


def test_a_mass_is_the_share_of_dwells_read_as_so_many_bins() -> None:
    rng = np.random.default_rng(1)
    dwells = rng.random(400_000) ** -2.0
    read = np.floor(dwells + rng.random(len(dwells))).astype(np.int64)
    law = PowerLaw(1.5, 1e-9)
    bins = np.array([2, 3, 5, 9])

    found = law.mass(bins) / law.whole

    counted = np.array([np.mean(read[read >= LEAST_BINS] == n) for n in bins])
    np.testing.assert_allclose(found, counted, rtol=0.02)
