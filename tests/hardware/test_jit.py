"""Compiled kernels are kept, until any kernel changes that they may have been compiled with."""

from pathlib import Path

import pytest

from hardware.jit import state_of_kernels

KERNEL = "from hardware.jit import jit\n\n\n@jit\ndef twice(x: float) -> float:\n    return 2.0 * x\n"


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    for package in ("hardware", "streams", "qdmon", "elsewhere"):
        (tmp_path / package / "inner").mkdir(parents=True)
    (tmp_path / "hardware" / "kernels.py").write_text(KERNEL)
    (tmp_path / "qdmon" / "inner" / "caller.py").write_text(KERNEL.replace("twice", "thrice"))
    (tmp_path / "qdmon" / "screen.py").write_text("WIDTH = 80\n")
    return tmp_path


def test_a_change_in_any_file_of_kernels_is_another_state(sources: Path) -> None:
    before = state_of_kernels(sources)
    for changed in (sources / "hardware" / "kernels.py", sources / "qdmon" / "inner" / "caller.py"):
        original = changed.read_text()
        changed.write_text(original.replace("2.0", "3.0"))
        assert state_of_kernels(sources) != before
        changed.write_text(original)
        assert state_of_kernels(sources) == before


def test_a_change_elsewhere_leaves_what_is_compiled(sources: Path) -> None:
    before = state_of_kernels(sources)
    (sources / "qdmon" / "screen.py").write_text("WIDTH = 81\n")
    (sources / "elsewhere" / "kernels.py").write_text(KERNEL)
    assert state_of_kernels(sources) == before
