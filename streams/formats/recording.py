"""What every file format offers once it is open."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hardware.types import Acquisition, DecodedBlock
from streams.batching import BatchCutter
from streams.messages import End, Message, Segment, Session
from streams.text import clean_text

__all__ = ["FormatError", "Recording"]

PS_PER_NS = 1000.0


class FormatError(ValueError):
    """A file cannot be read as a recording; the message says why and what to do, in one line."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{clean_text(str(path), 300)} {reason}")


@dataclass(frozen=True)
class Recording:
    """One file, opened and surveyed once: what it holds is known before the first photon is read.

    Attributes:
        path: the file.
        session: who recorded it, as far as the file says.
        acquisition: time base and the detectors that occur.
        header: what the file says of itself; every string is cleaned.
        problems: what is wrong with it, in words, empty if nothing; reading may find more.
        assumed: those of the problems that are no damage, but something the file does not say.
        photons: how many it holds.
        stop_pulse: end of the last batch, exclusive.
        blocks: a new pass over the decoded photons, in bounded memory.
    """

    path: Path
    session: Session
    acquisition: Acquisition
    header: Mapping[str, object]
    problems: Sequence[str]
    photons: int
    stop_pulse: int
    blocks: Callable[[], Iterator[DecodedBlock]] = field(repr=False)
    assumed: Sequence[str] = ()

    @property
    def damaged(self) -> bool:
        """Whether some of what it should hold could not be used."""
        return any(problem not in self.assumed for problem in self.problems)

    @property
    def duration_s(self) -> float:
        """Stream time from the first pulse to the end, in s."""
        return self.acquisition.seconds(self.stop_pulse)

    def messages(self, batch_s: float = 0.05) -> Iterator[Message]:
        """The recording as a session: Session, Segment, then gaps, markers and batches, and End.

        Batches cover [0, stop_pulse) without holes. A file has no host clock: the host time of a batch is
        the stream time of its end, in ns.

        Args:
            batch_s: length of a batch, s, rounded to whole pulses and at least one.

        Raises:
            FormatError: the file changed since it was opened.
            OSError: the disk failed.
        """
        acquisition = self.acquisition
        yield self.session
        yield Segment(0, acquisition)
        cutter = BatchCutter(0, max(1, acquisition.pulses(batch_s)))
        for block in self.blocks():
            yield from cutter.cut(block, self._stream_time_ns)
        yield from cutter.cut_rest(self.stop_pulse, self._stream_time_ns)
        yield End("end of file")

    def _stream_time_ns(self, pulse: int) -> int:
        return round(pulse * self.acquisition.macro_tick_ps / PS_PER_NS)
