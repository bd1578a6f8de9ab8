"""Where every failure of a command ends: one line on standard error, and an exit code."""

import sys
import time
import traceback
from pathlib import Path

__all__ = [
    "FAILED",
    "INTERNAL",
    "INTERRUPTED",
    "USAGE",
    "UserError",
    "report_error",
    "say_error",
    "usage_error",
]

FAILED = 1
USAGE = 2
INTERNAL = 70
INTERRUPTED = 130

_EXPECTED = (
    ("qdmon.cli.errors", "UserError", USAGE),
    ("qdmon.config.load", "ConfigError", USAGE),
    ("qdmon.daemon.protocol", "ProtocolError", USAGE),
    ("qdmon.dark", "DarkError", USAGE),
    ("qdmon.fluence", "StepsError", USAGE),
    ("qdmon.irf", "IrfError", USAGE),
    ("qdmon.export.photons", "ExportError", USAGE),
    ("qdmon.export.table_files", "MissingExtraError", FAILED),
    ("streams.endpoints", "EndpointError", FAILED),
    ("streams.control", "ControlError", FAILED),
    ("hardware.protocols", "DeviceError", FAILED),
    ("streams.formats", "FormatError", FAILED),
    ("streams.recording", "RecordingError", FAILED),
    ("streams.wire", "WireError", FAILED),
)


class UserError(Exception):
    """A command cannot do what was asked; the message is one line that says why and what to do."""


def usage_error(text: str) -> int:
    """A command line that makes no sense."""
    say_error(" ".join(text.split()))
    return USAGE


def report_error(error: BaseException) -> int:
    """Say what happened in one line per problem and return the exit code."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else FAILED
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    if isinstance(error, BrokenPipeError):  # whoever read our output has seen enough
        _forget_output()
        return FAILED
    code = _expected(error)
    if code is not None:
        for line in str(error).splitlines() or [type(error).__name__]:
            say_error(line)
        return code
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        say_error(f"{where}{error.strerror}")
        return FAILED
    say_error(f"internal error: {type(error).__name__}: {error}; {_save(error)}")
    return INTERNAL


def say_error(text: str) -> None:
    """One cleaned line on standard error."""
    from streams.text import clean_text

    print(f"qdmon: {clean_text(text, 500)}", file=sys.stderr, flush=True)


def _expected(error: BaseException) -> int | None:
    """An exception of a class can only exist where its module is loaded, so none is imported here."""
    for module, name, code in _EXPECTED:
        kind = getattr(sys.modules.get(module), name, None)
        if kind is not None and isinstance(error, kind):
            return code
    return None


def _save(error: BaseException) -> str:
    import platformdirs

    folder = Path(platformdirs.user_log_dir("qdmon", appauthor=False))
    path = folder / f"error-{time.strftime('%Y%m%d-%H%M%S')}.txt"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(traceback.format_exception(error)), encoding="utf-8")
    except OSError:
        return "run it again with --debug to see where"
    return f"details are in {path}"


def _forget_output() -> None:
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
