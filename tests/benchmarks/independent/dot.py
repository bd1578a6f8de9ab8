"""What a simulated dot, its set-up and its protocol are: plain numbers, to be varied one at a time."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["Case", "Charging", "Dwell", "Emitter", "Epoch", "SetUp", "Steady", "Traps"]


@dataclass(frozen=True)
class Dwell:
    """Law of dwell times: exponential of mean `shortest_s` if `exponent` is None, else t^-exponent, cut.

    Attributes:
        shortest_s: least dwell of the power law; mean dwell of the exponential.
        longest_s: upper cut of the power law.
        exponent: of the power law.
    """

    shortest_s: float
    longest_s: float = 0.0
    exponent: float | None = None


@dataclass(frozen=True)
class Charging:
    """Telegraph between neutral and charged.

    Attributes:
        neutral, charged: dwell laws.
        grey: share of charged dwells that are of the second charged state.
    """

    neutral: Dwell
    charged: Dwell
    grey: float = 0.0


@dataclass(frozen=True)
class Traps:
    """Fluctuating rate of trapping, in units of the bright decay rate.

    Attributes:
        model: "telegraph" traps of random strength, rate and duty; "centres" of equal strength whose rates
            are a geometric series; "diffusing" ln k between bounds; "levels" of yield with dwells.
        number: of traps, centres or levels.
        strength: of the strongest trap; upper bound of the diffusing rate.
        dwell: of levels; mean time between steps of the diffusing rate.
        fastest_hz: largest switching rate.
        spread: rates go down to `fastest_hz`/`spread`.
        weight: multiplies every rate of trapping.
        seed: of strengths and rates, so that they stay over epochs.
    """

    model: Literal["telegraph", "centres", "diffusing", "levels"]
    number: int
    strength: float
    dwell: Dwell
    fastest_hz: float
    spread: float
    weight: float = 1.0
    seed: int = 0


@dataclass(frozen=True)
class Steady:
    """Levels of intensity at constant lifetime (hot carriers caught).

    Attributes:
        levels: relative intensities, the brightest 1.
        dwell: in each.
    """

    levels: tuple[float, ...]
    dwell: Dwell


@dataclass(frozen=True)
class Epoch:
    """A time in which fluence and mechanisms stay.

    Attributes:
        start_s, stop_s: when.
        mean_excitation: <N>.
        charging, traps, steady: mechanisms at work.
        extra_rate: lasting additional trapping, in units of the bright decay rate.
        bleached: dark for good.
    """

    start_s: float
    stop_s: float
    mean_excitation: float
    charging: Charging | None = None
    traps: Traps | None = None
    steady: Steady | None = None
    extra_rate: float = 0.0
    bleached: bool = False


@dataclass(frozen=True)
class Emitter:
    """Lifetimes, yields and brightness.

    Attributes:
        lifetime_ns: bright.
        bright_cps: detected from the bright level at `at_excitation`, without background.
        at_excitation: <N> of that.
        charged_ratio, grey_ratio: lifetimes of the charged states over the bright one.
        beta: radiative rate of charged over neutral.
        biexciton: yield of the biexciton over that of the exciton, g2(0) at weak excitation.
        trap_when_charged: trapping in the charged states over that in the neutral one.
    """

    lifetime_ns: float
    bright_cps: float
    at_excitation: float
    charged_ratio: float
    grey_ratio: float
    beta: float
    biexciton: float
    trap_when_charged: float


@dataclass(frozen=True)
class SetUp:
    """Laser, optics, detectors and card.

    Attributes:
        period_ns: between pulses.
        resolution_ps: of the card.
        pulse_at_ns: where the pulse falls in the window.
        fwhm_ps, tail_share, tail_ns: Gaussian response, share of photons late by an exponential.
        second_share: of the light that goes to the second detector.
        delay_ns: of the second detector.
        dead_ns, afterpulse: of the detectors; after-pulses per click.
        scatter: laser light over bright light.
        background_cps: uniform light and dark counts of both detectors at `Emitter.at_excitation`.
        following: share of the background proportional to <N>.
        stated: whether the analysis is told <N>.
    """

    period_ns: float
    resolution_ps: float
    pulse_at_ns: float
    fwhm_ps: float
    tail_share: float
    tail_ns: float
    second_share: float
    delay_ns: float
    dead_ns: float
    afterpulse: float
    scatter: float
    background_cps: float
    following: float
    stated: bool


@dataclass(frozen=True)
class Case:
    """One dot to simulate.

    Attributes:
        seed: of everything random.
        kind: what was drawn, in a word.
        emitter, setup: physics and instrument.
        epochs: one after the other, from 0.
        steps: (time_s, <N>) told to the analysis.
        reversible: whether a conversion among the epochs goes back; None without conversion.
        conversion: (time_s, from, to) if one was arranged.
    """

    seed: int
    kind: str
    emitter: Emitter
    setup: SetUp
    epochs: tuple[Epoch, ...]
    steps: tuple[tuple[float, float], ...]
    reversible: bool | None = None
    conversion: tuple[float, str, str] | None = None
