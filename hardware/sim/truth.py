"""What the simulated dot really did, for tests and for teaching.

Loss and shares follow the slow state, not the photons: loss is the emission per excitation that the
dot falls short of its bright level, weighted by time with light on. While the dot is charged the loss
is Auger's, while neutral the traps'; what hot-carrier traps take counts as theirs alone.
"""

import json
from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hardware.sim.photophysics import brightness
from hardware.sim.presets import Preset
from hardware.sim.state import Charge, StatePath

__all__ = ["BlinkingType", "FluenceStep", "Truth", "WindowTruth"]

BlinkingType = Literal["none", "auger", "bc", "mixed", "hc"]

_NO_BLINKING_LOSS = 0.03
_PURE_AUGER_SHARE = 0.9
_PURE_BC_SHARE = 0.15
_HYSTERESIS = (0.42, 0.62)
_BIN_S = 0.01


class FluenceStep(NamedTuple):
    """From `start_s` on the dot is excited with <N> = `mean_excitation`."""

    start_s: float
    mean_excitation: float


@dataclass(frozen=True, slots=True)
class WindowTruth:
    """What happened in [start_s, stop_s); None where the window cannot tell.

    Attributes:
        start_s: of the window.
        stop_s: of the window.
        loss: fraction of the bright level's photons that blinking took.
        auger_share: part of that loss taken by Auger recombination.
        hot_share: part of it taken by hot-carrier traps.
        blinking: type by loss and shares.
        charging_events: changes from neutral to charged.
        charging_rate_hz: those per second of neutral time, r_c = N(N->e) / t_N (paper, 2.4).
        blinking_rate_hz: switches from on to off per second, noise-free, in 10 ms bins with hysteresis
            at 42 % and 62 % of the way from the trion's level to the bright one.
    """

    start_s: float
    stop_s: float
    loss: float | None
    auger_share: float | None
    hot_share: float | None
    blinking: BlinkingType | None
    charging_events: int
    charging_rate_hz: float | None
    blinking_rate_hz: float | None


@dataclass(frozen=True, slots=True)
class Truth:
    """The hidden state of one simulated dot up to now.

    Attributes:
        preset: what it was made from.
        seed: and with which seed.
        path: slow state, from the oldest second still kept.
        conversion_s: when it converted, or None.
        bleaching_s: when it bleached, or None.
    """

    preset: Preset
    seed: int
    path: StatePath
    conversion_s: float | None
    bleaching_s: float | None

    @property
    def steps(self) -> tuple[FluenceStep, ...]:
        """The fluence steps of the path."""
        excitation = self.path.mean_excitation
        first = np.flatnonzero(np.diff(excitation, prepend=np.nan) != 0.0)
        return tuple(FluenceStep(float(self.path.start_s[i]), float(excitation[i])) for i in first)

    @property
    def trap_ladder(self) -> NDArray[np.float64]:
        """(k,) q = 1 / (1 + knr tau1), what the active traps leave of the neutral exciton's light."""
        bright_per_ns = 1.0 / self.preset.dot.exciton.lifetime_ns + self.path.loss_per_ns
        ladder: NDArray[np.float64] = bright_per_ns / (bright_per_ns + self.path.trapping_per_ns)
        return ladder

    def peak_nm(self, time_s: float) -> float:
        """Centre of the emission spectrum, spectral diffusion left out."""
        dot = self.preset.dot
        if dot.conversion is None or self.conversion_s is None or time_s <= self.conversion_s:
            return dot.peak_nm
        age = (time_s - self.conversion_s) / dot.conversion.shift_s
        return float(dot.peak_nm - dot.conversion.shift_nm * np.expm1(-age))

    def trace(self, start_s: float, stop_s: float, bin_s: float) -> NDArray[np.float64]:
        """(n,) noise-free brightness over the bright level's in whole bins from `start_s` on."""
        path = self.path.between(start_s, stop_s)
        light = np.concatenate(
            [[0.0], np.cumsum(brightness(self.preset.dot.exciton, path) * path.duration_s)]
        )
        edges = start_s + bin_s * np.arange(int((stop_s - start_s) / bin_s + 1e-9) + 1)
        times_s = np.concatenate([path.start_s[:1], path.stop_s])
        binned: NDArray[np.float64] = np.diff(np.interp(edges, times_s, light)) / bin_s
        return binned

    def window(self, start_s: float, stop_s: float) -> WindowTruth:
        """Realised type and rates in [start_s, stop_s), as far as the dot lived and saw light."""
        exciton = self.preset.dot.exciton
        path = self.path.between(start_s, stop_s)
        lit = (path.mean_excitation > 0.0) & (path.charge != Charge.BLEACHED)
        weight = path.duration_s * lit
        time_s = float(weight.sum())
        if time_s <= 0.0:
            return WindowTruth(start_s, stop_s, None, None, None, None, 0, None, None)
        lost = 1.0 - brightness(exciton, path)
        charged = path.charge != Charge.NEUTRAL
        total = float((lost * weight).sum())
        hot = float((path.capture * weight).sum())
        auger = float(((lost - path.capture) * charged * weight).sum())
        shares = (auger / total, hot / total) if total > 0.0 else (None, None)
        events = int(((path.charge[:-1] == Charge.NEUTRAL) & lit[1:] & charged[1:]).sum())
        neutral_s = float((weight * ~charged).sum())
        return WindowTruth(
            start_s,
            stop_s,
            loss=total / time_s,
            auger_share=shares[0],
            hot_share=shares[1],
            blinking=blinking_type(total / time_s, *shares),
            charging_events=events,
            charging_rate_hz=events / neutral_s if neutral_s > 0.0 else None,
            blinking_rate_hz=self._switches_off(start_s, stop_s) / time_s,
        )

    def _switches_off(self, start_s: float, stop_s: float) -> int:
        exciton = self.preset.dot.exciton
        dim = exciton.radiative_ratio * exciton.trion_lifetime_ns / exciton.lifetime_ns
        low, high = (dim + f * (1.0 - dim) for f in _HYSTERESIS)
        begin_s = max(start_s, float(self.path.start_s[0]))
        trace = self.trace(begin_s, min(stop_s, float(self.path.stop_s[-1])), _BIN_S)
        clear = trace[(trace < low) | (trace > high)]
        return int(((clear[:-1] > high) & (clear[1:] < low)).sum())

    def to_json(self) -> str:
        """`to_record` as one JSON object."""
        return json.dumps(self.to_record(), allow_nan=False)

    def to_record(self) -> dict[str, Any]:
        """The whole record as plain data; `path` rows are [start_s, <N>, charge, q, capture]."""
        exciton = self.preset.dot.exciton
        stop_s = float(self.path.stop_s[-1]) if len(self.path) else 0.0
        steps = self.steps
        ends = [*(step.start_s for step in steps[1:]), stop_s][: len(steps)]
        columns = (self.path.start_s, self.path.mean_excitation, self.path.charge, self.trap_ladder)
        return {
            "preset": self.preset.name,
            "seed": self.seed,
            "pulse_rate_hz": self.preset.setup.pulse_rate_hz,
            "stop_s": stop_s,
            "lifetime_ns": exciton.lifetime_ns,
            "trion_lifetime_ns": exciton.trion_lifetime_ns,
            "radiative_rate_ratio": exciton.radiative_ratio,
            "biexciton_yield_ratio": exciton.biexciton_yield_ratio,
            "conversion_s": self.conversion_s,
            "bleaching_s": self.bleaching_s,
            "steps": [
                {"mean_excitation": step.mean_excitation, "peak_nm": self.peak_nm(end)}
                | asdict(self.window(step.start_s, end))
                for step, end in zip(steps, ends, strict=True)
            ],
            "path": np.stack([*columns, self.path.capture], axis=1).tolist(),
        }


def blinking_type(loss: float, auger_share: float | None, hot_share: float | None) -> BlinkingType:
    """Type by realised loss and shares, as the analysis defines it."""
    if loss < _NO_BLINKING_LOSS or auger_share is None or hot_share is None:
        return "none"
    if hot_share > 0.5:
        return "hc"
    if auger_share > _PURE_AUGER_SHARE:
        return "auger"
    return "bc" if auger_share < _PURE_BC_SHARE else "mixed"
