"""Instrument drivers by name: the entry points of group `qdmon.drivers`, ours or anybody's.

A driver is a callable that takes options as keywords and returns a `Bench`; nothing is opened or
switched on by it. Its module says in `VERIFICATION` how far the driver was shown to work, and in `ROLES`
which instruments its bench has.
"""

import difflib
import inspect
import sys
from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from hardware.protocols import Bench, DeviceError
from hardware.types import Verification

__all__ = ["DRIVER_GROUP", "combine", "create_bench", "driver_names", "roles", "verification"]

DRIVER_GROUP = "qdmon.drivers"


def _drivers() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=DRIVER_GROUP)}


def driver_names() -> tuple[str, ...]:
    """Installed drivers, sorted."""
    return tuple(sorted(_drivers()))


def _load(name: str) -> Any:
    """The driver's callable; DeviceError if it is unknown or cannot be imported."""
    drivers = _drivers()
    if name not in drivers:
        near = difflib.get_close_matches(name, drivers, n=1)
        hint = f"did you mean {near[0]}?" if near else f"installed: {', '.join(sorted(drivers)) or 'none'}"
        raise DeviceError(f"no driver named {name!r}; {hint}")
    try:
        return drivers[name].load()
    except (ImportError, AttributeError, OSError) as error:
        raise DeviceError(f"driver {name} cannot be loaded: {error}") from error


def verification(name: str) -> Verification | None:
    """How far a driver was shown to work; None if it does not say. Raises DeviceError."""
    level = getattr(sys.modules[_load(name).__module__], "VERIFICATION", None)
    return level if isinstance(level, Verification) else None


def roles(name: str) -> tuple[str, ...]:
    """Which instruments a driver brings, e.g. "card"; empty if it does not say. Raises DeviceError."""
    said = getattr(sys.modules[_load(name).__module__], "ROLES", ())
    return tuple(role for role in said if isinstance(role, str)) if isinstance(said, tuple) else ()


def create_bench(driver: str, options: Mapping[str, Any]) -> Bench:
    """The instruments of a driver; DeviceError if it is unknown or refuses the options."""
    factory = _load(driver)
    try:
        inspect.signature(factory).bind(**options)
    except TypeError as error:
        known = ", ".join(inspect.signature(factory).parameters)
        raise DeviceError(f"driver {driver}: {error}; its options are {known or 'none'}") from error
    try:
        bench = factory(**options)
    except ValueError as error:
        raise DeviceError(f"driver {driver}: {error}") from error
    if not isinstance(bench, Bench):
        raise DeviceError(f"driver {driver} returned no bench; it must return hardware.protocols.Bench")
    return bench


def combine(card_bench: Bench, laser_bench: Bench) -> Bench:
    """The card of one bench with the laser of another."""
    return replace(
        card_bench,
        laser=laser_bench.laser,
        mean_excitation_per_permille=laser_bench.mean_excitation_per_permille,
        identity={**card_bench.identity, **laser_bench.identity},
    )
