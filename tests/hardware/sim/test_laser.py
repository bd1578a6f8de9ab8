import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.nkt import SuperK
from hardware.nkt import registers as reg
from hardware.nkt.port import NoAnswerError, RefusedError, RegisterPort
from hardware.protocols import LaserError, PulsedLaser
from hardware.sim.laser import SimulatedSuperK, simulated_laser
from hardware.sim.laser_link import FaultyLink
from hardware.types import Verification
from tests.conformance.laser_suite import (
    ARM_S,
    MAX_PERMILLE,
    WATCHDOG_S,
    LaserConformance,
    LaserRig,
    Time,
)

MAIN = reg.MAIN_MODULE


class WriteLog:
    """A port that remembers which registers were written."""

    def __init__(self, port: RegisterPort) -> None:
        self._port = port
        self.writes: list[int] = []
        self.open, self.close, self.read = port.open, port.close, port.read

    def write(self, module: int, register: int, payload: bytes) -> None:
        self.writes.append(register)
        self._port.write(module, register, payload)


def make_rig(max_permille: int) -> LaserRig:
    time = Time()
    registers = SimulatedSuperK(clock=time.clock)
    link = FaultyLink(registers)
    log = WriteLog(link)
    laser: PulsedLaser = SuperK(
        log,
        max_permille=max_permille,
        arm_s=ARM_S,
        watchdog_s=WATCHDOG_S,
        clock=time.clock,
        sleep=time.sleep,
    )
    return LaserRig(
        laser=laser,
        time=time,
        emitted=lambda: registers.emitted_permille,
        writes=log.writes,
        unplug=link.unplug,
        plug_in=link.plug_in,
        open_interlock=registers.open_interlock,
        close_interlock=registers.close_interlock,
        reset_interlock=registers.reset_interlock,
        press_emission=registers.press_emission,
    )


class TestTheSimulatedLaserConforms(LaserConformance):
    @pytest.fixture
    def rig(self) -> LaserRig:
        return make_rig(MAX_PERMILLE)

    @pytest.fixture
    def full_range_rig(self) -> LaserRig:
        return make_rig(1000)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def laser(time: Time) -> SimulatedSuperK:
    registers = SimulatedSuperK(serial="0042", clock=time.clock, ramp_s=1.0)
    registers.open()
    return registers


def number(laser: SimulatedSuperK, register: reg.Register) -> int:
    return register.unpack(laser.read(MAIN, register.address))


def put(laser: SimulatedSuperK, register: reg.Register, value: int) -> None:
    laser.write(MAIN, register.address, register.pack(value))


def light_up(laser: SimulatedSuperK, time: Time, permille: int = 400) -> None:
    put(laser, reg.POWER_LEVEL, permille)
    put(laser, reg.EMISSION, reg.EMISSION_ON)
    time.advance(1.0)


def test_main_module_and_front_panel_answer_and_nobody_else(laser: SimulatedSuperK) -> None:
    answering = {}
    for module in range(1, 49):
        try:
            answering[module] = laser.read(module, reg.MODULE_TYPE.address)
        except NoAnswerError:
            continue
    assert answering == {0x0F: b"\x60", 0x01: b"\x61"}
    assert reg.SERIAL.unpack(laser.read(MAIN, reg.SERIAL.address)) == "0042"


@given(st.integers(0, 255))
def test_every_register_answers_in_its_own_width_or_is_refused(address: int) -> None:
    laser = SimulatedSuperK(clock=lambda: 0.0)
    laser.open()
    widths = {0x11: 2, 0x30: 1, 0x31: 2, 0x32: 2, 0x34: 1, 0x36: 1, 0x37: 2, 0x38: 2, 0x39: 2}
    widths |= {0x61: 1, 0x66: 2, 0x67: 1, 0x6B: 1}
    if address in widths:
        assert len(laser.read(MAIN, address)) == widths[address]
    elif address in (0x64, 0x65, 0x6C):
        assert isinstance(laser.read(MAIN, address), bytes)
    else:
        with pytest.raises(RefusedError):
            laser.read(MAIN, address)


@pytest.mark.parametrize(
    ("register", "payload"),
    [
        (0x37, b"\xe9\x03"),  # 100.1 %
        (0x37, b"\x01"),  # one byte for a two-byte register
        (0x30, b"\x01"),  # a transient of the ramp is no command
        (0x34, b"\x00"),  # no pulse in none
        (0x39, b"\x00\x04"),  # beyond 1023 steps
        (0x11, b"\x00\x00"),  # a thermometer
        (0x66, b"\x00\x00"),
        (0x99, b"\x00"),
        (0x6C, b"x" * 21),
    ],
)
def test_a_write_the_module_cannot_take_is_refused_and_changes_nothing(
    laser: SimulatedSuperK, register: int, payload: bytes
) -> None:
    light = [number(laser, r) for r in (reg.POWER_LEVEL, reg.EMISSION, reg.PICKER_RATIO, reg.NIM_DELAY)]
    with pytest.raises(RefusedError):
        laser.write(MAIN, register, payload)
    assert light == [
        number(laser, r) for r in (reg.POWER_LEVEL, reg.EMISSION, reg.PICKER_RATIO, reg.NIM_DELAY)
    ]


def test_the_front_panel_takes_no_writes(laser: SimulatedSuperK) -> None:
    with pytest.raises(RefusedError):
        laser.write(reg.PANEL_MODULE, reg.EMISSION.address, b"\x03")
    assert number(laser, reg.EMISSION) == reg.EMISSION_OFF


@pytest.mark.parametrize(("ratio", "width"), [(1, 1), (255, 1), (256, 2), (40_000, 2)])
def test_the_picker_ratio_takes_a_second_byte_from_256_on(
    laser: SimulatedSuperK, ratio: int, width: int
) -> None:
    put(laser, reg.PICKER_RATIO, ratio)
    assert len(laser.read(MAIN, reg.PICKER_RATIO.address)) == width
    assert number(laser, reg.PICKER_RATIO) == ratio


def test_emission_goes_through_transient_values_and_the_light_rises_with_them(
    laser: SimulatedSuperK, time: Time
) -> None:
    put(laser, reg.POWER_LEVEL, 400)
    put(laser, reg.EMISSION, reg.EMISSION_ON)
    seen = []
    for _ in range(5):
        seen.append((number(laser, reg.EMISSION), laser.emitted_permille))
        time.advance(0.25)
    assert seen == [(1, 0), (1, 100), (2, 200), (2, 300), (3, 400)]
    put(laser, reg.EMISSION, reg.EMISSION_OFF)
    assert (number(laser, reg.EMISSION), laser.emitted_permille) == (0, 0)


def test_in_constant_current_mode_the_power_level_does_nothing(laser: SimulatedSuperK, time: Time) -> None:
    put(laser, reg.SETUP, reg.Setup.CONSTANT_CURRENT)
    put(laser, reg.CURRENT_LEVEL, 700)
    light_up(laser, time, permille=100)
    assert laser.emitted_permille == 700


@pytest.mark.parametrize("circuit", reg.InterlockCircuit)
def test_the_interlock_says_where_it_is_open_and_needs_a_reset_after_closing(
    laser: SimulatedSuperK, time: Time, circuit: reg.InterlockCircuit
) -> None:
    light_up(laser, time)
    laser.open_interlock(circuit)
    assert number(laser, reg.INTERLOCK) == circuit << 8
    assert laser.emitted_permille == 0
    put(laser, reg.INTERLOCK, 1)
    assert number(laser, reg.INTERLOCK) == circuit << 8
    laser.close_interlock()
    assert number(laser, reg.INTERLOCK) == 1
    put(laser, reg.EMISSION, reg.EMISSION_ON)
    assert number(laser, reg.EMISSION) == 0
    put(laser, reg.INTERLOCK, 1)
    assert number(laser, reg.INTERLOCK) == 2
    put(laser, reg.INTERLOCK, 0)
    assert number(laser, reg.INTERLOCK) == 1


def test_status_bits_agree_with_emission_and_interlock(laser: SimulatedSuperK, time: Time) -> None:
    assert number(laser, reg.STATUS) == 0
    light_up(laser, time)
    assert number(laser, reg.STATUS) == 0b0001
    laser.open_interlock(reg.InterlockCircuit.POWER_FAILURE)
    assert number(laser, reg.STATUS) == 0b1110
    laser.close_interlock()
    assert number(laser, reg.STATUS) == 0b0010


def test_the_watchdog_is_fed_by_any_access_to_the_main_module_and_by_nothing_else(
    laser: SimulatedSuperK, time: Time
) -> None:
    light_up(laser, time)
    put(laser, reg.WATCHDOG, 2)
    for _ in range(5):
        time.advance(1.5)
        laser.read(MAIN, reg.MODULE_TYPE.address)
    assert laser.emitted_permille == 400
    time.advance(1.5)
    assert laser.emitted_permille == 400
    laser.read(reg.PANEL_MODULE, reg.MODULE_TYPE.address)
    time.advance(0.6)
    assert laser.emitted_permille == 0
    assert number(laser, reg.EMISSION) == 0


def test_without_a_watchdog_the_light_stays_on(laser: SimulatedSuperK, time: Time) -> None:
    light_up(laser, time)
    time.advance(1e6)
    assert laser.emitted_permille == 400


def test_a_closed_port_answers_nothing(laser: SimulatedSuperK) -> None:
    laser.close()
    with pytest.raises(LaserError, match="not open"):
        laser.read(MAIN, reg.MODULE_TYPE.address)


def test_the_packaged_laser_is_the_real_driver_and_shows_the_light(time: Time) -> None:
    laser, emitted = simulated_laser(serial="T-1", clock=time.clock, sleep=time.sleep, max_permille=600)
    info = laser.open()
    assert (info.serial, info.driver, info.verification) == ("T-1", "sim", Verification.COMPLETE)
    laser.set_power_permille(123)
    assert emitted() == 0
    laser.arm()
    laser.emission_on()
    assert emitted() == 123
    with pytest.raises(LaserError, match=r"60\.0 %"):
        laser.set_power_permille(601)
    laser.close()
    assert emitted() == 0
