"""From the slow state to the light: lifetimes and quantum yields while the state stays as it is.

Neutral exciton: k = kr + k0 + knr, yield kr / k (paper, Eq. 2). Trion: k = beta kr + kA + k0 + c knr,
yield beta kr / k. Biexciton: k = 4 kr + kA_XX + 2 (k0 + knr), yield 4 kr / k. k0 is the constant
loss, knr that of the active traps.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hardware.sim.dot import Exciton
from hardware.sim.state import Charge, StatePath

__all__ = ["Emission", "brightness", "emission"]

_Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Emission:
    """Lifetimes and yields in each of k stretches of a path.

    Attributes:
        lifetime_ns: (k,) of the exciton or trion.
        quantum_yield: (k,) chance that it emits.
        pair_lifetime_ns: (k,) of the biexciton or charged biexciton.
        pair_quantum_yield: (k,) chance that the first photon of two is emitted.
        bright_quantum_yield: (k,) of the neutral exciton without active traps at that time.
    """

    lifetime_ns: _Floats
    quantum_yield: _Floats
    pair_lifetime_ns: _Floats
    pair_quantum_yield: _Floats
    bright_quantum_yield: _Floats


def emission(exciton: Exciton, path: StatePath) -> Emission:
    """Lifetimes and yields along a path; hot-carrier capture is left out, it takes whole pulses."""
    radiative = exciton.quantum_yield / exciton.lifetime_ns
    constant = (1.0 - exciton.quantum_yield) / exciton.lifetime_ns + path.loss_per_ns
    neutral = radiative + constant + path.trapping_per_ns

    auger = 1.0 / exciton.trion_lifetime_ns - exciton.radiative_ratio * radiative
    auger -= (1.0 - exciton.quantum_yield) / exciton.lifetime_ns
    charged = path.charge != Charge.NEUTRAL
    share = np.where(path.charge == Charge.GREY, 1.0 / 3.0, 1.0)
    trion = exciton.radiative_ratio * radiative + share * auger + constant
    trion = trion + exciton.trion_trapping * path.trapping_per_ns

    undisturbed = 4.0 * radiative / (exciton.biexciton_yield_ratio * exciton.quantum_yield)
    pair = undisturbed + 2.0 * (path.loss_per_ns + path.trapping_per_ns)
    pair_yield = 4.0 * radiative / pair

    dark = path.charge == Charge.BLEACHED
    single_yield = np.where(charged, exciton.radiative_ratio * radiative / trion, radiative / neutral)
    return Emission(
        lifetime_ns=np.where(charged, 1.0 / trion, 1.0 / neutral),
        quantum_yield=np.where(dark, 0.0, single_yield),
        pair_lifetime_ns=np.where(charged, exciton.charged_biexciton_lifetime, 1.0) / pair,
        pair_quantum_yield=np.where(
            dark, 0.0, np.where(charged, exciton.charged_biexciton_yield, 1.0) * pair_yield
        ),
        bright_quantum_yield=radiative / (radiative + constant),
    )


def brightness(exciton: Exciton, path: StatePath) -> _Floats:
    """(k,) emission per excitation, over that of the bright level the dot has at that time."""
    light = emission(exciton, path)
    return (1.0 - path.capture) * light.quantum_yield / light.bright_quantum_yield
