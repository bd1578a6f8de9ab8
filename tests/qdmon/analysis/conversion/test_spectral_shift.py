"""When a line is said to have moved: by how much, when, how often; and that noise is not a move."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from hardware.sim.presets import find_preset
from hardware.sim.simulation import slow_truth
from hardware.sim.spectra import EXCESS_NOISE_FACTOR, spectrum_counts, wavelengths_nm
from hardware.sim.truth import FluenceStep, Truth
from qdmon.analysis.conversion.spectral_shift import Peak, SpectralWatch, energy_shift_mev
from qdmon.analysis.conversion.spectrum import peak_nm
from qdmon.analysis.results import segment
from qdmon.analysis.results.event import Event

STEPS_S = (0.0, 25.0, 50.0)
DIFFUSION_NM = 0.4
PHOTONS_NM = 0.15


def peaks_at(centres_nm: NDArray[np.float64], error_nm: float = PHOTONS_NM) -> list[Peak]:
    return [Peak(i, i + 1.0, float(c), error_nm) for i, c in enumerate(centres_nm)]


def wandering(
    seed: int,
    true_nm: NDArray[np.float64],
    *,
    diffusion_nm: float = DIFFUSION_NM,
    error_nm: float = PHOTONS_NM,
) -> list[Peak]:
    """One frame a second, scattered by spectral diffusion and by its photons."""
    noise = np.random.default_rng(seed).normal(0, np.hypot(diffusion_nm, error_nm), len(true_nm))
    return peaks_at(true_nm + noise, error_nm)


def judged(
    peaks: list[Peak], steps_s: tuple[float, ...] = STEPS_S
) -> tuple[SpectralWatch, list[tuple[float, Event]]]:
    """Events with the time of the frame that caused them."""
    watch = SpectralWatch()
    events = []
    for peak in peaks:
        known = [segment.FluenceStep(t, 0.2) for t in steps_s if t < peak.stop_s]
        events += [(peak.stop_s, event) for event in watch.add(peak, known)]
    return watch, events


def measured_nm(event: Event) -> tuple[float, float]:
    """Shift and error as the text says them."""
    value, _, error, *_ = event.text.split(": ")[1].split(" ")
    return float(value), float(error)


def converting_at(time_s: float, *, shift_nm: float = 8.0, seconds: int = 75) -> NDArray[np.float64]:
    times = np.arange(seconds) + 0.5
    return np.where(times < time_s, 633.0, 633.0 - shift_nm * np.expm1(-(times - time_s).clip(0)))


def test_633_to_641_nm_are_minus_24_4_mev() -> None:
    assert energy_shift_mev(633.0, 641.0) == pytest.approx(-24.4, abs=0.05)


@pytest.mark.parametrize("shift_nm", [8.0, -8.0, 3.0])
def test_a_shift_is_told_once_with_its_size_its_energy_and_when_it_began(shift_nm: float) -> None:
    for seed in range(20):
        _, events = judged(wandering(seed, converting_at(31.0, shift_nm=shift_nm)))
        ((told_s, event),) = events
        value, error = measured_nm(event)
        assert value == pytest.approx(shift_nm, abs=3.5 * error)
        assert error < 0.5
        assert 30.0 <= event.time_s <= 33.0
        assert 34.0 <= told_s <= 42.0
        assert (event.kind, event.severity) == ("spectrum", "warning")
        assert event.text.endswith(" meV)")


def test_a_shift_within_the_first_stretch_needs_no_fluence_step() -> None:
    _, events = judged(wandering(1, converting_at(40.0)), steps_s=(0.0,))
    assert len(events) == 1


def test_a_line_that_comes_back_is_a_second_shift() -> None:
    there = converting_at(30.0)
    there[55:] = 633.0
    _, events = judged(wandering(3, there))
    values = [measured_nm(event)[0] for _, event in events]
    assert values == [pytest.approx(8.0, abs=1.2), pytest.approx(-8.0, abs=1.2)]


@pytest.mark.parametrize(("diffusion_nm", "error_nm"), [(0.4, 0.15), (1.0, 0.15), (0.3, 1.5)])
def test_a_line_that_only_wanders_raises_nothing_for_hours(diffusion_nm: float, error_nm: float) -> None:
    still = np.full(10_000, 633.0)
    peaks = wandering(4, still, diffusion_nm=diffusion_nm, error_nm=error_nm)
    assert judged(peaks, steps_s=tuple(np.arange(0.0, 10_000.0, 100.0)))[1] == []


def test_a_drift_below_a_nanometre_is_allowed() -> None:
    drift = 633.0 + np.linspace(0.0, 0.9, 75)
    assert all(judged(wandering(seed, drift))[1] == [] for seed in range(20))


@given(st.integers(30, 70), st.sampled_from([-40.0, 25.0, 1e3]), st.integers(0, 99))
def test_no_single_frame_makes_an_alarm(index: int, outlier_nm: float, seed: int) -> None:
    still = np.full(75, 633.0)
    still[index] += outlier_nm
    assert judged(wandering(seed, still))[1] == []


def test_a_frame_that_a_step_cuts_is_shown_but_not_judged() -> None:
    steps = (0.0, 25.5, 50.5)
    odd = np.full(75, 633.0)
    odd[[25, 50]] = 700.0
    watch, events = judged(peaks_at(odd[:51]), steps)
    assert watch.latest.value == 700.0
    assert watch.shift_nm.value == pytest.approx(0.0)
    assert events == []


def test_frames_in_the_dark_behind_the_last_step_belong_to_no_stretch() -> None:
    watch = SpectralWatch()
    steps = [segment.FluenceStep(0.0, 0.2), segment.FluenceStep(20.0, 1.4)]
    line = np.concatenate([np.full(20, 633.0), np.full(20, 641.0)])
    for peak in peaks_at(line):
        watch.add(peak, [step for step in steps if step.start_s < peak.stop_s])
    dark = [*steps, segment.FluenceStep(40.0, None)]
    for i, centre_nm in enumerate((655.0, 650.0, 660.0, 652.0)):
        assert watch.add(Peak(40.5 + i, 41.5 + i, centre_nm, PHOTONS_NM), dark) == []
    assert watch.shift_nm.value == pytest.approx(8.0)
    assert watch.latest.value == 641.0


def test_without_a_reference_there_is_no_alarm() -> None:
    _, events = judged(wandering(1, converting_at(1.5)), steps_s=(0.0, 1.5))
    assert events == []


def test_the_shift_is_unknown_until_a_second_stretch_has_frames() -> None:
    peaks = wandering(5, converting_at(30.0))
    assert judged(peaks[:25])[0].shift_nm.value is None
    assert judged(peaks)[0].shift_nm.value == pytest.approx(8.0, abs=0.4)


def spectra_of(truth: Truth, seed: int) -> list[Peak]:
    """What one frame a second of a simulated dot says, as far as it has a line."""
    rng, nm = np.random.default_rng(seed), wavelengths_nm(truth.preset)
    found = []
    for start_s, stop_s in itertools.pairwise(range(76)):
        centre = peak_nm(nm, spectrum_counts(truth, start_s, stop_s, rng), EXCESS_NOISE_FACTOR)
        if centre.value is not None and centre.error is not None:
            found.append(Peak(start_s, stop_s, centre.value, centre.error))
    return found


def dots(name: str, count: int) -> list[tuple[Truth, list[Peak]]]:
    preset = find_preset(name)
    steps = [FluenceStep(t, n) for t, n in zip(STEPS_S, preset.fluences, strict=True)]
    truths = [slow_truth(preset, seed, steps, 75.0) for seed in range(1, count + 1)]
    return [(truth, spectra_of(truth, truth.seed)) for truth in truths]


def test_row_7_of_20_small_perovskites_none_shifts() -> None:
    for _, peaks in dots("mapbbr3", 20):
        watch, events = judged(peaks)
        assert events == []
        assert watch.shift_nm.value == pytest.approx(0.0, abs=0.5)


def test_a_dot_that_bleaches_does_not_shift() -> None:
    bleached = dots("cdse-zns-small", 8)
    assert sum(truth.bleaching_s is not None for truth, _ in bleached) >= 4
    assert all(judged(peaks)[1] == [] for _, peaks in bleached)


def test_converted_dots_shift_by_8_nm_within_eight_seconds() -> None:
    for truth, peaks in dots("cdse-zns-2nm", 6):
        assert truth.conversion_s is not None
        watch, ((told_s, event),) = judged(peaks)
        value, error = measured_nm(event)
        assert value == pytest.approx(8.0, abs=3.5 * error)
        assert abs(event.time_s - truth.conversion_s) < 2.0
        assert told_s - truth.conversion_s < 8.0
        assert watch.shift_nm.value == pytest.approx(8.0, abs=0.5)
