"""SIMINICS FT1040 time taggers: their words, from the vendor's guide, never met on a card."""

from hardware.siminics.words import Words

__all__ = ["Words"]
