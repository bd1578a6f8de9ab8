"""Drivers by name."""

from importlib.metadata import EntryPoint

import pytest

from hardware import registry
from hardware.protocols import DeviceError


def test_the_simulated_bench_is_an_installed_driver() -> None:
    assert "sim" in registry.driver_names()
    bench = registry.create_bench("sim", {"preset": "cdse-zns-2nm", "seed": 1})
    assert bench.laser is not None


def test_an_unknown_driver_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(DeviceError, match="no driver named 'simm'; did you mean sim"):
        registry.create_bench("simm", {})


def test_an_option_that_does_not_exist_is_named_with_those_that_do() -> None:
    with pytest.raises(DeviceError, match=r"driver sim: .*'colour'.*options are preset, seed"):
        registry.create_bench("sim", {"preset": "cdse-zns-2nm", "colour": "red"})


def test_an_option_out_of_range_says_so() -> None:
    with pytest.raises(DeviceError, match="speed"):
        registry.create_bench("sim", {"preset": "cdse-zns-2nm", "speed": -1.0})


def test_a_driver_that_cannot_be_imported_is_an_error_and_not_a_crash(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broken = EntryPoint("broken", "no_such_module:make", registry.DRIVER_GROUP)
    monkeypatch.setattr(registry, "_drivers", lambda: {"broken": broken})
    with pytest.raises(DeviceError, match="broken cannot be loaded: No module named"):
        registry.create_bench("broken", {})


def test_card_and_laser_may_come_from_different_drivers() -> None:
    left = registry.create_bench("sim", {"preset": "cdse-zns-2nm", "seed": 1})
    right = registry.create_bench("sim", {"preset": "mapbbr3", "seed": 2})
    both = registry.combine(left, right)
    assert both.card is left.card
    assert both.laser is right.laser
