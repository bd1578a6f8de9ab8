"""The TCSPC histogram of a stretch, its multi-exponential fit, and the curve drawn through it."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from qdmon.analysis.decays.decay_bins import LEAD_NS, decay_bins
from qdmon.analysis.decays.multiexponential import MultiExponential, fit_number_of_exponentials
from qdmon.analysis.decays.pileup import PileUp
from qdmon.analysis.decays.response import Response
from qdmon.analysis.results.decay_fit import Decay, DecayComponent, DecayFit
from qdmon.analysis.results.estimate import UNKNOWN, Estimate

__all__ = ["LateFit", "decay_summary", "drawn_decay", "empty_decay"]

FloatArray = NDArray[np.float64]

DRAWN_BINS = 400


class LateFit:
    """Fit of a decay, made when somebody asks for it.

    The histogram is set aside at instants of the stream, so that the result does not depend on who looks
    when; most of them are never fitted.
    """

    def __init__(
        self,
        resolution_ps: float,
        period_ns: float,
        t0_ps: Mapping[int, float],
        responses: Mapping[int, Response],
        window: tuple[int, int] | None = None,
    ) -> None:
        """Nothing yet.

        Args:
            resolution_ps: width of a TCSPC bin.
            period_ns: between two pulses.
            t0_ps: channel -> time zero; only these channels are fitted.
            responses: channel -> measured response; others are assumed.
            window: first and stop TCSPC bin of what the card records; None: the whole period.
        """
        self._window = window
        self._resolution_ps, self._period_ns = resolution_ps, period_ns
        self._t0_ps = t0_ps
        self._responses = responses
        self._waiting: tuple[NDArray[np.int64], PileUp | None] | None = None
        self._fit: MultiExponential | None = None
        self._summary: DecayFit | None = None

    def renew(self, histogram: NDArray[np.int64], pile_up: PileUp | None) -> None:
        """Set a histogram aside.

        Args:
            histogram: (c, t) photons per channel and TCSPC bin; copied.
            pile_up: what makes the detectors miss photons; None: nothing.
        """
        self._waiting = histogram.copy(), pile_up

    @property
    def fit(self) -> MultiExponential | None:
        """Of the histogram set aside last; None without one, or with too few photons."""
        if self._waiting is not None:
            histogram, pile_up = self._waiting
            self._waiting = None
            axis = self._resolution_ps, self._period_ns
            bins = {
                c: decay_bins(histogram[c], *axis, t0, pile_up, self._window) for c, t0 in self._t0_ps.items()
            }
            self._fit = fit_number_of_exponentials(bins, self._responses, self._period_ns)
            self._summary = decay_summary(self._fit)
        return self._fit

    @property
    def summary(self) -> DecayFit | None:
        """What that fit says."""
        return self._summary if self.fit is not None else None


def empty_decay() -> Decay:
    """No photons with nanotimes yet."""
    return Decay(np.empty(0), {}, {}, UNKNOWN, None)


def drawn_decay(
    histogram: NDArray[np.int64],
    resolution_ps: float,
    period_ns: float,
    t0_ps: dict[int, float],
    lifetime_ns: Estimate,
    fit: MultiExponential | None,
    window: tuple[int, int] | None = None,
) -> Decay:
    """Group the histogram for drawing, with the curve of a fit over it.

    Args:
        histogram: (c, t) photons per channel and TCSPC bin.
        resolution_ps: width of a TCSPC bin.
        period_ns: laser period.
        t0_ps: channel -> arrival of the pulse; only these channels are drawn.
        lifetime_ns: mean lifetime to state with the decay.
        fit: of this light, perhaps of fewer photons; the curve grows with them.
        window: first and stop TCSPC bin of what the card records; None: the first period.
    """
    first, stop = window or (0, min(histogram.shape[1], int(np.ceil(period_ns * 1e3 / resolution_ps))))
    group = max(1, (stop - first) // DRAWN_BINS)
    drawn = (stop - first) // group
    width_ns = group * resolution_ps / 1e3
    start_ns = np.arange(drawn) * width_ns + first * resolution_ps / 1e3
    shown = histogram[:, first : first + drawn * group].reshape(len(histogram), drawn, group).sum(axis=2)
    counts = {c: shown[c] for c in t0_ps}
    summary = decay_summary(fit)
    if fit is None or summary is None:
        return Decay(start_ns, counts, {}, lifetime_ns, None)
    model: dict[int, FloatArray] = {}
    for channel in fit.detectors.keys() & t0_ps.keys():
        after = (start_ns - t0_ps[channel] / 1e3 + LEAD_NS) % period_ns - LEAD_NS
        curve = fit.expected(channel, after, after + width_ns)
        model[channel] = curve * (counts[channel].sum() / max(float(curve.sum()), 1e-9))
    return Decay(start_ns, counts, model, lifetime_ns, summary.chi2_reduced, summary)


def decay_summary(fit: MultiExponential | None) -> DecayFit | None:
    """What a fit says; None without a fit, or without a degree of freedom left to judge it by."""
    if fit is None or fit.goodness is None:
        return None
    components = tuple(_component(fit, i) for i in range(len(fit.photons)))
    # Longest first: so many are the dot's beyond doubt.
    sure = int(np.sum(fit.lifetimes_ns > max(d.response.unsure_ns for d in fit.detectors.values())))
    return DecayFit(
        components,
        _measured(fit.estimate(lambda tau, photons: photons[:sure].sum() / (photons / tau)[:sure].sum()))
        if sure
        else UNKNOWN,
        _measured(fit.estimate(lambda tau, photons: photons[:sure] @ tau[:sure] / photons[:sure].sum()))
        if sure
        else UNKNOWN,
        fit.goodness.chi2_reduced,
        fit.goodness.durbin_watson,
        fit.goodness.by_chance,
        sum(d.counts for d in fit.detectors.values()),
    )


def _component(fit: MultiExponential, i: int) -> DecayComponent:
    return DecayComponent(
        _measured(fit.estimate(lambda tau, _: tau[i])),
        _share(fit.estimate(lambda tau, photons: photons[i] / tau[i] / (photons / tau).sum())),
        _share(fit.estimate(lambda _, photons: photons[i] / photons.sum())),
    )


def _measured(found: Estimate) -> Estimate:
    """What rests on a parameter at its bound was not measured."""
    return found if found.error is not None else UNKNOWN


def _share(share: Estimate) -> Estimate:
    """A share that could be anything is not known."""
    return share if share.error is not None and share.error < 0.5 else UNKNOWN
