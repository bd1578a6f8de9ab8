"""Disks that fail on command, and disks that forget what was not forced onto them."""

import errno
import os
import random
from dataclasses import dataclass, field
from pathlib import Path

from streams.recording.files import Files

__all__ = ["FailingDisk", "ForgetfulDisk"]

PAGE = 4096
COUNTED = ("create", "write", "sync", "truncate", "close", "rename", "sync_folder")


class FailingDisk(Files):
    """Fails at one call, or from it on; a short write takes half of what was offered.

    Args:
        at: index of the call that fails, counting the calls of `COUNTED`.
        error: errno, or None for a short write.
        lasting: every later call fails as well, until `repair`.
    """

    def __init__(self, at: int, error: int | None = errno.EIO, *, lasting: bool = False) -> None:
        self.calls = 0
        self.failures = 0
        self._at = at
        self._error = error
        self._lasting = lasting

    def break_down(self, error: int) -> None:
        """From now on every call fails."""
        self._at, self._error, self._lasting = self.calls, error, True

    def repair(self) -> None:
        """The disk works again."""
        self._at = -1
        self._lasting = False

    def _fails(self) -> bool:
        index, self.calls = self.calls, self.calls + 1
        fails = self._at >= 0 and (index == self._at or (self._lasting and index > self._at))
        self.failures += fails
        return fails

    def _check(self) -> None:
        if self._fails() and self._error is not None:
            raise OSError(self._error, os.strerror(self._error))

    def create(self, path: Path) -> int:
        self._check()
        return super().create(path)

    def write(self, fd: int, data: memoryview) -> int:
        if not self._fails():
            return super().write(fd, data)
        taken = super().write(fd, data[: len(data) // 2])
        if self._error is None:
            return taken
        raise OSError(self._error, os.strerror(self._error))

    def sync(self, fd: int) -> None:
        self._check()  # forcing it for real would only make the tests slow

    def truncate(self, fd: int, size: int) -> None:
        self._check()
        super().truncate(fd, size)

    def close(self, fd: int) -> None:
        super().close(fd)
        self._check()

    def rename(self, old: Path, new: Path) -> None:
        self._check()
        super().rename(old, new)

    def sync_folder(self, path: Path) -> None:
        self._check()


@dataclass
class _Written:
    """One file: its bytes as the system has them, and which pages the disk certainly has."""

    name: str
    data: bytearray = field(default_factory=bytearray)
    on_disk: bytearray = field(default_factory=bytearray)
    dirty: set[int] = field(default_factory=set)


class ForgetfulDisk(Files):
    """Notes what was written and what was forced; `after_power_loss` writes a state a power cut can leave.

    Of the pages written since the last forced write each is on the disk or not, at random; a page that is
    not is as it was (zeros if it is new). So may be the length of the file, and a name not forced may be
    the old one.
    """

    def __init__(self) -> None:
        self._open: dict[int, _Written] = {}
        self.files: dict[str, _Written] = {}
        self._old_names: dict[str, str] = {}

    def create(self, path: Path) -> int:
        fd = super().create(path)
        self._open[fd] = self.files[path.name] = _Written(path.name)
        return fd

    def write(self, fd: int, data: memoryview) -> int:
        file = self._open[fd]
        start = len(file.data)
        file.data += data
        file.dirty |= set(range(start // PAGE, -(-len(file.data) // PAGE)))
        return super().write(fd, data)

    def sync(self, fd: int) -> None:
        file = self._open[fd]
        file.on_disk, file.dirty = bytearray(file.data), set()

    def rename(self, old: Path, new: Path) -> None:
        self.files[new.name] = self.files.pop(old.name)
        self._old_names[new.name] = old.name
        super().rename(old, new)

    def sync_folder(self, path: Path) -> None:
        self._old_names.clear()

    def after_power_loss(self, folder: Path, rng: random.Random) -> None:
        """Write what may be left of all files into a folder."""
        folder.mkdir()
        for name, file in self.files.items():
            size = rng.choice(
                [len(file.data), len(file.on_disk), rng.randint(len(file.on_disk), len(file.data))]
            )
            left = file.on_disk[:size] + bytes(max(size - len(file.on_disk), 0))
            for page in file.dirty:
                if rng.random() < 0.5:
                    part = file.data[page * PAGE : min((page + 1) * PAGE, size)]
                    left[page * PAGE : page * PAGE + len(part)] = part
            name_left = rng.choice([name, self._old_names.get(name, name)])
            (folder / name_left).write_bytes(left)
