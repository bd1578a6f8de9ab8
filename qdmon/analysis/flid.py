"""Fluorescence lifetime-intensity distribution: one blurred point per bin, and the paper's curve over it."""

import numpy as np
from numpy.typing import NDArray

from hardware.jit import jit
from qdmon.analysis.equations import auger_intensity, bc_intensity, mixed_intensity
from qdmon.analysis.snapshot import BlinkingCall, FlidMap

__all__ = ["empty_flid", "flid_map"]

FloatArray = NDArray[np.float64]

COLUMNS, ROWS = 96, 64


@jit
def splat(
    density: NDArray[np.float32],
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    sx: NDArray[np.float64],
    sy: NDArray[np.float64],
) -> None:
    """Add one Gaussian of unit weight per point, all in cells.

    Args:
        density: (rows, columns).
        x: (n,) column of each point.
        y: (n,) row of each point.
        sx: (n,) standard deviation along columns.
        sy: (n,) standard deviation along rows.
    """
    rows, columns = density.shape
    for i in range(len(x)):
        x0, x1 = max(int(x[i] - 2.5 * sx[i]), 0), min(int(x[i] + 2.5 * sx[i]) + 1, columns)
        y0, y1 = max(int(y[i] - 2.5 * sy[i]), 0), min(int(y[i] + 2.5 * sy[i]) + 1, rows)
        norm = 1 / (2 * np.pi * sx[i] * sy[i])
        for r in range(y0, y1):
            v = (r + 0.5 - y[i]) / sy[i]
            for c in range(x0, x1):
                u = (c + 0.5 - x[i]) / sx[i]
                density[r, c] += norm * np.exp(-0.5 * (u * u + v * v))


def empty_flid() -> FlidMap:
    """No map yet."""
    edge = np.array([0.0, 1.0])
    return FlidMap(edge, edge, np.zeros((1, 1), np.float32), np.empty(0), np.empty(0), "")


def flid_map(rate_cps: FloatArray, tau_ns: FloatArray, counts: FloatArray, call: BlinkingCall) -> FlidMap:
    """Map of some bins with the curve of the type they were called.

    Args:
        rate_cps: (n,) background-subtracted rate per bin.
        tau_ns: (n,) lifetime per bin; NaN where there is none.
        counts: (n,) photons per bin, for the uncertainty.
        call: the verdict on these bins, for the curve and the axes.
    """
    good = np.isfinite(tau_ns) & (counts > 4)
    rate, tau, n = rate_cps[good], tau_ns[good], counts[good]
    if len(rate) < 10:
        return empty_flid()
    top_rate = 1.15 * float(np.percentile(rate, 99.5))
    top_tau = 1.25 * float(np.percentile(tau, 99))
    if call.states and call.states[0].lifetime_ns.value and call.states[0].intensity_cps.value:
        top_rate = max(top_rate, 1.15 * call.states[0].intensity_cps.value)
        top_tau = min(
            max(top_tau, 1.25 * call.states[0].lifetime_ns.value), 2.5 * call.states[0].lifetime_ns.value
        )
    if top_rate <= 0 or top_tau <= 0:
        return empty_flid()
    density = np.zeros((ROWS, COLUMNS), np.float32)
    relative = 1 / np.sqrt(n)
    splat(
        density,
        tau / top_tau * COLUMNS,
        rate / top_rate * ROWS,
        np.maximum(0.5 * relative * tau / top_tau * COLUMNS, 0.6),
        np.maximum(0.5 * relative * rate / top_rate * ROWS, 0.6),
    )
    curve_tau, curve_rate, name = _curve(call)
    return FlidMap(
        np.linspace(0, top_tau, COLUMNS + 1),
        np.linspace(0, top_rate, ROWS + 1),
        density,
        curve_tau,
        curve_rate,
        name,
    )


def _curve(call: BlinkingCall) -> tuple[FloatArray, FloatArray, str]:
    """Eq. 1, 2 or 3 through the fitted states; nothing where no type was called."""
    nothing = np.empty(0), np.empty(0), ""
    values = [x for s in call.states for x in (s.intensity_cps.value, s.lifetime_ns.value)]
    if call.blinking not in ("auger", "bc", "mixed") or len(values) < 2 or None in values:
        return nothing
    numbers = [float(v) for v in values if v is not None]
    i1, tau1 = numbers[:2]
    if call.blinking == "bc":
        tau = np.linspace(0.0, tau1, 64)
        return tau, bc_intensity(tau, i1, tau1), "Eq. 2 (BC)"
    if len(numbers) < 4 or numbers[3] >= tau1:
        return nothing
    i2, tau2 = numbers[2:4]
    tau = np.linspace(tau2, tau1, 64)
    if call.blinking == "auger":
        return tau, auger_intensity(tau, i1, tau1, i2, tau2), "Eq. 1 (Auger)"
    share = call.auger_share.value or 0.5
    return tau, mixed_intensity(tau, i1, tau1, i2, tau2, share), f"Eq. 3 ({share:.2f} Auger)"
