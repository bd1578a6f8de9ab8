"""Fluorescence lifetime-intensity distribution: one blurred point per bin, and the paper's curve over it.

A point is drawn as a Gaussian as wide as it is uncertain, so that a map of few photons does not show
structure that is not there (Palstra & Koenderink, J. Phys. Chem. C 2021); what it weighs is the caller's
choice: one for bins of equal length, its duration for a level between two changes of light.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hardware.jit import jit
from qdmon.analysis.equations import auger_intensity, bc_intensity, mixed_intensity
from qdmon.analysis.results.blinking import BlinkingCall
from qdmon.analysis.results.intensity import FlidMap

__all__ = ["FlidPoints", "blurred_density", "empty_flid", "flid_map"]

FloatArray = NDArray[np.float64]

COLUMNS, ROWS = 96, 64
LEAST_BLUR = 0.6  # of a cell
# Standard errors beyond which a point leaves nothing on the map: 6e-5 of it.
REACH = 4.0
SHARP = 1e-6  # of the map


@dataclass(frozen=True, slots=True)
class FlidPoints:
    """Bins or levels of a dot's light.

    Attributes:
        lifetime_ns: (n,).
        lifetime_error_ns: (n,) standard errors, 0 for none.
        rate_cps: (n,).
        rate_error_cps: (n,) standard errors, 0 for none.
        weight: (n,) what each point adds to the map in all.
    """

    lifetime_ns: FloatArray
    lifetime_error_ns: FloatArray
    rate_cps: FloatArray
    rate_error_cps: FloatArray
    weight: FloatArray


@jit
def shares_of_cells(share: FloatArray, edges: FloatArray, centre: float, error: float) -> tuple[int, int]:
    """Share of a Gaussian in each cell it reaches.

    Args:
        share: (cells,) overwritten from the first cell reached to the last.
        edges: (cells+1,) ascending.
        centre: of the Gaussian.
        error: its standard deviation; next to nothing puts all of it into one cell.

    Returns:
        First cell reached and the one after the last.
    """
    cells = len(share)
    if error < SHARP * (edges[-1] - edges[0]):
        error = 0.0
    first = int(np.searchsorted(edges, centre - REACH * error, side="right")) - 1
    after = int(np.searchsorted(edges, centre + REACH * error, side="right"))
    first, after = max(first, 0), min(after, cells)
    if error == 0.0:
        for i in range(first, after):
            share[i] = 1.0
        return first, after
    scale = 1 / (error * math.sqrt(2.0))
    if first < after:
        below = math.erf((edges[first] - centre) * scale)
    for i in range(first, after):
        above = math.erf((edges[i + 1] - centre) * scale)
        share[i] = 0.5 * (above - below)
        below = above
    return first, after


@jit
def add_points(
    density: FloatArray,
    x_edges: FloatArray,
    y_edges: FloatArray,
    x: FloatArray,
    x_error: FloatArray,
    y: FloatArray,
    y_error: FloatArray,
    weight: FloatArray,
) -> None:
    """Add each point's weight to the cells its Gaussian covers.

    Args:
        density: (rows, columns), added to.
        x_edges: (columns+1,) ascending.
        y_edges: (rows+1,) ascending.
        x: (n,) in the unit of `x_edges`, as `x_error`.
        x_error: (n,) standard deviations.
        y: (n,) in the unit of `y_edges`, as `y_error`.
        y_error: (n,) standard deviations.
        weight: (n,).
    """
    rows, columns = density.shape
    along_x, along_y = np.empty(columns), np.empty(rows)
    for i in range(np.uint64(len(x))):
        c0, c1 = shares_of_cells(along_x, x_edges, x[i], x_error[i])
        r0, r1 = shares_of_cells(along_y, y_edges, y[i], y_error[i])
        for r in range(r0, r1):
            for c in range(c0, c1):
                density[r, c] += weight[i] * along_y[r] * along_x[c]


def blurred_density(
    points: FlidPoints, lifetime_edges_ns: FloatArray, intensity_edges_cps: FloatArray
) -> FloatArray:
    """Weight per cell of a lifetime-intensity map, each point spread over its own uncertainty.

    A point whose lifetime, rate or error is not a number is left out; what of a Gaussian lies off the map
    is lost, so the sum is at most that of the weights.

    Args:
        points: what is drawn.
        lifetime_edges_ns: (x+1,) ascending.
        intensity_edges_cps: (y+1,) ascending.

    Returns:
        (y, x) weight per cell.
    """
    columns = (
        points.lifetime_ns,
        points.lifetime_error_ns,
        points.rate_cps,
        points.rate_error_cps,
        points.weight,
    )
    good = np.logical_and.reduce([np.isfinite(c) for c in columns])
    x, x_error, y, y_error, weight = (np.asarray(c[good], np.float64) for c in columns)
    density = np.zeros((len(intensity_edges_cps) - 1, len(lifetime_edges_ns) - 1))
    add_points(
        density,
        np.asarray(lifetime_edges_ns, np.float64),
        np.asarray(intensity_edges_cps, np.float64),
        x,
        x_error,
        y,
        y_error,
        weight,
    )
    return density


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
    lifetime_edges, rate_edges = np.linspace(0, top_tau, COLUMNS + 1), np.linspace(0, top_rate, ROWS + 1)
    # Half of each bin's own error: the bins scatter by all of it already. No less than would look spotted.
    relative = 0.5 / np.sqrt(n)
    points = FlidPoints(
        tau,
        np.maximum(relative * tau, LEAST_BLUR * lifetime_edges[1]),
        rate,
        np.maximum(relative * rate, LEAST_BLUR * rate_edges[1]),
        np.ones(len(tau)),
    )
    density = blurred_density(points, lifetime_edges, rate_edges).astype(np.float32)
    curve_tau, curve_rate, name = _curve(call)
    return FlidMap(lifetime_edges, rate_edges, density, curve_tau, curve_rate, name)


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
