"""Histogram files: curves to those who want curves, one line to those who want photons."""

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.formats import FormatError, holds_histograms, open_recording, read_histograms
from tests.streams.formats.files import write
from tests.streams.formats.old_files import phu_bytes

CURVES = {0: [0, 5, 900, 3], 4: [1, 2, 3, 4_000_000_000, 5]}
GOOD = phu_bytes(CURVES)


def test_the_curves_come_with_their_number_and_the_width_of_their_bins(tmp_path: Path) -> None:
    first, second = read_histograms(write(tmp_path, "x.phu", GOOD))
    assert (first.index, second.index) == (0, 4)
    assert first.resolution_ps == second.resolution_ps == pytest.approx(4.0)
    assert first.counts.tolist() == CURVES[0]
    assert second.counts.tolist() == CURVES[4]
    assert first.counts.dtype == np.uint32


def test_ptufile_reads_the_same_curves(tmp_path: Path) -> None:
    ptufile = pytest.importorskip("ptufile")
    path = write(tmp_path, "x.phu", phu_bytes({0: CURVES[0], 1: CURVES[0][::-1]}))
    ours = [curve.counts.tolist() for curve in read_histograms(path)]
    with ptufile.PhuFile(path) as peer:
        assert [h.tolist() for h in peer.histograms()] == ours


@pytest.mark.parametrize(("curves", "said"), [(CURVES, "2 curves"), ({0: [1]}, "1 curve"), ({}, "0 curves")])
def test_opening_a_histogram_as_a_recording_says_what_it_is_good_for(
    tmp_path: Path, curves: dict[int, list[int]], said: str
) -> None:
    path = write(tmp_path, "x.dat", phu_bytes(curves))
    with pytest.raises(FormatError) as refused:
        open_recording(path)
    assert str(refused.value) == (
        f"{path} is a PicoQuant histogram file ({said}), not photons: "
        "it can serve as an instrument response (--irf), or record in T3 mode"
    )


def test_only_histogram_files_hold_histograms(tmp_path: Path) -> None:
    assert holds_histograms(write(tmp_path, "x.phu", GOOD))
    assert not holds_histograms(write(tmp_path, "y.phu", b"PQTTTR\0\0"))
    assert not holds_histograms(tmp_path / "none.phu")
    assert not holds_histograms(tmp_path)


BAD_FILES = {
    "is not a PicoQuant histogram file (.phu)": b"time,counts\n",
    "ends inside its header, after 3 tags": GOOD[:200],
    "ends inside curve 1, which claims 5 bins": GOOD[:-1],
    "ends inside curve 0, which claims 4611686018427387904 bins": phu_bytes(
        CURVES, HistogramBins_0=1 << 62, DataOffset_0=4
    ),
    "legibly where curve 1 is (tag DataOffset)": phu_bytes(CURVES, DataOffset_1=-4),
    "legibly where curve 0 is (tag HistogramBins)": phu_bytes(CURVES, HistogramBins_0=KeyError),
    "legibly how wide the bins of curve 0 are": phu_bytes(CURVES, resolution_s=float("nan")),
    "impossible number of curves in its header (-1)": phu_bytes(CURVES, HistoResult_NumberOfCurves=-1),
    "impossible number of curves in its header (None)": phu_bytes(
        CURVES, HistoResult_NumberOfCurves=KeyError
    ),
    "bins are not 32 bits wide": phu_bytes(CURVES, HistoResult_BitsPerBin=64),
}


@pytest.mark.parametrize("reason", BAD_FILES)
def test_a_histogram_that_cannot_be_read_says_why_in_one_line(tmp_path: Path, reason: str) -> None:
    path = write(tmp_path, "x.phu", BAD_FILES[reason])
    with pytest.raises(FormatError, match=re.escape(reason)) as refused:
        read_histograms(path)
    assert "\n" not in str(refused.value)


def test_a_missing_histogram_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="cannot be read: No such file"):
        read_histograms(tmp_path / "none.phu")


@given(st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), max_size=6), st.floats(0, 1))
def test_a_damaged_histogram_is_read_or_refused_and_never_anything_else(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, int]], kept: float
) -> None:
    damaged = bytearray(GOOD)
    for where, value in changes:
        damaged[where] = value
    path = write(tmp_path_factory.getbasetemp(), "damaged.phu", bytes(damaged[: round(kept * len(damaged))]))
    try:
        curves = read_histograms(path)
    except FormatError:
        return
    assert all(len(curve.counts) <= len(GOOD) // 4 and curve.resolution_ps > 0 for curve in curves)
