"""`qdmon analyze` with what is known of the set-up."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qdmon.cli.app import main
from streams.formats import write_ptu
from tests.qdmon.analysis import builders as b

ACQ = b.acquisition()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dot that is lit for 2 s and dark for 2 s, and a dark recording."""
    path = tmp_path_factory.mktemp("calibration")
    rng = np.random.default_rng(1)
    dwells = [*b.auger_dot(rng, 2.0), b.Dwell(2.0, 0.0, 1.0)]
    write_ptu(path / "dot.ptu", ACQ, [b.photons(rng, dwells, acq=ACQ, background_cps=500.0)])
    dark = b.photons(rng, [b.Dwell(5.0, 0.0, 1.0)], acq=ACQ, background_cps=500.0)
    write_ptu(path / "dark.ptu", ACQ, [dark])
    return path


def analyzed(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    with pytest.raises(SystemExit) as ended:
        main(["analyze", *words, "--json"])
    assert ended.value.code == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_a_dark_recording_gives_the_background(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = analyzed(capsys, str(folder / "dot.ptu"), "--dark", str(folder / "dark.ptu"))
    assert found["calibration"]["background_origin"].startswith("dark recording")
    assert found["calibration"]["background_cps"]["0"] == pytest.approx(500, rel=0.1)
    assert found["options"]["dark"] == found["calibration"]["background_origin"]


def test_a_dark_span_gives_the_background_and_is_left_out(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = analyzed(capsys, str(folder / "dot.ptu"), "--dark-span", "2.4:4", "--dead-time-ns", "30")
    assert found["calibration"]["background_origin"] == "dark stretch"
    assert found["calibration"]["background_cps"]["1"] == pytest.approx(500, rel=0.15)
    assert found["calibration"]["dead_time_ns"] == found["options"]["dead_time_ns"] == 30
    assert found["segments"][0]["stop_s"] == pytest.approx(2.4, abs=0.01)


@cache
def mistakes() -> dict[tuple[str, ...], str]:
    return {
        ("--dark-span", "3"): "give START:STOP",
        ("--dark", "missing.ptu"): "missing.ptu",
        ("--dead-time-ns", "-4"): "give nanoseconds, 0 or more",
    }


@pytest.mark.parametrize("words", list(mistakes()))
def test_a_mistake_is_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["analyze", str(folder / "dot.ptu"), *words])
    assert ended.value.code == 2
    said = capsys.readouterr().err.strip()
    assert mistakes()[words] in said
    assert "\n" not in said
