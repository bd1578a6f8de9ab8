"""`qdmon demo`: a simulated daemon in a child process, and its screen in this one."""

from pathlib import Path

__all__ = ["demo"]


def demo(
    preset: str = "cdse-zns-2nm",
    /,
    *,
    seed: int | None = None,
    speed: float = 1.0,
    protocol: str | None = None,
    record: str | None = None,
    recorded: bool = False,
    headless: bool = False,
    json_: bool = False,
    fps: int = 10,
    ascii_: bool = False,
    no_mouse: bool = False,
) -> int:
    """Watch a simulated dot go through the paper's experiment, everything in one terminal.

    Example: qdmon demo cdse-zns-2nm --seed 1

    Args:
        preset: kind of dot.
        seed: which dot; the same seed gives the same dot.
        speed: simulated seconds per second.
        protocol: fluence steps, by name or file; the paper's for this kind of dot by default.
        record: record it; a folder may follow, else it is the usual one.
        recorded: do not simulate now, but replay the reference recording of this kind of dot.
        headless: no screen; print events as they come and the report at the end.
        json_: with --headless, print report objects only.
        fps: pictures per second at most, 1 to 30.
        ascii_: draw with ASCII characters only.
        no_mouse: leave the mouse to the terminal, for selecting text.
    """
    from qdmon.cli.errors import UserError
    from qdmon.cli.hosting import follow_child, show_child
    from qdmon.cli.presets import check_preset
    from qdmon.cli.replay import replay
    from qdmon.daemon.protocol import load_protocol
    from qdmon.reference import reference_path

    check_preset(preset)
    if recorded:
        if seed is not None or protocol is not None or record is not None:
            raise UserError("--recorded replays what is there: leave --seed, --protocol and --record away")
        return replay(
            reference_path(preset),
            speed=f"{speed:g}",
            headless=headless,
            json_=json_,
            fps=fps,
            ascii_=ascii_,
            no_mouse=no_mouse,
        )
    if protocol is not None:
        load_protocol(protocol)
    arguments = ["daemon", "--simulate", preset, "--speed", str(speed)]
    arguments += ["--after", "exit" if headless else "hold"]
    arguments += ["--seed", str(seed)] if seed is not None else []
    arguments += ["--protocol", protocol] if protocol is not None else []
    arguments += [f"--record={Path(record).absolute() if record else ''}"] if record is not None else []
    if headless:
        return follow_child(arguments, f"simulated {preset}", as_json=json_)
    return show_child(arguments, title=f"demo {preset}", fps=fps, ascii_only=ascii_, mouse=not no_mouse)
