"""What every number leans on: time zero, background and state of each detector, kept while photons come.

The photons of each look (half a second at fixed pulses) are sorted once into a TCSPC histogram, from which
edges, dark counts and the share of real decay follow; so nothing depends on how the stream was cut.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hardware.types import Acquisition, Photons
from qdmon.analysis.bins import count_nanotimes
from qdmon.analysis.calibration.after_pulses import USUAL_AFTER_PULSES, AfterPulses
from qdmon.analysis.calibration.dark import DarkLog
from qdmon.analysis.calibration.edges import EdgeWatch
from qdmon.analysis.calibration.gaps import ClickGaps, GapCounter, after_pulses_of, dead_time_of
from qdmon.analysis.calibration.load import DetectorLoad
from qdmon.analysis.calibration.timing import GUARD_NS, LEFT_OUT, Edge, TimeAxis, rising_edge
from qdmon.analysis.calibration.trust import GIVEN, KnownBackground
from qdmon.analysis.calibration.window import begins_anew_ps, recorded_window
from qdmon.analysis.results.estimate import Estimate
from qdmon.analysis.results.event import Event
from qdmon.analysis.settings import AnalysisSettings

__all__ = ["Calibrator"]

# Photons of one detector that place its rising edge to about 0.05 ns.
CALIBRATION_PHOTONS = 3000
# By then a detector without an edge has none.
PATIENCE_PHOTONS = 100_000
# With fewer photons it is no wonder that no pulse shows.
FEW_FOR_AN_EDGE = 2000
# Near pairs must have grown by this before the gaps between clicks are asked again.
GAPS_GROWTH = 1.5
NO_EDGE = "no rising edge found: lifetimes need a pulsed dot"


class Calibrator:
    """Calibration of one segment.

    Attributes:
        axis: where the pulse lies on each detector's time axis; None while not known.
        correlated: the two detectors with most light, in T2 the first two; None where there are not two.
        edges: the edges behind the axis.
        dark: background counted without light.
        load: how hard the detectors work.
        click_gaps: channel -> what the gaps between its clicks say.
        after_pulses: of the detectors that see the dot.
        problem: why there is no axis; None if nothing is wrong.
        stories: where time zero moved, in words.
    """

    def __init__(self, acquisition: Acquisition, settings: AnalysisSettings) -> None:
        self._acq = acquisition
        self._settings = settings
        self.axis: TimeAxis | None = None
        self.correlated: tuple[int, int] | None = None
        if acquisition.mode == "T2" and len(acquisition.channels) > 1:
            self.correlated = acquisition.channels[0], acquisition.channels[1]
        self.edges: EdgeWatch | None = None
        self.dark = DarkLog(acquisition)
        self.load = DetectorLoad(acquisition, settings.dead_time_ns)
        self.click_gaps: dict[int, ClickGaps] = {}
        self.after_pulses: AfterPulses = USUAL_AFTER_PULSES
        self._gaps: GapCounter | None = None
        self._next_near = 1.0
        self._seen: dict[int, float] = {}
        self.problem: str | None = None
        self.stories: tuple[str, ...] = ()
        shape = (max(acquisition.channels, default=0) + 1, max(acquisition.nanotime_bins, 1))
        self._histogram = np.zeros(shape, np.int64)
        self._first_pulse = 0
        self._mixed = False
        self._emission = True
        self._excited = True
        self._late = np.zeros(shape, bool)
        self._last_tenth = np.zeros(shape, bool)
        self._window: tuple[int, int] | None = None

    def emission(self, pulse: int, emission: bool | None) -> None:
        """What the laser says of itself; None (no answer) counts as on."""
        self._emission = emission is not False
        self._light(pulse)

    def excitation(self, pulse: int, mean_excitation: float | None) -> None:
        """<N> from a pulse on."""
        self._excited = mean_excitation != 0
        self.dark.another_fluence()
        self.load.another_fluence()
        self._light(pulse)

    def _light(self, pulse: int) -> None:
        self._mixed = True
        self.dark.laser(pulse, dark=not (self._emission and self._excited))

    def begin_look(self, first_pulse: int, pulses: int) -> None:
        """Half a second of photons follows."""
        self._first_pulse = first_pulse
        self._histogram[:] = 0
        self._mixed = False
        self.load.begin(pulses)

    def add(self, photons: Photons) -> None:
        """Take photons of the present look."""
        count_nanotimes(self._histogram, photons.nanotime, photons.channel)
        self.load.add(photons, self._first_pulse)
        if self._gaps is not None and self.axis is not None:
            self._gaps.add(photons, self.axis)

    def end_look(self, stop_pulse: int, losses: list[tuple[int, int]]) -> list[Event]:
        """Learn from the look; events where time zero moved, and `axis` is another then.

        Args:
            stop_pulse: its end.
            losses: pulse intervals in which photons are missing.
        """
        whole = not any(a < stop_pulse and b > self._first_pulse for a, b in losses)
        seconds = self._acq.seconds(stop_pulse - self._first_pulse) if whole and not self._mixed else 0.0
        self.load.look(complete=seconds > 0 and not self.dark.is_dark)
        self.dark.look(self._first_pulse, self._histogram, self.axis, seconds)
        if self.edges is None:
            return []
        before, after_pulses = self.edges.t0_ps, self.after_pulses
        self._ask_gaps()
        time_s = self._acq.seconds(stop_pulse)
        events = []
        for moved in self.edges.look(self._histogram, self._signal()):
            by = f"{moved.by_ps / 1e3:+.2f} ns"
            if moved.given:
                text = f"t0 of channel {moved.channel} is {by} from the one given: the edge is followed"
            else:
                text = f"t0 of channel {moved.channel} moved by {by} at {time_s:.1f} s"
            events.append(Event(time_s, "warning", "warning", text))
        self.stories = (*self.stories, *(e.text for e in events))[-20:]
        if self.edges.t0_ps != before:
            self._use(self.edges.t0_ps)
        elif self.axis is not None and not self.after_pulses.same_as(after_pulses):
            self.axis = self._with_after_pulses(self.axis)
        return events

    def _ask_gaps(self) -> None:
        """Dead times and after-pulses anew, where the gaps between clicks may say more by now."""
        if self._gaps is None or self.axis is None or self._gaps.near < self._next_near:
            return
        self._next_near = GAPS_GROWTH * self._gaps.near
        dead_ns = {}
        for c in self.axis.t0_ps:
            self.load.measured(c, None)
            known_ns, origin = self.load.dead_time(c)
            gaps = dead_time_of(self._gaps.gaps(c), known_ns if origin != "assumed" else None)
            self.load.measured(c, gaps.dead_ns.value)
            self.click_gaps[c] = gaps
            dead_ns[c] = self.load.dead_time(c)[0]
        light = {c: max(self._seen.get(c, 0.0), 1.0) for c in self.axis.t0_ps}
        self.after_pulses = after_pulses_of(self.click_gaps, light, dead_ns)

    def _signal(self) -> dict[int, float]:
        """Channel -> share of the look's photons that decays behind the gate."""
        total = self._histogram.sum(axis=1)
        late = (self._histogram * self._late).sum(axis=1)
        last = (self._histogram * self._last_tenth).sum(axis=1)
        width, width_last = self._late.sum(axis=1), self._last_tenth.sum(axis=1)
        uniform = last * width / np.maximum(width_last, 1)
        shares = (late - uniform) / np.maximum(total, 1)
        return dict(enumerate(shares.tolist()))

    def place(self, histogram: NDArray[np.int64], totals: dict[int, int], *, force: bool) -> bool:
        """Place the pulse on each detector's axis, if the photons can tell.

        Args:
            histogram: (c, t) photons of a stretch.
            totals: channel -> photons of the segment.
            force: take what there is.
        """
        if self._acq.mode != "T3" or self._acq.resolution_ps is None:
            return False
        given = {c: at for c, at in self._settings.t0_ps.items() if c in self._acq.channels}
        clock_ps = begins_anew_ps(self._acq, histogram.sum(axis=0))
        edges = {} if given else self._first_edges(histogram, clock_ps, force=force)
        if not given and not edges:
            if force:
                few = histogram.sum() < FEW_FOR_AN_EDGE
                self.problem = "too few photons for a rising edge" if few else NO_EDGE
            return False
        self.problem = None
        self._window = recorded_window(self._acq, histogram.sum(axis=0))
        self.edges = EdgeWatch(self._acq, edges, given, clock_ps)
        self._seen = dict(enumerate(histogram.sum(axis=1, dtype=np.float64).tolist()))
        if self._acq.counts_pulses and not self._acq.started_by_photons:
            self._gaps = GapCounter(len(histogram), self._acq.macro_tick_ps / 1e3)
        self._use(self.edges.t0_ps)
        brightest = sorted(sorted(self.edges.t0_ps, key=lambda c: -totals.get(c, 0))[:2])
        two = len(brightest) == 2 and self._acq.counts_pulses
        self.correlated = (brightest[0], brightest[1]) if two else None
        return True

    @property
    def not_correlated(self) -> tuple[int, ...]:
        """Detectors with light that g2 leaves out."""
        lit = self._acq.channels if self.axis is None else tuple(self.axis.t0_ps)
        return tuple(c for c in sorted(lit) if c not in (self.correlated or ()))

    def _use(self, t0_ps: dict[int, float]) -> None:
        axis = TimeAxis.build(self._acq, t0_ps, self._window, self._seen)
        self.axis = axis = self._with_after_pulses(axis)
        self._late = (axis.micro_bin > 0) & (axis.micro_bin != LEFT_OUT)
        last = axis.bins.edges_ns[-1] + GUARD_NS - 0.1 * (axis.bins.recorded_ns or axis.bins.period_ns)
        self._last_tenth = self._late & (axis.arrival_ns > last)

    def _with_after_pulses(self, axis: TimeAxis) -> TimeAxis:
        return replace(axis, bins=replace(axis.bins, after_pulses=self.after_pulses))

    def _first_edges(
        self, histogram: NDArray[np.int64], clock_ps: float | None, *, force: bool
    ) -> dict[int, Edge]:
        """Edge of every detector that sees the dot; none yet while one of them needs more photons."""
        resolution_ps = self._acq.resolution_ps or 1.0
        totals = {c: int(n) for c, n in enumerate(histogram.sum(axis=1)) if n}
        most = max(totals.values(), default=0)
        # A detector with hundredths of the light sees no dot, only its own noise.
        lit = {c: n for c, n in totals.items() if n > 0.03 * most}
        edges = {c: rising_edge(histogram[c], resolution_ps, clock_ps) for c in lit}
        found = {c: edge for c, edge in edges.items() if edge is not None}
        faint = [c for c, n in lit.items() if n > 0.1 * most and (c not in found or n < CALIBRATION_PHOTONS)]
        if not force and (most < CALIBRATION_PHOTONS or (faint and most < PATIENCE_PHOTONS)):
            return {}
        return found

    def known_background(self) -> KnownBackground | None:
        """The most trusted background that is not read off the decays; None if there is none."""
        settings = self._settings
        if settings.background_cps:
            given = {c: Estimate(settings.background_of(c)) for c in self._acq.channels}
            return KnownBackground(given, GIVEN)
        dark = self.dark.dark_cps()
        if dark is not None:
            return KnownBackground(dark, "dark stretch")
        if settings.dark_cps:
            return KnownBackground(settings.dark_cps, settings.dark_origin)
        bleached = self.dark.bleached_cps()
        return KnownBackground(bleached, "bleached tail") if bleached is not None else None

    def known_total(self) -> tuple[Estimate, str] | None:
        """The same for all detectors that see the dot together."""
        known = self.known_background()
        if known is None or self.axis is None:
            return None
        return known.total(self.axis.t0_ps), known.origin

    def shared_out(
        self, histogram: NDArray[np.int64] | None, total_cps: float, error_cps: float | None
    ) -> dict[int, Estimate]:
        """Background of each detector: a total, shared out by the photons in the last tenth of the period.

        Args:
            histogram: (c, t) photons of a stretch; None shares equally.
            total_cps: of all detectors that see the dot together.
            error_cps: its standard error; None if unknown.
        """
        if self.axis is None:
            return {}
        signal = list(self.axis.t0_ps)
        late = np.ones(len(self._last_tenth))
        if histogram is not None:
            late += (histogram * self._last_tenth).sum(axis=1)
        shares = {c: float(late[c] / late[signal].sum()) for c in signal}
        return {
            c: Estimate(total_cps * x, error_cps * x if error_cps is not None else None)
            for c, x in shares.items()
        }
