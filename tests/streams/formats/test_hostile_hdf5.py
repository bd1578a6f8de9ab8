"""HDF5 files made to hurt: links out, absurd claims, unknown filters, bombs, damage at any byte."""

import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.formats import FormatError, open_recording
from tests.streams.formats.files import all_photons, some_photons
from tests.streams.formats.hdf5_files import full_sms_file, photon_hdf5_file

PHOTONS = some_photons()
TIMES = "photon_data/timestamps"


def refusal(path: Path) -> str:
    with pytest.raises(FormatError) as caught:
        open_recording(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return photon_hdf5_file(tmp_path / "x.h5", PHOTONS)


def replaced(path: Path, **options: object) -> h5py.File:
    file = h5py.File(path, "r+")
    del file[TIMES]
    file.create_dataset(TIMES, **options)
    return file


def test_links_into_other_files_are_never_followed(path: Path, tmp_path: Path) -> None:
    other = photon_hdf5_file(tmp_path / "other.h5", PHOTONS)
    with h5py.File(path, "r+") as file:
        del file[TIMES]
        file[TIMES] = h5py.ExternalLink(other, TIMES)
    assert "does not follow" in refusal(path)


def test_soft_links_are_not_followed_either(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        file.move(TIMES, "hidden")
        file[TIMES] = h5py.SoftLink("/hidden")
    assert "does not follow" in refusal(path)


def test_data_kept_in_another_file_are_not_read(path: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(8 * len(PHOTONS)))
    with replaced(path, shape=(len(PHOTONS),), dtype="i8", external=[(str(secret), 0, 8 * len(PHOTONS))]):
        pass
    assert "another file" in refusal(path)


def test_virtual_columns_are_not_read(path: Path, tmp_path: Path) -> None:
    layout = h5py.VirtualLayout((len(PHOTONS),), "i8")
    layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "x", (len(PHOTONS),))
    with h5py.File(path, "r+") as file:
        del file[TIMES]
        file.create_virtual_dataset(TIMES, layout)
    assert "another file" in refusal(path)


@pytest.mark.parametrize("chunks", [None, (65_536,)])
def test_a_claimed_length_is_not_believed(path: Path, chunks: tuple[int] | None) -> None:
    with replaced(path, shape=(10**13,), dtype="i8", chunks=chunks, compression="gzip" if chunks else None):
        pass
    assert "more than it can hold" in refusal(path)


def test_huge_chunks_are_not_allocated(path: Path) -> None:
    with replaced(path, shape=(10**8,), dtype="i8", chunks=(10**8,), compression="gzip"):
        pass
    assert "too large" in refusal(path)


def test_a_chunk_that_inflates_beyond_its_size_is_damage(path: Path) -> None:
    n = len(PHOTONS)
    with replaced(path, shape=(n,), dtype="i8", chunks=(n,), compression="gzip") as file:
        bomb = zlib.compress(bytes(500_000), 9)
        file[TIMES].id.write_direct_chunk((0,), bomb)
    assert "damaged block" in refusal(path)


def test_chunks_that_were_never_written_are_damage(path: Path) -> None:
    with replaced(path, shape=(len(PHOTONS),), dtype="i8", chunks=(64,), compression="gzip"):
        pass
    assert "damaged block" in refusal(path)


def test_other_compression_is_named_with_a_way_out(path: Path) -> None:
    with replaced(path, data=PHOTONS.pulse.astype(np.int64), chunks=(64,), compression="lzf"):
        pass
    assert "compressed with lzf: rewrite it with gzip" in refusal(path)


@pytest.mark.parametrize("options", [{"compression": "gzip"}, {"compression": "gzip", "shuffle": True}, {}])
@pytest.mark.parametrize("dtype", ["<i8", ">i8", "<u4", ">u8"])
def test_all_plain_ways_of_keeping_numbers_are_read(
    path: Path, options: dict[str, object], dtype: str
) -> None:
    with replaced(path, data=PHOTONS.pulse.astype(dtype), chunks=(64,), **options):
        pass
    assert np.array_equal(all_photons(open_recording(path)).pulse, PHOTONS.pulse)


@pytest.mark.parametrize("value", [h5py.Empty("f8"), "text", np.array([[2e-7]]), np.array([2e-7, 2e-7])])
def test_numbers_of_the_wrong_kind_are_missing_numbers(tmp_path: Path, value: object) -> None:
    path = photon_hdf5_file(tmp_path / "x.h5", PHOTONS, photon_data__timestamps_specs__timestamps_unit=value)
    if isinstance(value, np.ndarray) and value.size == 1:
        open_recording(path)
    else:
        assert "lacks a possible unit" in refusal(path)


def test_texts_cannot_steer_a_terminal(tmp_path: Path) -> None:
    path = photon_hdf5_file(tmp_path / "x.h5", PHOTONS, description=np.bytes_(b"dot\x1b]0;owned\x07"))
    assert "\x1b" not in open_recording(path).session.title
    assert "\x1b" not in open_recording(full_sms_file(tmp_path / "y.h5")).session.title


def test_an_hdf5_file_of_something_else_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["a"] = 1
    assert "neither Photon-HDF5 nor of Full SMS" in refusal(tmp_path / "x.h5")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damage_anywhere_is_refused_in_one_line_or_harmless(path: Path, data: st.DataObject) -> None:
    content = bytearray(path.read_bytes())
    if data.draw(st.booleans()):
        content = content[: data.draw(st.integers(8, len(content) - 1))]
    else:
        at = data.draw(st.integers(8, len(content) - 1))
        content[at] ^= 1 << data.draw(st.integers(0, 7))
    damaged = path.with_name("damaged.h5")
    damaged.write_bytes(content)
    said = ""
    try:
        all_photons(open_recording(damaged), batch_s=1e4)
    except FormatError as error:
        said = str(error)
    assert "\n" not in said
