"""What a user may fix beforehand; everything left at None is found from the photons and said so."""

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["AnalysisSettings"]

_BACKGROUND = "analysis.background_cps."
_DELAY = "analysis.delay_ns"


@dataclass(frozen=True, slots=True)
class AnalysisSettings:
    """Choices that change numbers; they appear in every report.

    Attributes:
        background_cps: counts/s per channel that are not the dot's; key None holds for all channels.
            Empty: estimated from the decay.
        t0_ps: arrival of the laser pulse per channel, from a measured instrument response. Empty:
            estimated from the rising edge.
        irf_origin: how `t0_ps` was found, for the report.
        detector_delay_ns: delay of the second detector against the first; None finds it.
        trace_bin_s: bin of the intensity trace (and of the FLID).
        window_s: length of the rolling window of the live verdict.
        trace_kept_s: how much of the trace is held in memory.
        segment_kept_s: how much of a fluence segment the verdict looks back on.
    """

    background_cps: Mapping[int | None, float] = field(default_factory=dict)
    t0_ps: Mapping[int, float] = field(default_factory=dict)
    irf_origin: str = "given"
    detector_delay_ns: float | None = None
    trace_bin_s: float = 0.01
    window_s: float = 5.0
    trace_kept_s: float = 3600.0
    segment_kept_s: float = 120.0

    def background_of(self, channel: int) -> float:
        """Given background of a detector, in counts/s; 0 where none was given."""
        return self.background_cps.get(channel, self.background_cps.get(None, 0.0))

    def to_text(self) -> dict[str, str]:
        """Entries for `Acquisition.settings`, by which every viewer of a session analyses alike."""
        text = {
            f"{_BACKGROUND}{'all' if channel is None else channel}": repr(rate)
            for channel, rate in self.background_cps.items()
        }
        if self.detector_delay_ns is not None:
            text[_DELAY] = repr(self.detector_delay_ns)
        return text

    @classmethod
    def from_text(cls, settings: Mapping[str, str]) -> "AnalysisSettings":
        """What a segment's settings say; entries that make no sense are left out.

        They may come from a foreign file or another machine, so nothing here raises.
        """
        background: dict[int | None, float] = {}
        for key, text in settings.items():
            rate = _number(text) if key.startswith(_BACKGROUND) else None
            channel = key.removeprefix(_BACKGROUND)
            if rate is not None and rate >= 0 and (channel.isdecimal() or channel == "all"):
                background[None if channel == "all" else int(channel)] = rate
        return cls(background_cps=background, detector_delay_ns=_number(settings.get(_DELAY, "")))


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) < 1e9 else None
