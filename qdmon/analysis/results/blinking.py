"""How a dot blinks: its states, the verdict on a stretch of time, and its conversions."""

from dataclasses import dataclass
from typing import Literal

from qdmon.analysis.results.estimate import Estimate

__all__ = ["BLINKING_TYPES", "Blinking", "BlinkingCall", "Conversion", "EmissiveState"]

Blinking = Literal["auger", "bc", "mixed", "hc", "none", "undetermined"]

BLINKING_TYPES: tuple[Blinking, ...] = ("auger", "bc", "mixed", "hc", "none")


@dataclass(frozen=True, slots=True)
class EmissiveState:
    """One emitting state of the dot, net of background.

    `occupancy` is the share of the time that the levels of this intensity took; None where not counted.
    """

    intensity_cps: Estimate
    lifetime_ns: Estimate
    occupancy: float | None = None


@dataclass(frozen=True, slots=True)
class BlinkingCall:
    """The verdict on a stretch of time.

    Attributes:
        start_s: first bin used.
        stop_s: end of the last bin used.
        blinking: the type, or "undetermined".
        reason: why undetermined, or a caveat, in words; None if there is nothing to say.
        probabilities: type -> probability, over `BLINKING_TYPES`, summing to 1.
        auger_share: share of the lost photons that Auger recombination took (A_Auger:A_BC = 3:1 is 0.75).
        loss: share of the bright level's photons that were not emitted.
        states: brightest first; the neutral bright state and, if seen, the dim one.
        radiative_rate_ratio: beta = I2 tau1/(I1 tau2).
        explained: whether the decays are those of such states; else nothing that is read with them counts.
    """

    start_s: float
    stop_s: float
    blinking: Blinking
    reason: str | None
    probabilities: dict[Blinking, float]
    auger_share: Estimate
    loss: Estimate
    states: tuple[EmissiveState, ...]
    radiative_rate_ratio: Estimate
    explained: bool = True


@dataclass(frozen=True, slots=True)
class Conversion:
    """The dot changed how it blinks.

    Attributes:
        time_s: when; time_error_s its uncertainty (half width of the 68 % interval).
        before: type before.
        after: type after.
        mean_excitation_before: <N> before.
        mean_excitation_after: <N> at the change.
        probability: that the type did change.
        reversible: True if the old type came back on return to the first fluence, False if it did not,
            None while not known.
    """

    time_s: float
    time_error_s: float
    before: Blinking
    after: Blinking
    mean_excitation_before: float | None
    mean_excitation_after: float | None
    probability: float
    reversible: bool | None
