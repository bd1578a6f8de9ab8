"""Commands that start other processes: what they find, and that they leave nobody behind."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from qdmon.cli.app import main
from qdmon.cli.child import Child
from qdmon.cli.errors import UserError


def qdmon(*tokens: str, timeout: float = 110) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "qdmon", *tokens], capture_output=True, text=True, timeout=timeout, check=False
    )


def last_object(output: str) -> dict[str, Any]:
    found = json.loads(output.splitlines()[-1])
    assert isinstance(found, dict)
    return found


def simulated(path: Path, *more: str) -> None:
    """A recording of a small perovskite dot; this process has the kernels already."""
    with pytest.raises(SystemExit) as ended:
        main(["simulate", "dot", "mapbbr3", "-o", str(path), *more])
    assert not ended.value.code


def headless(capsys: pytest.CaptureFixture[str], *tokens: str) -> subprocess.CompletedProcess[str]:
    """A command in this process, which has the kernels already; what it starts is a process all the same."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(tokens)
    said = capsys.readouterr()
    return subprocess.CompletedProcess(tokens, int(ended.value.code or 0), said.out, said.err)


@dataclass(frozen=True)
class Demo:
    """A demonstration that was recorded, and what it printed."""

    done: subprocess.CompletedProcess[str]
    session: Path


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """This dot converts in the second step; five seconds of return tell that it stays so."""
    folder = tmp_path_factory.mktemp("demo")
    plan = folder / "steps.toml"
    steps = ((0.2, 6.0), (1.4, 6.0), (0.2, 7.0))
    plan.write_text("".join(f"[[step]]\nmean_excitation = {n}\nduration_s = {t}\n" for n, t in steps))
    short = ("--speed", "20", "--protocol", str(plan), "--record", str(folder / "kept"))
    done = qdmon("demo", "cdse-zns-2nm", "--headless", "--seed", "1", *short)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    (session,) = (folder / "kept").iterdir()
    return Demo(done, session)


def test_the_demo_finds_the_conversion(demo: Demo) -> None:
    assert any("ALERT" in line and "auger -> bc" in line for line in demo.done.stdout.splitlines())
    found = last_object(demo.done.stdout)
    (conversion,) = found["conversions"]
    assert (conversion["from"], conversion["to"]) == ("auger", "bc")
    assert conversion["reversible"] is False
    steps = [segment for segment in found["segments"] if segment["mean_excitation"] is not None]
    assert [segment["mean_excitation"] for segment in steps] == [0.2, 1.4, 0.2]
    assert [steps[0]["blinking"], steps[2]["blinking"]] == ["auger", "bc"]
    assert found["losses"] == []


def events(done: subprocess.CompletedProcess[str]) -> list[str]:
    return [line for line in done.stdout.splitlines() if not line.startswith(("--", "{"))]


def test_a_replay_reports_what_the_live_session_reported_event_by_event(
    demo: Demo, capsys: pytest.CaptureFixture[str]
) -> None:
    again = headless(capsys, "replay", str(demo.session), "--headless", "--speed", "max")
    assert again.returncode == 0, again.stderr
    assert "Traceback" not in again.stderr
    assert events(demo.done) == events(again)
    assert any("ALERT conversion" in line for line in events(demo.done))
    first, second = last_object(demo.done.stdout), last_object(again.stdout)
    assert {**first, "source": ""} == {**second, "source": ""}


def test_a_simulated_recording_replays_to_the_photons_it_holds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "dot.ptu"
    truth = tmp_path / "truth.json"
    simulated(path, "--duration", "1", "--truth", str(truth))
    photons = int(capsys.readouterr().out.split()[1])
    assert path.with_suffix(".fluence.csv").read_text() == "time_s,mean_excitation\n0,0.1\n"
    assert json.loads(truth.read_text())["preset"] == "mapbbr3"
    replayed = headless(capsys, "replay", str(path), "--headless", "--json", "--speed", "max")
    assert replayed.returncode == 0, replayed.stderr
    found = last_object(replayed.stdout)
    assert found["photons"] == photons
    assert found["source"] == "dot.ptu"
    assert found["losses"] == []


def test_a_damaged_recording_is_replayed_as_far_as_it_goes_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "dot.ptu"
    simulated(path, "--duration", "1")
    path.write_bytes(path.read_bytes()[:-100_001])
    replayed = headless(capsys, "replay", str(path), "--headless", "--json", "--speed", "max")
    assert replayed.returncode == 1
    assert last_object(replayed.stdout)["photons"] > 0
    assert len(replayed.stderr.splitlines()) >= 1
    assert "Traceback" not in replayed.stderr


def test_watch_reports_a_daemon_without_a_screen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    steps = tmp_path / "steps.toml"
    steps.write_text("[[step]]\nmean_excitation = 0.2\nduration_s = 5.0\n")
    address = f"w{os.getpid()}"
    instruments = ["--simulate", "mapbbr3", "--seed", "3", "--speed", "5"]
    protocol = ["--protocol", str(steps), "--after", "exit"]
    with Child(["daemon", *instruments, *protocol, "--bind", address]) as child:
        child.wait_ready()
        watched = headless(capsys, "watch", address, "--json")
        assert watched.returncode == 0, watched.stderr
        assert child.stop() == 0
    found = last_object(watched.stdout)
    assert found["duration_s"] >= 5.0
    assert found["segments"][0]["mean_excitation"] == 0.2


def test_a_child_that_cannot_start_tells_why_in_its_own_words() -> None:
    with (
        Child(["daemon", "--simulate", "nope"]) as child,
        pytest.raises(UserError, match="unknown preset 'nope'"),
    ):
        child.wait_ready()


def test_a_child_is_stopped_with_its_context_and_reports_success(tmp_path: Path) -> None:
    with Child(["daemon", "--simulate", "mapbbr3", "--bind", f"c{os.getpid()}"]) as child:
        child.wait_ready()
        assert child.running
        assert child.stop() == 0
    assert not child.running


@pytest.mark.skipif(sys.platform == "win32", reason="needs kill -9")
def test_a_parent_killed_outright_leaves_no_orphan() -> None:
    script = (
        "import sys; from qdmon.cli.child import Child\n"
        f"child = Child(['daemon', '--simulate', 'mapbbr3', '--bind', 'o{os.getpid()}'])\n"
        "child.wait_ready(); print(child._process.pid, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        orphan = int(parent.stdout.readline())
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    until = time.monotonic() + 15
    while _alive(orphan):
        assert time.monotonic() < until, "the daemon outlived the process that started it"
        os.sched_yield()


def _alive(pid: int) -> bool:
    """Whether a process still runs; a zombie that nobody waits for does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        return not Path("/proc").exists()
    return state != "Z"
