import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.endpoints import Endpoints, parse_address


@pytest.fixture
def runtime_folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty runtime folder with a path short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="qd") as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        yield Path(folder)


@pytest.fixture
def endpoints(runtime_folder: Path) -> Endpoints:
    """Endpoints nobody uses."""
    return parse_address(f"ipc://{runtime_folder}/stream")
