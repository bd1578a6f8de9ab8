"""Where a daemon is found, and how one makes sure that it is the only one there.

The default are ipc sockets in a folder only this account can enter. Loopback TCP can be asked
for, and is open to every account of the machine. Nothing else is accepted.
"""

import os
import re
import stat
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import platformdirs
import zmq

__all__ = ["EndpointError", "Endpoints", "claimed", "local_endpoints", "parse_address", "private_files"]

MAX_IPC_PATH = 107  # bytes, from the size of sockaddr_un
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_TCP = re.compile(r"tcp://(127\.0\.0\.1|localhost):(\d{1,5})")


class EndpointError(Exception):
    """An address cannot be used; says why and what to do in one line."""


@dataclass(frozen=True, slots=True)
class Endpoints:
    """ZeroMQ addresses of one daemon.

    Attributes:
        data: carries the stream.
        query: answers questions about it.
        control: takes orders; whoever may watch need not be let near it.
    """

    data: str
    query: str
    control: str

    def __str__(self) -> str:
        return self.data.removesuffix(".data")


def local_endpoints(name: str = "default") -> Endpoints:
    """The endpoints of the daemon of that name in this account's runtime folder, which is made if needed.

    Raises:
        EndpointError: the name is not a plain one, or the folder is not private.
    """
    if not _NAME.fullmatch(name):
        raise EndpointError(
            f"{name[:80]!r} cannot name a daemon: use letters, digits, dot, dash and underscore, at most 64"
        )
    with warnings.catch_warnings():
        # Without a login session there is no runtime folder; the fallback is checked like any other.
        warnings.simplefilter("ignore", UserWarning)
        folder = Path(platformdirs.user_runtime_dir("qdmon", appauthor=False))
    return _in_folder(folder, name)


def parse_address(text: str) -> Endpoints:
    """Endpoints from what a user types: a name, a folder (path or ipc://path), or tcp://127.0.0.1:PORT.

    TCP takes PORT for the stream, PORT + 1 for queries and PORT + 2 for control.

    Raises:
        EndpointError: it is none of these, or would listen beyond this machine.
    """
    if tcp := _TCP.fullmatch(text):
        port = int(tcp[2])
        if not 0 < port < 65534:
            raise EndpointError(f"port {port} is out of range: choose one from 1 to 65533")
        return Endpoints(*(f"tcp://127.0.0.1:{port + i}" for i in range(3)))
    path = text.removeprefix("ipc://")
    if "://" in path or path.startswith("@") or not path:
        raise EndpointError(
            f"{text[:80]!r} is not an address qdmon uses: give a daemon's name, a folder, or "
            "tcp://127.0.0.1:PORT; to watch from another machine, forward the socket with ssh"
        )
    if path != text or path.startswith(("/", ".", "~")) or os.sep in path:
        return _in_folder(Path(path).expanduser().absolute(), "default")
    return local_endpoints(path)


@contextmanager
def claimed(endpoints: Endpoints) -> Iterator[None]:
    """Hold the sole right to bind to ipc endpoints; remove sockets left by a crash, and ours at the end.

    Binding an ipc path that is in use silently steals it, so a lock file decides, and the operating system
    drops the lock when its holder dies. Does nothing for TCP, where binding twice fails by itself.

    Raises:
        EndpointError: another process holds it, or the folder cannot be written to.
    """
    addresses = (endpoints.data, endpoints.query, endpoints.control)
    sockets = [Path(e.removeprefix("ipc://")) for e in addresses if e.startswith("ipc:")]
    if not sockets:
        yield
        return
    lock_path = sockets[0].with_suffix(".lock")
    try:
        # "r+" on a file made private from its first moment: only the holder may change what it says.
        handle = os.fdopen(os.open(lock_path, os.O_RDWR | os.O_CREAT, 0o600), "r+")
    except OSError as error:
        raise EndpointError(f"cannot write {lock_path}: {error.strerror}") from None
    with handle:
        if not _lock(handle):
            pid = handle.read(20).strip() or "unknown"
            raise EndpointError(
                f"a daemon named {sockets[0].stem} already runs (pid {pid}): attach to it, stop it, "
                "or start this one under another name"
            )
        handle.seek(0)
        handle.truncate()
        handle.write(f"{os.getpid()}\n")
        handle.flush()
        _remove_sockets(sockets)
        try:
            yield
        finally:
            _remove_sockets(sockets)


@contextmanager
def private_files() -> Iterator[None]:
    """Files made meanwhile, sockets too, are for this account only."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def _in_folder(folder: Path, name: str) -> Endpoints:
    if not zmq.has("ipc"):
        raise EndpointError(
            "this system has no private local sockets: give tcp://127.0.0.1:PORT, which every account of "
            "this machine can read"
        )
    if len(os.fsencode(folder / f"{name}.control")) > MAX_IPC_PATH:
        raise EndpointError(
            f"the socket path {folder / name} is too long (at most {MAX_IPC_PATH - 8} bytes): "
            "choose a shorter name or folder"
        )
    _make_private(folder)
    return Endpoints(*(f"ipc://{folder / name}.{socket}" for socket in ("data", "query", "control")))


def _make_private(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        raise EndpointError(f"cannot use the folder {folder}: {error.strerror}") from None
    if not stat.S_ISDIR(found.st_mode):
        raise EndpointError(f"{folder} is not a folder: name a folder for the sockets")
    if sys.platform == "win32":
        return  # access is governed by the profile folder's inherited list
    if found.st_uid != os.getuid():
        raise EndpointError(f"{folder} belongs to another account: name a folder of your own")
    if found.st_mode & 0o077:
        raise EndpointError(
            f"{folder} is open to other accounts (mode {stat.S_IMODE(found.st_mode):04o}): "
            f"chmod 700 it or name another folder"
        )


def _lock(handle: IO[str]) -> bool:
    """Take the lock of an open file without waiting; False if another process has it."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _remove_sockets(paths: list[Path]) -> None:
    for path in paths:
        with suppress(OSError):
            if stat.S_ISSOCK(path.lstat().st_mode):
                path.unlink()
