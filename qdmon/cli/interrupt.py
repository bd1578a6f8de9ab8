"""Ctrl-C noted, and acted on where work can stop: raised at any moment, a library may swallow it."""

import signal
from types import FrameType, TracebackType
from typing import Any, Self

__all__ = ["Interrupt"]


class Interrupt:
    """While it is entered, Ctrl-C only takes note; a second one acts at once. In the main thread only."""

    def __init__(self) -> None:
        self._asked = False
        self._before: Any = None

    def check(self) -> None:
        """Raise KeyboardInterrupt if somebody asked for it."""
        if self._asked:
            raise KeyboardInterrupt

    def __enter__(self) -> Self:
        self._before = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        signal.signal(signal.SIGINT, self._before)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True
