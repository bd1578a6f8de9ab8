"""Sizes of files as people read them."""

__all__ = ["size_text"]

_UNITS = ("B", "kB", "MB", "GB")


def size_text(size: int) -> str:
    """Bytes in decimal units with three digits, as in 12.3 MB."""
    value, unit = float(size), 0
    while value >= 999.5 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    decimals = 0 if unit == 0 or value >= 99.95 else 1 if value >= 9.995 else 2
    return f"{value:.{decimals}f} {_UNITS[unit]}"
