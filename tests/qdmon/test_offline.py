"""Recordings through the monitor: the same verdict as live, with the fluence steps a user knows."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.sim.simulation import DotSimulation
from hardware.types import Acquisition
from qdmon.analysis.results.segment import FluenceStep
from qdmon.analysis.settings import AnalysisSettings
from qdmon.fluence import StepsError, read_steps, with_fluence
from qdmon.offline import analyze_recording
from qdmon.report import report
from streams.formats import Recording, open_recording, write_ptu
from streams.messages import Fluence, Message, PhotonBatch, Segment, Session
from tests.qdmon.analysis import builders as b
from tests.qdmon.analysis.simulated import messages_of

STEPS = ((0.2, 3.0), (0.6, 3.0))


@cache
def live() -> tuple[Acquisition, tuple[Message, ...]]:
    """The messages of a simulated run as they were sent."""
    simulation = DotSimulation("cdse-zns-2nm", 2)
    return simulation.acquisition(), tuple(messages_of(simulation, STEPS))


def recorded(path: Path) -> Recording:
    """The photons of the live run as a PTU file."""
    acq, messages = live()
    write_ptu(path, acq, [(m.photons, m.stop_pulse) for m in messages if isinstance(m, PhotonBatch)])
    return open_recording(path)


def test_a_replayed_recording_gives_the_verdict_of_the_live_run_to_the_last_digit(tmp_path: Path) -> None:
    recording = recorded(tmp_path / "dot.ptu")
    steps = (FluenceStep(0.0, 0.2), FluenceStep(3.0, 0.6))
    snapshot, events = analyze_recording(recording, steps, AnalysisSettings())
    assert snapshot is not None
    assert snapshot.segments[0].call.blinking == "auger"
    # A file ends with its last photon: so must the live run it is compared with.
    *messages, last, end = live()[1]
    assert isinstance(last, PhotonBatch)
    seen_live = b.watch([*messages, replace(last, stop_pulse=recording.stop_pulse), end])
    replayed, said_live = (report(s, "dot", AnalysisSettings()) for s in (snapshot, seen_live.snapshot))
    assert replayed == said_live
    assert events == seen_live.events


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_a_table_of_fluence_steps_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / "s.csv", "time_s, mean_excitation\n0,0.2\n\n25.5,1.4\n50,0\n")
    assert read_steps(path) == (FluenceStep(0.0, 0.2), FluenceStep(25.5, 1.4), FluenceStep(50.0, 0.0))


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_table_from_a_spreadsheet_is_read(tmp_path: Path, mark: bytes, newline: str) -> None:
    path = tmp_path / "s.csv"
    path.write_bytes(mark + newline.join(["time_s,mean_excitation", "0,0.2", "25.5,1.4", ""]).encode())
    assert read_steps(path) == (FluenceStep(0.0, 0.2), FluenceStep(25.5, 1.4))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "first line"),
        ("time,n\n0,1\n", "first line"),
        ("time_s,mean_excitation\n", "no steps"),
        ("time_s,mean_excitation\n0,0.2\n5,much\n", ":3: needs two numbers, found '5,much'"),
        ("time_s,mean_excitation\n0\n", ":2: needs two numbers"),
        ("time_s,mean_excitation\n0,0.2,7\n", ":2: needs two numbers"),
        ("time_s,mean_excitation\n0,-0.2\n", ":2: time and <N> must be finite"),
        ("time_s,mean_excitation\nnan,0.2\n", ":2: time and <N> must be finite"),
        ("time_s,mean_excitation\n0,inf\n", ":2: time and <N> must be finite"),
        ("time_s,mean_excitation\n5,0.2\n5,0.3\n", ":3: times must increase"),
    ],
)
def test_a_wrong_table_is_one_line_that_names_file_and_line(tmp_path: Path, text: str, says: str) -> None:
    path = write(tmp_path / "s.csv", text)
    with pytest.raises(StepsError) as error:
        read_steps(path)
    message = str(error.value)
    assert says in message
    assert str(path) in message
    assert "\n" not in message


def test_a_missing_or_binary_table_is_one_line_too(tmp_path: Path) -> None:
    with pytest.raises(StepsError, match="cannot be read"):
        read_steps(tmp_path / "none.csv")
    (tmp_path / "binary.csv").write_bytes(bytes(range(128, 256)) * 4)
    with pytest.raises(StepsError, match="cannot be read"):
        read_steps(tmp_path / "binary.csv")


def short_session(batch_s: float = 0.05) -> list[Message]:
    rng = np.random.default_rng(81)
    acq = b.acquisition()
    found, stop = b.photons(rng, b.auger_dot(rng, 1.0), acq=acq)
    return b.session(acq, found, stop, batch_s=batch_s)


@settings(max_examples=30, deadline=None)
@given(
    times=st.lists(st.floats(0, 2.0), min_size=1, max_size=6, unique=True),
    batch_s=st.sampled_from([0.05, 0.3, 5.0]),
)
def test_steps_inside_a_batch_cut_it_and_lose_no_photon(times: list[float], batch_s: float) -> None:
    messages = short_session(batch_s)
    steps = [FluenceStep(t, 0.1 * (i + 1)) for i, t in enumerate(sorted(times))]
    out = list(with_fluence(iter(messages), steps))
    acq = b.acquisition()
    position = 0
    pulses: list[int] = []
    announced: list[tuple[int, float | None]] = []
    for message in out:
        if isinstance(message, PhotonBatch):
            assert message.first_pulse == position
            position = message.stop_pulse
            pulses += message.photons.pulse.tolist()
            assert all(message.first_pulse <= p < message.stop_pulse for p in message.photons.pulse.tolist())
        elif isinstance(message, Fluence):
            assert message.pulse == position
            announced.append((message.pulse, message.mean_excitation))
    original = [m for m in messages if isinstance(m, PhotonBatch)]
    assert pulses == [p for m in original for p in m.photons.pulse.tolist()]
    assert position == original[-1].stop_pulse
    expected = [(acq.pulses(s.start_s), s.mean_excitation) for s in steps]
    assert announced == [(p, n) for p, n in expected if p < position]


def test_steps_hold_for_the_first_segment_only() -> None:
    messages = short_session()
    again = [replace(m, segment=1) if isinstance(m, PhotonBatch) else m for m in messages[2:]]
    out = list(with_fluence(iter([*messages, Segment(1, b.acquisition()), *again]), [FluenceStep(50.0, 1.0)]))
    assert not any(isinstance(m, Fluence) for m in out)
    assert out[-1] == again[-1]


def test_a_recording_without_a_segment_gives_no_snapshot(tmp_path: Path) -> None:
    recording = recorded(tmp_path / "dot.ptu")

    class Empty:
        @staticmethod
        def messages() -> list[Message]:
            return [Session("0" * 32, 0, "test", "replay")]

    assert recording.photons > 0
    snapshot, events = analyze_recording(Empty(), (), AnalysisSettings())  # type: ignore[arg-type]
    assert snapshot is None
    assert events == ()
