"""What the disk does to a recording must not reach the photons of the viewers, and is said once."""

import ctypes
import errno
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest

from hardware.sim import create_bench
from qdmon.daemon.instruments import Instruments
from qdmon.daemon.levels import levels_for
from qdmon.daemon.outlet import Outlet
from qdmon.daemon.protocol import FluenceProtocol, Step
from qdmon.daemon.recording import Recording
from qdmon.daemon.run import Run
from streams.control import Refused
from streams.messages import Alert, End, Gap, Message, PhotonBatch, RecordingState
from streams.recording import Recorder, RecordingPolicy, list_sessions, open_session, verify
from tests.faults.fakes import FailingDisk
from tests.faults.kill_daemon import same
from tests.qdmon.daemon.tape import Tape
from tests.streams import wire_samples as samples

POLICY = RecordingPolicy(
    flush_s=0.1, sync_s=0.1, ballast_bytes=1 << 18, reserve_bytes=1 << 18, least_free_s=0.0, retry_s=0.2
)
PROTOCOL = FluenceProtocol("steady", (Step(0.2, 1000.0),))
SPEED = 20.0
FAULT_S = 8.0
END_S = 24.0  # of stream time

Fault = Callable[[Path], None]


class BreakingDisk(FailingDisk):
    """Works until it is told to fail with an error for good."""

    def __init__(self) -> None:
        super().__init__(-1)

    def fail(self, error: int) -> None:
        self._at, self._error, self._lasting = self.calls, error, True


async def recorded(
    folder: Path,
    fault: Fault,
    *,
    disk: BreakingDisk | None = None,
    then: Fault = lambda _: None,
    policy: RecordingPolicy = POLICY,
    unix_ns: Callable[[], int] = time.time_ns,
) -> Tape:
    """Record a simulated dot; something happens to the session's folder on the way, and later another."""
    bench = create_bench(preset="cdse-zns-2nm", seed=5, speed=SPEED)
    instruments = Instruments(bench, max_permille=1000, consent=True)
    acquisition = await instruments.open({})
    levels = levels_for(PROTOCOL, acquisition, bench.mean_excitation_per_permille)
    over: list[float] = []
    todo = [(FAULT_S, fault), (2 * FAULT_S, then)]

    def watch(message: Message) -> None:
        if not isinstance(message, PhotonBatch):
            return
        now_s = acquisition.seconds(message.stop_pulse)
        while todo and now_s > todo[0][0]:
            todo.pop(0)[1](folder / recording.state.name)
        if now_s > END_S and not over:
            over.append(now_s)
            run.stop("enough")

    tape = Tape(watch)
    recording = Recording(
        samples.session(),
        folder,
        policy,
        pre_trigger_s=10.0,
        publish=tape.publish,
        unix_ns=unix_ns,
        recorder=partial(Recorder, files=disk) if disk is not None else Recorder,
    )
    run = Run(
        instruments,
        acquisition,
        Outlet(tape, recording),
        levels=levels,
        mean_excitation_per_permille=bench.mean_excitation_per_permille,
    )
    try:
        await recording.start("dot")
        await run.run(recording.watch())
    finally:
        await instruments.close()
    return tape


def went_on(tape: Tape) -> list[PhotonBatch]:
    """All batches the viewers were shown: without a hole, until long after the fault."""
    batches = tape.of(PhotonBatch)
    assert all(a.stop_pulse == b.first_pulse for a, b in pairwise(batches))
    assert batches[-1].stop_pulse * 200e-9 >= END_S
    assert isinstance(tape.messages[-1], End)
    return batches


def kept(folder: Path, batches: list[PhotonBatch]) -> list[PhotonBatch]:
    """What the recording holds of these: each photon true, and every missing pulse said to be missing."""
    (session,) = list_sessions(folder)
    assert verify(session.path).intact
    messages = list(open_session(session.path).messages())
    shown = {batch.first_pulse: batch for batch in batches}
    found = [m for m in messages if isinstance(m, PhotonBatch)]
    assert all(same(batch, shown[batch.first_pulse]) for batch in found)
    gaps = [m for m in messages if isinstance(m, Gap)]
    for before, after in pairwise(found):
        first = before.stop_pulse
        for gap in gaps:
            if gap.first_pulse <= first < gap.stop_pulse:
                first = gap.stop_pulse
        assert first >= after.first_pulse, "pulses are missing and nothing says so"
    return found


def alerts(tape: Tape) -> list[Alert]:
    return [alert for alert in tape.of(Alert) if alert.severity == "alert"]


def seconds(batches: list[PhotonBatch]) -> float:
    return batches[-1].stop_pulse * 200e-9


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A file system of its own in memory; skips where it cannot be made."""
    libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
    if libc is None or libc.mount(b"tmpfs", os.fsencode(folder), b"tmpfs", 0, f"size={size}".encode()):
        pytest.skip("no small file system can be mounted here (needs Linux and root)")
    try:
        yield folder
    finally:
        libc.umount2(os.fsencode(folder), 2)


async def test_a_full_disk_ends_the_recording_and_nothing_else(tmp_path: Path) -> None:
    with small_disk(tmp_path, "6m"):
        tape = await recorded(tmp_path, lambda _: None)
        found = kept(tmp_path, went_on(tape))
    assert seconds(found) > 2.0
    (alert,) = alerts(tape)
    assert "disk is" in alert.text
    assert "full" in alert.text
    assert tape.of(RecordingState)[-1].state == "off"
    assert any(state.state == "failed" for state in tape.of(RecordingState))


async def test_space_made_in_time_costs_nothing_because_what_waited_is_written_then(tmp_path: Path) -> None:
    with small_disk(tmp_path, "12m"):
        other = tmp_path / "other"
        other.write_bytes(bytes(9 << 20))
        tape = await recorded(tmp_path, lambda _: None, then=lambda _: other.unlink())
        batches = went_on(tape)
        found = kept(tmp_path, batches)
    said = [alert.severity for alert in tape.of(Alert)]  # a warning comes early on so small a disk
    assert [severity for severity in said if severity != "warning"] == ["alert", "info"]
    assert [b.first_pulse for b in found] == [b.first_pulse for b in batches]


@pytest.mark.parametrize("error", [errno.EIO, errno.EROFS, errno.EACCES])
async def test_a_disk_that_takes_nothing_any_more_is_said_once_and_what_it_has_is_whole(
    tmp_path: Path, error: int
) -> None:
    disk = BreakingDisk()
    tape = await recorded(tmp_path, lambda _: disk.fail(error), disk=disk)
    found = kept(tmp_path, went_on(tape))
    assert seconds(found) > FAULT_S - SPEED * (POLICY.flush_s + 0.2)
    assert len(alerts(tape)) == 1


async def test_a_disk_that_recovers_gets_a_new_file(tmp_path: Path) -> None:
    disk = BreakingDisk()
    tape = await recorded(tmp_path, lambda _: disk.fail(errno.EIO), disk=disk, then=lambda _: disk.repair())
    found = kept(tmp_path, went_on(tape))
    assert seconds(found) == seconds(went_on(tape))
    assert [alert.severity for alert in tape.of(Alert)] == ["alert", "info"]


async def test_a_folder_removed_under_way_is_said_once(tmp_path: Path) -> None:
    saved = tmp_path / "saved"
    tape = await recorded(tmp_path / "r", lambda session: _move(session, saved / session.name))
    batches = went_on(tape)
    assert seconds(kept(saved, batches)) > FAULT_S - SPEED * 0.3
    assert len(alerts(tape)) == 1


def _move(old: Path, new: Path) -> None:
    new.parent.mkdir()
    old.rename(new)


@pytest.mark.parametrize("step_s", [3600, -3600])
async def test_a_wall_clock_that_jumps_changes_nothing_of_the_photons(tmp_path: Path, step_s: int) -> None:
    shift = [0]

    def step(_: Path) -> None:
        shift[0] = step_s * 10**9

    tape = await recorded(tmp_path, step, unix_ns=lambda: time.time_ns() + shift[0])
    batches = went_on(tape)
    found = kept(tmp_path, batches)
    assert [b.first_pulse for b in found] == [b.first_pulse for b in batches]
    assert tape.of(Alert) == []


async def test_a_recording_that_cannot_begin_says_why_and_nothing_is_begun(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    blocked = Recording(
        samples.session(), tmp_path / "file", POLICY, pre_trigger_s=0.0, publish=lambda message: None
    )
    with pytest.raises(Refused) as refusal:
        await blocked.start()
    assert "\n" not in str(refusal.value)
    assert blocked.state.state == "off"
    greedy = RecordingPolicy(least_free_s=1e12)
    crowded = Recording(samples.session(), tmp_path, greedy, pre_trigger_s=0.0, publish=lambda message: None)
    with pytest.raises(Refused, match="make space"):
        await crowded.start()
    assert list_sessions(tmp_path) == ()


async def test_a_stalled_disk_holds_nobody_up_for_long(tmp_path: Path) -> None:
    class StalledDisk(BreakingDisk):
        stalled = False

        def write(self, fd: int, data: memoryview) -> int:
            while self.stalled:
                time.sleep(0.01)
            return super().write(fd, data)

    disk = StalledDisk()

    def stall(_: Path) -> None:
        disk.stalled = True

    def go(_: Path) -> None:
        disk.stalled = False

    policy = RecordingPolicy(
        flush_s=0.1, sync_s=0.1, ballast_bytes=0, reserve_bytes=0, least_free_s=0.0, queue_bytes=1 << 20
    )
    tape = await recorded(tmp_path, stall, disk=disk, then=go, policy=policy)
    found = kept(tmp_path, went_on(tape))
    assert seconds(found) >= END_S
    assert any("too slow" in alert.text for alert in alerts(tape))
