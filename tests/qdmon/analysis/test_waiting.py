"""Photons that wait for time zero: in their order, and never too many."""

import numpy as np
import pytest

from hardware.types import Photons
from qdmon.analysis import waiting
from qdmon.analysis.waiting import WaitingPhotons


def portion(count: int) -> Photons:
    return Photons(np.arange(count, dtype=np.uint64), np.zeros(count, np.uint16), np.zeros(count, np.uint8))


def filled(*counts: int) -> WaitingPhotons:
    found = WaitingPhotons()
    for i, count in enumerate(counts):
        found.add(portion(count), 100 * (i + 1))
    return found


def test_they_are_taken_once_in_the_order_they_came() -> None:
    found = filled(3, 0, 2)
    assert [(len(photons), stop) for photons, stop in found.taken()] == [(3, 100), (0, 200), (2, 300)]
    assert found.taken() == []


def test_the_older_half_is_forgotten() -> None:
    found = filled(3, 0, 2, 4, 1)
    found.forget_older_half()
    assert [stop for _, stop in found.taken()] == [300, 400, 500]


@pytest.mark.parametrize(("name", "most"), [("MOST_PENDING", 9), ("MOST_WAITING", 4)])
def test_photons_and_portions_both_have_an_end(name: str, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, name, most)
    found = filled(3, 0, 2, 4)
    seen = [found.too_many]
    found.add(portion(1), 500)
    seen.append(found.too_many)
    found.forget_older_half()
    assert [*seen, found.too_many] == [False, True, False]
