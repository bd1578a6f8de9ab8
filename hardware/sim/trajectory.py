"""The slow life of one dot: charging, traps, conversion and bleaching, as an exact jump process.

While <N> stays, every rate is constant between two events, so waiting times are exponential and no
time step is needed (Gillespie, J. Phys. Chem. 81, 2340, 1977). A change of <N> is no event of the
dot: what remains of an exponential wait is exponential again, so it is simply drawn anew.
"""

import math
from dataclasses import dataclass

import numpy as np

from hardware.sim.dot import Charging, Conversion, Dot, Traps
from hardware.sim.state import Charge, StatePath

__all__ = ["SlowState", "excited", "excited_twice"]


def excited(mean_excitation: float) -> float:
    """Chance that a pulse puts at least one exciton into the dot, 1 - exp(-<N>)."""
    return -math.expm1(-mean_excitation)


def excited_twice(mean_excitation: float) -> float:
    """Chance that a pulse puts at least two excitons into the dot, 1 - (1 + <N>) exp(-<N>)."""
    return -math.expm1(-mean_excitation) - mean_excitation * math.exp(-mean_excitation)


@dataclass(slots=True)
class _Trap:
    """A two-level system; `strength` counts while it is `active`."""

    on_hz: float
    off_hz: float
    strength: float
    hot: bool
    active: bool

    @property
    def flip_hz(self) -> float:
        return self.off_hz if self.active else self.on_hz


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(low * (high / low) ** rng.random())


def _draw_traps(
    traps: Traps, rng: np.random.Generator, *, unit: float = 1.0, hot: bool = False
) -> list[_Trap]:
    """Traps of one dot, inactive; a strength of 1 becomes `unit`."""
    drawn = []
    for _ in range(traps.count):
        switching_hz = _log_uniform(rng, *traps.switching_hz)
        duty = _log_uniform(rng, *traps.duty)
        strength = unit * _log_uniform(rng, *traps.strength)
        drawn.append(_Trap(switching_hz * duty, switching_hz * (1.0 - duty), strength, hot, active=False))
    return drawn


class SlowState:
    """One dot between the pulses; `advance_to` moves it on and says what it went through.

    Attributes:
        now_s: how far it has been moved.
        conversion_s: when it converted, or None.
        bleaching_s: when it bleached, or None.
    """

    def __init__(self, dot: Dot, pulse_rate_hz: float, rng: np.random.Generator) -> None:
        self.now_s = 0.0
        self.conversion_s: float | None = None
        self.bleaching_s: float | None = None
        self._dot = dot
        self._pulse_rate_hz = pulse_rate_hz
        self._rng = rng
        self._charge = Charge.NEUTRAL
        self._neutralisation_hz = 0.0
        self._charging_factor = 1.0
        self._loss_per_ns = 0.0
        self._radiative_per_ns = dot.exciton.quantum_yield / dot.exciton.lifetime_ns
        self._traps: list[_Trap] = []
        self._births: list[tuple[float, _Trap, float]] = []  # when, what, its share of loss; latest first
        if dot.traps:
            self._traps += _draw_traps(dot.traps, rng, unit=self._radiative_per_ns)
        if dot.hot_traps:
            self._traps += _draw_traps(dot.hot_traps, rng, hot=True)
        for trap in self._traps:
            trap.active = rng.random() * (trap.on_hz + trap.off_hz) < trap.on_hz
        self._dose_left = math.inf
        if dot.conversion:
            shape = dot.conversion.dose_shape
            self._dose_left = float(rng.gamma(shape, dot.conversion.dose_mean_s / shape))

    def advance_to(self, stop_s: float, mean_excitation: float) -> StatePath:
        """Live until `stop_s` under pulses of <N> = `mean_excitation`; returns that stretch's path."""
        rows = []
        while self.now_s < stop_s:
            begin_s = self.now_s
            state = self._row()
            jumps = self._jumps(mean_excitation)
            total_hz = sum(rate_hz for rate_hz, _ in jumps)
            wait = self._rng.standard_exponential()
            jump_s = begin_s + wait / total_hz if total_hz > 0.0 else math.inf
            dose_rate = self._dose_rate(mean_excitation)
            dose_s = begin_s + self._dose_left / dose_rate if dose_rate > 0.0 else math.inf
            birth_s = self._births[-1][0] if self._births else math.inf
            self.now_s = min(stop_s, jump_s, dose_s, birth_s)
            self._dose_left -= dose_rate * (self.now_s - begin_s)
            if self.now_s == jump_s:
                self._jump(jumps, total_hz)
            elif self.now_s == dose_s and self._dot.conversion is not None:
                self._convert(self._dot.conversion)
            elif self.now_s == birth_s:
                self._bear()
            if self.now_s > begin_s:
                rows.append((begin_s, self.now_s, mean_excitation, *state))
        start, stop, excitation, charge, trapping, loss, capture = np.array(rows).reshape(-1, 7).T
        return StatePath(start, stop, excitation, charge.astype(np.int8), trapping, loss, capture)

    def _row(self) -> tuple[int, float, float, float]:
        trapping_per_ns, escape = 0.0, 1.0
        for trap in self._traps:
            if not trap.active:
                continue
            if trap.hot:
                escape *= 1.0 - trap.strength
            else:
                trapping_per_ns += trap.strength
        return int(self._charge), trapping_per_ns, self._loss_per_ns, 1.0 - escape

    def _dose_rate(self, mean_excitation: float) -> float:
        if self._dot.conversion is None or self.conversion_s is not None:
            return 0.0
        return max(0.0, mean_excitation - self._dot.conversion.threshold)

    def _jumps(self, mean_excitation: float) -> list[tuple[float, _Trap | Charge]]:
        """What can happen next by chance: rates in Hz, and the trap that flips or the charge to come."""
        if self._charge == Charge.BLEACHED:
            return []
        jumps: list[tuple[float, _Trap | Charge]] = [(trap.flip_hz, trap) for trap in self._traps]
        once_hz = self._pulse_rate_hz * excited(mean_excitation)
        twice_hz = self._pulse_rate_hz * excited_twice(mean_excitation)
        charging, bleaching = self._dot.charging, self._dot.bleaching
        if self._charge != Charge.NEUTRAL:
            jumps.append((self._neutralisation_hz, Charge.NEUTRAL))
        elif charging is not None:
            rate_hz = self._charging_factor * (once_hz * charging.single + twice_hz * charging.multiple)
            jumps.append((rate_hz * (1.0 - charging.grey), Charge.TRION))
            jumps.append((rate_hz * charging.grey, Charge.GREY))
        if bleaching is not None:
            jumps.append((once_hz * bleaching.single + twice_hz * bleaching.multiple, Charge.BLEACHED))
        return [jump for jump in jumps if jump[0] > 0.0]

    def _jump(self, jumps: list[tuple[float, _Trap | Charge]], total_hz: float) -> None:
        drawn_hz = self._rng.random() * total_hz
        chosen = jumps[-1][1]
        for rate_hz, what in jumps:
            drawn_hz -= rate_hz
            if drawn_hz < 0.0:
                chosen = what
                break
        if isinstance(chosen, _Trap):
            chosen.active = not chosen.active
            return
        self._charge = chosen
        if chosen == Charge.BLEACHED:
            self.bleaching_s = self.now_s
        elif chosen != Charge.NEUTRAL and self._dot.charging is not None:
            self._neutralisation_hz = _draw_neutralisation_hz(self._dot.charging, self._rng)

    def _convert(self, conversion: Conversion) -> None:
        self.conversion_s = self.now_s
        self._charging_factor = conversion.charging_factor
        traps = _draw_traps(conversion.traps, self._rng, unit=self._radiative_per_ns)
        loss = conversion.intensity_loss / (1.0 - conversion.intensity_loss)
        share_per_ns = loss / self._dot.exciton.lifetime_ns / len(traps)
        for trap in traps:
            birth_s = self.now_s + conversion.onset_s * self._rng.standard_exponential()
            self._births.append((birth_s, trap, share_per_ns))
        self._births.sort(key=lambda birth: -birth[0])

    def _bear(self) -> None:
        """One interfacial trap appears and brings its share of the lasting loss."""
        _, trap, loss_per_ns = self._births.pop()
        self._traps.append(trap)
        self._loss_per_ns += loss_per_ns


def _draw_neutralisation_hz(charging: Charging, rng: np.random.Generator) -> float:
    """A rate with density k^(mu-1) on the dot's range, by inversion of its distribution."""
    low, high = charging.neutralisation_hz
    mu = charging.neutralisation_mu
    return float((low**mu + rng.random() * (high**mu - low**mu)) ** (1.0 / mu))
