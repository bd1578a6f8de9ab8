"""Swabian Time Tagger files (.ttbin), read through the maker's own package, which has to be installed.

A measurement is a small index file NAME.ttbin and data files NAME.1.ttbin, NAME.2.ttbin ... Tags are
picoseconds; nothing says which input is the laser, so it is a T2 recording. Input -n, the falling edge on
input n, is channel 128 + n.
"""

import json
import re
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from hardware.types import DecodedBlock, Loss, LossCause, Markers, Photons
from streams.formats.column_file import ColumnFile, open_columns
from streams.formats.identity import file_session
from streams.formats.recording import FormatError, Recording
from streams.text import clean_text

__all__ = ["FALLING", "read", "recognises"]

MAGIC = b"SITT"
FALLING = 128
PART_TAGS = 131_072
_TAG, _OVERFLOW_BEGIN, _OVERFLOW_END, _MISSED = 0, 2, 3, 4  # kinds of events
_DATA_FILE = re.compile(r"^(.+)\.\d+\.ttbin$")


def recognises(head: bytes) -> bool:
    """Whether a file that begins like this is one."""
    return head.startswith(MAGIC)


def read(path: Path) -> Recording:
    """Open a Time Tagger measurement by its index file, or by a data file alone.

    Raises:
        FormatError: the package is not installed, the data file is not beside the index, or the package
            cannot read it.
    """
    if not _DATA_FILE.match(path.name) and not path.with_suffix(".1.ttbin").is_file():
        raise FormatError(path, f"is only an index: put its data file {path.stem}.1.ttbin beside it")
    reader = _reader(path)
    about = _about(reader)
    first = next((block for block in _blocks(path, reader)), None)
    origin_ps = 0 if first is None else min([int(first.tStart), *first.getTimestamps()[:1].tolist()])
    devices = about.get("devices")
    device = devices[0] if isinstance(devices, list) and devices and isinstance(devices[0], dict) else {}
    instrument = f"Swabian {clean_text(str(device.get('model', 'Time Tagger')))}"
    serial = clean_text(str(device.get("serial", "")))
    channels = {f"channel.{_number(path, c)}": str(c) for c in reader.getChannelList()}
    return open_columns(
        ColumnFile(
            path=path,
            session=file_session(path, instrument=instrument, serial=serial, software="Time Tagger"),
            parts=partial(_parts, path, origin_ps),
            macro_tick_ps=1.0,
            resolution_ps=None,
            instrument=instrument,
            serial=serial,
            settings=channels,
            header={"origin_ps": origin_ps, "begun": clean_text(str(about.get("current time", "")))},
        )
    )


def _reader(path: Path) -> Any:
    try:
        from Swabian import TimeTagger
    except ImportError:
        raise FormatError(
            path, "is a Time Tagger file, which needs the maker's package: pip install 'qdmon[swabian]'"
        ) from None
    try:
        return TimeTagger.FileReader(str(path))
    except RuntimeError as error:
        raise FormatError(
            path, f"cannot be read by the Time Tagger package ({clean_text(str(error), 120)})"
        ) from None


def _blocks(path: Path, reader: Any) -> Iterator[Any]:
    try:
        while reader.hasData():
            block = reader.getData(PART_TAGS)
            if not block.size:
                return
            yield block
    except RuntimeError as error:
        raise FormatError(path, f"is damaged ({clean_text(str(error), 120)}): copy it again") from None


def _about(reader: Any) -> Mapping[str, object]:
    """The configuration the file keeps; empty if it is unreadable."""
    try:
        found = reader.getConfiguration()
        found = json.loads(found) if isinstance(found, str) else found
    except (RuntimeError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _number(path: Path, channel: int) -> int:
    if not -FALLING < channel < FALLING:
        raise FormatError(path, f"has channel {channel}; qdmon knows inputs up to {FALLING - 1}")
    return channel if channel >= 0 else FALLING - channel


def _parts(path: Path, origin_ps: int) -> Iterator[DecodedBlock]:
    overflow_ps: int | None = None
    for block in _blocks(path, _reader(path)):
        times = block.getTimestamps() - origin_ps
        kinds = block.getEventTypes()
        if len(times) and int(times.min()) < 0:
            raise FormatError(path, "has times before its start: it is damaged")
        tags = kinds == _TAG
        losses = []
        for i in np.flatnonzero((kinds >= _OVERFLOW_BEGIN) & (kinds <= _MISSED)).tolist():
            now = int(times[i])
            if kinds[i] == _OVERFLOW_BEGIN:
                overflow_ps = now
                continue
            missed = int(block.getMissedEvents()[i]) if kinds[i] == _MISSED else None
            begin = now if overflow_ps is None else overflow_ps
            losses.append(Loss(begin, now + 1, LossCause.FIFO_OVERRUN, missed))
            if kinds[i] == _OVERFLOW_END:
                overflow_ps = None
        raw = block.getChannels()[tags]
        numbers = {c: _number(path, c) for c in np.unique(raw).tolist()}
        channel = np.zeros(len(raw), np.uint8)
        for c, number in numbers.items():
            channel[raw == c] = number
        pulse = times[tags].astype(np.uint64)
        photons = Photons(pulse, np.zeros(len(pulse), np.uint16), channel)
        end = int(block.tGetData) - origin_ps
        yield DecodedBlock(photons, Markers.empty(), tuple(losses), max(end, 0))
