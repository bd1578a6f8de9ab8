"""Verdicts on real recordings against what independent analyses found (TRUTH.json)."""

import json
from functools import cache
from typing import Any

import numpy as np
import pytest

from qdmon.analysis.antibunching.ticks import REACH_NS, comb_period_ns
from qdmon.analysis.monitor import Monitor
from qdmon.analysis.settings import AnalysisSettings
from qdmon.analysis.snapshot import Snapshot
from qdmon.offline import analyze_recording, settings_for
from qdmon.report import report
from streams.formats import Choices, open_recording
from streams.messages import End, PhotonBatch
from tests.realdata import real_file, truth

HBT = "eta_hydraharp_qd_hbt/200204_HH400_T2_320MHz_HBT.timeres"


@cache
def analysed(name: str, delay_ns: float | None = None, channel_2_cps: float | None = None) -> Snapshot:
    background: dict[int | None, float] = {2: channel_2_cps} if channel_2_cps is not None else {}
    settings = AnalysisSettings(detector_delay_ns=delay_ns, background_cps=background)
    snapshot, _ = analyze_recording(open_recording(real_file(name)), (), settings)
    assert snapshot is not None
    return snapshot


@cache
def beginning(name: str, seconds: float) -> Snapshot:
    """The same of the first seconds of a long recording."""
    recording, monitor = open_recording(real_file(name)), Monitor()
    stop = recording.acquisition.pulses(seconds)
    for message in recording.messages():
        if isinstance(message, PhotonBatch) and message.stop_pulse > stop:
            break
        monitor.feed(message)
    monitor.feed(End("cut"))
    snapshot = monitor.snapshot()
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
def test_the_bright_lifetime_of_a_blinking_emitter_agrees_with_a_tail_fit_to_6_percent(name: str) -> None:
    path = f"fullsms_picoharp_pt3/{name}.pt3"
    fit = truth(path)["intensity_sorted_50ms_ch2"]["bright_>180"]["tail_fit"]
    expected = fit["tau_ns"]
    bright = analysed(path).segments[0].call.states[0].lifetime_ns
    assert bright.value == pytest.approx(expected, rel=0.06)
    assert bright.error is not None
    assert abs(bright.value - expected) < 3 * np.hypot(bright.error, fit["tau_lsq_err_ns"])


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
    return told(analysed(path), path)


def told(snapshot: Snapshot, path: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(json.dumps(report(snapshot, path, AnalysisSettings())))
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
    snapshot = analysed(path, channel_2_cps=54.0)
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


V50 = "libpicoquant_samples/v50.t3r"
M000 = "tttrlib_bh_spc132/m000.spc"
# Of its 69 s: what its set-up is shows in them as well.
M000_S = 10.0


def test_a_card_that_photons_start_shows_the_whole_decay_of_its_light() -> None:
    """The tail fit of TRUTH stops one period from zero, 120 of 188 ns: one exponential is too short there."""
    (segment,) = analysed(V50).segments
    decay = segment.decay
    assert decay is not None
    assert decay.photons == pytest.approx(truth(V50)["n_photons"], rel=1e-3)
    assert decay.chi2_reduced < 1.3
    assert decay.adequate
    # Maximum likelihood of A exp(-t/tau) + B from 2 ns behind the peak to the end of the window, by itself:
    # all light 19.5 ns; light of more than 20 kcps 23.4 ns, from 7 ns behind the peak 24.0 ns.
    assert segment.lifetime_ns.value == pytest.approx(19.5, rel=0.04)
    assert segment.lifetime_ns.value == pytest.approx(truth(V50)["tail_fit"]["0"]["tau_ns"], rel=0.09)
    assert segment.call.states[0].lifetime_ns.value == pytest.approx(24.0, rel=0.04)
    brightest = segment.intensities[0].lifetime_ns
    assert brightest.value == pytest.approx(24.0, rel=0.03)


def test_its_time_zero_and_window_are_those_of_the_reversed_axis() -> None:
    calibration = analysed(V50).calibration
    assert calibration.t0_ps[0] / 1e3 == pytest.approx(truth(V50)["tail_fit"]["0"]["peak_ns"], abs=0.6)
    assert calibration.window_ns == pytest.approx(1e9 / truth(V50)["sync_hz"])
    low, high = truth(V50)["micro_min_max"]
    recorded_ns = (high + 1 - low) * truth(V50)["micro_unit_s"] * 1e9
    (warning,) = (w for w in calibration.warnings if "records" in w)
    assert float(warning.split()[3]) == pytest.approx(recorded_ns, abs=0.5)
    drawn = analysed(V50).decay.time_ns
    assert drawn[0] == pytest.approx(low * truth(V50)["micro_unit_s"] * 1e9, abs=0.5)
    assert analysed(V50).decay.counts[0].sum() > 0.998 * truth(V50)["n_photons"]


def test_the_same_photons_in_another_container_give_the_same_report() -> None:
    trace3, trace3_hdf5 = "fullsms_picoharp_pt3/trace3.pt3", "derived_photon_hdf5/trace3.photon.hdf5"
    m000_hdf5 = "derived_photon_hdf5/m000.photon.hdf5"
    for one, two in (
        (reported(trace3), reported(trace3_hdf5)),
        (told(beginning(M000, M000_S), M000), told(beginning(m000_hdf5, M000_S), m000_hdf5)),
    ):
        assert one["counts"] == two["counts"]
        assert one["calibration"]["t0_ps"] == two["calibration"]["t0_ps"]
        # A card that is not named is taken to count from the pulse: gaps between clicks tell after-pulses,
        # and with them the background that lifetimes rest on.
        assert one["lifetime_ns"] == pytest.approx(two["lifetime_ns"], rel=0.02)
        background = pytest.approx(two["calibration"]["background_cps"], rel=0.05)
        assert one["calibration"]["background_cps"] == background
        assert len(one["segments"]) == len(two["segments"]) == 1
        assert one["segments"][0]["blinking"] == two["segments"][0]["blinking"]


def test_bursts_of_molecules_that_come_and_go_convert_nothing() -> None:
    assert analysed(M000).conversions == ()


def test_background_at_the_end_of_a_window_is_found_though_the_card_leaves_a_fifth_out() -> None:
    calibration = beginning(M000, M000_S).calibration
    assert calibration.background_origin == "decay tail"
    (warning,) = (w for w in calibration.warnings if "records" in w)
    assert float(warning.split()[3]) == pytest.approx(10.5, abs=0.1)
    # No more than everything in the last nanosecond of the window (1,900 photons a ns in 69 s) makes of it.
    assert 200 < sum(calibration.background_cps.values()) < 700
    assert "g2 is of detectors 0 and 8 alone: 1, 9 are left out of it" in calibration.warnings


NOISE = "phconvert_bh_spc150/test_noise.spc"


@pytest.mark.parametrize("path", [NOISE, "libpicoquant_samples/v20.ht3", "libpicoquant_samples/v10.ht3"])
def test_light_without_a_pulse_has_no_lifetime_and_says_why(path: str) -> None:
    found = reported(path)
    (segment,) = found["segments"]
    assert found["lifetime_ns"] is None
    assert segment["lifetime_ns"] is None
    assert segment["decay"] is None
    assert segment["states"] == []
    few = found["photons"] < 2000
    assert segment["reason"] == (
        "too few photons for a rising edge" if few else "no rising edge found: lifetimes need a pulsed dot"
    )
    assert found["calibration"]["background_origin"] == "none"
    assert found["calibration"]["background_cps"] == {}
    assert found["mean_rate_cps"] == pytest.approx(found["photons"] / found["duration_s"], rel=1e-6)


def test_a_lifetime_over_a_guessed_background_has_no_error() -> None:
    found = reported("pytcspc_bh_fcs/point_001.spc")
    assert found["calibration"]["background_origin"] == "assumed zero"
    assert found["lifetime_ns"] is not None
    assert found["lifetime_error_ns"] is None


def test_beads_are_many_emitters_with_the_lifetime_of_their_tail_fits() -> None:
    path = "tttrlib_symphotime_beads/beads.ptu"
    found = analysed(path)
    fits = truth(path)["tail_fit"].values()
    mean = sum(fit["n"] * fit["tau_ns"] for fit in fits) / sum(fit["n"] for fit in fits)
    assert found.overall_lifetime_ns.value == pytest.approx(mean, rel=0.05)
    assert found.g2.single_emitter is False
    assert found.g2.zero.value == pytest.approx(1.0, abs=0.3)
    for channel, fit in truth(path)["tail_fit"].items():
        # The steepest rise lies before the peak, by no more than the response is wide.
        assert 0 < fit["peak_ns"] - found.calibration.t0_ps[int(channel)] / 1e3 < 0.6


def test_tissue_has_no_type_and_no_fit_that_is_called_adequate() -> None:
    (segment,) = reported("napari_picoharp_flim/ptu_stack_FLIM_z1.ptu")["segments"]
    assert segment["blinking"] == "undetermined"
    assert not segment["decay"]["adequate"]
    assert len(segment["decay"]["components"]) == 3


T2 = {
    "dotd_hydraharp_ht2/DotD_run_one0.stream": (),
    "eventdetector_th260_t2/default_000.ptu": (),
    "libpicoquant_samples/v10.ht2": ("g2 is of detectors 0 and 1 alone: 2, 3 are left out of it",),
}


@pytest.mark.parametrize("path", T2)
def test_a_t2_recording_without_a_comb_claims_nothing_beside_its_counts(path: str) -> None:
    found = reported(path)
    assert found["counts"] == truth(path)["per_channel"]
    assert found["mean_rate_cps"] == pytest.approx(truth(path)["mean_rate_cps"], rel=0.05)
    assert found["calibration"]["background_origin"] == "none"
    assert found["g2"]["zero"] is None
    assert found["g2"]["single_emitter"] is None
    assert found["lifetime_ns"] is None
    assert found["conversions"] == []
    assert tuple(found["calibration"]["warnings"]) == T2[path]


def test_a_recording_without_photons_is_empty_but_no_error() -> None:
    found = reported("libpicoquant_samples/v20.ht2")
    assert found["photons"] == 0
    assert found["counts"] == {}
    assert found["mean_rate_cps"] is None
    assert found["segments"] == []


SMS = "fullsms_h5/IRF_680nm.h5"


def test_a_full_sms_response_is_no_dot_and_serves_as_a_response() -> None:
    path = real_file(SMS)
    recording = open_recording(path, Choices(pulse_rate_hz=40e6))
    given = settings_for(recording, AnalysisSettings(), irf=path)
    # 20 to 47 ns on an axis of 25 ns periods: nothing is cut off one period from zero.
    assert given.t0_ps[1] / 1e3 == pytest.approx(truth(SMS)["micro_median"], abs=0.15)
    for settings in (AnalysisSettings(), given):
        snapshot, _ = analyze_recording(recording, (), settings)
        assert snapshot is not None
        assert snapshot.photons == truth(SMS)["n_photons"]
        assert snapshot.decay.counts[1].sum() > 0.99 * snapshot.photons
        assert snapshot.overall_lifetime_ns.value is None
        decay = snapshot.segments[0].decay
        assert decay is not None
        assert decay.amplitude_mean_ns.value is None
        assert not decay.adequate


def test_without_the_pulse_rate_its_micro_times_are_left_out_and_the_report_says_so() -> None:
    recording = open_recording(real_file(SMS))
    assert not recording.damaged
    snapshot, _ = analyze_recording(recording, (), AnalysisSettings())
    assert snapshot is not None
    found = report(snapshot, SMS, AnalysisSettings(), recording.problems)
    assert found["lifetime_ns"] is None
    assert "--pulse-rate-hz" in str(found["problems"])


GUESSED = (M000, "pytcspc_bh_fcs/point_001.spc", SMS)
SHORT = ("libpicoquant_samples/v10.ht3", "libpicoquant_samples/v20.ht2")


@pytest.mark.parametrize("path", [*GUESSED, *SHORT, V50])
def test_what_had_to_be_guessed_is_no_damage_but_a_short_file_is(path: str) -> None:
    recording = open_recording(real_file(path))
    assert recording.damaged is (path in SHORT)
    assert bool(recording.problems) is (path != V50)
