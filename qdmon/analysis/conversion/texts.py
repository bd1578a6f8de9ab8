"""Lines of the event list on how a dot blinks: conversions, what came of them, and shares that moved."""

from collections.abc import Sequence

from qdmon.analysis.results.blinking import Blinking, BlinkingCall, Conversion

__all__ = ["conversion_text", "refined_text", "return_text", "share_text"]


def conversion_text(
    c: Conversion, maybe_before: Sequence[Blinking] = (), maybe_after: Sequence[Blinking] = ()
) -> str:
    """The line of the alert.

    Args:
        c: the conversion; its probability is that the type changed, whatever to.
        maybe_before: types it may have been beside the one named.
        maybe_after: types it may have become.
    """
    fluence = ""
    if c.mean_excitation_after is not None:
        fluence = f" at <N> = {c.mean_excitation_after:g}"
        if c.mean_excitation_before is not None and c.mean_excitation_before != c.mean_excitation_after:
            fluence = f" as <N> went {c.mean_excitation_before:g} -> {c.mean_excitation_after:g}"
    before, after = " or ".join([c.before, *maybe_before]), " or ".join([c.after, *maybe_after])
    return f"{before} -> {after} at {c.time_s:.1f} s{fluence} (p {c.probability:.2f})"


def refined_text(c: Conversion, call: BlinkingCall) -> str:
    """The line that says what a conversion turned out to lead to.

    Args:
        c: the conversion as it is told now.
        call: the verdict that says so.
    """
    return (
        f"{c.before} -> {c.after} at {c.time_s:.1f} s, by {call.stop_s - call.start_s:.1f} s of light since"
    )


def return_text(c: Conversion, now: Sequence[Blinking], mean_excitation: float | None) -> str:
    """The line of the alert on a return.

    Args:
        c: the conversion.
        now: what the dot may be of since the return, likeliest first.
        mean_excitation: <N> since the return.
    """
    if c.reversible:
        verdict = f"reversible: it is {c.before} again"
    elif list(now) == [c.after]:
        verdict = f"irreversible: it is still {c.after}"
    else:
        verdict = f"irreversible: it is {' or '.join(now)} now"
    return f"{c.before} -> {c.after} is {verdict} at <N> = {mean_excitation:g}"


def share_text(before: BlinkingCall, behind: BlinkingCall) -> str:
    """The line that says by how much the share of a dot moved that stayed of its type.

    Args:
        before: verdict on the light up to a step of the fluence.
        behind: on that since.
    """
    old, new = (call.auger_share.value or 0.0 for call in (before, behind))
    return f"Auger's share of the loss went {old:.2f} -> {new:.2f} with the fluence; still {behind.blinking}"
