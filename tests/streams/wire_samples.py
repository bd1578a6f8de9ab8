"""Messages of every kind, drawn by Hypothesis, and small ones made by hand."""

import numpy as np
from hypothesis import strategies as st

from hardware.types import Acquisition, LossCause, Photons, RecordLayout
from streams.messages import (
    Alert,
    End,
    Fluence,
    Gap,
    Heartbeat,
    LaserState,
    Marker,
    Message,
    PhotonBatch,
    RecordingState,
    ReplayState,
    Segment,
    Session,
    Spectrum,
    Status,
)
from streams.text import clean_text
from streams.wire import TOPICS, Envelope

MAX = (1 << 63) - 1
PULSES_PER_BATCH = 1000

naturals = st.integers(0, MAX)
reals = st.floats(0, 1e300)
texts = st.text(max_size=30).map(lambda s: clean_text(s, limit=4000))
maybe_bool = st.none() | st.booleans()
maybe_natural = st.none() | naturals
ids = st.binary(min_size=16, max_size=16).map(bytes.hex)
envelopes = st.builds(Envelope, ids, naturals, naturals, naturals)

acquisitions = st.builds(
    Acquisition,
    mode=st.sampled_from(["T3", "T2"]),
    macro_tick_ps=st.floats(1e-3, 1e12),
    resolution_ps=st.none() | st.floats(1e-3, 1e6),
    nanotime_bins=st.integers(0, 65536),
    channels=st.lists(st.integers(0, 255), max_size=8).map(tuple),
    layout=st.sampled_from(RecordLayout),
    instrument=texts,
    serial=texts,
    simulated=st.booleans(),
    settings=st.dictionaries(texts, texts, max_size=3),
    laser_period_ps=st.none() | st.floats(1e-3, 1e12),
)


@st.composite
def photon_batches(draw: st.DrawFn) -> PhotonBatch:
    first = draw(st.integers(0, MAX - 10_000))
    span = draw(st.sampled_from([0, 1, 300, 10_000, MAX - first]))
    n = draw(st.integers(0, 60)) if span else 0
    seed = np.random.default_rng(draw(st.integers(0, 2**32)))
    pulse = np.sort(seed.integers(first, first + span, n, dtype=np.uint64)) if n else np.empty(0, np.uint64)
    nanotime = seed.integers(0, draw(st.sampled_from([1, 200, 65536])), n).astype(np.uint16)
    photons = Photons(pulse, nanotime, seed.integers(0, 256, n).astype(np.uint8))
    return PhotonBatch(draw(naturals), first, first + span, draw(naturals), photons)


@st.composite
def spectra(draw: st.DrawFn) -> Spectrum:
    counts = np.array(draw(st.lists(st.floats(-1e6, 1e6), max_size=20)), np.float64)
    wavelength_nm = np.linspace(400.0, 800.0, len(counts))
    first, stop = sorted(draw(st.tuples(naturals, naturals)))
    return Spectrum(draw(naturals), first, stop, wavelength_nm, counts, draw(reals))


@st.composite
def gaps(draw: st.DrawFn) -> Gap:
    first, stop = sorted(draw(st.tuples(naturals, naturals)))
    return Gap(draw(naturals), first, stop, draw(st.sampled_from(LossCause)), draw(maybe_natural))


by_kind: dict[type, st.SearchStrategy[Message]] = {
    Session: st.builds(
        Session,
        ids,
        naturals,
        texts,
        st.sampled_from(["live", "simulated", "replay"]),
        texts,
        st.dictionaries(texts, texts, max_size=3),
    ),
    Segment: st.builds(Segment, naturals, acquisitions),
    PhotonBatch: photon_batches(),
    Gap: gaps(),
    Fluence: st.builds(Fluence, naturals, naturals, st.none() | reals, maybe_natural, texts),
    LaserState: st.builds(
        LaserState, naturals, naturals, maybe_bool, maybe_bool, maybe_natural, maybe_natural
    ),
    Spectrum: spectra(),
    Marker: st.builds(
        Marker, naturals, naturals, st.sampled_from(["card", "protocol", "operator", "file"]), texts
    ),
    Alert: st.builds(
        Alert, texts, naturals, naturals, texts, st.sampled_from(["info", "warning", "alert"]), texts
    ),
    Status: st.builds(Status, st.sampled_from(["starting", "running", "stopping", "fault"]), texts),
    RecordingState: st.builds(
        RecordingState,
        st.sampled_from(["off", "on", "failed"]),
        texts,
        texts,
        naturals,
        naturals,
        reals,
        maybe_natural,
        maybe_natural,
        reals,
        st.none() | reals,
    ),
    ReplayState: st.builds(
        ReplayState,
        st.sampled_from(["playing", "paused", "ended"]),
        reals,
        st.none() | reals,
        st.none() | reals,
        st.booleans(),
    ),
    Heartbeat: st.builds(
        Heartbeat,
        st.dictionaries(st.sampled_from(sorted(TOPICS.values())), naturals),
        reals,
        naturals,
        naturals,
        naturals,
        naturals,
    ),
    End: st.builds(End, texts),
}
messages: st.SearchStrategy[Message] = st.one_of(*by_kind.values())


def same(one: Message, other: Message) -> bool:
    """Equal in every field, columns bit for bit."""
    if isinstance(one, PhotonBatch) and isinstance(other, PhotonBatch):
        a, b = one.photons, other.photons
        head = (one.segment, one.first_pulse, one.stop_pulse, one.host_time_ns) == (
            other.segment,
            other.first_pulse,
            other.stop_pulse,
            other.host_time_ns,
        )
        return (
            head
            and np.array_equal(a.pulse, b.pulse)
            and np.array_equal(a.nanotime, b.nanotime)
            and np.array_equal(a.channel, b.channel)
        )
    if isinstance(one, Spectrum) and isinstance(other, Spectrum):
        return np.array_equal(one.counts, other.counts) and np.array_equal(
            one.wavelength_nm, other.wavelength_nm
        )
    return one == other


def session(source: str = "simulated") -> Session:
    return Session("0123456789abcdef" * 2, 1_700_000_000_000_000_000, "qdmon test", source)  # type: ignore[arg-type]


def segment(index: int = 0) -> Segment:
    acquisition = Acquisition("T3", 200_000.0, 16.0, 12_500, (0, 1), RecordLayout.GENERIC_T3, "test card")
    return Segment(index, acquisition)


def batch(number: int, photons: int = 5, segment: int = 0) -> PhotonBatch:
    """The photon batch of the pulses [1000 number, 1000 number + 1000)."""
    first = number * PULSES_PER_BATCH
    rng = np.random.default_rng(number)
    pulse = np.sort(rng.integers(first, first + PULSES_PER_BATCH, photons, dtype=np.uint64))
    nanotime = rng.integers(0, 12_500, photons).astype(np.uint16)
    columns = Photons(pulse, nanotime, rng.integers(0, 2, photons).astype(np.uint8))
    return PhotonBatch(segment, first, first + PULSES_PER_BATCH, number, columns)
