"""The dot behind the photons of one stretch, fitted as they grow, and the verdicts on it."""

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from qdmon.analysis.biexciton import USUAL_YIELD
from qdmon.analysis.dot.binned import BinnedDecays
from qdmon.analysis.dot.drift import RAMP_S, Drift, Levelled, fit_with_drift, reread_with_drift
from qdmon.analysis.dot.fit import ENOUGH_BINS, DotFit, adapted, expected_bright, fit_dot, go_on, reread
from qdmon.analysis.dot.foreign import foreign_bins
from qdmon.analysis.dot.verdict import Reading, call_of, read_bins, undetermined
from qdmon.analysis.results.blinking import BlinkingCall
from qdmon.analysis.stretch.own_background import OwnBackground
from qdmon.analysis.stretch.photons import BASE_BIN_S, StretchPhotons

__all__ = ["StretchFit"]

FloatArray = NDArray[np.float64]

ADAPT_S = 0.2
FIRST_FIT_S = 1.0
FIT_GROWTH, SEARCH_GROWTH = 1.5, 5.0
# Behind light that took a while to settle there is so much left to fit.
LEAST_LEFT_S = 0.4


class StretchFit:
    """Fits of the dot to the bins of a stretch, and the verdicts that follow.

    Attributes:
        belief: probability that its light is that of a single emitter.
        only_emitter_doubted: whether nothing but that stands against a verdict.
        biexciton_yield: of its biexcitons over that of its exciton.
        fit: of the dot since its last conversion; None while it is not known.
        reading: what the latest fit said of its bins, of `bin_s` each.
        start_s: (n,) start of each of these.
        bin_s: of the latest fit.
        call: verdict on the stretch since its last conversion.
        since_pulse: where the data of that verdict begin.
        drift: of the light collected since the last conversion; None while nothing is known of it.
        foreign: pulse intervals with light that is not the dot's, left out of all verdicts.
    """

    def __init__(self, photons: StretchPhotons, background: OwnBackground, window_s: float) -> None:
        """Begin with no fit.

        Args:
            photons: of the stretch.
            background: under them; settled anew with every fit.
            window_s: length of the rolling window.
        """
        self._photons = photons
        self._acq = photons.acquisition
        self._background = background
        self._window_s = window_s
        self.since_pulse = photons.first_pulse
        self.belief = 1.0
        self.biexciton_yield = USUAL_YIELD
        self.fit: DotFit | None = None
        # The dot as it was before, until its own light here says more, and how much brighter it should be.
        self._before: tuple[DotFit, float] | None = None
        self.bin_s = BASE_BIN_S
        self._next_fit_s = self._next_search_s = FIRST_FIT_S
        self._searched_bins = 0
        self._frozen_pulse: int | None = None
        self.foreign: list[tuple[int, int]] = []
        self.drift: Drift | None = None
        self.reading: Reading | None = None
        self.start_s: FloatArray = np.empty(0)
        self.only_emitter_doubted = False
        self._if_single: Callable[[], BlinkingCall] | None = None
        self.call: BlinkingCall = undetermined(photons.start_s, photons.start_s, "no photons analysed yet")

    def follow(self, fit: DotFit, light_ratio: float) -> None:
        """The dot was known before, and is so much brighter here: only brightness and background are open."""
        self._before = fit, light_ratio

    def binned(
        self, from_pulse: int, losses: list[tuple[int, int]], *, to_pulse: int | None = None
    ) -> tuple[BinnedDecays, FloatArray] | None:
        """Decays of whole bins of nothing but the dot between two pulses, and the start of each in s."""
        found = self._photons.binned(from_pulse, to_pulse, [*losses, *self.foreign])
        if found is None:
            return None
        data, start_s = self._background.under(found[0]), found[1]
        return (self.drift.on(data, start_s) if self.drift is not None else data), start_s

    def refit_if_due(self, losses: list[tuple[int, int]], doubt: str | None) -> bool:
        """Renew the verdict on everything since the last conversion at growing intervals.

        From five times the light on the dot is fitted anew; in between it stays, and its bins are read again.
        """
        if not self.is_due:
            return False
        search = self._elapsed_s >= self._next_search_s
        self.refit(losses, doubt, search=search)
        self._schedule_fit(searched=search)
        return True

    @property
    def is_due(self) -> bool:
        """Whether the verdict is to be renewed."""
        return self._elapsed_s >= self._next_fit_s

    @property
    def _elapsed_s(self) -> float:
        return self._acq.seconds(self._photons.stop_pulse - self.since_pulse)

    def _schedule_fit(self, *, searched: bool) -> None:
        self._next_fit_s = max(self._elapsed_s * FIT_GROWTH, self._elapsed_s + 0.5)
        if searched:
            self._next_search_s = SEARCH_GROWTH * self._elapsed_s

    def refit(self, losses: list[tuple[int, int]], doubt: str | None, *, search: bool = True) -> None:
        """Estimate the background, fit, and renew the verdict on the stretch.

        Args:
            losses: pulse intervals in which photons are missing.
            doubt: a reason outside the stretch not to call a type.
            search: fit the dot anew, from where the last fit led if its light has not grown much since a
                search for it; otherwise it stays what it was at the last fit.
        """
        binned = self._without_foreign(losses)
        stop = self._photons.stop_pulse if self._frozen_pulse is None else self._frozen_pulse
        span = self._acq.seconds(self.since_pulse), self._acq.seconds(stop)
        if binned is None:
            if not self.call.states:
                self.call = undetermined(*span, doubt or "too few photons yet")
            return
        seen, starts = binned
        lit = seen.lit_bins()
        data, starts_lit = seen.first(lit), starts[:lit]
        if lit < len(starts):
            span = span[0], float(starts[lit])
        found: Levelled | None
        if self.fit is not None and not search:
            found = reread_with_drift(data, starts_lit, self.fit, self.drift)
        else:
            found = self._fit_anew(data, starts_lit)
        if found is None:
            self.call = undetermined(*span, "no emitting level stands out")
            return
        data, self.fit, self.drift = found
        ramp_s = self.drift.ramp_s if self.drift is not None else 0.0
        if 0 < ramp_s < self._elapsed_s - LEAST_LEFT_S and span[0] - self._photons.start_s < RAMP_S:
            # The laser was still on its way: the dot is what it is in the light behind.
            self._begin_at(self.since_pulse + self._acq.pulses(ramp_s), losses, doubt)
            return
        self.bin_s, self.start_s = data.bin_s, starts_lit
        self.reading = read_bins(data, self.fit)
        if search:
            self._background.share_out(self.reading.best)
        own = self._background.settled.doubt if self._background.settled is not None else None
        self.call = call_of(data, self.reading, span, doubt or own, self.belief)
        self._if_single = partial(call_of, data, self.reading, span, own)

    def call_if_single(self) -> BlinkingCall | None:
        """The verdict once a single emitter is shown; None where that is not what it waits for."""
        return self._if_single() if self.only_emitter_doubted and self._if_single is not None else None

    def _fit_anew(self, data: BinnedDecays, start_s: FloatArray) -> Levelled | None:
        """The likeliest dot with its drift of light; None where no bright level stands out."""
        known_sd_cps = self._background.settle(data)
        # After a search of so many bins another one finds the same.
        enough = self._searched_bins >= ENOUGH_BINS and self._elapsed_s < self._next_search_s
        known = self.fit if enough else None
        if known is None:
            self._searched_bins = len(data.counts)

        def fitted(data: BinnedDecays) -> DotFit | None:
            if known is not None:
                return go_on(data, known, known_sd_cps, self.biexciton_yield)
            return fit_dot(data, known_sd_cps, expected_bright(self._before), self.biexciton_yield)

        return fit_with_drift(self._background.under(data), start_s, fitted, self.drift)

    def lit_since(self, pulse: int, losses: list[tuple[int, int]]) -> bool:
        """Whether there was light that is not the dot's since a pulse, as far as can be told now."""
        self._without_foreign(losses)
        return any(stop > pulse for _, stop in self.foreign)

    def _without_foreign(self, losses: list[tuple[int, int]]) -> tuple[BinnedDecays, FloatArray] | None:
        """The bins since the last conversion that hold no light but the dot's."""
        before = [span for span in self.foreign if span[1] <= self.since_pulse]
        self.foreign = before
        binned = self.binned(self.since_pulse, losses, to_pulse=self._frozen_pulse)
        if binned is None:
            return None
        data, starts = binned
        marked = foreign_bins(data)
        if not marked.any():
            return binned
        edges = np.flatnonzero(np.diff(np.concatenate([[False], marked, [False]]).astype(np.int8)))
        for first, stop in edges.reshape(-1, 2).tolist():
            begin, end = (self._acq.pulses(float(starts[i])) for i in (first, stop - 1))
            self.foreign.append((begin, end + self._acq.pulses(data.bin_s)))
        return self.binned(self.since_pulse, losses, to_pulse=self._frozen_pulse)

    def look(self, losses: list[tuple[int, int]], doubt: str | None, stop_pulse: int) -> BlinkingCall | None:
        """Verdict on the rolling window that ends at a pulse; None while too little is known.

        The dot is that of the stretch, or of the stretch before until that is known; the weights of its
        states are the window's own: a new kind of blink is not read as the old one for being rare.
        """
        first = max(self.since_pulse, stop_pulse - self._acq.pulses(self._window_s))
        return self._verdict_on(first, stop_pulse, losses, doubt)

    def since(self, time_s: float, losses: list[tuple[int, int]]) -> BlinkingCall | None:
        """Verdict on all light since a time of the stretch, as by `look`."""
        first = max(self.since_pulse, self._acq.pulses(time_s))
        return self._verdict_on(first, self._photons.stop_pulse, losses, None)

    def _verdict_on(
        self, first: int, stop: int, losses: list[tuple[int, int]], doubt: str | None
    ) -> BlinkingCall | None:
        """Of the light between two pulses."""
        binned = self.binned(first, losses, to_pulse=stop)
        if binned is None:
            return None
        data, _ = binned
        if self.fit is not None:
            fit = reread(data, self.fit)
        elif self._before is not None and self._elapsed_s >= ADAPT_S:
            fit = adapted(data, *self._before)
        else:
            return None
        span = self._acq.seconds(first), self._acq.seconds(stop)
        return call_of(data, read_bins(data, fit), span, doubt, self.belief)

    def restart_at(self, pulse: int, losses: list[tuple[int, int]], doubt: str | None) -> None:
        """The dot converted here: the verdict on the stretch now rests on what follows."""
        if self.fit is not None:
            self._before = self.fit, 1.0
        self._begin_at(max(pulse, self._photons.first_pulse), losses, doubt)
        self._schedule_fit(searched=True)

    def _begin_at(self, pulse: int, losses: list[tuple[int, int]], doubt: str | None) -> None:
        """What was before is not this dot, or not in this light."""
        self.since_pulse = pulse
        self.fit = self.drift = None
        self.refit(losses, doubt)

    def freeze_before(self, pulse: int) -> None:
        """The dot bleached here: the verdict rests on what came before."""
        self._frozen_pulse = pulse
        self._next_fit_s = 0.0
