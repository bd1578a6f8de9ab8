"""One stretch of constant fluence: what is collected from it and what is made of that."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hardware.types import Acquisition, Photons
from qdmon.analysis.antibunching.pairs import PairCounter
from qdmon.analysis.bins import BinTable, count_nanotimes
from qdmon.analysis.calibration.after_pulses import USUAL_AFTER_PULSES
from qdmon.analysis.calibration.background import intensity_groups
from qdmon.analysis.calibration.timing import MicroBins, TimeAxis
from qdmon.analysis.calibration.trust import ASSUMED_ZERO, Settled, settle_background
from qdmon.analysis.darkness import dark_tail_s
from qdmon.analysis.decays.decay import LateFit
from qdmon.analysis.decays.lifetime import SummedDecay
from qdmon.analysis.decays.pileup import PileUp
from qdmon.analysis.dot.binned import BinnedDecays
from qdmon.analysis.dot.fit import DotFit, adapted, expected_bright, fit_dot, reread
from qdmon.analysis.dot.foreign import foreign_bins
from qdmon.analysis.dot.maximise import dot_of
from qdmon.analysis.dot.rebinning import table_bins
from qdmon.analysis.dot.verdict import Reading, call_of, read_bins, undetermined
from qdmon.analysis.settings import AnalysisSettings
from qdmon.analysis.snapshot import G2, UNKNOWN, BlinkingCall, Estimate
from qdmon.analysis.switching.blinks import blinking_rate_hz, find_blinks
from qdmon.analysis.switching.charging import ChargingCount
from qdmon.analysis.switching.charging_rate import charging_rate
from qdmon.analysis.switching.dynamics import ROWS_TO_KEEP, Dynamics

__all__ = ["Stretch"]

FloatArray = NDArray[np.float64]

BASE_BIN_S = 0.001
ADAPT_S = 0.2
FIRST_FIT_S = 1.0
FIT_GROWTH, SEARCH_GROWTH = 1.5, 3.0


class Stretch:
    """Photons of a stretch of constant fluence, sorted, and the verdicts on them.

    Attributes:
        mean_excitation: <N>; None if nobody said.
        first_pulse: start of the stretch.
        stop_pulse: how far it has been looked at.
        photons: photons seen.
        background_cps: uniform background of the signal detectors together.
        known_background: what is known of it beside the decays, and its origin; None: nothing.
        settled: the background of the latest fit with its error and origin.
        delayed: share of the signal that comes at any time after the pulse.
        belief: probability that its light is that of a single emitter.
        histogram: (c, t) TCSPC histogram.
        call: verdict on the stretch since its last conversion.
        since_pulse: where the data of that verdict begin.
        dynamics: levels, dwells and memory of its light.
        foreign: pulse intervals with light that is not the dot's, left out of all verdicts.
        table: photons per millisecond and micro-bin (T2: counts only); None until the axis is known.
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
        self.first_pulse = self.stop_pulse = self.since_pulse = first_pulse
        self.photons = 0
        self.background_cps = 0.0
        self.known_background: tuple[Estimate, str] | None = None
        self.settled: Settled | None = None
        self.delayed = 0.0
        self.belief = 1.0
        self.histogram = np.zeros(
            (max(acquisition.channels, default=0) + 1, max(acquisition.nanotime_bins, 1)), np.int64
        )
        self.axis: TimeAxis | None = None
        self.pairs: PairCounter | None = None
        self.late_fit: LateFit | None = None
        self._kept_rows = int(settings.segment_kept_s / BASE_BIN_S)
        self.table: BinTable | None = None
        self.dynamics = Dynamics(acquisition, first_pulse, settings.segment_kept_s)
        if acquisition.mode == "T2":
            self.table = self._new_table(None)
        self._fit: DotFit | None = None
        # The dot as it was before, until its own light here says more, and how much brighter it should be.
        self._before: tuple[DotFit, float] | None = None
        self._bin_s = BASE_BIN_S
        self._next_fit_s = self._next_search_s = FIRST_FIT_S
        self._frozen_pulse: int | None = None
        self.foreign: list[tuple[int, int]] = []
        self.reading: Reading | None = None
        start = acquisition.seconds(first_pulse)
        self.call: BlinkingCall = undetermined(start, start, "no photons analysed yet")

    @property
    def start_s(self) -> float:
        """Start on the session's clock."""
        return self._acq.seconds(self.first_pulse)

    @property
    def stop_s(self) -> float:
        """How far it has been looked at."""
        return self._acq.seconds(self.stop_pulse)

    @property
    def background_origin(self) -> str:
        """How the background was found."""
        return self.settled.origin if self.settled is not None else ASSUMED_ZERO

    def use_axis(self, axis: TimeAxis, channels: tuple[int, int] | None, known_background_cps: float) -> None:
        """Begin sorting by arrival time; photons added before this were only counted.

        Args:
            axis: where the pulse lies on each detector's time axis.
            channels: the two detectors to correlate; None if there is one.
            known_background_cps: last known background, until this stretch has its own.
        """
        self.axis = axis
        self.background_cps = known_background_cps
        self.table = self._new_table(axis.bins)
        if self._acq.resolution_ps is not None:
            self.late_fit = LateFit(
                self._acq.resolution_ps,
                axis.bins.period_ns,
                axis.t0_ps,
                self._settings.responses,
                axis.window,
            )
        if channels is not None:
            self.pairs = PairCounter(channels, axis)

    def move_axis(self, axis: TimeAxis) -> None:
        """Time zero moved by whole TCSPC bins, or more is known of the detectors: go on with this axis."""
        self.axis = axis
        if self.pairs is not None:
            self.pairs.use_axis(axis)

    @property
    def _dead_time_ns(self) -> float:
        """Of the detectors on average."""
        after = self.axis.bins.after_pulses if self.axis is not None else USUAL_AFTER_PULSES
        return float(after.dead_ns.mean())

    def _new_table(self, bins: MicroBins | None) -> BinTable:
        pulses = max(self._acq.pulses(BASE_BIN_S), 1)
        kept = max(self._kept_rows, ROWS_TO_KEEP)
        table = BinTable(self.first_pulse, pulses, bins.count if bins is not None else 1, kept)
        self.dynamics.follow(table, bins)
        return table

    def count(self, photons: Photons) -> None:
        """Count photons into the TCSPC histogram, which needs no calibration."""
        count_nanotimes(self.histogram, photons.nanotime, photons.channel)
        self.photons += len(photons)

    def sort(self, photons: Photons, stop_pulse: int, losses: list[tuple[int, int]]) -> None:
        """Sort photons of [self.stop_pulse, stop_pulse) by arrival time and correlate them.

        Args:
            photons: half a second of them at most.
            stop_pulse: exclusive.
            losses: pulse intervals in which photons are missing, those of this portion included.
        """
        if self.table is not None:
            if self.axis is None:
                self.table.add_counts(photons, stop_pulse)
            else:
                self.table.add_decays(photons, stop_pulse, self.axis.micro_bin, self.axis.arrival_ns)
            self.dynamics.advance(losses)
        if self.pairs is not None:
            self.pairs.add(photons, self.stop_pulse, stop_pulse)
        self.stop_pulse = stop_pulse

    def refit_dynamics(self, losses: list[tuple[int, int]]) -> None:
        """Renew dwell laws, correlation and intensities from the present verdict."""
        self.dynamics.refit(self.since_pulse, losses, self.call, self.background_cps, self.delayed)

    def renew_decay(self, losses: list[tuple[int, int]], g2: G2) -> None:
        """Let the multi-exponential fit rest on all photons up to now.

        One emitter hardly ever gives two photons a pulse that could pile up, however bright it is.
        """
        if self.late_fit is None:
            return
        pile_up = None
        if g2.single_emitter is False and g2.zero.value is not None:
            pulses = self._seen_s(self.first_pulse, losses) * (self._acq.pulse_rate_hz or 0.0)
            pile_up = PileUp(pulses, self._dead_time_ns, min(g2.zero.value, 1.0))
        self.late_fit.renew(self.histogram, pile_up)

    def _binned(
        self, from_pulse: int, losses: list[tuple[int, int]], *, to_pulse: int | None = None
    ) -> tuple[BinnedDecays, FloatArray] | None:
        """Decays of the bins between two pulses, losses left out, and the start of each bin in s."""
        if self.table is None or self.axis is None:
            return None
        found = table_bins(self.table, from_pulse, to_pulse, self._kept_rows, [*losses, *self.foreign])
        if found is None:
            return None
        data = self._data(found.counts, found.rows * BASE_BIN_S, self.axis.bins)
        return data, np.asarray(found.start_pulse * (self._acq.macro_tick_ps / 1e12), np.float64)

    def refit_if_due(self, losses: list[tuple[int, int]], doubt: str | None) -> bool:
        """Renew the verdict on everything since the last conversion at growing intervals.

        Each doubling of the time the dot is fitted anew; in between it stays, and its bins are read again.
        """
        elapsed_s = self._elapsed_s
        if elapsed_s < self._next_fit_s:
            return False
        search = elapsed_s >= self._next_search_s
        self._schedule_fit(searched=search)
        self.refit(losses, doubt, search=search)
        return True

    @property
    def _elapsed_s(self) -> float:
        return self._acq.seconds(self.stop_pulse - self.since_pulse)

    def _schedule_fit(self, *, searched: bool) -> None:
        self._next_fit_s = max(self._elapsed_s * FIT_GROWTH, self._elapsed_s + 0.5)
        if searched:
            self._next_search_s = SEARCH_GROWTH * self._elapsed_s

    def refit(self, losses: list[tuple[int, int]], doubt: str | None, *, search: bool = True) -> None:
        """Estimate the background, fit, and renew the verdict on the stretch.

        Args:
            losses: pulse intervals in which photons are missing.
            doubt: a reason outside the stretch not to call a type.
            search: fit the dot anew; otherwise it stays what it was at the last fit.
        """
        binned = self._without_foreign(losses)
        stop = self.stop_pulse if self._frozen_pulse is None else self._frozen_pulse
        span = self._acq.seconds(self.since_pulse), self._acq.seconds(stop)
        if binned is None:
            if not self.call.states:
                self.call = undetermined(*span, doubt or "too few photons yet")
            return
        seen, starts = binned
        lit = seen.lit_bins()
        data = replace(seen, counts=seen.counts[:lit])
        if lit < len(starts):
            span = span[0], float(starts[lit])
        fit: DotFit | None
        if self._fit is not None and not search:
            fit = reread(data, self._fit)
        else:
            data, known_sd_cps = self._with_background(data)
            fit = fit_dot(data, known_sd_cps, expected_bright(self._before))
        if fit is None:
            self.call = undetermined(*span, "no emitting level stands out")
            return
        self._fit = fit
        self._bin_s = data.bin_s
        self.reading = read_bins(fit)
        if search and self.settled is not None and self.settled.known_to_cps is None:
            # The states share the background better out than the decays alone.
            best = self.reading.best
            dot = dot_of(best.expected.mean, best.dot)
            self.background_cps, self.delayed = dot.background_cps, dot.delayed
            self.settled = self.settled.by_states(best.background, dot.bright_cps)
        if self.settled is not None:
            doubt = doubt or self.settled.doubt
        self.call = call_of(data, self.reading, span, doubt, self.belief)

    def lit_since(self, pulse: int, losses: list[tuple[int, int]]) -> bool:
        """Whether there was light that is not the dot's since a pulse, as far as can be told now."""
        self._without_foreign(losses)
        return any(stop > pulse for _, stop in self.foreign)

    def _without_foreign(self, losses: list[tuple[int, int]]) -> tuple[BinnedDecays, FloatArray] | None:
        """The bins since the last conversion that hold no light but the dot's."""
        before = [span for span in self.foreign if span[1] <= self.since_pulse]
        self.foreign = before
        binned = self._binned(self.since_pulse, losses, to_pulse=self._frozen_pulse)
        if binned is None:
            return None
        data, starts = binned
        marked = foreign_bins(data)
        if not marked.any():
            return binned
        edges = np.flatnonzero(np.diff(np.concatenate([[False], marked, [False]]).astype(np.int8)))
        for first, stop in edges.reshape(-1, 2).tolist():
            begin, end = (self._acq.pulses(float(starts[i])) for i in (first, stop - 1))
            self.foreign.append((begin, end + self._acq.pulses(data.bin_s)))
        return self._binned(self.since_pulse, losses, to_pulse=self._frozen_pulse)

    def _with_background(self, data: BinnedDecays) -> tuple[BinnedDecays, float | None]:
        """The bins with what lies under them, and how well that is known beforehand."""
        coarse = data.grouped(0.01)
        groups = intensity_groups(coarse.counts, coarse.bin_s)
        self.settled = settled = settle_background(*groups, data.bins, self.known_background)
        if settled.origin != ASSUMED_ZERO:
            self.background_cps = settled.background.value or 0.0
        if settled.delayed is not None:
            self.delayed = settled.delayed
        return self._data(data.counts, data.bin_s, data.bins), settled.known_to_cps

    def _data(self, counts: NDArray[np.float32], bin_s: float, bins: MicroBins) -> BinnedDecays:
        per_detector = self.histogram.sum(axis=1).astype(np.float64)
        share = per_detector / max(float(per_detector.sum()), 1.0)
        return BinnedDecays(
            counts,
            bin_s,
            replace(bins, delayed=self.delayed),
            self.background_cps,
            self._dead_time_ns,
            float(share @ share),
        )

    @property
    def known(self) -> tuple[DotFit, float | None] | None:
        """What is known of the dot, and at which <N>; None while nothing is."""
        return (self._fit, self.mean_excitation) if self._fit is not None else None

    def follow(self, fit: DotFit, excitation: float | None) -> None:
        """The same dot was known at another <N>: only its brightness and background are open."""
        ratio = 1.0
        if self.mean_excitation and excitation:
            ratio = float(np.expm1(-self.mean_excitation) / np.expm1(-excitation))
        self._before = fit, ratio

    def look(self, losses: list[tuple[int, int]], doubt: str | None, stop_pulse: int) -> BlinkingCall | None:
        """Verdict on the rolling window that ends at a pulse; None while too little is known.

        The dot is that of the stretch, or of the stretch before until that is known; the weights of its
        states are the window's own: a new kind of blink is not read as the old one for being rare.
        """
        window = self._acq.pulses(self._settings.window_s)
        first = max(self.since_pulse, stop_pulse - window)
        binned = self._binned(first, losses, to_pulse=stop_pulse)
        if binned is None:
            return None
        data = self._data(binned[0].counts, binned[0].bin_s, binned[0].bins)
        if self._fit is not None:
            fit = reread(data, self._fit)
        elif self._before is not None and self._elapsed_s >= ADAPT_S:
            fit = adapted(data, *self._before)
        else:
            return None
        span = self._acq.seconds(first), self._acq.seconds(stop_pulse)
        return call_of(data, read_bins(fit), span, doubt, self.belief)

    def restart_at(self, pulse: int, losses: list[tuple[int, int]], doubt: str | None) -> None:
        """The dot converted here: the verdict on the stretch now rests on what follows."""
        self.since_pulse = max(pulse, self.first_pulse)
        if self._fit is not None:
            self._before = self._fit, 1.0
        self._fit = None
        self.refit(losses, doubt)
        self._schedule_fit(searched=True)

    def dark_tail_s(self, threshold_cps: float, longest_s: float, losses: list[tuple[int, int]]) -> float:
        """How long the net rate has been below a threshold up to now, looking back so far at most."""
        if self.table is None:
            return 0.0
        return dark_tail_s(self.table, BASE_BIN_S, self.background_cps, threshold_cps, longest_s, losses)

    def freeze_before(self, pulse: int) -> None:
        """The dot bleached here: the verdict rests on what came before."""
        self._frozen_pulse = pulse
        self._next_fit_s = 0.0

    def _seen_s(self, first_pulse: int, losses: list[tuple[int, int]]) -> float:
        """Time looked at from a pulse on, losses left out."""
        seen, position = 0, first_pulse
        for first, stop in sorted(losses):
            seen += max(min(first, self.stop_pulse) - position, 0)
            position = max(position, stop)
        return self._acq.seconds(seen + max(self.stop_pulse - position, 0))

    def mean_rate(self, losses: list[tuple[int, int]]) -> Estimate:
        """Photons per second in all detectors, background included."""
        seen = self._seen_s(self.first_pulse, losses)
        if seen <= 0:
            return UNKNOWN
        return Estimate(self.photons / seen, float(np.sqrt(self.photons)) / seen)

    def decay(self, losses: list[tuple[int, int]]) -> SummedDecay | None:
        """All photons of the stretch that are kept, by arrival time; None without nanotimes."""
        if self.table is None or self.axis is None:
            return None
        counts = self.table.rows.sum(axis=0, dtype=np.float64)
        seen = self._seen_s(self.table.first_pulse, losses)
        background = self.background_cps * seen * self.axis.bins.uniform_share
        delayed = self.delayed * float(counts.sum() - background.sum())
        return SummedDecay(counts, background, delayed, guessed=self.background_origin == ASSUMED_ZERO)

    def lifetime(self, losses: list[tuple[int, int]]) -> Estimate:
        """Mean lifetime of all photons of the stretch, one exponential, background corrected."""
        decay = self.decay(losses)
        return decay.lifetime(self.axis.bins) if decay is not None and self.axis is not None else UNKNOWN

    def blinking_rate(self, losses: list[tuple[int, int]]) -> Estimate:
        """Switch-offs per second between the two states of the verdict, in 10 ms bins."""
        binned = self._binned(self.since_pulse, losses)
        if binned is None or len(self.call.states) < 2:
            return UNKNOWN
        data, _ = binned
        group = max(1, round(0.01 / data.bin_s))
        n = len(data.counts) // group
        counts = data.counts[: n * group].sum(axis=1, dtype=np.float64).reshape(n, group).sum(axis=1)
        bin_s = group * data.bin_s
        levels = [s.intensity_cps.value or 0.0 for s in self.call.states[:2]]
        bright, dim = ((level + data.background_cps) * bin_s for level in levels)
        rate = blinking_rate_hz(counts, bin_s, bright, dim)
        if rate is None:
            return UNKNOWN
        seconds = n * bin_s
        return Estimate(rate, float(np.sqrt(max(rate * seconds, 1.0))) / seconds)

    def charging(self) -> tuple[Estimate, ChargingCount | None]:
        """Charging rate of the stretch, and the count for a comparison between fluences: none is one too."""
        if self.reading is None or self._fit is None or self.call.blinking == "hc":
            return UNKNOWN, None
        auger = self.reading.losses.auger
        # Where a dot is charged, whatever traps did before, after or meanwhile.
        charged = find_blinks(auger, np.zeros(len(auger)), self.reading.best.dot.trion_loss)
        found = charging_rate(charged, len(auger), self._bin_s)
        return (found.rate_hz, found.at(self.mean_excitation)) if found is not None else (UNKNOWN, None)
