"""The driver against a cable that misbehaves; what any laser must do is in the conformance suite."""

import threading
from dataclasses import dataclass

import pytest

from hardware.nkt import SuperK, SuperKDetails
from hardware.nkt import registers as reg
from hardware.protocols import LaserError
from hardware.sim.laser import SimulatedSuperK
from hardware.sim.laser_link import Fault, FaultyLink
from hardware.types import Verification
from tests.conformance.laser_suite import Time

MAIN = reg.MAIN_MODULE
EMISSION, POWER = reg.EMISSION.address, reg.POWER_LEVEL.address


@dataclass
class Lab:
    time: Time
    registers: SimulatedSuperK
    link: FaultyLink
    laser: SuperK

    @property
    def emitted(self) -> int:
        return self.registers.emitted_permille

    def armed(self) -> SuperK:
        self.laser.arm()
        return self.laser


def make_lab(*, ramp_s: float = 0.5) -> Lab:
    time = Time()
    registers = SimulatedSuperK(serial="21034567", clock=time.clock, ramp_s=ramp_s)
    link = FaultyLink(registers)
    return Lab(time, registers, link, SuperK(link, max_permille=800, clock=time.clock, sleep=time.sleep))


@pytest.fixture
def lab() -> Lab:
    lab = make_lab()
    lab.laser.open()
    lab.laser.set_power_permille(500)
    return lab


def test_the_laser_says_who_it_is_and_how_well_its_driver_is_verified() -> None:
    info = make_lab().laser.open()
    assert (info.model, info.serial) == ("SuperK EXTREME", "21034567")
    assert info.verification is Verification.FROM_MANUAL


def test_a_system_without_a_type_register_is_an_extreme() -> None:
    lab = make_lab()
    lab.link.inject(Fault.NACK, register=reg.SYSTEM_TYPE.address)
    assert lab.laser.open().model == "SuperK EXTREME"


def test_another_module_type_is_told_and_left_alone() -> None:
    class Fianium(SimulatedSuperK):
        def read(self, module: int, register: int) -> bytes:
            return b"\x88\x00" if register == reg.MODULE_TYPE.address else super().read(module, register)

        def write(self, module: int, register: int, payload: bytes) -> None:
            raise AssertionError("a laser we do not know was written to")

    laser = SuperK(Fianium(), max_permille=800)
    with pytest.raises(LaserError, match="type 0088"):
        laser.open()
    laser.close()


def test_a_laser_is_opened_once(lab: Lab) -> None:
    with pytest.raises(LaserError, match="open already"):
        lab.laser.open()


@pytest.mark.parametrize("fault", Fault)
def test_whatever_happens_to_the_emission_command_unless_confirmed_it_ends_off(
    lab: Lab, fault: Fault
) -> None:
    lab.link.inject(fault, register=EMISSION, writes_only=True)
    with pytest.raises(LaserError, match="switched off again"):
        lab.armed().emission_on()
    assert lab.emitted == 0
    lab.laser.reading()  # what is late would arrive with this
    assert lab.emitted == 0


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("register", [reg.EMISSION, reg.STATUS], ids=lambda register: register.name)
def test_a_confirmation_that_does_not_come_ends_with_emission_off(
    lab: Lab, fault: Fault, register: reg.Register
) -> None:
    lab.time.on_sleep = lambda: lab.link.inject(fault, register=register.address)
    with pytest.raises(LaserError, match="switched off again"):
        lab.armed().emission_on()
    assert lab.emitted == 0


class WithoutStatus(SimulatedSuperK):
    """Its emission status bit is never set."""

    def read(self, module: int, register: int) -> bytes:
        answer = super().read(module, register)
        return b"\0\0" if register == reg.STATUS.address else answer


def test_emission_must_be_confirmed_by_the_status_bit_too() -> None:
    time = Time()
    registers = WithoutStatus(clock=time.clock)
    laser = SuperK(registers, max_permille=800, clock=time.clock, sleep=time.sleep)
    laser.open()
    laser.arm()
    with pytest.raises(LaserError, match=r"did not confirm.*switched off again"):
        laser.emission_on()
    assert registers.emitted_permille == 0


def test_a_transient_value_of_the_emission_register_counts_as_on() -> None:
    time = Time()
    registers = WithoutStatus(clock=time.clock, ramp_s=1.0)
    registers.press_emission()
    laser = SuperK(registers, max_permille=800, clock=time.clock, sleep=time.sleep)
    laser.open()
    time.advance(0.1)
    assert laser.reading().emission is True


def test_a_failed_open_releases_the_port() -> None:
    lab = make_lab()
    lab.link.inject(Fault.LOST_ANSWER, register=reg.SERIAL.address)
    with pytest.raises(LaserError, match="does not answer"):
        lab.laser.open()
    with pytest.raises(LaserError, match="port is not open"):
        lab.registers.read(MAIN, POWER)


def test_a_laser_that_never_gets_beyond_the_ramp_is_switched_off() -> None:
    lab = make_lab(ramp_s=1e9)
    lab.laser.open()
    with pytest.raises(LaserError, match=r"did not confirm.*switched off again"):
        lab.armed().emission_on()
    assert lab.emitted == 0


def test_a_cable_pulled_during_the_ramp_means_assume_on_and_the_watchdog_takes_over(lab: Lab) -> None:
    lab.time.on_sleep = lab.link.unplug
    with pytest.raises(LaserError, match="assume it is ON"):
        lab.armed().emission_on()
    lab.time.advance(6)
    assert lab.emitted == 0


@pytest.mark.parametrize("fault", Fault)
def test_off_gets_through_a_bad_cable(lab: Lab, fault: Fault) -> None:
    lab.armed().emission_on()
    lab.link.inject(fault, register=EMISSION, times=3)
    assert lab.laser.emission_off().emission is False
    assert lab.emitted == 0


def test_switching_off_from_another_thread_ends_the_ramp() -> None:
    lab = make_lab(ramp_s=1e9)
    lab.laser.open()
    off = threading.Thread(target=lab.laser.emission_off)

    def switch_off() -> None:
        if not off.ident:
            off.start()
        off.join(0.01)

    lab.time.on_sleep = switch_off
    with pytest.raises(LaserError, match="asked off"):
        lab.armed().emission_on()
    off.join()
    assert lab.emitted == 0
    assert lab.laser.reading().emission is False


def test_without_its_watchdog_the_laser_is_not_switched_on(lab: Lab) -> None:
    lab.link.inject(Fault.NACK, register=reg.WATCHDOG.address, writes_only=True)
    with pytest.raises(LaserError, match="refused register 36"):
        lab.armed().emission_on()
    lab.link.inject(Fault.LOST_REQUEST, register=reg.WATCHDOG.address, writes_only=True)
    with pytest.raises(LaserError, match="watchdog interval 5, it reads 0"):
        lab.armed().emission_on()
    assert lab.emitted == 0


def test_the_watchdog_is_armed_with_emission_and_put_back_on_close(lab: Lab) -> None:
    lab.registers.write(MAIN, reg.WATCHDOG.address, b"\x3c")
    lab.armed().emission_on()
    assert lab.laser.details().watchdog_s == 5
    lab.laser.close()
    lab.registers.open()
    assert lab.registers.read(MAIN, reg.WATCHDOG.address) == b"\x3c"


@pytest.mark.parametrize("setup", [s for s in reg.Setup if s is not reg.Setup.CONSTANT_POWER])
def test_outside_constant_power_mode_the_limit_does_not_hold_so_nothing_is_done(
    lab: Lab, setup: reg.Setup
) -> None:
    lab.registers.write(MAIN, reg.SETUP.address, reg.SETUP.pack(setup))
    with pytest.raises(LaserError, match="constant power"):
        lab.armed().emission_on()
    with pytest.raises(LaserError, match="constant power"):
        lab.laser.set_power_permille(1)
    assert lab.emitted == 0


def test_a_level_found_above_the_limit_is_shown_but_not_emitted(lab: Lab) -> None:
    lab.registers.write(MAIN, POWER, reg.POWER_LEVEL.pack(900))
    assert lab.laser.reading().readback_permille == 900
    with pytest.raises(LaserError, match=r"90\.0 %, above the limit of 80\.0 %"):
        lab.armed().emission_on()
    assert lab.emitted == 0


def test_a_set_point_whose_answer_was_lost_counts_if_the_laser_has_it(lab: Lab) -> None:
    lab.link.inject(Fault.LOST_ANSWER, register=POWER, writes_only=True)
    assert lab.laser.set_power_permille(321).readback_permille == 321


def test_a_set_point_that_did_not_arrive_is_an_error_and_no_longer_claimed(lab: Lab) -> None:
    lab.link.inject(Fault.LOST_REQUEST, register=POWER, writes_only=True)
    with pytest.raises(LaserError, match="power level 321, it reads 500"):
        lab.laser.set_power_permille(321)
    reading = lab.laser.reading()
    assert (reading.setpoint_permille, reading.readback_permille) == (None, 500)


def test_a_level_changed_at_the_front_panel_shows_beside_the_set_point(lab: Lab) -> None:
    lab.registers.write(MAIN, POWER, reg.POWER_LEVEL.pack(50))
    reading = lab.laser.reading()
    assert (reading.setpoint_permille, reading.readback_permille) == (500, 50)


def test_one_lost_answer_leaves_one_field_unknown(lab: Lab) -> None:
    lab.link.inject(Fault.LOST_ANSWER, register=reg.INTERLOCK.address)
    reading = lab.laser.reading()
    assert reading.interlock_ok is None
    assert (reading.emission, reading.readback_permille) == (False, 500)


def test_off_is_believed_only_from_both_registers_but_on_from_either(lab: Lab) -> None:
    lab.link.inject(Fault.LOST_ANSWER, register=EMISSION)
    assert lab.laser.reading().emission is None
    lab.armed().emission_on()
    lab.link.inject(Fault.LOST_ANSWER, register=EMISSION)
    assert lab.laser.reading().emission is True


def test_an_answer_of_the_wrong_length_is_unknown_not_a_number() -> None:
    class Chatty(SimulatedSuperK):
        def read(self, module: int, register: int) -> bytes:
            return b"\0\0\0" if register == reg.STATUS.address else super().read(module, register)

    laser = SuperK(Chatty(), max_permille=800, sleep=lambda _: None)
    laser.open()
    reading = laser.reading()
    assert (reading.emission, reading.status_bits, reading.readback_permille) == (None, None, 0)
    with pytest.raises(LaserError, match="assume it is ON"):
        laser.close()


def test_the_details_are_in_words_and_units_and_unknown_when_unplugged(lab: Lab) -> None:
    lab.registers.open_interlock(reg.InterlockCircuit.DOOR)
    assert lab.laser.details() == SuperKDetails(
        interlock="open at the door switch",
        setup="constant power",
        picker_ratio=1,
        watchdog_s=0,
        inlet_temperature_c=25.4,
        error_code=0,
        conditions=("interlock relays off", "interlock loop open"),
    )
    lab.link.unplug()
    assert lab.laser.details() == SuperKDetails()


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"max_permille": 1001}, "max_permille"),
        ({"max_permille": -1}, "max_permille"),
        ({"max_permille": 1, "arm_s": float("nan")}, "arm_s"),
        ({"max_permille": 1, "arm_s": 0.0}, "arm_s"),
        ({"max_permille": 1, "watchdog_s": 0}, "watchdog_s"),
        ({"max_permille": 1, "watchdog_s": 256}, "watchdog_s"),
    ],
)
def test_limits_that_make_no_sense_are_refused(arguments: dict[str, int], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        SuperK(SimulatedSuperK(), **arguments)  # type: ignore[arg-type]
