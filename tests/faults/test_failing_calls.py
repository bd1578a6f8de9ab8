"""Each call to the disk fails in turn: once costs nothing, for good nothing that was acknowledged."""

import errno
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from hardware.types import LossCause
from streams.formats import FormatError
from streams.messages import Alert, Gap, Message, PhotonBatch
from streams.recording import Problem, Recorder, RecorderStatus, RecordingError, open_session, verify
from tests.faults.fakes import FailingDisk
from tests.streams.recording.sessions import QUICK, all_same, assert_no_wrong_photon, everything, read

POLICY = replace(QUICK, sync="always", retry_s=0.0, segment_s=5e-3)


def calls_of(folder: Path, messages: list[Message]) -> int:
    """How often a recording calls the disk when all goes well."""
    disk = FailingDisk(-1)
    recorded(folder, disk, messages)
    return disk.calls


def recorded(
    folder: Path, disk: FailingDisk, messages: list[Message]
) -> tuple[Path, RecorderStatus, list[Problem]]:
    """A recording made on a disk that fails."""
    problems: list[Problem] = []
    recorder = Recorder(folder, "x", POLICY, files=disk, on_problem=problems.append)
    recorder.put_all(messages)
    return recorder.folder, recorder.stop(), problems


@pytest.mark.parametrize("error", [errno.EIO, errno.ENOSPC, None], ids=["EIO", "ENOSPC", "short write"])
def test_a_single_failure_of_any_call_costs_no_message(error: int | None, tmp_path: Path) -> None:
    messages = everything(batches=40)
    reached = 0
    for index in range(1, calls_of(tmp_path, messages)):
        disk = FailingDisk(index, error)
        folder, status, problems = recorded(tmp_path / str(index), disk, messages)
        assert status.state == "stopped"
        assert status.written == status.durable
        assert all_same(read(folder), messages), f"call {index}"
        assert open_session(folder).photons == status.photons == 40 * 40
        assert verify(folder).intact
        reached += disk.failures
        assert len(problems) <= 2
    assert reached > 30, "the test must reach every kind of call"


@pytest.mark.parametrize("error", [errno.EIO, errno.EROFS, errno.ENOSPC])
def test_a_disk_that_stays_broken_costs_nothing_that_was_acknowledged(error: int, tmp_path: Path) -> None:
    messages = everything(batches=40)
    for index in range(1, calls_of(tmp_path, messages), 2):
        folder, status, problems = recorded(
            tmp_path / f"{error}-{index}", FailingDisk(index, error, lasting=True), messages
        )
        kinds = {problem.kind for problem in problems}
        if status.durable.messages < len(messages):
            assert kinds <= {"disk-failed", "disk-full"}
            assert len(problems) in (1, 2)
            assert status.error
        try:
            found = read(folder)
        except FormatError:
            assert not status.durable.messages
            continue
        assert_no_wrong_photon(found, messages)
        kept = [m for m in found if isinstance(m, PhotonBatch) and m.stop_pulse <= status.durable.stop_pulse]
        assert sum(len(m.photons) for m in kept) == status.durable.photons


def test_a_folder_that_cannot_be_made_is_said_before_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RecordingError, match="choose another folder"):
        Recorder(tmp_path / "file" / "sessions", "x", POLICY)
    with pytest.raises(RecordingError, match="choose another folder"):
        Recorder(tmp_path, "x", POLICY, files=FailingDisk(0))


def test_recording_goes_on_by_itself_when_there_is_space_again(tmp_path: Path) -> None:
    """Until the queue is full nothing is lost; then what is lost is a gap with its cause."""
    heard: list[Problem] = []
    full, resumed = threading.Event(), threading.Event()

    def on_problem(problem: Problem) -> None:
        heard.append(problem)
        {"disk-full": full, "resumed": resumed}.get(problem.kind, threading.Event()).set()

    disk = FailingDisk(-1)
    policy = replace(POLICY, queue_bytes=20_000)
    recorder = Recorder(tmp_path, "x", policy, files=disk, on_problem=on_problem)
    messages = everything(batches=60)
    for message in messages[:30]:
        assert recorder.room(10.0)
        recorder.put(message)
    disk.break_down(errno.ENOSPC)
    recorder.put(messages[30])
    recorder.put(Alert("a2", 0, 0, "x", "alert", "wakes the writer"))
    assert full.wait(10.0)
    taken = [recorder.put(message) for message in messages[31:]]
    assert not all(taken)
    assert recorder.status().state == "suspended"
    disk.repair()
    assert resumed.wait(10.0)
    status = recorder.stop()
    found = read(recorder.folder)
    gaps = [m for m in found if isinstance(m, Gap) and m.cause is LossCause.DISK_FULL]
    assert sum(gap.lost_photons or 0 for gap in gaps) == status.lost_photons > 0
    kept = [m for m in found if isinstance(m, PhotonBatch)]
    assert sum(len(m.photons) for m in kept) + status.lost_photons == 60 * 40
    assert kept[-1].stop_pulse == gaps[0].first_pulse
    assert [problem.kind for problem in heard] == ["disk-full", "resumed"]
    assert verify(recorder.folder).intact
