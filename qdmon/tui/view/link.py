"""What is known of the other end: is the daemon there, what does the laser say, is anything missing.

Pure: each message or passing second makes a new `LinkState` of the old one.
"""

from dataclasses import dataclass, replace
from typing import Literal, assert_never

from streams.messages import (
    Alert,
    End,
    Fluence,
    Gap,
    Heartbeat,
    LaserState,
    Marker,
    Message,
    PhotonBatch,
    RecordingState,
    ReplayState,
    Segment,
    Session,
    Severity,
    Spectrum,
    Status,
)

__all__ = ["SILENT_AFTER_S", "LinkNote", "LinkState", "Phase", "after_link_event", "after_message", "noted"]

SILENT_AFTER_S = 2.5
"""Heartbeats come once a second; with none for this long the daemon is called silent."""

_PLAUSIBLE_LAG_S = 3600.0
_NOTES_KEPT = 200

Phase = Literal["loading", "waiting", "live", "ended", "failed"]


@dataclass(frozen=True, slots=True)
class LinkNote:
    """Something that happened to the link, for the event list; `time_s` is stream time, None before any."""

    time_s: float | None
    severity: Severity
    text: str


@dataclass(frozen=True, slots=True)
class LinkState:
    """The link and the instruments behind it, as last heard.

    Attributes:
        phase: loading the analysis, waiting for a daemon, live, ended on purpose, or failed here.
        now_s: monotonic clock of this view.
        heard_s: when the last message arrived, on the same clock; None before the first.
        problem: why there are no data, in words; "" if nothing is wrong.
        session: who is speaking; None before the first.
        daemon: its last status message.
        laser: its last laser message; None if it never sent one.
        fluence: its last fluence message.
        recording: how its recording stands; None if it never said.
        player: how the replay stands, if it is one; None if it never said.
        stream_s: pulses received, as time.
        lag_s: age of the newest photons when they arrived here; None if the clocks cannot be compared.
        gaps: holes in the stream and losses of the card announced so far.
        queue_depth: raw blocks the daemon has yet to decode.
        reconnects: times the link came back.
        alerts: alert messages of the daemon, oldest first.
        notes: link events, oldest first.
        tick_ps: duration of a pulse index step of the running segment.
    """

    phase: Phase = "loading"
    now_s: float = 0.0
    heard_s: float | None = None
    problem: str = ""
    session: Session | None = None
    daemon: Status | None = None
    laser: LaserState | None = None
    fluence: Fluence | None = None
    recording: RecordingState | None = None
    player: ReplayState | None = None
    stream_s: float = 0.0
    lag_s: float | None = None
    gaps: int = 0
    queue_depth: int = 0
    reconnects: int = 0
    alerts: tuple[Alert, ...] = ()
    notes: tuple[LinkNote, ...] = ()
    tick_ps: float = 0.0

    @property
    def silent_s(self) -> float:
        """How long nothing has been heard, in s; 0 before the first message."""
        return 0.0 if self.heard_s is None else max(0.0, self.now_s - self.heard_s)

    @property
    def lost(self) -> bool:
        """Data should be coming and are not."""
        return self.phase == "failed" or (self.phase == "live" and self.silent_s > SILENT_AFTER_S)

    @property
    def replay(self) -> bool:
        """What is seen happened before."""
        return self.session is not None and self.session.source == "replay"


def noted(link: LinkState, severity: Severity, text: str) -> LinkState:
    """With one more note, the oldest forgotten beyond a bound."""
    note = LinkNote(link.stream_s if link.session else None, severity, text)
    return replace(link, notes=(*link.notes, note)[-_NOTES_KEPT:])


def after_message(link: LinkState, message: Message, now_s: float, host_now_ns: int) -> LinkState:
    """What is known after a message.

    Args:
        link: before.
        message: as received.
        now_s: monotonic clock in s.
        host_now_ns: the clock of `PhotonBatch.host_time_ns`, if the daemon runs on this machine.
    """
    over = link.phase == "ended" and not isinstance(message, Session)
    link = replace(link, heard_s=now_s, now_s=now_s)
    if not over:
        link = replace(link, phase="live", problem="")
    match message:
        case Session():
            return _new_session(link, message)
        case Segment(acquisition=acquisition):
            return replace(link, tick_ps=acquisition.macro_tick_ps, stream_s=0.0)
        case PhotonBatch():
            return replace(
                link,
                stream_s=message.stop_pulse * link.tick_ps / 1e12,
                lag_s=_lag_s(link, message, host_now_ns),
            )
        case Gap():
            return replace(link, gaps=link.gaps + 1)
        case Fluence():
            return replace(link, fluence=message)
        case LaserState():
            return replace(link, laser=message)
        case Status():
            return replace(link, daemon=message)
        case RecordingState():
            return replace(link, recording=message)
        case ReplayState():
            return replace(link, player=message)
        case Heartbeat():
            return replace(link, queue_depth=message.queue_depth)
        case Alert():
            known = any(a.alert_id == message.alert_id for a in link.alerts)
            return link if known else replace(link, alerts=(*link.alerts, message)[-_NOTES_KEPT:])
        case End():
            return noted(
                replace(link, phase="ended", problem=message.reason), "info", f"end: {message.reason}"
            )
        case Spectrum() | Marker():
            return link
    assert_never(message)


def after_link_event(link: LinkState, kind: str, text: str, now_s: float) -> LinkState:
    """What is known after news of the connection (see `streams.subscriber.LinkEvent`)."""
    link = replace(link, now_s=now_s)
    match kind:
        case "waiting":
            return noted(replace(link, phase="waiting", problem=text), "info", text)
        case "joined" if link.replay and any(note.text == "connected" for note in link.notes):
            return link  # it was told to go elsewhere, and the connection is the old one
        case "joined":
            return noted(link, "info", "connected")
        case "restarted" if link.replay:
            return link
        case "back" | "restarted":
            return noted(replace(link, reconnects=link.reconnects + 1), "info", text)
        case "ended":  # the End message has said so
            return link
        case "unreadable":
            return noted(replace(link, problem=text), "warning", text)
    return noted(link, "warning", text)


def _new_session(link: LinkState, session: Session) -> LinkState:
    """Nothing said by an earlier session holds for this one, except what happened to the link.

    The same session anew is a replay that was told to go elsewhere: it says everything again.
    """
    same = link.session is not None and link.session.session_id == session.session_id
    if same and not link.replay:
        return replace(link, session=session)
    fresh = LinkState(
        phase="live",
        now_s=link.now_s,
        heard_s=link.heard_s,
        session=session,
        reconnects=link.reconnects,
        notes=link.notes,
    )
    if same or link.session is None:
        return fresh
    return noted(fresh, "warning", "a new session began")


def _lag_s(link: LinkState, batch: PhotonBatch, host_now_ns: int) -> float | None:
    """Monotonic clocks of one machine agree; of two they differ by anything: the implausible is unknown."""
    if link.replay:
        return None
    lag_s = (host_now_ns - batch.host_time_ns) * 1e-9
    return lag_s if 0.0 <= lag_s < _PLAUSIBLE_LAG_S else None
