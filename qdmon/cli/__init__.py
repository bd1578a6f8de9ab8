"""The command line: thin commands that import what they need when they run."""

from qdmon.cli.app import main

__all__ = ["main"]
