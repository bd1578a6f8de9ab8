"""Is it being kept? A mark, the name, how much, how safe; loud when it should be and is not."""

from qdmon.sizes import size_text
from qdmon.tui.render.inks import Ink
from qdmon.tui.view.link import LinkState
from qdmon.tui.view.numbers import seconds
from streams.text import clean_text

__all__ = ["recording_short", "recording_text"]

LATE_S = 3.0
"""A durable age beyond this is worth a look: data is forced to the disk once a second."""


def recording_text(link: LinkState) -> tuple[str, Ink]:
    """For a wide terminal; empty where nothing is known, or where nothing can be recorded."""
    recording = link.recording
    if recording is None or link.replay:
        return "", Ink.MUTED
    if recording.state == "failed":
        return f"■ REC FAILED: {clean_text(recording.text)}", Ink.ALERT
    if recording.state == "off":
        return (f"recorded {clean_text(recording.name)}" if recording.name else "not recorded"), Ink.MUTED
    safe = f"safe to {seconds(recording.durable_age_s)} ago"
    text = f"● REC {clean_text(recording.name)}  {size_text(recording.size_bytes)}, {safe}"
    if recording.text or recording.durable_age_s > LATE_S:
        return f"{text}  ▲ {clean_text(recording.text) or 'the disk is slow'}", Ink.WARN
    return text, Ink.OK


def recording_short(link: LinkState) -> tuple[str, Ink]:
    """For a narrow terminal: mark and size."""
    recording = link.recording
    if recording is None or link.replay or recording.state == "off":
        return "", Ink.MUTED
    if recording.state == "failed":
        return "■ REC FAILED  ", Ink.ALERT
    return f"● {size_text(recording.size_bytes)}  ", Ink.OK
