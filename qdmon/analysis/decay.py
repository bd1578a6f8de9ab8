"""The TCSPC histogram of a stretch with a sum of exponentials drawn through it."""

import numpy as np
from numpy.typing import NDArray

from qdmon.analysis.nonnegative import fit_counts
from qdmon.analysis.snapshot import UNKNOWN, Decay, Estimate
from qdmon.analysis.timing import GATE_NS, GUARD_NS

__all__ = ["decay_with_fit", "empty_decay"]

FloatArray = NDArray[np.float64]

DRAWN_BINS = 400
EXPONENTIALS = 12


def empty_decay() -> Decay:
    """No photons with nanotimes yet."""
    return Decay(np.empty(0), {}, {}, UNKNOWN, None)


def decay_with_fit(
    histogram: NDArray[np.int64],
    resolution_ps: float,
    period_ns: float,
    t0_ps: dict[int, float],
    lifetime_ns: Estimate,
) -> Decay:
    """Group the histogram for drawing and fit exponentials plus a constant behind the gate.

    Args:
        histogram: (c, t) photons per channel and TCSPC bin.
        resolution_ps: width of a TCSPC bin.
        period_ns: laser period.
        t0_ps: channel -> arrival of the pulse; only these channels are drawn.
        lifetime_ns: mean lifetime to state with the decay.
    """
    bins = min(histogram.shape[1], int(np.ceil(period_ns * 1e3 / resolution_ps)))
    group = max(1, bins // DRAWN_BINS)
    drawn = bins // group
    width_ns = group * resolution_ps / 1e3
    start_ns = np.arange(drawn) * width_ns
    counts: dict[int, NDArray[np.int64]] = {}
    model: dict[int, FloatArray] = {}
    chi2, freedom = 0.0, 0
    for channel, t0 in t0_ps.items():
        y = histogram[channel, : drawn * group].reshape(drawn, group).sum(axis=1)
        counts[channel] = y
        if y.sum() < 500:
            continue
        after = (start_ns - t0 / 1e3 + GUARD_NS) % period_ns - GUARD_NS
        fitted = (after >= GATE_NS) & (after < period_ns - GUARD_NS - width_ns)
        curve, used = _fit(y.astype(np.float64), np.maximum(after, 0.0), fitted, width_ns, period_ns)
        model[channel] = np.where(after >= 0, curve, curve[fitted].min(initial=0.0))
        residual = (y[fitted] - curve[fitted]) / np.sqrt(np.maximum(curve[fitted], 1.0))
        chi2 += float(residual @ residual)
        freedom += int(fitted.sum()) - used
    return Decay(start_ns, counts, model, lifetime_ns, chi2 / freedom if freedom > 0 and model else None)


def _fit(
    y: FloatArray, after_ns: FloatArray, fitted: NDArray[np.bool_], width_ns: float, period_ns: float
) -> tuple[FloatArray, int]:
    tau = np.geomspace(0.005 * period_ns, 0.3 * period_ns, EXPONENTIALS)
    design = np.exp(-after_ns[:, None] / tau) * -np.expm1(-width_ns / tau)
    design = np.concatenate([design, np.ones((len(y), 1))], axis=1)
    amplitude, _ = fit_counts(design[fitted], y[fitted])
    return np.asarray(design @ amplitude, np.float64), int(np.count_nonzero(amplitude))
