"""Opens a native session, whole or what is left of it, as a `Recording` like any other."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hardware.types import Acquisition, DecodedBlock, Loss, Markers
from streams.formats.recording import FormatError, Recording
from streams.messages import End, Gap, Message, PhotonBatch, Segment, Session
from streams.recording.about import read_about
from streams.recording.names import PART, is_session_name, segment_paths
from streams.recording.scan import Found, SegmentFile, scan
from streams.recording.unfinished import NOTHING_YET, EmptyRecordingError, holds_nothing_yet
from streams.recording.walk import Place, Walk, read_chunk

__all__ = ["NativeRecording", "OpenedFile", "Stretch", "open_files", "open_session"]

NS_PER_S = 1e9


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """A segment file and what was found in it."""

    number: int
    file: SegmentFile
    found: Found

    @property
    def closed(self) -> bool:
        """It was ended in good order, as far as its structure tells."""
        return self.found.closed_at is not None


@dataclass(frozen=True, slots=True)
class Stretch:
    """One acquisition of a session.

    Attributes:
        index: of its `Segment` message.
        acquisition: its time base.
        stop_pulse: end of its last batch, exclusive.
    """

    index: int
    acquisition: Acquisition
    stop_pulse: int


@dataclass(frozen=True)
class NativeRecording(Recording):
    """A session as it was recorded: replaying its messages is publishing them again.

    `problems` grows when reading comes upon damage; what is missing is a `Gap` in the messages. With
    several acquisitions, `acquisition`, `stop_pulse` and `blocks` are those of the first.

    Attributes:
        stretches: the acquisitions.
        places: all chunks in order.
        has_end: the session's own last word was recorded.
    """

    stretches: tuple[Stretch, ...] = ()
    places: tuple[Place, ...] = field(default=(), repr=False)

    @property
    def duration_s(self) -> float:
        """Stream time over all acquisitions, in s."""
        return sum(part.acquisition.seconds(part.stop_pulse) for part in self.stretches)

    def messages(self, batch_s: float = 0.05) -> Iterator[Message]:
        """The session's messages as they were recorded; batches are as they were, whatever `batch_s` says.

        Raises:
            OSError: the disk failed.
        """
        yield from self._messages(self.places)

    def messages_from(self, start_s: float) -> Iterator[Message]:
        """As `messages`, beginning with the block (about 1 s) that holds `start_s` of the session's time.

        What held there (session, segment, fluence, laser) comes first; what is left out is one `Gap`.
        """
        photon_places = [place for place in self.places if place.chunk.photons is not None]
        starts = [place.chunk.photons.session_ns for place in photon_places if place.chunk.photons]
        first = max(bisect_right(starts, round(start_s * NS_PER_S)) - 1, 0)
        yield from self._messages(photon_places[first:])

    def messages_within(self, segment: int, first_pulse: int, stop_pulse: int) -> Iterator[Message]:
        """Only the blocks that hold some of these pulses of an acquisition, as `messages` gives them."""
        yield from self._messages(
            [
                place
                for place in self.places
                if (head := place.chunk.photons) is not None
                and head.segment == segment
                and head.first_pulse < stop_pulse
                and head.stop_pulse > first_pulse
            ]
        )

    def _messages(self, places: Sequence[Place]) -> Iterator[Message]:
        last: Message | None = None
        for kept in Walk(places, self._note):
            last = kept.message
            yield last
        if not isinstance(last, End):
            yield End("end of recording")

    def _note(self, problem: str) -> None:
        if isinstance(self.problems, list) and problem not in self.problems and len(self.problems) < 100:
            self.problems.append(problem)


def open_session(path: str | Path) -> NativeRecording:
    """Open a session directory, or one of its segment files by itself.

    Raises:
        EmptyRecordingError: nothing was recorded in it yet.
        FormatError: there is no session, or nothing of it can be read.
    """
    path = Path(path)
    try:
        opened = open_files(path)
    except OSError as error:
        raise FormatError(path, f"cannot be read: {error.strerror or error}") from error
    places = tuple(Place(one.file, chunk) for one in opened for chunk in one.found.chunks)
    problems = structure_problems(opened)
    session, stretches, header = _survey(path, places, problems)
    first = stretches[0]
    return NativeRecording(
        path=path,
        session=session,
        acquisition=first.acquisition,
        header=header,
        problems=problems,
        photons=_count(places),
        stop_pulse=first.stop_pulse,
        blocks=_blocks(places, first.index),
        stretches=stretches,
        places=places,
    )


def open_files(path: Path) -> tuple[OpenedFile, ...]:
    """The segment files of a session directory, or the one file given, each scanned.

    Raises:
        EmptyRecordingError: the session ended before its first block was written.
        FormatError: there are none.
        OSError: one cannot be read.
    """
    if path.is_dir():
        paths = segment_paths(path)
        if not paths and is_session_name(path.name):
            raise EmptyRecordingError(path, f"is empty: {NOTHING_YET}")
        if not paths:
            raise FormatError(path, "is a folder without a recording: give a file or a session's folder")
    elif path.is_file():
        stem = path.name.removesuffix(PART).removesuffix(".mcap")
        paths = {int(stem) if stem.isdecimal() and len(stem) <= 6 else 1: path}
    else:
        raise FormatError(path, "is not there, or is not a regular file: check the name")
    opened = []
    for number, one in paths.items():
        file = SegmentFile(one)
        opened.append(OpenedFile(number, file, scan(file)))
    if opened[0].number == 1 and holds_nothing_yet([(one.file, one.found) for one in opened]):
        raise EmptyRecordingError(path, f"is empty: {NOTHING_YET}")
    return tuple(opened)


def structure_problems(opened: Sequence[OpenedFile]) -> list[str]:
    """What is wrong with the files as far as their structure tells, in words."""
    problems = []
    numbers = [one.number for one in opened]
    if len(numbers) > 1 or (numbers and numbers[0] == 1):
        missing = sorted(set(range(1, numbers[-1] + 1)) - set(numbers))
        problems += [f"segment file {number:04d} is missing" for number in missing[:10]]
    for one in opened:
        for damage in one.found.damage[:10]:
            problems.append(
                f"{one.file.path.name}: {damage.stop - damage.start} bytes at byte {damage.start} are damaged"
            )
        if not one.closed:
            problems.append(f"{one.file.path.name} was not closed: what was written until then is read")
    return problems


def _survey(
    path: Path, places: Sequence[Place], problems: list[str]
) -> tuple[Session, tuple[Stretch, ...], dict[str, object]]:
    """Session and acquisitions, from the first intact chunk of each."""
    session: Session | None = None
    stops: dict[int, int] = {}
    found: dict[int, Acquisition] = {}
    header: dict[str, object] = {}
    for place in places:
        head = place.chunk.photons
        if head is not None:
            stops[head.segment] = max(stops.get(head.segment, 0), head.stop_pulse)
            if head.segment in found and session is not None:
                continue
        elif session is not None:
            continue
        try:
            messages = [kept.message for kept in read_chunk(place).messages]
            header = header or read_about(place)
        except ValueError as error:
            if "codec" in str(error):
                raise FormatError(path, f"cannot be read: {error}") from None
            continue
        for message in messages:
            if isinstance(message, Session):
                session = session or message
            elif isinstance(message, Segment):
                found.setdefault(message.index, message.acquisition)
    if session is None or not found:
        raise FormatError(path, "holds no intact part of a qdmon recording")
    stretches = tuple(Stretch(index, found[index], stops.get(index, 0)) for index in sorted(found))
    return session, stretches, {"software": session.software} | header


def _count(places: Sequence[Place]) -> int:
    """Photons; a chunk that was written again after a failure counts once."""
    photons, newest = 0, -1
    for place in places:
        head = place.chunk.photons
        if head is not None and head.pos > newest:
            photons, newest = photons + head.photons, head.pos
    return photons


def _blocks(places: Sequence[Place], segment: int) -> Callable[[], Iterator[DecodedBlock]]:
    def blocks() -> Iterator[DecodedBlock]:
        losses: list[Loss] = []
        for kept in Walk(places):
            message = kept.message
            if isinstance(message, Gap) and message.segment == segment:
                losses.append(
                    Loss(message.first_pulse, message.stop_pulse, message.cause, message.lost_photons)
                )
            elif isinstance(message, PhotonBatch) and message.segment == segment:
                yield DecodedBlock(message.photons, Markers.empty(), tuple(losses), message.stop_pulse)
                losses.clear()

    return blocks
