"""Lines on a conversion: types, time and fluence, every type that it may be, and what became of it."""

from dataclasses import replace

from qdmon.analysis.conversion.texts import conversion_text, refined_text, return_text, share_text
from qdmon.analysis.results.blinking import BlinkingCall, Conversion
from qdmon.analysis.results.estimate import UNKNOWN, Estimate


def test_the_alert_names_types_time_and_fluence() -> None:
    c = Conversion(25.0, 0.01, "auger", "bc", 0.2, 1.4, 0.999, None)
    assert conversion_text(c) == "auger -> bc at 25.0 s as <N> went 0.2 -> 1.4 (p 1.00)"


def test_the_alert_names_every_type_that_it_may_be() -> None:
    c = Conversion(25.0, 0.01, "bc", "auger", None, None, 0.999, None)
    assert conversion_text(c, (), ("mixed",)) == "bc -> auger or mixed at 25.0 s (p 1.00)"
    assert conversion_text(c, ("mixed",), ()) == "bc or mixed -> auger at 25.0 s (p 1.00)"
    irreversible = replace(c, reversible=False)
    assert "it is still auger at" in return_text(irreversible, ("auger",), 0.2)
    assert "it is auger or mixed now at" in return_text(irreversible, ("auger", "mixed"), 0.2)


def test_the_line_behind_an_alert_says_what_it_turned_out_to_be_and_by_what() -> None:
    c = Conversion(25.0, 0.01, "bc", "mixed", 0.2, 1.4, 0.999, None)
    light = BlinkingCall(25.0, 34.0, "mixed", None, {"mixed": 1.0}, UNKNOWN, UNKNOWN, (), UNKNOWN)
    assert refined_text(c, light) == "bc -> mixed at 25.0 s, by 9.0 s of light since"


def test_the_line_on_a_return_says_whether_it_is_the_old_type_the_new_one_or_a_third() -> None:
    c = Conversion(25.0, 0.01, "auger", "bc", 0.2, 1.4, 0.999, True)
    assert return_text(c, ("auger",), 0.2) == "auger -> bc is reversible: it is auger again at <N> = 0.2"
    irreversible = replace(c, reversible=False)
    assert "irreversible: it is still bc at" in return_text(irreversible, ("bc",), 0.2)
    assert "irreversible: it is mixed now at" in return_text(irreversible, ("mixed",), 0.2)


def test_the_line_on_a_share_that_moved_says_from_where_to_where_and_that_the_type_stayed() -> None:
    before, behind = (
        BlinkingCall(0.0, 9.0, "mixed", None, {"mixed": 1.0}, Estimate(share), UNKNOWN, (), UNKNOWN)
        for share in (0.2, 0.81)
    )
    said = "Auger's share of the loss went 0.20 -> 0.81 with the fluence; still mixed"
    assert share_text(before, behind) == said
