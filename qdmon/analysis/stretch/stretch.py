"""One stretch of constant fluence: what is collected from it and what is made of that."""

import numpy as np

from hardware.types import Acquisition, Photons
from qdmon.analysis.calibration.timing import TimeAxis
from qdmon.analysis.calibration.trust import ASSUMED_ZERO
from qdmon.analysis.darkness import dark_tail_s
from qdmon.analysis.decays.decay import LateFit
from qdmon.analysis.decays.lifetime import SummedDecay
from qdmon.analysis.decays.pileup import PileUp
from qdmon.analysis.dot.fit import DotFit
from qdmon.analysis.results.estimate import UNKNOWN, Estimate
from qdmon.analysis.results.pair_correlation import G2
from qdmon.analysis.settings import AnalysisSettings
from qdmon.analysis.stretch.fitting import StretchFit
from qdmon.analysis.stretch.own_background import OwnBackground
from qdmon.analysis.stretch.photons import BASE_BIN_S, StretchPhotons
from qdmon.analysis.switching.blinks import blinking_rate_hz, find_blinks
from qdmon.analysis.switching.charging import ChargingCount
from qdmon.analysis.switching.charging_rate import charging_rate
from qdmon.analysis.switching.dynamics import Dynamics
from qdmon.analysis.switching.excitation import brightness_ratio

__all__ = ["Stretch"]


class Stretch:
    """A stretch of constant fluence.

    Attributes:
        mean_excitation: <N>; None if nobody said.
        photons: its photons, sorted.
        background: what lies under them.
        dot: the dot that is fitted to them, with the verdicts.
        dynamics: levels, dwells and memory of its light.
        late_fit: multi-exponential fit of its decay; None without nanotimes, or until the axis is known.
    """

    def __init__(
        self,
        acquisition: Acquisition,
        settings: AnalysisSettings,
        first_pulse: int,
        mean_excitation: float | None,
    ) -> None:
        self._acq = acquisition
        self._settings = settings
        self.mean_excitation = mean_excitation
        self.photons = StretchPhotons(acquisition, first_pulse, settings.segment_kept_s)
        self.background = OwnBackground()
        self.dot = StretchFit(self.photons, self.background, settings.window_s)
        self.late_fit: LateFit | None = None
        self.dynamics = Dynamics(acquisition, first_pulse, settings.segment_kept_s)
        if self.photons.table is not None:
            self.dynamics.follow(self.photons.table, None)

    def use_axis(self, axis: TimeAxis, channels: tuple[int, int] | None, known_background_cps: float) -> None:
        """Begin sorting by arrival time; photons added before this were only counted.

        Args:
            axis: where the pulse lies on each detector's time axis.
            channels: the two detectors to correlate; None if there is one.
            known_background_cps: last known background, until this stretch has its own.
        """
        table = self.photons.use_axis(axis, channels)
        self.dynamics.follow(table, axis.bins)
        self.background.cps = known_background_cps
        if self._acq.resolution_ps is not None:
            self.late_fit = LateFit(
                self._acq.resolution_ps,
                axis.bins.period_ns,
                axis.t0_ps,
                self._settings.responses,
                axis.window,
            )

    def sort(self, photons: Photons, stop_pulse: int, losses: list[tuple[int, int]]) -> None:
        """Sort photons up to a pulse by arrival time, and go on with the levels of the light.

        Args:
            photons: since the last portion, half a second of them at most.
            stop_pulse: exclusive.
            losses: pulse intervals in which photons are missing, those of this portion included.
        """
        self.photons.sort(photons, stop_pulse)
        if self.photons.table is not None:
            self.dynamics.advance(losses)

    @property
    def known(self) -> tuple[DotFit, float | None] | None:
        """What is known of the dot, and at which <N>; None while nothing is."""
        return (self.dot.fit, self.mean_excitation) if self.dot.fit is not None else None

    def follow(self, fit: DotFit, excitation: float | None) -> None:
        """The same dot was known at another <N>: only its brightness and background are open."""
        # An <N> of 0 is taken for unknown: of no light nothing could be fitted.
        self.dot.follow(fit, brightness_ratio(self.mean_excitation or None, excitation))

    def refit_dynamics(self, losses: list[tuple[int, int]]) -> None:
        """Renew dwell laws, correlation and intensities from the present verdict."""
        self.dynamics.refit(
            self.dot.since_pulse, losses, self.dot.call, self.background.cps, self.background.delayed
        )

    def renew_decay(self, losses: list[tuple[int, int]], g2: G2) -> None:
        """Let the multi-exponential fit rest on all photons up to now.

        One emitter hardly ever gives two photons a pulse that could pile up, however bright it is.
        """
        if self.late_fit is None:
            return
        pile_up = None
        if g2.single_emitter is False and g2.zero.value is not None:
            pulses = self.photons.seen_s(self.photons.first_pulse, losses) * (self._acq.pulse_rate_hz or 0.0)
            pile_up = PileUp(pulses, self.photons.dead_time_ns, min(g2.zero.value, 1.0))
        self.late_fit.renew(self.photons.histogram, pile_up)

    def dark_tail_s(self, threshold_cps: float, longest_s: float, losses: list[tuple[int, int]]) -> float:
        """How long the net rate has been below a threshold up to now, looking back so far at most."""
        table = self.photons.table
        if table is None:
            return 0.0
        return dark_tail_s(table, BASE_BIN_S, self.background.cps, threshold_cps, longest_s, losses)

    def decay(self, losses: list[tuple[int, int]]) -> SummedDecay | None:
        """All photons of the stretch that are kept, by arrival time; None without nanotimes."""
        table, axis = self.photons.table, self.photons.axis
        if table is None or axis is None:
            return None
        counts = table.rows.sum(axis=0, dtype=np.float64)
        seen = self.photons.seen_s(table.first_pulse, losses)
        background = self.background.cps * seen * axis.bins.uniform_share
        delayed = self.background.delayed * float(counts.sum() - background.sum())
        return SummedDecay(counts, background, delayed, guessed=self.background.origin == ASSUMED_ZERO)

    def lifetime(self, losses: list[tuple[int, int]]) -> Estimate:
        """Mean lifetime of all photons of the stretch, one exponential, background corrected."""
        decay, axis = self.decay(losses), self.photons.axis
        return decay.lifetime(axis.bins) if decay is not None and axis is not None else UNKNOWN

    def blinking_rate(self, losses: list[tuple[int, int]]) -> Estimate:
        """Switch-offs per second between the two states of the verdict, in 10 ms bins."""
        binned = self.dot.binned(self.dot.since_pulse, losses)
        if binned is None or len(self.dot.call.states) < 2:
            return UNKNOWN
        data, _ = binned
        group = max(1, round(0.01 / data.bin_s))
        n = len(data.counts) // group
        counts = data.counts[: n * group].sum(axis=1, dtype=np.float64).reshape(n, group).sum(axis=1)
        bin_s = group * data.bin_s
        levels = [s.intensity_cps.value or 0.0 for s in self.dot.call.states[:2]]
        bright, dim = ((level + data.background_cps) * bin_s for level in levels)
        rate = blinking_rate_hz(counts, bin_s, bright, dim)
        if rate is None:
            return UNKNOWN
        seconds = n * bin_s
        return Estimate(rate, float(np.sqrt(max(rate * seconds, 1.0))) / seconds)

    def charging(self) -> tuple[Estimate, ChargingCount | None]:
        """Charging rate of the stretch, and the count for a comparison between fluences: none is one too."""
        if self.dot.reading is None or self.dot.fit is None or self.dot.call.blinking == "hc":
            return UNKNOWN, None
        auger = self.dot.reading.losses.auger
        # Where a dot is charged, whatever traps did before, after or meanwhile.
        charged = find_blinks(auger, np.zeros(len(auger)), self.dot.reading.best.dot.trion_loss)
        found = charging_rate(charged, len(auger), self.dot.bin_s)
        return (found.rate_hz, found.at(self.mean_excitation)) if found is not None else (UNKNOWN, None)
