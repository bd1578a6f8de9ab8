"""The readouts in every size: cards with large digits, a compact block, plain lines, a single line."""

from qdmon.tui.fitness import too_small
from qdmon.tui.panels.box import draw_box
from qdmon.tui.render.digits import BIG_ROWS, big_width, draw_big
from qdmon.tui.render.frame import Frame, Rect
from qdmon.tui.render.inks import Ink
from qdmon.tui.view.blinking import BLINKING_INKS, BlinkingView, blinking_view
from qdmon.tui.view.health import health, laser_text
from qdmon.tui.view.readouts import Readout, readouts
from qdmon.tui.view.scene import Scene

__all__ = ["paint_readouts"]

_CARD_CELLS = 25
_HEALTH_CELLS = 36
_NUMBERS_CELLS = 28
_FEWEST_CARDS_CELLS = 190
"""Below this width the <N> card is left out and <N> joins the facts of the blinking card."""


def paint_readouts(frame: Frame, scene: Scene) -> None:
    """The readouts in the scene's layout."""
    if scene.layout == "wide":
        _paint_cards(frame, scene)
    elif scene.layout == "compact":
        _paint_compact(frame, scene)
    elif scene.layout == "numbers":
        _paint_lines(frame, scene)
    elif scene.layout == "row":
        _paint_row(frame, scene)
    else:
        text = too_small(frame.width, frame.height)
        for y in range(frame.height):
            frame.text(0, y, text[y * frame.width : (y + 1) * frame.width], Ink.WARN)


def _type_ink(scene: Scene, verdict: BlinkingView) -> Ink:
    return Ink.STALE if scene.stale else BLINKING_INKS[verdict.blinking]


def _paint_cards(frame: Frame, scene: Scene) -> None:
    verdict, values, state = blinking_view(scene), readouts(scene), health(scene)
    with_excitation = frame.width >= _FEWEST_CARDS_CELLS
    cards = values if with_excitation else values[:-1]
    first = frame.width - _HEALTH_CELLS - len(cards) * _CARD_CELLS
    facts = verdict.facts if with_excitation else (("<N>", values[-1].value), *verdict.facts)
    inner = _card(frame, Rect(0, 0, first, frame.height), f"blinking, {verdict.stretch}".rstrip(", "))
    _draw_verdict(frame, inner, scene, verdict, facts)
    for i, readout in enumerate(cards):
        rect = Rect(first + i * _CARD_CELLS, 0, _CARD_CELLS, frame.height)
        _draw_value(frame, _card(frame, rect, readout.label), readout, stale=scene.stale)
    inner = _card(frame, Rect(frame.width - _HEALTH_CELLS, 0, _HEALTH_CELLS, frame.height), "health")
    draw_big(frame, inner.x, inner.y, state.word, state.ink, stop=inner.right)
    reason, ink = f"{state.mark} {state.reason}", state.ink
    if state.caution:
        reason, ink = f"▲ {state.caution}", Ink.WARN
    frame.text(inner.x, inner.y + BIG_ROWS, reason, ink, stop=inner.right)
    frame.text(inner.x, inner.y + BIG_ROWS + 1, *laser_text(scene.link), stop=inner.right)


def _card(frame: Frame, rect: Rect, label: str) -> Rect:
    draw_box(frame, rect, Ink.FAINT)
    frame.text(rect.x + 2, rect.y, f" {label} ", Ink.TITLE, stop=rect.right - 1)
    return rect.inset(2, 1, 2, 1)


def _draw_value(frame: Frame, rect: Rect, readout: Readout, *, stale: bool) -> None:
    ink = Ink.STALE if stale else Ink.BIG
    large = _fitting(readout.value, rect.width)
    x = draw_big(frame, rect.x, rect.y, large, ink, stop=rect.right)
    if readout.unit and x + 1 + frame.measure(readout.unit) <= rect.right:
        frame.text(x + 1, rect.y + BIG_ROWS - 1, readout.unit, Ink.MUTED, stop=rect.right)
    error = readout.error if large == readout.value else f"{readout.value} {readout.error}"
    frame.text(rect.x, rect.y + BIG_ROWS, error, Ink.STALE if stale else Ink.TEXT, stop=rect.right)
    note_ink = Ink.STALE if stale else readout.note_ink
    frame.text(rect.x, rect.y + BIG_ROWS + 1, readout.note, note_ink, stop=rect.right)


def _fitting(value: str, width: int) -> str:
    """A number with as many of its decimals as fit in large digits; all of them stand in the line below."""
    while "." in value and (big_width(value) or 0) > width:
        value = value[:-1].removesuffix(".")
    return value


def _draw_verdict(
    frame: Frame, rect: Rect, scene: Scene, verdict: BlinkingView, facts: tuple[tuple[str, str], ...]
) -> None:
    ink = _type_ink(scene, verdict)
    chance_width = (big_width(verdict.chance) or 0) if verdict.chance else 0
    draw_big(frame, rect.x, rect.y, verdict.blinking, ink, stop=rect.right - chance_width - 1)
    if verdict.chance:
        draw_big(frame, rect.right - chance_width, rect.y, verdict.chance, ink, stop=rect.right)
    y = rect.y + BIG_ROWS
    if verdict.reason and verdict.blinking == "undetermined":
        frame.text(rect.x, y, f"○ {verdict.reason}", Ink.STALE if scene.stale else Ink.WARN, stop=rect.right)
    else:
        x = rect.x
        for blinking, p, text in verdict.bars:
            bar_ink = Ink.MUTED if p < 0.05 or scene.stale else BLINKING_INKS[blinking]
            x = frame.text(x, y, f"{blinking} {text}  ", bar_ink, stop=rect.right)
    x = rect.x
    for name, value in facts:
        x = frame.spans(x, y + 1, [(f"{name} ", Ink.MUTED), (f"{value}  ", Ink.TEXT)], stop=rect.right)


def _paint_compact(frame: Frame, scene: Scene) -> None:
    """Three rows of large type beside the numbers, and a row of facts; a dead link takes the large type."""
    verdict, values, state = blinking_view(scene), readouts(scene), health(scene)
    column = frame.width - _NUMBERS_CELLS
    large, ink = f"{verdict.blinking} {verdict.chance}".rstrip(), _type_ink(scene, verdict)
    if scene.stale:
        large, ink = state.word, state.ink
    if (big_width(large) or frame.width) < column and not frame.ascii_only:
        draw_big(frame, 1, 0, large, ink, stop=column)
    else:
        frame.text(1, 0, f"blinking, {verdict.stretch}".rstrip(", "), Ink.MUTED, stop=column - 1)
        frame.text(1, 1, large.upper(), ink, stop=column - 1)
        if verdict.reason:
            frame.text(1, 2, verdict.reason, Ink.WARN, stop=column - 1)
    for y, readout in enumerate(values[:3]):
        end = frame.text(column, y, readout.short, Ink.STALE if scene.stale else Ink.BIG)
        mark = readout.note if readout.note_ink in (Ink.OK, Ink.ALERT) else ""
        if mark and end + 2 + frame.measure(mark) <= frame.width:
            frame.text(end + 2, y, mark, Ink.STALE if scene.stale else readout.note_ink)
        elif mark:
            frame.text(end + 1, y, mark[0], readout.note_ink)
    x = frame.text(1, 3, f"{state.mark} {state.word} ", state.ink)
    if state.level != "ok":
        x = frame.text(x, 3, f"{state.reason}  ", state.ink, stop=max(x, column - 8))
    elif state.caution:
        x = frame.text(x, 3, f"▲ {state.caution}  ", Ink.WARN, stop=max(x, column - 8))
    x = frame.text(x + 1, 3, values[3].short, Ink.STALE if scene.stale else Ink.BIG)
    for name, value in verdict.facts:
        if x + 3 + frame.measure(f"{name} {value}") > frame.width:
            break
        x = frame.spans(x + 2, 3, [(f"{name} ", Ink.MUTED), (value, Ink.TEXT)])


def _paint_lines(frame: Frame, scene: Scene) -> None:
    """No room for pictures: one number a line, health first if it is bad."""
    verdict, state = blinking_view(scene), health(scene)
    ink = _type_ink(scene, verdict)
    number = Ink.STALE if scene.stale else Ink.BIG
    lines: list[tuple[str, int]] = [
        (f"{verdict.blinking.upper()} {verdict.chance}  {verdict.stretch}", ink),
        *((verdict.reason, Ink.WARN) for _ in range(bool(verdict.reason))),
        *((readout.short, number) for readout in readouts(scene)),
        *((f"{name} {value}", Ink.TEXT) for name, value in verdict.facts),
        (f"{state.mark} {state.word}: {state.reason}", state.ink),
        *((f"▲ {state.caution}", Ink.WARN) for _ in range(bool(state.caution))),
        laser_text(scene.link),
    ]
    for y, (text, line_ink) in enumerate(lines):
        frame.text(0, y, text, line_ink)


def _paint_row(frame: Frame, scene: Scene) -> None:
    verdict, state = blinking_view(scene), health(scene)
    parts = [(f"{state.mark} {state.word}  ", int(state.ink))] if state.level != "ok" else []
    parts.append((f"{verdict.blinking} {verdict.chance}  ", int(_type_ink(scene, verdict))))
    number = Ink.STALE if scene.stale else Ink.BIG
    parts += [(f"{readout.short}  ", int(number)) for readout in readouts(scene)]
    frame.spans(0, 0, parts)
