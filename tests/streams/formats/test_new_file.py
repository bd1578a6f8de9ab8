"""Files appear whole or not at all, and never in the place of another unless asked."""

from pathlib import Path

import pytest

from streams.formats.new_file import new_file


def fill(
    path: Path,
    text: str,
    error: type[BaseException] | None = None,
    *,
    beside: Path | None = None,
    replace: bool = False,
) -> None:
    """Write a new file; on the way another may appear, or something go wrong."""
    with new_file(path, replace=replace) as part:
        part.write_text(text)
        if beside is not None:
            beside.write_text("other")
        if error is not None:
            raise error


def test_a_file_appears_when_it_is_complete(tmp_path: Path) -> None:
    with new_file(tmp_path / "x") as part:
        part.write_text("new")
        assert not (tmp_path / "x").exists()
    assert [p.name for p in tmp_path.iterdir()] == ["x"]
    assert (tmp_path / "x").read_text() == "new"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_failure_or_an_interrupt_leaves_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    with pytest.raises(error):
        fill(tmp_path / "x", "half", error)
    assert not list(tmp_path.iterdir())


def test_a_file_of_the_name_is_kept(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("old")
    with pytest.raises(FileExistsError, match="--force replaces it"), new_file(tmp_path / "x"):
        pass
    assert (tmp_path / "x").read_text() == "old"


def test_a_file_that_appears_meanwhile_is_kept(tmp_path: Path) -> None:
    with pytest.raises(FileExistsError):
        fill(tmp_path / "x", "new", beside=tmp_path / "x")
    assert (tmp_path / "x").read_text() == "other"
    assert [p.name for p in tmp_path.iterdir()] == ["x"]


def test_a_file_is_replaced_when_asked_and_kept_when_that_fails(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("old")
    with pytest.raises(ValueError):  # noqa: PT011 - raised right here
        fill(tmp_path / "x", "half", ValueError, replace=True)
    assert (tmp_path / "x").read_text() == "old"
    with new_file(tmp_path / "x", replace=True) as part:
        part.write_text("new")
    assert (tmp_path / "x").read_text() == "new"
