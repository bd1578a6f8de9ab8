"""HDF5 files: the container says nothing of what is in it, so the kind is told from its groups."""

from pathlib import Path

from streams.formats import full_sms, photon_hdf5
from streams.formats.choices import NOTHING_SAID, Choices
from streams.formats.hdf5_file import hdf5_file
from streams.formats.recording import FormatError, Recording

__all__ = ["read", "recognises"]

SIGNATURE = b"\x89HDF\r\n\x1a\n"
USER_BLOCKS = (0, 512)  # the signature may stand behind a user block


def recognises(head: bytes) -> bool:
    """Whether a file that begins like this is an HDF5 file."""
    return any(head[at : at + len(SIGNATURE)] == SIGNATURE for at in USER_BLOCKS)


def read(path: Path, choices: Choices = NOTHING_SAID) -> Recording:
    """Open an HDF5 file with photons in it.

    Raises:
        FormatError: it is damaged, or of no known kind.
    """
    with hdf5_file(path) as file:
        if photon_hdf5.is_photon_hdf5(file):
            return photon_hdf5.read(path, file, choices)
        if full_sms.is_full_sms(file):
            return full_sms.read(path, file, choices)
    raise FormatError(path, "is an HDF5 file, but neither Photon-HDF5 nor of Full SMS")
