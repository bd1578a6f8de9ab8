"""The [analysis] section as the settings every viewer of the session will use."""

from qdmon.analysis.settings import AnalysisSettings
from qdmon.config.model import AnalysisSection

__all__ = ["analysis_settings"]


def analysis_settings(section: AnalysisSection) -> AnalysisSettings:
    """Settings of a section; what it leaves open is found from the photons."""
    return AnalysisSettings(
        background_cps={int(channel): rate for channel, rate in section.background_cps.items()},
        t0_ps={int(channel): at for channel, at in section.t0_ps.items()},
        detector_delay_ns=section.delay_ns,
        dead_time_ns=section.dead_time_ns,
        false_alarms_per_day=section.false_alarms_per_day,
    )
