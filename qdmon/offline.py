"""Analysis of a recording: its messages, with the fluence steps a user knows, through the monitor."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from threadpoolctl import threadpool_limits

from qdmon.analysis.monitor import Monitor
from qdmon.analysis.results.event import Event
from qdmon.analysis.results.segment import FluenceStep
from qdmon.analysis.settings import USUAL_FALSE_ALARMS, AnalysisSettings
from qdmon.analysis.snapshot import Snapshot
from qdmon.dark import Span, dark_rates, read_dark, with_darkness
from qdmon.fluence import with_fluence
from qdmon.irf import read_responses
from streams.formats import Recording

__all__ = ["analyze_recording", "settings_for"]


def settings_for(
    recording: Recording,
    given: AnalysisSettings,
    *,
    irf: Path | None = None,
    dark: Path | None = None,
    dark_spans: Sequence[Span] = (),
) -> AnalysisSettings:
    """The settings to analyse a recording with: given, measured for it, or what it says of itself.

    Args:
        recording: the recording.
        given: choices of the user.
        irf: file of the instrument response.
        dark: recording of the background.
        dark_spans: where the recording is dark itself; they go before `dark`.

    Raises:
        IrfError: the response cannot be used.
        DarkError: the darkness cannot be used.
    """
    settings = _completed(given, AnalysisSettings.from_text(recording.acquisition.settings))
    if irf is not None:
        responses = read_responses(irf, recording.acquisition)
        settings = replace(
            settings,
            t0_ps={channel: found.t0_ps for channel, found in responses.items()},
            responses={channel: found.shape for channel, found in responses.items()},
            irf_origin=str(irf),
        )
    if dark_spans:
        rates = dark_rates(recording, dark_spans)
        return replace(settings, dark_cps=rates, dark_origin="dark stretch")
    if dark is not None:
        rates = read_dark(dark, recording.acquisition)
        return replace(settings, dark_cps=rates, dark_origin=f"dark recording {dark}")
    return settings


def _completed(given: AnalysisSettings, said: AnalysisSettings) -> AnalysisSettings:
    """What is given, and for the rest what the session was analysed with when it was live."""
    usual = given.false_alarms_per_day == USUAL_FALSE_ALARMS
    return replace(
        given,
        background_cps=given.background_cps or said.background_cps,
        t0_ps=given.t0_ps or said.t0_ps,
        detector_delay_ns=(
            said.detector_delay_ns if given.detector_delay_ns is None else given.detector_delay_ns
        ),
        dead_time_ns=said.dead_time_ns if given.dead_time_ns is None else given.dead_time_ns,
        false_alarms_per_day=said.false_alarms_per_day if usual else given.false_alarms_per_day,
    )


def analyze_recording(
    recording: Recording,
    steps: Sequence[FluenceStep],
    settings: AnalysisSettings,
    dark: Sequence[Span] = (),
) -> tuple[Snapshot | None, tuple[Event, ...]]:
    """Run the monitor over a whole recording.

    Args:
        recording: the recording.
        steps: fluence steps.
        settings: choices and what is known of the set-up.
        dark: spans without light; their photons are no dot's.

    Returns:
        The last snapshot, None for a recording without a segment; and every event on the way.
    """
    monitor = Monitor(settings)
    events: list[Event] = []
    # The matrices are small: more threads cost more than they gain.
    with threadpool_limits(1, user_api="blas"):
        for message in with_darkness(with_fluence(recording.messages(), steps), dark):
            events += monitor.feed(message)
        return monitor.snapshot(), tuple(events)
