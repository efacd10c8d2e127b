"""Each fault by itself, in the middle of a run: every line has one outcome after it, and every image is exact."""

import random

import pytest

from tests.faults.palette import Fault
from tests.faults.world import World

LINES = 120


def test_a_fault_loses_nothing_and_doubles_nothing(
    world: World, possible: list[Fault], fault: Fault, is_long: bool
) -> None:
    if fault not in possible:
        pytest.skip("no file system can be mounted here")
    lines = 4 * LINES if is_long else LINES
    chance = random.Random(fault.name)
    task_id = world.submit(world.urls(lines))
    world.under_way(lines // 10)
    assert world.finished() < lines, "the run is over before the fault has begun"
    with fault.do(world, chance):
        world.pass_by(fault.seconds[is_long])
    world.finish(task_id, lines, resume=fault.loses)
