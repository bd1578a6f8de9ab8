"""The reference recordings: where they are, from a checkout and from an installed package.

Each is a session folder NAME.ref, with the dot's hidden state in NAME.ref.json and the fluence steps in
NAME.ref.toml. recordings/README.md tells how they were made.
"""

from os import PathLike
from pathlib import Path

from streams.formats import FormatError

__all__ = ["find_recording", "reference_names", "reference_path", "truth_path"]

_ENDING = ".ref"
_PLACES = (
    Path(__file__).parent / "recordings",  # where an installation has them
    Path(__file__).parents[1] / "recordings",  # in a checkout
)


def reference_names() -> tuple[str, ...]:
    """Names of the reference recordings, in order of the alphabet."""
    return tuple(sorted(_found()))


def reference_path(name: str) -> Path:
    """The session folder of a reference recording.

    Raises:
        FormatError: there is none of that name; the message lists them.
    """
    found = _found()
    if name not in found:
        raise FormatError(Path(name), f"is no reference recording; there are {', '.join(sorted(found))}")
    return found[name]


def truth_path(name: str) -> Path:
    """The JSON file with what the dot of a reference recording really did; FormatError as above."""
    folder = reference_path(name)
    return folder.with_name(f"{folder.name}.json")


def find_recording(path: str | PathLike[str]) -> Path:
    """The path as it is, or a reference recording of that name where nothing is there.

    Raises:
        FormatError: nothing is there, and no reference recording has that name.
    """
    path = Path(path)
    if path.exists() or path.suffix or path.name != str(path):
        return path
    found = _found()
    if path.name in found:
        return found[path.name]
    names = ", ".join(sorted(found))
    raise FormatError(
        path, f"is not there: give a file, a session's folder, or a reference recording ({names})"
    )


def _found() -> dict[str, Path]:
    for place in _PLACES:
        folders = [path for path in place.glob(f"*{_ENDING}") if path.is_dir()]
        if folders:
            return {path.name.removesuffix(_ENDING): path for path in folders}
    return {}
