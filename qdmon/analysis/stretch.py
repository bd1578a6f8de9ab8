"""One stretch of constant fluence: what is collected from it and what is made of that."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hardware.types import Acquisition, Photons
from qdmon.analysis.background import estimate_floor, intensity_groups
from qdmon.analysis.bins import BinTable, count_nanotimes
from qdmon.analysis.blinks import blinking_rate_hz, charged_blinks, charging_rate_hz
from qdmon.analysis.charging import ChargingCount
from qdmon.analysis.conversion import TimedBlink
from qdmon.analysis.dynamics import ROWS_TO_KEEP, Dynamics
from qdmon.analysis.fit import BinnedDecays, DictionaryFit, fit_dot, fit_states
from qdmon.analysis.g2 import PairCounter
from qdmon.analysis.lifetime import SummedDecay
from qdmon.analysis.settings import AnalysisSettings
from qdmon.analysis.snapshot import UNKNOWN, BlinkingCall, Estimate
from qdmon.analysis.timing import MicroBins, TimeAxis
from qdmon.analysis.verdict import Reading, call_of, read_bins, undetermined

__all__ = ["Stretch"]

FloatArray = NDArray[np.float64]

BASE_BIN_S = 0.001
GROUPS = (1, 2, 5, 10, 20, 50)
# A bin this rich tells states apart; shorter bins catch more of the switching.
PHOTONS_PER_BIN = 250
FEWEST_BINS, MOST_BINS = 10, 8_000
FIRST_FIT_S = 1.0
FIT_GROWTH = 1.3


class Stretch:
    """Photons of a stretch of constant fluence, sorted, and the verdicts on them.

    Attributes:
        mean_excitation: <N>; None if nobody said.
        first_pulse: start of the stretch.
        stop_pulse: how far it has been looked at.
        photons: photons seen.
        background_cps: uniform background of the signal detectors together.
        background_origin: how it was found.
        delayed: share of the signal that comes at any time after the pulse.
        histogram: (c, t) TCSPC histogram.
        call: verdict on the stretch since its last conversion.
        since_pulse: where the data of that verdict begin.
        dynamics: levels, dwells and memory of its light.
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
        self.background_origin = "assumed zero"
        self.delayed = 0.0
        self.histogram = np.zeros(
            (max(acquisition.channels, default=0) + 1, max(acquisition.nanotime_bins, 1)), np.int64
        )
        self.axis: TimeAxis | None = None
        self.pairs: PairCounter | None = None
        self._kept_rows = int(settings.segment_kept_s / BASE_BIN_S)
        self.table: BinTable | None = None
        self.dynamics = Dynamics(acquisition, first_pulse, settings.segment_kept_s)
        if acquisition.mode == "T2":
            self.table = self._new_table(None)
        self._fit: DictionaryFit | None = None
        self._bin_s = BASE_BIN_S
        self._next_fit_s = FIRST_FIT_S
        self._frozen_pulse: int | None = None
        self._blinks_until_s = 0.0
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
        if channels is not None:
            self.pairs = PairCounter(channels, axis.arrival_ns, axis.bins.period_ns)

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

    def _binned(
        self, from_pulse: int, losses: list[tuple[int, int]], *, to_pulse: int | None = None
    ) -> tuple[BinnedDecays, FloatArray] | None:
        """Decays of the bins between two pulses, losses left out, and the start of each bin in s."""
        table = self.table
        if table is None or self.axis is None or table.closed < FEWEST_BINS:
            return None
        width = table.pulses_per_row
        first = max(-(-(from_pulse - table.first_pulse) // width), table.closed - self._kept_rows, 0)
        stop = table.closed
        if to_pulse is not None:
            stop = min(stop, (to_pulse - table.first_pulse) // width)
        rows = table.rows[first:stop]
        if len(rows) < FEWEST_BINS:
            return None
        group = self._group(rows)
        n = len(rows) // group
        counts = rows[: n * group].reshape(n, group, -1).sum(axis=1, dtype=np.float32)
        start_pulse = table.first_pulse + (first + group * np.arange(n)) * width
        good = np.ones(n, bool)
        for a, b in losses:
            good &= (start_pulse >= b) | (start_pulse + group * width <= a)
        if np.count_nonzero(good) < FEWEST_BINS:
            return None
        data = self._data(counts[good], group * BASE_BIN_S, self.axis.bins)
        return data, np.asarray(start_pulse[good] * (self._acq.macro_tick_ps / 1e12), np.float64)

    def _group(self, rows: NDArray[np.uint16] | NDArray[np.int32]) -> int:
        """Base bins per bin: enough photons in a bright one, not too many bins."""
        tens = len(rows) // 10 * 10
        per_ten = rows[:tens].sum(axis=1, dtype=np.int64).reshape(-1, 10).sum(axis=1)
        bright = float(np.percentile(per_ten, 95)) / 10
        for group in GROUPS:
            if bright * group >= PHOTONS_PER_BIN and len(rows) / group <= MOST_BINS:
                return group
        return GROUPS[-1] if len(rows) > 50 * 20 else GROUPS[-3]

    def refit_if_due(self, losses: list[tuple[int, int]], doubt: str | None) -> bool:
        """Fit the dictionary to everything since the last conversion, at growing intervals."""
        if self._elapsed_s < self._next_fit_s:
            return False
        self._schedule_fit()
        self.refit(losses, doubt)
        return True

    @property
    def _elapsed_s(self) -> float:
        return self._acq.seconds(self.stop_pulse - self.since_pulse)

    def _schedule_fit(self) -> None:
        self._next_fit_s = max(self._elapsed_s * FIT_GROWTH, self._elapsed_s + 0.5)

    def refit(self, losses: list[tuple[int, int]], doubt: str | None) -> None:
        """Estimate the background, fit, and renew the verdict on the stretch."""
        binned = self._binned(self.since_pulse, losses, to_pulse=self._frozen_pulse)
        stop = self.stop_pulse if self._frozen_pulse is None else self._frozen_pulse
        span = self._acq.seconds(self.since_pulse), self._acq.seconds(stop)
        if binned is None:
            if not self.call.states:
                self.call = undetermined(*span, doubt or "too few photons yet")
            return
        data = self._with_background(binned[0])
        fit = fit_dot(data)
        if fit is None:
            self.call = undetermined(*span, "no emitting level stands out")
            return
        self._fit = fit
        self._bin_s = data.bin_s
        self.reading = read_bins(data, fit)
        self.call = call_of(data, self.reading, span, doubt)

    def _with_background(self, data: BinnedDecays) -> BinnedDecays:
        signal = tuple(self.axis.t0_ps) if self.axis else ()
        known = None
        if self._settings.background_cps:
            known = sum(self._settings.background_of(c) for c in signal)
        found = estimate_floor(*intensity_groups(data.counts, data.bin_s), data.bins, known)
        if known is not None:
            self.background_cps, self.background_origin = known, "given"
        elif found is not None:
            self.background_cps, self.background_origin = found.background_cps, "decay tail"
        if found is not None:
            self.delayed = found.delayed
        return self._data(data.counts, data.bin_s, data.bins)

    def _data(self, counts: NDArray[np.float32], bin_s: float, bins: MicroBins) -> BinnedDecays:
        return BinnedDecays(counts, bin_s, replace(bins, delayed=self.delayed), self.background_cps)

    def call_between(
        self, from_pulse: int, to_pulse: int, losses: list[tuple[int, int]], doubt: str | None
    ) -> BlinkingCall | None:
        """An independent verdict on part of the stretch, with its own fit."""
        binned = self._binned(from_pulse, losses, to_pulse=to_pulse)
        fit = fit_dot(binned[0]) if binned is not None else None
        if binned is None or fit is None:
            return None
        span = self._acq.seconds(from_pulse), self._acq.seconds(to_pulse)
        return call_of(binned[0], read_bins(binned[0], fit), span, doubt)

    def look(
        self, losses: list[tuple[int, int]], doubt: str | None
    ) -> tuple[BlinkingCall, list[TimedBlink]] | None:
        """Verdict on the rolling window, and the blinks that ended since the last look.

        The dot is that of the stretch, the weights of its states are the window's own: a new kind of
        blink is not read as the old one for being rare.
        """
        if self._fit is None:
            return None
        window = self._acq.pulses(self._settings.window_s)
        first = max(self.since_pulse, self.stop_pulse - window)
        binned = self._binned(first, losses)
        if binned is None:
            return None
        data, starts = binned
        reading = read_bins(data, fit_states(data, self._fit.dot, steps=30))
        call = call_of(data, reading, (self._acq.seconds(first), self.stop_s), doubt)
        new = []
        for blink in reading.blinks:
            if blink.stop >= len(starts) or (blink.first == 0 and first > self.since_pulse):
                continue
            stop_s = float(starts[blink.stop])
            if stop_s > self._blinks_until_s:
                new.append(TimedBlink(float(starts[blink.first]), stop_s, blink.auger_share))
        if new:
            self._blinks_until_s = new[-1].stop_s
        return call, new

    def restart_at(self, pulse: int, losses: list[tuple[int, int]], doubt: str | None) -> None:
        """The dot converted here: the verdict on the stretch now rests on what follows."""
        self.since_pulse = max(pulse, self.first_pulse)
        self._fit = None
        self.refit(losses, doubt)
        self._schedule_fit()

    def dark_tail_s(self, threshold_cps: float, longest_s: float, losses: list[tuple[int, int]]) -> float:
        """How long the net rate has been below a threshold up to now, looking back so far at most.

        Time with losses proves nothing: the tail begins behind it.
        """
        if self.table is None:
            return 0.0
        # Bins in which the threshold stands well above the shot noise.
        step = int(np.clip(round(30 / max(threshold_cps, 1e-9) / BASE_BIN_S), 10, 500))
        rows = self.table.rows[-round(longest_s / BASE_BIN_S) :]
        n = len(rows) // step
        if not n:
            return 0.0
        counts = rows[len(rows) - n * step :].sum(axis=1, dtype=np.int64).reshape(n, step).sum(axis=1)
        lit = counts / (step * BASE_BIN_S) - self.background_cps >= threshold_cps
        width = step * self.table.pulses_per_row
        start = self.table.first_pulse + self.table.closed * self.table.pulses_per_row - n * width
        for first, stop in losses:
            if stop > start:
                lit[max(first - start, 0) // width : -((start - stop) // width)] = True
        last = np.flatnonzero(lit)
        return float((n - 1 - last[-1]) if len(last) else n) * step * BASE_BIN_S

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
        return SummedDecay(counts, background, self.delayed * float(counts.sum() - background.sum()))

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
        """Charging rate of the stretch, and the bare count for a comparison between fluences."""
        if self.reading is None or self._fit is None or self.call.blinking in ("bc", "hc", "none"):
            return UNKNOWN, None
        bins = len(self.reading.auger)
        bin_s = self._bin_s
        rate = charging_rate_hz(self.reading.blinks, bins, bin_s)
        if rate is None:
            return UNKNOWN, None
        if self.mean_excitation is None:
            return Estimate(*rate), None
        charged, neutral_s = charged_blinks(self.reading.blinks, bins, bin_s)
        return Estimate(*rate), ChargingCount(self.mean_excitation, len(charged), neutral_s)
