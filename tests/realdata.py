"""Where the published instrument recordings are, for tests that need them; they skip without."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

__all__ = ["REAL", "real_file", "truth"]

REAL = (Path(__file__).parents[1] / "../shared/data/real").resolve()


def real_file(name: str) -> Path:
    """A recording by its path inside the collection; skips the test if it is not there."""
    if not (path := REAL / name).is_file():
        pytest.skip(f"real recording {name} is not beside this checkout (shared/data/real)")
    return path


@cache
def _all_truth() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((REAL / "TRUTH.json").read_text())
    return loaded


def truth(name: str) -> dict[str, Any]:
    """What independent readers agree that a recording holds (TRUTH.json); skips if it is not there."""
    real_file("TRUTH.json")
    found: dict[str, Any] = _all_truth()[name]
    return found
