"""Simulated dots as whole sessions, and as files of `qdmon simulate dot`."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from hardware.sim.truth import FluenceStep
from hardware.types import Photons
from qdmon.cli import main
from qdmon.simulated import SimulatedSession
from streams.formats import open_recording
from streams.messages import (
    End,
    Fluence,
    LaserState,
    Marker,
    Message,
    PhotonBatch,
    Segment,
    Session,
    Spectrum,
)
from streams.recording import NativeRecording, verify
from tests.streams.wire_samples import same

STEPS = (FluenceStep(0.0, 0.2), FluenceStep(1.02, 1.4), FluenceStep(2.0, 0.0))


def session(seed: int = 5, brightness: float = 1.0) -> SimulatedSession:
    return SimulatedSession("cdse-zns-2nm", seed, STEPS, 3.0, brightness=brightness)


@pytest.fixture(scope="module")
def told() -> tuple[Message, ...]:
    return tuple(session().messages())


def test_the_same_arguments_tell_the_same_session_and_another_seed_another(told: tuple[Message, ...]) -> None:
    again = list(session().messages())
    assert all(same(one, other) for one, other in zip(told, again, strict=True))
    first = next(iter(session(6).messages()))
    assert isinstance(first, Session)
    assert isinstance(told[0], Session)
    assert first.session_id != told[0].session_id


def test_batches_follow_each_other_to_the_end_and_hold_their_own_pulses(told: tuple[Message, ...]) -> None:
    batches = [m for m in told if isinstance(m, PhotonBatch)]
    segment = told[1]
    assert isinstance(segment, Segment)
    assert batches[0].first_pulse == 0
    assert all(a.stop_pulse == b.first_pulse for a, b in pairwise(batches))
    assert batches[-1].stop_pulse == segment.acquisition.pulses(3.0)
    for batch in batches:
        assert len(batch.photons.between(batch.first_pulse, batch.stop_pulse)) == len(batch.photons)
        assert segment.acquisition.seconds(batch.stop_pulse - batch.first_pulse) <= 0.05 + 1e-9


def test_marker_fluence_and_laser_stand_before_the_photons_of_their_pulse(told: tuple[Message, ...]) -> None:
    acq = session().acquisition
    claims = [(i, m) for i, m in enumerate(told) if isinstance(m, Fluence)]
    assert [(m.pulse, m.mean_excitation) for _, m in claims] == [
        (0, 0.2),
        (acq.pulses(1.02), 1.4),
        (acq.pulses(2.0), 0.0),
        (acq.pulses(3.0), None),
    ]
    for i, claim in claims[:-1]:
        before, after, next_ = told[i - 1], told[i + 1], told[i + 2]
        assert isinstance(before, Marker)
        assert isinstance(after, LaserState)
        assert isinstance(next_, PhotonBatch)
        assert before.pulse == after.pulse == next_.first_pulse == claim.pulse
    states = [m for m in told if isinstance(m, LaserState)]
    assert [(s.emission, s.setpoint_permille) for s in states] == [
        (True, 80),
        (True, 560),
        (False, 0),
        (False, 0),
    ]
    assert isinstance(told[-1], End)


def test_the_photons_obey_the_steps(told: tuple[Message, ...]) -> None:
    acq = session().acquisition
    photons = Photons.join([m.photons for m in told if isinstance(m, PhotonBatch)])
    weak, strong, dark = (
        len(photons.between(acq.pulses(a), acq.pulses(b))) / (b - a)
        for a, b in ((0.0, 1.02), (1.02, 2.0), (2.0, 3.0))
    )
    assert 2 * weak < strong
    assert dark == pytest.approx(2 * (25 + 150), rel=0.2), "dark counts and room light"


def test_spectra_follow_the_photons_they_belong_to(told: tuple[Message, ...]) -> None:
    spectra = [(i, m) for i, m in enumerate(told) if isinstance(m, Spectrum)]
    assert len(spectra) == 3
    for i, frame in spectra:
        seen = [m.stop_pulse for m in told[:i] if isinstance(m, PhotonBatch)]
        assert seen[-1] == frame.stop_pulse
        assert session().acquisition.seconds(frame.stop_pulse - frame.first_pulse) >= 1.0 - 1e-9
    first = spectra[0][1]
    assert first.wavelength_nm[np.argmax(first.counts)] == pytest.approx(633.0, abs=6.0)


def test_brightness_dims_the_dot_not_the_background_and_is_stated() -> None:
    def rates(brightness: float) -> tuple[float, float]:
        acq = session().acquisition
        batches = [m.photons for m in session(brightness=brightness).messages() if isinstance(m, PhotonBatch)]
        photons = Photons.join(batches)
        lit = photons.between(0, acq.pulses(1.02))
        dark = photons.between(acq.pulses(2.0), acq.pulses(3.0))
        return len(lit) / 1.02, len(dark) / 1.0

    full, dim = rates(1.0), rates(0.1)
    background_cps = 2 * (25 + 150 + 400 * 0.2)
    assert (dim[0] - background_cps) / (full[0] - background_cps) == pytest.approx(0.1, rel=0.25)
    assert dim[1] == pytest.approx(full[1], abs=5 * np.sqrt(2 * full[1]))
    assert session(brightness=0.1).acquisition.settings["brightness"] == "0.1"
    assert "brightness" not in session().acquisition.settings
    assert session(brightness=0.1).truth()["brightness"] == 0.1


@pytest.mark.parametrize("brightness", [0.0, -1.0, 1.5, float("nan")])
def test_an_impossible_brightness_is_refused(brightness: float) -> None:
    with pytest.raises(ValueError, match="above 0 and at most 1"):
        session(brightness=brightness)


def simulate(*words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["simulate", "dot", "mapbbr3", *words])
    return int(ended.value.code or 0)


def test_a_folder_and_a_ptu_hold_the_same_photons(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--duration", "1.2", "--seed", "4", "--brightness", "0.3")
    folder, file, truth = tmp_path / "new" / "dot", tmp_path / "dot.ptu", tmp_path / "truth.json"
    assert simulate("-o", str(folder), *options, "--truth", str(truth)) == 0
    assert simulate("-o", str(file), *options) == 0
    said = capsys.readouterr().out.splitlines()
    native, ptu = open_recording(folder), open_recording(file)
    assert isinstance(native, NativeRecording)
    assert verify(folder).intact
    assert native.photons == ptu.photons == int(said[0].split()[1])
    one, other = (Photons.join([b.photons for b in r.blocks()]) for r in (native, ptu))
    assert np.array_equal(one.pulse, other.pulse)
    assert np.array_equal(one.nanotime, other.nanotime)
    assert (tmp_path / "dot.fluence.csv").read_text() == "time_s,mean_excitation\n0,0.1\n"
    assert not list(folder.parent.glob("*.csv")), "a session knows its own steps"
    found = json.loads(truth.read_text())
    assert (found["preset"], found["seed"], found["brightness"]) == ("mapbbr3", 4, 0.3)
    assert found["law"]["exciton"]["lifetime_ns"] == 12.0


def test_an_existing_folder_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "dot").mkdir()
    (tmp_path / "dot" / "0001.mcap").write_bytes(b"precious")
    assert simulate("-o", str(tmp_path / "dot"), "--duration", "0.1") == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "File exists" in line
    assert (tmp_path / "dot" / "0001.mcap").read_bytes() == b"precious"


def test_a_failure_leaves_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from streams.recording import SessionWriter

    def refuse(writer: SessionWriter) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(SessionWriter, "flush", refuse)
    assert simulate("-o", str(tmp_path / "dot"), "--duration", "1.5") == 1
    assert "No space left" in capsys.readouterr().err
    assert not (tmp_path / "dot").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("-o", "dot.h5"), "or into a session folder"),
        (("-o", "dot", "--brightness", "2"), "above 0 and at most 1"),
        (("-o", "dot", "--seed", "-1"), "must be 0 or more"),
    ],
)
def test_a_mistake_is_one_line(words: tuple[str, ...], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert simulate(*words) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert says in line
