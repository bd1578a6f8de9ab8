"""Centre of an emission line: golden row 8, and what the monitor makes of a red shift."""

import numpy as np
import pytest
from numpy.typing import NDArray

from qdmon.analysis.conversion.spectrum import peak_nm
from qdmon.analysis.results.estimate import Estimate
from streams.messages import Fluence, Message, PhotonBatch, Segment, Session, Spectrum
from tests.qdmon.analysis import builders as b

PIXELS = np.arange(580.0, 700.0, 0.4)
SIGMA_NM = 26.0 / 2.3548


def frame(
    rng: np.random.Generator, centre_nm: float, photons: float, floor: float = 1.0
) -> NDArray[np.float64]:
    """What an EMCCD reads: Poisson electrons, multiplied (variance twice the mean)."""
    line = np.exp(-0.5 * np.square((PIXELS - centre_nm) / SIGMA_NM)) * 0.4 / (SIGMA_NM * np.sqrt(2 * np.pi))
    return np.asarray(
        rng.standard_gamma(rng.poisson(photons * line + floor)) + 0.5 * rng.normal(size=len(PIXELS))
    )


def centres(centre_nm: float, photons: float) -> list[Estimate]:
    rng = np.random.default_rng(int(centre_nm))
    return [peak_nm(PIXELS, frame(rng, centre_nm, photons), 2.0) for _ in range(100)]


@pytest.mark.parametrize("centre_nm", [633.0, 641.0])
def test_row_8_the_centre_of_a_five_second_spectrum_is_right_to_half_a_nanometre(centre_nm: float) -> None:
    found = centres(centre_nm, 0.1 * 76e3 * 5)
    assert all(f.value is not None and abs(f.value - centre_nm) < 0.5 for f in found)


@pytest.mark.parametrize("photons", [1500.0, 5000.0, 40_000.0])
def test_the_error_of_the_centre_is_the_real_scatter(photons: float) -> None:
    pulls = [(f.value - 633.0) / f.error for f in centres(633.0, photons) if f.value and f.error]
    assert len(pulls) == 100
    assert float(np.std(pulls)) == pytest.approx(1.0, abs=0.25)
    assert abs(float(np.mean(pulls))) < 0.35


def test_the_error_is_that_of_the_photons_with_the_noise_of_multiplication() -> None:
    errors = [f.error for f in centres(633.0, 5000.0) if f.error is not None]
    assert float(np.median(errors)) == pytest.approx(np.sqrt(2) * SIGMA_NM / np.sqrt(5000), rel=0.35)


def test_a_dark_frame_has_no_peak() -> None:
    rng = np.random.default_rng(1)
    assert all(peak_nm(PIXELS, frame(rng, 633.0, 0.0, 3.0), 2.0).value is None for _ in range(50))


def test_a_line_outside_the_frame_is_not_placed_inside() -> None:
    rng = np.random.default_rng(2)
    found = [peak_nm(PIXELS, frame(rng, 740.0, 50_000.0), 2.0) for _ in range(10)]
    assert all(f.value is None for f in found)


def spectral_session(before_nm: float, after_nm: float) -> list[Message]:
    rng = np.random.default_rng(8)
    acq = b.acquisition()
    found, _stop = b.photons(rng, b.auger_dot(rng, 3.0), acq=acq)
    second = acq.pulses(1.0)
    messages: list[Message] = [Session("0" * 32, 0, "test", "simulated"), Segment(0, acq)]
    for i, (n, centre) in enumerate([(0.2, before_nm), (1.4, after_nm), (0.2, after_nm)]):
        messages.append(Fluence(0, i * second, n))
        upto = (i + 1) * second
        messages.append(PhotonBatch(0, i * second, upto, 0, found.between(i * second, upto)))
        counts = frame(rng, centre, 8000.0)
        messages.append(Spectrum(0, i * second, upto, PIXELS, counts, excess_noise_factor=2.0))
    return messages


def test_a_red_shift_of_8_nm_after_the_conversion_is_reported() -> None:
    shift = b.watch(spectral_session(633.0, 641.0)).snapshot.spectral_shift_nm
    assert shift.error is not None
    assert 0.0 < shift.error < 0.3
    assert shift.value == pytest.approx(8.0, abs=4 * shift.error)


def test_without_spectra_the_shift_is_unknown() -> None:
    assert b.watched_dot("auger", 3.0).snapshot.spectral_shift_nm.value is None
    assert b.watched_dot("auger", 3.0).snapshot.peak_nm.value is None
