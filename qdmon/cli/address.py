"""Addresses of children: private to the process that starts them."""

import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import zmq

__all__ = ["private_address"]


@contextmanager
def private_address() -> Iterator[str]:
    """An address nobody else uses; what it needs on disk is removed at the end."""
    if not zmq.has("ipc"):
        yield f"tcp://127.0.0.1:{_free_port()}"
        return
    folder = tempfile.mkdtemp(prefix="qdmon-")
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    """A port free a moment ago; the two above it are needed too, and are nearly always free as well."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1]) & ~3 or 4
