"""Cards that a photon starts and the laser stops give the same dot as a card that the laser starts."""

from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from hardware.records import encoder_for
from hardware.sim.faults import Faults
from hardware.sim.simulation import DotSimulation
from hardware.types import Photons, RecordLayout
from qdmon.analysis.settings import AnalysisSettings
from qdmon.analysis.snapshot import Snapshot
from qdmon.offline import analyze_recording
from streams.formats import Choices, open_recording
from streams.messages import Message, PhotonBatch
from tests.qdmon.analysis.builders import watch
from tests.qdmon.analysis.simulated import messages_of
from tests.streams.formats.old_files import spc_bytes, t3r_bytes

SECONDS = 12.0
# Per detector: enough that background and the long end of the decay are confused where a part is missing.
BACKGROUND_CPS = 5000.0
BIN_PS = 70.0
# The stop comes this much after the laser's pulse, through a long cable; a stop that comes sooner than this
# after its photon is missed. So 6.5 ns of the decay, 180 ns after the pulse, are not recorded.
CABLE_NS, BLIND_NS = 187.0, 6.5
Card = Literal["laser starts", "TimeHarp 200", "Becker & Hickl"]


@cache
def simulated() -> tuple[tuple[Message, ...], Photons, float, int]:
    """A session, its photons as one, the pulse period in ns and the bin in ps."""
    background = Faults(background_ramp=((0.0, 1e-6), BACKGROUND_CPS))
    simulation = DotSimulation("cdse-zns-2nm", 7, faults=background)
    messages = tuple(messages_of(simulation, [(0.1, SECONDS)]))
    found = Photons.join([m.photons for m in messages if isinstance(m, PhotonBatch)])
    acquisition = simulation.acquisition()
    assert acquisition.resolution_ps is not None
    return messages, found, acquisition.macro_tick_ps / 1e3, round(acquisition.resolution_ps)


def reversed_photons(tick_ns: float | None) -> tuple[Photons, int]:
    """What such a card makes of them: stamped by its own clock, or by laser pulses if that is None."""
    _, found, period_ns, bin_ps = simulated()
    rng = np.random.default_rng(1)
    at_ns = (found.nanotime + rng.random(len(found))) * bin_ps / 1e3
    to_stop_ns = (CABLE_NS - at_ns) % period_ns
    seen = to_stop_ns > BLIND_NS
    nanotime = 4095 - (to_stop_ns * 1e3 / BIN_PS).astype(np.int64)
    pulse = found.pulse.astype(np.int64)
    if tick_ns is not None:
        pulse = ((pulse * period_ns + at_ns) / tick_ns).astype(np.int64)
    order = np.flatnonzero(seen)[np.argsort(pulse[seen], kind="stable")]
    stop = int(SECONDS * 1e9 / (period_ns if tick_ns is None else tick_ns))
    columns = pulse[order].astype(np.uint64), nanotime[order].astype(np.uint16), found.channel[order]
    return Photons(*columns), stop


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reversed")


@cache
def analysed(card: Card, folder: Path) -> Snapshot:
    messages, _, period_ns, _ = simulated()
    if card == "laser starts":
        return watch(messages).snapshot
    own_clock = card == "TimeHarp 200"
    layout = RecordLayout.TIMEHARP_200_T3 if own_clock else RecordLayout.BECKER_HICKL_T3
    words = encoder_for(layout).feed(*reversed_photons(100.0 if own_clock else None))
    path = folder / ("dot.t3r" if own_clock else "dot.spc")
    if own_clock:
        # At offset 568 the rate of the pulses, at 344 and 576 the duration in ms.
        rate, lasted = round(1e9 / period_ns), round(SECONDS * 1e3)
        header = {"offset_568": rate, "offset_576": lasted, "offset_344": lasted}
        path.write_bytes(t3r_bytes(words, b"5.0", BIN_PS / 1e3, **header))
        recording = open_recording(path)
    else:
        path.write_bytes(spc_bytes(words, round(period_ns * 1e3)))
        recording = open_recording(path, Choices(resolution_ps=BIN_PS))
    snapshot, _ = analyze_recording(recording, (), AnalysisSettings())
    assert snapshot is not None
    return snapshot


REVERSED: tuple[Card, ...] = ("TimeHarp 200", "Becker & Hickl")


@pytest.mark.parametrize("card", REVERSED)
def test_the_lifetimes_are_those_of_a_card_that_the_laser_starts(card: Card, folder: Path) -> None:
    straight, found = analysed("laser starts", folder), analysed(card, folder)
    assert found.overall_lifetime_ns.value == pytest.approx(straight.overall_lifetime_ns.value, rel=0.01)
    for one, other in zip(found.segments[-1].call.states, straight.segments[-1].call.states, strict=True):
        assert one.lifetime_ns.value == pytest.approx(other.lifetime_ns.value, rel=0.03)
        assert one.intensity_cps.value == pytest.approx(other.intensity_cps.value, rel=0.03)


@pytest.mark.parametrize("card", REVERSED)
def test_its_background_is_not_less_for_what_the_card_leaves_out(card: Card, folder: Path) -> None:
    straight, found = (analysed(c, folder).calibration.tail_cps for c in ("laser starts", card))
    assert found.value is not None
    assert straight.value is not None
    assert found.value == pytest.approx(straight.value, abs=2 * (found.error or 0.0))


@pytest.mark.parametrize("card", REVERSED)
def test_the_whole_decay_is_fitted_and_drawn(card: Card, folder: Path) -> None:
    straight, found = analysed("laser starts", folder), analysed(card, folder)
    assert sum(c.sum() for c in found.decay.counts.values()) == pytest.approx(found.photons, rel=0.005)
    assert found.photons == pytest.approx(straight.photons, rel=0.01)
    for decay in (straight.decay, found.decay):
        assert decay.fit is not None
        assert decay.fit.chi2_reduced < 1.5
    fits = (decay.fit for decay in (found.decay, straight.decay) if decay.fit is not None)
    longest, expected = (fit.components[0].lifetime_ns.value for fit in fits)
    assert longest == pytest.approx(expected, rel=0.03)
    assert found.decay.time_ns[0] > 60.0
    (warning,) = (w for w in found.calibration.warnings if "records" in w)
    assert "of the 200 ns between pulses" in warning
    # The ends of the window are seen to within a photon or two.
    assert float(warning.split()[3]) == pytest.approx(200.0 - BLIND_NS, abs=1.0)


def test_a_card_that_counts_pulses_shows_the_same_single_emitter_and_type(folder: Path) -> None:
    straight, found = analysed("laser starts", folder), analysed("Becker & Hickl", folder)
    assert found.g2.zero.value == pytest.approx(straight.g2.zero.value, abs=0.03)
    assert found.g2.single_emitter is True
    assert straight.segments[-1].call.blinking == "auger"
    assert found.segments[-1].call.blinking == "auger"


def test_a_card_with_its_own_clock_has_no_g2_and_says_so(folder: Path) -> None:
    found = analysed("TimeHarp 200", folder)
    assert found.g2.zero.value is None
    assert "card's own" in (found.segments[-1].call.reason or "")
