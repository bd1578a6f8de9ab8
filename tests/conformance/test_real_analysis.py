"""Verdicts on real recordings against what independent analyses found (TRUTH.json)."""

import json
from functools import cache
from typing import Any

import numpy as np
import pytest

from qdmon.analysis.antibunching.ticks import REACH_NS, comb_period_ns
from qdmon.analysis.settings import AnalysisSettings
from qdmon.analysis.snapshot import Snapshot
from qdmon.offline import analyze_recording
from qdmon.report import report
from streams.formats import open_recording
from tests.realdata import real_file, truth

HBT = "eta_hydraharp_qd_hbt/200204_HH400_T2_320MHz_HBT.timeres"


@cache
def analysed(name: str, delay_ns: float | None = None) -> Snapshot:
    settings = AnalysisSettings(detector_delay_ns=delay_ns)
    snapshot, _ = analyze_recording(open_recording(real_file(name)), (), settings)
    assert snapshot is not None
    return snapshot


def test_a_real_single_photon_source_is_antibunched_at_its_known_delay() -> None:
    g2 = analysed(HBT, truth(HBT)["g2"]["zero_delay_peak_ns"]).g2
    assert g2.zero.value is not None
    assert g2.zero.value < 0.02
    assert g2.zero.value == pytest.approx(truth(HBT)["g2"]["g2_0"], abs=0.004)
    assert g2.delay_origin == "given"
    assert g2.single_emitter is True


def test_its_detector_delay_is_found_from_the_missing_peak() -> None:
    g2 = analysed(HBT).g2
    assert g2.delay_origin == "missing peak"
    assert g2.detector_delay_ns == pytest.approx(truth(HBT)["g2"]["zero_delay_peak_ns"], abs=0.1)
    assert g2.detector_delay_ns == pytest.approx(23.94, abs=0.01)
    assert g2.delay_significance is not None
    assert g2.delay_significance > 25
    assert g2.zero.value == pytest.approx(0.0039, abs=0.0003)


def test_its_pulse_period_is_read_off_the_correlation() -> None:
    g2 = analysed(HBT).g2
    bin_ns = float(g2.delay_ns[1] - g2.delay_ns[0])
    assert pytest.approx(bin_ns * len(g2.delay_ns), rel=0.01) == 2 * REACH_NS
    period = comb_period_ns(g2.coincidences, bin_ns)
    assert period == pytest.approx(truth(HBT)["g2"]["period_ns"], rel=1e-3)


def test_a_t2_recording_has_no_lifetime() -> None:
    found = report(analysed(HBT), HBT, AnalysisSettings())
    assert found["lifetime_ns"] is None
    assert found["pulse_rate_hz"] is None
    assert found["photons"] == truth(HBT)["n_photons"]


@pytest.mark.parametrize("name", ["trace1", "trace3"])
def test_the_bright_lifetime_of_a_blinking_emitter_agrees_with_a_tail_fit_to_5_percent(name: str) -> None:
    path = f"fullsms_picoharp_pt3/{name}.pt3"
    expected = truth(path)["intensity_sorted_50ms_ch2"]["bright_>180"]["tail_fit"]["tau_ns"]
    bright = analysed(path).segments[0].call.states[0].lifetime_ns
    assert bright.value == pytest.approx(expected, rel=0.05)
    assert bright.error is not None
    assert abs(bright.value - expected) < 3 * bright.error


@pytest.mark.parametrize("name", ["trace1", "trace3", "trace7"])
def test_one_detector_leaves_the_type_undetermined_and_no_conversion_is_claimed(name: str) -> None:
    snapshot = analysed(f"fullsms_picoharp_pt3/{name}.pt3")
    assert snapshot.conversions == ()
    for segment in snapshot.segments:
        assert segment.call.blinking == "undetermined"
        assert segment.call.reason
    assert snapshot.g2.zero.value is None
    assert snapshot.g2.single_emitter is None


def test_photons_of_every_channel_are_counted_before_any_gate() -> None:
    path = "fullsms_picoharp_pt3/trace3.pt3"
    found = analysed(path).channel_photons
    assert {str(c): n for c, n in found.items()} == truth(path)["per_channel"]


def reported(path: str) -> dict[str, Any]:
    """The report as a reader of the JSON gets it."""
    loaded: dict[str, Any] = json.loads(json.dumps(report(analysed(path), path, AnalysisSettings())))
    return loaded


@pytest.mark.parametrize(("name", "most_levels"), [("trace1", 80), ("trace3", 120)])
def test_the_levels_of_a_blinking_emitter_are_in_the_report(name: str, most_levels: int) -> None:
    path = f"fullsms_picoharp_pt3/{name}.pt3"
    (segment,) = reported(path)["segments"]
    bright = truth(path)["intensity_sorted_50ms_ch2"]["bright_>180"]
    levels = segment["levels"]
    assert 30 < levels["found"] < most_levels
    assert len(levels["intensities"]) > 2
    assert sum(s["occupancy"] for s in levels["intensities"]) == pytest.approx(1.0, abs=1e-5)
    brightest = levels["intensities"][0]
    gross_cps = bright["mean_counts"] / 0.05
    background_cps = sum(analysed(path).calibration.background_cps.values())
    assert brightest["intensity_cps"] == pytest.approx(gross_cps - background_cps, rel=0.03)
    assert brightest["lifetime_ns"] == pytest.approx(bright["tail_fit"]["tau_ns"], rel=0.05)


def test_intensity_and_lifetime_of_a_blinking_emitter_are_found_to_move_together() -> None:
    path = "fullsms_picoharp_pt3/trace3.pt3"
    (segment,) = reported(path)["segments"]
    r = segment["levels"]["intensity_lifetime_correlation"]
    assert r - 3 * segment["levels"]["intensity_lifetime_correlation_error"] > 0.5


# Counts per 50 ms that the independent tail fits were sorted by.
SORTED = {"bright_>180": (180, 400), "mid_60_150": (60, 150), "dim_<40": (0, 40)}


@pytest.mark.parametrize("light", SORTED)
def test_levels_of_any_brightness_have_the_lifetime_of_an_independent_tail_fit(light: str) -> None:
    """With the light that trace 1 has ahead of the pulse while dim, 54 cps, given as its background."""
    path = "fullsms_picoharp_pt3/trace1.pt3"
    settings = AnalysisSettings(background_cps={2: 54.0})
    snapshot, _ = analyze_recording(open_recording(real_file(path)), (), settings)
    assert snapshot is not None
    low, high = SORTED[light]
    taus = [
        (s.lifetime_ns.value, s.lifetime_ns.error)
        for s in snapshot.segments[0].intensities
        if low < ((s.intensity_cps.value or 0.0) + 54.0) * 0.05 < high
    ]
    value, error = np.array(taus, np.float64).T
    mean, mean_error = float(np.average(value, weights=error**-2)), float((error**-2).sum() ** -0.5)
    expected = truth(path)["intensity_sorted_50ms_ch2"][light]["tail_fit"]["tau_ns"]
    assert mean == pytest.approx(expected, abs=2 * mean_error + 0.03 * expected)


def test_nothing_but_background_has_no_lifetime_and_no_states() -> None:
    path = "fullsms_picoharp_pt3/trace7.pt3"
    found = reported(path)
    (segment,) = found["segments"]
    assert segment["states"] == []
    assert segment["reason"] == "no emitting level stands out"
    assert found["lifetime_ns"] is None
    assert {s["lifetime_ns"] for s in segment["levels"]["intensities"]} == {None}
