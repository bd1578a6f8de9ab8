"""Time zero of the detectors from a measured instrument response."""

from pathlib import Path

import numpy as np
import pytest

from hardware.types import Photons
from qdmon.irf import IrfError, read_responses
from streams.formats import write_ptu
from tests.qdmon.analysis import builders as b
from tests.streams.formats.old_files import phu_bytes

ACQ = b.acquisition()


def table(path: Path, header: str, *columns: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]") -> Path:
    rows = "\n".join(",".join(f"{x:.6g}" for x in row) for row in zip(*columns, strict=True))
    path.write_text(f"{header}\n{rows}\n")
    return path


def response(centre_ns: float) -> "np.ndarray[tuple[int, ...], np.dtype[np.float64]]":
    return np.asarray(3.0 + 5000 * np.exp(-0.5 * np.square((TIME_NS - centre_ns) / 0.15)))


TIME_NS = np.arange(0.0, 20.0, 0.032)


def centroids_ps(path: Path) -> dict[int, float]:
    return {channel: found.t0_ps for channel, found in read_responses(path, ACQ).items()}


def test_one_column_holds_for_every_detector(tmp_path: Path) -> None:
    path = table(tmp_path / "irf.csv", "time_ns,counts", TIME_NS, response(4.2))
    assert centroids_ps(path) == {0: pytest.approx(4200, abs=10), 1: pytest.approx(4200, abs=10)}


def test_each_detector_has_its_own_column(tmp_path: Path) -> None:
    path = table(tmp_path / "irf.csv", "time_ns,0,1,7", TIME_NS, response(4.0), response(4.64), response(9.0))
    assert centroids_ps(path) == {0: pytest.approx(4000, abs=10), 1: pytest.approx(4640, abs=10)}


def test_scattered_light_recorded_with_the_same_wiring_is_a_response(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    n = 20_000
    channel = rng.integers(0, 2, n)
    time_ns = np.where(channel == 0, 4.0, 4.64) + rng.normal(0, 0.15, n)
    scattered = Photons(
        np.sort(rng.integers(0, 5_000_000, n)).astype(np.uint64),
        (time_ns * 1e3 / 64).astype(np.uint16),
        channel.astype(np.uint8),
    )
    write_ptu(tmp_path / "irf.ptu", ACQ, [(scattered, 5_000_000)])
    found = centroids_ps(tmp_path / "irf.ptu")
    assert found == {0: pytest.approx(4000, abs=20), 1: pytest.approx(4640, abs=20)}


def counted(centre_ns: float) -> list[int]:
    return [round(n) for n in response(centre_ns).tolist()]


def test_the_one_curve_of_a_histogram_file_holds_for_every_detector(tmp_path: Path) -> None:
    (tmp_path / "irf.phu").write_bytes(phu_bytes({3: counted(4.2), 4: [0] * len(TIME_NS)}, 32e-12))
    found = centroids_ps(tmp_path / "irf.phu")
    assert found == {0: pytest.approx(4216, abs=10), 1: pytest.approx(4216, abs=10)}


def test_several_curves_of_a_histogram_file_serve_the_detectors_of_their_numbers(tmp_path: Path) -> None:
    (tmp_path / "irf.phu").write_bytes(
        phu_bytes({1: counted(4.64), 0: counted(4.0), 7: counted(9.0)}, 32e-12)
    )
    found = centroids_ps(tmp_path / "irf.phu")
    assert found == {0: pytest.approx(4016, abs=10), 1: pytest.approx(4656, abs=10)}


def test_an_empty_or_a_cut_histogram_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "irf.phu").write_bytes(phu_bytes({0: [0] * 100}))
    with pytest.raises(IrfError, match="no response peak for channels 0, 1"):
        read_responses(tmp_path / "irf.phu", ACQ)
    (tmp_path / "irf.phu").write_bytes(phu_bytes({0: counted(4.0)})[:-9])
    with pytest.raises(IrfError, match="ends inside curve 0"):
        read_responses(tmp_path / "irf.phu", ACQ)


def test_the_shape_of_the_response_is_kept_with_its_tail(tmp_path: Path) -> None:
    after = np.maximum(TIME_NS - 4.0, 0.0)
    tail = np.where(after > 0, 300 * np.exp(-after / 0.6), 0.0)
    path = table(tmp_path / "irf.csv", "time_ns,0,1", TIME_NS, response(4.0), response(4.0) + tail)
    clean, tailed = read_responses(path, ACQ).values()
    assert clean.shape.measured
    for found in (clean, tailed):
        edges = found.shape.edges_ns
        assert float(found.shape.density @ np.diff(edges)) == pytest.approx(1.0)
        assert len(edges) < 120
    x = np.array([-0.15, 0.0, 0.15, 0.6])
    assert clean.shape.prompt(x) == pytest.approx([0.1587, 0.5, 0.8413, 1.0], abs=0.02)
    late = 1 - tailed.shape.prompt(np.array([4.6 - tailed.t0_ps / 1e3]))[0]
    expected = 300 * 0.6 * np.exp(-1) / (5000 * 0.15 * np.sqrt(2 * np.pi) + 300 * 0.6)
    assert late == pytest.approx(expected, rel=0.15)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "first line must be"),
        ("time_ns,counts\n", "no response peak"),
        ("time,counts\n1,2\n", "first line must be"),
        ("time_ns,counts\n1,2\n2,many\n", ":3: needs a time and 1 counts"),
        ("time_ns,counts\n1,2\n2\n", ":3: needs a time and 1 counts"),
        ("time_ns,counts\n1,nan\n", ":2: needs a time"),
        ("time_ns,counts\n1,-5\n", ":2: needs a time"),
        ("time_ns,left\n1,2\n", "channel numbers"),
        ("time_ns,counts\n2,900\n1,5\n3,5\n", "must rise"),
        ("time_ns,5\n1,900\n", "no response peak for channels 0, 1"),
        ("time_ns,counts\n1,2\n2,3\n", "no response peak"),
    ],
)
def test_a_wrong_table_is_one_line_that_names_the_file(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "irf.csv"
    path.write_text(text)
    with pytest.raises(IrfError) as error:
        read_responses(path, ACQ)
    assert says in str(error.value)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_table_and_a_foreign_file_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(IrfError, match="cannot be read"):
        read_responses(tmp_path / "none.csv", ACQ)
    foreign = tmp_path / "irf.ptu"
    foreign.write_bytes(b"not a recording")
    with pytest.raises(IrfError) as error:
        read_responses(foreign, ACQ)
    assert "\n" not in str(error.value)
