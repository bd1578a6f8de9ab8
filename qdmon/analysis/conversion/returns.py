"""Back at the fluence before a conversion: whether the dot is what it was, by its blinks and by its light."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from qdmon.analysis.conversion.regimes import TYPES, Mark, Regime
from qdmon.analysis.conversion.type_change import leaning_of
from qdmon.analysis.results.blinking import Blinking, BlinkingCall

__all__ = ["odds_by_blinks", "odds_of_return"]

FloatArray = NDArray[np.float64]

# Log odds at which a return is called one or the other: twenty to one.
LEAST_ODDS = 3.0
# A return that is none shows by so many blinks, where no law speaks: an odd one may be an old charge.
FEWEST_AGAINST = 5
# A dot that is neither what it was nor what it became is that much rarer, in nats.
THIRD_ODDS = 3.0
# No law is surer of a type, or of another one.
LEAST_CHANCE = 1e-9


def odds_by_blinks(
    before: Sequence[Mark], after: Sequence[Mark], now: Sequence[Mark], kind: Blinking
) -> float:
    """Log odds that some blinks are of the regime before a conversion: not of that after, nor a third.

    A regime of its own counts as another only if its type is not the old one.

    Args:
        before: blinks of the regime before.
        after: of that after.
        now: those since the return.
        kind: type before.
    """
    back, still = (
        Regime.of([*old, *now]).log_evidence() - Regime.of(old).log_evidence() for old in (before, after)
    )
    by_type = Regime.of(now).by_type()
    others = [e for e, name in zip(by_type, TYPES, strict=True) if name != kind]
    return float(back - max(still, max(others) - THIRD_ODDS))


def odds_of_return(
    kind: Blinking, by_blinks: float, blinks: int, call: BlinkingCall | None, law: FloatArray | None
) -> float | None:
    """Log odds that the old type is back, by blinks and light; None while they do not tell.

    A sure law decides. Any other verdict that names a way to blink can only object to what the blinks say.

    Args:
        kind: the old type.
        by_blinks: log odds by the blinks since the return.
        blinks: number of these.
        call: verdict on the light since then; None if there is none.
        law: (3,) chance of each of `TYPES` of the law behind it; None if it does not speak of them.
    """
    odds = by_blinks
    if law is not None:
        odds = _with_law(odds, float(law[TYPES.index(kind)]))
    else:
        if call is not None and call.blinking != "none":
            odds = _unopposed(odds, leaning_of(call)[kind])
        if odds < 0 and blinks < FEWEST_AGAINST:
            return None
    return odds if abs(odds) >= LEAST_ODDS else None


def _with_law(odds: float, chance: float) -> float:
    """Log odds by blinks, and by a law that is the old one with this chance."""
    by_law = float(logit(np.clip(chance, LEAST_CHANCE, 1 - LEAST_CHANCE)))
    return by_law if abs(by_law) >= LEAST_ODDS else _unopposed(odds, chance)


def _unopposed(odds: float, chance: float) -> float:
    """Log odds by blinks; none where the light speaks against them."""
    return odds if odds * (chance - 0.5) > 0 else 0.0
