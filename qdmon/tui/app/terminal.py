"""What the terminal at hand can do, and what to do when it is gone."""

import locale
import os
import sys
from collections.abc import Mapping
from typing import Any

from textual.app import App

from qdmon.tui.render.theme import Look

__all__ = ["look_for", "output_encoding", "terminal_gone", "writer_backlog"]

_FEW_COLOURS = {"standard", "windows"}


def look_for(
    env: Mapping[str, str], encoding: str | None, color_system: str | None, *, ascii_only: bool
) -> Look:
    """How to draw: colours by the terminal's depth, braille and blocks only where UTF-8 is spoken.

    Args:
        env: the environment; NO_COLOR, if set at all, means no colours.
        encoding: of the terminal's output.
        color_system: as rich found it: "truecolor", "256", "standard" or None.
        ascii_only: the user asked for ASCII.
    """
    speaks_utf8 = (encoding or "").lower().replace("-", "").replace("_", "") == "utf8"
    if "NO_COLOR" in env or color_system is None:
        depth = "none"
    else:
        depth = "few" if color_system in _FEW_COLOURS else "full"
    return Look(depth=depth, ascii_only=ascii_only or not speaks_utf8)


def output_encoding() -> str:
    """The encoding of the stream the toolkit draws on."""
    stream = sys.__stderr__
    return (stream.encoding if stream is not None else None) or locale.getpreferredencoding(False)


def writer_backlog(app: App[Any]) -> int:
    """Writes the terminal has not taken yet; 0 if the toolkit does not tell.

    The queue is not part of the toolkit's interface: should it move, frames are simply never dropped.
    """
    driver = getattr(app, "_driver", None)
    writer = getattr(driver, "_writer_thread", None)
    queue = getattr(writer, "_queue", None)
    return int(queue.qsize()) if queue is not None else 0


def terminal_gone() -> bool:
    """The terminal was closed under us (an SSH session that dropped)."""
    stream = sys.__stdin__
    try:
        return stream is None or not os.isatty(stream.fileno())
    except (OSError, ValueError):
        return True
