"""The terminal screens: view models in, cells out. No analysis and no sockets on the drawing side.

`view` turns snapshots into words, `render` numbers into character cells, `panels` puts both together; all
three are pure. `app` carries the cells to a terminal, `ingest` is the one thread that receives and analyses.
Importing this package is cheap: the toolkit is imported when a screen is opened.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qdmon.analysis.snapshot import Snapshot
    from qdmon.tui.view.link import LinkState
    from streams.endpoints import Endpoints

__all__ = ["run", "screenshot"]


def run(
    endpoints: "Endpoints",
    *,
    title: str = "",
    fps: int = 10,
    ascii_only: bool = False,
    mouse: bool = True,
) -> int:
    """Show the stream at `endpoints` until the user quits.

    Args:
        endpoints: of the daemon; it need not be there yet.
        title: for the terminal's title bar.
        fps: frames a second at most, 1 to 30.
        ascii_only: draw with ASCII characters only.
        mouse: let the terminal report the mouse (its own text selection then needs shift).

    Returns:
        Exit code: 0 after quitting, 1 if the screen failed, 2 if this terminal cannot show it.
    """
    from qdmon.tui.app.start import start

    return start(endpoints, title=title, fps=fps, ascii_only=ascii_only, mouse=mouse)


def screenshot(
    snapshot: "Snapshot",
    size: tuple[int, int],
    link: "LinkState | None" = None,
    *,
    panel: str = "trace",
    title: str = "qdmon",
) -> str:
    """The dashboard of a snapshot as SVG text, at (columns, rows); `panel` is the one a small size shows."""
    from qdmon.tui.app.start import draw_picture

    return draw_picture(snapshot, size, link, panel=panel, title=title)
