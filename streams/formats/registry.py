"""Which formats there are, and how a file is recognised: by what is in it, never by its name."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from streams.formats import (
    hdf5_kinds,
    hydraharp,
    native,
    phu,
    picoharp,
    ptu,
    siminics,
    spc,
    timeharp_200,
    ttbin,
)
from streams.formats.choices import NOTHING_SAID, Choices
from streams.formats.recording import FormatError, Recording

__all__ = ["FORMATS", "Format", "open_recording"]

SNIFFED_BYTES = 1024


@dataclass(frozen=True)
class Format:
    """One readable format.

    Attributes:
        ending: how such files are usually named, for messages; "" if they are no recordings.
        recognises: whether the first `SNIFFED_BYTES` of a file look like it.
        read: opens it; raises FormatError.
        read_with: opens it with what a user says of it, where the format leaves something open.
    """

    ending: str
    recognises: Callable[[bytes], bool]
    read: Callable[[Path], Recording]
    read_with: Callable[[Path, Choices], Recording] | None = None


FORMATS = (
    Format(".mcap", native.recognises, native.read),
    Format(".ptu", ptu.recognises, ptu.read),
    Format(".pt2, .pt3", picoharp.recognises, picoharp.read),
    Format(".ht2, .ht3", hydraharp.recognises, hydraharp.read),
    Format(".t3r", timeharp_200.recognises, timeharp_200.read),
    Format("", phu.recognises, phu.read),  # holds no photons: says what it is for
    Format(".h5", hdf5_kinds.recognises, hdf5_kinds.read, hdf5_kinds.read),
    Format(".bin", siminics.recognises, siminics.read, siminics.read),
    Format(".ttbin", ttbin.recognises, ttbin.read),
    Format(".spc", spc.recognises, spc.read, spc.read),  # last: it has no magic number
)


def open_recording(path: str | Path, choices: Choices = NOTHING_SAID) -> Recording:
    """Open a recording of any known format.

    Args:
        path: the file, or a session's folder.
        choices: what the user says of it.

    Raises:
        FormatError: there is no such file, it is empty, foreign, or damaged beyond reading.
    """
    path = Path(path)
    try:
        if path.is_dir():
            return _opened(path, FORMATS[0], choices)  # a session of our own
        if not path.is_file():
            raise FormatError(path, "is not there, or is not a regular file: check the name")
        with path.open("rb") as file:
            head = file.read(SNIFFED_BYTES)
        if not head:
            raise FormatError(path, "is empty: nothing was recorded, or a copy failed")
        for known in FORMATS:
            if known.recognises(head):
                return _opened(path, known, choices)
    except OSError as error:
        raise FormatError(path, f"cannot be read: {error.strerror or error}") from error
    endings = ", ".join(known.ending for known in FORMATS if known.ending)
    raise FormatError(path, f"is not a photon recording qdmon can read ({endings})")


def _opened(path: Path, known: Format, choices: Choices) -> Recording:
    if not choices.given:
        return known.read(path)
    if known.read_with is None:
        raise FormatError(path, f"says all of itself ({known.ending}): leave out {', '.join(choices.given)}")
    return known.read_with(path, choices)
