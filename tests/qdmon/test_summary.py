"""A snapshot in words; tests of dots that converted, bleached or lost photons have theirs as well."""

import re

from qdmon.summary import summary_lines
from tests.qdmon.analysis import builders as b


def test_the_summary_names_photons_g2_type_levels_and_what_was_assumed() -> None:
    snapshot = b.watched_dot("auger", 20.0).snapshot
    lines = summary_lines(snapshot)
    text = "\n".join(lines)
    assert f"{snapshot.photons} photons" in lines[0]
    assert "single emitter" in lines[1]
    assert "auger" in lines[2]
    assert "24." in lines[2] or "25" in lines[2]
    assert "levels of 2 intensities" in lines[3]
    assert "% of the time" in lines[3]
    assert "correlation of intensity and lifetime 1" in lines[3]
    assert re.search(
        r"on dwells exponential, mean 0\.\d+ ± 0\.0\d+ s; off dwells .*; charging \d\S* ± \S+ /s", text
    )
    assert "note: time zero from the rising edge" in text
    assert all("\n" not in line for line in lines)


def test_the_summary_gives_each_calibrated_value_with_its_error_and_origin() -> None:
    text = "\n".join(summary_lines(b.watched_dot("auger", 20.0).snapshot))
    assert re.search(r"background ch0 [\d.]+ ± \d+, ch1 [\d.]+ ± \d+ cps \(decay tail\)", text)
    assert re.search(r"time zero ch0 [34]\.\d+ ± 0\.0\d+, ch1 4\.\d+ ± 0\.0\d+ ns \(rising edge\)", text)
    assert re.search(r"delay 0\.\d\d ns \(rising edges\); pulse window 200 ns", text)
    assert "dead time 22 ns (assumed)" in text
