"""A verdict that waited for pairs alone is given once the light that follows shows a single emitter."""

from dataclasses import replace

import numpy as np

from hardware.types import Photons
from streams.messages import End, Fluence, Message, PhotonBatch, Segment, Session
from tests.qdmon.analysis import builders as b

DIM, DIM_S, BRIGHT_S = 0.02, 6.0, 6.0


def messages() -> list[Message]:
    """A charged dot so dim for some seconds that pairs are few, then as bright as ever."""
    rng = np.random.default_rng(3)
    acq = b.acquisition()
    found, stop = b.photons(rng, b.auger_dot(rng, DIM_S + BRIGHT_S), acq=acq)
    step = acq.pulses(DIM_S)
    kept = (found.pulse >= np.uint64(step)) | (rng.random(len(found)) < DIM)
    seen = Photons(found.pulse[kept], found.nanotime[kept], found.channel[kept])
    return [
        Session("0" * 32, 0, "test", "simulated"),
        Segment(0, acq),
        Fluence(0, 0, 0.01),
        PhotonBatch(0, 0, step, 0, seen.between(0, step)),
        Fluence(0, step, 0.2),
        PhotonBatch(0, step, stop, 0, seen.between(step, stop)),
        End("done"),
    ]


def test_a_verdict_that_waited_for_pairs_is_given_when_they_come() -> None:
    all_of_it = messages()
    while_dim = b.watch([*all_of_it[:4], End("done")]).snapshot.segments[0].call
    assert while_dim.blinking == "undetermined"
    assert while_dim.reason is not None
    assert "single emitter" in while_dim.reason
    snapshot = b.watch(all_of_it).snapshot
    first, then = snapshot.segments
    assert (first.call.blinking, then.call.blinking) == ("auger", "auger")
    assert first.call.reason is None
    assert first.call.stop_s <= DIM_S + 1e-6
    assert first.call.probabilities["auger"] > 0.9


def far_apart(message: Message) -> Message:
    """What it would be if the cable of the second detector were four pulses longer."""
    if not isinstance(message, PhotonBatch):
        return message
    seen = message.photons
    # Wherever the card's batches end, a photon stays within its own: nothing is seen of the cut.
    pulse = seen.pulse + np.where(seen.channel == 1, np.uint64(4), np.uint64(0))
    inside = pulse < np.uint64(message.stop_pulse)
    late = Photons(pulse[inside], seen.nanotime[inside], seen.channel[inside])
    order = np.argsort(late.pulse, kind="stable")
    return replace(message, photons=Photons(late.pulse[order], late.nanotime[order], late.channel[order]))


def test_two_dots_that_were_seen_at_a_wrong_delay_are_one_once_the_delay_is_known() -> None:
    all_of_it = [far_apart(message) for message in messages()]
    first = b.watch([*all_of_it[:4], End("done")]).snapshot.segments[0]
    assert first.g2.delay_origin == "rising edges"
    assert first.call.blinking == "undetermined"
    snapshot = b.watch(all_of_it).snapshot
    assert snapshot.g2.delay_origin == "missing peak"
    first, then = snapshot.segments
    assert (first.call.blinking, then.call.blinking) == ("auger", "auger")
    assert first.g2.zero.value is None
    assert first.g2.single_emitter is None


def test_a_dot_beside_another_one_is_never_proven() -> None:
    """The same with the photons of another dot among them."""
    one, other = messages(), messages()
    shift = np.uint64(7 * b.acquisition().pulses(0.013))
    mixed: list[Message] = []
    for message, second in zip(one, other, strict=True):
        if isinstance(message, PhotonBatch) and isinstance(second, PhotonBatch):
            late = (second.photons.pulse - message.first_pulse + shift) % np.uint64(
                message.stop_pulse - message.first_pulse
            ) + np.uint64(message.first_pulse)
            photons = Photons(
                np.concatenate([message.photons.pulse, late]),
                np.concatenate([message.photons.nanotime, second.photons.nanotime]),
                np.concatenate([message.photons.channel, second.photons.channel]),
            )
            order = np.argsort(photons.pulse, kind="stable")
            ordered = Photons(photons.pulse[order], photons.nanotime[order], photons.channel[order])
            message = replace(message, photons=ordered)
        mixed.append(message)
    first, then = b.watch(mixed).snapshot.segments
    assert then.call.blinking == "undetermined"
    assert max(first.call.probabilities.values()) < 0.95
