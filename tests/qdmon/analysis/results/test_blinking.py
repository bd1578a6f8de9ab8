"""Types of blinking: those that have a probability are all but the one that says there is none."""

from typing import get_args

import pytest

from qdmon.analysis.dot.verdict import undetermined
from qdmon.analysis.results.blinking import BLINKING_TYPES, Blinking


def test_every_type_but_undetermined_has_a_probability() -> None:
    assert {*BLINKING_TYPES, "undetermined"} == set(get_args(Blinking))
    assert len(BLINKING_TYPES) == len(get_args(Blinking)) - 1


def test_where_nothing_is_known_all_types_are_as_likely() -> None:
    found = undetermined(0.0, 1.0, "no photons").probabilities
    assert tuple(found) == BLINKING_TYPES
    assert list(found.values()) == pytest.approx([1 / len(BLINKING_TYPES)] * len(BLINKING_TYPES))
