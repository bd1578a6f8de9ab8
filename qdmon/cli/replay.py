"""`qdmon replay`, and the hidden command that publishes a file for it."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

__all__ = ["parse_speed", "replay", "serve_file"]


def replay(
    file: Path,
    /,
    *,
    speed: str = "1",
    start: float = 0.0,
    paused: bool = False,
    loop: bool = False,
    fluence: Path | None = None,
    bind: str | None = None,
    headless: bool = False,
    json_: bool = False,
    fps: int = 10,
    ascii_: bool = False,
    no_mouse: bool = False,
) -> int:
    """Show a recording on the live screen, as if it happened now.

    Example: qdmon replay dot.ptu --speed 10

    Args:
        file: a recording: session folder, .ptu, .pt3 and others; or the name of a reference recording.
        speed: recorded seconds per second, or max.
        start: where to begin, s; what came before it, up to 10 minutes, is analysed first.
        paused: stand still at the start, until space or `qdmon player play`.
        loop: begin again at the end.
        fluence: table of fluence steps, time_s,mean_excitation.
        bind: name, folder or tcp://127.0.0.1:PORT where other screens and `qdmon player` find it.
        headless: no screen; print events as they come and the report at the end.
        json_: with --headless, print report objects only.
        fps: pictures per second at most, 1 to 30.
        ascii_: draw with ASCII characters only.
        no_mouse: leave the mouse to the terminal, for selecting text.
    """
    from qdmon.cli.errors import FAILED, UserError, say_error
    from qdmon.cli.hosting import follow_child, show_child
    from qdmon.fluence import read_steps
    from qdmon.reference import find_recording
    from streams.formats import open_recording
    from streams.text import clean_text

    parse_speed(speed)
    if not 0 <= start < float("inf"):
        raise UserError(f"--start {start:g}: give seconds from the beginning of the recording")
    if headless and (paused or loop):
        raise UserError("--headless plays once from the start to the end: leave --paused and --loop away")
    file = find_recording(file)
    recording = open_recording(file)
    for problem in recording.problems:
        say_error(f"{clean_text(str(file), 300)}: {problem}")
    arguments = ["serve-file", str(file.absolute()), "--speed", speed, "--start", str(start)]
    arguments += [f"--{name}" for name, on in (("paused", paused), ("loop", loop)) if on]
    if fluence is not None:
        read_steps(fluence)
        arguments += ["--fluence", str(fluence.absolute())]
    name = clean_text(file.name)
    if headless:
        code = follow_child(arguments, name, as_json=json_, bind=bind)
    else:
        title = f"replay {name}"
        code = show_child(arguments, title=title, fps=fps, ascii_only=ascii_, mouse=not no_mouse, bind=bind)
    return code or (FAILED if recording.damaged else 0)


def serve_file(
    file: Path,
    /,
    *,
    bind: str,
    speed: str = "1",
    start: float = 0.0,
    paused: bool = False,
    loop: bool = False,
    fluence: Path | None = None,
    with_parent: Annotated[bool, Parameter(show=False)] = False,
) -> int:
    """Publish a recording as if it happened now, starting when the first viewer has joined.

    Args:
        file: the recording.
        bind: where viewers find it.
        speed: recorded seconds per second, or max.
        start: where to begin, s.
        paused: stand still there.
        loop: begin again at the end.
        fluence: table of fluence steps.
        with_parent: end when standard input ends.
    """
    from qdmon.daemon.playback import ReplayOptions, run_replay
    from qdmon.fluence import read_steps
    from streams.endpoints import Endpoints

    def ready(endpoints: Endpoints) -> None:
        print(f"listening at {endpoints}", flush=True)

    options = ReplayOptions(
        file,
        bind,
        parse_speed(speed),
        start_s=start,
        paused=paused,
        loop=loop,
        steps=read_steps(fluence) if fluence is not None else (),
        with_parent=with_parent,
        ready=ready,
    )
    run_replay(options)
    return 0


def parse_speed(text: str) -> float:
    """A factor from what a user types; "max" is infinity. Raises UserError."""
    from qdmon.cli.errors import UserError

    if text == "max":
        return float("inf")
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed < float("inf"):
        raise UserError(f"--speed {text}: give a number above 0, or max")
    return speed
