import os
import socket
from pathlib import Path

import pytest

from streams.endpoints import EndpointError, Endpoints, claimed, local_endpoints, parse_address

posix = pytest.mark.skipif(os.name == "nt", reason="modes and owners are POSIX")


def test_the_default_are_three_sockets_in_a_private_runtime_folder(runtime_folder: Path) -> None:
    endpoints = local_endpoints()
    folder = runtime_folder / "qdmon"
    assert endpoints == Endpoints(
        f"ipc://{folder}/default.data", f"ipc://{folder}/default.query", f"ipc://{folder}/default.control"
    )
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("address", ["lab", "lab-2.left"])
def test_a_plain_word_names_a_daemon(runtime_folder: Path, address: str) -> None:
    assert parse_address(address) == local_endpoints(address)


def test_a_folder_holds_a_daemons_sockets(runtime_folder: Path) -> None:
    folder = runtime_folder / "mine"
    assert parse_address(str(folder)) == parse_address(f"ipc://{folder}")
    assert parse_address(str(folder)).query == f"ipc://{folder}/default.query"


def test_loopback_takes_three_ports() -> None:
    expected = Endpoints("tcp://127.0.0.1:5555", "tcp://127.0.0.1:5556", "tcp://127.0.0.1:5557")
    assert parse_address("tcp://127.0.0.1:5555") == parse_address("tcp://localhost:5555") == expected


@pytest.mark.parametrize(
    "address",
    [
        "tcp://0.0.0.0:5555",
        "tcp://*:5555",
        "tcp://192.168.0.2:5555",
        "tcp://127.0.0.1.evil.example:5555",
        "tcp://127.0.0.1:65534",
        "tcp://127.0.0.1:0",
        "tcp://127.0.0.1:99999",
        "tcp://127.0.0.1",
        "udp://127.0.0.1:5555",
        "ipc://@abstract",
        "ipc://",
        "",
        "..",
        "-x",
        "two words",
        "a\nb",
        "x" * 65,
    ],
)
def test_anything_that_could_listen_beyond_this_machine_is_refused_in_one_line(
    runtime_folder: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.chdir("/")
    with pytest.raises(EndpointError) as refusal:
        parse_address(address)
    assert "\n" not in str(refusal.value)


def test_a_path_too_long_for_a_socket_is_refused(runtime_folder: Path) -> None:
    with pytest.raises(EndpointError, match="too long"):
        parse_address(f"ipc://{runtime_folder}/{'x' * 100}")


@posix
def test_a_folder_others_can_enter_is_refused(runtime_folder: Path) -> None:
    folder = runtime_folder / "open"
    folder.mkdir()
    folder.chmod(0o755)
    with pytest.raises(EndpointError, match="chmod 700"):
        parse_address(str(folder))


@posix
def test_a_link_or_a_file_is_not_a_private_folder(runtime_folder: Path) -> None:
    (runtime_folder / "real").mkdir(mode=0o700)
    (runtime_folder / "link").symlink_to(runtime_folder / "real")
    (runtime_folder / "file").touch()
    for name in ("link", "file", "file/below"):
        with pytest.raises(EndpointError):
            parse_address(str(runtime_folder / name))


@posix
def test_sockets_left_by_a_crash_are_removed_and_other_files_are_not(endpoints: Endpoints) -> None:
    data, query = (Path(e.removeprefix("ipc://")) for e in (endpoints.data, endpoints.query))
    with socket.socket(socket.AF_UNIX) as crashed:
        crashed.bind(str(data))
    query.write_text("somebody's notes")
    with claimed(endpoints):
        assert not data.exists()
        assert query.read_text() == "somebody's notes"


def test_only_one_may_hold_endpoints_and_the_next_may_follow(endpoints: Endpoints) -> None:
    with (
        claimed(endpoints),
        pytest.raises(EndpointError, match="named default already runs"),
        claimed(endpoints),
    ):
        pass
    with claimed(endpoints):
        pass
