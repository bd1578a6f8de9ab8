import sys

import pytest

from tests.faults.kill_daemon import killed_run

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs kill -9")


@pytest.mark.parametrize(("seed", "after_s"), [(1, 0.3), (2, 1.9), (3, 2.6), (4, 3.5)])
def test_a_killed_daemon_has_kept_everything_it_called_safe(seed: int, after_s: float) -> None:
    outcome = killed_run(seed, after_s)
    assert outcome.faults == ()
    assert outcome.recorded >= outcome.acknowledged
    assert outcome.acknowledged > 0 or after_s < 2.5
