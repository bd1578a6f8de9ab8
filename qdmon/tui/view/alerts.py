"""What wants a person: conversions, and alerts of the daemon, until acknowledged."""

from dataclasses import dataclass

from qdmon.analysis.results.blinking import Conversion
from qdmon.tui.view.numbers import plain, probability
from qdmon.tui.view.scene import Scene
from streams.text import clean_text

__all__ = ["AlertView", "alerts", "conversion_text", "pending"]


@dataclass(frozen=True, slots=True)
class AlertView:
    """An alert.

    Attributes:
        key: names it for acknowledgement, whatever more becomes known of it.
        headline: what happened, a word or two, in capitals.
        text: the rest.
        short: the rest, for a narrow terminal.
    """

    key: str
    headline: str
    text: str
    short: str


def conversion_text(conversion: Conversion) -> str:
    """One line: types, when, between which fluences, how sure, whether it was reversed."""
    error = plain(conversion.time_error_s, 1)
    reversal = {True: "reversible", False: "IRREVERSIBLE", None: "reversible? not yet known"}
    return (
        f"{conversion.before} → {conversion.after}  at {conversion.time_s:.1f} ± {error} s"
        f"  <N> {_excitation(conversion)}  p {probability(conversion.probability)}"
        f"  {reversal[conversion.reversible]}"
    )


def _short_text(conversion: Conversion) -> str:
    reversal = {True: "reversible", False: "IRREVERSIBLE", None: "reversible?"}[conversion.reversible]
    return (
        f"{conversion.before} → {conversion.after} at {conversion.time_s:.1f} s"
        f" <N> {_excitation(conversion)} p {probability(conversion.probability)} {reversal}"
    )


def _excitation(conversion: Conversion) -> str:
    levels = (conversion.mean_excitation_before, conversion.mean_excitation_after)
    return " → ".join("?" if n is None else plain(n, 2) for n in levels)


def alerts(scene: Scene) -> tuple[AlertView, ...]:
    """All there have been in this session, oldest first.

    The daemon's own conversion alerts are left out: they speak of the conversions this screen's own analysis
    of the same photons finds.
    """
    session = scene.link.session.session_id if scene.link.session else ""
    found: list[AlertView] = []
    if scene.newest is not None:
        found += [
            AlertView(f"{session}/conversion/{i}", "CONVERSION", conversion_text(c), _short_text(c))
            for i, c in enumerate(scene.newest.conversions)
        ]
    found += [
        AlertView(f"{session}/daemon/{a.alert_id}", clean_text(a.kind).upper(), *2 * (clean_text(a.text),))
        for a in scene.link.alerts
        if a.severity == "alert" and a.kind not in ("conversion", "reversibility")
    ]
    return tuple(found)


def pending(scene: Scene) -> tuple[AlertView, ...]:
    """Those not yet acknowledged, oldest first."""
    return tuple(a for a in alerts(scene) if a.key not in scene.controls.acknowledged)
