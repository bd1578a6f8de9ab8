"""Starting: which terminals will do, how they are drawn on, and pictures without any."""

import subprocess
import sys

import pytest

import qdmon.tui
from qdmon.tui.app.terminal import look_for
from qdmon.tui.fitness import unfit_reason
from qdmon.tui.render.theme import Look
from tests.qdmon.tui.builders import live_link, snapshot


def test_terminals_that_cannot_show_the_screen_are_told_what_to_do() -> None:
    assert unfit_reason({"TERM": "xterm"}, interactive=True) is None
    assert "qdmon watch" in (unfit_reason({"TERM": "xterm"}, interactive=False) or "")
    assert "TERM=dumb" in (unfit_reason({"TERM": "dumb"}, interactive=True) or "")
    assert unfit_reason({"TERM": "xterm"}, interactive=True, size=(40, 12)) is None
    assert "30x8" in (unfit_reason({"TERM": "xterm"}, interactive=True, size=(30, 8)) or "")


def test_the_look_follows_the_terminal() -> None:
    assert look_for({}, "UTF-8", "256", ascii_only=False) == Look()
    assert look_for({}, "utf-8", "standard", ascii_only=False).depth == "few"
    assert look_for({}, "utf-8", None, ascii_only=False).depth == "none"
    assert look_for({}, "latin-1", "truecolor", ascii_only=False).ascii_only
    assert look_for({}, "utf-8", "truecolor", ascii_only=True).ascii_only


@pytest.mark.parametrize("size", [(200, 50), (80, 24)])
def test_a_picture_of_a_snapshot(size: tuple[int, int]) -> None:
    svg = qdmon.tui.screenshot(snapshot(20.0), size, live_link())
    assert svg.startswith("<svg")
    assert "Auger" in svg


def test_without_a_terminal_it_says_so_and_exits_with_2() -> None:
    code = (
        "import sys, qdmon.tui; assert not {'textual', 'numba', 'rich'} & set(sys.modules);"
        "from streams.endpoints import Endpoints; sys.exit(qdmon.tui.run(Endpoints('ipc://x', 'ipc://y', 'ipc://z')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "no terminal" in done.stderr
