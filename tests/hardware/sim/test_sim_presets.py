"""Presets: every sample of the paper by name, found without compiling anything."""

import subprocess
import sys

import pytest

from hardware.sim import create_bench, describe, preset_names
from hardware.sim.presets import PRESETS

OF_THE_PAPER = {
    "cdse-zns-2nm",
    "cdse-zns-2nm-oa",
    "cdse-zns-2nm-oam",
    "cdse-zns-2nm-thiol",
    "cdse-zns-3nm",
    "cdse-zns-1.2nm",
    "cdse-zns-0.7nm",
    "cdse-zns-small",
    "mapbbr3",
    "cspbbr3-small",
    "cspbbr3-large",
    "cspbi3-small",
    "cspbi3-large",
}


def test_every_sample_of_the_paper_is_there() -> None:
    assert set(preset_names()) == OF_THE_PAPER


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_describes_itself_in_one_line(name: str) -> None:
    text = describe(name)
    assert "MHz" in text
    assert "\n" not in text


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_is_physically_possible(name: str) -> None:
    exciton = PRESETS[name].dot.exciton
    radiative = exciton.quantum_yield / exciton.lifetime_ns
    constant = (1 - exciton.quantum_yield) / exciton.lifetime_ns
    auger = 1 / exciton.trion_lifetime_ns - exciton.radiative_ratio * radiative - constant
    assert auger > 0.0
    assert exciton.trion_lifetime_ns > 0.08 * exciton.lifetime_ns
    pair_lifetime = exciton.biexciton_yield_ratio * exciton.lifetime_ns / 4
    assert pair_lifetime < exciton.trion_lifetime_ns / 2


def test_an_unknown_preset_names_the_nearest_and_all() -> None:
    with pytest.raises(
        ValueError, match="unknown preset 'cdse-zns-2mm': did you mean cdse-zns-2nm"
    ) as caught:
        create_bench(preset="cdse-zns-2mm")
    message = str(caught.value)
    assert "\n" not in message
    assert all(name in message for name in OF_THE_PAPER)


def test_names_are_known_without_numba() -> None:
    code = "import sys, hardware.sim as s; s.preset_names(); sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
