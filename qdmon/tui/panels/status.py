"""Header, tabs and status bar: who speaks, is it live, what is missing, how far behind, is the laser on."""

from qdmon.tui.render.frame import Frame
from qdmon.tui.render.inks import Ink
from qdmon.tui.view.health import laser_text
from qdmon.tui.view.numbers import clock, plain, seconds
from qdmon.tui.view.player import player_text
from qdmon.tui.view.recording import recording_short, recording_text
from qdmon.tui.view.scene import PANELS, Scene
from streams.text import clean_text

__all__ = ["paint_header", "paint_status", "paint_tabs"]

_TAB_NAMES = {"trace": "trace", "decay": "decay", "g2": "g²", "flid": "FLID", "events": "events"}

Parts = list[tuple[str, int]]


def _badge(scene: Scene) -> tuple[str, int]:
    """The state of the view, as a filled label with a word."""
    link = scene.link
    if scene.controls.paused:
        return f" PAUSED, {seconds(scene.behind_s)} behind ", Ink.WARN_BAR
    if link.lost:
        return " NO DATA ", Ink.ALERT_BAR
    if link.phase in ("loading", "waiting", "ended"):
        return f" {link.phase.upper()} ", Ink.WARN_BAR
    if scene.controls.back_s > 0:
        return " SCROLLED BACK ", Ink.WARN_BAR
    return player_text(link) if link.replay else (" LIVE ", Ink.OK_BAR)


def _source(scene: Scene) -> str:
    session = scene.link.session
    if session is None:
        return clean_text(scene.link.problem)
    title = clean_text(session.title)
    return f"{title}  {session.source}" if title else session.source


def _facts(scene: Scene) -> Parts:
    """Rate, loss, lag: the numbers to glance at."""
    link, newest = scene.link, scene.newest
    parts: Parts = []
    if newest is not None:
        value = newest.rate_cps.value
        rate = plain(None if value is None else value * 1e-3)
        lost = newest.lost_s > 0 or bool(newest.losses)
        parts += [
            (f"{rate} kcps  ", Ink.TEXT),
            (
                f"{'▲ ' if lost else ''}lost {seconds(newest.lost_s)}  ",
                Ink.WARN if lost else Ink.MUTED,
            ),
        ]
    if link.lag_s is not None:
        slow = link.lag_s > 1.0
        parts.append((f"{'▲ ' if slow else ''}lag {seconds(link.lag_s)}  ", Ink.WARN if slow else Ink.MUTED))
    if link.reconnects:
        parts.append((f"reconnected {link.reconnects}x  ", Ink.MUTED))
    return parts


def paint_header(frame: Frame, scene: Scene) -> None:
    """Name, source and instrument on the left; state of the view and session clock on the right."""
    parts: Parts = [(" qdmon  ", Ink.TITLE_SELECTED), (_source(scene), Ink.TEXT)]
    if scene.newest is not None:
        acquisition = scene.newest.acquisition
        rate_hz = acquisition.pulse_rate_hz
        pulses = f", {plain(rate_hz * 1e-6)} MHz" if rate_hz else ""
        parts.append((f"   {clean_text(acquisition.instrument)} {acquisition.mode}{pulses}", Ink.MUTED))
    recording, recording_ink = recording_text(scene.link)
    if recording:
        parts.append((f"   {recording}", recording_ink))
    if scene.newest is not None:
        for warning in scene.newest.calibration.warnings:
            parts.append((f"   ▲ {clean_text(warning)}", Ink.WARN))
    badge, ink = _badge(scene)
    time_text = f"  {clock(scene.newest.time_s if scene.newest else None)} "
    start = frame.width - frame.measure(badge + time_text)
    frame.spans(0, 0, parts, stop=start - 1)
    frame.spans(start, 0, [(badge, ink), (time_text, Ink.BIG)])


def paint_tabs(frame: Frame, scene: Scene) -> None:
    """The panels by number, the shown one as a filled label."""
    x = 1
    for number, panel in enumerate(PANELS, start=1):
        ink = Ink.OK_BAR if panel == scene.controls.selected else Ink.MUTED
        x = frame.text(x, 0, f" {number} {_TAB_NAMES[panel]} ", ink) + 1
    frame.text_right(frame.width - 1, 0, "z expand  ? help", Ink.MUTED)


def paint_status(frame: Frame, scene: Scene) -> None:
    """Link, numbers and laser on one line; where there is room, the most useful keys."""
    laser = laser_text(scene.link)
    if scene.layout == "wide":
        daemon = scene.link.daemon
        state = f"daemon {daemon.state}: {clean_text(daemon.text)}  " if daemon else ""
        keys = "space pause  1-5 select  z expand  +/- zoom  r record  s save  ? help  q quit "
        if scene.link.replay:
            keys = "space play/pause  left/right seek  +/- speed  . step  o loop  ? help  q quit "
        start = frame.text_right(frame.width, 0, keys, Ink.MUTED)
        photons = f"{scene.newest.photons:,} photons  ".replace(",", " ") if scene.newest else ""
        frame.spans(
            1, 0, [laser, ("  ", 0), (photons, Ink.TEXT), *_facts(scene), (state, Ink.MUTED)], stop=start - 1
        )
        return
    badge, ink = _badge(scene)
    time_text = f" {clock(scene.newest.time_s if scene.newest else None)} "
    start = frame.width - frame.measure(time_text)
    parts = [(badge, ink), (" ", 0), recording_short(scene.link), laser, ("  ", 0), *_facts(scene)]
    frame.spans(0, 0, parts, stop=start)
    frame.text(start, 0, time_text, Ink.BIG)
