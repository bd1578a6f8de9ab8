"""Is the stated <N> right? How the bright level bends with laser power says what <N> really was.

With the true mean excitation N = s J, s times the stated one, the neutral dot gives
I = A ([1 - exp(-N)] + r P(n >= 2)) + B J: pulses with an exciton, a second photon of yield ratio
r = eta_XX/eta_X from those with two, and light of the laser itself. Only the bend tells s from A, and
biexcitons and laser light bend it back: they enter as far as they are known from elsewhere, r as g2(0) at
low <N>. Photons later than five biexciton lifetimes after the pulse have neither: `late` is for those,
I = A [1 - exp(-N)].
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from qdmon.analysis.results.blinking import Conversion
from qdmon.analysis.results.estimate import Estimate
from qdmon.analysis.results.segment import SegmentResult
from qdmon.analysis.switching.excitation import excited, excited_twice

__all__ = ["Saturation", "SaturationPoint", "saturation", "saturation_of"]

FloatArray = NDArray[np.float64]

LEAST_FLUENCES = 4
# Laser power and focus repeat to about this, however many photons are counted.
STEADINESS = 0.003
# Laser light in a level net of background, over the dot's own at low <N>: what a filter lets through.
LASER_LIGHT = Estimate(0.0, 0.01)
LOG_SCALES = np.linspace(np.log(0.05), np.log(20.0), 241)
# A bend that leaves the scale open by more than this is none.
MOST_LOG_ERROR = 0.15
# A g2(0) that says no more than this says nothing of the biexciton; its yield is then anything usual.
LEAST_KNOWN = 0.2
UNKNOWN_RATIO = Estimate(0.2, 0.2)
# What is known exactly has this error.
EXACT = 1e-5


@dataclass(frozen=True, slots=True)
class SaturationPoint:
    """The bright level at one laser power.

    Attributes:
        stated: the <N> that was asked for, or any measure of the power.
        intensity_cps: bright level net of background.
    """

    stated: float
    intensity_cps: Estimate


@dataclass(frozen=True, slots=True)
class Saturation:
    """What a sweep of the laser power says of <N>.

    Attributes:
        scale: s, by which the stated <N> should be multiplied.
        brightness_cps: A, the bright level with an exciton in every pulse.
        yield_ratio: r, as the sweep and what was known of it beforehand have it.
        laser_cps: B, light of the laser at a stated <N> of 1.
        covariance: (4, 4) of ln s, A, r, B.
        chi2_reduced: goodness of fit.
    """

    scale: Estimate
    brightness_cps: Estimate
    yield_ratio: Estimate
    laser_cps: Estimate
    covariance: FloatArray
    chi2_reduced: float


def saturation(
    points: Sequence[SaturationPoint],
    yield_ratio: Estimate,
    *,
    late: bool = False,
    laser_light: Estimate = LASER_LIGHT,
) -> Saturation | None:
    """Scale of the stated <N> from bright levels at different powers.

    Args:
        points: the sweep.
        yield_ratio: eta_XX/eta_X with its error; where it has none, taken as it is.
        late: the intensities are of late photons: no biexcitons, no laser light.
        laser_light: B/(A s), laser light over the dot's own at low <N>, with its error.

    Returns:
        None with fewer than four powers, or where the sweep does not bend enough to tell.
    """
    usable = [p for p in points if p.stated > 0 and p.intensity_cps.value and p.intensity_cps.error]
    if len({p.stated for p in usable}) < LEAST_FLUENCES:
        return None
    nothing = Estimate(0.0)
    sweep = _Sweep(usable, nothing if late else yield_ratio, nothing if late else laser_light)
    chi2 = np.array([sweep.solve(scale)[1] for scale in LOG_SCALES])
    best = int(np.argmin(chi2))
    # Errors grow where the points scatter by more than they say.
    spare = len(usable) - 2
    inflation = max(1.0, float(chi2[best]) / spare)
    within = np.flatnonzero(chi2 <= chi2[best] + inflation)
    if within[0] == 0 or within[-1] == len(LOG_SCALES) - 1:
        return None
    before, at, after = chi2[best - 1 : best + 2]
    step = LOG_SCALES[1] - LOG_SCALES[0]
    vertex = float(LOG_SCALES[best] + step * (before - after) / (2 * (before - 2 * at + after)))
    return sweep.told(vertex, inflation, float(chi2[best]) / spare)


class _Sweep:
    """A sweep to be fitted: for one scale everything else is linear."""

    def __init__(
        self, points: Sequence[SaturationPoint], yield_ratio: Estimate, laser_light: Estimate
    ) -> None:
        self._stated = np.array([p.stated for p in points])
        self._seen = np.array([p.intensity_cps.value for p in points], np.float64)
        error = np.array([p.intensity_cps.error for p in points], np.float64)
        self._error = np.hypot(error, STEADINESS * self._seen)
        self._ratio, self._ratio_error = _known(yield_ratio)
        self._light, self._light_error = _known(laser_light)

    def solve(self, log_scale: float) -> tuple[FloatArray, float]:
        """(3,) A, A r and B at a scale, and the chi-squared of the points and of what was known."""
        scale = float(np.exp(log_scale))
        n = scale * self._stated
        curves = np.stack([excited(n), excited_twice(n), self._stated], axis=1) / self._error[:, None]
        # The brightness that turns doubts about ratios into doubts about amplitudes.
        unit = float(np.sum(self._seen) / np.sum(excited(n)))
        known = np.array([[-self._ratio, 1.0, 0.0], [-self._light * scale, 0.0, 1.0]])
        known /= unit * np.array([[self._ratio_error], [self._light_error * scale]])
        target = np.concatenate([self._seen / self._error, np.zeros(2)])
        amplitudes, residual = nnls(np.concatenate([curves, known]), target)
        return np.asarray(amplitudes, np.float64), float(residual) ** 2

    def _residuals(self, p: FloatArray) -> FloatArray:
        """Of the points and of what was known, at ln s, A, r and B."""
        n = np.exp(p[0]) * self._stated
        model = p[1] * (excited(n) + p[2] * excited_twice(n)) + p[3] * self._stated
        light = p[3] / (p[1] * np.exp(p[0]))
        return np.append(
            (self._seen - model) / self._error,
            [(p[2] - self._ratio) / self._ratio_error, (light - self._light) / self._light_error],
        )

    def told(self, log_scale: float, inflation: float, chi2_reduced: float) -> Saturation | None:
        """The answer, with the errors of the Fisher information; None if they leave the scale open."""
        (brightness, twice, laser), _ = self.solve(log_scale)
        if brightness <= 0:
            return None
        best = np.array([log_scale, brightness, twice / brightness, laser])
        steps = np.diag([1e-4, 1e-4 * brightness, 1e-4, 1e-4 * brightness])
        slope = np.stack([(self._residuals(best + d) - self._residuals(best - d)) / 2e-4 for d in steps])
        unit = np.array([1.0, brightness, 1.0, brightness])
        information = slope @ slope.T
        covariance = np.asarray(np.linalg.inv(information) * np.outer(unit, unit) * inflation, np.float64)
        error = np.sqrt(np.diag(covariance))
        if not error[0] <= MOST_LOG_ERROR:
            return None
        scale = float(np.exp(log_scale))
        values = [(scale, scale * error[0]), *zip(best[1:], error[1:], strict=True)]
        told = [Estimate(float(value), float(e)) for value, e in values]
        return Saturation(told[0], told[1], told[2], told[3], covariance, chi2_reduced)


def saturation_of(segments: Sequence[SegmentResult], conversions: Sequence[Conversion]) -> Saturation | None:
    """What the fluences of a session say of <N>, from the bright levels before the dot first converted.

    The yield of the biexciton is g2(0) of the dimmest stretch that knows it.
    """
    until_s = min((c.time_s for c in conversions), default=np.inf)
    sweep = [
        (s.mean_excitation, s)
        for s in segments
        if s.mean_excitation is not None and s.call.states and s.stop_s <= until_s
    ]
    points = [SaturationPoint(n, s.call.states[0].intensity_cps) for n, s in sweep]
    known = [
        (n, s.g2.zero) for n, s in sweep if s.g2.zero.error is not None and s.g2.zero.error < LEAST_KNOWN
    ]
    ratio = min(known, key=lambda pair: pair[0])[1] if known else UNKNOWN_RATIO
    return saturation(points, ratio)


def _known(estimate: Estimate) -> tuple[float, float]:
    return estimate.value or 0.0, max(estimate.error or 0.0, EXACT)
