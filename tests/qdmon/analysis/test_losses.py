"""Lost photons are not darkness: they stay out of rates, fits and states."""

from collections.abc import Sequence
from functools import cache

import numpy as np
import pytest

from hardware.types import LossCause, Photons
from qdmon.analysis.settings import AnalysisSettings
from qdmon.summary import summary_lines
from streams.messages import End, Gap, Message, PhotonBatch
from tests.qdmon.analysis import builders as b

SECONDS = 8.5


def with_losses(
    lost_s: Sequence[tuple[float, float]], *, flagged: bool = True, seconds: float = SECONDS
) -> b.Watched:
    """A textbook dot of which some stretches never arrived."""
    rng = np.random.default_rng(31)
    acq = b.acquisition()
    dwells = b.auger_dot(rng, seconds)
    found, stop = b.photons(rng, dwells, acq=acq)
    keep = np.ones(len(found), bool)
    gaps = []
    for start_s, stop_s in lost_s:
        gap = Gap(0, acq.pulses(start_s), acq.pulses(stop_s), LossCause.FIFO_OVERRUN)
        keep &= (found.pulse < gap.first_pulse) | (found.pulse >= gap.stop_pulse)
        gaps.append(gap)
    found = Photons(found.pulse[keep], found.nanotime[keep], found.channel[keep])
    messages: list[Message] = []
    for message in b.session(acq, found, stop):
        if isinstance(message, PhotonBatch) and flagged:
            messages += [g for g in gaps if message.first_pulse <= g.first_pulse < message.stop_pulse]
        messages.append(message)
    settings = AnalysisSettings(background_cps={None: 200.0})
    return b.watch([*messages, End("done")], settings, dwells)


FIFTH = [(0.3 + 0.5 * i, 0.4 + 0.5 * i) for i in range(int(2 * SECONDS) - 1)]


@cache
def whole() -> b.Watched:
    return with_losses([])


@cache
def torn() -> b.Watched:
    return with_losses(FIFTH)


def test_a_fifth_of_the_time_lost_and_flagged_leaves_rate_and_type_as_they_are() -> None:
    assert torn().snapshot.photons < 0.85 * whole().snapshot.photons
    assert torn().segment.call.blinking == whole().segment.call.blinking == "auger"
    seen = torn().segment.mean_rate_cps.value
    assert seen == pytest.approx(whole().segment.mean_rate_cps.value, rel=0.03)


def test_losses_are_in_the_summary() -> None:
    assert any("losses" in line for line in summary_lines(torn().snapshot))


def test_a_fifth_of_the_time_lost_and_flagged_leaves_the_levels_as_they_are() -> None:
    for ours, full in zip(torn().segment.call.states, whole().segment.call.states, strict=True):
        assert ours.intensity_cps.value == pytest.approx(full.intensity_cps.value, rel=0.01)
        assert ours.lifetime_ns.value == pytest.approx(full.lifetime_ns.value, rel=0.02)


def test_background_is_taken_off_only_where_photons_were_looked_for() -> None:
    assert torn().snapshot.lifetime_ns.value == pytest.approx(whole().snapshot.lifetime_ns.value, rel=0.01)


def test_rates_of_events_refer_to_the_time_looked_at() -> None:
    ours, full = torn().segment.charging_rate_hz, whole().segment.charging_rate_hz
    assert ours.value is not None
    assert full.value is not None
    # A dwell that a loss cuts in two is seen twice, one inside a loss not at all.
    assert abs(ours.value - full.value) < max(ours.error or 0.0, full.error or 0.0) * 1.5


def test_the_loss_of_light_is_not_the_loss_of_photons() -> None:
    ours, full = torn().segment.call.loss.value, whole().segment.call.loss.value
    assert ours is not None
    assert full is not None
    assert ours == pytest.approx(full, abs=0.03)


def test_losses_are_counted_marked_in_the_trace_and_told() -> None:
    snapshot = torn().snapshot
    assert snapshot.lost_s == pytest.approx(0.1 * len(FIFTH), rel=1e-6)
    assert len(snapshot.losses) == len(FIFTH)
    trace = snapshot.trace
    dark = trace.counts == 0
    assert trace.lost[dark].all()
    assert trace.lost.sum() == pytest.approx(10 * len(FIFTH), abs=2 * len(FIFTH))
    told = [e for e in torn().events if e.kind == "loss"]
    assert len(told) == len(FIFTH)
    assert all("fifo overrun" in e.text for e in told)


def test_the_same_darkness_without_a_flag_does_change_the_rate() -> None:
    rate = with_losses(FIFTH, flagged=False).segment.mean_rate_cps.value
    full = whole().segment.mean_rate_cps.value
    assert rate is not None
    assert full is not None
    assert rate < 0.9 * full


def test_eleven_seconds_lost_do_not_bleach_a_dot() -> None:
    rng = np.random.default_rng(32)
    acq = b.acquisition()
    found, _ = b.photons(rng, b.auger_dot(rng, 4.0), acq=acq)
    first, last = acq.pulses(4.0), acq.pulses(15.5)
    found = found.between(0, first)
    messages = b.session(acq, found, first)
    messages.append(Gap(0, first, last, LossCause.MESSAGES_DROPPED))
    width = acq.pulses(0.05)
    messages += [
        PhotonBatch(0, p, min(p + width, last), 0, Photons.empty()) for p in range(first, last, width)
    ]
    watched = b.watch([*messages, End("done")])
    assert "bleach" not in watched.kinds()
    assert watched.segment.mean_rate_cps.value == pytest.approx(len(found) / 4.0, rel=0.01)


def test_the_live_rate_ignores_what_is_lost() -> None:
    watched = with_losses([(2.4, 2.9)], seconds=3.0)
    late = watched.snapshot.rate_cps.value
    assert late is not None
    # Half of the last second is lost: over all of it the rate would be 38 kcps.
    assert late > 60e3
