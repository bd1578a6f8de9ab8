"""Pairs that a steady background makes, stretch by stretch, and pairs together with theirs.

Background grows with the laser, so each stretch of constant fluence has its own: its chance pairs are made
with that and with its own clicks, and what adds up over stretches are pairs, not rates.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from qdmon.analysis.antibunching.pairs import GATE_BINS, GATES_NS, Pairs
from qdmon.analysis.calibration.timing import GUARD_NS, TimeAxis
from qdmon.analysis.results.estimate import Estimate

__all__ = ["Chance", "Counted", "SteadyLight", "chance_of"]

FloatArray = NDArray[np.float64]


class SteadyLight(NamedTuple):
    """What is known of the background of a stretch.

    Attributes:
        cps: channel -> steady background; errors of two detectors are taken to go together.
        from_decays: it was read off the end of the decays, where after-pulses are, too.
        known: somebody measured it; False while it is a guess.
    """

    cps: Mapping[int, Estimate]
    from_decays: bool = False
    known: bool = True


@dataclass(frozen=True, slots=True)
class Chance:
    """Pairs per lag that a steady background makes, with itself or with the signal.

    Attributes:
        pairs: (g,) of photons behind each gate, all photons first.
        error: (g,) standard errors.
        steady: (g,) net pairs of light as bright on average as each stretch, but steady: what blinking has
            no part in.
        under_decay: of the first detector's background with any photon of the second: what lies under
            `Pairs.decay`.
    """

    pairs: FloatArray
    error: FloatArray
    steady: FloatArray
    under_decay: float

    def __add__(self, other: "Chance") -> "Chance":
        # What makes one background wrong (late light, after-pulses, a wrong number given) makes all wrong.
        return Chance(
            self.pairs + other.pairs,
            self.error + other.error,
            self.steady + other.steady,
            self.under_decay + other.under_decay,
        )


def chance_of(
    pairs: Pairs, channels: tuple[int, int], axis: TimeAxis, background_cps: Mapping[int, Estimate]
) -> Chance:
    """Chance pairs P (n1 b2 + n2 b1 - b1 b2) of a stretch of P pulses, n clicks and b background per pulse.

    Args:
        pairs: of the stretch.
        channels: the two detectors.
        axis: where the pulse lies on each detector's time axis.
        background_cps: channel -> steady background.
    """
    period_ns = axis.bins.period_ns
    pulses = max(pairs.pulses, 1)
    known = [background_cps.get(c, Estimate(0.0)) for c in channels]
    whole = np.array([[e.value or 0.0] for e in known]) * period_ns * 1e-9
    error = np.array([[e.error or 0.0] for e in known]) * period_ns * 1e-9
    # The first entry is the sum over all gate bins, the one at i what is behind the i-th gate.
    clicks = np.cumsum(pairs.clicks[:, ::-1], axis=1)[:, ::-1] / pulses
    closed_ns = np.concatenate([[0.0], GUARD_NS + GATES_NS])
    share = np.maximum(1 - closed_ns / (axis.bins.recorded_ns or period_ns), 0.0)
    background = np.minimum(whole * share, clicks)
    # What one detector counts too much or too little meets the net light of the other.
    net = clicks - background
    return Chance(
        pulses * (clicks[0] * background[1] + clicks[1] * background[0] - background[0] * background[1]),
        pulses * (net[0] * error[1] + net[1] * error[0]) * share,
        pulses * net[0] * net[1],
        float(whole[0, 0] * pairs.clicks[1].sum()),
    )


@dataclass(frozen=True, slots=True)
class Counted:
    """Pairs of one or more stretches with the chance pairs among them.

    Attributes:
        pairs: all of them.
        chance: those that a steady background makes.
        from_decays: a background was read off the end of the decays.
        known: the background is known.
    """

    pairs: Pairs
    chance: Chance
    from_decays: bool
    known: bool

    @classmethod
    def none(cls) -> "Counted":
        """No pairs yet."""
        zero = np.zeros(GATE_BINS)
        return cls(Pairs.none(), Chance(zero, zero, zero, 0.0), from_decays=False, known=False)

    @classmethod
    def of(
        cls, pairs: Pairs, channels: tuple[int, int], axis: TimeAxis, background: SteadyLight
    ) -> "Counted":
        """Pairs of a stretch of constant fluence."""
        chance = chance_of(pairs, channels, axis, background.cps)
        return cls(pairs, chance, background.from_decays, known=background.known and pairs.pulses > 0)

    def with_those_of(self, other: "Counted") -> "Counted":
        """Both together; where only one knows its background, that one alone.

        A guess for the background of a brighter stretch would pass its chance pairs off as a second emitter.
        """
        if self.known != other.known:
            return self if self.known else other
        return Counted(
            self.pairs + other.pairs,
            self.chance + other.chance,
            self.from_decays or other.from_decays,
            self.known,
        )
