"""kill -9 of the recording process costs nothing that was acknowledged."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

KILLS = 6


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_killing_the_process_costs_nothing_that_was_acknowledged() -> None:
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.kill", str(KILLS)], cwd=root, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "block" in done.stdout
