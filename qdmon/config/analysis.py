"""The [analysis] section on its way to every viewer, as text among a segment's settings."""

from collections.abc import Mapping

from qdmon.analysis.settings import AnalysisSettings
from qdmon.config.model import AnalysisSection

__all__ = ["settings_from_text", "settings_to_text"]

_BACKGROUND = "analysis.background_cps."
_DELAY = "analysis.delay_ns"


def settings_to_text(section: AnalysisSection) -> dict[str, str]:
    """Entries for `Acquisition.settings`; keys not set are left out."""
    text = {_BACKGROUND + channel: repr(rate) for channel, rate in section.background_cps.items()}
    if section.delay_ns is not None:
        text[_DELAY] = repr(section.delay_ns)
    return text


def settings_from_text(settings: Mapping[str, str]) -> AnalysisSettings:
    """What a segment's settings say about the analysis; entries that make no sense are left out.

    They may come from a foreign file or another machine, so nothing here raises.
    """
    background: dict[int | None, float] = {}
    for key, text in settings.items():
        rate = _number(text) if key.startswith(_BACKGROUND) else None
        channel = key.removeprefix(_BACKGROUND)
        if rate is not None and rate >= 0 and channel.isdecimal():
            background[int(channel)] = rate
    return AnalysisSettings(background_cps=background, detector_delay_ns=_number(settings.get(_DELAY, "")))


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) < 1e9 else None
