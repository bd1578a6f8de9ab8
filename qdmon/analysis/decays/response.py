"""The instrument response: how a flash of light looks on the TCSPC axis, and decays seen through it.

A response is piecewise constant, so an exponential seen through it has a closed form at every instant:
measured curves and assumed shapes are treated alike, and nothing is convolved on a grid.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtr

from hardware.jit import jit

__all__ = ["Response", "gaussian_with_tail"]

FloatArray = NDArray[np.float64]

# Of a silicon single-photon detector with a thick junction: carriers that reach it by diffusion.
TAIL_SHARE, TAIL_NS = 0.05, 0.5
# Edges of the assumed shape: of the Gaussian in standard deviations, of the tail behind it.
_GAUSSIAN = np.linspace(-3.5, 3.5, 29)
_TAIL_NS = 6.0 * TAIL_NS * np.linspace(0.0, 1.0, 17)[1:] ** 2


@dataclass(frozen=True)
class Response:
    """Density of the arrival time of a flash.

    Attributes:
        edges_ns: (k+1,) ascending, counted from time zero of the detector.
        density: (k,) per ns, constant between two edges, integrates to 1.
        measured: False if the shape is assumed.
    """

    edges_ns: FloatArray
    density: FloatArray
    measured: bool

    @classmethod
    def from_counts(cls, edges_ns: FloatArray, counts: FloatArray) -> "Response":
        """A measured response.

        Args:
            edges_ns: (k+1,) counted from time zero.
            counts: (k,) net of background, none negative, not all zero.
        """
        return cls(edges_ns, counts / (counts.sum() * np.diff(edges_ns)), measured=True)

    @property
    def unsure_ns(self) -> float:
        """Decays shorter than this may be of the response itself: its width where it is a guess."""
        if self.measured:
            return 0.0
        high = self.density >= self.density.max() / 2
        return float(np.diff(self.edges_ns)[high].sum())

    @cached_property
    def _jumps(self) -> FloatArray:
        """(k+1,) steps of the density at the edges."""
        return np.diff(np.concatenate([[0.0], self.density, [0.0]]))

    def prompt(self, x_ns: FloatArray) -> FloatArray:
        """(n,) share of a flash that has arrived by `x_ns` after time zero."""
        arrived = np.concatenate([[0.0], np.cumsum(self.density * np.diff(self.edges_ns))])
        return np.asarray(np.interp(x_ns, self.edges_ns, arrived))

    def decayed(self, x_ns: FloatArray, tau_ns: float, period_ns: float) -> FloatArray:
        """Photons of one exponential that have arrived by `x_ns`, up to a constant; differences are shares.

        Every pulse decays alike, so what earlier pulses leave comes on top. Over one period the
        differences sum to 1.

        Args:
            x_ns: (n,) after time zero, within a period that begins before the response does.
            tau_ns: lifetime.
            period_ns: between two pulses.
        """
        return _decayed(x_ns, self.edges_ns, self._jumps, tau_ns, period_ns)


@jit
def _arrived(x_ns: float, edges_ns: FloatArray, jumps: FloatArray, tau_ns: float) -> float:
    """Of one pulse: each step of the density sets off a ramp that lags by `tau_ns`."""
    arrived = 0.0
    for j in range(len(edges_ns)):
        since = x_ns - edges_ns[j]
        if since <= 0:
            break
        arrived += jumps[j] * (since + tau_ns * np.expm1(-since / tau_ns))
    return arrived


@jit
def _decayed(
    x_ns: FloatArray, edges_ns: FloatArray, jumps: FloatArray, tau_ns: float, period_ns: float
) -> FloatArray:
    """See `Response.decayed`; the steps of the density are those at its edges."""
    end = edges_ns[-1]
    left = 1 - _arrived(end, edges_ns, jumps, tau_ns)
    before = left / -np.expm1(-period_ns / tau_ns)
    found = np.empty(len(x_ns))
    for i in range(len(x_ns)):
        x = x_ns[i]
        arrived = _arrived(x, edges_ns, jumps, tau_ns) if x < end else 1 - left * np.exp((end - x) / tau_ns)
        if x > period_ns + edges_ns[0]:
            arrived += _arrived(x - period_ns, edges_ns, jumps, tau_ns)
        found[i] = arrived - before * np.exp(-(x + period_ns - end) / tau_ns)
    return found


@lru_cache(maxsize=16)
def gaussian_with_tail(fwhm_ns: float) -> Response:
    """The assumed response of a detector: a Gaussian at time zero, a twentieth of it with a slow tail.

    Args:
        fwhm_ns: of the Gaussian.
    """
    sigma = fwhm_ns / 2.3548
    edges = np.concatenate([sigma * _GAUSSIAN, sigma * _GAUSSIAN[-1] + _TAIL_NS])
    z = edges / sigma
    # Gaussian convolved with an exponential: its cumulative distribution.
    late = np.exp(0.5 * (sigma / TAIL_NS) ** 2 - edges / TAIL_NS + log_ndtr(z - sigma / TAIL_NS))
    arrived = ndtr(z) - TAIL_SHARE * late
    share = np.diff(arrived)
    return Response(edges, share / (share.sum() * np.diff(edges)), measured=False)
