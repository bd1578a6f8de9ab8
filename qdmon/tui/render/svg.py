"""A frame as an SVG picture whose blocks, lines and braille are shapes: it looks right in any font."""

from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape, quoteattr

from qdmon.tui.render.frame import Frame
from qdmon.tui.render.text import cells
from qdmon.tui.render.theme import Paint

__all__ = ["frame_svg"]

CELL_WIDTH, CELL_HEIGHT = 10, 20
_MARGIN = 14
_FONT = "'DejaVu Sans Mono','Cascadia Mono',Menlo,Consolas,'Liberation Mono',monospace"

Box = tuple[float, float, float, float]

_BLOCKS: dict[str, Box] = {
    "▀": (0, 0, 1, 0.5),
    "▄": (0, 0.5, 1, 0.5),
    "█": (0, 0, 1, 1),
    "▌": (0, 0, 0.5, 1),
    "▐": (0.5, 0, 0.5, 1),
}
_LEFT, _RIGHT, _UP, _DOWN = (0, 0.5, 0.5, 0), (0.5, 0.5, 0.5, 0), (0.5, 0, 0, 0.5), (0.5, 0.5, 0, 0.5)
_LINES: dict[str, tuple[Box, ...]] = {
    "─": (_LEFT, _RIGHT),
    "━": (_LEFT, _RIGHT),
    "│": (_UP, _DOWN),
    "╭": (_RIGHT, _DOWN),
    "╮": (_LEFT, _DOWN),
    "╰": (_RIGHT, _UP),
    "╯": (_LEFT, _UP),
    "└": (_RIGHT, _UP),
    "┬": (_LEFT, _RIGHT, _DOWN),
    "┤": (_UP, _DOWN, _LEFT),
    "╌": ((0.1, 0.5, 0.3, 0), (0.6, 0.5, 0.3, 0)),
    "┆": ((0.5, 0.05, 0, 0.23), (0.5, 0.38, 0, 0.23), (0.5, 0.71, 0, 0.23)),
}
_SHADES = {"░": 0.25, "▒": 0.5, "▓": 0.75}
_BRAILLE = range(0x2800, 0x2900)
_DOT_PX = 3


def _shapes(glyph: str) -> Iterator[Box]:
    """Boxes of a glyph in cell units; none if it is to be written as text."""
    if glyph in _BLOCKS:
        yield _BLOCKS[glyph]
    elif glyph in _SHADES:
        yield from ((0, i / 8, 1, _SHADES[glyph] / 8) for i in range(8))
    elif glyph in _LINES:
        for x, y, w, h in _LINES[glyph]:
            yield (x - 0.05, y - 0.025, w + 0.1, h + 0.05)
    elif ord(glyph) in _BRAILLE:
        pattern = ord(glyph) - 0x2800
        for bit, (column, row) in enumerate(((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3))):
            if pattern >> bit & 1:
                x, y = (1 + 5 * column) / CELL_WIDTH, (1 + 5 * row) / CELL_HEIGHT
                yield (x, y, _DOT_PX / CELL_WIDTH, _DOT_PX / CELL_HEIGHT)


def _box_path(column: int, row: int, box: Box) -> str:
    x, y, w, h = box
    left, top = round((column + x) * CELL_WIDTH, 1), round((row + y) * CELL_HEIGHT, 1)
    wide, high = round(w * CELL_WIDTH, 1), round(h * CELL_HEIGHT, 1)
    return f"M{left:g} {top:g}h{wide:g}v{high:g}h-{wide:g}z"


class _Picture:
    """Shapes by colour, in three layers, and texts.

    Fills and blocks touch each other and must not leave seams; thin lines and dots must not vanish when the
    picture is shown smaller, so only the former are drawn with hard edges.
    """

    def __init__(self) -> None:
        self.fills: dict[str, list[str]] = {}
        self.blocks: dict[str, list[str]] = {}
        self.fine: dict[str, list[str]] = {}
        self.texts: list[str] = []

    def fill(self, x: int, y: int, width: int, colour: str) -> None:
        """A ground of some cells."""
        self.fills.setdefault(colour, []).append(_box_path(x, y, (0, 0, width, 1)))

    def run(self, text: str, x: int, y: int, colour: str, *, bold: bool) -> None:
        """Characters of one colour: shapes where they are shapes, the words between them as text."""
        word = ""
        for glyph in f"{text} ":
            boxes = list(_shapes(glyph))
            if (boxes or glyph == " ") and word:
                self._write(word, x, y, colour, bold=bold)
                x += len(cells(word))
                word = ""
            if boxes:
                layer = self.blocks if glyph in _BLOCKS else self.fine
                layer.setdefault(colour, []).extend(_box_path(x, y, box) for box in boxes)
            if boxes or glyph == " ":
                x += 1
            else:
                word += glyph

    def _write(self, word: str, x: int, y: int, colour: str, *, bold: bool) -> None:
        weight = ' font-weight="bold"' if bold else ""
        length = len(cells(word)) * CELL_WIDTH
        self.texts.append(
            f'<text x="{x * CELL_WIDTH}" y="{y * CELL_HEIGHT + 15}" fill="{colour}"{weight} '
            f'textLength="{length}">{escape(word)}</text>'
        )

    def lines(self) -> Iterator[str]:
        """The elements, the ground first."""
        for layer, edges in ((self.fills, "crispEdges"), (self.blocks, "crispEdges"), (self.fine, "auto")):
            yield f'<g shape-rendering="{edges}">'
            yield from (f'<path fill="{colour}" d="{"".join(d)}"/>' for colour, d in layer.items())
            yield "</g>"
        yield f'<g font-family="{_FONT}" font-size="16" xml:space="preserve">'
        yield from self.texts
        yield "</g>"


def frame_svg(frame: Frame, paints: Sequence[Paint], background: str, foreground: str, title: str) -> str:
    """The picture as SVG text.

    Args:
        frame: what to draw.
        paints: paint of every ink, see `theme.paints`.
        background: where a paint leaves it open.
        foreground: likewise.
        title: for whoever cannot see it.
    """
    picture = _Picture()
    for y in range(frame.height):
        x = 0
        for text, ink in frame.runs(y):
            paint = paints[ink]
            front, back = paint.foreground or foreground, paint.background or background
            front, back = (back, front) if paint.reverse else (front, back)
            width = len(cells(text))
            if back != background:
                picture.fill(x, y, width, back)
            picture.run(text, x, y, front, bold=paint.bold)
            x += width
    width_px = frame.width * CELL_WIDTH + 2 * _MARGIN
    height_px = frame.height * CELL_HEIGHT + 2 * _MARGIN
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label={quoteattr(title)} '
            f'viewBox="{-_MARGIN} {-_MARGIN} {width_px} {height_px}">',
            f'<rect x="{-_MARGIN}" y="{-_MARGIN}" width="{width_px}" height="{height_px}" rx="8" '
            f'fill="{background}"/>',
            *picture.lines(),
            "</svg>",
            "",
        ]
    )
