"""Recordings made by other software: recognised by content, read as the messages of a session.

A format is one module that turns a file into a `Recording`, and one row in `registry.FORMATS`.
"""

from streams.formats.choices import Choices
from streams.formats.phu import Curve, holds_histograms, read_histograms
from streams.formats.ptu_writer import PtuWriter, write_ptu
from streams.formats.recording import FormatError, Recording
from streams.formats.registry import open_recording

__all__ = [
    "Choices",
    "Curve",
    "FormatError",
    "PtuWriter",
    "Recording",
    "holds_histograms",
    "open_recording",
    "read_histograms",
    "write_ptu",
]
