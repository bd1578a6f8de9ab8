"""The reference recordings: found everywhere, reproducible, and read for what they are."""

import itertools
import json
import re
import shlex
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import qdmon
from qdmon import reference
from qdmon.cli import main
from qdmon.daemon.protocol import load_protocol
from qdmon.reading import OpenedRecording
from qdmon.reference import find_recording, reference_names, reference_path, truth_path
from streams.formats import FormatError
from streams.messages import Fluence, PhotonBatch
from streams.recording import open_session, verify
from tests.streams.wire_samples import same

NAMES = ("cdse-zns-2nm", "cspbbr3-large", "mapbbr3")
ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "recordings"
PAGE = (FOLDER / "README.md").read_text(encoding="utf-8")


@cache
def opened(name: str) -> OpenedRecording:
    return qdmon.open(name)


@cache
def said(name: str) -> dict[str, Any]:
    return dict(opened(name).analyze().report)


@cache
def truth(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(truth_path(name).read_text(encoding="utf-8"))
    return found


def real_types(name: str) -> list[str]:
    """What the dot realised in each step; in the one with the conversion, what it was from then on."""
    types = [step["blinking"] for step in truth(name)["steps"]]
    if (converted_s := truth(name)["conversion_s"]) is not None:
        starts = [step["start_s"] for step in truth(name)["steps"]]
        step = sum(start_s <= converted_s for start_s in starts) - 1
        types[step] = types[step + 1]
    return types


def steps_of(name: str) -> list[dict[str, Any]]:
    return [s for s in said(name)["segments"] if s["mean_excitation"] is not None]


def test_there_is_one_for_each_headline_case_and_they_are_small() -> None:
    assert reference_names() == NAMES
    sizes = [file.stat().st_size for file in FOLDER.glob("*.ref*/*.mcap")]
    assert len(sizes) == len(NAMES)
    assert sum(sizes) < 7e6


@pytest.mark.parametrize("name", NAMES)
def test_each_is_whole_and_a_single_finished_file(name: str) -> None:
    folder = reference_path(name)
    assert [file.name for file in folder.iterdir()] == ["0001.mcap"]
    found = verify(folder)
    assert found.intact
    assert found.photons == opened(name).photons


@pytest.mark.parametrize("name", NAMES)
def test_qdmon_says_of_each_step_what_the_dot_did_in_it(name: str) -> None:
    assert [s["blinking"] for s in steps_of(name)] == real_types(name)
    shares = [
        (s["auger_share"], t["auger_share"])
        for s, t in zip(steps_of(name), truth(name)["steps"], strict=True)
    ]
    if truth(name)["conversion_s"] is None:
        assert all(found == pytest.approx(real, abs=0.1) for found, real in shares)
    assert said(name)["g2"]["single_emitter"] is True


@pytest.mark.parametrize("name", NAMES)
def test_the_brightest_level_has_the_lifetime_of_the_law(name: str) -> None:
    first = steps_of(name)[0]["states"][0]
    law = truth(name)["law"]["exciton"]["lifetime_ns"]
    assert first["lifetime_ns"] == pytest.approx(law, abs=4 * first["lifetime_error_ns"])


def test_the_cdse_dot_converts_for_good_at_its_true_time() -> None:
    (conversion,) = said("cdse-zns-2nm")["conversions"]
    assert (conversion["from"], conversion["to"], conversion["reversible"]) == ("auger", "bc", False)
    assert conversion["time_s"] == pytest.approx(truth("cdse-zns-2nm")["conversion_s"], abs=0.5)
    assert said("cdse-zns-2nm")["spectral_shift_nm"] == pytest.approx(8.0, abs=1.0)
    assert said("cdse-zns-2nm")["intensity_change"] == pytest.approx(-0.15, abs=0.03)


def test_the_small_perovskite_becomes_mixed_at_the_step_and_comes_back() -> None:
    first = said("mapbbr3")["conversions"][0]
    assert (first["from"], first["to"], first["reversible"]) == ("bc", "mixed", True)
    assert first["time_s"] == pytest.approx(10.0, abs=0.5)


def test_the_large_perovskite_never_converts() -> None:
    assert said("cspbbr3-large")["conversions"] == []


@pytest.mark.parametrize("name", NAMES)
def test_the_page_says_of_each_what_was_and_what_qdmon_says(name: str) -> None:
    cells = next(
        [c.strip() for c in line.split("|")] for line in PAGE.splitlines() if f"| `{name}` |" in line
    )
    plan = load_protocol(FOLDER / f"{name}.ref.toml")
    assert cells[2] == "; ".join(f"{s.mean_excitation:g}, {s.duration_s:g}" for s in plan.steps)
    converted_s = truth(name)["conversion_s"]
    lasting = "nothing lasting" if converted_s is None else f"converted at {converted_s:.2f} s"
    assert cells[3] == f"{', '.join(real_types(name))}; {lasting}"
    types = ", ".join(s["blinking"] for s in steps_of(name))
    assert cells[4] == f"{types}; {first_conversion(said(name)['conversions'])}"


def first_conversion(conversions: list[dict[str, Any]]) -> str:
    if not conversions:
        return "no conversion"
    first = conversions[0]
    judged = "reversible" if first["reversible"] else "irreversible"
    return f"{first['from']} -> {first['to']} at {first['time_s']:.0f} s, {judged}"


def command(name: str) -> list[str]:
    """The words of the page that make a recording."""
    (line,) = re.findall(rf"^qdmon (simulate dot {name} .*)$", PAGE, re.MULTILINE)
    return shlex.split(line)


@pytest.mark.parametrize("name", NAMES)
def test_the_command_on_the_page_makes_it_again(name: str, tmp_path: Path) -> None:
    words = [str(ROOT / word) if word.startswith("recordings/") else word for word in command(name)]
    words[words.index("-o") + 1] = str(tmp_path / "again")
    words[words.index("--truth") + 1] = str(tmp_path / "truth.json")
    with pytest.raises(SystemExit) as ended:
        main([*words, "--duration", "2"])
    assert not ended.value.code
    again = list(open_session(tmp_path / "again").messages())
    kept = list(itertools.islice(open_session(reference_path(name)).messages(), len(again)))
    # What the shorter session says at its own end is left out, and who it is: its duration is another.
    pairs = [(a, k) for a, k in zip(again[1:-3], kept[1:-3], strict=True)]
    assert sum(len(a.photons) for a, _ in pairs if isinstance(a, PhotonBatch)) > 10_000
    assert all(same(a, k) for a, k in pairs)
    assert json.loads((tmp_path / "truth.json").read_text())["law"] == truth(name)["law"]


@pytest.mark.parametrize("name", NAMES)
def test_the_steps_beside_it_are_those_in_it(name: str) -> None:
    plan = load_protocol(FOLDER / f"{name}.ref.toml")
    told = [e for e in opened(name).events("fluence") if isinstance(e.message, Fluence)]
    assert [e.message.mean_excitation for e in told] == [*(s.mean_excitation for s in plan.steps), None]  # type: ignore[union-attr]
    assert [e.time_s for e in told] == pytest.approx([*plan.starts_s, plan.total_s])
    assert opened(name).acquisition.settings["brightness"] == f"{truth(name)['brightness']:g}"


def test_a_wheel_takes_them_all_along() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    included = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    wanted = {f"recordings/{name}.ref{ending}" for name in NAMES for ending in ("", ".json", ".toml")}
    assert {source for source in included if source.startswith("recordings/")} == wanted
    assert all(included[source] == f"qdmon/{source}" for source in wanted)


def test_an_installation_without_a_checkout_finds_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "recordings" / "one.ref").mkdir(parents=True)
    monkeypatch.setattr(reference, "_PLACES", (tmp_path / "none", tmp_path / "recordings"))
    assert reference_names() == ("one",)
    assert reference_path("one") == tmp_path / "recordings" / "one.ref"


def test_a_name_stands_for_a_reference_only_where_no_file_is_called_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_recording("mapbbr3") == reference_path("mapbbr3")
    assert find_recording("./sub/mapbbr3") == Path("sub/mapbbr3")
    assert find_recording("mapbbr3.ptu") == Path("mapbbr3.ptu")
    Path("mapbbr3").mkdir()
    assert find_recording("mapbbr3") == Path("mapbbr3")


def test_an_unknown_name_is_one_line_with_those_there_are() -> None:
    for find in (find_recording, reference_path):
        with pytest.raises(FormatError, match="cdse-zns-2nm, cspbbr3-large, mapbbr3") as error:
            find("cdse")
        assert "\n" not in str(error.value)


def one_line(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """Exit code and the single line on standard error of a command."""
    with pytest.raises(SystemExit) as ended:
        main(list(words))
    (line,) = capsys.readouterr().err.splitlines()
    return int(ended.value.code or 0), line


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("replay", "mapbbr4"), 1, "mapbbr4 is not there"),
        (("analyze", "mapbbr4"), 1, "mapbbr4 is not there"),
        (("demo", "cdse-zns-3nm", "--recorded"), 1, "is no reference recording"),
    ],
)
def test_commands_list_the_names_where_none_fits(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], code: int, says: str
) -> None:
    got, line = one_line(capsys, *words)
    assert got == code
    assert says in line
    assert ", ".join(NAMES) in line


def test_a_recorded_demo_has_nothing_to_choose(capsys: pytest.CaptureFixture[str]) -> None:
    code, line = one_line(capsys, "demo", "--recorded", "--seed", "3")
    assert code == 2
    assert "leave --seed" in line


def test_analyze_takes_a_name_as_well(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["analyze", "cspbbr3-large", "--json"])
    assert not ended.value.code
    found = json.loads(capsys.readouterr().out)
    assert found.pop("source") == "cspbbr3-large"
    expected = json.loads(json.dumps(said("cspbbr3-large")))
    del expected["source"]
    assert found == expected
