"""One segment file on its way to the disk: the MCAP library lays out the bytes, this file puts them there.

The library writes into memory; what it made is then handed to the system chunk by chunk. So a failed
or short write leaves the library's state intact, and the same bytes can be tried again.
"""

import errno
import json
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, cast

from mcap.writer import CompressionType, IndexType, Writer

from streams import schema
from streams.recording.events import CHANNELS
from streams.recording.files import Files
from streams.recording.names import PART

__all__ = ["PROFILE", "SegmentWriter"]

PROFILE = "qdmon"


class _Stage:
    """What the library writes to: bytes wait here until they are committed."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._written = 0

    def write(self, data: bytes) -> int:
        if data:
            self._parts.append(data)
            self._written += len(data)
        return len(data)

    def tell(self) -> int:
        return self._written

    def flush(self) -> None:
        """Nothing to do: see `take`."""

    def take(self) -> bytes:
        data, self._parts = b"".join(self._parts), []
        return data


class SegmentWriter:
    """Creates `path` + ".part" and gives it its name when it is complete. Every call may raise OSError.

    Args:
        path: final name of the file; neither it nor the ".part" may be there.
        files: the system.
        library: who writes, for the MCAP header.

    Attributes:
        path: as given.
        size: bytes handed to the system.
        committed: of these, in whole chunks.
    """

    def __init__(self, path: Path, files: Files, library: str) -> None:
        self.path = path
        self.size = 0
        self._files = files
        self._part = path.with_name(path.name + PART)
        self._stage = _Stage()
        self._waiting = memoryview(b"")
        self.committed = 0
        self._ended = self._distrusted = self._unsure = False
        self._fd: int | None = files.create(self._part)
        self._mcap = Writer(
            cast(IO[Any], self._stage),
            chunk_size=1 << 40,  # chunks end where `commit` says
            compression=CompressionType.NONE,
            index_types=IndexType.CHUNK | IndexType.MESSAGE,
            enable_data_crcs=True,
        )
        self._mcap.start(PROFILE, library)
        for channel in CHANNELS:
            schema_id = 0
            if channel.encoding == "json":
                described = schema.json_schema(channel.kind) if channel.kind else {"type": "object"}
                name = f"qdmon.{channel.topic[1:]}"
                schema_id = self._mcap.register_schema(name, "jsonschema", json.dumps(described).encode())
            self._mcap.register_channel(channel.topic, channel.encoding, schema_id)

    def add(self, channel: int, pos: int, session_ns: int, unix_ns: int, data: bytes) -> None:
        """Put a message into the chunk in the making; in memory only."""
        self._mcap.add_message(channel, session_ns, data, unix_ns, pos)

    def commit(self) -> None:
        """Close the chunk and hand it to the system; called again after a failure it goes on there."""
        self._mcap.flush()  # type: ignore[no-untyped-call]
        self._push()

    def sync(self) -> None:
        """Force everything committed to the disk; FileNotFoundError if nobody could find it there."""
        if self._fd is None:
            return
        self._force(self._fd)
        if not self._files.is_at(self._fd, self._part):
            raise FileNotFoundError(f"{self._part.name} was removed or renamed while it was written")

    def finish(self) -> None:
        """Write index and footer, force all to the disk and give the file its name."""
        if self._fd is None:
            return
        if not self._ended:
            self._ended = True
            self._mcap.finish()  # type: ignore[no-untyped-call]
        self._push()
        self._force(self._fd)
        fd, self._fd = self._fd, None
        self._files.close(fd)
        self._files.rename(self._part, self.path)
        self._files.sync_folder(self.path.parent)

    def abandon(self) -> None:
        """Let go of the file as it is: a reader finds every chunk that was committed. Never raises."""
        fd, self._fd = self._fd, None
        if fd is None:
            return
        with suppress(OSError):
            self._files.truncate(fd, self.committed)
        with suppress(OSError):
            self._files.close(fd)
        if not self.committed:
            with suppress(OSError):
                self._files.remove(self._part)

    def _force(self, fd: int) -> None:
        """Force the data to the disk; after a failure never again, as the system forgets what it lost."""
        if self._distrusted:
            raise OSError(errno.EIO, "the disk lost data of this file")
        self._distrusted = True
        self._files.sync(fd)
        self._distrusted = False

    def _push(self) -> None:
        made = self._stage.take()
        if made:
            self._waiting = memoryview(bytes(self._waiting) + made if self._waiting else made)
        if self._fd is None:
            raise FileNotFoundError(f"{self._part.name} is closed")
        if self._unsure:
            self._files.truncate(self._fd, self.size)
        self._unsure = True  # a call that fails does not say how much it wrote
        while self._waiting:
            taken = self._files.write(self._fd, self._waiting)
            self.size += taken
            self._waiting = self._waiting[taken:]
        self._unsure = False
        self.committed = self.size
