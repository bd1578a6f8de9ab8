"""Which colour a meaning has: three palettes for true colour and 256 colours, one for 16, one for none.

Blinking types use the colour-blind safe set of Okabe and Ito; the heat map follows inferno (night), a red
ramp for eyes adapted to the dark (red) and a light-to-dark cividis (day).
"""

from dataclasses import dataclass

from qdmon.tui.render.inks import CURVE_INKS, HEAT_INKS, HEAT_LEVELS, INK_COUNT, Ink

__all__ = ["PALETTES", "Look", "Paint", "Palette", "paints"]


@dataclass(frozen=True, slots=True)
class Paint:
    """How one ink is shown; a colour is "#rrggbb", None leaves the terminal's own."""

    foreground: str | None = None
    background: str | None = None
    bold: bool = False
    dim: bool = False
    reverse: bool = False


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of a theme.

    Attributes:
        name: what the user chooses.
        dark: light text on a dark ground.
        background: behind everything.
        colours: ink name in lower case -> "#rrggbb".
        heat: HEAT_LEVELS colours from empty to dense; the first is the background.
        curve: the model curve over the heat map.
    """

    name: str
    dark: bool
    background: str
    colours: dict[str, str]
    heat: tuple[str, ...]
    curve: str


_OKABE_ITO = {
    "auger": "#e69f00",
    "bc": "#56b4e9",
    "mixed": "#cc79a7",
    "hc": "#00b388",
    "none": "#c3ccd6",
    "undetermined": "#8b97a5",
}

NIGHT = Palette(
    "night",
    dark=True,
    background="#0b0f14",
    colours={
        "text": "#c8d2dc",
        "muted": "#8793a1",
        "faint": "#2e3945",
        "axis": "#4c5967",
        "title": "#aebac6",
        "title_selected": "#ffffff",
        "border_selected": "#5fa8d3",
        "big": "#f2f6fa",
        "stale": "#5d6975",
        "ok": "#5fd3a2",
        "warn": "#f2c14e",
        "alert": "#ff7a59",
        "trace_low": "#2a6079",
        "trace_mid": "#4aa3c7",
        "trace_high": "#a8e4fa",
        "arrival_low": "#6b5524",
        "arrival_mid": "#b08c38",
        "arrival_high": "#f0cf7a",
        "first": "#5fa8d3",
        "second": "#8f9bd6",
        "model": "#ffb454",
        "side": "#5fa8d3",
        "zero": "#ff7a59",
        "reference": "#8793a1",
        "step": "#77e0c6",
        "lost": "#f2c14e",
        "conversion": "#ff7a59",
        "state": "#ffffff",
        **_OKABE_ITO,
    },
    heat=(
        "#0b0f14", "#1f0c48", "#450a69", "#6b186e", "#932667",
        "#bb3754", "#dd513a", "#f3771a", "#fca50a", "#f6d746",
    ),
    curve="#7dffff",
)  # fmt: skip

RED = Palette(
    "red",
    dark=True,
    background="#080000",
    colours={
        "text": "#d04030",
        "muted": "#963026",
        "faint": "#3a100c",
        "axis": "#5c1a14",
        "title": "#b83a2c",
        "title_selected": "#ff6a54",
        "border_selected": "#c0392b",
        "big": "#ff5a44",
        "stale": "#6e241c",
        "ok": "#d04030",
        "warn": "#ff7a54",
        "alert": "#ff9a7a",
        "trace_low": "#5c1812",
        "trace_mid": "#a83226",
        "trace_high": "#ff6048",
        "arrival_low": "#4c1a10",
        "arrival_mid": "#8e3a20",
        "arrival_high": "#d86a3c",
        "first": "#a83226",
        "second": "#84342a",
        "model": "#ff8a64",
        "side": "#a83226",
        "zero": "#ff8a64",
        "reference": "#963026",
        "step": "#d86a3c",
        "lost": "#ff7a54",
        "conversion": "#ff9a7a",
        "state": "#ffb8a0",
        "auger": "#ff7a44",
        "bc": "#e04434",
        "mixed": "#f0604c",
        "hc": "#c84a30",
        "none": "#b04034",
        "undetermined": "#84342a",
    },
    heat=(
        "#080000", "#2a0000", "#5f0000", "#870000", "#af0000",
        "#d70000", "#ff2a00", "#ff5f00", "#ff8700", "#ffaf5f",
    ),
    curve="#ffd0a0",
)  # fmt: skip

DAY = Palette(
    "day",
    dark=False,
    background="#fbfaf7",
    colours={
        "text": "#22303c",
        "muted": "#5d6b78",
        "faint": "#d5d9dc",
        "axis": "#9aa5ae",
        "title": "#3c4b58",
        "title_selected": "#000000",
        "border_selected": "#1f6f9f",
        "big": "#0b1620",
        "stale": "#a2abb3",
        "ok": "#0f7a55",
        "warn": "#8a5a00",
        "alert": "#c2341d",
        "trace_low": "#a9cbdc",
        "trace_mid": "#4b93b5",
        "trace_high": "#0b4f71",
        "arrival_low": "#e0d0a8",
        "arrival_mid": "#b58e34",
        "arrival_high": "#6f5000",
        "first": "#2a7fae",
        "second": "#6a6fb5",
        "model": "#b85c00",
        "side": "#2a7fae",
        "zero": "#c2341d",
        "reference": "#5d6b78",
        "step": "#00715a",
        "lost": "#8a5a00",
        "conversion": "#c2341d",
        "state": "#000000",
        "auger": "#9a6400",
        "bc": "#1f6f9f",
        "mixed": "#9c4476",
        "hc": "#00765a",
        "none": "#4c5b68",
        "undetermined": "#6f7c88",
    },
    heat=(
        "#fbfaf7", "#f3e9b0", "#e2d180", "#c9b974", "#a9a176",
        "#8b8a78", "#6e7378", "#515d74", "#31466d", "#0b2a54",
    ),
    curve="#c2341d",
)  # fmt: skip

PALETTES: tuple[Palette, ...] = (NIGHT, RED, DAY)

_BOLD = {Ink.TITLE_SELECTED, Ink.BIG, Ink.ALERT, Ink.MODEL, Ink.ZERO, Ink.CONVERSION, Ink.STATE, Ink.WARN}
_BOLD |= {Ink.AUGER, Ink.BC, Ink.MIXED, Ink.HC, Ink.NONE}
_QUIET = {Ink.MUTED, Ink.FAINT, Ink.AXIS, Ink.STALE, Ink.TRACE_LOW, Ink.ARRIVAL_LOW, Ink.REFERENCE}


@dataclass(frozen=True, slots=True)
class Look:
    """How the terminal at hand can show things.

    Attributes:
        palette: the colours, where there are any.
        depth: "full" for true colour and 256 colours, "few" for 16, "none" for monochrome.
        ascii_only: no braille, blocks, Greek.
    """

    palette: Palette = NIGHT
    depth: str = "full"
    ascii_only: bool = False

    @property
    def heat_colours(self) -> bool:
        """The heat map can be in colours; if not it is in shades."""
        return self.depth == "full" and not self.ascii_only


def _plain_paint(ink: Ink) -> Paint:
    """Without colour: bold, dim and reverse carry what they can; words carry the rest."""
    if ink.name.endswith("_BAR"):
        return Paint(reverse=True, bold=ink is Ink.ALERT_BAR)
    return Paint(bold=ink in _BOLD, dim=ink in _QUIET)


def _few_paint(ink: Ink, palette: Palette) -> Paint:
    """The 16 colours: rich rounds a colour to the nearest, so saturated ones are used."""
    base = ink.name.removesuffix("_BAR").lower()
    named = {
        "ok": "#55ff55", "warn": "#ffff55", "alert": "#ff5555", "auger": "#ffff55", "bc": "#5555ff",
        "mixed": "#ff55ff", "hc": "#55ff55", "model": "#ffff55", "zero": "#ff5555", "step": "#55ffff",
        "lost": "#ffff55", "conversion": "#ff5555", "muted": "#aaaaaa", "faint": "#555555", "axis": "#555555",
        "stale": "#555555", "trace_low": "#00aaaa", "trace_mid": "#00aaaa", "trace_high": "#55ffff",
        "arrival_low": "#aa5500", "arrival_mid": "#aa5500", "arrival_high": "#ffff55", "first": "#55ffff",
        "second": "#5555ff", "side": "#55ffff", "border_selected": "#55ffff", "undetermined": "#aaaaaa",
    }  # fmt: skip
    colour = named.get(base, "#ffffff")
    if ink.name.endswith("_BAR"):
        return Paint("#000000", colour, bold=True)
    return Paint(colour, "#000000", bold=ink in _BOLD)


def _full_paint(ink: Ink, palette: Palette) -> Paint:
    colour = palette.colours[ink.name.removesuffix("_BAR").lower()]
    if ink.name.endswith("_BAR"):
        return Paint(palette.background, colour, bold=True)
    return Paint(colour, palette.background, bold=ink in _BOLD)


def _heat_paints(palette: Palette, depth: str) -> dict[int, Paint]:
    if depth != "full":
        return {}
    pairs = {
        HEAT_INKS + u * HEAT_LEVELS + v: Paint(palette.heat[u], palette.heat[v])
        for u in range(HEAT_LEVELS)
        for v in range(HEAT_LEVELS)
    }
    over = {CURVE_INKS + i: Paint(palette.curve, palette.heat[i], bold=True) for i in range(HEAT_LEVELS)}
    return pairs | over


def paints(look: Look) -> list[Paint]:
    """(INK_COUNT,) the paint of every ink."""
    chosen = [Paint()] * INK_COUNT
    for ink in Ink:
        if look.depth == "none":
            chosen[ink] = _plain_paint(ink)
        elif look.depth == "few":
            chosen[ink] = _few_paint(ink, look.palette)
        else:
            chosen[ink] = _full_paint(ink, look.palette)
    for index, paint in _heat_paints(look.palette, look.depth).items():
        chosen[index] = paint
    return chosen
