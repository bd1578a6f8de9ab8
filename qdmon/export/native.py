"""A recording of another program as a session in qdmon's own format, message by message."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from streams.formats.provenance import Provenance
from streams.messages import Message, PhotonBatch
from streams.recording.policy import RecordingPolicy
from streams.recording.session import SessionWriter

__all__ = ["NativeExport", "NativeFolder"]


@dataclass(frozen=True, slots=True)
class NativeFolder:
    """The session that was written."""

    path: Path
    photons: int


@dataclass
class NativeExport:
    """One export.

    Attributes:
        messages: a new pass over the session.
        origin: where it comes from.
        unix_ns: the time, for the record.
        tick: called now and then with the number of photons written so far.
    """

    messages: Callable[[], Iterator[Message]]
    origin: Provenance
    unix_ns: int
    tick: Callable[[int], None] = field(default=lambda _: None)

    def write(self, folder: Path) -> NativeFolder:
        """Write the session into a folder that is not there yet, or is empty; it appears when complete.

        Raises:
            FileExistsError: there is something of this name already.
            OSError: the disk refuses.
        """
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise FileExistsError(17, "is there already: give a folder that is not", str(folder))
        part = folder.with_name(f".{folder.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        try:
            photons = self._copy(part)
            if folder.is_dir():
                folder.rmdir()
            part.rename(folder)
        finally:
            shutil.rmtree(part, ignore_errors=True)
        return NativeFolder(folder, photons)

    def _copy(self, folder: Path) -> int:
        writer = SessionWriter(folder, RecordingPolicy(sync="never"), about=self._about())
        photons = 0
        try:
            for message in self.messages():
                writer.add(message, self.unix_ns)
                if writer.due:
                    writer.flush()
                if isinstance(message, PhotonBatch):
                    photons += len(message.photons)
                    self.tick(photons)
            writer.flush()
            writer.sync()
            writer.close()
        except BaseException:
            writer.abandon()
            raise
        return photons

    def _about(self) -> Mapping[str, str]:
        origin = self.origin
        return {
            "source": origin.source,
            "source_sha256": origin.source_sha256,
            "notes": "; ".join(origin.notes),
        }
