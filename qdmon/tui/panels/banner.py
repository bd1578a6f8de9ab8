"""The banner: the one thing that must not be missed, in words, on a filled row."""

from qdmon.tui.render.digits import BIG_ROWS, draw_big
from qdmon.tui.render.frame import Frame
from qdmon.tui.render.inks import Ink
from qdmon.tui.view.alerts import pending
from qdmon.tui.view.scene import Scene

__all__ = ["banner_rows", "paint_banner"]


def _content(scene: Scene) -> tuple[str, str] | None:
    """Headline and text: a dead link comes before an alert, the newest alert before older ones."""
    if scene.link.lost:
        if scene.link.phase == "failed":
            return "FAULT", f"{scene.link.problem}  Data go on in the daemon; numbers here are old."
        since = f"since {scene.link.silent_s:.0f} s: daemon silent"
        return "NO DATA", f"{since}  numbers are old  laser UNKNOWN: assume ON"
    waiting = pending(scene)
    if not waiting:
        return None
    more = f"  ({len(waiting) - 1} more)" if len(waiting) > 1 else ""
    newest = waiting[-1]
    return newest.headline, f"{newest.text if scene.layout == 'wide' else newest.short}{more}"


def banner_rows(scene: Scene) -> int:
    """Height the banner needs now; 0 if there is nothing to say."""
    if scene.layout not in ("wide", "compact", "numbers") or _content(scene) is None:
        return 0
    return BIG_ROWS + 2 if scene.layout == "wide" else 1


def paint_banner(frame: Frame, scene: Scene) -> None:
    """The banner, filling its frame; `a` acknowledges an alert, a dead link stays until it lives."""
    content = _content(scene)
    if content is None:
        return
    headline, text = content
    frame.fill(frame.rect, " ", Ink.ALERT_BAR)
    hint = "" if scene.link.lost else "  [a] acknowledge "
    if frame.height >= BIG_ROWS:
        x = draw_big(frame, 2, 1, headline, Ink.ALERT_BAR, stop=frame.width // 2)
        start = frame.text_right(frame.width, 2, hint, Ink.ALERT_BAR)
        frame.text(x + 3, 2, text, Ink.ALERT_BAR, stop=start)
        return
    start = frame.text_right(frame.width, 0, "" if scene.link.lost else " [a]", Ink.ALERT_BAR)
    frame.text(0, 0, f"▲ {headline} {text}", Ink.ALERT_BAR, stop=start)
