"""A replay of a recording shows what the live session showed: the same numbers, the same alerts."""

import asyncio
import copy
import shutil
from dataclasses import dataclass, replace

import numpy as np
import pytest

from qdmon.analysis.results.estimate import Estimate
from qdmon.daemon.outlet import Outlet
from qdmon.daemon.protocol import FluenceProtocol, Step
from streams.formats import Recording
from streams.messages import Alert, End, Fluence, Gap, LaserState, Marker, Message, PhotonBatch, Spectrum
from streams.recording import RecordingPolicy, open_session, verify
from tests.qdmon.live import Live, Watched, differences, run_live, watched

PROTOCOL = FluenceProtocol("short", (Step(0.1, 4.0), Step(1.4, 6.0), Step(0.1, 4.0)))
POLICY = RecordingPolicy(sync="never", ballast_bytes=0, reserve_bytes=0)
SEED = 6


def note(message: Message, outlet: Outlet) -> None:
    """What an operator and a watcher add to a session while it runs."""
    if isinstance(message, Fluence) and message.mean_excitation == pytest.approx(1.4):
        pulse = message.pulse
        outlet.publish(Marker(0, pulse, "operator", "now it gets bright"))
        outlet.publish(Alert("a" * 32, 0, pulse, "watcher", "warning", "see to it: \u27e8N\u27e9 is up"))


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Live:
    folder = tmp_path_factory.mktemp("recordings")
    return asyncio.run(run_live("cdse-zns-2nm", SEED, PROTOCOL, folder, policy=POLICY, also=note))


@dataclass(frozen=True)
class Again:
    """Fresh monitors that saw the recording instead: all of it, or no more than a crash left.

    Attributes:
        seen: after the whole recording.
        cut: how the recording is read that a crash has cut.
        kept: its messages; the last is the end that reading puts there.
        until_cut: after as many messages of the whole recording, and that end.
    """

    seen: Watched
    cut: Recording
    kept: list[Message]
    until_cut: Watched


@pytest.fixture(scope="module")
def again(live: Live, tmp_path_factory: pytest.TempPathFactory) -> Again:
    folder = tmp_path_factory.mktemp("crash") / "cut"
    shutil.copytree(live.folder, folder)
    segment = folder / "0001.mcap"
    size = segment.stat().st_size
    with segment.open("r+b") as file:
        file.truncate(round(0.6 * size))
    cut = open_session(folder)
    *kept, end = cut.messages()
    whole = list(open_session(live.folder).messages())
    seen = watched(whole[: len(kept)])
    until_cut = copy.deepcopy(seen)
    until_cut.feed(end)
    for message in whole[len(kept) :]:
        seen.feed(message)
    return Again(seen, cut, [*kept, end], until_cut)


def test_the_session_has_something_to_compare(live: Live) -> None:
    snapshot = live.seen.snapshot
    assert live.seen.photons > 2_000_000
    assert [c.before for c in snapshot.conversions] == ["auger"]
    assert "conversion" in {event.kind for _, event in live.seen.told if event.severity == "alert"}
    assert snapshot.peak_nm.value is not None
    assert verify(live.folder).intact


def test_everything_is_on_the_disk_in_the_order_it_was_sent(live: Live) -> None:
    replayed = list(open_session(live.folder).messages())
    assert len(replayed) == live.seen.messages
    kinds = {type(message) for message in replayed}
    assert kinds >= {Marker, Alert, Spectrum, Fluence, LaserState, PhotonBatch, End}


def test_the_snapshot_at_the_end_is_equal_in_every_field(live: Live, again: Again) -> None:
    assert differences(live.seen.snapshot, again.seen.snapshot) == []


def test_the_same_alerts_come_at_the_same_pulses_with_the_same_names_and_texts(
    live: Live, again: Again
) -> None:
    assert again.seen.told == live.seen.told
    assert again.seen.alerts == live.seen.alerts
    assert [alert.alert_id for _, alert in again.seen.alerts] == ["a" * 32]


def test_of_a_recording_cut_by_a_crash_everything_up_to_the_cut_is_the_same(live: Live, again: Again) -> None:
    whole = list(open_session(live.folder).messages())
    assert again.cut.problems
    assert not any(isinstance(message, Gap) for message in again.kept)
    n = len(again.kept) - 1
    assert 0.45 < sum_photons(again.kept) / sum_photons(whole) < 0.75
    found = watched(again.kept)
    assert found.told[: len(told_until(live, n))] == told_until(live, n)
    assert differences(again.until_cut.snapshot, found.snapshot) == []


def told_until(live: Live, n: int) -> list[object]:
    return [told for told in live.seen.told if told[0] < n]


def sum_photons(messages: list[Message]) -> int:
    return sum(len(message.photons) for message in messages if isinstance(message, PhotonBatch))


def test_a_difference_in_the_last_bit_would_be_found(live: Live) -> None:
    snapshot = live.seen.snapshot
    lifetime = snapshot.overall_lifetime_ns
    assert lifetime.value is not None
    nearest = Estimate(float(np.nextafter(lifetime.value, 0)), lifetime.error)
    (found,) = differences(snapshot, replace(snapshot, overall_lifetime_ns=nearest))
    assert found.startswith("snapshot.overall_lifetime_ns.value")
    counts = snapshot.trace.counts.copy()
    counts[7] += 1
    (found,) = differences(snapshot, replace(snapshot, trace=replace(snapshot.trace, counts=counts)))
    assert found.startswith("snapshot.trace.counts")
