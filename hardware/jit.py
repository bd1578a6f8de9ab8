"""One typed way to compile a kernel, with the cache in the user's cache folder.

Kernels are compiled without the interpreter lock and with numpy division semantics, so they can
run in an ingest thread beside a screen. Where no cache folder can be written they still compile,
once per process.
"""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import platformdirs

__all__ = ["jit", "jit_sums", "state_of_kernels"]

_F = TypeVar("_F", bound=Callable[..., Any])
# Whose kernels call each other.
_OURS = ("hardware", "streams", "qdmon")


def state_of_kernels(root: Path) -> str:
    """Digest of all sources below `root` that hold kernels.

    A kernel is compiled together with those it calls, but numba only looks whether its own file is the same:
    so each state of them all has a cache of its own.
    """
    digest = hashlib.sha1(usedforsecurity=False)
    for package in _OURS:
        for source in sorted((root / package).rglob("*.py")):
            text = source.read_bytes()
            if b"hardware.jit" in text:
                digest.update(text)
    return digest.hexdigest()[:12]


def _usable_cache_dir() -> bool:
    ours = Path(platformdirs.user_cache_dir("qdmon", appauthor=False))
    state = state_of_kernels(Path(__file__).parents[1])
    chosen = os.environ.setdefault("NUMBA_CACHE_DIR", str(ours / "numba" / state))
    try:
        Path(chosen).mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(chosen, os.W_OK)


# numba reads NUMBA_CACHE_DIR when it is imported, so the folder is chosen first.
_CACHE = _usable_cache_dir()

import numba  # noqa: E402


def jit(function: _F) -> _F:
    """Compile `function` with numba on its first call; later processes load it from the cache."""
    return _compiled(function)


def jit_sums(function: _F) -> _F:
    """The same for sums whose terms may be added in any order, several at once.

    That order depends on the processor, but not on where the arrays lie in memory.
    """
    return _compiled(function, fastmath={"reassoc"})


def _compiled(function: _F, **options: Any) -> _F:
    return cast(_F, numba.njit(cache=_CACHE, nogil=True, error_model="numpy", **options)(function))
