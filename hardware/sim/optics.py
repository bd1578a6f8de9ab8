"""The simulated set-up around the dot: optics, detectors, timing card, spectrometer."""

from dataclasses import dataclass

__all__ = ["CHUNK_S", "Setup", "Spectrometer"]

CHUNK_S = 0.05
"""Longest stretch generated with one <N>, in s; the cadence of the simulated card."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spectrometer:
    """A grating spectrometer with an EMCCD that sees a tenth of what the detectors see.

    Attributes:
        fraction: its counts over those of both detectors.
        dispersion_nm: wavelength per pixel.
        half_span_nm: half of the recorded range.
        read_noise_e: Gaussian noise per pixel and frame, in primary electrons.
        diffusion_nm: sd of the peak position from frame to frame.
    """

    fraction: float = 0.1  # chosen: a 90/10 beam splitter
    dispersion_nm: float = 0.4  # chosen: 150 l/mm grating at 500 mm
    half_span_nm: float = 60.0  # chosen: wide enough for the shifted peak
    read_noise_e: float = 0.5  # chosen: typical with EM gain
    diffusion_nm: float = 0.4  # chosen: spectral diffusion at room temperature is 0.3-1 nm


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """A confocal microscope with a pulsed laser and two photon-counting detectors.

    Attributes:
        pulse_rate_hz: laser pulses per second.
        efficiency: chance that an emitted photon reaches and fires a detector.
        splitter: share of the light that goes to channel 0.
        laser_fwhm_ns: pulse width.
        detector_fwhm_ns: timing jitter of a detector.
        tail_fraction: share of clicks in the exponential tail of the detector's response.
        tail_ns: decay time of that tail.
        delay_ns: cable and optical delay per channel.
        dark_cps: dark counts per channel.
        room_light_cps: uniform background per channel without laser.
        laser_light_cps: uniform background per channel and per <N>, uncorrelated with the pulse.
        scatter: chance per pulse and per <N> of one click from scattered laser light, on either channel.
        dead_time_ns: of each detector.
        afterpulse: chance that a click is followed by an after-pulse.
        afterpulse_ns: mean delay of after-pulses beyond the dead time, exponential.
        resolution_ps: TCSPC bin width.
        spectrometer: what sees the rest of the light.
    """

    pulse_rate_hz: float
    efficiency: float
    splitter: float = 0.5  # paper: Hanbury Brown-Twiss scheme
    laser_fwhm_ns: float = 0.075  # paper: 50-100 ps
    detector_fwhm_ns: float = 0.350  # chosen: SPCM-AQRH class module
    tail_fraction: float = 0.05  # chosen: slow diffusion tail of a thick-junction detector
    tail_ns: float = 0.5  # chosen: as above
    delay_ns: tuple[float, float] = (4.0, 4.64)  # chosen: unequal cables, to be found by the analysis
    dark_cps: float = 25.0  # chosen: low-dark-count grade
    room_light_cps: float = 150.0  # chosen: a covered microscope
    laser_light_cps: float = 400.0  # chosen: slow luminescence of optics and substrate
    scatter: float = 4e-5  # chosen: leakage of the laser filter, 20 cps at <N> = 0.1 and 5 MHz
    dead_time_ns: float = 22.0  # chosen: SPCM-AQRH class module
    afterpulse: float = 0.005  # chosen: as above
    afterpulse_ns: float = 60.0  # chosen: trap release in silicon detectors
    resolution_ps: float = 16.0  # chosen: divides 200 ns and 100 ns exactly
    spectrometer: Spectrometer = Spectrometer()

    @property
    def period_ns(self) -> float:
        """Time between two pulses."""
        return 1e9 / self.pulse_rate_hz

    @property
    def nanotime_bins(self) -> int:
        """TCSPC bins in one pulse period."""
        return round(self.period_ns * 1000.0 / self.resolution_ps)

    @property
    def chunk_pulses(self) -> int:
        """Pulses in one chunk of 50 ms."""
        return round(CHUNK_S * self.pulse_rate_hz)

    def background_cps(self, mean_excitation: float) -> float:
        """Uniform background per channel, dark counts included, at <N>."""
        return self.dark_cps + self.room_light_cps + self.laser_light_cps * mean_excitation
