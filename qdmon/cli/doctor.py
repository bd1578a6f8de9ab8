"""`qdmon doctor`: facts about this installation, each with what to do if it is not good."""

import json
import os
import platform
import sys
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

__all__ = ["doctor"]

_PACKAGES = ("qdmon", "numpy", "scipy", "numba", "pyzmq", "msgpack", "zstandard", "textual")


@dataclass(frozen=True, slots=True)
class Finding:
    """One fact; `good` is False where something needs doing, None where there is nothing to judge."""

    subject: str
    text: str
    good: bool | None = None


def doctor(*, json_: bool = False) -> int:
    """Say what is installed, usable, and how well each driver was verified.

    Example: qdmon doctor --json

    Args:
        json_: print one JSON object a line.
    """
    findings = [finding for look in (_python, _drivers, _runtime, _kernels, _terminal) for finding in look()]
    for finding in findings:
        if json_:
            print(json.dumps(asdict(finding)))
        else:
            mark = {True: "ok", False: "BAD", None: "-"}[finding.good]
            print(f"{mark:4} {finding.subject}: {finding.text}")
    return 1 if any(finding.good is False for finding in findings) else 0


def _python() -> list[Finding]:
    found = [Finding("python", f"{platform.python_version()} on {platform.platform()}", True)]
    for package in _PACKAGES:
        try:
            found.append(Finding(package, version(package), True))
        except PackageNotFoundError:
            found.append(Finding(package, "not installed; install qdmon again", False))
    return found


def _drivers() -> list[Finding]:
    from hardware.protocols import DeviceError
    from hardware.registry import driver_names, roles, verification

    found = []
    for name in driver_names():
        try:
            level, brings = verification(name), ", ".join(roles(name)) or "roles not said"
        except DeviceError as error:
            found.append(Finding(f"driver {name}", str(error), False))
        else:
            found.append(Finding(f"driver {name}", f"{brings}; verified: {level or 'it does not say'}", True))
    return found or [Finding("drivers", "none installed; install qdmon again", False)]


def _runtime() -> list[Finding]:
    from streams.endpoints import EndpointError, local_endpoints

    try:
        return [Finding("daemon address", str(local_endpoints()), True)]
    except EndpointError as error:
        return [Finding("daemon address", str(error), False)]


def _kernels() -> list[Finding]:
    import hardware.jit  # noqa: F401 - chooses the folder

    folder = Path(os.environ["NUMBA_CACHE_DIR"])
    kept = len(list(folder.rglob("*.nbc"))) if folder.is_dir() else 0
    if not os.access(folder, os.W_OK):
        return [Finding("kernels", f"cannot be kept in {folder}: each start compiles again", False)]
    hint = "" if kept else "; run qdmon warm-up to compile them now"
    return [Finding("kernels", f"{kept} compiled in {folder}{hint}", None)]


def _terminal() -> list[Finding]:
    size = os.get_terminal_size(sys.stdout.fileno()) if sys.stdout.isatty() else None
    shape = f"{size.columns}x{size.lines}" if size else "not a terminal"
    facts = [f"TERM={os.environ.get('TERM', '')}", f"encoding {sys.stdout.encoding}", shape]
    facts += [f"{name} is set" for name in ("NO_COLOR", "COLORTERM", "TMUX", "SSH_TTY") if name in os.environ]
    return [Finding("terminal", ", ".join(facts), None)]
