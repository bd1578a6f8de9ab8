"""What every pulsed laser driver must do, whatever is behind it: mix `LaserConformance` into a test class.

Modelled on the device test suite of python-microscope: one set of behaviours, run against the simulated
laser and against every wired driver alike.
"""

import asyncio
import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from hardware.nkt.registers import InterlockCircuit
from hardware.protocols import LaserError, PulsedLaser

ARM_S = 30.0
MAX_PERMILLE = 800
WATCHDOG_S = 5


class Interrupted(BaseException):
    """Stands for KeyboardInterrupt and its like."""


@dataclass
class Time:
    """A clock that only moves when somebody sleeps on it or advances it."""

    now_s: float = 1000.0
    on_sleep: Callable[[], None] = field(default=lambda: None)

    def clock(self) -> float:
        return self.now_s

    def advance(self, seconds: float) -> None:
        self.now_s += seconds

    def sleep(self, seconds: float) -> None:
        self.on_sleep()
        self.advance(seconds)


@dataclass
class LaserRig:
    """A driver with `ARM_S`, `MAX_PERMILLE` and `WATCHDOG_S`, and a hand on what is around the laser.

    Attributes:
        laser: not open.
        time: the clock and sleep of driver and laser.
        emitted: power coming out in 0.1 %, seen without asking the driver.
        writes: registers written so far.
        unplug, plug_in: the cable.
        open_interlock, close_interlock, reset_interlock: the loop around the laser.
        press_emission: the button at its front panel.
    """

    laser: PulsedLaser
    time: Time
    emitted: Callable[[], int]
    writes: list[int]
    unplug: Callable[[], None]
    plug_in: Callable[[], None]
    open_interlock: Callable[[InterlockCircuit], None]
    close_interlock: Callable[[], None]
    reset_interlock: Callable[[], None]
    press_emission: Callable[[], None]

    def lit(self, permille: int = 500) -> None:
        """Bring the laser to steady emission the way an operator does."""
        self.laser.open()
        self.laser.set_power_permille(permille)
        self.laser.arm()
        assert self.laser.emission_on().emission is True
        assert self.emitted() == permille


class LaserConformance:
    """Give the fixtures `rig` and, limited by nothing but the laser, `full_range_rig`."""

    def test_off_after_construction(self, rig: LaserRig) -> None:
        assert rig.emitted() == 0

    def test_off_after_open(self, rig: LaserRig) -> None:
        info = rig.laser.open()
        assert info.role == "laser"
        assert info.serial
        assert rig.emitted() == 0
        assert rig.laser.reading().emission is False

    def test_emission_found_on_is_adopted_and_not_touched(self, rig: LaserRig) -> None:
        rig.press_emission()
        rig.laser.open()
        assert rig.laser.reading().emission is True
        assert rig.writes == []

    def test_before_open_nothing_is_known_and_every_command_is_refused(self, rig: LaserRig) -> None:
        assert rig.laser.reading().emission is None
        for command in (rig.laser.arm, rig.laser.emission_on, rig.laser.emission_off):
            with pytest.raises(LaserError, match="not open"):
                command()
        with pytest.raises(LaserError, match="not open"):
            rig.laser.set_power_permille(1)
        assert rig.writes == []

    def test_off_and_close_may_be_called_twice(self, rig: LaserRig) -> None:
        rig.lit()
        assert rig.laser.emission_off().emission is False
        assert rig.laser.emission_off().emission is False
        assert rig.emitted() == 0
        rig.laser.close()
        rig.laser.close()

    def test_close_after_a_failed_open_is_quiet_and_open_can_be_tried_again(self, rig: LaserRig) -> None:
        rig.unplug()
        with pytest.raises(LaserError, match="does not answer"):
            rig.laser.open()
        rig.laser.close()
        rig.plug_in()
        assert rig.laser.open().serial

    def test_close_switches_emission_off(self, rig: LaserRig) -> None:
        rig.lit()
        rig.laser.close()
        assert rig.emitted() == 0
        assert rig.laser.reading().emission is None

    def test_no_emission_without_arming(self, rig: LaserRig) -> None:
        rig.laser.open()
        with pytest.raises(LaserError, match="not armed"):
            rig.laser.emission_on()
        assert rig.writes == []

    def test_arming_expires(self, rig: LaserRig) -> None:
        rig.laser.open()
        rig.laser.arm()
        rig.time.advance(ARM_S + 0.1)
        with pytest.raises(LaserError, match="expired"):
            rig.laser.emission_on()
        assert rig.writes == []

    def test_arming_serves_once(self, rig: LaserRig) -> None:
        rig.lit()
        rig.laser.emission_off()
        with pytest.raises(LaserError, match="not armed"):
            rig.laser.emission_on()
        assert rig.emitted() == 0

    def test_a_refused_switch_on_uses_the_arming_up_too(self, rig: LaserRig) -> None:
        rig.laser.open()
        rig.laser.arm()
        rig.open_interlock(InterlockCircuit.DOOR)
        with pytest.raises(LaserError):
            rig.laser.emission_on()
        rig.close_interlock()
        rig.reset_interlock()
        with pytest.raises(LaserError, match="not armed"):
            rig.laser.emission_on()

    def test_switching_off_withdraws_the_arming(self, rig: LaserRig) -> None:
        rig.laser.open()
        rig.laser.arm()
        rig.laser.emission_off()
        with pytest.raises(LaserError, match="not armed"):
            rig.laser.emission_on()

    def test_an_open_interlock_refuses_emission_and_says_where(self, rig: LaserRig) -> None:
        rig.laser.open()
        rig.open_interlock(InterlockCircuit.DOOR)
        rig.laser.arm()
        with pytest.raises(LaserError, match="door switch"):
            rig.laser.emission_on()
        assert rig.laser.reading().interlock_ok is False
        assert rig.writes == []

    def test_a_closed_interlock_must_be_reset_first(self, rig: LaserRig) -> None:
        rig.laser.open()
        rig.open_interlock(InterlockCircuit.KEY)
        rig.close_interlock()
        rig.laser.arm()
        with pytest.raises(LaserError, match="waiting for reset"):
            rig.laser.emission_on()
        rig.reset_interlock()
        rig.laser.arm()
        assert rig.laser.emission_on().emission is True

    def test_the_interlock_opening_stops_the_light_and_closing_it_does_not_restart_it(
        self, rig: LaserRig
    ) -> None:
        rig.lit()
        rig.open_interlock(InterlockCircuit.EXTERNAL)
        assert rig.emitted() == 0
        rig.close_interlock()
        rig.reset_interlock()
        assert rig.laser.reading().emission is False
        assert rig.emitted() == 0

    def test_the_interlock_opening_during_the_ramp_ends_the_switch_on(self, rig: LaserRig) -> None:
        rig.laser.open()
        rig.time.on_sleep = lambda: rig.open_interlock(InterlockCircuit.DOOR)
        rig.laser.arm()
        with pytest.raises(LaserError, match=r"door switch.*switched off again"):
            rig.laser.emission_on()
        assert rig.emitted() == 0

    @pytest.mark.parametrize("level", [MAX_PERMILLE + 1, 1000, 1001, 70_000, -1])
    def test_a_level_outside_the_limit_is_refused_and_nothing_is_written(
        self, rig: LaserRig, level: int
    ) -> None:
        rig.laser.open()
        with pytest.raises(LaserError, match="refused"):
            rig.laser.set_power_permille(level)
        assert rig.writes == []

    @pytest.mark.parametrize("level", [float("nan"), float("inf"), 10.0, 0.5, "10", None, True])
    def test_what_is_not_a_whole_number_of_steps_is_refused(self, rig: LaserRig, level: object) -> None:
        rig.laser.open()
        with pytest.raises(LaserError, match="whole number"):
            rig.laser.set_power_permille(level)  # type: ignore[arg-type]
        assert rig.writes == []

    def test_every_power_setting_comes_back_exactly(self, full_range_rig: LaserRig) -> None:
        rig = full_range_rig
        rig.lit()
        for level in range(1001):
            reading = rig.laser.set_power_permille(level)
            assert (reading.setpoint_permille, reading.readback_permille) == (level, level)
            assert rig.emitted() == level

    def test_unplugged_nothing_is_claimed_and_commands_fail_in_one_line(self, rig: LaserRig) -> None:
        rig.lit()
        rig.unplug()
        reading = rig.laser.reading()
        assert (reading.emission, reading.interlock_ok, reading.readback_permille) == (None, None, None)
        with pytest.raises(LaserError, match=r"\A[^\n]+\Z"):
            rig.laser.set_power_permille(1)
        with pytest.raises(LaserError, match="assume it is ON"):
            rig.laser.emission_off()

    def test_plugging_in_again_does_not_bring_emission_back(self, rig: LaserRig) -> None:
        rig.lit()
        rig.laser.emission_off()
        rig.unplug()
        rig.plug_in()
        assert rig.laser.reading().emission is False
        assert rig.emitted() == 0

    def test_closing_an_unplugged_laser_warns_once_and_releases_the_port(self, rig: LaserRig) -> None:
        rig.lit()
        rig.unplug()
        with pytest.raises(LaserError, match="assume it is ON"):
            rig.laser.close()
        rig.laser.close()
        rig.plug_in()
        assert rig.laser.open().serial

    def test_silence_makes_the_laser_itself_switch_off(self, rig: LaserRig) -> None:
        rig.lit()
        rig.unplug()
        rig.time.advance(WATCHDOG_S - 0.1)
        assert rig.emitted() > 0
        rig.time.advance(0.2)
        assert rig.emitted() == 0

    def test_asking_for_the_state_keeps_the_light_on(self, rig: LaserRig) -> None:
        rig.lit(500)
        for _ in range(10):
            rig.time.advance(WATCHDOG_S * 0.8)
            assert rig.laser.reading().emission is True
        assert rig.emitted() == 500

    def test_an_interrupt_at_any_moment_of_the_ramp_leaves_it_off(self, rig: LaserRig) -> None:
        rig.laser.open()
        rig.laser.set_power_permille(500)
        interrupted = 0
        for moment in itertools.count():
            rig.time.on_sleep = _raise_from(moment)
            rig.laser.arm()
            try:
                rig.laser.emission_on()
            except Interrupted:
                assert rig.emitted() == 0
                interrupted += 1
            else:
                break
        assert interrupted >= 3

    async def test_a_task_cancelled_while_switching_on_ends_with_the_laser_off(self, rig: LaserRig) -> None:
        rig.laser.open()
        loop, ramping, cancelled = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

        def ramp() -> None:
            loop.call_soon_threadsafe(ramping.set)
            cancelled.wait(10)

        rig.time.on_sleep = ramp
        rig.laser.arm()
        task = asyncio.create_task(asyncio.to_thread(rig.laser.emission_on))
        await ramping.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        cancelled.set()
        await asyncio.to_thread(rig.laser.close)
        assert rig.emitted() == 0


def _raise_from(moment: int) -> Callable[[], None]:
    """Raises on the sleep of that number, counted from 0, and on every later one."""
    sleeps = itertools.count()

    def on_sleep() -> None:
        if next(sleeps) >= moment:
            raise Interrupted

    return on_sleep
