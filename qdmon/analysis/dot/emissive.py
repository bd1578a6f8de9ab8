"""Light and lifetime of the levels a dot was seen at, with errors that know what errs together.

What is fitted is the light behind the gate; the prompt light is counted. A level's rate is the sum of both,
so that neither biexcitons nor a pulse that came a little later than thought are extrapolated.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from qdmon.analysis.dot.binned import BinnedDecays
from qdmon.analysis.dot.family import FamilyFit
from qdmon.analysis.dot.maximise import dot_of, slopes
from qdmon.analysis.dot.parameters import P
from qdmon.analysis.dot.prompt import prompt_excess
from qdmon.analysis.dot.states import CHARGED, KIND, SINGLE, DotModel
from qdmon.analysis.dot.wander import bright_wander
from qdmon.analysis.equations import radiative_rate_ratio
from qdmon.analysis.results.blinking import EmissiveState
from qdmon.analysis.results.estimate import UNKNOWN, Estimate

__all__ = ["emissive_states", "ratio_of"]

FloatArray = NDArray[np.float64]

# A level that lost less than this of the light is no dim state; neither is one seen in fewer bins.
LEAST_LOSS, FEWEST_BINS = 0.15, 3.0
# Relative error of (light, lifetime), and of the ratio of rates, that more photons do not lower: response,
# place of the pulse, levels, light that the laser scatters (measured: tests/benchmarks/verdict.py).
SYSTEMATIC, DIM_SYSTEMATIC, RATIO_SYSTEMATIC = (0.0007, 0.0003), (0.003, 0.002), 0.002
# Beside the parameters a level leans on its own place on its ladder, and on the prompt photons counted.
_PLACE, _COUNTED = len(P), len(P) + 1
_OWN = slice(_PLACE, _COUNTED + 1)
_TRION = int(np.flatnonzero(CHARGED)[0])


@dataclass(frozen=True, slots=True)
class Level:
    """A level a dot can stay at, as it was seen.

    Attributes:
        rate_cps: its light, net.
        lifetime_ns: its lifetime.
        light: (p + 2,) change of the logarithm of the rate with each parameter of the dot, with the level's
            own place on its ladder, and with the prompt photons counted.
        life: (p + 2,) the same of the lifetime.
        variance: (p + 2, p + 2) of those; the last two are this level's own.
        floor: relative errors of light and lifetime that are always left.
    """

    rate_cps: float
    lifetime_ns: float
    light: FloatArray
    life: FloatArray
    variance: FloatArray
    floor: tuple[float, float]

    @property
    def state(self) -> EmissiveState:
        """With the errors of each by itself."""
        light, life = (
            float(np.sqrt(v @ self.variance @ v + least**2))
            for v, least in zip((self.light, self.life), self.floor, strict=True)
        )
        return EmissiveState(
            Estimate(self.rate_cps, self.rate_cps * light),
            Estimate(self.lifetime_ns, self.lifetime_ns * life),
        )


def emissive_states(data: BinnedDecays, found: FamilyFit) -> tuple[tuple[EmissiveState, ...], Estimate]:
    """The bright level and, if a few bins show one, the dim one that took most light; their rates' ratio."""
    seen, loss = found.spent, found.dot.losses.total
    weight = np.where(SINGLE & (loss > LEAST_LOSS), seen * loss, 0.0)
    dim = int(np.argmax(weight))
    dot = dot_of(found.expected.mean, found.dot)
    bright = _level(data, found, dot, 0)
    if bright is None:
        return (), UNKNOWN
    if not (weight[dim] > 0 and seen[dim] >= FEWEST_BINS):
        return (bright.state,), UNKNOWN
    level = _level(data, found, dot, dim)
    if level is None:
        return (bright.state, EmissiveState(_no_light(data, found, dim), UNKNOWN)), UNKNOWN
    return (bright.state, level.state), ratio_of(bright, level)


def _level(data: BinnedDecays, found: FamilyFit, dot: DotModel, state: int) -> Level | None:
    """Of a dot with these parameters; None if there is no light in it."""
    signal = replace(dot, early=0.0).signal(data.bins)
    level = float(signal[state].sum() / signal[0].sum())
    excess_cps, counted_cps2 = (float(x[0]) for x in prompt_excess(data, found, dot, [state]))
    early_cps = float((dot.signal(data.bins)[state] - signal[state]).sum())
    modelled_cps = dot.bright_cps * level
    rate_cps = modelled_cps + early_cps + excess_cps
    if level <= 0 or rate_cps <= 0:
        return None
    time = float(found.spent[state])
    light, life = np.zeros(_OWN.stop), np.zeros(_OWN.stop)
    variance = np.zeros((_OWN.stop, _OWN.stop))
    variance[: len(P), : len(P)] = found.covariance
    # Other trions than the fitted two, and trapped levels, have a lifetime of their own.
    fitted = state in (0, _TRION, _TRION + 1)
    light[P.BRIGHT_CPS] = 1.0
    if CHARGED[state]:
        life[P.TRION_NS], life[P.GREY] = float(fitted), float(state == _TRION + 1)
        light[P.BRIGHT_NS], light[P.BETA] = -1.0, 1 / dot.beta
        light += life
    else:
        life[P.BRIGHT_NS] = 1.0
    by_level = dot.by_level(data.bins)[state] * data.bin_s
    expected, slope = slopes(data, dot)
    if not fitted:
        told = time * float((np.square(by_level[1:]) / (expected[state, 1:] + 1e-9)).sum())
        light[_PLACE], life[_PLACE] = 1.0, 0.0 if KIND[state] == "constant" else 1.0
        variance[_PLACE, _PLACE] = 1 / max(told, 1e-12)
    # What is modelled of the prompt light is taken off again, for the light that was counted.
    slope = slope[:, state] / data.bin_s
    light *= modelled_cps
    light[P.EARLY] = slope[P.EARLY].sum()
    light[:_COUNTED] -= np.append(slope[:, 0], by_level[0] / data.bin_s)
    light /= rate_cps
    light[_COUNTED], variance[_COUNTED, _COUNTED] = 1 / rate_cps, counted_cps2
    light_floor, life_floor = SYSTEMATIC if state == 0 else DIM_SYSTEMATIC
    unsteady = float(np.hypot(found.blur, bright_wander(data, found))) if state == 0 else 0.0
    floor = float(np.hypot(light_floor, unsteady)), float(np.hypot(life_floor, unsteady))
    return Level(rate_cps, float(dot.lifetimes_ns[state]), light, life, variance, floor)


def _no_light(data: BinnedDecays, found: FamilyFit, state: int) -> Estimate:
    """Light of a dark state: none, as well as its background allows to say."""
    dot, time = found.dot, float(found.spent[state])
    rate_cps = float(prompt_excess(data, found, dot, [state])[0][0])
    per_bin = dot.background_cps * data.bin_s
    counted = float(np.sqrt((per_bin + 1 / time) / time)) / data.bin_s
    error = float(np.hypot(counted, found.background.error or 0.0))
    return Estimate(max(rate_cps, 0.0), error)


def ratio_of(bright: Level, dim: Level) -> Estimate:
    """Radiative-rate ratio of a dim level to the bright one: what both lean on errs in both."""
    beta = radiative_rate_ratio(bright.rate_cps, bright.lifetime_ns, dim.rate_cps, dim.lifetime_ns)
    of_dim, of_bright = dim.light - dim.life, bright.life - bright.light
    shared = of_dim + of_bright
    shared[_OWN] = of_dim[_OWN]
    own = of_bright[_OWN]
    variance = shared @ dim.variance @ shared + own @ bright.variance[_OWN, _OWN] @ own
    return Estimate(beta, float(beta * np.sqrt(variance + RATIO_SYSTEMATIC**2)))
