"""One world for all fault tests; FAULTS=long makes them as long as docs/promises.md has it, SEEDS=20 draws more."""

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.faults.palette import PALETTE, Fault
from tests.faults.world import World, running

IS_LONG = os.environ.get("FAULTS", "short") == "long"
SEEDS = int(os.environ.get("SEEDS", "5"))
LONGEST_SECONDS = 900
MEASURED = "measured"
OF_A_PROMISE = {"broker_killed", "memory_alarm", "disk_alarm", "mongod_killed", "rolling_restart"}
"""Faults that have a test of their own, with a number."""
FAULTS = [fault for fault in PALETTE.values() if IS_LONG or not fault.slow]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test each seed, or each fault of the palette."""
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", range(1, SEEDS + 1), ids=lambda seed: f"seed{seed}")
    if "fault" in metafunc.fixturenames:
        faults = [fault for fault in FAULTS if fault.name not in OF_A_PROMISE]
        metafunc.parametrize("fault", faults, ids=lambda fault: fault.name)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "long: only when FAULTS=long; a shorter form of it is among the other tests")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    ours = [item for item in items if item.path.is_relative_to(Path(__file__).parent)]
    if IS_LONG:
        for item in ours:
            item.add_marker(pytest.mark.timeout(LONGEST_SECONDS))
    else:
        left_out = [item for item in ours if item.get_closest_marker("long")]
        items[:] = [item for item in items if item not in left_out]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = terminalreporter.getreports("passed")
    if lines := [line for report in reports for name, line in report.user_properties if name == MEASURED]:
        terminalreporter.section(MEASURED)
        for line in lines:
            terminalreporter.line(line)


@pytest.fixture(scope="package")
def shared_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running(tmp_path_factory.mktemp("faults")) as world:
        yield world


@pytest.fixture
def world(shared_world: World) -> Iterator[World]:
    """Give the world, in which everything works."""
    yield shared_world
    shared_world.settle()


@pytest.fixture
def is_long() -> bool:
    return IS_LONG


@pytest.fixture
def measured(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Take a line that is told when all tests are over."""
    return partial(record_property, MEASURED)


@pytest.fixture
def possible(world: World) -> list[Fault]:
    """Give the faults that this machine allows; what cannot be mounted cannot be filled."""
    return [fault for fault in FAULTS if world.disk.is_small or fault.name != "mongod_without_disk"]
