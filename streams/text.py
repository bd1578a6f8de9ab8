"""The one gate for text that came from a file, a wire or a user, before it is shown or stored."""

import re
import unicodedata

__all__ = ["clean_text"]

_BREAKS = re.compile("[\t\n\v\f\r\x85\u2028\u2029]+")
# C0, DEL, C1; bidirectional marks, embeddings, overrides and isolates; lone surrogates; byte order mark.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_CUT = "…"


def clean_text(text: str, limit: int = 200) -> str:
    """`text` as one line that cannot steer a terminal: safe to print, log and draw.

    Line breaks and tabs become one space, other control characters, bidirectional controls and lone
    surrogates become U+FFFD; the rest is brought to Unicode normal form C, stripped of outer blanks, and
    cut to `limit` characters (the last one is then an ellipsis). Cleaning twice changes nothing.
    """
    text = text[: 4 * limit + 4]  # bounds the work; normal form C never needs more than a few to one
    text = _UNSAFE.sub(_REPLACEMENT, _BREAKS.sub(" ", text))
    text = unicodedata.normalize("NFC", text).strip()
    return text if len(text) <= limit else text[: max(limit - 1, 0)].rstrip() + _CUT[:limit]
