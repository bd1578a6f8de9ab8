"""`qdmon record start|stop|status|list`."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streams.messages import RecordingState
    from streams.orders import Order
    from streams.recording import SessionInfo

__all__ = ["list_recordings", "start", "status", "stop"]

STOPPING_S = 30.0  # until the disk has everything


def start(title: str = "", /, *, address: str = "default", json_: bool = False) -> int:
    """Begin a recording in a running daemon; the last seconds before are included.

    Example: qdmon record start "dot 7, second try"

    Args:
        title: what you call it; the folder's name is made from it, the time and a number.
        address: name, folder or tcp://127.0.0.1:PORT of the daemon.
        json_: print one JSON object.
    """
    from streams.orders import StartRecording

    return _order(address, StartRecording(title), as_json=json_)


def stop(*, address: str = "default", json_: bool = False) -> int:
    """End the recording of a running daemon, and wait until it is closed.

    Example: qdmon record stop

    Args:
        address: name, folder or tcp://127.0.0.1:PORT of the daemon.
        json_: print one JSON object.
    """
    from streams.orders import StopRecording

    return _order(address, StopRecording(), as_json=json_)


def status(*, address: str = "default", json_: bool = False) -> int:
    """Say how the recording of a running daemon goes; exit code 1 if it should and does not.

    Example: qdmon record status --json

    Args:
        address: name, folder or tcp://127.0.0.1:PORT of the daemon.
        json_: print one JSON object.
    """
    from streams.orders import TellState

    return _order(address, TellState(), as_json=json_)


def list_recordings(folder: Path | None = None, /, *, config: Path | None = None, json_: bool = False) -> int:
    """List recordings: when, how long, how many photons, size, and whether they are whole.

    Example: qdmon record list --json

    Args:
        folder: where to look; the daemon's usual place by default.
        config: the daemon's TOML file, if it names another place.
        json_: print one JSON object a line.
    """
    import json

    from qdmon.cli.errors import UserError
    from qdmon.config import Config, load_config
    from qdmon.config.places import recordings_folder
    from streams.recording import list_sessions

    section = (load_config(config) if config is not None else Config()).recording
    place = folder if folder is not None else recordings_folder(section.folder)
    if folder is not None and not place.is_dir():
        raise UserError(f"{folder} is not a folder: name one that holds recordings")
    sessions = list_sessions(place)
    for session in sessions:
        print(json.dumps(_as_json(session)) if json_ else _session_line(session))
    if not sessions and not json_:
        print(f"no recordings in {place}")
    return 0


def _order(address: str, order: "Order", *, as_json: bool) -> int:
    import json
    from dataclasses import asdict

    from qdmon.cli.errors import FAILED, UserError
    from streams.control import give_order
    from streams.endpoints import parse_address

    state = give_order(parse_address(address), order, valid_s=STOPPING_S).recording
    if state is None:
        raise UserError(f"{address} is a replay: a recording already")
    print(json.dumps(asdict(state)) if as_json else _line(state))
    return FAILED if state.state == "failed" else 0


def _line(state: "RecordingState") -> str:
    from qdmon.sizes import size_text

    if state.state == "off" and not state.name:
        return "not recording"
    facts = (
        f"{state.name}: {state.photons} photons in {state.duration_s:.1f} s, {size_text(state.size_bytes)}"
    )
    if state.state == "off":
        return f"recorded {facts}{'; ' + state.text if state.text else ''}"
    if state.state == "failed":
        return f"FAILED {facts}: {state.text}"
    space = "" if state.space_s is None else f", space for {state.space_s / 3600:.1f} h"
    return f"recording {facts}, safe up to {state.durable_age_s:.1f} s ago{space}"


def _state(session: "SessionInfo") -> str:
    """The state in a word; an open one was not closed: it is being recorded, or the daemon died."""
    from streams.recording.names import PART, segment_paths

    if session.empty:
        return "empty"
    if any(path.name.endswith(PART) for path in segment_paths(session.path).values()):
        return "open"
    return "damaged" if session.problems else "finished"


def _as_json(session: "SessionInfo") -> dict[str, object]:
    return {
        "name": session.path.name,
        "path": str(session.path),
        "state": _state(session),
        "started_unix_ns": session.started_unix_ns,
        "duration_s": session.duration_s,
        "photons": session.photons,
        "size_bytes": session.size_bytes,
        "problems": list(session.problems),
    }


def _session_line(session: "SessionInfo") -> str:
    from qdmon.sizes import size_text
    from streams.text import clean_text

    duration = "?" if session.duration_s is None else f"{session.duration_s:.1f} s"
    photons = "?" if session.photons is None else f"{session.photons} photons"
    facts = f"{_state(session):8}  {duration:>10}  {photons:>18}  {size_text(session.size_bytes):>8}"
    why = f"  {clean_text(session.problems[0])}" if session.problems else ""
    return f"{facts}  {session.path.name}{why}"
