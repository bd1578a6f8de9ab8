"""Every key there is, once: bindings, help screen and command palette are all made from this table."""

from dataclasses import dataclass

__all__ = ["KEYS", "Key"]


@dataclass(frozen=True, slots=True)
class Key:
    """One action.

    Attributes:
        keys: key names of the toolkit, comma separated.
        shown: how help writes them.
        action: method name after "action_", with arguments.
        title: what it does, for help and palette.
        group: heading in the help.
    """

    keys: str
    shown: str
    action: str
    title: str
    group: str


KEYS: tuple[Key, ...] = (
    Key("space", "space", "pause", "Pause or resume the view, data go on; a replay itself", "View"),
    Key("1", "1", "panel('trace')", "Panel 1: intensity trace", "View"),
    Key("2", "2", "panel('decay')", "Panel 2: decay", "View"),
    Key("3", "3", "panel('g2')", "Panel 3: g²", "View"),
    Key("4", "4", "panel('flid')", "Panel 4: FLID", "View"),
    Key("5", "5", "panel('events')", "Panel 5: events", "View"),
    Key("z,enter", "z, enter", "expand", "Expand the selected panel, or back", "View"),
    Key("plus,equals_sign", "+", "faster(1)", "Trace: show a shorter time; replay: faster", "Trace"),
    Key("minus", "-", "faster(-1)", "Trace: show a longer time; replay: slower", "Trace"),
    Key("left", "left", "earlier(1)", "Trace: scroll back; replay: 10 s back", "Trace"),
    Key("right", "right", "earlier(-1)", "Trace: scroll forward; replay: 10 s on", "Trace"),
    Key("left_square_bracket", "[", "zoom(-1)", "Trace: show a shorter time, in a replay too", "Trace"),
    Key("right_square_bracket", "]", "zoom(1)", "Trace: show a longer time, in a replay too", "Trace"),
    Key("shift+left", "shift+left", "scroll(1)", "Trace: scroll back, in a replay too", "Trace"),
    Key("shift+right", "shift+right", "scroll(-1)", "Trace: scroll forward, in a replay too", "Trace"),
    Key("0,end", "0, end", "live", "Trace: back to the newest data", "Trace"),
    Key("u", "u", "unit", "Trace: kcps or counts per bin", "Trace"),
    Key("l", "l", "log", "Decay: logarithmic or linear", "Decay"),
    Key("a", "a", "acknowledge", "Acknowledge the alert", "Alerts"),
    Key("e", "e", "log_screen", "All events", "Alerts"),
    Key("r", "r", "record", "Record what is live; pressed twice, stop recording", "Recording"),
    Key("full_stop", ".", "step", "Replay: play a tenth of a second, then stand still", "Recording"),
    Key("o", "o", "loop", "Replay: begin again at the end, or not", "Recording"),
    Key("s", "s", "save", "Save a picture (SVG) and the plotted data (NPZ) here", "General"),
    Key("t", "t", "theme", "Next theme: night, red, day", "General"),
    Key("question_mark", "?", "help", "Help", "General"),
    Key("q,ctrl+c", "q", "quit", "Quit; daemon and recording go on", "General"),
)
