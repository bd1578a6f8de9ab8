"""Tables of a recording: the numbers of its analysis, units in the names, provenance inside."""

import csv
import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdmon.analysis.settings import AnalysisSettings
from qdmon.analysis.snapshot import Snapshot
from qdmon.export.analysis import Analysed, analysed
from qdmon.export.convert import Conversion
from qdmon.export.derive import WHAT, derived
from qdmon.export.photons import ExportError
from qdmon.export.table import Table
from qdmon.export.table_files import write_table
from tests.qdmon.export.sessions import STEPS, session

NOW_NS = 1_700_000_000 * 10**9


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Analysed:
    result = analysed(session(tmp_path_factory.mktemp("tables") / "dot"), (), AnalysisSettings())
    assert result is not None
    return result


def columns(found: Analysed, what: str) -> dict[str, Any]:
    return dict(derived(found, what, {}).columns)


def test_the_trace_holds_every_photon_of_the_recording(found: Analysed) -> None:
    trace = columns(found, "trace")
    snapshot: Snapshot = found.snapshot
    assert int(trace["photons"].sum()) == pytest.approx(snapshot.photons, rel=0.01)  # the last bin is open
    assert trace["time_s"][0] == 0.0
    assert np.allclose(trace["rate_cps"] * trace["bin_s"], trace["photons"])
    assert set(trace["mean_excitation"][trace["time_s"] < 1.99]) == {STEPS[0][0]}
    assert trace["photons_missing"].sum() == pytest.approx(2, abs=1)


def test_levels_follow_each_other_within_their_segment(found: Analysed) -> None:
    levels = columns(found, "levels")
    assert len(levels["start_s"]) > 5
    assert bool((levels["stop_s"] > levels["start_s"]).all())
    assert bool((np.diff(levels["start_s"]) > 0).all())
    assert set(levels["segment"].tolist()) <= set(range(len(found.snapshot.segments)))


def test_the_flid_counts_bins_and_has_one_map_per_segment(found: Analysed) -> None:
    flid = columns(found, "flid")
    for number in set(flid["segment"].tolist()):
        own = flid["segment"] == number
        segment = found.snapshot.segments[int(number)]
        bins = (segment.stop_s - segment.start_s) / found.snapshot.trace.bin_s
        assert 0.3 * bins < flid["trace_bins"][own].sum() <= bins + 1
    assert bool((flid["lifetime_to_ns"] > flid["lifetime_from_ns"]).all())


def test_g2_is_that_of_the_report(found: Analysed) -> None:
    g2 = columns(found, "g2")
    whole = g2["segment"] == -1
    assert np.array_equal(g2["delay_ns"][whole], found.snapshot.g2.delay_ns)
    assert np.array_equal(g2["coincidences"][whole], found.snapshot.g2.coincidences)


@cache
def _written(folder: Path, ending: str, what: str) -> Path:
    out = folder / f"{what}{ending}"
    Conversion(session(folder / f"dot-{what}{ending}"), NOW_NS, what=what).write(out, ending)
    return out


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("written")


def read_csv(path: Path) -> tuple[dict[str, Any], list[dict[str, str]]]:
    lines = path.read_text().splitlines()
    facts = dict(line.removeprefix("# ").split(": ", 1) for line in lines if line.startswith("# "))
    rows = list(csv.DictReader(line for line in lines if not line.startswith("# ")))
    return {name: json.loads(text) for name, text in facts.items()}, rows


def test_csv_npz_and_parquet_hold_the_same_numbers_and_origin(folder: Path) -> None:
    facts, rows = read_csv(_written(folder, ".csv", "trace"))
    with np.load(_written(folder, ".npz", "trace"), allow_pickle=False) as npz:
        about = json.loads(str(npz["about"]))
        photons, lifetime = npz["photons"], npz["lifetime_ns"]
    assert [int(row["photons"]) for row in rows] == photons.tolist()
    known = [float(row["lifetime_ns"] or "nan") for row in rows]
    assert np.array_equal(known, lifetime, equal_nan=True)
    for said in (facts, about):
        assert said["table"] == "trace"
        assert said["provenance"]["source"].startswith("dot-trace")
        assert len(said["provenance"]["source_sha256"]) == 64
        assert said["provenance"]["software"].startswith("qdmon ")
        assert said["calibration"]["background_origin"]
        assert said["fluence_steps"][0] == [0.0, STEPS[0][0]]


def test_parquet_is_read_by_pyarrow_with_its_origin_in_the_schema(folder: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="the extra `parquet` is not installed")
    table = parquet.read_table(_written(folder, ".parquet", "trace"))
    about = json.loads(table.schema.metadata[b"qdmon"])
    assert about["provenance"]["source"].startswith("dot-trace")
    _, rows = read_csv(_written(folder, ".csv", "trace"))
    assert table["photons"].to_pylist() == [int(row["photons"]) for row in rows]
    assert table["lifetime_ns"].null_count == sum(not row["lifetime_ns"] for row in rows)


def test_every_column_with_a_dimension_says_its_unit(found: Analysed) -> None:
    plain = {
        "segment",
        "mean_excitation",
        "photons",
        "photons_missing",
        "still_open",
        "trace_bins",
        "coincidences",
    }
    for what in WHAT:
        for name in set(columns(found, what)) - plain:
            assert name.endswith(("_s", "_ns", "_cps")), name


@given(st.sampled_from(["=1+1", "+1", "-1", "@x", "\t=x", "\r=x"]), st.text(max_size=5))
def test_texts_that_a_spreadsheet_would_run_are_quoted(
    tmp_path_factory: pytest.TempPathFactory, start: str, rest: str
) -> None:
    path = tmp_path_factory.mktemp("csv") / "x.csv"
    text = start + rest
    write_table(path, ".csv", Table("t", {"a": np.array([text, "plain"]), "b": np.array([-1.5, 2.0])}, {}))
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(line for line in file if not line.startswith("# ")))
    assert len(rows) == 3
    assert rows[1][0].startswith("'")
    assert [row[1] for row in (rows[1], rows[-1])] == ["-1.5", "2.0"]  # numbers stay numbers


def test_columns_of_different_length_are_no_table() -> None:
    with pytest.raises(ValueError, match="different length"):
        Table("t", {"a": np.zeros(2), "b": np.zeros(3)}, {})


def test_an_unknown_table_is_refused_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="trace, levels, flid, g2"):
        Conversion(session(tmp_path / "dot"), NOW_NS, what="spectrum").write(tmp_path / "x.csv", ".csv")
