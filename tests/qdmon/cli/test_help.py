"""Every command explains itself, with an example."""

import re

import pytest
from cyclopts import App

from qdmon.cli.app import _COMMANDS, _GROUPS, build_app, main

EVERY = [(name,) for name in _COMMANDS] + [
    (group, name) for group, (_, commands) in _GROUPS.items() for name in commands
]


@pytest.mark.parametrize("command", EVERY, ids=" ".join)
def test_help_of_every_command_has_an_example_of_that_command(
    command: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*command, "--help"])
    assert ended.value.code == 0
    assert f"Example: qdmon {' '.join(command)}" in capsys.readouterr().out


def test_the_first_page_says_of_every_command_what_it_does(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    page = capsys.readouterr().out
    for name in (*_COMMANDS, *_GROUPS):
        assert re.search(rf"^\W+{name} +[A-Z][a-z]+\W", page, re.MULTILINE), name
    assert "serve-file" not in page


def test_building_the_command_tree_gives_an_app() -> None:
    assert isinstance(build_app(), App)
