"""What a session holds beyond the photons, beside them in an exported HDF5 file under /user/qdmon.

Other readers pass it by. JSON text: the exact end, who recorded it, whether it was simulated. Columns:
gaps (first and stop pulse, cause as an index into `CAUSES`, lost photons or -1) and card markers.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hardware.types import Loss, LossCause, Markers
from streams.formats.hdf5_file import Hdf5File
from streams.formats.recording import FormatError
from streams.text import clean_text

__all__ = ["CAUSES", "GROUP", "Notes", "read_notes"]

GROUP = "/user/qdmon"
CAUSES = tuple(LossCause)
MOST_ENTRIES = 10_000_000
LONGEST_NOTES = 65_536


@dataclass(frozen=True)
class Notes:
    """What was written beside the photons; empty where the file is not ours.

    Attributes:
        facts: the JSON object; texts cleaned.
        losses: gaps, by first pulse.
        markers: of the card.
    """

    facts: Mapping[str, object] = field(default_factory=dict)
    losses: tuple[Loss, ...] = ()
    markers: Markers = field(default_factory=Markers.empty)

    def text(self, name: str) -> str:
        """A text among the facts; "" if there is none of this name."""
        value = self.facts.get(name)
        return clean_text(value) if isinstance(value, str) else ""

    def whole(self, name: str) -> int:
        """A non-negative whole number among the facts; 0 if there is none of this name."""
        value = self.facts.get(name)
        return value if type(value) is int and 0 <= value < 1 << 62 else 0

    @property
    def settings(self) -> dict[str, str]:
        """Settings of the instrument."""
        value = self.facts.get("settings")
        if not isinstance(value, dict):
            return {}
        return {clean_text(str(key), 80): clean_text(str(text)) for key, text in value.items()}


def read_notes(path: Path, file: Hdf5File) -> Notes:
    """The notes of a file.

    Raises:
        FormatError: they are there, but damaged.
    """
    text = file.text(f"{GROUP}/about", LONGEST_NOTES)
    if not text:
        return Notes()
    try:
        facts = json.loads(text)
    except (ValueError, RecursionError):
        facts = None
    if not isinstance(facts, dict):
        raise FormatError(path, f"has damaged notes in {GROUP}: copy it again")
    first, stop, cause, lost = (_whole(path, file, f"gap_{n}") for n in ("first", "stop", "cause", "lost"))
    pulse, bits = (_whole(path, file, f"marker_{n}") for n in ("pulse", "bits"))
    gaps_fit = len(first) == len(stop) == len(cause) == len(lost) and bool((cause < len(CAUSES)).all())
    if not gaps_fit or len(pulse) != len(bits):
        raise FormatError(path, f"has gaps or markers in {GROUP} that do not fit each other: copy it again")
    losses = tuple(
        Loss(a, b, CAUSES[c], n if n >= 0 else None)
        for a, b, c, n in zip(first.tolist(), stop.tolist(), cause.tolist(), lost.tolist(), strict=True)
    )
    return Notes(facts, losses, Markers(pulse.astype(np.uint64), bits.astype(np.uint8)))


def _whole(path: Path, file: Hdf5File, name: str) -> NDArray[np.int64]:
    column = file.column(f"{GROUP}/{name}")
    if column is None:
        return np.empty(0, np.int64)
    if len(column) > MOST_ENTRIES or column.dtype.kind not in "iu":
        raise FormatError(path, f"has an impossible list {name!r} in {GROUP}: copy it again")
    return column.read(0, len(column)).astype(np.int64)
