"""Background from a recording made in the dark, and from dark spans of a recording."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from qdmon.analysis.settings import AnalysisSettings
from qdmon.dark import DarkError, dark_rates, parse_spans, read_dark, with_darkness
from qdmon.offline import analyze_recording
from streams.formats import open_recording, write_ptu
from streams.messages import LaserState, PhotonBatch
from tests.qdmon.analysis import builders as b

ACQ = b.acquisition()


def dark_file(path: Path, seconds: float = 20.0, background_cps: float = 150.0) -> Path:
    rng = np.random.default_rng(1)
    dwells = [b.Dwell(seconds, 0.0, 1.0)]
    write_ptu(path, ACQ, [b.photons(rng, dwells, acq=ACQ, background_cps=background_cps)])
    return path


def lit_then_dark(path: Path, lit_s: float = 3.0, dark_s: float = 2.0) -> Path:
    rng = np.random.default_rng(2)
    dwells = [*b.auger_dot(rng, lit_s), b.Dwell(dark_s, 0.0, 1.0)]
    write_ptu(path, ACQ, [b.photons(rng, dwells, acq=ACQ, background_cps=300.0)])
    return path


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("0:2", ((0.0, 2.0),)),
        ("40:50.5,3:4", ((3.0, 4.0), (40.0, 50.5))),
        ("1:2,2:3", ((1.0, 2.0), (2.0, 3.0))),
    ],
)
def test_spans_are_start_and_stop_in_seconds(text: str, spans: tuple[tuple[float, float], ...]) -> None:
    assert parse_spans(text) == spans


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "give START:STOP"),
        ("5", "give START:STOP"),
        ("a:b", "give START:STOP"),
        ("1:2:3", "give START:STOP"),
        ("5:4", "last 0.5 s or more"),
        ("-1:4", "begin at 0"),
        ("nan:4", "begin at 0"),
        ("1:inf", "begin at 0"),
        ("1:3,2:4", "overlap"),
    ],
)
def test_spans_that_make_no_sense_are_refused_in_one_line(text: str, says: str) -> None:
    with pytest.raises(DarkError, match=says) as caught:
        parse_spans(text)
    assert "\n" not in str(caught.value)


def test_a_dark_recording_gives_the_rate_of_each_detector_with_its_error(tmp_path: Path) -> None:
    rates = read_dark(dark_file(tmp_path / "dark.ptu"), ACQ)
    assert set(rates) == {0, 1}
    for rate in rates.values():
        assert rate.error is not None
        assert rate.error == pytest.approx(np.sqrt(150 / 20), rel=0.1)
        assert rate.value == pytest.approx(150, abs=4 * rate.error)


def test_a_recording_with_a_dot_in_it_is_not_dark(tmp_path: Path) -> None:
    with pytest.raises(DarkError, match="not dark: photons follow"):
        read_dark(lit_then_dark(tmp_path / "dot.ptu"), ACQ)


def test_a_moment_of_darkness_is_too_short(tmp_path: Path) -> None:
    with pytest.raises(DarkError, match=r"s of darkness, 0\.5 are needed"):
        read_dark(dark_file(tmp_path / "dark.ptu", seconds=0.2), ACQ)


def test_a_file_that_is_no_recording_is_refused(tmp_path: Path) -> None:
    (tmp_path / "dark.ptu").write_text("not photons")
    with pytest.raises(DarkError):
        read_dark(tmp_path / "dark.ptu", ACQ)


def test_only_the_photons_of_the_spans_are_counted(tmp_path: Path) -> None:
    recording = open_recording(lit_then_dark(tmp_path / "dot.ptu"))
    stop_s = recording.duration_s
    rates = dark_rates(recording, [(stop_s - 1.9, stop_s)])
    assert rates[0].value == pytest.approx(300, rel=0.2)


def test_batches_are_cut_where_the_light_goes_out_and_no_photon_is_lost(tmp_path: Path) -> None:
    recording = open_recording(lit_then_dark(tmp_path / "dot.ptu"))
    messages = list(with_darkness(recording.messages(), [(1.013, 1.777), (3.0, 4.0)]))
    batches = [m for m in messages if isinstance(m, PhotonBatch)]
    assert sum(len(m.photons) for m in batches) == recording.photons
    assert all(one.stop_pulse == other.first_pulse for one, other in pairwise(batches))
    states = [(m.pulse, m.emission) for m in messages if isinstance(m, LaserState)]
    wanted = ((1.013, False), (1.777, True), (3.0, False), (4.0, True))
    assert states == [(ACQ.pulses(t), on) for t, on in wanted]
    for state in (m for m in messages if isinstance(m, LaserState)):
        following = messages[messages.index(state) + 1]
        assert isinstance(following, PhotonBatch)
        assert following.first_pulse == state.pulse


def test_a_dark_span_is_background_and_no_part_of_the_dot(tmp_path: Path) -> None:
    recording = open_recording(lit_then_dark(tmp_path / "dot.ptu"))
    stop_s = recording.duration_s
    span = (stop_s - 1.9, stop_s)
    settings = AnalysisSettings(dark_cps=dark_rates(recording, [span]), dark_origin="dark stretch")
    snapshot, _ = analyze_recording(recording, (), settings, [span])
    assert snapshot is not None
    (segment,) = snapshot.segments
    assert segment.stop_s == pytest.approx(span[0], abs=0.01)
    assert segment.mean_rate_cps.value == pytest.approx(55e3, rel=0.2)
