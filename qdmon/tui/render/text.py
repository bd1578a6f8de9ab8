"""Text as cells: what is safe, how wide it is, and how it looks where only ASCII is available."""

import unicodedata
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["CONTINUATION", "as_ascii", "cells", "clip"]

CONTINUATION = 0
"""Code of the second cell of a wide character; it is dropped when a row becomes text."""

_ASCII = {
    "±": "+-",
    "τ": "tau",
    "β": "beta",
    "χ": "chi",
    "µ": "u",
    "μ": "u",
    "²": "2",
    "·": "-",
    "…": "...",
    "→": "->",
    "←": "<-",
    "↑": "^",
    "↓": "v",
    "≤": "<=",
    "≥": ">=",
    "×": "x",
    "−": "-",
    "–": "-",
    "—": "-",
    "●": "*",
    "○": "o",
    "◆": "*",
    "▲": "!",
    "✓": "+",
    "■": "#",
    "█": "#",
    "▀": '"',
    "▄": "_",
    "▐": "#",
    "▌": "#",
    "░": ".",
    "▒": ":",
    "▓": "%",
    "─": "-",
    "│": "|",
    "┤": "+",
    "┬": "+",
    "┼": "+",
    "├": "+",
    "╌": "-",
    "┆": ":",
    "╭": "+",
    "╮": "+",
    "╰": "+",
    "╯": "+",
    "└": "+",
    "┌": "+",
    "┐": "+",
    "┘": "+",
    "▼": "V",
}


def as_ascii(text: str) -> str:
    """The same in ASCII: known symbols spelled out, anything else "?"."""
    spelled = "".join(_ASCII.get(c, c) for c in text)
    return spelled.encode("ascii", "replace").decode("ascii")


@lru_cache(4096)
def cells(text: str) -> NDArray[np.uint32]:
    """Code points, one a cell: (n,) uint32, read-only.

    Any blank becomes a space, a control or format character "·" (a last guard: data is cleaned where it
    enters); marks that combine are dropped; a wide character is followed by `CONTINUATION`.
    """
    codes: list[int] = []
    for c in unicodedata.normalize("NFC", text):
        category = unicodedata.category(c)
        if category in ("Mn", "Me"):
            continue
        if category[0] == "C" or category in ("Zl", "Zp"):
            codes.append(ord("·"))
            continue
        if category == "Zs":
            codes.append(ord(" "))
            continue
        codes.append(ord(c))
        if unicodedata.east_asian_width(c) in "WF":
            codes.append(CONTINUATION)
    array = np.array(codes, np.uint32)
    array.flags.writeable = False
    return array


def clip(text: str, width: int) -> str:
    """`text` cut to at most `width` cells, an ellipsis showing that it was."""
    if len(cells(text)) <= width:
        return text
    kept = ""
    for c in text:
        if len(cells(kept + c)) > width - 1:
            break
        kept += c
    return kept + "…" if width > 0 else ""
