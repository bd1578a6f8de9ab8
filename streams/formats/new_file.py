"""A file that appears under its name only when it is complete."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["new_file"]


@contextmanager
def new_file(path: Path, *, replace: bool = False) -> Iterator[Path]:
    """A temporary name beside `path`, for the caller to create; renamed at the end, removed after a failure.

    Args:
        path: where the file shall be.
        replace: take the place of a file of this name.

    Raises:
        FileExistsError: there is a file of this name, now or by the end, and `replace` is off.
    """
    if path.exists() and not replace:
        raise FileExistsError(17, "is there already; --force replaces it", str(path))
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    part.unlink(missing_ok=True)
    try:
        yield part
        with part.open("rb+") as written:
            os.fsync(written.fileno())
        if replace:
            part.replace(path)
        else:
            _take_name(part, path)
    finally:
        part.unlink(missing_ok=True)


def _take_name(part: Path, path: Path) -> None:
    """Rename without replacing; where a file system has no hard links there is a moment for a race."""
    try:
        path.hardlink_to(part)
    except FileExistsError:
        raise FileExistsError(17, "is there already; --force replaces it", str(path)) from None
    except OSError:
        part.rename(path)
