"""Is every bit of a session what was written? All checksums, and what none covers against the rest."""

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from streams.formats.recording import FormatError
from streams.messages import Gap, PhotonBatch
from streams.recording.about import read_about
from streams.recording.names import PART
from streams.recording.opening import OpenedFile, open_files
from streams.recording.scan import (
    DATA_END,
    FOOTER,
    HEADER,
    MCAP_MAGIC,
    MESSAGE_INDEX,
    ChunkHead,
    Damage,
    SegmentFile,
    records_of,
)
from streams.recording.segment import PROFILE
from streams.recording.unfinished import NOTHING_YET, EmptyRecordingError, ends_in_cut_block
from streams.recording.walk import Place, Walk

__all__ = ["FileReport", "Progress", "SessionReport", "verify"]

Progress = Callable[[float], None]
"""Called now and then with the share that is done, 0 to 1."""

BLOCK = 1 << 20
MOST_PROBLEMS = 50

_DATA_END = struct.Struct("<BQI")
_FOOTER = struct.Struct("<BQQQI")
_TAIL = _FOOTER.size + len(MCAP_MAGIC)


@dataclass
class FileReport:
    """One segment file.

    Attributes:
        name: of the file.
        size_bytes: of the file.
        blocks: chunks found.
        closed: it ends as a file that was closed in good order.
        problems: what is damaged; empty if nothing is.
        unfinished_bytes: of a block that was being written when everything stopped, in a file never closed.
    """

    name: str
    size_bytes: int
    blocks: int
    closed: bool
    problems: list[str] = field(default_factory=list)
    unfinished_bytes: int = 0


@dataclass
class SessionReport:
    """A session, or one of its files.

    Attributes:
        path: what was verified.
        files: each of its files.
        photons: that can be read.
        messages: that can be read.
        lost_messages: known to be missing.
        lost_blocks: that cannot be read.
        gaps: stretches of pulses that are missing because of damage.
        problems: of the session as a whole.
        empty: it ended before its first block was written, or is not so far: there is nothing to recover.
    """

    path: str
    files: list[FileReport]
    photons: int = 0
    messages: int = 0
    lost_messages: int = 0
    lost_blocks: int = 0
    gaps: list[Gap] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    empty: bool = False

    @property
    def intact(self) -> bool:
        """Nothing that was written is damaged or missing; a file need not have been closed."""
        whole = not self.problems and not self.lost_messages and not self.lost_blocks
        return whole and not any(file.problems for file in self.files)

    @property
    def closed(self) -> bool:
        """Every file was closed in good order."""
        return bool(self.files) and all(file.closed for file in self.files)


def verify(path: str | Path, progress: Progress = lambda _: None) -> SessionReport:
    """Read everything and check everything. What is empty is not intact: it is not what anybody wanted.

    Raises:
        FormatError: there is no session.
        OSError: the disk failed.
    """
    path = Path(path)
    try:
        opened = open_files(path)
    except EmptyRecordingError:
        return SessionReport(str(path), [], problems=[NOTHING_YET], empty=True)
    if not any(one.found.chunks for one in opened):
        raise FormatError(path, "holds no part of a qdmon recording")
    total = 2 * sum(one.file.size for one in opened) or 1
    done = 0

    def advance(size: int) -> None:
        nonlocal done
        done += size
        progress(min(done / total, 1.0))

    report = SessionReport(str(path), [_file(one, advance) for one in opened])
    numbers = [one.number for one in opened]
    if path.is_dir():
        missing = sorted(set(range(1, numbers[-1] + 1)) - set(numbers))
        report.problems += [f"segment file {number:04d} is missing" for number in missing[:MOST_PROBLEMS]]
    _content(opened, report, advance)
    return report


def _content(opened: tuple[OpenedFile, ...], report: SessionReport, advance: Callable[[int], None]) -> None:
    """Decode every message."""

    def damaged(problem: str) -> None:
        if len(report.problems) < MOST_PROBLEMS:
            report.problems.append(problem)

    places = [Place(one.file, chunk) for one in opened for chunk in one.found.chunks]
    walk = Walk(places, damaged, lambda place: advance(place.chunk.size))
    for kept in walk:
        message = kept.message
        if isinstance(message, Gap) and kept.made_up:
            report.gaps.append(message)
            continue
        report.messages += 1
        if isinstance(message, PhotonBatch):
            report.photons += len(message.photons)
    report.lost_messages, report.lost_blocks = walk.lost_messages, walk.bad_chunks
    if not report.messages:
        report.problems.append("nothing in it can be read")


def _file(one: OpenedFile, advance: Callable[[int], None]) -> FileReport:
    file, found = one.file, one.found
    report = FileReport(file.path.name, file.size, len(found.chunks), one.closed)
    crc, at, end = 0, 0, _head_stop(one)
    for chunk in found.chunks:
        crc, at = _through(file, at, chunk.offset, crc), chunk.stop
        data = file.read(chunk.offset, chunk.stop - chunk.offset)
        crc = zlib.crc32(data, crc)
        advance(len(data))
        report.problems += _strangers(one, end, chunk.offset)
        problem, end = _chunk_problem(file, chunk)
        if problem:
            report.problems.append(f"the block at byte {chunk.offset} {problem}")
    report.problems += _strangers(one, end, file.size)
    for damage in found.damage:
        if not _unfinished(one, damage, end, report):
            report.problems.append(f"{damage.stop - damage.start} bytes at byte {damage.start} are damaged")
    if not _header_fits(one):
        report.problems.append("the head of the file is damaged")
    if one.found.closed_at is not None:
        crc = _through(file, at, one.found.closed_at, crc)
        report.problems += _end_problems(file, one.found.closed_at, crc)
    elif not file.path.name.endswith(PART):
        report.problems.append("the end of the file is missing")
    del report.problems[MOST_PROBLEMS:]
    return report


def _header_fits(one: OpenedFile) -> bool:
    """Whether the MCAP header names the writer that the first chunk names: no checksum covers it yet."""
    chunks = one.found.chunks
    if not chunks or chunks[0].photons is not None:
        return True  # the first chunk is lost, and said to be
    try:
        library = str(read_about(Place(one.file, chunks[0])).get("writer", "")).encode()
    except ValueError:
        return True
    profile = PROFILE.encode()
    size = 8 + len(profile) + len(library)
    head = struct.pack(f"<BQI{len(profile)}sI", HEADER, size, len(profile), profile, len(library)) + library
    at = len(MCAP_MAGIC)
    return one.file.read(at, chunks[0].offset - at) == head


def _through(file: SegmentFile, start: int, stop: int, crc: int) -> int:
    while start < stop:
        data = file.read(start, min(BLOCK, stop - start))
        if not data:
            break
        crc, start = zlib.crc32(data, crc), start + len(data)
    return crc


def _head_stop(one: OpenedFile) -> int | None:
    """Where the head of the file ends and its first block begins; None if it does not say."""
    opcode, size = struct.unpack("<BQ", one.file.read(len(MCAP_MAGIC), 9).ljust(9, b"\0"))
    return len(MCAP_MAGIC) + 9 + int(size) if opcode == HEADER else None


def _strangers(one: OpenedFile, end: int | None, start: int) -> list[str]:
    """A line if bytes between two blocks are not damaged by what they say, and yet belong to neither.

    A block whose first byte is another is such: a reader steps over it. Closed files have a checksum for it.
    """
    told = any(damage.stop == start for damage in one.found.damage)
    if one.closed or told or end is None or start <= end:
        return []
    return [f"the {start - end} bytes at byte {end} are no block"]


def _chunk_problem(file: SegmentFile, chunk: ChunkHead) -> tuple[str, int | None]:
    """What is wrong with a chunk, its stated times, and the index behind it, "" if nothing is; and its end.

    The end is that of its index, as far as that can be known.
    """
    content = chunk.content(file)
    if content is None:
        return "is damaged", None
    try:
        index, times = _index(content)
    except ValueError as error:
        return f"is damaged: {error}", None
    end = chunk.stop + len(index)
    if (min(times, default=0), max(times, default=0)) != (chunk.start_ns, chunk.stop_ns):
        return "states wrong times", end
    behind = file.read(chunk.stop, len(index))
    torn = len(behind) < len(index) and index.startswith(behind)
    return ("" if behind == index or torn else "is followed by a damaged index"), end


def _index(content: bytes) -> tuple[bytes, list[int]]:
    """The message index that belongs behind a chunk, and the session times in it."""
    entries: dict[int, list[tuple[int, int]]] = {}
    times = []
    for record in records_of(content):
        entries.setdefault(record.channel, []).append((record.session_ns, record.offset))
        times.append(record.session_ns)
    parts = []
    for channel, where in entries.items():
        size = 16 * len(where)
        parts.append(struct.pack("<BQHI", MESSAGE_INDEX, size + 6, channel, size))
        parts += [struct.pack("<QQ", *entry) for entry in where]
    return b"".join(parts), times


def _unfinished(one: OpenedFile, damage: Damage, end: int | None, report: FileReport) -> bool:
    """Whether damage at the end of a file never closed is a block cut short, as a crash leaves it.

    `end` is where the last whole block and its index should end: a block begins there, not an index.
    """
    file, start = one.file, damage.start
    if one.closed or not file.path.name.endswith(PART) or damage.stop < file.size:
        return False
    cut = ends_in_cut_block(file, start) and (end is None or start <= end)
    if cut and start == end and file.read(start, 1) == bytes([MESSAGE_INDEX]):
        cut = False
    report.unfinished_bytes = file.size - start if cut else 0
    return cut


def _end_problems(file: SegmentFile, closed_at: int, data_crc: int) -> list[str]:
    """What is wrong behind the data: end record, summary, footer."""
    tail = file.read(closed_at, file.size - closed_at) if file.size - closed_at < 1 << 28 else b""
    if len(tail) < _DATA_END.size + _TAIL or not tail.endswith(MCAP_MAGIC):
        return ["the end of the file is missing"]
    problems = []
    opcode, size, crc = _DATA_END.unpack_from(tail)
    if (opcode, size) != (DATA_END, 4) or crc != data_crc:
        problems.append("the checksum of the whole file does not fit")
    summary = tail[_DATA_END.size : -_TAIL]
    footer = tail[-_TAIL : -len(MCAP_MAGIC)]
    opcode, size, summary_start, _, summary_crc = _FOOTER.unpack(footer)
    expected = zlib.crc32(footer[:-4], zlib.crc32(summary))
    if (
        (opcode, size) != (FOOTER, 20)
        or summary_start != closed_at + _DATA_END.size
        or summary_crc != expected
    ):
        problems.append("the index at the end of the file is damaged")
    return problems
