import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.nkt import registers as reg
from hardware.nkt.port import BadAnswerError

NUMBERS = [value for value in vars(reg).values() if isinstance(value, reg.Register)]


def test_the_inlet_temperature_as_an_independent_client_reads_it_is_25_4_degrees() -> None:
    assert reg.INLET_TEMPERATURE.unpack(bytes.fromhex("fe00")) == 254
    assert reg.INLET_TEMPERATURE.unpack(bytes.fromhex("f6ff")) == -10


def test_a_power_level_of_1_percent_goes_out_as_0a_00() -> None:
    assert reg.POWER_LEVEL.pack(10) == bytes.fromhex("0a00")
    assert reg.POWER_LEVEL.pack(1000) == bytes.fromhex("e803")


@pytest.mark.parametrize(("payload", "ratio"), [("01", 1), ("ff", 255), ("0001", 256), ("4e00", 78)])
def test_the_picker_ratio_is_read_from_one_byte_or_two(payload: str, ratio: int) -> None:
    assert reg.PICKER_RATIO.unpack(bytes.fromhex(payload)) == ratio


@pytest.mark.parametrize("register", NUMBERS, ids=lambda register: register.name)
@given(data=st.data())
def test_every_value_survives_packing(register: reg.Register, data: st.DataObject) -> None:
    bounds = {"u8": (0, 255), "i16": (-32768, 32767)}.get(register.kind, (0, 65535))
    value = data.draw(st.integers(*bounds))
    assert register.unpack(register.pack(value)) == value
    with pytest.raises(ValueError, match=register.name):
        register.pack(bounds[1] + 1)


@pytest.mark.parametrize("register", NUMBERS, ids=lambda register: register.name)
@pytest.mark.parametrize("payload", [b"", b"\0\0\0"])
def test_an_answer_of_the_wrong_length_is_no_answer(register: reg.Register, payload: bytes) -> None:
    with pytest.raises(BadAnswerError, match=register.name):
        register.unpack(payload)


def test_all_1001_settings_of_the_percent_scale_reach_their_own_step() -> None:
    assert [reg.permille_from_percent(step / 10) for step in range(1001)] == list(range(1001))
    assert [reg.permille_from_percent(step * 0.1) for step in range(1001)] == list(range(1001))


@given(st.floats(0, 100))
def test_a_percentage_is_rounded_to_the_nearest_step(percent: float) -> None:
    assert abs(reg.permille_from_percent(percent) - percent * 10) <= 0.5


@pytest.mark.parametrize("percent", [math.nan, math.inf, -0.1, 100.1])
def test_a_percentage_out_of_range_is_refused(percent: float) -> None:
    with pytest.raises(ValueError, match="0 to 100"):
        reg.permille_from_percent(percent)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0x0002, "closed"),
        (0x0001, "waiting for reset"),
        (0x0100, "open at the key switch"),
        (0x0200, "open at the door switch"),
        (0x0300, "open at the external module"),
        (0x0400, "open at the application module"),
        (0x0500, "open at an internal module"),
        (0x0600, "power failure"),
        (0x0700, "disabled by the source"),
        (0xFF00, "circuit failure"),
        (0x0900, "open (unknown place, code 09)"),
        (0x0003, "in an unknown state (code 03)"),
    ],
)
def test_the_interlock_is_told_in_words(value: int, words: str) -> None:
    assert reg.Interlock.of(value).words() == words


@given(st.integers(0, 0xFFFF))
def test_only_state_2_of_the_interlock_permits_emission(value: int) -> None:
    interlock = reg.Interlock.of(value)
    assert interlock.value == value
    assert interlock.ok == (value & 0xFF == 2)
    assert interlock.words().isprintable()


def test_status_bits_are_told_in_words_lowest_first() -> None:
    assert reg.Status(0x8009).words() == ("emission", "interlock loop open", "system error")
    assert reg.Status(0).words() == ()


@given(st.integers(0, 0xFFFF))
def test_status_bits_without_a_meaning_do_not_disturb(value: int) -> None:
    assert len(reg.Status(value).words()) == (value & 0xE0FF).bit_count()


@given(st.binary(max_size=30))
def test_text_from_the_laser_is_printable_whatever_it_sends(payload: bytes) -> None:
    assert reg.SERIAL.unpack(payload).isprintable()
    assert reg.SERIAL.unpack(b"21034567\0\xff") == "21034567"


def test_user_text_holds_20_ascii_characters() -> None:
    assert reg.USER_TEXT.unpack(reg.USER_TEXT.pack("optical table 3")) == "optical table 3"
    for text in ("x" * 21, "µ"):
        with pytest.raises(ValueError, match="20 ASCII"):
            reg.USER_TEXT.pack(text)
