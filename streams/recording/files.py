"""All calls of a writer that touch the disk, in one place, so that tests can make each of them fail."""

import errno
import os
import shutil
from contextlib import suppress
from pathlib import Path

__all__ = ["Files", "is_full"]

_FULL = frozenset({errno.ENOSPC, errno.EFBIG, *([errno.EDQUOT] if hasattr(errno, "EDQUOT") else [])})

_CREATE = (
    os.O_WRONLY
    | os.O_CREAT
    | os.O_EXCL
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)
_ZEROS = bytes(1 << 20)


def is_full(error: OSError) -> bool:
    """Whether a call failed because there is no space."""
    return error.errno in _FULL


class Files:
    """What a writer asks of the operating system; every call may raise OSError."""

    def make_folder(self, path: Path) -> None:
        """A new folder; it must not be there."""
        path.mkdir(mode=0o700)

    def create(self, path: Path) -> int:
        """A new file, open for writing; it must not be there, not even as a link."""
        return os.open(path, _CREATE, 0o600)

    def write(self, fd: int, data: memoryview) -> int:
        """Append; may take less than all of it. Returns how many bytes."""
        return os.write(fd, data)

    def sync(self, fd: int) -> None:
        """Force the data to the disk, and what is needed to read it."""
        if hasattr(os, "fdatasync"):
            os.fdatasync(fd)
        else:
            os.fsync(fd)

    def truncate(self, fd: int, size: int) -> None:
        """Cut the file and go on behind what is left."""
        os.ftruncate(fd, size)
        os.lseek(fd, size, os.SEEK_SET)

    def close(self, fd: int) -> None:
        """Let go of the file."""
        os.close(fd)

    def rename(self, old: Path, new: Path) -> None:
        """Give a file its final name."""
        old.rename(new)

    def sync_folder(self, path: Path) -> None:
        """Force the names in a folder to the disk."""
        if os.name == "nt":  # Windows has no handle of a folder to flush
            return
        fd = os.open(path, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def remove(self, path: Path) -> None:
        """Remove a file."""
        path.unlink()

    def fill(self, path: Path, size: int) -> None:
        """A new file that really occupies `size` bytes."""
        fd = self.create(path)
        try:
            if hasattr(os, "posix_fallocate") and size:
                with suppress(OSError):
                    os.posix_fallocate(fd, 0, size)
                    return
            while size > 0:
                size -= os.write(fd, _ZEROS[:size])
        finally:
            os.close(fd)

    def is_at(self, fd: int, path: Path) -> bool:
        """Whether the open file can still be found under its name."""
        try:
            return os.path.samestat(os.fstat(fd), path.stat())
        except FileNotFoundError:
            return False

    def free_bytes(self, path: Path) -> int:
        """Space on the disk of a folder that we may use."""
        return shutil.disk_usage(path).free
