"""Counts of a simulated spectrometer, from the truth of a run."""

import itertools
import math

import numpy as np
from numpy.typing import NDArray

from hardware.sim.photophysics import brightness, emission
from hardware.sim.presets import Preset
from hardware.sim.trajectory import excited
from hardware.sim.truth import Truth

__all__ = ["EXCESS_NOISE_FACTOR", "spectrum_counts", "wavelengths_nm"]

_SIGMA_PER_FWHM = 1.0 / (2.0 * math.sqrt(2.0 * math.log(2.0)))
_SLICES = 16
EXCESS_NOISE_FACTOR = 2.0
"""Variance over mean of a count after electron multiplication."""


def wavelengths_nm(preset: Preset) -> NDArray[np.float64]:
    """(p,) pixels, ascending, with the dot's first peak in the middle."""
    optics = preset.setup.spectrometer
    pixels = round(optics.half_span_nm / optics.dispersion_nm)
    return preset.dot.peak_nm + optics.dispersion_nm * np.arange(-pixels, pixels + 1, dtype=np.float64)


def spectrum_counts(
    truth: Truth, start_s: float, stop_s: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """What the spectrometer reads for [start_s, stop_s): a Gaussian line at the dot's peak, with noise.

    The exposure is cut into 16 slices, each with its own brightness and peak, so that a frame across
    the conversion shows both. Multiplication turns n electrons into a Gamma(n) number, whose variance
    is 2 n together with that of n. Multiexcitons are left out.

    Returns:
        (p,) counts on the pixels of `wavelengths_nm`, photo-electrons before multiplication as read back.

    Raises:
        ValueError: the truth does not cover the exposure.
    """
    path = truth.path
    if not len(path) or start_s < path.start_s[0] or stop_s > path.stop_s[-1] or stop_s <= start_s:
        raise ValueError(f"no light is known for {start_s:g}-{stop_s:g} s: simulate that far first")
    preset, optics = truth.preset, truth.preset.setup.spectrometer
    wavelength_nm = wavelengths_nm(preset)
    sigma_nm = preset.dot.linewidth_nm * _SIGMA_PER_FWHM
    wander_nm = optics.diffusion_nm * rng.standard_normal()
    edges = np.linspace(start_s, stop_s, _SLICES + 1)
    mean = np.zeros(len(wavelength_nm))
    for begin, end in itertools.pairwise(edges.tolist()):
        offset = (wavelength_nm - truth.peak_nm(0.5 * (begin + end)) - wander_nm) / sigma_nm
        line = np.exp(-0.5 * offset**2) * (optics.dispersion_nm / (sigma_nm * math.sqrt(2.0 * math.pi)))
        mean += optics.fraction * _signal(truth, begin, end) * line
    counts = rng.standard_gamma(rng.poisson(mean))
    counts += optics.read_noise_e * rng.standard_normal(len(mean))
    return counts


def _signal(truth: Truth, start_s: float, stop_s: float) -> float:
    """Expected photons of the dot on both detectors."""
    setup, exciton = truth.preset.setup, truth.preset.dot.exciton
    path = truth.path.between(start_s, stop_s)
    light = brightness(exciton, path) * emission(exciton, path).bright_quantum_yield
    excitations = np.array([excited(n) for n in path.mean_excitation]) * path.duration_s
    return float((light * excitations).sum()) * setup.efficiency * setup.pulse_rate_hz
