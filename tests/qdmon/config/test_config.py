"""The configuration file: defaults, and one plain line for each mistake."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdmon.analysis.settings import AnalysisSettings
from qdmon.config import Config, ConfigError, load_config
from qdmon.config.analysis import analysis_settings
from qdmon.config.load import parse_config
from qdmon.config.model import AnalysisSection
from qdmon.config.places import recordings_folder


def problems(text: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        parse_config(text, "lab.toml")
    return caught.value.problems


def test_an_empty_file_is_the_defaults() -> None:
    assert parse_config("", "lab.toml") == Config()
    assert Config().daemon.batch_ms == 50


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[daemon]\nbatch_ms = 5", "lab.toml: daemon.batch_ms: must be between 10 and 1000 (found 5)"),
        ("[daemon]\nbatch_ms = 50.5", "lab.toml: daemon.batch_ms: must be a whole number (found 50.5)"),
        ("[daemon]\nbach_ms = 50", "lab.toml: daemon.bach_ms: unknown key; did you mean batch_ms?"),
        ("[lasr]\n", "lab.toml: lasr: unknown key; did you mean laser?"),
        (
            "[daemon]\nname = 'a b'",
            "lab.toml: daemon.name: must be 1 to 32 letters, digits, - or _ (found 'a b')",
        ),
        ("[daemon]\ntitle = 3", "lab.toml: daemon.title: must be text in quotes (found 3)"),
        ("daemon = 3", "lab.toml: daemon: must be a table (found 3)"),
        (
            "[laser]\nmax_permille = 1001",
            "lab.toml: laser.max_permille: must be between 1 and 1000 (found 1001)",
        ),
        (
            "[laser]\nmean_excitation_per_permille = nan",
            "lab.toml: laser.mean_excitation_per_permille: must be a number above 0 (found nan)",
        ),
        (
            "[recording]\nsync = 'sometimes'",
            "lab.toml: recording.sync: must be 'second', 'always' or 'never' (found 'sometimes')",
        ),
        (
            "[recording]\npre_trigger_s = -1.0",
            "lab.toml: recording.pre_trigger_s: must be between 0 and 600 (found -1.0)",
        ),
        ("[protocol]\nafter = 'x'", "lab.toml: protocol.after: must be 'hold', 'off' or 'exit' (found 'x')"),
    ],
)
def test_a_mistake_is_one_line_with_file_key_and_remedy(text: str, line: str) -> None:
    assert problems(text) == (line,)


def test_every_mistake_is_told_at_once() -> None:
    assert len(problems("[daemon]\nbatch_ms = 5\ntitle = 3\n[laser]\ncolour = 'red'")) == 3


def test_broken_toml_names_the_line() -> None:
    (line,) = problems("[daemon\nbatch_ms = 5")
    assert line.startswith("lab.toml: not valid TOML:")
    assert "line 1" in line


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "photo.toml"
    path.write_bytes(b"\xff\xd8\xff\xe0")
    with pytest.raises(ConfigError, match="not UTF-8 text"):
        load_config(path)


@given(
    background=st.dictionaries(st.integers(0, 63), st.floats(0, 1e7), max_size=4),
    t0_ps=st.dictionaries(st.integers(0, 63), st.floats(0, 1e6), max_size=2),
    delay_ns=st.none() | st.floats(-1e6, 1e6),
    dead_time_ns=st.none() | st.floats(0, 1e6),
)
def test_the_analysis_section_reaches_a_viewer_unchanged(
    background: dict[int, float],
    t0_ps: dict[int, float],
    delay_ns: float | None,
    dead_time_ns: float | None,
) -> None:
    section = AnalysisSection(
        background_cps={str(channel): rate for channel, rate in background.items()},
        t0_ps={str(channel): at for channel, at in t0_ps.items()},
        delay_ns=delay_ns,
        dead_time_ns=dead_time_ns,
    )
    settings = AnalysisSettings.from_text(analysis_settings(section).to_text())
    assert settings.background_cps == background
    assert settings.t0_ps == t0_ps
    assert settings.detector_delay_ns == delay_ns
    assert settings.dead_time_ns == dead_time_ns


@given(
    st.dictionaries(
        st.sampled_from(["analysis.background_cps.x", "analysis.t0_ps.", "analysis.delay_ns", "preset"]),
        st.text(),
    )
)
def test_foreign_settings_never_raise_and_never_make_up_a_background(text: dict[str, str]) -> None:
    assert AnalysisSettings.from_text(text).background_cps == {}
    assert AnalysisSettings.from_text(text).t0_ps == {}


def test_recordings_go_where_the_configuration_says_else_to_the_usual_place(tmp_path: Path) -> None:
    assert recordings_folder(str(tmp_path / "mine")) == tmp_path / "mine"
    assert recordings_folder().name == "recordings"
    assert recordings_folder().is_absolute()
