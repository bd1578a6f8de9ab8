"""Back at the fluence before a conversion: whether the dot is what it was, by its blinks and by its light."""

from collections.abc import Sequence

import numpy as np
from scipy.special import expit, logit

from qdmon.analysis.conversion.regimes import TYPES, Mark, Regime
from qdmon.analysis.conversion.type_change import law_of, leaning_of, share_of_blinks, share_of_law
from qdmon.analysis.results.blinking import Blinking, BlinkingCall
from qdmon.analysis.results.estimate import Estimate

__all__ = ["odds_by_blinks", "odds_by_law", "odds_of_return"]

# Log odds at which a return is called one or the other: twenty to one.
LEAST_ODDS = 3.0
# A return that is none shows by so many blinks, where no law speaks: an odd one may be an old charge.
FEWEST_AGAINST = 5
# A dot that is neither what it was nor what it became is that much rarer, in nats.
THIRD_ODDS = 3.0
# No law is surer of a type, or of another one.
LEAST_CHANCE = 1e-9
# A share that is back is what it was to so much.
SAME_SHARE = 0.1


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


def odds_by_law(
    kind: Blinking, call: BlinkingCall, before: Sequence[Mark], after: Sequence[Mark], now: Sequence[Mark]
) -> float | None:
    """Log odds that the law behind a verdict is of the old type, or has the old share, whatever its name.

    The share of a mixed dot that is back may be a little higher or lower than it was, across a border or not.

    Args:
        kind: the old type.
        call: verdict on the light since the return.
        before: blinks of the regime before the conversion.
        after: of that after.
        now: those since the return.

    Returns:
        None if the verdict does not speak of a law.
    """
    law, share = law_of(call, now), share_of_law(call, now)
    if law is None:
        return None
    by_type = float(logit(np.clip(law[TYPES.index(kind)], LEAST_CHANCE, 1 - LEAST_CHANCE)))
    old, new = share_of_blinks(before), share_of_blinks(after)
    if share is None or old is None or new is None:
        return by_type
    # Any share from 0 to 1 has density 1.
    by_share = _log_density(share, old) - max(_log_density(share, new), -THIRD_ODDS)
    return max(by_type, by_share) if by_share > 0 else by_type


def _log_density(now: Estimate, before: Estimate) -> float:
    """Of a share, if the law behind it is much the same as that behind another."""
    sd = float(np.hypot(np.hypot(now.error or 0.0, before.error or 0.0), SAME_SHARE))
    away = ((now.value or 0.0) - (before.value or 0.0)) / sd
    return float(-0.5 * away**2 - np.log(sd * np.sqrt(2 * np.pi)))


def odds_of_return(
    kind: Blinking, by_blinks: float, blinks: int, call: BlinkingCall | None, by_law: float | None
) -> float | None:
    """Log odds that the old type is back, by blinks and light; None while they do not tell.

    A sure law decides. Any other verdict that names a way to blink can only object to what the blinks say.

    Args:
        kind: the old type.
        by_blinks: log odds by the blinks since the return.
        blinks: number of these.
        call: verdict on the light since then; None if there is none.
        by_law: log odds by the law behind it; None if it does not speak of one.
    """
    odds = by_blinks
    if by_law is not None:
        odds = by_law if abs(by_law) >= LEAST_ODDS else _unopposed(odds, float(expit(by_law)))
    else:
        if call is not None and call.blinking != "none":
            odds = _unopposed(odds, leaning_of(call)[kind])
        if odds < 0 and blinks < FEWEST_AGAINST:
            return None
    return odds if abs(odds) >= LEAST_ODDS else None


def _unopposed(odds: float, chance: float) -> float:
    """Log odds by blinks; none where the light speaks against them."""
    return odds if odds * (chance - 0.5) > 0 else 0.0
