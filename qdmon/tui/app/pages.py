"""The full-screen pages beside the dashboard: every event, and help with the real keys."""

from collections.abc import Sequence
from typing import ClassVar

from rich.style import Style
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import Static

from qdmon.tui.app.keys import KEYS
from qdmon.tui.app.painted import PaintedWidget
from qdmon.tui.view.events import event_lines
from qdmon.tui.view.scene import Scene

__all__ = ["HelpScreen", "LogScreen", "Page", "help_text"]

_SIGNS = """\
Signs
  ● fine     ▲ look at this     ■ act now     ○ not known yet
  trace      brighter ink where the dot dwells; ░ photons were lost there, their absence means nothing
  ┆ <N>      fluence step       ▼ conversion   the filled row below: type of blinking at each fluence
  1 and 2    in the FLID: the bright and the dim state of the verdict, the line is its model
  ± errors are one standard deviation; "--" is not known; "undetermined" says why

Laser
  This screen cannot switch the laser. Whatever is not certain is shown as "assume ON".
"""


def help_text() -> str:
    """All keys by group, made from the table the bindings are made from, and what the signs mean."""
    groups: dict[str, list[str]] = {}
    for key in KEYS:
        groups.setdefault(key.group, []).append(f"  {key.shown:<10} {key.title}")
    groups.setdefault("General", []).append(f"  {'ctrl+p':<10} Every action by name")
    lines = [line for group, rows in groups.items() for line in (group, *rows, "")]
    return "\n".join(lines) + "\n" + _SIGNS


class Page(Screen[None]):
    """A page that scrolls and closes."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "Back")]


class HelpScreen(Page):
    """Keys and signs."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("question_mark", "dismiss", "Back")]

    def compose(self) -> ComposeResult:
        """The text."""
        yield Static("qdmon help - escape to go back", classes="title", markup=False)
        with VerticalScroll():
            yield Static(help_text(), markup=False)


class LogScreen(Page):
    """Every event, newest first.

    Args:
        scene: with the events there are.
        ink_styles: style of every ink.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("e", "dismiss", "Back")]

    def __init__(self, scene: Scene, ink_styles: Sequence[Style]) -> None:
        super().__init__()
        self._first = scene, ink_styles

    def on_mount(self) -> None:
        """Paint what is known already."""
        self.show(*self._first)

    def compose(self) -> ComposeResult:
        """A list as long as it needs to be."""
        yield Static("events, newest first - escape to go back", classes="title", markup=False)
        with VerticalScroll():
            yield PaintedWidget("log")

    def show(self, scene: Scene, ink_styles: Sequence[Style]) -> None:
        """Paint the list."""
        for widget in self.query(PaintedWidget):
            widget.styles.height = max(1, len(event_lines(scene)))
            widget.show(scene, ink_styles)
