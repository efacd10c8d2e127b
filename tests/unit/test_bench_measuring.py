"""How the benchmark looks at processes and at the rest of the machine."""

import sys
import time
from pathlib import Path

import psutil
import pytest

from bench.measure import COMMAND, CommandFailed, measure
from bench.noise import Moment, Patience, busy_seconds, noise
from bench.peers.environment import NotInstalled, installed, pins
from bench.tools import LIMIT, OURS, TOOLS
from bench.usage import cpu_seconds

STAT = "cpu  200 10 90 5000 400 0 20 80 50 0\ncpu0 1 2 3 4 5 6 7 8 9 0\n"
HALF_A_SECOND_IN_A_CHILD = """
import subprocess, sys
code = "import time\\nwhile time.process_time() < 0.5: pass\\nbytearray(50_000_000)"
subprocess.run([sys.executable, "-c", code], check=True)
"""


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_the_machine_is_busy_with_steal_but_not_with_idling_waiting_or_guests() -> None:
    assert busy_seconds(STAT) == pytest.approx(4.0)


def test_noise_is_the_share_of_all_cores_that_others_took() -> None:
    before = Moment(seconds=10.0, busy=100.0, ours=50.0)
    assert noise(before, Moment(20.0, 118.0, 64.0), cores=2) == pytest.approx(0.2)


def test_clock_ticks_never_make_negative_noise() -> None:
    before = Moment(seconds=10.0, busy=100.0, ours=50.0)
    assert noise(before, Moment(11.0, 101.0, 51.01), cores=2) == 0.0


def test_what_descends_from_this_process_is_no_noise() -> None:
    before = Moment.now()
    began = time.process_time()
    while time.process_time() - began < 0.2:
        pass
    assert Moment.now().ours - before.ours >= 0.15  # told in hundredths, user and system each


def test_nobody_waits_for_quiet_when_patience_is_spent() -> None:
    began = time.monotonic()
    assert Patience(all_seconds=0).wait_for_quiet() is False
    assert time.monotonic() - began < 5


def test_a_command_is_measured_with_the_children_that_it_had(tmp_path: Path) -> None:
    run = measure(python(HALF_A_SECOND_IN_A_CHILD), {}, {}, images=10, log=tmp_path / "log")
    assert run.images == 10
    assert 0.5 <= run.cpu_seconds[COMMAND] < 30
    assert run.seconds >= 0.5
    assert run.peak_mebibytes > 5


def test_processes_beside_a_command_are_added_up_by_service(tmp_path: Path) -> None:
    beside = [psutil.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2)]
    try:
        named = {f"grayscaler {number}": process for number, process in enumerate(beside, 1)}
        run = measure(python(HALF_A_SECOND_IN_A_CHILD), {}, named, images=1, log=tmp_path / "log")
    finally:
        for process in beside:
            process.kill()
            process.wait()
    assert set(run.cpu_seconds) == {COMMAND, "grayscaler"}
    assert run.cpu_seconds["grayscaler"] > 0


def test_a_command_that_fails_tells_its_last_line(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="ended with 3: no such list"):
        measure(python("import sys; print('no such list'); sys.exit(3)"), {}, {}, images=1, log=tmp_path / "log")


def test_cpu_time_is_that_of_ended_children_too() -> None:
    before = cpu_seconds(psutil.Process())
    psutil.Popen([sys.executable, "-c", "import time\nwhile time.process_time() < 0.5: pass"]).wait()
    # Two kinds of time, each cut off to ticks of ten milliseconds.
    assert cpu_seconds(psutil.Process()) - before >= 0.48


@pytest.mark.parametrize("name", [tool.name for tool in TOOLS if tool.name != OURS])
def test_everything_a_tool_needs_is_pinned(name: str) -> None:
    assert all(pins(name).values())
    assert name in {"script", LIMIT} or name in pins(name)


def test_a_tool_that_cannot_be_installed_says_why(tmp_path: Path) -> None:
    (tmp_path / "peers").write_text("a file where a folder must be", "utf-8")
    with pytest.raises(NotInstalled, match=str(tmp_path / "peers")):
        installed("script", cache=tmp_path)
