"""Recordings in Python: every format as the same arrays, and nothing read that was not asked for."""

import json
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import qdmon
from hardware.sim.truth import FluenceStep
from hardware.types import LossCause, Photons
from qdmon.cli import main
from qdmon.reading import OpenedRecording
from qdmon.reading.intensity import count
from qdmon.simulated import SimulatedSession
from streams.formats import write_ptu
from streams.messages import Fluence, Gap, LaserState, Marker, Message, PhotonBatch, Segment, Spectrum
from streams.recording import RecordingPolicy, SessionWriter

STEPS = (FluenceStep(0.0, 0.1), FluenceStep(2.0, 1.0))
DURATION_S = 4.0
LOST = (1.0, 1.5)


@cache
def live() -> tuple[Message, ...]:
    """A short session with everything in it, half a second of it lost."""
    session = SimulatedSession("mapbbr3", 3, STEPS, DURATION_S, brightness=0.2)
    acq = session.acquisition
    first, stop = map(acq.pulses, LOST)
    messages: list[Message] = []
    for message in session.messages():
        if isinstance(message, PhotonBatch) and first <= message.first_pulse < stop:
            messages.append(replace(message, photons=Photons.empty()))
            continue
        if isinstance(message, PhotonBatch) and message.first_pulse == stop:
            messages.append(Gap(0, first, stop, LossCause.FIFO_OVERRUN, 7))
        messages.append(message)
    return tuple(messages)


def all_photons(messages: tuple[Message, ...] | None = None) -> Photons:
    return Photons.join([m.photons for m in messages or live() if isinstance(m, PhotonBatch)])


def written(folder: Path, messages: tuple[Message, ...]) -> Path:
    folder.mkdir()
    writer = SessionWriter(folder, RecordingPolicy(sync="never", flush_s=0.25))
    for message in messages:
        writer.add(message, 0)
        if writer.due:
            writer.flush()
    writer.close()
    return folder


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("native") / "dot", live())


@pytest.fixture(scope="module")
def ptu(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ptu") / "dot.ptu"
    acq = next(m.acquisition for m in live() if isinstance(m, Segment))
    write_ptu(path, acq, [(m.photons, m.stop_pulse) for m in live() if isinstance(m, PhotonBatch)])
    return path


def equal(one: Photons, other: Photons) -> bool:
    return (
        np.array_equal(one.pulse, other.pulse)
        and np.array_equal(one.nanotime, other.nanotime)
        and np.array_equal(one.channel, other.channel)
    )


def test_a_session_its_segment_file_and_a_ptu_of_it_hold_the_same_photons(native: Path, ptu: Path) -> None:
    for path in (native, str(native), native / "0001.mcap", ptu):
        recording = qdmon.open(path)
        assert recording.photons == len(all_photons())
        assert recording.duration_s == pytest.approx(DURATION_S, abs=1e-4)
        assert recording.acquisition.pulse_rate_hz == pytest.approx(10e6)
        assert equal(recording.between(0, 100), all_photons())


@settings(max_examples=40, deadline=None)
@given(start=st.floats(-1, 5), length=st.floats(0, 5))
def test_an_interval_gives_exactly_the_photons_in_it(
    native: Path, ptu: Path, start: float, length: float
) -> None:
    for path in (native, ptu):
        recording = qdmon.open(path)
        acq = recording.acquisition
        end_s = min(max(start + length, 0.0), recording.duration_s)
        expected = all_photons().between(acq.pulses(max(start, 0.0)), acq.pulses(end_s))
        assert equal(recording.between(start, start + length), expected if start < end_s else Photons.empty())


def test_of_a_session_only_the_seconds_asked_for_are_read(
    native: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from streams.recording import scan

    read: list[int] = []
    original = scan.ChunkHead.content

    def content(chunk: scan.ChunkHead, file: scan.SegmentFile) -> bytes | None:
        read.append(chunk.size)
        return original(chunk, file)

    recording = qdmon.open(native)
    monkeypatch.setattr(scan.ChunkHead, "content", content)
    assert len(recording.between(3.0, 3.2))
    assert len(read) == 1
    assert sum(read) < (native / "0001.mcap").stat().st_size / 8


def test_blocks_are_bounded_and_lose_nothing(native: Path, ptu: Path) -> None:
    for path in (native, ptu):
        blocks = list(qdmon.open(path).blocks(max_photons=5000))
        largest = max(len(m.photons) for m in live() if isinstance(m, PhotonBatch))
        assert max(len(block.photons) for block in blocks) <= max(5000, largest)
        assert len(blocks) < sum(isinstance(m, PhotonBatch) for m in live())
        assert [b.first_pulse for b in blocks] == [0, *(b.stop_pulse for b in blocks[:-1])]
        assert equal(Photons.join([block.photons for block in blocks]), all_photons())


def test_events_come_in_order_with_their_times(native: Path) -> None:
    recording = qdmon.open(native)
    steps = [(e.time_s, e.message) for e in recording.events("fluence")]
    assert [time_s for time_s, _ in steps] == pytest.approx([0.0, 2.0, DURATION_S])
    assert [m.mean_excitation for _, m in steps if isinstance(m, Fluence)] == [0.1, 1.0, None]
    (gap,) = recording.events("gap")
    assert gap.time_s == pytest.approx(LOST[0])
    assert isinstance(gap.message, Gap)
    assert gap.message.lost_photons == 7
    assert [e.time_s for e in recording.events("spectrum")] == pytest.approx([0.0, 1.0, 2.0, 3.0])
    markers = [e.message for e in recording.events("marker")]
    assert [m.text for m in markers if isinstance(m, Marker)] == ["step 1/2: <N> = 0.1", "step 2/2: <N> = 1"]
    everything = list(recording.events())
    assert {e.kind for e in everything} == {"fluence", "laser", "marker", "gap", "spectrum"}
    assert not list(recording.events("alert"))


def test_intensity_counts_each_photon_once_and_knows_what_it_did_not_see(native: Path) -> None:
    recording = qdmon.open(native)
    found = recording.intensity(0.3)
    assert found.total.sum() == recording.photons
    assert {c: int(n.sum()) for c, n in found.counts.items()} == {
        c: int((all_photons().channel == c).sum()) for c in (0, 1)
    }
    assert len(found.time_s) == 14  # the last is a third of a bin
    expected = np.full(14, 0.3)
    expected[[3, 4, 13]] = [0.1, 0.0, 0.1]
    assert found.seen_s == pytest.approx(expected, abs=1e-6)
    rate = found.total[found.seen_s > 0] / found.seen_s[found.seen_s > 0]
    assert rate[:5].max() < rate[-6:].min(), "the second step is brighter, in every bin"


@settings(max_examples=60, deadline=None)
@given(
    spans=st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 900)), max_size=6),
    bin_ms=st.integers(3, 2000),
)
def test_what_was_seen_is_the_recording_without_its_gaps(spans: list[tuple[int, int]], bin_ms: int) -> None:
    acq = next(m.acquisition for m in live() if isinstance(m, Segment))
    ms = acq.pulses(1e-3)
    gaps = [Gap(0, at * ms, (at + length) * ms, LossCause.SYNC_LOST) for at, length in spans]
    batches = [m for m in live() if isinstance(m, PhotonBatch)]
    found = count([*gaps, *batches], {0: (acq, 0.0)}, DURATION_S, bin_ms / 1000)
    lost = np.zeros(4000, bool)
    for at, length in spans:
        lost[at : at + length] = True
    edges = np.arange(0, 4000, bin_ms)
    expected = np.add.reduceat(~lost, edges) / 1000
    assert found.seen_s == pytest.approx(expected, abs=1e-6)


def test_a_second_time_base_goes_on_where_the_first_ended(tmp_path: Path) -> None:
    first = [m for m in live() if not isinstance(m, Gap)]
    located = PhotonBatch | Fluence | LaserState | Marker | Spectrum
    again = [replace(m, segment=1) if isinstance(m, located) else m for m in first[2:-1]]
    segment = first[1]
    assert isinstance(segment, Segment)
    recording = qdmon.open(
        written(tmp_path / "two", (*first[:-1], replace(segment, index=1), *again, first[-1]))
    )
    assert [(s.start_s, s.stop_s) for s in recording.stretches] == [(0.0, 4.0), (4.0, 8.0)]
    assert recording.duration_s == pytest.approx(8.0)
    assert equal(recording.between(4.0, 8.0), all_photons())
    assert equal(recording.between(5.0, 6.0), recording.between(1.0, 2.0))
    with pytest.raises(ValueError, match="count from 0 each"):
        recording.between(3.0, 5.0)
    times = [e.time_s for e in recording.events("fluence")]
    assert times == pytest.approx([0.0, 2.0, 4.0, 4.0, 6.0, 8.0])
    found = recording.intensity(1.0).total
    assert found[:4].tolist() == found[4:].tolist()
    assert sum(len(b.photons) for b in recording.blocks()) == recording.photons


def test_damage_is_told_and_the_rest_is_read(native: Path, tmp_path: Path) -> None:
    data = bytearray((native / "0001.mcap").read_bytes())
    data[len(data) // 2] ^= 1
    broken = tmp_path / "0001.mcap"
    broken.write_bytes(data)
    recording = qdmon.open(broken)
    seen = recording.intensity(0.1)
    assert recording.problems
    assert 0 < seen.total.sum() < len(all_photons())
    assert seen.seen_s.sum() < qdmon.open(native).intensity(0.1).seen_s.sum() - 0.05
    gaps = [e.message for e in recording.events("gap")]
    assert any(isinstance(m, Gap) and m.cause is LossCause.FILE_DAMAGED for m in gaps)


def test_impossible_questions_are_refused_in_words(native: Path) -> None:
    recording = qdmon.open(native)
    with pytest.raises(ValueError, match="start must not be after the stop"):
        recording.between(2.0, 1.0)
    with pytest.raises(ValueError, match="positive length"):
        recording.intensity(0.0)
    with pytest.raises(ValueError, match="bins at most"):
        recording.intensity(1e-12)
    with pytest.raises(ValueError, match="number above 0"):
        recording.blocks(0)
    with pytest.raises(ValueError, match="there are fluence, laser, marker"):
        recording.events("flunce")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="not negative"):
        recording.analyze(background_cps=-1.0)
    assert not len(recording.between(9.0, 10.0))


def test_a_missing_file_is_one_line_that_names_the_reference_recordings() -> None:
    with pytest.raises(ValueError, match=r"mapbbr2 is not there.*cdse-zns-2nm, cspbbr3-large, mapbbr3"):
        qdmon.open("mapbbr2")


def test_the_analysis_is_that_of_the_command_line(
    ptu: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    steps = tmp_path / "steps.csv"
    steps.write_text("time_s,mean_excitation\n0,0.1\n2,1\n")
    with pytest.raises(SystemExit) as ended:
        main(["analyze", str(ptu), "--json", "--fluence", str(steps), "--background-cps", "0=200,1=210"])
    assert not ended.value.code
    shown = json.loads(capsys.readouterr().out)
    for fluence in (steps, [(0.0, 0.1), (2.0, 1.0)]):
        found = qdmon.open(ptu).analyze(fluence=fluence, background_cps={0: 200.0, 1: 210.0})
        assert json.loads(json.dumps(found.report)) == shown
        assert found.snapshot.photons == shown["photons"]


def test_what_a_session_was_analysed_with_live_holds_again_unless_something_else_is_given(
    tmp_path: Path,
) -> None:
    segment = live()[1]
    assert isinstance(segment, Segment)
    stated = {"analysis.background_cps.all": "180.0", "analysis.dead_time_ns": "30.0"}
    acq = replace(segment.acquisition, settings={**segment.acquisition.settings, **stated})
    recording = qdmon.open(
        written(tmp_path / "s", (live()[0], replace(segment, acquisition=acq), *live()[2:]))
    )
    assert recording.analyze().report["options"] == {"background_cps": {"all": 180.0}, "dead_time_ns": 30.0}
    found = recording.analyze(background_cps=150.0).report["options"]
    assert found == {"background_cps": {"all": 150.0}, "dead_time_ns": 30.0}


def test_importing_qdmon_loads_nothing_heavy() -> None:
    probe = "import sys, qdmon; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert not set(done.stdout.split()) & {"numpy", "numba", "scipy", "zmq", "textual", "pydantic"}


def test_a_recording_shows_itself_in_a_notebook(native: Path) -> None:
    recording = qdmon.open(native)
    assert isinstance(recording, OpenedRecording)
    assert repr(recording) == f"<dot: {len(all_photons())} photons in 4 s, simulated TCSPC card>"
