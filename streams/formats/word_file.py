"""Files that are a header and then card words: what a header told, and its way to a recording."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from hardware.records import WORD_FORMATS
from hardware.types import PS_PER_S, Acquisition, RecordLayout
from streams.formats.identity import file_session
from streams.formats.recording import FormatError, Recording
from streams.formats.word_blocks import WORD_BYTES, Survey, WordArea, decoded, survey

__all__ = ["WordFile", "open_words"]

SHORTEST_LIMIT_S = 1.0  # a header may say less than this of a measurement that ran on
LONGEST_RECORDING_S = 360_000.0  # 100 h: the longest measurement these cards can be asked for

# A detector has more clicks than this in the dark, and hardly ever so few beside another.
FEWEST_CPS, SMALLEST_SHARE = 5.0, 1e-3


@dataclass(frozen=True)
class WordFile:
    """What a header told.

    Attributes:
        path: the file.
        layout: the words it holds.
        words_offset: where they begin, bytes.
        words_promised: how many the header says there are; None if it does not say.
        macro_tick_ps: pulse period in T3, tick in T2.
        resolution_ps: TCSPC bin; None in T2.
        longest_s: how long the measurement can have been, by the header; None if it does not say.
        instrument: model; "" if unknown.
        serial: "" if unknown.
        software: what wrote the file; "" if unknown.
        title: "" if none.
        started_unix_ns: 0 if unknown.
        simulated: no light was ever involved.
        settings: of the instrument.
        header: all of it.
        laser_period_ps: where the steps are ticks of the card's own clock; see `Acquisition`.
        assumed: what the header does not say, and what was taken instead.
    """

    path: Path
    layout: RecordLayout
    words_offset: int
    words_promised: int | None
    macro_tick_ps: float
    resolution_ps: float | None
    longest_s: float | None
    instrument: str
    serial: str
    software: str
    title: str
    started_unix_ns: int
    simulated: bool
    settings: Mapping[str, str]
    header: Mapping[str, object]
    laser_period_ps: float | None = None
    assumed: tuple[str, ...] = ()


def open_words(source: WordFile) -> Recording:
    """Survey the words behind a header and offer them as a recording.

    The survey decodes the file once (about 2 ns per photon beyond its disk time), so that detectors,
    duration and damage are known before the first batch.

    Raises:
        FormatError: the file ends before its words begin.
    """
    size = source.path.stat().st_size - source.words_offset
    if size < 0:
        raise FormatError(source.path, "ends inside its header: copy it again")
    area = _area(source, size // WORD_BYTES)
    found = survey(area)
    odd = _odd_detectors(source, found)
    return Recording(
        path=source.path,
        session=file_session(
            source.path,
            instrument=source.instrument,
            serial=source.serial,
            software=source.software,
            title=source.title,
            started_unix_ns=source.started_unix_ns,
        ),
        acquisition=_acquisition(source, found),
        header=source.header,
        problems=(*_problems(source, found, size), *odd),
        photons=found.photons,
        stop_pulse=found.stop_pulse,
        blocks=lambda: decoded(area),
        # They may be real: nothing is left out.
        assumed=(*source.assumed, *odd),
    )


def _area(source: WordFile, words: int) -> WordArea:
    longest_s = LONGEST_RECORDING_S
    if source.longest_s is not None:
        longest_s = min(max(source.longest_s, SHORTEST_LIMIT_S), LONGEST_RECORDING_S)
    return WordArea(
        path=source.path,
        offset=source.words_offset,
        words=words,
        layout=source.layout,
        longest_jump=int(longest_s * PS_PER_S / source.macro_tick_ps),
        last_pulse=int(LONGEST_RECORDING_S * PS_PER_S / source.macro_tick_ps),
    )


def _acquisition(source: WordFile, found: Survey) -> Acquisition:
    bins = 0
    if source.resolution_ps is not None:
        words = WORD_FORMATS[source.layout]
        per_pulse = math.ceil(source.macro_tick_ps / source.resolution_ps)
        bins = min(max(per_pulse, found.largest_nanotime + 1), words.largest_nanotime + 1)
        if words.nanotime_flip:  # they count back from the end of the card's window
            bins = words.largest_nanotime + 1
    return Acquisition(
        mode="T2" if source.resolution_ps is None else "T3",
        macro_tick_ps=source.macro_tick_ps,
        resolution_ps=source.resolution_ps,
        nanotime_bins=bins,
        channels=found.channels,
        layout=source.layout,
        instrument=source.instrument,
        serial=source.serial,
        simulated=source.simulated,
        settings=source.settings,
        laser_period_ps=source.laser_period_ps,
    )


def _problems(source: WordFile, found: Survey, size: int) -> Iterator[str]:
    held, partial = divmod(size, WORD_BYTES)
    yield from source.assumed
    if source.words_promised is not None and source.words_promised != held:
        yield (
            f"the header promises {source.words_promised} records, the file holds {held}: "
            "reading what is there"
        )
    if partial and source.words_promised != held:
        yield f"the last record is cut after {partial} of {WORD_BYTES} bytes: it is left out"
    if not found.photons:
        yield "there are no photons in it"
    if found.damaged:
        yield (
            f"overflow records that claim more time than the measurement can have lasted: {found.damaged}; "
            "each counts as one and shows as a gap, times after it are too early by an unknown amount"
        )
    if found.gaps:
        yield f"photons were lost because the card's memory was full: {found.gaps} gaps"
    if found.unknown:
        yield f"records of no known kind: {found.unknown}; they are left out"
    if found.ends_early:
        hours = LONGEST_RECORDING_S / 3600
        yield f"time runs past {hours:.0f} h, which no card records: the rest is left out"
    end_s = found.stop_pulse * source.macro_tick_ps / PS_PER_S
    if source.longest_s is not None and end_s > 1.01 * source.longest_s + 0.1:
        yield f"the records run to {end_s:.4g} s, the header says {source.longest_s:.4g} s: using the records"


def _odd_detectors(source: WordFile, found: Survey) -> tuple[str, ...]:
    """What to say of detectors with so few photons that damaged records would look the same."""
    seconds = found.stop_pulse * source.macro_tick_ps / PS_PER_S
    most = max(found.per_channel, default=0)
    few = {
        channel: n
        for channel, n in zip(found.channels, found.per_channel, strict=True)
        if n < SMALLEST_SHARE * most and n < max(FEWEST_CPS * seconds, 1.0)
    }
    if not few:
        return ()
    names = f"detector{'s' if len(few) > 1 else ''} {', '.join(map(str, few))}"
    return (
        f"{names} saw {sum(few.values())} of {found.photons} photons, fewer than any would in the dark: "
        "maybe damaged records; they are kept",
    )
