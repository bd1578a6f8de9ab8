"""Logs: one schema for machines, and never a reason for anything else to fail."""

import json
from pathlib import Path

import pytest
import structlog

from qdmon.daemon.logs import logs


def test_a_log_file_gets_one_json_object_a_line(tmp_path: Path) -> None:
    path = tmp_path / "daemon.log"
    with logs(path):
        structlog.get_logger("daemon").info("fluence step", mean_excitation=1.4)
    (line,) = path.read_text().splitlines()
    entry = json.loads(line)
    assert entry["event"] == "fluence step"
    assert entry["mean_excitation"] == 1.4
    assert entry["level"] == "info"


def test_standard_error_that_is_no_terminal_gets_json(capsys: pytest.CaptureFixture[str]) -> None:
    with logs():
        structlog.get_logger().warning("card FIFO overrun", pulse=5)
    assert json.loads(capsys.readouterr().err)["pulse"] == 5


def test_debug_lines_appear_only_when_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "daemon.log"
    with logs(path):
        structlog.get_logger().debug("batch")
    assert path.read_text() == ""
    with logs(path, debug=True):
        structlog.get_logger().debug("batch")
    assert "batch" in path.read_text()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_does_not_reach_the_caller() -> None:
    after = []
    with logs(Path("/dev/full")):
        structlog.get_logger().error("laser did not confirm")
        after.append("the caller goes on")
    assert after
