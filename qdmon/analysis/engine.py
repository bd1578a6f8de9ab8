"""Everything about one segment of a session: one time base, fluence stretches, calibration, conversions.

All decisions fall at fixed stream times (every half second of pulses), never at batch edges, so that the
result does not depend on how the stream was cut.
"""

from dataclasses import replace

import numpy as np

from hardware.types import Acquisition, Loss, Photons
from qdmon.analysis.antibunching.g2 import no_g2
from qdmon.analysis.antibunching.gated import (
    SURELY_SINGLE,
    belief_in_single,
    biexciton_yield,
    emitter_doubt,
)
from qdmon.analysis.antibunching.history import PairHistory
from qdmon.analysis.antibunching.pairs import Pairs
from qdmon.analysis.cadence import Cadence
from qdmon.analysis.calibration.calibration import Calibrator
from qdmon.analysis.calibration.cautions import calibration_doubt, calibration_of, setup_doubt
from qdmon.analysis.calibration.timing import TimeAxis
from qdmon.analysis.conversion.watcher import ConversionWatcher
from qdmon.analysis.decays.lifetime import SummedDecay
from qdmon.analysis.dot.fit import DotFit
from qdmon.analysis.dot.verdict import believed, undetermined
from qdmon.analysis.losses import LossLog
from qdmon.analysis.results.blinking import BlinkingCall
from qdmon.analysis.results.estimate import UNKNOWN, Estimate
from qdmon.analysis.results.event import Event
from qdmon.analysis.results.intensity import Trace
from qdmon.analysis.results.origins import Calibration
from qdmon.analysis.results.pair_correlation import G2
from qdmon.analysis.results.segment import Charging, FluenceStep, SegmentResult
from qdmon.analysis.rolling_window import RollingWindow
from qdmon.analysis.settings import AnalysisSettings
from qdmon.analysis.stretch.background_history import BackgroundHistory
from qdmon.analysis.stretch.result import segment_result
from qdmon.analysis.stretch.stretch import Stretch
from qdmon.analysis.switching.charging import charging_exponent
from qdmon.analysis.traces import TraceTables
from qdmon.analysis.waiting import WaitingPhotons

__all__ = ["Engine"]

# Pairs and background tell something new at every look of a young stretch, more rarely later.
YOUNG_S, LOOKS_PER_JUDGEMENT = 5.0, 4
# A protocol that cycles for days leaves this many steps to look back on.
MOST_FINISHED = 500


class Engine:
    """Analysis of one segment. Feed it in order; it keeps bounded memory.

    Attributes:
        acquisition: time base of the segment.
        position: pulse up to which photons have been taken.
        looks: how often everything has been looked at.
        channel_photons: channel -> photons so far.
        lost: where photons are missing.
        finished: the stretches that are over, the latest of them.
        stretch: the present one; None while the fluence changes or the light is out.
        steps: of the fluence, ascending.
        watcher: of conversions and what else happens to the dot.
    """

    def __init__(self, acquisition: Acquisition, settings: AnalysisSettings) -> None:
        self.acquisition = acquisition
        self._settings = settings
        self.position = 0
        self.looks = 0
        self.channel_photons = dict.fromkeys(acquisition.channels, 0)
        self.lost = LossLog()
        self.finished: list[SegmentResult] = []
        self.stretch: Stretch | None = Stretch(acquisition, settings, 0, None)
        self.steps: list[FluenceStep] = []
        self._calibrator = Calibrator(acquisition, settings)
        self._traces = TraceTables(acquisition, settings, 0)
        self._window = RollingWindow()
        self.watcher = ConversionWatcher(acquisition, settings.false_alarms_per_day)
        self._doubt: str | None = None
        self._cadence = Cadence(acquisition)
        self._waiting = WaitingPhotons()
        self._pairs = PairHistory(acquisition, self._calibrator, settings.detector_delay_ns)
        self._backgrounds = BackgroundHistory(self._calibrator)
        # <N> of the stretch that ended when the light went out.
        self._interrupted: tuple[float | None] | None = None
        self._known: tuple[DotFit, float | None] | None = None
        self._decay_before: SummedDecay | None = None
        # Stretches that are over, and the verdicts on them if the dot should prove to be one emitter.
        self._unproven: list[tuple[SegmentResult, BlinkingCall]] = []
        self._calibrator.begin_look(0, self._cadence.look_pulses)

    @property
    def axis(self) -> TimeAxis | None:
        """Where the pulse lies on the time axis of each detector; None while not known."""
        return self._calibrator.axis

    def begin(self, first_pulse: int) -> None:
        """The stream begins here: nobody has looked before. Only while nothing has been taken."""
        self.position = first_pulse
        self._traces = TraceTables(self.acquisition, self._settings, first_pulse)
        self._calibrator.begin_look(first_pulse, self._cadence.look_pulses)
        if self.stretch is not None:
            self._open_stretch(self.stretch.mean_excitation)

    def photons(self, photons: Photons, stop_pulse: int) -> list[Event]:
        """Take the photons of [position, stop_pulse)."""
        events: list[Event] = []
        while self.position < stop_pulse:
            due = self._cadence.next_read(self.position)
            stop = min(due, stop_pulse)
            self._take(photons.between(self.position, stop), stop)
            if stop == due:
                events += self._look() if self._cadence.looks_at(stop) else self._read()
        return events

    def fluence(self, pulse: int, mean_excitation: float | None) -> list[Event]:
        """A new stretch begins at `pulse`; None: the fluence is changing, its photons belong to nobody."""
        self._close_stretch()
        self._interrupted = None
        self._calibrator.excitation(pulse, mean_excitation)
        time_s = self.acquisition.seconds(pulse)
        before = self._mean_excitation
        if before is not None and mean_excitation is not None and mean_excitation != before:
            self._cadence.step(pulse, rise=mean_excitation > before)
        self.steps.append(FluenceStep(time_s, mean_excitation))
        if mean_excitation is None:
            return []
        self._open_stretch(mean_excitation)
        return [Event(time_s, "fluence", "info", f"<N> = {mean_excitation:g}")]

    @property
    def _mean_excitation(self) -> float | None:
        """The last <N> that was known."""
        known = (step.mean_excitation for step in reversed(self.steps))
        return next((level for level in known if level is not None), None)

    def emission(self, pulse: int, emission: bool | None) -> None:
        """The laser says whether it emits; light that is out ends a stretch, None (no answer) does not."""
        self._calibrator.emission(pulse, emission)
        if emission is False and self.stretch is not None:
            self._interrupted = (self.stretch.mean_excitation,)
            self._close_stretch()
        elif emission and self.stretch is None and self._interrupted is not None:
            self._open_stretch(*self._interrupted)
            self._interrupted = None

    def _open_stretch(self, mean_excitation: float | None) -> None:
        self.stretch = Stretch(self.acquisition, self._settings, self.position, mean_excitation)
        if self.axis is not None:
            self.stretch.use_axis(self.axis, self._calibrator.correlated, self._backgrounds.before_cps)
        if self._known is not None:
            self.stretch.follow(*self._known)

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
            self.stretch.photons.stop_pulse = self.position
            self._doubt = doubt = self._refit(self.stretch)
            self._refit_dynamics(self.stretch)
            events = self.watcher.watch(self.stretch, self.steps, self.spans, doubt)
            events += self.watcher.look(self.stretch, self.spans, self.g2_of)
            events += self.watcher.last_words(self.stretch)
            self.looks += 1
            self._window.looked_at(self.stretch, doubt)
        return events

    @property
    def spans(self) -> list[tuple[int, int]]:
        """Losses as pulse intervals."""
        return self.lost.spans

    def _take(self, photons: Photons, stop: int) -> None:
        for channel, n in enumerate(np.bincount(photons.channel).tolist()):
            if n:
                self.channel_photons[channel] = self.channel_photons.get(channel, 0) + n
        self._traces.count(photons, stop)
        self._calibrator.add(photons)
        stretch = self.stretch
        self._pairs.add_ticks(photons, self.position, stop)
        if stretch is not None:
            stretch.photons.count(photons)
        if self.axis is None and self.acquisition.mode == "T3":
            self._wait(photons, stop)
        else:
            self._sort(photons, stop, stretch)
        self.position = stop

    def _wait(self, photons: Photons, stop: int) -> None:
        """Keep photons until they can be sorted; in a long darkness the oldest stay merely counted."""
        self._waiting.add(photons, stop)
        if self._waiting.too_many:
            self._calibrate(force=False)
            self._waiting.forget_older_half()

    def _sort(self, photons: Photons, stop: int, stretch: Stretch | None) -> None:
        self._traces.sort(photons, stop)
        if stretch is not None:
            stretch.sort(photons, stop, self.spans)

    def _look(self) -> list[Event]:
        self.looks += 1
        if self.axis is None and self.acquisition.mode == "T3":
            self._calibrate(force=False)
        events = self._learn()
        stretch = self.stretch
        if stretch is None:
            return events
        if self._is_to_be_judged(stretch):
            self._doubt = self._judge()
        doubt = self._doubt
        if stretch.dot.refit_if_due(self.spans, doubt):
            self._refit_dynamics(stretch)
        self._window.looked_at(stretch, doubt)
        return events + self._read() + self.watcher.look(stretch, self.spans, self.g2_of)

    def _is_to_be_judged(self, stretch: Stretch) -> bool:
        """Whether a verdict is due, or there may be other doubts about it than at the last look."""
        young = stretch.photons.stop_s - stretch.photons.start_s < YOUNG_S
        return young or stretch.dot.is_due or self.looks % LOOKS_PER_JUDGEMENT == 0

    def window(self) -> BlinkingCall:
        """Verdict on the rolling window up to the latest look, made when somebody asks."""
        now_s = self.acquisition.seconds(self.position)
        if self.watcher.bleached_s is not None:
            return undetermined(self.watcher.bleached_s, now_s, "bleached")
        call = self._window.verdict(self.spans)
        return call or undetermined(now_s, now_s, "no photons analysed yet")

    def _learn(self) -> list[Event]:
        """What the photons of this look say of the set-up."""
        before = self.axis
        if self.watcher.bleached_s is not None:
            self._calibrator.dark.bleached(self.acquisition.pulses(self.watcher.bleached_s))
        events = self._calibrator.end_look(self.position, self.spans)
        self._calibrator.begin_look(self.position, self._cadence.look_pulses)
        if self.axis is not None and self.axis is not before:
            self._traces.use_axis(self.axis)
            if self.stretch is not None:
                self.stretch.photons.move_axis(self.axis)
        if self.stretch is not None:
            self.stretch.background.known = self._calibrator.known_total()
        return events

    def _read(self) -> list[Event]:
        """Look at the latest blinks only; whether to believe them was settled at the last full look."""
        if self.stretch is None:
            return []
        return self.watcher.watch(self.stretch, self.steps, self.spans, self._doubt)

    def _calibrate(self, *, force: bool) -> None:
        """Place the pulse on each detector's axis, then sort what was waiting for it."""
        stretch = self.stretch
        if stretch is None:
            return
        if not self._calibrator.place(stretch.photons.histogram, self.channel_photons, force=force):
            return
        if self.axis is not None:
            self._traces.use_axis(self.axis)
            stretch.use_axis(self.axis, self._calibrator.correlated, 0.0)
            stretch.background.known = self._calibrator.known_total()
        for photons, stop in self._waiting.taken():
            # What waited since an earlier stretch counts for the trace only.
            self._sort(photons, stop, stretch if stop > stretch.photons.first_pulse else None)

    def _close_stretch(self) -> None:
        stretch = self.stretch
        if stretch is None:
            return
        self._backgrounds.keep(stretch)
        if self.axis is None:
            stretch.photons.stop_pulse = self.position
        if stretch.photons.stop_pulse > stretch.photons.first_pulse:
            self._refit(stretch)
            self._known = stretch.known or self._known
            stretch.dynamics.close()
            self._refit_dynamics(stretch)
            self._decay_before = _sum(self._decay_before, stretch.decay(self.spans))
            result, if_single = self.result_of(stretch), stretch.dot.call_if_single()
            self.finished = [*self.finished, result][-MOST_FINISHED:]
            if if_single is not None:
                self._unproven.append((result, if_single))
            self.watcher.stretch_over(stretch, self.steps, self.spans)
        self._pairs.keep(self._pairs_here, self._backgrounds.steady_light(self.stretch))
        self.stretch = None
        self._window.stretch_over()

    def _refit(self, stretch: Stretch) -> str | None:
        """Fit the present stretch anew; a doubt that its new background dispels is not held against it."""
        before = self._judge()
        stretch.dot.refit(self.spans, before)
        doubt = self._judge()
        if doubt != before:
            stretch.dot.refit(self.spans, doubt, search=False)
        return doubt

    def _judge(self) -> str | None:
        """A reason not to call any type at present; the stretch learns how likely its light is one dot's."""
        doubt = setup_doubt(self.acquisition, self._calibrator)
        if doubt is not None:
            return doubt
        g2 = self.g2()
        self._prove(g2)
        emitter = emitter_doubt(g2)
        calibration = calibration_doubt(self._calibrator, self._backgrounds.settled(self.stretch))
        if self.stretch is not None:
            self.stretch.dot.belief = belief_in_single(g2)
            self.stretch.dot.biexciton_yield = biexciton_yield(g2)
            self.stretch.dot.only_emitter_doubted = emitter is not None and calibration is None
            if emitter is not None and self.stretch.dot.foreign:
                emitter += ", but there was light that is not the dot's"
        reasons = [emitter, calibration]
        return "; ".join(reason for reason in reasons if reason is not None) or None

    def _prove(self, g2: G2) -> None:
        """Verdicts that waited for nothing but a single emitter hold once pairs have shown it well enough.

        Two that were seen stay two, unless the detectors prove to be periods apart: that was another lag.
        """
        belief = belief_in_single(g2)
        if belief < SURELY_SINGLE or not self._unproven:
            return
        half_ns = self.acquisition.seconds(1) * 1e9 / 2
        for waiting, call in self._unproven:
            proven = replace(waiting, call=believed(call, belief))
            if abs(g2.detector_delay_ns - waiting.g2.detector_delay_ns) > half_ns:
                proven = replace(proven, g2=no_g2(g2.delay_origin))
            elif waiting.g2.single_emitter is False:
                continue
            self.finished = [proven if r is waiting else r for r in self.finished]
            self.watcher.proven(waiting.call, proven.call)
        self._unproven = []

    def background(self) -> dict[int, float]:
        """Background of each detector that sees the dot, in counts/s."""
        return {c: e.value or 0.0 for c, e in self._backgrounds.of_detectors(self.stretch).items()}

    @property
    def _pairs_here(self) -> Pairs:
        """Pairs of the present stretch, all of them."""
        counter = self.stretch.photons.pairs if self.stretch is not None else None
        return counter.pairs if counter is not None else Pairs.none()

    def g2_of(self, pairs: Pairs) -> G2:
        """g2 of some pairs of the present stretch."""
        return self._pairs.g2_of(pairs, self._pairs_here, self._backgrounds.steady_light(self.stretch))

    def g2(self) -> G2:
        """g2 of the whole segment."""
        return self._pairs.g2(self._pairs_here, self._backgrounds.steady_light(self.stretch))

    def _refit_dynamics(self, stretch: Stretch) -> None:
        stretch.refit_dynamics(self.spans)
        stretch.renew_decay(self.spans, self.g2_of(self._pairs_here))

    def result_of(self, stretch: Stretch) -> SegmentResult:
        """Everything known about a stretch."""
        return segment_result(stretch, self.spans, self.g2_of(self._pairs_here))

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
        states = self.stretch.dot.call.states if self.stretch is not None else ()
        return calibration_of(
            self._calibrator,
            self._settings,
            self._backgrounds.of_detectors(self.stretch),
            self._backgrounds.settled(self.stretch),
            self.g2(),
            states[0].lifetime_ns if states else UNKNOWN,
        )

    def trace(self) -> Trace:
        """Counts and mean lifetimes per trace bin, as far as they are kept."""
        return self._traces.trace(self.spans, self._backgrounds.cps(self.stretch))


def _sum(one: SummedDecay | None, other: SummedDecay | None) -> SummedDecay | None:
    return one + other if one is not None and other is not None else one or other
