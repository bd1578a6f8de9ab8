"""The analysis engine as everyone uses it: messages in, events out, a snapshot whenever one is wanted."""

import numpy as np

from hardware.types import Loss, LossCause
from qdmon.analysis.conversion.spectral_shift import Peak, SpectralWatch
from qdmon.analysis.conversion.spectrum import peak_nm
from qdmon.analysis.decays.decay import drawn_decay, empty_decay
from qdmon.analysis.engine import Engine
from qdmon.analysis.levels.flid import empty_flid, flid_map
from qdmon.analysis.results.decay_fit import Decay
from qdmon.analysis.results.estimate import UNKNOWN, Estimate
from qdmon.analysis.results.event import Event
from qdmon.analysis.results.intensity import FlidMap, Trace
from qdmon.analysis.results.segment import SegmentResult
from qdmon.analysis.settings import AnalysisSettings
from qdmon.analysis.snapshot import Snapshot
from streams.messages import (
    End,
    Fluence,
    Gap,
    LaserState,
    Marker,
    Message,
    PhotonBatch,
    Segment,
    Session,
    Spectrum,
)

__all__ = ["Monitor"]

MOST_EVENTS = 1000
RATE_S = 1.0
FLID_BINS = 6000


class Monitor:
    """Incremental, deterministic analysis of a session.

    The result depends on the photons and the messages, not on how photons were cut into batches. A new
    segment (another time base) starts afresh; what was concluded before stays in the events.

    Attributes:
        settings: those given, else what the session says of itself.
    """

    def __init__(self, settings: AnalysisSettings | None = None) -> None:
        self._given = settings
        self.settings = settings or AnalysisSettings()
        self._engine: Engine | None = None
        self._events: list[Event] = []
        self._spectra = SpectralWatch()
        self._emission: bool | str | None = "never said"
        self._drawn: tuple[int, Decay, FlidMap] | None = None

    def feed(self, message: Message) -> tuple[Event, ...]:
        """Take the next message of the session and return the events it caused."""
        events = self._events_of(message)
        self._events = (self._events + events)[-MOST_EVENTS:]
        return tuple(events)

    def _events_of(self, message: Message) -> list[Event]:
        if isinstance(message, Session):
            self._engine = None
            self._events = []
            return []
        if isinstance(message, Segment):
            self.settings = self._given or AnalysisSettings.from_text(message.acquisition.settings)
            self._engine = Engine(message.acquisition, self.settings)
            self._spectra = SpectralWatch()
            self._drawn = None
            return [Event(0.0, "segment", "info", "new time base")] if message.index else []
        engine = self._engine
        if engine is None:
            return []
        match message:
            case PhotonBatch():
                if not engine.position:
                    engine.begin(message.first_pulse)
                return engine.photons(message.photons, message.stop_pulse)
            case Fluence():
                return engine.fluence(message.pulse, message.mean_excitation)
            case Gap(cause=LossCause.NOT_COVERED, first_pulse=0) if not engine.position:
                engine.begin(message.stop_pulse)
                return []
            case Gap():
                return engine.loss(
                    Loss(message.first_pulse, message.stop_pulse, message.cause, message.lost_photons)
                )
            case Spectrum():
                return self._spectrum(engine, message)
            case LaserState():
                return self._laser(engine, message)
            case Marker():
                time_s = engine.acquisition.seconds(message.pulse)
                quiet = message.origin == "card"
                return [] if quiet else [Event(time_s, "marker", "info", message.text)]
            case End():
                return engine.finish()
            case _:
                return []

    def _spectrum(self, engine: Engine, spectrum: Spectrum) -> list[Event]:
        found = peak_nm(spectrum.wavelength_nm, spectrum.counts, spectrum.excess_noise_factor)
        if found.value is None or found.error is None:
            return []
        start_s, stop_s = map(engine.acquisition.seconds, (spectrum.first_pulse, spectrum.stop_pulse))
        return self._spectra.add(Peak(start_s, stop_s, found.value, found.error), engine.steps)

    def _laser(self, engine: Engine, laser: LaserState) -> list[Event]:
        engine.emission(laser.pulse, laser.emission)
        changed = laser.emission != self._emission
        self._emission = laser.emission
        if not changed:
            return []
        time_s = engine.acquisition.seconds(laser.pulse)
        if laser.emission is None:
            return [Event(time_s, "laser", "warning", "laser does not answer: assume emission is ON")]
        return [Event(time_s, "laser", "info", f"laser emission {'on' if laser.emission else 'off'}")]

    def snapshot(self) -> Snapshot | None:
        """All that is known now; None before the first segment."""
        engine = self._engine
        if engine is None:
            return None
        acq = engine.acquisition
        trace = engine.trace()
        segment = engine.result_of(engine.stretch) if engine.stretch is not None else None
        segments = tuple(engine.finished)
        if segment is not None and segment.stop_s > segment.start_s:
            segments = (*segments, segment)
        decay, flid = self._drawings(engine, trace)
        rate = _recent_rate(trace)
        photons = sum(engine.channel_photons.values())
        return Snapshot(
            acquisition=acq,
            time_s=acq.seconds(engine.position),
            photons=photons,
            channel_photons=dict(engine.channel_photons),
            rate_cps=rate,
            channel_rate_cps=_shares(engine.channel_photons, rate),
            lifetime_ns=segment.lifetime_ns if segment is not None else UNKNOWN,
            trace=trace,
            decay=decay,
            g2=engine.g2(),
            flid=flid,
            window=engine.window(),
            segment=segment,
            segments=segments,
            conversions=tuple(engine.watcher.conversions),
            fluence_steps=tuple(engine.steps),
            calibration=engine.calibration(),
            charging=engine.charging(),
            intensity_change=_intensity_change(segments),
            spectral_shift_nm=self._spectra.shift_nm,
            peak_nm=self._spectra.latest,
            losses=tuple(engine.lost.losses),
            lost_s=acq.seconds(engine.lost.lost_pulses),
            events=tuple(self._events),
            overall_lifetime_ns=engine.lifetime(),
        )

    def _drawings(self, engine: Engine, trace: Trace) -> tuple[Decay, FlidMap]:
        """Decay and FLID of the present stretch, renewed at every look of the engine."""
        if self._drawn is not None and self._drawn[0] == engine.looks:
            return self._drawn[1], self._drawn[2]
        decay, flid = empty_decay(), empty_flid()
        stretch, axis = engine.stretch, engine.axis
        if stretch is not None and axis is not None and engine.acquisition.resolution_ps is not None:
            decay = drawn_decay(
                stretch.photons.histogram,
                engine.acquisition.resolution_ps,
                axis.bins.period_ns,
                axis.t0_ps,
                stretch.lifetime(engine.spans),
                stretch.late_fit.fit if stretch.late_fit is not None else None,
                axis.window,
            )
            since = engine.acquisition.seconds(stretch.dot.since_pulse)
            first = max(int(np.ceil((since - trace.start_s) / trace.bin_s)), len(trace.counts) - FLID_BINS, 0)
            counts = trace.counts[first:].astype(np.float64)
            good = ~trace.lost[first:]
            rate = counts / trace.bin_s - sum(engine.background().values())
            tau = trace.arrival_ns[first:].astype(np.float64)
            flid = flid_map(rate[good], tau[good], counts[good], stretch.dot.call)
        self._drawn = engine.looks, decay, flid
        return decay, flid


def _recent_rate(trace: Trace) -> Estimate:
    bins = max(1, round(RATE_S / trace.bin_s))
    counts = trace.counts[-bins:][~trace.lost[-bins:]]
    if not len(counts):
        return UNKNOWN
    seconds = len(counts) * trace.bin_s
    total = float(counts.sum())
    return Estimate(total / seconds, float(np.sqrt(total)) / seconds)


def _shares(channel_photons: dict[int, int], rate: Estimate) -> dict[int, float]:
    total = sum(channel_photons.values())
    if rate.value is None or not total:
        return {}
    return {c: rate.value * n / total for c, n in channel_photons.items()}


def _intensity_change(segments: tuple[SegmentResult, ...]) -> Estimate:
    """Bright level of the last stretch against the first at the same <N>, as a relative change."""
    known = [s for s in segments if s.mean_excitation is not None and s.call.states]
    if len(known) < 2:
        return UNKNOWN
    last = known[-1]
    level = last.call.states[0].intensity_cps
    for first in known[:-1]:
        before = first.call.states[0].intensity_cps
        if first.mean_excitation == last.mean_excitation and before.value and level.value:
            ratio = level.value / before.value
            relative = [(e.error or 0.0) / e.value for e in (before, level) if e.value]
            return Estimate(ratio - 1, ratio * float(np.linalg.norm(relative)))
    return UNKNOWN
