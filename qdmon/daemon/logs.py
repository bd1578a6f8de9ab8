"""Where the daemon's log goes: lines for people on a terminal, JSON for everything else."""

import logging
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TextIO, cast

import structlog
from structlog.typing import Processor

__all__ = ["logs"]


class _Unfailing:
    """A stream whose failures stay its own: a full disk or a closed terminal must not stop a shutdown."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._stream.flush()


def _close(stream: TextIO) -> None:
    with suppress(OSError):  # a full disk refuses what was still buffered
        stream.close()


@contextmanager
def logs(log_file: Path | None = None, *, debug: bool = False) -> Iterator[None]:
    """Send structured log lines to standard error, or append them to a file, while inside.

    Raises:
        OSError: the file cannot be opened. Once open, logging never raises.
    """
    with ExitStack() as stack:
        stream: TextIO = sys.stderr
        if log_file is not None:
            stream = log_file.open("a", encoding="utf-8", buffering=1)
            stack.callback(_close, stream)
        _configure(stream, for_people=log_file is None and sys.stderr.isatty(), debug=debug)
        stack.callback(structlog.reset_defaults)
        yield


def _configure(stream: TextIO, *, for_people: bool, debug: bool) -> None:
    renderer: Processor = (
        structlog.dev.ConsoleRenderer() if for_people else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG if debug else logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=cast(TextIO, _Unfailing(stream))),
        cache_logger_on_first_use=False,
    )
