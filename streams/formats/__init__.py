"""Recordings made by other software: recognised by content, read as the messages of a session.

A format is one module that turns a file into a `Recording`, and one row in `registry.FORMATS`.
"""

from streams.formats.ptu_writer import PtuWriter, write_ptu
from streams.formats.recording import FormatError, Recording
from streams.formats.registry import open_recording

__all__ = ["FormatError", "PtuWriter", "Recording", "open_recording", "write_ptu"]
