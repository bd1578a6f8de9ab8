"""What a quantum dot is made of, as far as its light is concerned: plain numbers, no computation.

Rates are per nanosecond where they compete with emission and per second where they are slow. Chances
are per pulse that put at least one (or at least two) excitons into the dot.
"""

from dataclasses import dataclass

__all__ = ["Bleaching", "Charging", "Conversion", "Dot", "Exciton", "Traps"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exciton:
    """Fast photophysics: what happens within nanoseconds of a pulse.

    Attributes:
        lifetime_ns: tau1, decay time of the neutral exciton while no trap is active.
        trion_lifetime_ns: tau2, decay time of the charged exciton while no trap is active.
        radiative_ratio: beta, radiative rate of the trion over that of the exciton.
        quantum_yield: chance that a neutral exciton emits while no trap is active.
        biexciton_yield_ratio: yield of the biexciton over that of the exciton; equals g2(0) at low <N>.
        trion_trapping: c, share of the trap rate that acts in the charged dot.
        charged_biexciton_yield: yield of the charged biexciton over that of the biexciton.
        charged_biexciton_lifetime: its lifetime over that of the biexciton.
    """

    lifetime_ns: float
    trion_lifetime_ns: float
    radiative_ratio: float
    quantum_yield: float
    biexciton_yield_ratio: float
    trion_trapping: float = 1.0  # chosen: a trap does not care about the spectator charge
    charged_biexciton_yield: float = 0.5  # chosen: one more carrier opens about twice the Auger paths
    charged_biexciton_lifetime: float = 0.6  # chosen: shorter for the same reason, but it radiates faster


@dataclass(frozen=True, slots=True, kw_only=True)
class Traps:
    """Short-lived traps: independent two-level systems, drawn anew for every dot.

    Attributes:
        count: how many.
        switching_hz: (low, high) of the sum of on and off rate, log-uniform.
        duty: (low, high) of the fraction of time a trap is active, log-uniform.
        strength: (low, high), log-uniform: non-radiative rate of an active trap in units of the
            radiative rate; for hot-carrier traps the chance to catch a carrier before it relaxes.
    """

    count: int
    switching_hz: tuple[float, float]
    duty: tuple[float, float]
    strength: tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Charging:
    """Long-lived traps: ionisation and neutralisation.

    Attributes:
        single: p1, chance of ionisation per pulse with an exciton (rate linear in <N>).
        multiple: pA, chance of Auger ionisation per pulse with two or more (rate about <N>^2 / 2).
        neutralisation_hz: (low, high) of the rate back to neutral; equal values give exponential dwells.
        neutralisation_mu: a rate k in that range has density k^(mu-1): charged dwells fall as t^-(1+mu).
        grey: chance that an ionisation leaves the other carrier behind, with a third of the Auger rate.
    """

    single: float
    multiple: float
    neutralisation_hz: tuple[float, float]
    neutralisation_mu: float = 0.5
    grey: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """Light damage to the core/shell interface that changes the blinking type for good.

    The dot converts when the dose, the integral of max(0, <N> - threshold) dt, exceeds a value drawn
    once per dot from a Gamma law.

    Attributes:
        threshold: <N> below which no dose is collected.
        dose_shape: shape of the Gamma law.
        dose_mean_s: its mean, in seconds of <N> above threshold.
        traps: the interfacial traps that then appear.
        onset_s: mean time from conversion to the appearance of each trap.
        charging_factor: what remains of the charging rates.
        intensity_loss: fraction of the bright level lost for good, in equal parts with each trap.
        shift_nm: shift of the emission peak.
        shift_s: time constant of the shift.
    """

    threshold: float
    dose_shape: float
    dose_mean_s: float
    traps: Traps
    onset_s: float
    charging_factor: float
    intensity_loss: float
    shift_nm: float
    shift_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bleaching:
    """The end of the dot: chances per pulse with an exciton, and per pulse with two or more."""

    single: float
    multiple: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """One kind of dot.

    Attributes:
        exciton: fast photophysics.
        charging: ionisation, or None if the dot never charges.
        traps: short-lived traps present from the start.
        hot_traps: traps that catch carriers before they relax: intensity falls, the lifetime stays.
        conversion: irreversible change under light, if any.
        bleaching: the end under light, if any.
        peak_nm: centre of the emission spectrum.
        linewidth_nm: its full width at half maximum.
    """

    exciton: Exciton
    charging: Charging | None
    traps: Traps | None = None
    hot_traps: Traps | None = None
    conversion: Conversion | None = None
    bleaching: Bleaching | None = None
    peak_nm: float
    linewidth_nm: float
