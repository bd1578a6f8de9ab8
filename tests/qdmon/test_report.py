"""The report is the contract of `qdmon analyze --json`: exact keys, honest nulls, plain JSON."""

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.types import Acquisition, LossCause, Photons, RecordLayout
from qdmon.analysis.results.estimate import Estimate
from qdmon.analysis.settings import AnalysisSettings
from qdmon.analysis.snapshot import Snapshot
from qdmon.report import report
from streams.messages import End, Gap, Message, PhotonBatch, Segment, Session
from tests.qdmon.analysis import builders as b

G2_KEYS = {
    "zero",
    "zero_error",
    "upper_limit_99",
    "delay_ns",
    "delay_origin",
    "single_emitter",
    "gated_zero",
    "gated_zero_error",
    "gated_upper_limit_99",
    "single_probability",
    "gate_ns",
    "delay_significance",
}
TOP_KEYS = {
    "source",
    "photons",
    "duration_s",
    "pulse_rate_hz",
    "resolution_ps",
    "counts",
    "mean_rate_cps",
    "losses",
    "g2",
    "calibration",
    "lifetime_ns",
    "lifetime_error_ns",
    "segments",
    "conversions",
    "charging",
    "intensity_change",
    "spectral_shift_nm",
    "problems",
}
SEGMENT_KEYS = {
    "start_s",
    "stop_s",
    "mean_excitation",
    "blinking",
    "reason",
    "probabilities",
    "auger_share",
    "states",
    "radiative_rate_ratio",
    "radiative_rate_ratio_error",
    "mean_rate_cps",
    "lifetime_ns",
    "blinking_rate_hz",
    "charging_rate_hz",
    "charging_rate_error_hz",
    "on_dwells",
    "off_dwells",
    "g2",
}
DWELL_KEYS = {
    "count",
    "shortest_s",
    "law",
    "exponent",
    "exponent_error",
    "cutoff_s",
    "cutoff_error_s",
    "aic_gain",
}
CONVERSION_KEYS = {
    "time_s",
    "time_error_s",
    "from",
    "to",
    "mean_excitation_before",
    "mean_excitation_after",
    "probability",
    "reversible",
}


def plain(data: Mapping[str, object]) -> dict[str, Any]:
    """Through JSON and back, without NaN."""
    loaded: dict[str, Any] = json.loads(json.dumps(data, allow_nan=False))
    return loaded


def report_of(messages: list[Message], settings: AnalysisSettings | None = None) -> dict[str, Any]:
    used = settings or AnalysisSettings()
    return plain(report(b.watch(messages, used).snapshot, "dot.ptu", used))


@cache
def converted() -> dict[str, Any]:
    rng = np.random.default_rng(71)
    acq = b.acquisition()
    dwells = [*b.auger_dot(rng, 8.0), *b.bc_dot(rng, 6.0)]
    step_s = sum(d.duration_s for d in b.auger_dot(np.random.default_rng(71), 8.0))
    found, stop = b.photons(rng, dwells, acq=acq)
    messages = b.session(acq, found, stop, fluence=[(0.0, 0.1), (step_s, 1.0)])
    gap = Gap(0, 1000, 2000, LossCause.FIFO_OVERRUN)
    return report_of([*messages[:2], gap, *messages[2:], End("done")])


def test_the_report_of_a_converting_dot_has_every_key_of_the_contract_with_its_type() -> None:
    found = converted()
    assert set(found) >= TOP_KEYS
    assert found["source"] == "dot.ptu"
    assert isinstance(found["photons"], int)
    assert found["pulse_rate_hz"] == pytest.approx(5e6)
    assert found["resolution_ps"] == 64.0
    assert set(found["counts"]) == {"0", "1"}
    assert sum(found["counts"].values()) == found["photons"]
    assert found["mean_rate_cps"] == pytest.approx(found["photons"] / found["duration_s"], rel=1e-3)
    assert found["losses"] == [{"start_s": 0.0002, "stop_s": 0.0004, "cause": "fifo overrun"}]
    assert set(found["g2"]) == G2_KEYS
    assert found["g2"]["single_emitter"] is True
    assert set(found["calibration"]) >= {"background_cps", "background_origin", "irf_origin", "t0_ps"}
    assert found["calibration"]["decay_tail_error_cps"] > 0
    assert found["calibration"]["window_ns"] == 200
    assert (found["calibration"]["dead_time_ns"], found["calibration"]["dead_time_origin"]) == (22, "assumed")
    assert found["calibration"]["delay_origin"] == "rising edges"
    for errors in ("background_error_cps", "t0_error_ps", "lost_light"):
        assert set(found["calibration"][errors]) == {"0", "1"}
    assert set(found["calibration"]["t0_ps"]) == set(found["calibration"]["background_cps"]) == {"0", "1"}
    assert isinstance(found["lifetime_ns"], float)
    assert isinstance(found["lifetime_error_ns"], float)
    assert set(found["charging"]) == {"exponent", "exponent_error", "law", "log_odds_linear"}
    assert found["saturation"] is None


def test_segments_and_conversions_have_every_key_of_the_contract() -> None:
    found = converted()
    first, second = found["segments"]
    for segment in (first, second):
        assert set(segment) >= SEGMENT_KEYS
        assert set(segment["probabilities"]) == {"auger", "bc", "mixed", "hc", "none"}
        assert sum(segment["probabilities"].values()) == pytest.approx(1.0, abs=1e-5)
        assert set(segment["g2"]) == G2_KEYS
        for state in segment["states"]:
            assert set(state) == {
                "intensity_cps",
                "intensity_error_cps",
                "lifetime_ns",
                "lifetime_error_ns",
            }
        decay = segment["decay"]
        assert 1 <= len(decay["components"]) <= 3
        assert sum(c["photons"] for c in decay["components"]) == pytest.approx(1.0)
        assert sum(c["amplitude"] for c in decay["components"]) == pytest.approx(1.0)
        assert decay["components"][0]["lifetime_ns"] > decay["components"][0]["lifetime_error_ns"] > 0
        assert decay["chi2_reduced"] > 0
        assert isinstance(decay["adequate"], bool)
        levels = segment["levels"]
        assert levels["found"] > 10
        assert levels["intensity_lifetime_correlation"] > 0.9
        assert levels["intensity_lifetime_correlation_error"] < 0.1
        for intensity in levels["intensities"]:
            assert set(intensity) == {
                "intensity_cps",
                "intensity_error_cps",
                "lifetime_ns",
                "lifetime_error_ns",
                "occupancy",
            }
        assert sum(i["occupancy"] for i in levels["intensities"]) == pytest.approx(1.0, abs=1e-5)
        for dwells in (segment["on_dwells"], segment["off_dwells"]):
            assert set(dwells) == DWELL_KEYS
    assert (first["blinking"], first["mean_excitation"], first["reason"]) == ("auger", 0.1, None)
    for segment in (first, second):
        for name, unit in (
            ("blinking_rate", "_hz"),
            ("mean_rate", "_cps"),
            ("lifetime", "_ns"),
            ("loss", ""),
        ):
            assert 0 < segment[f"{name}_error{unit}"] < 0.5 * segment[f"{name}{unit}"]
    assert 0 < first["charging_rate_error_hz"] < first["charging_rate_hz"]
    assert (second["blinking"], second["mean_excitation"]) == ("bc", 1.0)
    rates = [state["intensity_cps"] for state in first["states"]]
    assert rates == sorted(rates, reverse=True)
    (conversion,) = found["conversions"]
    assert set(conversion) == CONVERSION_KEYS
    assert (conversion["from"], conversion["to"]) == ("auger", "bc")
    assert conversion["reversible"] is None
    told = [event for event in found["events"] if event["kind"] == "conversion"]
    assert [event["severity"] for event in told] == ["alert"]
    assert "auger -> bc" in told[0]["text"]
    times = [event["time_s"] for event in found["events"] if event["kind"] == "fluence"]
    assert times == [segment["start_s"] for segment in (first, second)]


def test_what_is_unknown_is_null_and_never_a_number() -> None:
    dark = PhotonBatch(0, 0, 5_000_000, 0, Photons.empty())
    found = report_of([Session("0" * 32, 0, "test", "replay"), Segment(0, b.acquisition()), dark])
    assert found["photons"] == 0
    assert found["g2"]["zero"] is None
    assert found["g2"]["upper_limit_99"] is None
    assert found["g2"]["single_emitter"] is None
    assert found["lifetime_ns"] is None
    assert found["intensity_change"] is found["intensity_change_error"] is None
    assert found["spectral_shift_nm"] is found["spectral_shift_error_nm"] is None
    assert found["events"] == []
    assert set(found["charging"].values()) == {None}
    assert found["saturation"] is None
    assert all(segment["decay"] is None for segment in found["segments"])
    assert found["conversions"] == []


@cache
def shortly_lit() -> Snapshot:
    """A dot for a second."""
    rng, acq = np.random.default_rng(1), b.acquisition()
    photons, stop = b.photons(rng, b.auger_dot(rng, 1.0), acq=acq)
    return b.watch([*b.session(acq, photons, stop), End("done")], AnalysisSettings()).snapshot


@given(
    value=st.floats(),
    limit=st.one_of(st.none(), st.floats()),
    delay_ns=st.floats(),
    excitation=st.floats(),
)
def test_whatever_is_infinite_or_no_number_is_null_and_the_rest_stays(
    value: float, limit: float | None, delay_ns: float, excitation: float
) -> None:
    settings = AnalysisSettings()
    snapshot = shortly_lit()
    spoiled = replace(snapshot.g2, zero=Estimate(value, value), gated_upper_limit_99=limit)
    segment = replace(snapshot.segments[0], g2=spoiled, mean_excitation=excitation)
    spoiled_too = replace(snapshot, g2=spoiled, segments=(segment,))
    found = plain(report(spoiled_too, "dot.ptu", replace(settings, detector_delay_ns=delay_ns)))

    def same(told: float | None, number: float | None) -> bool:
        if number is None or not np.isfinite(number):
            return told is None
        return told == pytest.approx(number, rel=1e-6)

    for g2 in (found["g2"], found["segments"][0]["g2"]):
        assert same(g2["zero"], value)
        assert same(g2["zero_error"], value)
        assert same(g2["gated_upper_limit_99"], limit)
    assert same(found["segments"][0]["mean_excitation"], excitation)
    assert same(found["options"]["delay_ns"], delay_ns)
    assert found["photons"] == snapshot.photons


def test_an_acquisition_of_no_length_can_be_reported() -> None:
    found = report_of([Session("0" * 32, 0, "test", "replay"), Segment(0, b.acquisition())])
    assert found["duration_s"] == 0
    assert found["mean_rate_cps"] is None
    assert found["segments"] == []


def test_t2_has_no_pulse_rate_no_resolution_and_no_lifetime() -> None:
    acq = Acquisition("T2", 1.0, None, 0, (0, 1), RecordLayout.GENERIC_T2, "card")
    photons = Photons(
        np.arange(100, dtype=np.uint64) * np.uint64(10**9),
        np.zeros(100, np.uint16),
        np.arange(100, dtype=np.uint8) % 2,
    )
    found = report_of(
        [
            Session("0" * 32, 0, "test", "replay"),
            Segment(0, acq),
            PhotonBatch(0, 0, 10**12, 0, photons),
            End("done"),
        ]
    )
    assert found["pulse_rate_hz"] is None
    assert found["resolution_ps"] is None
    assert found["lifetime_ns"] is None
    (segment,) = found["segments"]
    assert segment["blinking"] == "undetermined"
    assert segment["states"] == []
    assert segment["levels"]["intensity_lifetime_correlation"] is None


def test_options_that_change_a_number_appear() -> None:
    messages: list[Message] = [Session("0" * 32, 0, "test", "replay"), Segment(0, b.acquisition())]
    assert report_of(messages)["options"] == {}
    settings = AnalysisSettings(
        background_cps={None: 100.0, 1: 250.0},
        t0_ps={0: 4000.0},
        irf_origin="scatter.csv",
        detector_delay_ns=23.92,
    )
    assert report_of(messages, settings)["options"] == {
        "background_cps": {"all": 100.0, "1": 250.0},
        "irf": "scatter.csv",
        "delay_ns": 23.92,
    }
