"""qdmon: watch a single quantum dot live and see the moment it changes how it blinks.

`qdmon.open` reads recordings in Python; docs/python.md shows how.
"""

from os import PathLike
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qdmon.reading import OpenedRecording

__all__ = ["open"]


def open(
    path: str | PathLike[str],
    *,
    particle: int | None = None,
    pulse_rate_hz: float | None = None,
    resolution_ps: float | None = None,
) -> "OpenedRecording":
    """Open a recording of any format qdmon reads; its photons are read when they are asked for.

    Args:
        path: session folder, segment, .ptu, .h5 or any other readable file; or the name of a reference
            recording, where no file is called so.
        particle: which measurement of a file that holds several.
        pulse_rate_hz: laser pulses per second, for files that do not say.
        resolution_ps: width of a TCSPC bin, for files that do not say.

    Raises:
        streams.formats.FormatError: a `ValueError` that says in one line why it cannot be read.
    """
    from qdmon.reading import OpenedRecording
    from qdmon.reference import find_recording
    from streams.formats import Choices, open_recording

    choices = Choices(particle, pulse_rate_hz, resolution_ps)
    return OpenedRecording(open_recording(find_recording(path), choices))
