"""The large numbers: value, unit, error and what they lean on."""

from dataclasses import dataclass

from qdmon.analysis.results.estimate import Estimate
from qdmon.tui.render.inks import Ink
from qdmon.tui.view.numbers import UNKNOWN_TEXT, measured, plain, with_error
from qdmon.tui.view.scene import Scene
from streams.text import clean_text

__all__ = ["Readout", "readouts"]

WEAK_EXCITATION = 0.3
"""Below this <N> the paper speaks of weak excitation."""


@dataclass(frozen=True, slots=True)
class Readout:
    """One number.

    Attributes:
        label: what it is.
        value: rounded to its error.
        unit: "" if it has none.
        error: "± ..." with the unit; "" if unknown.
        note: a second line.
        note_ink: how loud the note is.
        short: all on one line, for small terminals.
    """

    label: str
    value: str
    unit: str
    error: str
    note: str
    note_ink: Ink
    short: str


def _readout(
    label: str,
    estimate: Estimate,
    unit: str,
    note: str = "",
    scale: float = 1.0,
    note_ink: Ink = Ink.MUTED,
    symbol: str = "",
) -> Readout:
    value, error = measured(estimate, scale)
    error_text = f"± {error} {unit}".rstrip() if error else "no error known" if value != UNKNOWN_TEXT else ""
    short = f"{symbol} {with_error(estimate, unit, scale)}".strip()
    return Readout(label, value, unit, error_text, note, note_ink, short)


def readouts(scene: Scene) -> tuple[Readout, ...]:
    """Rate, lifetime, g2(0) and <N>, in that order."""
    return (_rate(scene), _lifetime(scene), _g2_zero(scene), _excitation(scene))


def _rate(scene: Scene) -> Readout:
    snapshot = scene.snapshot
    if snapshot is None:
        return _readout("rate", Estimate(None), "kcps")
    channels = "  ".join(f"ch{c} {plain(r * 1e-3)}" for c, r in sorted(snapshot.channel_rate_cps.items()))
    if scene.controls.per_bin:
        bin_s = snapshot.trace.bin_s
        unit = f"/{1e3 * bin_s:g} ms"
        return _readout("counts", snapshot.rate_cps, unit, channels + " kcps", bin_s)
    return _readout("rate", snapshot.rate_cps, "kcps", channels, 1e-3)


def _lifetime(scene: Scene) -> Readout:
    snapshot = scene.snapshot
    if snapshot is None:
        return _readout("lifetime", Estimate(None), "ns", symbol="τ")
    if snapshot.acquisition.mode == "T2":
        return _readout("lifetime", Estimate(None), "ns", "T2 data: no laser pulses", symbol="τ")
    chi2 = snapshot.decay.chi2_reduced
    assumed = snapshot.calibration.irf_origin == "assumed"
    note = "" if chi2 is None else f"χ² {chi2:.2f}{', IRF assumed' if assumed else ''}"
    ink = Ink.WARN if assumed and note else Ink.MUTED
    return _readout("lifetime", snapshot.lifetime_ns, "ns", note, note_ink=ink, symbol="τ")


def _g2_zero(scene: Scene) -> Readout:
    label = "g²(0)"
    if scene.snapshot is None:
        return _readout(label, Estimate(None), "", symbol=label)
    g2 = scene.snapshot.g2
    verdict, ink = {
        True: ("● single", Ink.OK),
        False: ("▲ NOT single", Ink.ALERT),
        None: ("○ single?", Ink.MUTED),
    }[g2.single_emitter]
    limit = "" if g2.upper_limit_99 is None else f" <{plain(g2.upper_limit_99, 2)} (99%)"
    return _readout(label, g2.zero, "", verdict + limit, note_ink=ink, symbol=label)


def _excitation(scene: Scene) -> Readout:
    step = scene.fluence
    if step is None:
        return _readout("excitation <N>", Estimate(None), "", "fluence not known", symbol="<N>")
    if step.mean_excitation is None:
        return Readout("excitation <N>", UNKNOWN_TEXT, "", "changing or unknown", "", Ink.MUTED, "<N> --")
    weak = "weak" if step.mean_excitation < WEAK_EXCITATION else "strong: multiexcitons"
    fluence = scene.link.fluence
    origin = clean_text(fluence.origin) if fluence is not None else "origin unknown"
    ink = Ink.WARN if origin == "uncalibrated" else Ink.MUTED
    value = f"{step.mean_excitation:.2f}"
    return Readout("excitation <N>", value, "", weak, origin, ink, f"<N> {value}")
