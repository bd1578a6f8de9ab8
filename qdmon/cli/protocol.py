"""`qdmon protocol list|show|check`."""

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qdmon.daemon.protocol import FluenceProtocol

__all__ = ["check", "list_protocols", "show"]


def list_protocols(*, json_: bool = False) -> int:
    """List the protocols that ship with qdmon.

    Example: qdmon protocol list

    Args:
        json_: print one JSON object a line.
    """
    from qdmon.daemon.protocol import PRESETS

    for protocol in PRESETS.values():
        print(json.dumps(_as_json(protocol)) if json_ else _line(protocol))
    return 0


def show(name: str, /, *, json_: bool = False) -> int:
    """Show the steps of a protocol.

    Example: qdmon protocol show paper-cdse

    Args:
        name: a shipped protocol, a TOML file, or constant:N for one <N> throughout.
        json_: print one JSON object.
    """
    from qdmon.daemon.protocol import load_protocol

    protocol = load_protocol(name)
    if json_:
        print(json.dumps(_as_json(protocol)))
        return 0
    print("time_s,mean_excitation")
    for start_s, step in zip(protocol.starts_s, protocol.steps, strict=True):
        print(f"{start_s:g},{step.mean_excitation:g}")
    return 0


def check(file: str, /) -> int:
    """Check a protocol file.

    Example: qdmon protocol check steps.toml

    Args:
        file: TOML file with an optional name, and mean_excitation and duration_s in each [[step]].
    """
    from qdmon.daemon.protocol import load_protocol

    print(f"good: {_line(load_protocol(file))}")
    return 0


def _line(protocol: "FluenceProtocol") -> str:
    steps = ", ".join(f"<N> {step.mean_excitation:g} for {step.duration_s:g} s" for step in protocol.steps)
    return f"{protocol.name}: {steps}"


def _as_json(protocol: "FluenceProtocol") -> dict[str, Any]:
    steps = [{"mean_excitation": s.mean_excitation, "duration_s": s.duration_s} for s in protocol.steps]
    return {"name": protocol.name, "total_s": protocol.total_s, "steps": steps}
