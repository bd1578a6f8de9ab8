"""Everything about one segment of a session: one time base, fluence stretches, calibration, conversions.

All decisions fall at fixed stream times (every half second of pulses), never at batch edges, so that the
result does not depend on how the stream was cut.
"""

import numpy as np

from hardware.types import Acquisition, Loss, Photons
from qdmon.analysis.bins import BinTable
from qdmon.analysis.charging import charging_exponent
from qdmon.analysis.equations import lifetime_from_window_mean
from qdmon.analysis.g2 import Pairs, g2_from_pairs, no_g2
from qdmon.analysis.lifetime import SummedDecay
from qdmon.analysis.losses import LossLog
from qdmon.analysis.settings import AnalysisSettings
from qdmon.analysis.snapshot import (
    G2,
    UNKNOWN,
    Calibration,
    Charging,
    Estimate,
    Event,
    FluenceStep,
    SegmentResult,
    Trace,
)
from qdmon.analysis.stretch import Stretch
from qdmon.analysis.ticks import TickPairs, g2_from_ticks
from qdmon.analysis.timing import GUARD_NS, TimeAxis, rising_edge_ps
from qdmon.analysis.watcher import ConversionWatcher

__all__ = ["Engine"]

LOOK_S = 0.5
# Photons of one detector that place its rising edge to about 0.05 ns.
CALIBRATION_PHOTONS = 3000
# By then a detector without an edge has none.
PATIENCE_PHOTONS = 100_000
MOST_PENDING = 2_000_000
MOST_WAITING = 20_000
# A protocol that cycles for days leaves this many steps to look back on.
MOST_FINISHED = 500


class Engine:
    """Analysis of one segment. Feed it in order; it keeps bounded memory."""

    def __init__(self, acquisition: Acquisition, settings: AnalysisSettings) -> None:
        self.acquisition = acquisition
        self.settings = settings
        self.position = 0
        self.looks = 0
        self.channel_photons = dict.fromkeys(acquisition.channels, 0)
        self.lost = LossLog()
        self.finished: list[SegmentResult] = []
        self.stretch: Stretch | None = Stretch(acquisition, settings, 0, None)
        self.steps: list[FluenceStep] = []
        self.axis: TimeAxis | None = None
        self.watcher = ConversionWatcher(acquisition)
        self.warnings: tuple[str, ...] = ()
        bin_pulses = max(acquisition.pulses(settings.trace_bin_s), 1)
        kept = int(settings.trace_kept_s / settings.trace_bin_s)
        self.trace_counts = BinTable(0, bin_pulses, 1, kept)
        self._trace_decays: BinTable | None = None
        self._kept_rows = kept
        self._look_pulses = max(acquisition.pulses(LOOK_S), 1)
        self._pending: list[tuple[Photons, int]] = []
        self._pending_photons = 0
        self._pairs_before = Pairs.none()
        self._background_before = 0.0
        self._decay_before: SummedDecay | None = None
        self._correlated: tuple[int, int] | None = None
        self._ticks = (
            TickPairs((acquisition.channels[0], acquisition.channels[1]), acquisition.macro_tick_ps)
            if acquisition.mode == "T2" and len(acquisition.channels) > 1
            else None
        )

    def photons(self, photons: Photons, stop_pulse: int) -> list[Event]:
        """Take the photons of [position, stop_pulse)."""
        events: list[Event] = []
        while self.position < stop_pulse:
            look = (self.position // self._look_pulses + 1) * self._look_pulses
            stop = min(look, stop_pulse)
            self._take(photons.between(self.position, stop), stop)
            if stop == look:
                events += self._look()
        return events

    def fluence(self, pulse: int, mean_excitation: float | None) -> list[Event]:
        """A new stretch begins at `pulse`; None: the fluence is changing, its photons belong to nobody."""
        self._close_stretch()
        time_s = self.acquisition.seconds(pulse)
        self.steps.append(FluenceStep(time_s, mean_excitation))
        if mean_excitation is None:
            self.stretch = None
            return []
        self.stretch = Stretch(self.acquisition, self.settings, self.position, mean_excitation)
        if self.axis is not None:
            self.stretch.use_axis(self.axis, self._correlated, self._last_background())
        return [Event(time_s, "fluence", "info", f"<N> = {mean_excitation:g}")]

    def loss(self, loss: Loss) -> list[Event]:
        """Photons are missing somewhere at or after the present position."""
        self.lost.add(loss)
        seconds = self.acquisition.seconds(loss.stop_pulse - loss.first_pulse)
        text = f"{loss.cause.value}: {seconds:.3g} s without photons"
        return [Event(self.acquisition.seconds(loss.first_pulse), "loss", "warning", text)]

    def finish(self) -> list[Event]:
        """The stream is over: look once more at what the last half second left."""
        events: list[Event] = []
        if self.axis is None:
            self._calibrate(force=True)
        if self.stretch is not None:
            self.stretch.stop_pulse = self.position
            doubt = self.doubt()
            self.stretch.refit(self.spans, doubt)
            self.stretch.refit_dynamics(self.spans)
            events = self.watcher.look(self.stretch, self.spans, doubt)
            self.looks += 1
        return events

    @property
    def spans(self) -> list[tuple[int, int]]:
        """Losses as pulse intervals."""
        return self.lost.spans

    def _take(self, photons: Photons, stop: int) -> None:
        for channel, n in enumerate(np.bincount(photons.channel).tolist()):
            if n:
                self.channel_photons[channel] = self.channel_photons.get(channel, 0) + n
        self.trace_counts.add_counts(photons, stop)
        stretch = self.stretch
        if self._ticks is not None:
            self._ticks.add(photons, self.position, stop)
        if stretch is not None:
            stretch.count(photons)
        if self.axis is None and self.acquisition.mode == "T3":
            self._wait(photons, stop)
        else:
            self._sort(photons, stop)
        self.position = stop

    def _wait(self, photons: Photons, stop: int) -> None:
        """Keep photons until they can be sorted; in a long darkness the oldest stay merely counted."""
        self._pending.append((photons, stop))
        self._pending_photons += len(photons)
        if self._pending_photons <= MOST_PENDING and len(self._pending) <= MOST_WAITING:
            return
        self._calibrate(force=True)
        half = len(self._pending) // 2
        self._pending_photons -= sum(len(p) for p, _ in self._pending[:half])
        del self._pending[:half]

    def _sort(self, photons: Photons, stop: int) -> None:
        if self._trace_decays is not None and self.axis is not None:
            self._trace_decays.add_decays(photons, stop, self.axis.micro_bin, self.axis.arrival_ns)
        if self.stretch is not None:
            self.stretch.sort(photons, stop, self.spans)

    def _look(self) -> list[Event]:
        self.looks += 1
        if self.axis is None and self.acquisition.mode == "T3":
            self._calibrate(force=False)
        stretch = self.stretch
        if stretch is None:
            return []
        doubt = self.doubt()
        if stretch.refit_if_due(self.spans, doubt):
            stretch.refit_dynamics(self.spans)
        return self.watcher.look(stretch, self.spans, doubt)

    def _calibrate(self, *, force: bool) -> None:
        """Place the pulse on each detector's axis, then sort what was waiting for it."""
        if self.acquisition.mode != "T3" or self.acquisition.resolution_ps is None or self.stretch is None:
            return
        t0 = dict(self.settings.t0_ps) or self._edges(self.stretch, force=force)
        if not t0:
            if force:
                self.warnings = ("no rising edge found: lifetimes need a pulsed dot",)
            return
        self.axis = TimeAxis.build(self.acquisition, t0)
        self._trace_decays = BinTable(
            0, self.trace_counts.pulses_per_row, self.axis.bins.count, self._kept_rows
        )
        self._correlated = self._brightest_two()
        self.stretch.use_axis(self.axis, self._correlated, 0.0)
        pending, self._pending = self._pending, []
        self._pending_photons = 0
        position, self.position = self.position, 0
        for photons, stop in pending:
            self._sort_waiting(photons, stop)
        self.position = position

    def _edges(self, stretch: Stretch, *, force: bool) -> dict[int, float]:
        """Rising edge of every detector that sees the dot; none yet while one of them needs more photons."""
        resolution_ps = self.acquisition.resolution_ps or 1.0
        totals = {c: int(n) for c, n in enumerate(stretch.histogram.sum(axis=1)) if n}
        most = max(totals.values(), default=0)
        # A detector with hundredths of the light sees no dot, only its own noise.
        lit = {c: n for c, n in totals.items() if n > 0.03 * most}
        edges = {c: rising_edge_ps(stretch.histogram[c], resolution_ps) for c in lit}
        found = {c: edge for c, edge in edges.items() if edge is not None}
        faint = [c for c, n in lit.items() if n > 0.1 * most and (c not in found or n < CALIBRATION_PHOTONS)]
        if not force and (most < CALIBRATION_PHOTONS or (faint and most < PATIENCE_PHOTONS)):
            return {}
        return found

    def _sort_waiting(self, photons: Photons, stop: int) -> None:
        stretch = self.stretch
        if stretch is not None and stop <= stretch.first_pulse:
            # It waited since an earlier stretch: it counts for the trace only.
            self.stretch = None
            self._sort(photons, stop)
            self.stretch = stretch
        else:
            self._sort(photons, stop)
        self.position = stop

    def _brightest_two(self) -> tuple[int, int] | None:
        """The two detectors with signal; None where there are not two."""
        if self.axis is None or len(self.axis.t0_ps) < 2:
            return None
        first, second = sorted(self.axis.t0_ps, key=lambda c: -self.channel_photons.get(c, 0))[:2]
        return min(first, second), max(first, second)

    def _last_background(self) -> float:
        return self.stretch.background_cps if self.stretch is not None else self._background_before

    def _close_stretch(self) -> None:
        stretch = self.stretch
        if stretch is None:
            return
        self._background_before = stretch.background_cps
        if self.axis is None:
            stretch.stop_pulse = self.position
        if stretch.pairs is not None:
            self._pairs_before += stretch.pairs.pairs
        if stretch.stop_pulse > stretch.first_pulse:
            stretch.refit(self.spans, self.doubt())
            stretch.dynamics.close()
            stretch.refit_dynamics(self.spans)
            self._decay_before = _sum(self._decay_before, stretch.decay(self.spans))
            self.finished = [*self.finished, self.result_of(stretch)][-MOST_FINISHED:]
            self.watcher.stretch_over(stretch)
        self.stretch = None

    def doubt(self) -> str | None:
        """A reason not to call any type at present."""
        if self.acquisition.mode == "T2":
            return "a T2 recording has no nanotimes, so no lifetimes"
        if self.axis is None:
            return "the pulse could not be placed on the time axis yet: too few photons"
        if self._correlated is None:
            return "one detector only: g2 cannot show a single emitter"
        g2 = self.g2()
        if g2.single_emitter is None:
            limit = f"{g2.upper_limit_99:.2f}" if g2.upper_limit_99 is not None else "unknown"
            return f"g2(0) does not show a single emitter (99 % limit {limit})"
        if not g2.single_emitter:
            return "g2(0) is above 0.5: more than one emitter"
        return None

    def background(self) -> dict[int, float]:
        """Background of each detector, shared out by their photons in the last tenth of the period."""
        stretch = self.stretch
        if self.settings.background_cps:
            return {c: self.settings.background_of(c) for c in self.acquisition.channels}
        if self.axis is None:
            return {}
        total = self._last_background()
        channels = list(self.axis.t0_ps)
        if stretch is None or not stretch.photons:
            return {c: total / len(channels) for c in channels}
        late = {}
        for c in channels:
            arrival = self.axis.arrival_ns[c]
            late[c] = int(stretch.histogram[c][arrival > 0.9 * self.axis.bins.period_ns].sum()) + 1
        return {c: total * n / sum(late.values()) for c, n in late.items()}

    def g2_of(self, pairs: Pairs) -> G2:
        """g2 of some pairs with the present calibration."""
        if self._ticks is not None:
            return g2_from_ticks(self._ticks, self.settings.detector_delay_ns)
        if self._correlated is None or self.axis is None:
            return no_g2()
        return g2_from_pairs(
            pairs,
            self._correlated,
            self.axis.bins.period_ns,
            self.axis.t0_ps,
            self.background(),
            self.settings.detector_delay_ns,
        )

    def g2(self) -> G2:
        """g2 of the whole segment."""
        pairs = self.stretch.pairs if self.stretch is not None else None
        return self.g2_of(self._pairs_before + pairs.pairs if pairs is not None else self._pairs_before)

    def result_of(self, stretch: Stretch) -> SegmentResult:
        """Everything known about a stretch."""
        rate, _ = stretch.charging()
        return SegmentResult(
            stretch.start_s,
            stretch.stop_s,
            stretch.mean_excitation,
            stretch.call,
            stretch.mean_rate(self.spans),
            stretch.lifetime(self.spans),
            stretch.blinking_rate(self.spans),
            rate,
            self.g2_of(stretch.pairs.pairs if stretch.pairs is not None else Pairs.none()),
            stretch.dynamics.levels(stretch.background_cps, stretch.delayed),
            stretch.dynamics.intensities,
            stretch.dynamics.on_dwells,
            stretch.dynamics.off_dwells,
            stretch.dynamics.correlation,
        )

    def lifetime(self) -> Estimate:
        """Mean lifetime of the whole segment so far, whatever the fluence."""
        here = self.stretch.decay(self.spans) if self.stretch is not None else None
        decay = _sum(self._decay_before, here)
        return decay.lifetime(self.axis.bins) if decay is not None and self.axis is not None else UNKNOWN

    def charging(self) -> Charging:
        """Exponent of the charging rate over the fluences seen."""
        return charging_exponent(self.watcher.charging_counts(self.stretch))

    def calibration(self) -> Calibration:
        """What the numbers lean on."""
        stretch = self.stretch
        warnings = list(self.warnings)
        origin = stretch.background_origin if stretch is not None else "decay tail"
        if origin == "assumed zero" and self.axis is not None:
            warnings.append("background assumed zero: too few photons to estimate it")
        if not self.settings.t0_ps and self.axis is not None:
            warnings.append("time zero from the rising edge: no instrument response given")
        irf = self.settings.irf_origin if self.settings.t0_ps else "rising edge"
        t0 = dict(self.axis.t0_ps) if self.axis is not None else {}
        return Calibration(
            self.background(), origin, irf if self.axis is not None else "none", t0, tuple(warnings)
        )

    def trace(self) -> Trace:
        """Counts and mean lifetimes per trace bin, as far as they are kept."""
        counts = self.trace_counts.rows[:, 0].astype(np.int32, copy=False)
        start = self.trace_counts.first_pulse
        width = self.trace_counts.pulses_per_row
        edges = start + width * np.arange(len(counts))
        lost = np.zeros(len(counts), bool)
        for a, b in self.spans:
            lost |= (edges < b) & (edges + width > a)
        bin_s = self.acquisition.seconds(width)
        return Trace(self.acquisition.seconds(start), bin_s, counts, self._arrival(len(counts), bin_s), lost)

    def _arrival(self, n: int, bin_s: float) -> "np.ndarray[tuple[int], np.dtype[np.float32]]":
        lifetime = np.full(n, np.nan, np.float32)
        table = self._trace_decays
        if table is None or self.axis is None:
            return lifetime
        offset = (table.first_pulse - self.trace_counts.first_pulse) // table.pulses_per_row
        rows, sums = table.rows, table.sums
        if offset < 0:
            rows, sums, offset = rows[-offset:], sums[-offset:], 0
        gate = float(self.axis.bins.edges_ns[1])
        window = self.axis.bins.period_ns - GUARD_NS - gate
        count = rows[:, 1:].sum(axis=1, dtype=np.float64)
        background = self._last_background() * bin_s * window / self.axis.bins.period_ns
        net = count - background
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = (sums - gate * count - background * window / 2) / net
        usable = (net > 8) & (net > 2 * np.sqrt(count))
        tau = np.full(len(rows), np.nan)
        tau[usable] = lifetime_from_window_mean(mean[usable], window)
        stop = min(offset + len(tau), n)
        lifetime[offset:stop] = tau[: stop - offset]
        return lifetime


def _sum(one: SummedDecay | None, other: SummedDecay | None) -> SummedDecay | None:
    return one + other if one is not None and other is not None else one or other
