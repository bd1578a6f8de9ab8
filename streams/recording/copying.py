"""A session written once more: what can be saved of a damaged one, or a smaller copy for the archive."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from streams.messages import Gap, PhotonBatch
from streams.recording.codecs import archive_codec
from streams.recording.names import is_session_name
from streams.recording.opening import NativeRecording, open_session
from streams.recording.payload import PlaneCodec, ZstdPlanes
from streams.recording.policy import RecordingError, RecordingPolicy
from streams.recording.session import SessionWriter, create_session
from streams.recording.verify import Progress, verify
from streams.recording.walk import Place, Walk

__all__ = ["Copied", "archive", "recover"]

_RECOVERY = RecordingPolicy(sync="never")
_ARCHIVE = RecordingPolicy(sync="never", flush_s=20.0, flush_photons=1 << 21, segment_s=3600.0)


@dataclass
class Copied:
    """What was written.

    Attributes:
        folder: the new session.
        photons: in it.
        messages: in it.
        size_bytes: of it.
        lost_messages: of the old one that nobody has any more.
        gaps: stretches of pulses that are missing because of damage.
        problems: of the old session, in words.
    """

    folder: Path
    photons: int = 0
    messages: int = 0
    size_bytes: int = 0
    lost_messages: int = 0
    gaps: list[Gap] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def recover(path: str | Path, parent: Path | None = None, progress: Progress = lambda _: None) -> Copied:
    """Write everything that is intact in a session into a new one; the old one is only read.

    What is missing becomes a `Gap` in the new session, which itself is whole.

    Args:
        path: a session directory or one of its segment files.
        parent: folder of the new session; None for that of the old one.
        progress: called with the share that is done.

    Raises:
        FormatError: nothing of it can be read.
        RecordingError: the new session cannot be written.
    """
    return _copy(Path(path), parent, "recovered", _RECOVERY, ZstdPlanes(), progress)


def archive(path: str | Path, parent: Path | None = None, progress: Progress = lambda _: None) -> Copied:
    """Write a smaller copy of a session and read it back; the old one stays. Needs the package pcodec.

    Args:
        path: a session directory or one of its segment files.
        parent: folder of the copy; None for that of the old one.
        progress: called with the share that is done.

    Raises:
        FormatError: nothing of it can be read.
        RecordingError: the codec is missing, or the copy cannot be written, or does not read as it should.
    """
    codec = archive_codec()
    copied = _copy(Path(path), parent, "archive", _ARCHIVE, codec, lambda share: progress(0.7 * share))
    found = verify(copied.folder, lambda share: progress(0.7 + 0.3 * share))
    if not found.intact or found.photons != copied.photons:
        raise RecordingError(f"{copied.folder} does not read as it was written: keep the original")
    return copied


def _copy(
    path: Path,
    parent: Path | None,
    what: str,
    policy: RecordingPolicy,
    codec: PlaneCodec,
    progress: Progress,
) -> Copied:
    old = open_session(path)
    session_folder = path if path.is_dir() else path.parent
    name = session_folder.name
    title = f"{name[16:-9] if is_session_name(name) else path.stem}"[: 39 - len(what)] + f"-{what}"
    folder = create_session(parent or session_folder.parent, title, old.session.started_unix_ns)
    copied = Copied(folder, problems=list(old.problems))
    writer = SessionWriter(folder, policy, codec=codec, about={what: "from " + name})
    try:
        _write(old, writer, copied, progress)
    except OSError as error:
        writer.abandon()
        raise RecordingError(f"cannot write {folder} ({error.strerror or error})") from error
    copied.size_bytes = writer.bytes
    return copied


def _write(old: NativeRecording, writer: SessionWriter, copied: Copied, progress: Progress) -> None:
    total = sum(place.chunk.size for place in old.places) or 1
    walk = Walk(old.places, copied.problems.append, _steps(total, progress))
    for kept in walk:
        message = kept.message
        writer.add(message, kept.unix_ns)
        copied.messages += 1
        if isinstance(message, PhotonBatch):
            copied.photons += len(message.photons)
        elif isinstance(message, Gap) and kept.made_up:
            copied.gaps.append(message)
        if writer.due:
            writer.flush()
    writer.close()
    copied.lost_messages = walk.lost_messages


def _steps(total: int, progress: Progress) -> Callable[[Place], None]:
    done = 0

    def passed(place: Place) -> None:
        nonlocal done
        progress(min(done / total, 1.0))
        done += place.chunk.size

    return passed
