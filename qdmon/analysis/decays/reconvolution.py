"""Decays of several detectors as a function of their parameters: exponentials seen through the response.

A detector c expects in each bin, with A_i photons of a component and F_i its share seen through the
response R and folded into the laser period,

    mu_c = rho_c sum_i A_i F_i(t - shift_c) + scatter_c R(t - shift_c) + background_c,

times the chance that it was not blind. Parameters are one vector: n log lifetimes, n photons, then of each
detector log rho, shift, log width, scatter, background.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from qdmon.analysis.decays.decay_bins import DecayBins
from qdmon.analysis.decays.nonnegative import fit_counts
from qdmon.analysis.decays.response import Response, gaussian_with_tail

__all__ = ["BACKGROUND", "RATIO", "SCATTER", "SHIFT", "WIDTH", "Detector", "ReconvolutionModel"]

FloatArray = NDArray[np.float64]
_Scalar = TypeVar("_Scalar", bound=np.generic)

RATIO, SHIFT, WIDTH, SCATTER, BACKGROUND = range(5)
# The width of an assumed response, and how far off the guess may be.
ASSUMED_FWHM_NS, FWHM_FACTOR = 0.3, 8.0
MOST_SHIFT_NS = 1.0
SHORTEST_NS = 0.05
# A longer decay cannot be told from background.
LONGEST_PERIODS = 2.0
# The first guess looks behind the response, for so many lifetimes.
BEHIND_NS, LIFETIMES = 0.7, 18
STEP = 1e-5


class Detector(NamedTuple):
    """What is fitted of one detector: its bins, and its response if that was measured."""

    bins: DecayBins
    response: Response | None

    def seen_through(self, width: float) -> Response:
        """Its response; an assumed one has a log width."""
        return self.response or gaussian_with_tail(float(np.exp(width)))

    def shares(self, log_tau: FloatArray, shift_ns: float, width: float, period_ns: float) -> FloatArray:
        """(g, n+1) share of the photons of n exponentials, and of the pulse itself, in each bin."""
        response = self.seen_through(width)
        edges = self.bins.edges_ns - shift_ns
        arrived = [response.decayed(edges, tau, period_ns) for tau in np.exp(log_tau)]
        return np.asarray(np.diff([*arrived, response.prompt(edges)], axis=1).T * self.bins.live[:, None])


class ReconvolutionModel:
    """Expected photons in all bins of all detectors, and their derivatives.

    Attributes:
        low: (p,) lower bounds of the parameters.
        high: (p,) upper bounds.
        free: (p,) bool; held are rho of the first detector and the widths of measured responses.
        scale: (p,) how much each parameter may sensibly change.
    """

    def __init__(self, detectors: Sequence[Detector], period_ns: float, number: int) -> None:
        """Lay out the parameters.

        Args:
            detectors: the one with most photons first.
            period_ns: between two pulses.
            number: of exponentials.
        """
        self._detectors = detectors
        self._period_ns = period_ns
        self._number = number
        total = float(detectors[0].bins.counts.sum())
        tau = np.log([SHORTEST_NS, LONGEST_PERIODS * period_ns])
        width = np.log(ASSUMED_FWHM_NS) + np.log(FWHM_FACTOR) * np.array([-1, 1])
        kinds = [
            (tau[0], tau[1], 0.3),
            (0.0, np.inf, 0.1 * total),
            (-np.inf, np.inf, 0.1),
            (-MOST_SHIFT_NS, MOST_SHIFT_NS, 0.1),
            (width[0], width[1], 0.3),
            (0.0, np.inf, 0.01 * total),
            (0.0, np.inf, 0.01 * total / period_ns),
        ]
        layout = [0] * number + [1] * number + [2, 3, 4, 5, 6] * len(detectors)
        self.low, self.high, self.scale = np.array([kinds[i] for i in layout]).T
        self.free = np.ones(len(layout), np.bool_)
        self._known: tuple[bytes, list[FloatArray]] = b"", []
        own = self.own(self.free)
        own[0, RATIO] = False
        own[:, WIDTH] = [d.response is None for d in detectors]

    def own(self, x: NDArray[_Scalar]) -> NDArray[_Scalar]:
        """(c, 5) the parameters of each detector, as a view."""
        return x[2 * self._number :].reshape(-1, 5)

    def start(self) -> FloatArray:
        """(p,) a first guess: amplitudes of many lifetimes, gathered into as many as wanted."""
        n, detector = self._number, self._detectors[0]
        bins, total = detector.bins, float(detector.bins.counts.sum())
        tau = np.geomspace(max(0.2, 2e-3 * self._period_ns), 0.5 * self._period_ns, LIFETIMES)
        shares = detector.shares(np.log(tau), 0.0, np.log(ASSUMED_FWHM_NS), self._period_ns)
        curves = np.column_stack([shares[:, :-1], bins.width_ns * bins.live])
        behind = bins.edges_ns[:-1] > min(BEHIND_NS, 0.1 * self._period_ns)
        amplitude, _ = fit_counts(curves[behind], bins.counts[behind])
        lifetimes, photons = _gathered(tau, amplitude[:-1], n)
        x = np.zeros(len(self.low))
        x[:n] = np.log(lifetimes)
        x[n : 2 * n] = np.maximum(photons, 1e-3 * total)
        for own, other in zip(self.own(x), self._detectors, strict=True):
            ratio = float(other.bins.counts.sum()) / total
            floor = max(float(amplitude[-1]), 1e-3 * total / self._period_ns)
            own[:] = np.log(ratio), 0.0, np.log(ASSUMED_FWHM_NS), 0.003 * total * ratio, floor * ratio
        return np.clip(x, self.low, self.high)

    def expected(self, x: FloatArray) -> FloatArray:
        """(g,) photons in all bins, detector after detector."""
        each = zip(self._detectors, self.own(x), self._shares(x), strict=True)
        return np.concatenate(
            [
                shares @ self._photons(x, own) + own[BACKGROUND] * _uniform(detector)
                for detector, own, shares in each
            ]
        )

    def jacobian(self, x: FloatArray) -> FloatArray:
        """(g, p) derivatives of the expected photons."""
        n, parts = self._number, []
        for i, (detector, own) in enumerate(zip(self._detectors, self.own(x), strict=True)):
            photons = self._photons(x, own)
            shares = self._shares(x)[i]
            slower = detector.shares(x[:n] + STEP, own[SHIFT], own[WIDTH], self._period_ns)
            later = detector.shares(x[:n], own[SHIFT] + STEP, own[WIDTH], self._period_ns)
            part = np.zeros((len(shares), len(x)))
            part[:, :n] = photons[:n] * (slower - shares)[:, :n] / STEP
            part[:, n : 2 * n] = np.exp(own[RATIO]) * shares[:, :n]
            columns = part[:, 2 * n + 5 * i : 2 * n + 5 * (i + 1)]
            columns[:, RATIO] = shares[:, :n] @ photons[:n]
            columns[:, SHIFT] = (later - shares) @ photons / STEP
            if detector.response is None:
                wider = detector.shares(x[:n], own[SHIFT], own[WIDTH] + STEP, self._period_ns)
                columns[:, WIDTH] = (wider - shares) @ photons / STEP
            columns[:, SCATTER] = shares[:, n]
            columns[:, BACKGROUND] = _uniform(detector)
            parts.append(part)
        return np.concatenate(parts)

    def _shares(self, x: FloatArray) -> list[FloatArray]:
        """(g, n+1) shares of each detector; those of the last point are kept for its derivatives."""
        if self._known[0] != x.tobytes():
            n = self._number
            self._known = (
                x.tobytes(),
                [
                    detector.shares(x[:n], own[SHIFT], own[WIDTH], self._period_ns)
                    for detector, own in zip(self._detectors, self.own(x), strict=True)
                ],
            )
        return self._known[1]

    def _photons(self, x: FloatArray, own: FloatArray) -> FloatArray:
        """(n+1,) of the components in a detector, and of the pulse itself."""
        n = self._number
        return np.append(np.exp(own[RATIO]) * x[n : 2 * n], own[SCATTER])


def _uniform(detector: Detector) -> FloatArray:
    return detector.bins.width_ns * detector.bins.live


def _gathered(tau: FloatArray, photons: FloatArray, number: int) -> tuple[FloatArray, FloatArray]:
    """Neighbouring lifetimes joined until so many are left, longest first."""
    groups = [(float(t), float(p)) for t, p in zip(tau, photons, strict=True) if p > 0]
    groups = groups or [(float(tau[len(tau) // 2]), 1.0)]
    while len(groups) > number:
        apart = [later[0] / earlier[0] for earlier, later in pairwise(groups)]
        i = int(np.argmin(apart))
        (t1, p1), (t2, p2) = groups[i : i + 2]
        joined = float(np.exp((p1 * np.log(t1) + p2 * np.log(t2)) / (p1 + p2))), p1 + p2
        groups[i : i + 2] = [joined]
    while len(groups) < number:
        # Nothing hints at another one: it is most easily overlooked where it is short.
        shortest, light = groups[0]
        groups.insert(0, (shortest / 4, light / 20))
    found = np.array(groups[::-1]).T
    return found[0], found[1]
