"""Where a replay stands, for the badge."""

from qdmon.tui.render.inks import Ink
from qdmon.tui.view.link import LinkState
from qdmon.tui.view.numbers import clock, plain

__all__ = ["player_text"]


def player_text(link: LinkState) -> tuple[str, Ink]:
    """State, speed and place of the replay, as a filled label."""
    player = link.player
    if player is None:
        return " REPLAY ", Ink.OK_BAR
    place = clock(player.time_s) + ("" if player.duration_s is None else f" of {clock(player.duration_s)}")
    loop = " loop" if player.loop else ""
    if player.state != "playing":
        return f" REPLAY {player.state.upper()}{loop} {place} ", Ink.WARN_BAR
    speed = "max" if player.speed is None else f"{plain(player.speed, 2)}x"
    return f" REPLAY {speed}{loop} {place} ", Ink.OK_BAR
