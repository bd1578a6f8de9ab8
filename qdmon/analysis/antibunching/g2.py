"""Pulse-resolved correlation of two detectors: g2(0) from all pairs, normalised to near side peaks.

Side peaks are lags 2..10, which carry the same blinking as lag 0; more distant ones do not. What is taken
off at zero lag is what does not come from one and the same pulse (science notes 2.6; decision 5):

- chance: pairs a steady background makes on any dot, blinking or not (`chance.py`);
- photons later than their period: with x = exp(-T/tau) of them, 2 x/(1 + x) of a side peak;
- after-pulses behind the next pulse: as many of a side peak as there are of them per photon.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from qdmon.analysis.antibunching.chance import Counted
from qdmon.analysis.antibunching.coincidences import (
    Coincidences,
    dip_significance,
    probability_single,
)
from qdmon.analysis.antibunching.gated import (
    SURELY_SECOND,
    USUAL_BIEXCITON,
    USUAL_RESIDUE,
    Gated,
    gate_for,
    is_single,
)
from qdmon.analysis.antibunching.pairs import (
    FINE_PER_PERIOD,
    FINE_PERIODS,
    GATES_NS,
    MAX_LAG,
    OWN_LAGS,
    Pairs,
    shortest_delay,
)
from qdmon.analysis.calibration.timing import GUARD_NS, MicroBins, TimeAxis
from qdmon.analysis.decays.nonnegative import fit_counts
from qdmon.analysis.results.estimate import UNKNOWN
from qdmon.analysis.results.pair_correlation import G2

__all__ = ["CLEAR_RATIO", "CLEAR_SIGMA", "PairedLight", "g2_from_pairs", "no_g2", "paired_light", "zero_lag"]

FloatArray = NDArray[np.float64]

SIDE = (2, 10)
SIDE_LAGS = np.array([s * k for k in range(SIDE[0], SIDE[1] + 1) for s in (-1, 1)])
AFTERPULSE_LAGS = 10
# Which lifetimes make the end of a decay is known to a tenth, so is what lies beyond it.
LATE_ERROR = 0.1
# Share of the after-pulses that a background read off the end of the decays holds already, and its spread
# (simulated set-ups with up to 1 % of them).
AFTER_IN_TAIL, AFTER_IN_TAIL_SD = 0.35, 0.25
# What of the after-pulses in the decay passes for late light.
AFTER_AS_LATE = 0.1
# A peak at another lag than the rising edges say must be this clear, over the two hundred lags looked at.
CLEAR_SIGMA = 5.0
CLEAR_RATIO = 0.85
# From here on it may be that peak, and two emitters at the expected one are none.
MAYBE_SIGMA = 3.5
# Chance of a single emitter from which its pairs do not show two.
LIKELIER = 0.5


def no_g2(origin: str = "none") -> G2:
    """Nothing is known: one detector, or no photons yet."""
    return G2(np.empty(0), np.empty(0, np.int64), UNKNOWN, None, 0.0, origin, None)


@dataclass(frozen=True, slots=True)
class PairedLight:
    """The light that pairs are made of: each state of the dot counts by the square of its brightness.

    Attributes:
        lifetime_ns: mean lifetime of its photons.
        late: share of the photons that come later than a period after their pulse.
    """

    lifetime_ns: float
    late: float


def paired_light(pairs: Pairs, axis: TimeAxis, channel: int, chance: float) -> PairedLight:
    """Lifetime and late share, from the pairs' decay as a sum of exponentials above the background.

    Args:
        pairs: the pairs.
        axis: where the pulse lies on each detector's time axis.
        channel: the first detector.
        chance: pairs per lag of its steady background with photons of the second.
    """
    period_ns, recorded_ns = axis.bins.period_ns, axis.bins.recorded_ns
    stop_ns = period_ns - GUARD_NS if recorded_ns is None else float(axis.bins.edges_ns[-1])
    tau_ns, shapes, uniform_share = _decay_shapes(
        period_ns, recorded_ns, stop_ns, axis.resolution_ns, axis.t0_ps[channel]
    )
    counts = pairs.decay[: len(uniform_share)].astype(np.float64)
    # The background does not blink: its pairs are those with the mean light, not with the bright.
    net = np.maximum(counts - chance * len(pairs.lags) * uniform_share, 0.0)[1:]
    if net.sum() < 10 * len(net):
        return PairedLight(0.15 * period_ns, 0.0)
    amplitude = fit_counts(shapes, net)[0][:-1]
    weight = amplitude / max(float(amplitude.sum()), 1e-12)
    return PairedLight(float(weight @ tau_ns), float(weight @ np.exp(-period_ns / tau_ns)))


@lru_cache(maxsize=4)
def _decay_shapes(
    period_ns: float, recorded_ns: float | None, stop_ns: float, resolution_ns: float, t0_ps: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """(k,) lifetimes, (g - 1, k + 1) their decays and a constant behind the first gate, (g,) the constant.

    Args:
        period_ns: of the laser.
        recorded_ns: how much of it the card records; None: all of it.
        stop_ns: arrival time up to which photons count.
        resolution_ns: width of a TCSPC bin.
        t0_ps: arrival of the pulse at the detector.
    """
    inside = np.flatnonzero(stop_ns > GATES_NS)
    edges = np.concatenate([[-GUARD_NS], GATES_NS[inside], [stop_ns]])
    nominal = MicroBins(edges, period_ns, recorded_ns=recorded_ns)
    bins = nominal.snapped(resolution_ns, {0: t0_ps})
    # After-pulses follow the brightness of the dot, unlike the background, and are taken for constant.
    tau_ns = np.geomspace(0.01 * period_ns, 0.4 * period_ns, 40)
    shapes = np.vstack([bins.share_of(tau_ns), bins.uniform_share])[:, 1:]
    return tau_ns, shapes.T, bins.uniform_share


def _coincidences(counted: Counted, shift: int, gate: int, light: PairedLight) -> Coincidences:
    """Pairs at a lag, both photons behind a gate, and what they are compared with.

    Args:
        counted: all of them.
        shift: the lag at which the detectors see the same pulse.
        gate: index into `GATES_NS` plus one, 0 for all photons.
        light: what the pairs are made of.
    """
    pairs = counted.pairs
    centre = MAX_LAG + shift
    zero, *side = pairs.lags[[centre, *(centre + SIDE_LAGS)], gate:].sum(axis=1).tolist()
    after, after_variance = _after_pulses(pairs, gate)
    in_tail, spread = (AFTER_IN_TAIL, AFTER_IN_TAIL_SD) if counted.from_decays else (0.0, 0.0)
    late = 2 * light.late / (1 + light.late)
    found_errors = LATE_ERROR * late, 2 * AFTER_AS_LATE * after, spread * after
    # After-pulses make side peaks higher by the same share, hence the denominator.
    return Coincidences(
        zero=float(zero),
        side=sum(side) / len(SIDE_LAGS),
        side_peaks=len(SIDE_LAGS),
        chance=float(counted.chance.pairs[gate]),
        chance_error=float(counted.chance.error[gate]),
        photon_share=float(np.sum(1 / np.maximum(pairs.clicks[:, gate:].sum(axis=1), 1))),
        found=(late + (1 - in_tail) * after) / (1 + after),
        found_error=float(np.sqrt(after_variance + np.square(found_errors).sum())),
        lost=1 - (1 - light.late) / (1 + after),
        steady=float(counted.chance.steady[gate]),
    )


def _after_pulses(pairs: Pairs, gate: int) -> tuple[float, float]:
    """After-pulses behind a later pulse per photon, of both detectors together, and their variance.

    A detector's pairs with itself are as many at near lags as at farther ones, but for its after-pulses.
    """
    own = pairs.own[:, 1:, gate:].sum(axis=2, dtype=np.float64)
    near, far = own[:, :AFTERPULSE_LAGS], own[:, AFTERPULSE_LAGS:]
    ratio = AFTERPULSE_LAGS / (OWN_LAGS - AFTERPULSE_LAGS)
    clicks = np.maximum(pairs.clicks[:, gate:].sum(axis=1), 1)
    share = (near.sum(axis=1) - ratio * far.sum(axis=1)) / clicks
    variance = (near.sum(axis=1) + ratio**2 * far.sum(axis=1)) / np.square(clicks, dtype=np.float64)
    return max(float(share.sum()), 0.0), float(variance.sum())


def zero_lag(lags: NDArray[np.int64], expected: int = 0) -> tuple[int, float | None]:
    """Pulse lag at which the detectors coincide, and by how many standard deviations it misses pairs.

    It is the one expected unless another lag misses its pairs clearly, and more clearly.

    Args:
        lags: (2 L + 1,) pairs by pulse lag.
        expected: the lag that more pairs, or the rising edges, have shown.
    """
    return _Dips.of(lags, expected).coincidence


class _Dips(NamedTuple):
    """Pairs missing at a lag, in standard deviations.

    Attributes:
        expected: the lag expected.
        best: lag that misses them most surely.
        at_best: by how much.
        clear: whether it misses a good part of them.
        here: the same as `at_best` at the lag expected; None without pairs.
    """

    expected: int
    best: int
    at_best: float
    clear: bool
    here: float | None

    @classmethod
    def of(cls, lags: NDArray[np.int64], expected: int) -> "_Dips":
        """The arguments are as in `zero_lag`."""
        reach = len(lags) // 2
        centres = np.arange(SIDE[1], len(lags) - SIDE[1])
        side = lags[centres[:, None] + SIDE_LAGS].mean(axis=1)
        dips = dip_significance(lags[centres].astype(np.float64), side, len(SIDE_LAGS))
        here, best = reach + expected - SIDE[1], int(np.argmax(dips))
        clear = bool(lags[centres[best]] < CLEAR_RATIO * side[best])
        at_here = float(dips[here]) if side[here] > 0 else None
        return cls(expected, int(centres[best]) - reach, float(dips[best]), clear, at_here)

    @property
    def coincidence(self) -> tuple[int, float | None]:
        """See `zero_lag`."""
        return (self.best, self.at_best) if self._stands_out(CLEAR_SIGMA) else (self.expected, self.here)

    @property
    def may_be_elsewhere(self) -> bool:
        """Whether the detectors may as well coincide at another lag than they are taken to."""
        return self.best != self.coincidence[0] and self._stands_out(MAYBE_SIGMA)

    def _stands_out(self, sigma: float) -> bool:
        """Whether the best lag does, from none and from the expected one, by more than this."""
        over_here = self.at_best**2 - max(self.here or 0.0, 0.0) ** 2
        return self.clear and self.at_best > sigma and over_here > sigma**2


def g2_from_pairs(
    counted: Counted,
    channels: tuple[int, int],
    axis: TimeAxis,
    given_delay_ns: float | None,
    expected_lag: int = 0,
) -> G2:
    """g2 of some pairs.

    Args:
        counted: the pairs, and the chance pairs among them.
        channels: the two detectors.
        axis: where the pulse lies on each detector's time axis.
        given_delay_ns: delay of the second detector; None finds it.
        expected_lag: pulse lag of coincidence that more pairs than these have shown.
    """
    period_ns = axis.bins.period_ns
    edges_ns, _ = shortest_delay(axis, channels)
    lags = counted.pairs.lags.sum(axis=1)
    significance: float | None
    unsure_lag = False
    if given_delay_ns is not None:
        shift, origin = round((given_delay_ns - edges_ns) / period_ns), "given"
        if abs(shift) > MAX_LAG - SIDE[1]:
            return no_g2(origin)
        centre = MAX_LAG + shift
        side = float(lags[centre + SIDE_LAGS].mean())
        dip = dip_significance(float(lags[centre]), side, len(SIDE_LAGS))
        significance = float(dip) if side > 0 else None
    else:
        dips = _Dips.of(lags, expected_lag)
        shift, significance = dips.coincidence
        unsure_lag = dips.may_be_elsewhere
        origin = "missing peak" if shift else "rising edges"
    light = paired_light(counted.pairs, axis, channels[0], counted.chance.under_decay)
    every = _coincidences(counted, shift, 0, light)
    ungated = every.zero_delay()
    gate = gate_for(ungated, light.lifetime_ns)
    behind = _coincidences(counted, shift, gate + 1, light)
    gated = Gated(float(GATES_NS[gate]), behind.zero_delay())
    # All but the light of the pulse itself: what the laser scatters is nobody's biexciton.
    dots_own = _coincidences(counted, shift, 1, light)
    early = dots_own.without(behind)
    believed = probability_single([(early, USUAL_BIEXCITON), (behind, USUAL_RESIDUE)])
    single = is_single(ungated, gated, behind.bunching)
    odd = (believed or 0.0) > LIKELIER and not ungated.surely_above(SURELY_SECOND)
    if not counted.known or odd or unsure_lag:
        # Pairs of a background that nobody has measured look like those of a second emitter, and so do those
        # of a lag at which the detectors do not coincide. And one in a hundred dots is beyond a limit of
        # 99 %, by far where the side peaks hardly stand out.
        single = single or None
    return G2(
        *_drawn(counted.pairs, shift, period_ns),
        ungated.value,
        ungated.upper_99,
        edges_ns + shift * period_ns,
        origin,
        single,
        gated_zero=gated.zero.value,
        gated_upper_limit_99=gated.zero.upper_99,
        gate_ns=gated.gate_ns,
        delay_significance=significance,
        single_probability=believed,
    )


def _drawn(pairs: Pairs, shift: int, period_ns: float) -> tuple[FloatArray, NDArray[np.int64]]:
    """Delays and pairs to draw: finely around zero, by whole periods where zero is too far away for that."""
    if abs(shift) >= FINE_PERIODS:
        lag = np.arange(-MAX_LAG, MAX_LAG + 1, dtype=np.float64)
        return (lag - shift) * period_ns, pairs.lags.sum(axis=1)
    width = period_ns / FINE_PER_PERIOD
    delay_ns = (np.arange(len(pairs.fine), dtype=np.float64) + 0.5) * width
    return delay_ns - period_ns * (FINE_PERIODS + 0.5 + shift), pairs.fine.copy()
