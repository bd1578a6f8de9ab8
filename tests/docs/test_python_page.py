"""docs/python.md is run as one script, and prints what it says it prints."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "python.md"
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_the_examples_run_and_print_what_the_page_shows(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, object] = {}
    shown, printed = 0, ""
    for language, text in BLOCKS:
        if language == "text":
            assert text in printed
            shown += 1
        else:
            assert language == "python"
            exec(compile(text, str(PAGE), "exec"), names)
            printed = capsys.readouterr().out
            assert printed
    assert shown == 3
    bright = names["bright"]
    assert bright == pytest.approx(15_000, rel=0.2)
    peaks_nm = names["peaks_nm"]
    assert isinstance(peaks_nm, list)
    assert sum(peaks_nm[20:]) / 10 - sum(peaks_nm[:10]) / 10 == pytest.approx(8.0, abs=1.5)
