"""`qdmon attach`, and `qdmon` alone."""

__all__ = ["attach"]


def attach(
    address: str = "default",
    /,
    *,
    fps: int = 10,
    ascii_: bool = False,
    no_mouse: bool = False,
) -> int:
    """Show the live screen of a running daemon; leaving it does not touch the daemon.

    Example: qdmon attach lab2

    Args:
        address: name, folder or tcp://127.0.0.1:PORT of the daemon.
        fps: pictures per second at most, 1 to 30.
        ascii_: draw with ASCII characters only.
        no_mouse: leave the mouse to the terminal, for selecting text.
    """
    from qdmon import tui
    from streams.endpoints import parse_address

    endpoints = parse_address(address)
    return tui.run(endpoints, title=address, fps=fps, ascii_only=ascii_, mouse=not no_mouse)
