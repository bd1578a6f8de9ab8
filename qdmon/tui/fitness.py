"""Whether the terminal at hand can show the screen; asked before anything is started for it."""

import os
import sys
from collections.abc import Mapping

__all__ = ["LEAST_SIZE", "too_small", "unfit_here", "unfit_reason"]

LEAST_SIZE = (40, 12)


def unfit_reason(
    env: Mapping[str, str], *, interactive: bool, size: tuple[int, int] | None = None
) -> str | None:
    """Why the screen cannot be shown here and what to do, on one line; None if it can.

    Args:
        env: the environment.
        interactive: input and output are a terminal.
        size: columns and rows; None if the terminal does not say.
    """
    if not interactive:
        return "this is no terminal; run it in one, or use `qdmon watch` for text output"
    if env.get("TERM", "") == "dumb":
        return "TERM=dumb cannot show the screen; set TERM (e.g. xterm-256color) or use `qdmon watch`"
    if size is not None and (size[0] < LEAST_SIZE[0] or size[1] < LEAST_SIZE[1]):
        return too_small(*size)
    return None


def too_small(columns: int, rows: int) -> str:
    """What a terminal of this size is told."""
    least = "x".join(map(str, LEAST_SIZE))
    return f"terminal too small ({columns}x{rows}): enlarge to at least {least}"


def unfit_here() -> str | None:
    """The same for the terminal of this process."""
    interactive = all(s is not None and s.isatty() for s in (sys.__stdin__, sys.__stderr__))
    return unfit_reason(os.environ, interactive=interactive, size=_terminal_size())


def _terminal_size() -> tuple[int, int] | None:
    """Columns and rows of the terminal the screen is drawn on; None if it does not say."""
    stream = sys.__stderr__
    try:
        columns, rows = os.get_terminal_size(stream.fileno()) if stream is not None else (0, 0)
    except (OSError, ValueError):
        return None
    return (columns, rows) if columns > 0 and rows > 0 else None
