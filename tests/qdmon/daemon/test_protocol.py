from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdmon.daemon.protocol import (
    PRESETS,
    FluenceProtocol,
    ProtocolError,
    Step,
    load_protocol,
    protocol_for_preset,
)

STEPS = st.lists(st.builds(Step, st.floats(0, 100), st.floats(0.001, 1e5)), min_size=1, max_size=20).map(
    tuple
)


def write(folder: Path, text: str) -> Path:
    path = folder / "steps.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "levels"),
    [
        ("paper-cdse", [0.2, 1.4, 0.2]),
        ("paper-perovskite", [0.1, 1.0, 0.1]),
        ("paper-large-perovskite", [0.1, 2.5, 0.1]),
    ],
)
def test_the_experiments_of_the_paper_are_at_hand(name: str, levels: list[float]) -> None:
    protocol = load_protocol(name)
    assert [step.mean_excitation for step in protocol.steps] == levels
    assert [step.duration_s for step in protocol.steps] == [25.0] * 3
    assert protocol.total_s == 75.0


@pytest.mark.parametrize(
    ("sample", "protocol"),
    [
        ("cdse-zns-2nm", "paper-cdse"),
        ("cdse-zns-2nm-thiol", "paper-cdse"),
        ("cdse-zns-small", "paper-cdse"),
        ("mapbbr3", "paper-perovskite"),
        ("cspbbr3-small", "paper-perovskite"),
        ("cspbi3-small", "paper-perovskite"),
        ("cspbbr3-large", "paper-large-perovskite"),
        ("cspbi3-large", "paper-large-perovskite"),
    ],
)
def test_every_sample_has_the_protocol_the_paper_ran_on_it(sample: str, protocol: str) -> None:
    assert protocol_for_preset(sample) == protocol
    assert protocol in PRESETS


def test_a_sample_nobody_knows_has_no_protocol() -> None:
    with pytest.raises(ProtocolError, match=r"'gaas'.*paper-cdse"):
        protocol_for_preset("gaas")


def test_a_step_holds_from_its_start_to_the_next_and_nothing_holds_outside() -> None:
    protocol = load_protocol("paper-cdse")
    levels = {
        t: getattr(protocol.step_at(t), "mean_excitation", None) for t in (-0.1, 0, 24.9, 25, 50, 74.9, 75)
    }
    assert levels == {-0.1: None, 0: 0.2, 24.9: 0.2, 25: 1.4, 50: 0.2, 74.9: 0.2, 75: None}
    assert protocol.starts_s == (0.0, 25.0, 50.0)


@given(STEPS)
def test_steps_follow_one_another_without_a_gap(steps: tuple[Step, ...]) -> None:
    protocol = FluenceProtocol("any", steps)
    assert [protocol.step_at(start_s) for start_s in protocol.starts_s] == list(steps)
    assert protocol.step_at(protocol.total_s) is None


def test_a_constant_fluence_lasts() -> None:
    protocol = load_protocol("constant:0.35")
    assert protocol.name == "constant:0.35"
    assert protocol.step_at(86_400.0) == protocol.steps[0]
    assert FluenceProtocol.constant(0.35, 10.0).total_s == 10.0


@pytest.mark.parametrize(
    "text", ["constant:", "constant:bright", "constant:-1", "constant:nan", "constant:1e9"]
)
def test_a_constant_fluence_must_be_a_sensible_number(text: str) -> None:
    with pytest.raises(ProtocolError, match=text):
        load_protocol(text)


def test_a_file_gives_steps_and_its_own_or_the_files_name(tmp_path: Path) -> None:
    steps = (
        "[[step]]\nmean_excitation = 0\nduration_s = 5\n[[step]]\nmean_excitation = 1.5\nduration_s = 2.5\n"
    )
    protocol = load_protocol(write(tmp_path, steps))
    assert protocol == FluenceProtocol("steps", (Step(0.0, 5.0), Step(1.5, 2.5)))
    assert load_protocol(str(write(tmp_path, f'name = "dark first"\n{steps}'))).name == "dark first"


STEP = "[[step]]\nmean_excitation = 0.2\nduration_s = 25\n"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "step: at least one"),
        ("step = []", "step: at least one"),
        ("step = 3", r"step: write each step as a \[\[step\]\] table"),
        ("step = [1, 2]", r"step: write each step as a \[\[step\]\] table"),
        (STEP + "power = 3", "step 1, 'power': unknown key; known: mean_excitation, duration_s"),
        ("steps = 1\n" + STEP, "'steps': unknown key; known: name, step"),
        (STEP + "[[step]]\nmean_excitation = 1", "step 2, duration_s: is missing"),
        ("[[step]]\nduration_s = 1", "step 1, mean_excitation: is missing"),
        ("[[step]]\nmean_excitation = -0.1\nduration_s = 1", "step 1, mean_excitation must be 0 to 100"),
        ("[[step]]\nmean_excitation = nan\nduration_s = 1", "step 1, mean_excitation must be 0 to 100"),
        ("[[step]]\nmean_excitation = 101\nduration_s = 1", "step 1, mean_excitation must be 0 to 100"),
        ("[[step]]\nmean_excitation = 1\nduration_s = 0", "step 1, duration_s must be above 0"),
        ("[[step]]\nmean_excitation = 1\nduration_s = inf", "step 1, duration_s must be above 0"),
        ("[[step]]\nmean_excitation = true\nduration_s = 1", "mean_excitation: must be a number, not True"),
        ("[[step]]\nmean_excitation = '1'\nduration_s = 1", "mean_excitation: must be a number, not '1'"),
        (f"[[step]]\nmean_excitation = 1{'0' * 400}\nduration_s = 1", "far too large"),
        (f"[[step]]\nmean_excitation = 1{'0' * 5000}\nduration_s = 1", "not valid TOML"),
        ('name = ""\n' + STEP, "name: must be 1 to 64"),
        ('name = "\\u001b[2J"\n' + STEP, "name: must be 1 to 64"),
        ("name = 3\n" + STEP, "name: must be 1 to 64"),
        ("[[step]\n", "not valid TOML"),
        ("a = " + "[" * 100_000, "nested too deeply"),
        (STEP * 10_001, "at most 10000 steps"),
        ("#" * 1_000_001, "larger than"),
    ],
    ids=range(24),
)
def test_a_file_that_makes_no_sense_is_told_in_one_line_with_file_and_key(
    tmp_path: Path, text: str, problem: str
) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ProtocolError, match=problem) as error:
        load_protocol(path)
    assert str(error.value).startswith(f"{path}: ")
    assert str(error.value).isprintable()


def test_what_is_no_file_is_told_with_the_known_names(tmp_path: Path) -> None:
    with pytest.raises(ProtocolError, match=r"paper-cdze: no such file.*paper-cdse.*constant:N"):
        load_protocol("paper-cdze")
    with pytest.raises(ProtocolError, match="cannot be read"):
        load_protocol(tmp_path)
    with pytest.raises(ProtocolError, match="cannot be read"):
        load_protocol("a\0b")


def test_a_file_that_is_not_text_is_told(tmp_path: Path) -> None:
    path = tmp_path / "photons.ptu"
    path.write_bytes(b"PQTTTR\0\0\xff\xfe")
    with pytest.raises(ProtocolError, match="not UTF-8 text"):
        load_protocol(path)


@given(text=st.text(max_size=200))
def test_no_text_whatever_escapes_as_another_error(
    text: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_text(text, encoding="utf-8", newline="")
    with pytest.raises(ProtocolError) as error:
        load_protocol(path)
    assert "\n" not in str(error.value)
