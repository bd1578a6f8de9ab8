"""What the blinks of one regime say of its type: by number, and by the light each kind loses."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdmon.analysis.conversion.regimes import TYPES, Mark, Regime, likely, loss_shares


def blinks(auger: int, trap: int, *, auger_lost_s: float = 0.02, trap_lost_s: float = 0.02) -> list[Mark]:
    """So many of either kind, well mixed."""
    charged = np.random.default_rng(4).permutation(np.repeat([True, False], [auger, trap])).tolist()
    return [
        Mark(i, i + 0.1, 15.0 if c else -15.0, auger_lost_s if c else trap_lost_s)
        for i, c in enumerate(charged)
    ]


@pytest.mark.parametrize(
    ("auger", "trap", "kind"), [(60, 0, "auger"), (0, 60, "bc"), (40, 40, "mixed"), (78, 1, "auger")]
)
def test_the_type_is_that_of_the_share(auger: int, trap: int, kind: str) -> None:
    types = Regime.of(blinks(auger, trap)).types()
    assert max(types, key=lambda k: types[k]) == kind


def test_types_are_named_until_little_chance_is_left_for_others() -> None:
    assert likely({"bc": 0.02, "mixed": 0.96, "auger": 0.02}) == ("mixed",)
    assert likely({"bc": 0.02, "mixed": 0.3, "auger": 0.68}) == ("auger", "mixed")
    assert likely({"bc": 0.02, "mixed": 0.3, "auger": 0.68}, "mixed") == ("mixed", "auger")
    assert likely({"bc": 0.3, "mixed": 0.3, "auger": 0.4}) == ("auger", "bc", "mixed")


def test_short_charged_dwells_between_long_trapped_ones_make_no_mixed_dot() -> None:
    types = Regime.of(blinks(20, 60, auger_lost_s=0.01, trap_lost_s=0.2)).types()
    assert types["bc"] > 0.99
    alike = Regime.of(blinks(20, 60)).types()
    assert alike["mixed"] > 0.9


@given(
    auger=st.integers(0, 40),
    trap=st.integers(0, 40),
    losses=st.tuples(st.floats(1e-4, 10.0), st.floats(1e-4, 10.0)),
)
def test_probabilities_add_up_whatever_the_blinks(auger: int, trap: int, losses: tuple[float, float]) -> None:
    marks = blinks(auger, trap, auger_lost_s=losses[0], trap_lost_s=losses[1])
    assert sum(Regime.of(marks).types().values()) == pytest.approx(1.0)
    assert np.all(np.diff(loss_shares(Regime.of(marks).losses)) >= 0)


def test_pure_blinks_are_evidence_against_the_other_types() -> None:
    pure = dict(zip(TYPES, Regime.of(blinks(40, 0)).by_type(), strict=True))
    assert max(pure["bc"], pure["mixed"]) < pure["auger"] - 1


def test_no_blinks_are_no_evidence() -> None:
    assert Regime.of([]).log_evidence() == pytest.approx(0.0)
