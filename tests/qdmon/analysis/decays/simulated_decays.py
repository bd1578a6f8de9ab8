"""Decays drawn photon by photon for tests of the multi-exponential fit: nothing of the model is used."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from qdmon.analysis.decays.decay_bins import DecayBins, decay_bins
from qdmon.analysis.decays.pileup import PileUp

__all__ = ["RESOLUTION_PS", "T0_NS", "binned", "exponentials", "histograms"]

RESOLUTION_PS = 64.0
T0_NS = (4.0, 4.64)
FWHM_NS, TAIL_SHARE, TAIL_NS = 0.36, 0.05, 0.5

Draw = Callable[[np.random.Generator, int], NDArray[np.float64]]


def exponentials(*parts: tuple[float, float]) -> Draw:
    """Photons of several exponentials, each a lifetime in ns and its share of the photons."""
    lifetimes, shares = np.array(parts).T

    def draw(rng: np.random.Generator, photons: int) -> NDArray[np.float64]:
        return np.asarray(rng.exponential(rng.choice(lifetimes, photons, p=shares)))

    return draw


def histograms(
    seed: int,
    photons: int,
    draw: Draw,
    period_ns: float = 200.0,
    background: float = 0.02,
    scatter: float = 0.002,
    delays_ns: Sequence[float] = T0_NS,
) -> NDArray[np.int64]:
    """(c, t) TCSPC histograms of detectors with jitter, a slow tail, cables, scatter and background."""
    rng = np.random.default_rng(seed)
    bins = int(np.ceil(period_ns * 1e3 / RESOLUTION_PS))
    rows = []
    for delay_ns in delays_ns:
        n = photons // len(delays_ns)
        prompt = rng.random(n) < scatter
        t = np.where(prompt, 0.0, draw(rng, n)) + delay_ns + rng.normal(0, FWHM_NS / 2.3548, n)
        t += np.where(rng.random(n) < TAIL_SHARE, rng.exponential(TAIL_NS, n), 0.0)
        t = np.where(rng.random(n) < background, rng.uniform(0, period_ns, n), t % period_ns)
        rows.append(np.bincount((t * 1e3 / RESOLUTION_PS).astype(np.int64), minlength=bins)[:bins])
    return np.stack(rows)


def binned(
    histogram: NDArray[np.int64], period_ns: float = 200.0, pile_up: PileUp | None = None
) -> dict[int, DecayBins]:
    """What a fit is given, with time zero a little wrong on one detector."""
    t0_ps = [4000.0, 4600.0]
    return {
        c: decay_bins(row, RESOLUTION_PS, period_ns, t0, pile_up)
        for c, (row, t0) in enumerate(zip(histogram, t0_ps, strict=False))
    }
