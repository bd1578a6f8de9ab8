"""Whether the light that is left tells by its lifetime what took the rest."""

import numpy as np

from qdmon.analysis.dot.binned import BinnedDecays
from qdmon.analysis.dot.family import FamilyFit
from qdmon.analysis.dot.states import KIND, SINGLE, time_in

__all__ = ["DARK_FROM", "dark_share"]

# Share of the loss in light without a lifetime from which nobody can say what takes it.
DARK_FROM = 0.5
# Log-likelihood by which a decay must differ from another of as much light to be told from it.
LEAST_NATS = 20.0
# A trap that leaves less is not told from one that leaves nothing.
LEAST_LEVEL = 0.02


def dark_share(data: BinnedDecays, found: FamilyFit) -> float:
    """Share of the loss in too little light to have a lifetime, where every mechanism looks the same.

    States have one if all photons seen of them tell their decays from those of as much other light: that with
    a lifetime as long as the bright one, or, where it has that, as short as its light is little.
    """
    dot, singles = found.dot, int(SINGLE.sum())
    spent = found.spent
    light = dot.signal(data.bins)[:singles, 1:]
    constant = (KIND == "constant")[:singles]
    level = np.maximum(1 - dot.losses.constant[:singles], LEAST_LEVEL)
    other_ns = dot.bright_ns * np.where(constant, level, 1.0)
    shape = data.bins.share_of(other_ns)[:, 1:]
    other = light.sum(axis=1, keepdims=True) * shape / shape.sum(axis=1, keepdims=True)
    steady = dot.background_cps * data.bins.uniform_share[1:]
    seen, instead = light + steady + 1e-9, other + steady + 1e-9
    nats = data.bin_s * spent[:singles] * (seen * np.log(seen / instead) - seen + instead).sum(axis=1)
    lost = time_in(spent) * dot.losses.total[:singles]
    # States next to each other testify together: from the darkest of each kind upwards.
    dimmest = np.argsort(light.sum(axis=1), kind="stable")
    together = np.zeros(singles)
    for kind in np.unique(KIND[:singles]):
        members = dimmest[KIND[dimmest] == kind]
        together[members] = np.cumsum(nats[members])
    return float(lost[together < LEAST_NATS].sum() / max(float(lost.sum()), 1e-12))
