"""The recorder beside a live session: never waits, never silently drops, says what it promises."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from hardware.types import LossCause
from streams.messages import Alert, End, Gap, Heartbeat, PhotonBatch
from streams.recording import Position, Problem, Recorder, RecordingError, RecordingPolicy, verify
from streams.recording.files import Files
from streams.recording.intake import Intake
from streams.recording.space import SpaceWatch
from tests.streams.recording.sessions import QUICK, all_same, everything, read
from tests.streams.wire_samples import batch, segment, session

LIVE = replace(QUICK, sync="second", ballast_bytes=1 << 16)


class Disk(Files):
    """A disk with as much space as a test says."""

    def __init__(self, free: int) -> None:
        self.free = free

    def free_bytes(self, path: Path) -> int:
        return self.free


def test_everything_put_is_on_disk_after_stop_and_the_status_says_so(tmp_path: Path) -> None:
    acknowledged: list[tuple[Position, Position]] = []
    recorder = Recorder(
        tmp_path, "Dot 7", LIVE, on_acknowledged=lambda *positions: acknowledged.append(positions)
    )
    messages = everything()
    assert all(recorder.put(message) for message in messages)
    assert recorder.put(Heartbeat({}, 0.0, 0, 0, 0, 0))
    status = recorder.stop()
    assert (status.state, status.error, status.lost_photons, status.lost_messages) == ("stopped", "", 0, 0)
    assert status.written == status.durable == Position(len(messages), 60 * 40, 0, 60_000)
    assert acknowledged[-1] == (status.written, status.durable)
    assert status.bytes == sum(path.stat().st_size for path in recorder.folder.iterdir())
    assert status.bytes_per_photon == pytest.approx(status.bytes / 2400)
    assert recorder.stop() == status
    assert all_same(read(recorder.folder), messages)
    assert [path.name for path in recorder.folder.iterdir()] == ["0001.mcap"]


def test_an_alert_is_written_before_the_chunk_is_full(tmp_path: Path) -> None:
    written = threading.Event()
    recorder = Recorder(
        tmp_path,
        policy=replace(LIVE, flush_s=1e6),
        on_acknowledged=lambda now, _: written.set() if now.messages >= 4 else None,
    )
    recorder.put_all([session(), segment(), batch(0), Alert("a", 0, 1000, "x", "alert", "now")])
    assert written.wait(10.0)
    assert any(isinstance(message, Alert) for message in read(recorder.folder))
    recorder.stop()


def test_a_full_queue_is_refused_and_becomes_one_gap_with_its_cause() -> None:
    intake = Intake(3 * 2000, lambda: 0)
    taken = [intake.put(batch(i, 100)) for i in range(10)]
    assert taken == [True] * 4 + [False] * 6
    assert intake.overflowing
    assert not intake.room(0.0)
    assert intake.put(Alert("a", 0, 0, "x", "alert", "small messages still fit"))
    assert intake.lost_photons == 600
    queue = [message for message, _ in intake.take(0.0)]
    assert queue[4] == Gap(0, 4000, 10_000, LossCause.DISK_TOO_SLOW, 600)
    assert intake.room(0.0)
    assert intake.put(batch(10, 100))
    assert not intake.overflowing


def test_gaps_of_different_causes_or_acquisitions_stay_apart() -> None:
    intake = Intake(1, lambda: 0)
    intake.put(batch(0))
    intake.put(batch(1))
    intake.cause = LossCause.DISK_FULL
    intake.put(batch(2))
    intake.put(batch(3))
    intake.put(batch(0, segment=1))
    gaps = [message for message, _ in intake.take(0.0) if isinstance(message, Gap)]
    assert [(g.segment, g.first_pulse, g.stop_pulse, g.cause) for g in gaps] == [
        (0, 1000, 2000, LossCause.DISK_TOO_SLOW),
        (0, 2000, 4000, LossCause.DISK_FULL),
        (1, 0, 1000, LossCause.DISK_FULL),
    ]


def test_a_recording_is_not_begun_where_there_is_too_little_space(tmp_path: Path) -> None:
    policy = RecordingPolicy(ballast_bytes=1 << 20, reserve_bytes=1 << 20)
    with pytest.raises(RecordingError, match="GB needed to begin"):
        Recorder(tmp_path, "x", policy, expected_bytes_per_s=1e6, files=Disk(300_000_000))
    assert not list(tmp_path.iterdir())
    Recorder(tmp_path, "x", policy, expected_bytes_per_s=1e6, files=Disk(700_000_000)).stop()


def test_the_space_left_is_warned_of_from_the_present_rate(tmp_path: Path) -> None:
    now_s = [0.0]
    disk = Disk(10_000_000)
    policy = RecordingPolicy(ballast_bytes=0, reserve_bytes=1_000_000, warn_free_s=1800.0)
    watch = SpaceWatch(tmp_path, policy, disk, lambda: now_s[0])
    assert watch.remaining_s is None
    for written in (0, 1000, 2000):
        watch.look(written)
        now_s[0] += 1.0
    assert watch.remaining_s == pytest.approx(9000.0)
    verdicts = [(watch.low, watch.exhausted)]
    disk.free = 2_500_000
    watch.look(3000)
    assert "25 min" in watch.warning
    verdicts.append((watch.low, watch.exhausted))
    disk.free = 900_000
    watch.look(4000)
    verdicts.append((watch.low, watch.exhausted))
    assert verdicts == [(False, False), (True, False), (True, True)]


def test_recording_ends_in_good_order_before_the_disk_is_full_and_goes_on_afterwards(tmp_path: Path) -> None:
    heard: list[Problem] = []
    full, resumed = threading.Event(), threading.Event()

    def on_problem(problem: Problem) -> None:
        heard.append(problem)
        (resumed if problem.kind == "resumed" else full).set()

    disk = Disk(1 << 30)
    policy = replace(LIVE, reserve_bytes=1 << 20, sync_s=0.0, retry_s=0.0)
    recorder = Recorder(tmp_path, "x", policy, files=disk, on_problem=on_problem)
    recorder.put_all([session(), segment(), *(batch(i) for i in range(20))])
    disk.free = 1000
    assert full.wait(10.0)
    assert heard[0].kind == "disk-full"
    recorder.put_all(batch(i) for i in range(20, 40))
    disk.free = 1 << 30
    assert resumed.wait(10.0)
    recorder.put(End("x"))
    status = recorder.stop()
    assert status.lost_photons == 0
    assert [problem.severity for problem in heard] == ["alert", "info"]
    found = [message for message in read(recorder.folder) if isinstance(message, PhotonBatch)]
    assert [message.first_pulse for message in found] == [1000 * i for i in range(40)]
    report = verify(recorder.folder)
    assert report.intact
    assert report.closed


def test_a_folder_removed_under_the_recorder_is_one_alert_and_a_new_file(tmp_path: Path) -> None:
    heard: list[Problem] = []
    failed = threading.Event()

    def on_problem(problem: Problem) -> None:
        heard.append(problem)
        failed.set()

    recorder = Recorder(tmp_path, "x", replace(LIVE, sync_s=0.0, retry_s=0.0), on_problem=on_problem)
    recorder.put_all([session(), segment(), batch(0), Alert("a", 0, 0, "x", "alert", "written")])
    while not (recorder.folder / "0001.mcap.part").exists():
        threading.Event().wait(0.001)
    for path in recorder.folder.iterdir():
        path.unlink()
    recorder.put_all([batch(1), Alert("b", 0, 0, "x", "alert", "written")])
    assert failed.wait(10.0)
    recorder.put_all([batch(2), End("x")])
    recorder.stop()
    assert [problem.kind for problem in heard] == ["disk-failed"]
    assert "removed" in heard[0].text
    found = [message for message in read(recorder.folder) if isinstance(message, PhotonBatch)]
    assert [message.first_pulse for message in found][-2:] == [1000, 2000]


def test_a_message_that_cannot_be_recorded_is_said_once_and_counted(tmp_path: Path) -> None:
    heard: list[Problem] = []
    recorder = Recorder(tmp_path, "x", LIVE, on_problem=heard.append)
    recorder.put_all([session(), segment(), batch(0)])
    recorder.put(Gap(0, 5, 1, LossCause.SYNC_LOST))
    recorder.put(Gap(0, -5, 1, LossCause.SYNC_LOST))
    recorder.put(Gap(0, -6, 1, LossCause.SYNC_LOST))
    status = recorder.stop()
    assert status.lost_messages >= 2
    assert [problem.kind for problem in heard] == ["refused"]
    assert verify(recorder.folder).intact
