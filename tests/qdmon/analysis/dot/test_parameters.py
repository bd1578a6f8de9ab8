"""Parameters go by name: each has one place in every vector."""

from dataclasses import fields

import pytest

from qdmon.analysis.dot.parameters import PARAMETERS, P, in_order
from qdmon.analysis.dot.states import DotModel


def test_a_dot_is_made_from_its_parameters_in_their_order() -> None:
    assert tuple(field.name for field in fields(DotModel))[: len(P)] == PARAMETERS


def test_numbers_told_in_any_order_come_out_in_that_of_the_parameters() -> None:
    values = {place: float(place) for place in reversed(P)}
    assert in_order(values).tolist() == list(range(len(P)))


def test_no_parameter_is_forgotten() -> None:
    values = dict.fromkeys(P, 0.0)
    del values[P.BETA]
    with pytest.raises(KeyError):
        in_order(values)
