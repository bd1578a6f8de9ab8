"""Sum of exponentials fitted to the decays of all detectors at once, with errors and goodness of fit.

The Poisson deviance is minimised (counts are few far from the pulse, where least squares is biased; Maus
et al. 2001). It is the sum of the squared deviance residuals, so a least-squares optimiser with bounds
finds its minimum. Errors are from the Fisher matrix. The number of exponentials is the one beyond which
the Bayesian information criterion (of photons: each is an observation) gains nothing, or could not tell
them apart.
"""

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares
from scipy.special import xlogy

from qdmon.analysis.decays.decay_bins import DecayBins
from qdmon.analysis.decays.reconvolution import (
    BACKGROUND,
    RATIO,
    SCATTER,
    SHIFT,
    WIDTH,
    Detector,
    ReconvolutionModel,
)
from qdmon.analysis.decays.residuals import Goodness, goodness_of
from qdmon.analysis.decays.response import Response
from qdmon.analysis.results.estimate import Estimate

__all__ = ["DetectorFit", "MultiExponential", "fit_exponentials", "fit_number_of_exponentials"]

FloatArray = NDArray[np.float64]

MOST_EXPONENTIALS = 3
FEWEST_PHOTONS = 500
MOST_STEPS = 60
APART = 2.0


@dataclass(frozen=True, slots=True)
class DetectorFit:
    """What the fit says of one detector.

    Attributes:
        counts: photons fitted.
        ratio: its photons over those of the first detector.
        shift_ns: of the pulse against the given time zero.
        scatter: photons of the pulse itself.
        background_per_ns: uniform background photons.
        response: as used; an assumed one with its fitted width.
    """

    counts: int
    ratio: float
    shift_ns: float
    scatter: float
    background_per_ns: float
    response: Response


@dataclass(frozen=True)
class MultiExponential:
    """A fitted sum of exponentials.

    Attributes:
        lifetimes_ns: (n,) longest first.
        photons: (n,) of each component in the first detector, all of its decay.
        covariance: (2n, 2n) of lifetimes and photons, in this order; NaN where a parameter is at a bound.
        detectors: channel -> what it is to that detector, the brightest first.
        deviance: Poisson deviance.
        bic: Bayesian information criterion; only differences mean something.
        goodness: tests of the residuals.
        period_ns: between two pulses.
    """

    lifetimes_ns: FloatArray
    photons: FloatArray
    covariance: FloatArray
    detectors: Mapping[int, DetectorFit]
    deviance: float
    bic: float
    goodness: Goodness | None
    period_ns: float

    def expected(self, channel: int, low_ns: FloatArray, high_ns: FloatArray) -> FloatArray:
        """(g,) photons that a detector which is never blind expects in bins after its given time zero."""
        own = self.detectors[channel]

        def arrived(x_ns: FloatArray) -> FloatArray:
            total = own.background_per_ns * x_ns + own.scatter * own.response.prompt(x_ns)
            for tau, photons in zip(self.lifetimes_ns.tolist(), self.photons.tolist(), strict=True):
                total += own.ratio * photons * own.response.decayed(x_ns, tau, self.period_ns)
            return total

        return arrived(high_ns - own.shift_ns) - arrived(low_ns - own.shift_ns)

    def estimate(self, quantity: Callable[[FloatArray, FloatArray], float]) -> Estimate:
        """A function of lifetimes and photons with its standard error; none where a bound holds one."""
        n = len(self.photons)
        at = np.concatenate([self.lifetimes_ns, self.photons])
        step = 1e-5 * np.maximum(at, 1e-9)
        value = float(quantity(at[:n], at[n:]))
        gradient = np.empty(2 * n)
        for i in range(2 * n):
            moved = at.copy()
            moved[i] += step[i]
            gradient[i] = (float(quantity(moved[:n], moved[n:])) - value) / step[i]
        used = np.flatnonzero(gradient)
        variance = float(gradient[used] @ self.covariance[np.ix_(used, used)] @ gradient[used])
        return Estimate(value, float(np.sqrt(max(variance, 0.0))) if np.isfinite(variance) else None)

    @property
    def resolved(self) -> bool:
        """Every component is known, and by twice the error another than its neighbour."""
        n = len(self.photons)
        errors = np.sqrt(np.diag(self.covariance))
        if not np.isfinite(errors).all():
            return False
        relative = errors[:n] / self.lifetimes_ns
        apart = -np.diff(np.log(self.lifetimes_ns))
        return bool((apart > APART * np.hypot(relative[1:], relative[:-1])).all())


def fit_number_of_exponentials(
    bins: Mapping[int, DecayBins],
    responses: Mapping[int, Response],
    period_ns: float,
    most: int = MOST_EXPONENTIALS,
) -> MultiExponential | None:
    """As many exponentials as the photons ask for.

    Args:
        bins: channel -> its photons; all see the same light.
        responses: channel -> measured response; others are assumed to be Gaussian with a tail.
        period_ns: between two pulses.
        most: largest number tried.

    Returns:
        None where no detector has enough photons.
    """
    best = fit_exponentials(bins, responses, period_ns, 1)
    for number in range(2, most + 1):
        more = fit_exponentials(bins, responses, period_ns, number) if best is not None else None
        if best is None or more is None or more.bic >= best.bic or not more.resolved:
            break
        best = more
    return best


def fit_exponentials(
    bins: Mapping[int, DecayBins], responses: Mapping[int, Response], period_ns: float, number: int
) -> MultiExponential | None:
    """A given number of exponentials; the rest is as in `fit_number_of_exponentials`."""
    lit = {c: b for c, b in bins.items() if b.counts.sum() >= FEWEST_PHOTONS}
    channels = sorted(lit, key=lambda c: -lit[c].counts.sum())
    if not channels:
        return None
    detectors = [Detector(lit[c], responses.get(c)) for c in channels]
    model = ReconvolutionModel(detectors, period_ns, number)
    counts = np.concatenate([d.bins.counts for d in detectors])
    seen = np.concatenate([d.bins.live > 0 for d in detectors])
    x = _minimised(model, counts, seen)
    order = np.argsort(-x[:number])
    lifetimes, photons = np.exp(x[:number][order]), x[number : 2 * number][order]
    expected = np.maximum(model.expected(x), 1e-9)
    deviance = float(np.square(_deviance_residuals(counts, expected))[seen].sum())
    ends = np.cumsum([len(d.bins.counts) for d in detectors])[:-1]
    normal = (counts - expected) / np.sqrt(expected)
    parts = zip(np.split(normal, ends), np.split(seen, ends), strict=True)
    fitted = int(model.free.sum())
    return MultiExponential(
        lifetimes,
        photons,
        _covariance(model, x, expected, seen, order),
        {
            c: DetectorFit(
                int(detector.bins.counts.sum()),
                float(np.exp(own[RATIO])),
                float(own[SHIFT]),
                float(own[SCATTER]),
                float(own[BACKGROUND]),
                detector.seen_through(own[WIDTH]),
            )
            for c, detector, own in zip(channels, detectors, model.own(x), strict=True)
        },
        deviance,
        deviance + fitted * float(np.log(counts.sum())),
        goodness_of([part[good] for part, good in parts], fitted),
        period_ns,
    )


def _minimised(model: ReconvolutionModel, counts: FloatArray, seen: NDArray[np.bool_]) -> FloatArray:
    """(p,) parameters of least deviance."""
    x, free = model.start(), model.free

    def at(part: FloatArray) -> FloatArray:
        whole = x.copy()
        whole[free] = part
        return whole

    def residuals(part: FloatArray) -> FloatArray:
        expected = np.maximum(model.expected(at(part)), 1e-9)
        return _deviance_residuals(counts, expected)[seen]

    def jacobian(part: FloatArray) -> FloatArray:
        whole = at(part)
        expected = np.maximum(model.expected(whole), 1e-9)
        residual = _deviance_residuals(counts, expected)
        flat = np.abs(residual) < 1e-4
        slope = np.where(flat, 1 / np.sqrt(expected), (1 - counts / expected) / np.where(flat, 1, residual))
        return np.asarray((slope[:, None] * model.jacobian(whole)[:, free])[seen])

    low, high, scale = model.low[free], model.high[free], model.scale[free]
    inside = np.clip(x[free], low + 1e-6 * scale, high - 1e-6 * scale)
    found = least_squares(
        residuals, inside, jacobian, (low, high), x_scale=scale, ftol=1e-5, xtol=1e-5, max_nfev=MOST_STEPS
    )
    return at(found.x)


def _deviance_residuals(counts: FloatArray, expected: FloatArray) -> FloatArray:
    """(g,) roots of each bin's share of the deviance, positive where too much is expected."""
    half = expected - counts + xlogy(counts, counts / expected)
    return np.asarray(np.sign(expected - counts) * np.sqrt(2 * np.maximum(half, 0.0)))


def _covariance(
    model: ReconvolutionModel,
    x: FloatArray,
    expected: FloatArray,
    seen: NDArray[np.bool_],
    order: NDArray[np.intp],
) -> FloatArray:
    """(2n, 2n) of the lifetimes and photons in the given order."""
    n = len(order)
    # At a bound the likelihood is not a parabola; what is held there is left out.
    room = 1e-3 * model.scale
    inside = model.free & (x > model.low + room) & (x < model.high - room)
    jacobian = (model.jacobian(x) / np.sqrt(expected)[:, None])[np.ix_(seen, inside)] * model.scale[inside]
    whole = np.full((len(x), len(x)), np.nan)
    scale = model.scale[inside]
    with contextlib.suppress(np.linalg.LinAlgError):
        whole[np.ix_(inside, inside)] = np.linalg.inv(jacobian.T @ jacobian) * np.outer(scale, scale)
    wanted = np.concatenate([order, n + order])
    to_ns = np.concatenate([np.exp(x[:n][order]), np.ones(n)])
    return np.asarray(whole[np.ix_(wanted, wanted)] * np.outer(to_ns, to_ns))
