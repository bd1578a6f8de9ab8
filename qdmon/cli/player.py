"""`qdmon player ...`: steers a replay that runs elsewhere."""

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streams.orders import Order

__all__ = ["loop", "pause", "play", "seek", "speed", "status", "step"]


def play(address: str = "default", /, *, json_: bool = False) -> int:
    """Let a replay go on.

    Example: qdmon player play lab2

    Args:
        address: where `qdmon replay --bind` put it.
        json_: print one JSON object.
    """
    from streams.orders import PlayReplay

    return _steer(address, PlayReplay(), as_json=json_)


def pause(address: str = "default", /, *, json_: bool = False) -> int:
    """Let a replay stand still.

    Example: qdmon player pause lab2

    Args:
        address: where `qdmon replay --bind` put it.
        json_: print one JSON object.
    """
    from streams.orders import PauseReplay

    return _steer(address, PauseReplay(), as_json=json_)


def step(address: str = "default", /, *, seconds: float = 0.1, json_: bool = False) -> int:
    """Let a replay play a moment, at least one batch, and stand still.

    Example: qdmon player step lab2 --seconds 0.5

    Args:
        address: where `qdmon replay --bind` put it.
        seconds: of stream time.
        json_: print one JSON object.
    """
    from streams.orders import StepReplay

    return _steer(address, StepReplay(_time("--seconds", seconds)), as_json=json_)


def seek(time_s: float, address: str = "default", /, *, json_: bool = False) -> int:
    """Let a replay go on from another time.

    Example: qdmon player seek 31.5 lab2

    Args:
        time_s: seconds from the beginning of the recording.
        address: where `qdmon replay --bind` put it.
        json_: print one JSON object.
    """
    from streams.orders import SeekReplay

    return _steer(address, SeekReplay(_time("TIME_S", time_s)), as_json=json_)


def speed(factor: str, address: str = "default", /, *, json_: bool = False) -> int:
    """Let a replay play faster or slower.

    Example: qdmon player speed 10 lab2

    Args:
        factor: recorded seconds per second, or max.
        address: where `qdmon replay --bind` put it.
        json_: print one JSON object.
    """
    from qdmon.cli.replay import parse_speed
    from streams.orders import SetReplaySpeed

    wanted = parse_speed(factor)
    return _steer(address, SetReplaySpeed(None if math.isinf(wanted) else wanted), as_json=json_)


def loop(on: str, address: str = "default", /, *, json_: bool = False) -> int:
    """Let a replay begin again at its end, or not.

    Example: qdmon player loop on lab2

    Args:
        on: on or off.
        address: where `qdmon replay --bind` put it.
        json_: print one JSON object.
    """
    from qdmon.cli.errors import UserError
    from streams.orders import LoopReplay

    if on not in ("on", "off"):
        raise UserError(f"loop {on}: say on or off")
    return _steer(address, LoopReplay(on == "on"), as_json=json_)


def status(address: str = "default", /, *, json_: bool = False) -> int:
    """Say where a replay stands.

    Example: qdmon player status lab2 --json

    Args:
        address: where `qdmon replay --bind` put it.
        json_: print one JSON object.
    """
    from streams.orders import TellState

    return _steer(address, TellState(), as_json=json_)


def _time(what: str, seconds: float) -> float:
    from qdmon.cli.errors import UserError

    if not 0 <= seconds < float("inf"):
        raise UserError(f"{what} {seconds:g}: give seconds, 0 or more")
    return seconds


def _steer(address: str, order: "Order", *, as_json: bool) -> int:
    import json
    from dataclasses import asdict

    from qdmon.cli.errors import UserError
    from streams.control import give_order
    from streams.endpoints import parse_address

    state = give_order(parse_address(address), order).replay
    if state is None:
        raise UserError(f"{address} is a live session, not a replay")
    if as_json:
        print(json.dumps(asdict(state)))
        return 0
    of = "" if state.duration_s is None else f" of {state.duration_s:.1f}"
    pace = "as fast as possible" if state.speed is None else f"{state.speed:g}x"
    print(f"{state.state} at {state.time_s:.1f}{of} s, {pace}{', loop' if state.loop else ''}")
    return 0
