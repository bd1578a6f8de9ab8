"""Sessions that ended before anything was in them are said to be empty, and damaged ones never are."""

from pathlib import Path

import pytest

from streams.formats import FormatError, open_recording
from streams.recording import (
    EmptyRecordingError,
    create_session,
    list_sessions,
    open_session,
    recover,
    verify,
)
from streams.recording.scan import SegmentFile, scan
from tests.streams.recording.sessions import everything, written

NAME = "0001.mcap.part"


@pytest.fixture(scope="module")
def first_block(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """An unclosed file that ends behind its first block of photons."""
    folder = written(tmp_path_factory.mktemp("whole"), everything(batches=5), close=False)
    path = folder / NAME
    chunks = scan(SegmentFile(path)).chunks
    assert [chunk.photons is None for chunk in chunks[:2]] == [True, False]
    return path.read_bytes()[: chunks[1].stop]


def session_with(parent: Path, content: bytes) -> Path:
    folder = create_session(parent, "killed", 10**18)
    (folder / NAME).write_bytes(content)
    return folder


def test_whatever_was_written_of_a_first_block_the_session_is_empty(
    tmp_path: Path, first_block: bytes
) -> None:
    folder = session_with(tmp_path, first_block)
    begin = scan(SegmentFile(folder / NAME)).chunks[1].offset
    sizes = [*range(0, begin, 53), *range(begin - 5, begin + 80), *range(begin + 80, len(first_block), 13)]
    for size in sizes:
        (folder / NAME).write_bytes(first_block[:size])
        with pytest.raises(EmptyRecordingError, match="nothing was recorded yet"):
            open_session(folder)
    (folder / NAME).write_bytes(first_block)
    assert verify(folder).messages == 1


def test_a_first_block_with_any_bit_flipped_is_damaged_and_not_empty(
    tmp_path: Path, first_block: bytes
) -> None:
    folder = session_with(tmp_path, first_block)
    begin = scan(SegmentFile(folder / NAME)).chunks[1].offset
    head = range(8 * begin, 8 * (begin + 100))  # of the block: what the search for blocks goes by
    for bit in (*head, *range(8 * (begin + 100), 8 * len(first_block), 61)):
        flipped = bytearray(first_block)
        flipped[bit // 8] ^= 1 << bit % 8
        (folder / NAME).write_bytes(flipped)
        report = verify(folder)
        assert not report.intact
        assert not report.empty


def test_a_folder_without_files_is_empty_if_it_is_a_session_s(tmp_path: Path) -> None:
    folder = create_session(tmp_path, "killed", 10**18)
    (tmp_path / "other").mkdir()
    for read in (open_session, open_recording, recover):
        with pytest.raises(EmptyRecordingError, match="is empty: nothing was recorded yet"):
            read(folder)
    with pytest.raises(FormatError, match="without a recording") as error:
        open_session(tmp_path / "other")
    assert not isinstance(error.value, EmptyRecordingError)


def test_verify_says_empty_and_why_and_does_not_call_it_intact(tmp_path: Path, first_block: bytes) -> None:
    for content in (None, b"", first_block[:-1]):
        folder = create_session(tmp_path, "killed", 10**18)
        if content is not None:
            (folder / NAME).write_bytes(content)
        report = verify(folder)
        assert report.empty
        assert not report.intact
        assert report.problems == ["nothing was recorded yet"]
        assert (report.photons, report.lost_messages, report.gaps) == (0, 0, [])


def test_an_empty_session_is_listed_with_no_photons(tmp_path: Path) -> None:
    good = written(tmp_path, everything(batches=5))
    bad = create_session(tmp_path, "killed", 10**18)
    infos = {info.path: info for info in list_sessions(tmp_path)}
    assert (infos[bad].empty, infos[bad].photons, infos[bad].duration_s) == (True, 0, 0.0)
    assert not infos[good].empty


def test_a_session_whose_first_file_is_missing_is_not_empty(tmp_path: Path, first_block: bytes) -> None:
    folder = session_with(tmp_path, first_block[:-1])
    (folder / NAME).rename(folder / "0002.mcap.part")
    with pytest.raises(FormatError) as error:
        open_session(folder)
    assert not isinstance(error.value, EmptyRecordingError)
