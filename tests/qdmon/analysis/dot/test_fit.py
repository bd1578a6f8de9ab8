"""The fit of all families to bins whose states are known."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from qdmon.analysis.dot import fit as fit_module
from qdmon.analysis.dot.binned import BinnedDecays
from qdmon.analysis.dot.fit import DotFit, adapted, expected_bright, fit_dot, go_on, reread
from qdmon.analysis.dot.parameters import PARAMETERS, P
from qdmon.analysis.dot.states import CHARGED, FAMILIES, KIND, Family
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

DIM: dict[Family, list[int]] = {
    "auger": [TRION],
    "bc": TRAPS[4:14:3].tolist(),
    "both": [TRION, TRION, int(TRAPS[6])],
    "hc": CONSTANTS[4:14:3].tolist(),
}

STRANGERS: dict[Family, tuple[Family, ...]] = {
    "auger": ("bc", "hc"),
    "bc": ("auger", "hc"),
    "both": ("auger", "bc", "hc"),
    "hc": ("auger", "bc", "both"),
}


def fitted(data: BinnedDecays, background_sd_cps: float | None = 20.0) -> DotFit:
    fit = fit_dot(data, background_sd_cps)
    assert fit is not None
    return fit


@cache
def example(kind: Family) -> tuple[NDArray[np.intp], BinnedDecays, DotFit]:
    rng = np.random.default_rng(1)
    path = alternating(rng, 2000, DIM[kind])
    data = drawn(rng, path)
    return path, data, fitted(data)


@pytest.mark.parametrize("kind", DIM)
def test_the_family_of_the_dot_explains_its_bins_and_its_opposites_do_not(kind: Family) -> None:
    found = {f: fit.log_likelihood for f, fit in example(kind)[2].families.items()}
    for other in STRANGERS[kind]:
        assert found[kind] > found[other] + 30


@pytest.mark.parametrize("kind", ["auger", "bc"])
def test_more_freedom_gains_no_more_than_noise(kind: Family) -> None:
    found = {f: fit.log_likelihood for f, fit in example(kind)[2].families.items()}
    assert -5 < found["both"] - found[kind] < 15
    assert "all" not in found


def test_everything_at_once_is_tried_where_nothing_less_will_do() -> None:
    rng = np.random.default_rng(2)
    data = drawn(rng, alternating(rng, 2000, [TRION, int(CONSTANTS[8]), int(TRAPS[12])]))
    found = {f: fit.log_likelihood for f, fit in fitted(data).families.items()}
    assert found["all"] > max(ll for f, ll in found.items() if f != "all") + 30


@pytest.mark.parametrize("kind", ["auger", "both"])
def test_the_parameters_come_out_within_their_errors(kind: Family) -> None:
    found = example(kind)[2].both
    told = [P.BRIGHT_CPS, P.BRIGHT_NS, *([P.TRION_NS] if kind == "auger" else [])]
    for parameter in told:
        name, error = PARAMETERS[parameter], found.error_of(parameter)
        assert abs(np.log(getattr(found.dot, name) / getattr(PAPERS_DOT, name))) < 3.5 * error
        assert error < 0.02
    assert abs(found.dot.beta - PAPERS_DOT.beta) < 3.5 * found.error_of(P.BETA)


@pytest.mark.parametrize("kind", DIM)
def test_every_bin_is_given_to_the_kind_of_state_it_was_in(kind: Family) -> None:
    path, _, fit = example(kind)
    found = fit.families["both" if kind != "hc" else "hc"]
    for members in (CHARGED, np.char.startswith(KIND, "neutral"), np.char.startswith(KIND, "constant")):
        # Mixtures are part of either: only whole dim bins testify.
        dim = path != BRIGHT
        assert np.abs(found.posterior_of(members)[dim] - members[path[dim]]).mean() < 0.03


@pytest.mark.parametrize("kind", DIM)
def test_what_was_lost_in_every_bin_is_known(kind: Family) -> None:
    path, _, fit = example(kind)
    found = fit.families["both" if kind != "hc" else "hc"].losses()
    truth = PAPERS_DOT.losses
    for part in ("auger", "trap", "constant"):
        assert np.abs(getattr(found, part) - getattr(truth, part)[path]).mean() < 0.02


def test_a_bin_in_which_the_dot_switched_lost_what_the_bins_beside_it_lose() -> None:
    rng = np.random.default_rng(6)
    path = alternating(rng, 2000, [TRION, TRION, int(TRAPS[8])])
    data = drawn(rng, path)
    # Every dwell ends within a bin: that holds half of either.
    ends = np.flatnonzero((path[:-1] != BRIGHT) & (path[1:] == BRIGHT)) + 1
    expected = data.expected(PAPERS_DOT)
    halves = (expected[path[ends - 1]] + expected[BRIGHT]) / 2
    data.counts[ends] = rng.poisson(halves)
    lost = fitted(data).both.losses()
    share = lost.auger[ends] / (lost.auger + lost.trap)[ends]
    assert np.abs(share - CHARGED[path[ends - 1]]).mean() < 0.03


@pytest.mark.parametrize("trion_ns", [0.9, 2.5, 5.0, 9.0])
def test_the_trion_that_is_seen_is_the_one_that_is_fitted(trion_ns: float) -> None:
    rng = np.random.default_rng(7)
    dot = replace(PAPERS_DOT, trion_ns=trion_ns)
    for dim in ([TRION], [TRION, TRION, int(TRAPS[3]), int(TRAPS[9])]):
        found = fitted(drawn(rng, alternating(rng, 1500, dim), dot)).both.dot
        assert found.trion_ns == pytest.approx(trion_ns, rel=0.05)


def test_of_two_trions_the_longer_is_the_grey_one() -> None:
    rng = np.random.default_rng(8)
    found = fitted(drawn(rng, alternating(rng, 3000, [TRION, TRION + 1]))).both.dot
    assert found.trion_ns == pytest.approx(PAPERS_DOT.trion_ns, rel=0.05)
    assert found.grey == pytest.approx(PAPERS_DOT.grey, rel=0.1)


def test_the_dwells_of_the_dot_are_learned() -> None:
    rng = np.random.default_rng(3)
    found = fitted(drawn(rng, alternating(rng, 4000, [TRION], on_bins=60, off_bins=15))).both
    chain = found.whole_chain()
    assert chain.weights.sum() == pytest.approx(1.0, abs=1e-3)
    assert np.all(chain.weights[~FAMILIES["both"]] == 0)
    left = chain.leaving * (1 - chain.weights)
    assert 1 / left[BRIGHT] == pytest.approx(60, rel=0.3)
    assert 1 / left[TRION] == pytest.approx(15, rel=0.3)


def test_a_background_that_was_only_guessed_is_found() -> None:
    rng = np.random.default_rng(4)
    dot = replace(PAPERS_DOT, background_cps=1500.0)
    data = replace(drawn(rng, alternating(rng, 2000, DIM["both"]), dot), background_cps=1100.0)
    found = fitted(data, None).both
    error = found.error_of(P.BACKGROUND_CPS)
    assert found.dot.background_cps == pytest.approx(1500.0, abs=3.5 * error)
    assert error < 100


@pytest.mark.parametrize("bins", [1, 20])
@pytest.mark.parametrize("photons", [100.0, 2000.0])
def test_a_lamp_that_flashes_changes_nothing_else(photons: float, bins: int) -> None:
    _, data, fit = example("auger")
    counts = data.counts.copy()
    counts[500 : 500 + bins] += photons
    found = fitted(replace(data, counts=counts))
    for name in ("bright_cps", "bright_ns", "trion_ns"):
        assert getattr(found.both.dot, name) == pytest.approx(getattr(fit.both.dot, name), rel=0.01)
    gain = {f: found.families[f].log_likelihood - fit.families[f].log_likelihood for f in fit.families}
    # Forty nats a bin, and a little that the dots adapt by.
    assert max(gain.values()) - min(gain.values()) < 41 * bins


def test_biexcitons_that_outlive_the_gate_do_not_shorten_the_lifetime() -> None:
    """Strong excitation: a tenth of the light within the first nanoseconds of the bright state."""
    rng = np.random.default_rng(4)
    dot = replace(PAPERS_DOT, early=0.1)
    found = fitted(drawn(rng, alternating(rng, 3000, DIM["both"]), dot)).both
    error = found.error_of(P.BRIGHT_NS)
    assert found.dot.bright_ns == pytest.approx(PAPERS_DOT.bright_ns, rel=3.5 * error)
    assert found.dot.early == pytest.approx(0.1, abs=3.5 * found.error_of(P.EARLY))
    assert error < 0.005


def test_biexcitons_are_told_from_excitons_where_it_is_known_how_long_they_live() -> None:
    """A yield of 0.35 beside that of the exciton, at <N> = 1.5: a sixth of the light, over in 2 ns."""
    rng = np.random.default_rng(5)
    dot = replace(PAPERS_DOT, early=0.18, biexciton_yield=0.35)
    data = drawn(rng, alternating(rng, 3000, DIM["auger"]), dot)
    told, assumed = fit_dot(data, 20.0, biexciton_yield=0.35), fit_dot(data, 20.0)
    assert told is not None
    assert assumed is not None
    found = told.families["auger"]
    assert found.dot.bright_ns == pytest.approx(dot.bright_ns, rel=3.5 * found.error_of(P.BRIGHT_NS))
    assert found.dot.bright_cps == pytest.approx(dot.bright_cps, rel=3.5 * found.error_of(P.BRIGHT_CPS))
    assert assumed.families["auger"].log_likelihood < found.log_likelihood - 100


def test_bins_that_a_fast_dot_left_the_bright_level_in_count_among_its_errors() -> None:
    rng = np.random.default_rng(8)
    fast, slow = (
        fitted(drawn(rng, alternating(rng, 3000, [int(TRAPS[7])], on_bins=on, off_bins=2))).families["bc"]
        for on in (2, 60)
    )
    assert fast.blur > 0.01 > 0.001 > slow.blur


def test_a_dot_that_is_hardly_ever_neutral_is_known_by_its_rare_light() -> None:
    rng = np.random.default_rng(9)
    path = alternating(rng, 3000, [TRION], on_bins=2, off_bins=200)
    assert (path == BRIGHT).mean() < 0.02
    found = fitted(drawn(rng, path)).families["auger"].dot
    assert found.bright_cps == pytest.approx(PAPERS_DOT.bright_cps, rel=0.02)
    assert found.bright_ns == pytest.approx(PAPERS_DOT.bright_ns, rel=0.05)
    assert found.trion_ns == pytest.approx(PAPERS_DOT.trion_ns, rel=0.05)


def test_rare_light_that_is_only_brighter_is_no_other_level() -> None:
    rng = np.random.default_rng(9)
    data = drawn(rng, path_of((BRIGHT, 2000)))
    data.counts[::100] = rng.poisson(1.4 * data.expected(PAPERS_DOT)[BRIGHT], data.counts[::100].shape)
    assert fitted(data).both.dot.bright_cps == pytest.approx(PAPERS_DOT.bright_cps, rel=0.02)


def shading(rng: np.random.Generator, bright_bins: int) -> NDArray[np.intp]:
    """A dot with many traps, charged at times: levels that shade into each other, rarely none of them."""
    dim = alternating(rng, 3000, [*TRAPS[3:9].tolist(), TRION, TRION], on_bins=1, off_bins=8)
    dim[dim == BRIGHT] = TRAPS[5]
    dim[np.arange(bright_bins) * (3000 // max(bright_bins, 1))] = BRIGHT
    return dim


def test_a_dot_that_is_free_of_traps_in_a_few_bins_is_known_by_these() -> None:
    rng = np.random.default_rng(11)
    found = fitted(drawn(rng, shading(rng, 9))).both.dot
    assert found.bright_cps == pytest.approx(PAPERS_DOT.bright_cps, rel=0.1)
    assert found.bright_ns == pytest.approx(PAPERS_DOT.bright_ns, rel=0.1)
    assert found.beta == pytest.approx(PAPERS_DOT.beta, rel=0.04)


def test_a_dot_that_is_never_free_of_traps_is_known_from_another_fluence() -> None:
    rng = np.random.default_rng(12)
    data = drawn(rng, shading(rng, 0))
    bright = PAPERS_DOT.bright_cps, PAPERS_DOT.bright_ns
    found = fit_dot(data, 20.0, bright)
    assert found is not None
    assert found.both.dot.bright_ns == pytest.approx(PAPERS_DOT.bright_ns, rel=0.06)
    elsewhere = fitted(drawn(rng, shading(rng, 300)))
    assert expected_bright((elsewhere, 1.0)) == pytest.approx(bright, rel=0.02)
    assert expected_bright(None) is None


def test_what_was_expected_gives_way_to_what_is_seen() -> None:
    _, data, fit = example("auger")
    misled = fit_dot(data, 20.0, (2 * PAPERS_DOT.bright_cps, 1.5 * PAPERS_DOT.bright_ns))
    assert misled is not None
    assert misled.both.dot.bright_ns == pytest.approx(fit.both.dot.bright_ns, rel=1e-3)


@pytest.mark.parametrize("kind", DIM)
def test_a_fit_that_goes_on_finds_in_more_light_what_a_search_finds(kind: Family) -> None:
    _, data, searched = example(kind)
    known = fitted(data.first(len(data.counts) // 3))
    found = go_on(data, known, 20.0)
    assert found is not None
    for family in (kind, "both"):
        on, anew = found.families[family], searched.families[family]
        assert on.log_likelihood == pytest.approx(anew.log_likelihood, abs=3)
        assert on.dot.bright_ns == pytest.approx(
            anew.dot.bright_ns, abs=0.2 * on.error_of(P.BRIGHT_NS) * on.dot.bright_ns
        )
    assert found.photons == searched.photons


def test_a_fit_that_goes_on_looks_for_the_trion_of_a_dot_that_charges_late() -> None:
    rng = np.random.default_rng(17)
    first, then = (alternating(rng, 2500, dim) for dim in ([int(TRAPS[6])], [int(TRAPS[6]), TRION]))
    data = drawn(rng, np.concatenate([first, then]), replace(PAPERS_DOT, trion_ns=9.0))
    found = go_on(data, fitted(data.first(len(first))), 20.0)
    assert found is not None
    assert found.both.dot.trion_ns == pytest.approx(9.0, rel=0.05)


@pytest.mark.parametrize(("level", "anew"), [(0, True), (8, False)])
def test_shallow_traps_that_may_be_a_drift_are_looked_for_anew(
    level: int, anew: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(21)
    data = drawn(rng, alternating(rng, 3000, [int(TRAPS[level]), TRION]))
    known = fitted(data.first(2500))
    searched: list[DotFit] = []

    def search(*args: object) -> DotFit:
        searched.append(known)
        return known

    monkeypatch.setattr(fit_module, "fit_dot", search)
    assert go_on(data, known, 20.0) is not None
    assert (searched != []) == anew


def test_a_fit_that_goes_on_takes_what_is_known_beforehand_once_and_biexcitons_as_they_are_now() -> None:
    _, data, fit = example("auger")
    once = go_on(data, fit, 20.0)
    assert once is not None
    again = go_on(data, once, 20.0, biexciton_yield=0.3)
    assert again is not None
    assert again.both.dot.biexciton_yield == 0.3
    assert again.both.error_of(P.GREY) == pytest.approx(fit.both.error_of(P.GREY), rel=0.1)
    assert again.both.dot.grey == pytest.approx(fit.both.dot.grey, rel=0.02)


def test_steady_light_between_two_levels_is_a_level_and_no_switching() -> None:
    rng = np.random.default_rng(13)
    # As much light as a bin that is dark for a little more than half of it, and never anything else.
    path = alternating(rng, 3000, [TRION, TRION, int(CONSTANTS[6])])
    found = fitted(drawn(rng, path)).families["all"]
    lost, truth = found.losses(), PAPERS_DOT.losses
    assert lost.constant.sum() == pytest.approx(truth.constant[path].sum(), rel=0.05)
    assert lost.trap.sum() < 0.02 * lost.total.sum()


@pytest.mark.parametrize("bins", [10, 2000])
def test_darkness_is_no_dot(bins: int) -> None:
    data = drawn(np.random.default_rng(5), path_of((int(CONSTANTS[-1]), bins)))
    assert fit_dot(data) is None


def test_a_few_bins_are_enough_for_a_first_guess() -> None:
    data = drawn(np.random.default_rng(6), path_of((BRIGHT, 5), (TRION, 5)))
    found = fitted(data).both.dot
    assert found.bright_cps == pytest.approx(PAPERS_DOT.bright_cps, rel=0.1)
    assert found.bright_ns == pytest.approx(PAPERS_DOT.bright_ns, rel=0.2)


@pytest.mark.parametrize("kind", DIM)
def test_read_again_the_same_bins_say_the_same_of_the_same_dot(kind: Family) -> None:
    _, data, fit = example(kind)
    again = reread(data, fit)
    assert again.families.keys() == fit.families.keys()
    for family, first in fit.families.items():
        second = again.families[family]
        assert second.dot is first.dot
        assert second.covariance is first.covariance
    gains = [again.families[f].log_likelihood - fit.families[f].log_likelihood for f in (kind, "both")]
    assert all(-0.5 < gain < 3 for gain in gains)


def test_read_again_other_bins_keep_the_dot_and_learn_its_new_ways() -> None:
    rng = np.random.default_rng(8)
    _, _, fit = example("both")
    path = alternating(rng, 1000, [int(TRAPS[6])])
    found = reread(drawn(rng, path), fit).both
    assert found.posterior_of(CHARGED).mean() < 0.02
    assert found.losses().trap.mean() == pytest.approx(PAPERS_DOT.losses.trap[path].mean(), rel=0.05)


@pytest.mark.parametrize(("light", "guess"), [(0.4, 0.5), (2.0, 1.5)])
def test_the_same_dot_is_recognised_at_another_fluence(light: float, guess: float) -> None:
    rng = np.random.default_rng(9)
    _, _, fit = example("auger")
    dot = replace(PAPERS_DOT, bright_cps=light * PAPERS_DOT.bright_cps)
    found = adapted(drawn(rng, alternating(rng, 100, [TRION]), dot), fit, guess).families["auger"]
    error = found.error_of(P.BRIGHT_CPS)
    assert abs(np.log(found.dot.bright_cps / dot.bright_cps)) < 3.5 * error
    assert error < 0.03
    assert found.dot.trion_ns == pytest.approx(PAPERS_DOT.trion_ns, rel=0.05)


def test_another_fluence_leaves_the_late_light_of_the_set_up_as_it_was() -> None:
    rng = np.random.default_rng(10)
    dot = replace(PAPERS_DOT, delayed=0.05)
    fit = fitted(drawn(rng, alternating(rng, 2000, DIM["auger"]), dot), 5.0)
    known = fit.families["auger"].dot.delayed
    assert known == pytest.approx(0.05, abs=0.01)
    little = drawn(rng, path_of((BRIGHT, 12)), replace(dot, bright_cps=20e3))
    assert adapted(little, fit, 20 / 76).families["auger"].dot.delayed == pytest.approx(known, abs=0.01)
