"""What a user may fix beforehand; everything left at None is found from the photons and said so."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from qdmon.analysis.decays.response import Response
from qdmon.analysis.results.estimate import Estimate

__all__ = ["USUAL_FALSE_ALARMS", "AnalysisSettings"]

_BACKGROUND = "analysis.background_cps."
_DELAY = "analysis.delay_ns"
_DEAD_TIME = "analysis.dead_time_ns"
_T0 = "analysis.t0_ps."
_FALSE_ALARMS = "analysis.false_alarms_per_day"
USUAL_FALSE_ALARMS = 1.0


@dataclass(frozen=True, slots=True)
class AnalysisSettings:
    """Choices that change numbers; they appear in every report.

    Attributes:
        background_cps: counts/s per channel that are not the dot's; key None holds for all channels.
            Empty: measured in the dark, or estimated from the decay.
        dark_cps: counts/s per channel in a separate dark recording; what is given goes before it.
        dark_origin: how `dark_cps` was found, for the report.
        t0_ps: arrival of the laser pulse per channel, from a measured instrument response. Empty:
            estimated from the rising edge.
        irf_origin: how `t0_ps` was found, for the report.
        responses: measured instrument response per channel, counted from its `t0_ps`. Empty: assumed.
        detector_delay_ns: delay of the second detector against the first; None finds it.
        dead_time_ns: blind time of a detector after a click; None assumes that of usual modules.
        trace_bin_s: bin of the intensity trace (and of the FLID).
        window_s: length of the rolling window of the live verdict.
        trace_kept_s: how much of the trace is held in memory.
        segment_kept_s: how much of a fluence segment the verdict looks back on.
        false_alarms_per_day: conversions reported that are none, per 24 h of monitoring.
    """

    background_cps: Mapping[int | None, float] = field(default_factory=dict)
    dark_cps: Mapping[int, Estimate] = field(default_factory=dict)
    dark_origin: str = "dark recording"
    t0_ps: Mapping[int, float] = field(default_factory=dict)
    irf_origin: str = "given"
    responses: Mapping[int, Response] = field(default_factory=dict)
    detector_delay_ns: float | None = None
    dead_time_ns: float | None = None
    trace_bin_s: float = 0.01
    window_s: float = 5.0
    trace_kept_s: float = 3600.0
    segment_kept_s: float = 120.0
    false_alarms_per_day: float = USUAL_FALSE_ALARMS

    def background_of(self, channel: int) -> float:
        """Given background of a detector, in counts/s; 0 where none was given."""
        return self.background_cps.get(channel, self.background_cps.get(None, 0.0))

    def to_text(self) -> dict[str, str]:
        """Entries for `Acquisition.settings`, by which every viewer of a session analyses alike."""
        text = {
            f"{_BACKGROUND}{'all' if channel is None else channel}": repr(rate)
            for channel, rate in self.background_cps.items()
        }
        text |= {f"{_T0}{channel}": repr(at) for channel, at in self.t0_ps.items()}
        if self.detector_delay_ns is not None:
            text[_DELAY] = repr(self.detector_delay_ns)
        if self.dead_time_ns is not None:
            text[_DEAD_TIME] = repr(self.dead_time_ns)
        if self.false_alarms_per_day != USUAL_FALSE_ALARMS:
            text[_FALSE_ALARMS] = repr(self.false_alarms_per_day)
        return text

    @classmethod
    def from_text(cls, settings: Mapping[str, str]) -> "AnalysisSettings":
        """What a segment's settings say; entries that make no sense are left out.

        They may come from a foreign file or another machine, so nothing here raises.
        """
        background: dict[int | None, float] = {}
        t0_ps: dict[int, float] = {}
        for key, text in settings.items():
            value = _number(text)
            if value is None:
                continue
            if key == f"{_BACKGROUND}all" and value >= 0:
                background[None] = value
            channel = _channel(key, _BACKGROUND)
            if channel is not None and value >= 0:
                background[channel] = value
            channel = _channel(key, _T0)
            if channel is not None:
                t0_ps[channel] = value
        dead_time_ns = _number(settings.get(_DEAD_TIME, ""))
        false_alarms = _number(settings.get(_FALSE_ALARMS, ""))
        return cls(
            background_cps=background,
            t0_ps=t0_ps,
            detector_delay_ns=_number(settings.get(_DELAY, "")),
            dead_time_ns=dead_time_ns if dead_time_ns is not None and dead_time_ns >= 0 else None,
            false_alarms_per_day=false_alarms if false_alarms and false_alarms > 0 else USUAL_FALSE_ALARMS,
        )


def _channel(key: str, prefix: str) -> int | None:
    number = key.removeprefix(prefix)
    return int(number) if number != key and number.isdecimal() and len(number) <= 3 else None


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) < 1e9 else None
