"""From fitted states to a type with its probability, its reasons and its errors."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from qdmon.analysis.dot.binned import BinnedDecays
from qdmon.analysis.dot.family import FamilyFit
from qdmon.analysis.dot.fit import DotFit, reread
from qdmon.analysis.dot.states import Family
from qdmon.analysis.dot.verdict import (
    FamilyReading,
    Reading,
    call_of,
    likeliest,
    misfit,
    read_bins,
    undetermined,
)
from qdmon.analysis.results.blinking import BLINKING_TYPES, BlinkingCall
from qdmon.analysis.results.estimate import Estimate
from tests.qdmon.analysis import builders as b
from tests.qdmon.analysis.dot.paths import (
    BRIGHT,
    CONSTANTS,
    PAPERS_DOT,
    TRAPS,
    TRION,
    alternating,
    drawn,
    path_of,
)
from tests.qdmon.analysis.dot.readings import MANY_TRAPS, read

SPAN = (1.0, 11.0)
DARK = int(CONSTANTS[-1])


def called(data: BinnedDecays, doubt: str | None = None) -> BlinkingCall:
    return call_of(data, read(data), SPAN, doubt)


@cache
def example(dim: tuple[int, ...], bins: int = 2000, seed: int = 1) -> tuple[BinnedDecays, Reading]:
    rng = np.random.default_rng(seed)
    data = drawn(rng, alternating(rng, bins, dim))
    return data, read(data)


@cache
def textbook(kind: str) -> tuple[BinnedDecays, list[b.Dwell]]:
    rng = np.random.default_rng(1)
    acq = b.acquisition()
    dwells = b.DOTS[kind](rng, 8.0)
    return b.binned(*b.photons(rng, dwells, acq=acq), acq, background_cps=400.0), dwells


@pytest.mark.parametrize("kind", b.DOTS)
def test_photons_of_a_textbook_dot_are_called_by_their_type(kind: str) -> None:
    data, dwells = textbook(kind)
    call = called(data)
    assert call.blinking == kind
    assert call.reason is None
    assert call.probabilities[call.blinking] > 0.95
    assert sum(call.probabilities.values()) == pytest.approx(1.0)
    if kind != "hc":
        share = b.realised_auger_share(dwells, 76e3)
        assert call.auger_share.value == pytest.approx(share, abs=0.03)


estimates = st.builds(Estimate, st.floats(0, 1), st.floats(1e-3, 1.0))
readings = st.builds(FamilyReading, estimates, estimates, st.floats(0, 1))


@given(
    st.lists(readings, min_size=4, max_size=4),
    st.lists(st.floats(0, 1), min_size=4, max_size=4).filter(lambda odds: sum(odds) > 0.1),
    st.sampled_from([None, "two emitters"]),
)
def test_whatever_was_read_the_probabilities_are_probabilities(
    shares: Sequence[FamilyReading], odds: Sequence[float], doubt: str | None
) -> None:
    data, reading = example((TRION,))
    families: tuple[Family, ...] = ("auger", "both", "bc", "hc")
    found = replace(
        reading,
        odds={f: o / sum(odds) for f, o in zip(families, odds, strict=True)},
        shares=dict(zip(families, shares, strict=True)),
    )
    call = call_of(data, found, SPAN, doubt)
    assert set(call.probabilities) == set(BLINKING_TYPES)
    assert sum(call.probabilities.values()) == pytest.approx(1.0)
    assert all(-1e-12 <= p <= 1 + 1e-12 for p in call.probabilities.values())
    assert (call.blinking == "undetermined") == (call.reason is not None)
    assert call.reason is not None or call.probabilities[call.blinking] >= 0.5


def with_shares(reading: Reading, loss: Estimate, auger: Estimate, constant: float) -> Reading:
    return replace(reading, shares=dict.fromkeys(reading.shares, FamilyReading(loss, auger, constant)))


SURE = 0.001


@pytest.mark.parametrize(
    ("loss", "auger", "expected"),
    [
        (0.02, 1.0, "none"),
        (0.04, 1.0, "auger"),
        (0.4, 0.91, "auger"),
        (0.4, 0.89, "mixed"),
        (0.4, 0.16, "mixed"),
        (0.4, 0.14, "bc"),
    ],
)
def test_types_are_told_apart_by_the_loss_and_its_shares(loss: float, auger: float, expected: str) -> None:
    data, reading = example((TRION,))
    found = with_shares(reading, Estimate(loss, SURE), Estimate(auger, SURE), 0.0)
    call = call_of(data, found, SPAN, None)
    assert call.blinking == expected
    assert call.loss == Estimate(loss, SURE)


def test_no_type_with_half_the_probability_is_no_verdict_and_says_between_which() -> None:
    data, reading = example((TRION,))
    found = with_shares(reading, Estimate(0.0305, 0.01), Estimate(0.15, 0.01), 0.0)
    call = call_of(data, found, SPAN, None)
    assert call.blinking == "undetermined"
    assert call.reason is not None
    assert call.reason.startswith("between none and")


def test_a_doubt_halves_what_the_likelihood_says() -> None:
    data, reading = example((TRION,))
    sure = call_of(data, reading, SPAN, None)
    doubted = call_of(data, reading, SPAN, "g2(0) = 0.7: more than one emitter")
    assert doubted.blinking == "undetermined"
    assert doubted.reason == "g2(0) = 0.7: more than one emitter"
    for kind, p in sure.probabilities.items():
        assert doubted.probabilities[kind] == pytest.approx(0.5 * p + 0.1)
    assert doubted.auger_share.value is None
    assert (doubted.start_s, doubted.stop_s) == SPAN


def test_a_bright_level_known_badly_says_little_of_a_dot_that_is_never_elsewhere() -> None:
    rng = np.random.default_rng(4)
    data = drawn(rng, path_of((BRIGHT, 2000)))
    reading = read(data)
    badly = np.diag(np.full(len(reading.best.covariance), 0.05**2))
    families = {
        f: replace(found, expected=replace(found.expected, covariance=badly))
        for f, found in reading.fit.families.items()
    }
    call = call_of(data, read_bins(data, replace(reading.fit, families=families)), SPAN, None)
    assert call.blinking == "none"
    assert call.probabilities["none"] > 0.95


@pytest.mark.parametrize("on", [True, False])
def test_decays_that_no_state_can_make_are_no_verdict(on: bool) -> None:
    rng = np.random.default_rng(2)
    path = alternating(rng, 1000, [TRION])
    data = drawn(rng, path)
    # As much light as ever, but all of it 30 ns after the pulse.
    at = int(np.searchsorted(data.bins.edges_ns, 30.0)) - 1
    late = rng.poisson(np.tile(data.background, (len(path), 1)))
    late[:, at] += rng.poisson(data.expected(PAPERS_DOT)[path].sum(axis=1))
    call = called(replace(data, counts=late.astype(np.float32)) if on else data)
    if on:
        assert call.blinking == "undetermined"
        assert "the decays are not those of any state" in (call.reason or "")
        assert not call.explained
        assert max(call.probabilities.values()) <= 0.6
    else:
        assert call.blinking == "auger"


def test_the_misfit_of_a_dot_is_noise_and_that_of_strange_decays_is_not() -> None:
    data, reading = example((TRION,))
    relative, chi2 = misfit(data, reading.best)
    assert relative < 0.01
    assert chi2 < 3
    moved = replace(data, counts=np.roll(data.counts, 1, axis=1))
    relative, chi2 = misfit(moved, reading.best)
    assert relative > 0.025
    assert chi2 > 5


def test_part_of_the_loss_at_constant_lifetime_is_said_and_not_called() -> None:
    rng = np.random.default_rng(3)
    # A third of the lost light is lost at constant lifetime.
    data = drawn(rng, alternating(rng, 3000, [TRION, TRION, int(CONSTANTS[8])]))
    call = called(data)
    assert call.blinking == "undetermined"
    assert "of the loss is at constant lifetime, the rest is not" in (call.reason or "")


@pytest.mark.parametrize(("hot_ahead", "expected"), [(5.0, "hc"), (-5.0, "undetermined")])
def test_hot_carriers_alone_explain_more_than_traps_and_charges_do_or_are_not_called(
    hot_ahead: float, expected: str
) -> None:
    """Bins in which a dot switches often look as if it lost light at constant lifetime."""
    rng = np.random.default_rng(3)
    data = drawn(rng, alternating(rng, 2000, CONSTANTS[3:8].tolist()))
    reading = read(data)
    families = dict(reading.fit.families)
    families["hc"] = replace(families["hc"], log_likelihood=families["both"].log_likelihood + hot_ahead)
    found = replace(reading, fit=replace(reading.fit, families=families))
    call = call_of(data, found, SPAN, None)
    assert call.blinking == expected
    assert (call.reason is not None) == (expected == "undetermined")


@pytest.mark.parametrize(("leaving", "family"), [(0.05, "both"), (0.5, "auger")])
def test_traps_of_a_dot_that_switches_within_bins_must_gain_more(leaving: float, family: Family) -> None:
    data, reading = example((TRION,))
    both = reading.fit.families["both"]
    chain = both.smoothed.chain
    chances = np.where(np.arange(len(chain.leaving)) == 0, leaving, chain.leaving)
    smoothed = replace(both.smoothed, chain=replace(chain, leaving=chances))
    auger = reading.fit.families["auger"]
    families: dict[Family, FamilyFit] = {
        "auger": replace(auger, log_likelihood=0.0),
        "both": replace(both, smoothed=smoothed, log_likelihood=7.0),
    }
    assert read_bins(data, DotFit(families, 1e3)).best.family == family


def test_a_loss_without_a_single_blink_has_no_type() -> None:
    data, reading = example((TRION,))
    call = call_of(data, replace(reading, blinks=()), SPAN, None)
    assert call.reason == "only 0 blinks seen"
    assert call.blinking == "undetermined"


def test_light_that_sinks_by_a_twentieth_only_does_not_blink() -> None:
    rng = np.random.default_rng(4)
    path = alternating(rng, 2000, [int(TRAPS[0])], on_bins=200, off_bins=300)
    assert called(drawn(rng, path)).blinking == "none"


def test_a_bright_trion_blinks_though_it_loses_little() -> None:
    rng = np.random.default_rng(4)
    dot = replace(PAPERS_DOT, trion_ns=10.0, beta=1.95)
    call = called(drawn(rng, alternating(rng, 2000, [TRION]), dot))
    assert dot.trion_loss < 0.25
    assert (call.blinking, call.reason) == ("auger", None)


def test_a_dot_that_is_dark_when_dim_does_not_tell_why() -> None:
    rng = np.random.default_rng(4)
    call = called(drawn(rng, alternating(rng, 2000, [DARK])))
    assert call.blinking == "undetermined"
    assert "too little to have a lifetime" in (call.reason or "")
    assert max(call.probabilities.values()) < 0.3


def test_bursts_in_the_dark_are_no_bright_level() -> None:
    """Molecules that diffuse through the focus, say: seldom, and never for long."""
    rng = np.random.default_rng(9)
    path = np.full(4000, int(TRAPS[16]))
    path[rng.choice(4000, 24, replace=False)] = BRIGHT
    call = called(drawn(rng, path, bin_s=0.002))
    assert (call.blinking, call.reason) == ("undetermined", "the bright level is hardly ever seen")


def test_little_light_tells_why_it_is_little_if_enough_of_it_was_seen() -> None:
    deep = int(TRAPS[18])
    assert PAPERS_DOT.losses.trap[deep] > 0.97
    for bins, expected in ((20_000, "bc"), (60, "undetermined")):
        rng = np.random.default_rng(14)
        data = drawn(rng, alternating(rng, bins, [deep], on_bins=3, off_bins=10), bin_s=0.001)
        assert called(data).blinking == expected


@pytest.mark.parametrize(
    ("beta", "photons", "family", "odds"),
    [(1.5, 1e6, "bc", (0.6, 0.95)), (2.0, 1e6, "both", (0.99, 1.0)), (1.5, 4e3, "both", (0.99, 1.0))],
)
def test_charged_states_of_a_small_ratio_must_gain_more_the_more_photons_there_are_and_stay_in_doubt(
    beta: float, photons: float, family: Family, odds: tuple[float, float]
) -> None:
    data, reading = example((TRION,))
    sure = np.diag(np.full(len(reading.best.covariance), 0.01**2))
    gains: dict[Family, float] = {"bc": 0.0, "both": 40.0}
    dot = replace(PAPERS_DOT, beta=beta)
    families = {
        f: replace(
            reading.fit.families[f],
            log_likelihood=gain,
            expected=replace(reading.fit.families[f].expected, covariance=sure),
            dot=dot,
        )
        for f, gain in gains.items()
    }
    found = read_bins(data, DotFit(families, photons))
    assert found.best.family == family
    assert odds[0] < found.odds[family] <= odds[1]


def test_none_is_the_surer_the_longer_no_blink_was_seen() -> None:
    """A dot that is dim for all of the time does not blink either."""
    stated = []
    for bins in (100, 400, 4000):
        data = drawn(np.random.default_rng(3), np.full(bins, BRIGHT))
        call = call_of(data, read(data), (0.0, bins * data.bin_s), None)
        assert call.blinking == "none"
        stated.append(call.probabilities["none"])
    assert stated[0] < 0.95
    assert stated[0] < stated[1] < stated[2]
    assert stated[2] > 0.99


@pytest.mark.parametrize("dim", [TRION, int(TRAPS[8]), int(CONSTANTS[8])], ids=["trion", "trap", "constant"])
def test_errors_of_both_levels_cover_the_truth(dim: int) -> None:
    truth = PAPERS_DOT.lifetimes_ns[[BRIGHT, dim]]
    rates = [76e3, 76e3 * (1 - sum(float(part[dim]) for part in lost_parts()))]
    off: list[list[float]] = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        states = called(drawn(rng, alternating(rng, 300, [dim], on_bins=20, off_bins=20))).states
        assert len(states) == 2
        pairs = [
            pair
            for state, rate, tau in zip(states, rates, truth, strict=True)
            for pair in ((state.intensity_cps, rate), (state.lifetime_ns, float(tau)))
        ]
        off.append([((e.value or 0.0) - true) / (e.error or 1.0) for e, true in pairs])
    sigma = np.abs(off)
    assert sigma.max() < 5
    # 80 numbers: 95 % within two sigma, give or take a few.
    assert np.count_nonzero(sigma < 2) >= 70
    assert np.sqrt(np.square(off).mean()) > 0.4


def lost_parts() -> tuple[NDArray[np.float64], ...]:
    lost = PAPERS_DOT.losses
    return lost.auger, lost.trap, lost.constant


def test_the_radiative_rate_ratio_tells_charge_from_traps() -> None:
    for dim, ratio in ((TRION, 1.82), (int(TRAPS[8]), 1.0)):
        data, reading = example((dim,))
        found = call_of(data, reading, SPAN, None).radiative_rate_ratio
        assert found.value is not None
        assert found.error is not None
        assert abs(found.value - ratio) < 4 * found.error
        assert found.error < 0.05


def test_a_dot_that_never_blinks_has_one_level_and_no_share() -> None:
    data = drawn(np.random.default_rng(6), path_of((BRIGHT, 1500)))
    call = called(data)
    assert call.blinking == "none"
    assert len(call.states) == 1
    assert call.radiative_rate_ratio.value is None
    assert call.auger_share.value is None


def test_a_level_without_light_has_no_lifetime() -> None:
    data, reading = example((DARK,))
    bright, dark = call_of(data, reading, SPAN, None).states
    assert bright.intensity_cps.value == pytest.approx(76e3, rel=0.02)
    assert dark.lifetime_ns.value is None
    assert dark.intensity_cps.value is not None
    assert dark.intensity_cps.error is not None
    assert 0 <= dark.intensity_cps.value < 4 * dark.intensity_cps.error
    assert dark.intensity_cps.error < 200


@pytest.mark.parametrize(
    "dim", [(TRION,), (TRION, TRION, MANY_TRAPS[2]), tuple(MANY_TRAPS), (int(CONSTANTS[8]),)]
)
def test_read_again_the_same_bins_are_called_the_same(dim: tuple[int, ...]) -> None:
    data, reading = example(dim)
    first = call_of(data, reading, SPAN, None)
    again = call_of(data, read_bins(data, reread(data, reading.fit)), SPAN, None)
    assert again.blinking == first.blinking != "undetermined"
    for kind, p in first.probabilities.items():
        assert again.probabilities[kind] == pytest.approx(p, abs=0.02)
    assert again.loss.value == pytest.approx(first.loss.value, abs=1e-3)
    if first.auger_share.value is not None:
        assert again.auger_share.value == pytest.approx(first.auger_share.value, abs=0.01)


def test_a_window_with_few_blinks_is_called_as_surely_as_its_dot_is_known() -> None:
    _, reading = example((TRION,))
    rng = np.random.default_rng(7)
    window = drawn(rng, path_of((BRIGHT, 60), (TRION, 12), (BRIGHT, 60)))
    call = call_of(window, read_bins(window, reread(window, reading.fit)), SPAN, None)
    assert call.blinking == "auger"
    assert call.probabilities["auger"] > 0.9


def test_a_window_without_blinks_says_none() -> None:
    _, reading = example((TRION,))
    window = drawn(np.random.default_rng(8), path_of((BRIGHT, 200)))
    call = call_of(window, read_bins(window, reread(window, reading.fit)), SPAN, None)
    assert call.blinking == "none"


def test_the_likeliest_family_of_a_pure_dot_is_the_pure_one() -> None:
    for dim, family in (((TRION,), "auger"), (tuple(MANY_TRAPS), "bc")):
        reading = example(dim)[1]
        assert reading.best.family == family
        assert sum(reading.odds.values()) == pytest.approx(1.0)
        assert max(reading.odds, key=lambda f: reading.odds[f]) == family


def test_where_nothing_is_known_every_type_is_as_likely() -> None:
    call = undetermined(1.0, 2.0, "too few photons yet")
    assert call.blinking == "undetermined"
    assert call.reason == "too few photons yet"
    assert set(call.probabilities.values()) == {0.2}
    assert call.states == ()
    assert call.loss.value is None


def test_the_likeliest_type_is_the_most_probable_one() -> None:
    assert likeliest({"auger": 0.2, "bc": 0.5, "mixed": 0.3}) == "bc"


@pytest.mark.parametrize(("charged_bins", "doubted"), [(4.0, True), (60.0, False)])
def test_a_light_that_may_just_waver_leaves_a_dot_mixed_only_where_it_loses_much(
    charged_bins: float, doubted: bool
) -> None:
    """A fifth of the time 7 % less light: a trap, or the laser. Beside it trions, seldom or often."""
    rng = np.random.default_rng(11)
    path = alternating(rng, 3000, [TRION], on_bins=60.0, off_bins=charged_bins)
    wavering = alternating(rng, 3000, [int(TRAPS[0])], on_bins=80.0, off_bins=20.0)
    call = called(drawn(rng, np.where(path == BRIGHT, wavering, path)))
    assert call.auger_share.value is not None
    assert call.auger_share.error is not None
    assert (call.auger_share.error > 0.08) == doubted
    assert call.auger_share.value + call.auger_share.error > 0.85


@pytest.mark.parametrize("blip", [False, True])
def test_a_dot_that_keeps_its_level_for_two_seconds_may_be_dim_all_the_time_whatever_one_bin_shows(
    blip: bool,
) -> None:
    path = path_of((BRIGHT, 200), (TRION if blip else BRIGHT, 1), (BRIGHT, 199))
    data = drawn(np.random.default_rng(4), path)
    reading = read(data)
    assert bool(reading.blinks) == blip
    chance = call_of(data, reading, (0.0, 2.0), None).probabilities["none"]
    assert 0.9 < chance <= 0.975
