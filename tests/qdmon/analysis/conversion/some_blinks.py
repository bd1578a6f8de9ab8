"""Blinks of one kind or of both in turn, and a verdict on nine seconds of light."""

from qdmon.analysis.conversion.regimes import Mark
from qdmon.analysis.results.blinking import Blinking, BlinkingCall
from qdmon.analysis.results.estimate import UNKNOWN, Estimate


def blinks(start_s: float, stop_s: float, odds: float, rate_hz: float = 3.0) -> list[Mark]:
    return [
        Mark(start_s + (i + 0.5) / rate_hz, start_s + (i + 0.6) / rate_hz, odds, 0.02)
        for i in range(int((stop_s - start_s) * rate_hz))
    ]


def mixed_blinks(start_s: float, stop_s: float) -> list[Mark]:
    return [
        Mark(m.start_s, m.stop_s, m.odds * (-1) ** i, 0.02)
        for i, m in enumerate(blinks(start_s, stop_s, 15.0))
    ]


def call(kind: Blinking, probability: float, start_s: float = 25.0) -> BlinkingCall:
    others: tuple[Blinking, ...] = ("auger", "bc", "mixed", "hc", "none")
    probabilities = dict.fromkeys(others, (1 - probability) / 4) | {kind: probability}
    return BlinkingCall(
        start_s, start_s + 9.0, kind, None, probabilities, UNKNOWN, Estimate(0.3), (), UNKNOWN
    )
