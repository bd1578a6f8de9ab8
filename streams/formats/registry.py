"""Which formats there are, and how a file is recognised: by what is in it, never by its name."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from streams.formats import pt3, ptu
from streams.formats.recording import FormatError, Recording

__all__ = ["FORMATS", "Format", "open_recording"]

SNIFFED_BYTES = 1024


@dataclass(frozen=True)
class Format:
    """One readable format.

    Attributes:
        ending: how such files are usually named, for messages.
        recognises: whether the first `SNIFFED_BYTES` of a file look like it.
        read: opens it; raises FormatError.
    """

    ending: str
    recognises: Callable[[bytes], bool]
    read: Callable[[Path], Recording]


FORMATS = (
    Format(".ptu", ptu.recognises, ptu.read),
    Format(".pt3", pt3.recognises, pt3.read),
)


def open_recording(path: str | Path) -> Recording:
    """Open a recording of any known format.

    Raises:
        FormatError: there is no such file, it is empty, foreign, or damaged beyond reading.
    """
    path = Path(path)
    try:
        if path.is_dir():
            raise FormatError(path, "is a folder: give a file")
        if not path.is_file():
            raise FormatError(path, "is not there, or is not a regular file: check the name")
        with path.open("rb") as file:
            head = file.read(SNIFFED_BYTES)
        if not head:
            raise FormatError(path, "is empty: nothing was recorded, or a copy failed")
        for known in FORMATS:
            if known.recognises(head):
                return known.read(path)
    except OSError as error:
        raise FormatError(path, f"cannot be read: {error.strerror or error}") from error
    endings = ", ".join(known.ending for known in FORMATS)
    raise FormatError(path, f"is not a photon recording qdmon can read ({endings})")
