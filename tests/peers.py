"""Other readers that ours are compared with, for tests that skip where they are not installed."""

from typing import Any

import numba
import pytest

__all__ = ["phconvert"]


def phconvert(module: str) -> Any:
    """A module of phconvert, as it is without a compiler.

    It would compile its loops when imported, for seconds in each process, and then read a small file or two.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(numba.config, "DISABLE_JIT", True)
        return pytest.importorskip(f"phconvert.{module}")
