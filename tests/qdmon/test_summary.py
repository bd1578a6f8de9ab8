"""A snapshot in words."""

from qdmon.summary import summary_lines
from tests.qdmon.analysis import builders as b
from tests.qdmon.analysis.test_bleaching import bleached
from tests.qdmon.analysis.test_losses import torn
from tests.qdmon.analysis.test_reversibility import run


def test_the_summary_names_photons_g2_type_levels_and_what_was_assumed() -> None:
    snapshot = b.watched_dot("auger").snapshot
    lines = summary_lines(snapshot)
    text = "\n".join(lines)
    assert f"{snapshot.photons} photons" in lines[0]
    assert "single emitter" in lines[1]
    assert "auger" in lines[2]
    assert "24." in lines[2] or "25" in lines[2]
    assert "note: time zero from the rising edge" in text
    assert all("\n" not in line for line in lines)


def test_a_conversion_and_its_return_are_in_the_summary() -> None:
    irreversible = summary_lines(run(("auger", "bc", "bc"), (8.0, 8.0, 8.0), (0.1, 1.0, 0.1)).snapshot)
    assert any(line.startswith("CONVERSION auger -> bc") and "irreversible" in line for line in irreversible)
    open_end = summary_lines(run(("auger", "bc"), (8.0, 8.0), (0.1, 1.0)).snapshot)
    assert any("return not seen" in line for line in open_end)


def test_losses_are_in_the_summary() -> None:
    assert any("losses" in line for line in summary_lines(torn().snapshot))


def test_what_is_not_known_is_said_not_left_out() -> None:
    lines = summary_lines(bleached().snapshot)
    assert any("auger" in line for line in lines)
