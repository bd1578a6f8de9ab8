"""Any flipped bit, cut or zeroed page: found by verify, only its block lost, never a wrong photon."""

import random
from pathlib import Path

import pytest

from tests.faults.damage import KINDS, Victim

CASES = 30


@pytest.mark.parametrize("closed", [True, False], ids=["closed", "never closed"])
@pytest.mark.parametrize("kind", KINDS)
def test_damage_is_found_and_costs_no_more_than_the_block_it_hit(
    kind: str, closed: bool, tmp_path: Path
) -> None:
    victim = Victim(tmp_path, closed=closed)
    rng = random.Random(f"{kind} {closed}")
    outcomes = {victim.check(kind, rng) for _ in range(CASES)}
    assert "found, its block lost" in outcomes
