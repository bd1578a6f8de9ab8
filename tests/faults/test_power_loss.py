"""A power cut costs what was not yet durable, and never yields a wrong photon."""

import random
from pathlib import Path

import pytest

from tests.faults.power_loss import power_loss


@pytest.mark.parametrize("case", range(40))
def test_what_was_durable_survives_a_power_cut(case: int, tmp_path: Path) -> None:
    assert power_loss(tmp_path, random.Random(case))
