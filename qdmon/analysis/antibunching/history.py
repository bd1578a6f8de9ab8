"""g2 of a segment while its light comes: of all stretches together, of one, of the last seconds.

All see the detectors at the same delay, the one that all pairs together show; each has its own background.
"""

import numpy as np

from hardware.types import Acquisition, Photons
from qdmon.analysis.antibunching.chance import Counted, SteadyLight
from qdmon.analysis.antibunching.g2 import g2_from_pairs, no_g2, zero_lag
from qdmon.analysis.antibunching.pairs import Pairs
from qdmon.analysis.antibunching.ticks import TickPairs, g2_from_ticks
from qdmon.analysis.calibration.calibration import Calibrator
from qdmon.analysis.calibration.timing import TimeAxis
from qdmon.analysis.results.pair_correlation import G2

__all__ = ["PairHistory"]


class PairHistory:
    """Pairs of the stretches that are over, beside those of the present one."""

    def __init__(
        self, acquisition: Acquisition, calibrator: Calibrator, given_delay_ns: float | None
    ) -> None:
        """Begin a segment.

        Args:
            acquisition: time base.
            calibrator: knows the two detectors and where the pulse lies on their axes.
            given_delay_ns: delay of the second detector; None finds it.
        """
        self._calibrator = calibrator
        self._given_delay_ns = given_delay_ns
        self._before = Counted.none()
        # Of all pairs of the present stretch, under its background, with an axis: asked for more than once.
        self._latest: tuple[Pairs, SteadyLight, TimeAxis | None, G2] | None = None
        # The delay needs no background: pairs of every stretch show it.
        self._lags = np.zeros_like(Pairs.none().lags)
        self._ticks = (
            TickPairs(calibrator.correlated, acquisition.macro_tick_ps)
            if acquisition.mode == "T2" and calibrator.correlated is not None
            else None
        )

    def add_ticks(self, photons: Photons, first_tick: int, stop_tick: int) -> None:
        """Correlate photons of a T2 stream; others have their pairs counted by their stretch."""
        if self._ticks is not None:
            self._ticks.add(photons, first_tick, stop_tick)

    def keep(self, pairs: Pairs, light: SteadyLight) -> None:
        """A stretch is over: its pairs stay, with what its own background made of them.

        Args:
            pairs: all of the stretch.
            light: its background.
        """
        self._before = self._before.with_those_of(self._counted(pairs, light))
        self._lags += pairs.lags

    def g2(self, here: Pairs, light: SteadyLight) -> G2:
        """g2 of all pairs so far.

        Args:
            here: all pairs of the present stretch.
            light: its background.
        """
        if not self._before.pairs.pulses:
            return self.g2_of(here, here, light)
        return self._g2(self._before.with_those_of(self._counted(here, light)), here)

    def g2_of(self, some: Pairs, here: Pairs, light: SteadyLight) -> G2:
        """g2 of some pairs of the present stretch.

        Args:
            some: the pairs.
            here: all pairs of the present stretch.
            light: its background.
        """
        if some is not here or self._ticks is not None:
            return self._g2(self._counted(some, light), here)
        axis, latest = self._calibrator.axis, self._latest
        if latest is None or latest[0] is not here or latest[1] != light or latest[2] is not axis:
            self._latest = latest = here, light, axis, self._g2(self._counted(here, light), here)
        return latest[3]

    def _counted(self, pairs: Pairs, light: SteadyLight) -> Counted:
        channels, axis = self._calibrator.correlated, self._calibrator.axis
        if channels is None or axis is None:
            return Counted.none()
        return Counted.of(pairs, channels, axis, light)

    def _g2(self, counted: Counted, here: Pairs) -> G2:
        if self._ticks is not None:
            return g2_from_ticks(self._ticks, self._given_delay_ns)
        channels, axis = self._calibrator.correlated, self._calibrator.axis
        if channels is None or axis is None:
            return no_g2()
        lag, _ = zero_lag((self._lags + here.lags).sum(axis=1))
        return g2_from_pairs(counted, channels, axis, self._given_delay_ns, lag)
