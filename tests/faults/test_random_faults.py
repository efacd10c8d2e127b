"""Random faults, by seed: every line has one outcome in the end, nothing is lost and nothing is twice (P1)."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass

from tests.faults.palette import Fault
from tests.faults.world import World


@dataclass(frozen=True)
class Act:
    """A fault, when it begins and when it ends, in seconds from the beginning of the run."""

    fault: Fault
    begin: float
    end: float


def draw(chance: random.Random, faults: list[Fault], count: int, most_seconds: float) -> list[Act]:
    """Draw faults; several may go on at once, but of one part one after the other."""
    free: dict[str, float] = {}
    acts, now = [], 0.0
    for fault in chance.choices(faults, k=count):
        now += chance.uniform(0.0, 1.5)
        begin = max(now, free.get(fault.part, 0.0))
        shortest, longest = fault.seconds
        end = begin + chance.uniform(shortest, min(longest, shortest + most_seconds))
        free[fault.part] = end + 0.5
        acts.append(Act(fault, begin, end))
    return acts


def perform(world: World, acts: list[Act], chance: random.Random) -> None:
    """Do what was drawn, each at its time or as soon as what comes before it is done."""
    began = time.monotonic()
    under_way: dict[Act, AbstractContextManager[None]] = {}
    for moment, act in sorted(_moments(acts), key=lambda entry: entry[0]):
        world.pass_by(max(0.0, began + moment - time.monotonic()))
        if act in under_way:
            under_way.pop(act).__exit__(None, None, None)
        else:
            under_way[act] = act.fault.do(world, chance)
            under_way[act].__enter__()


def _moments(acts: list[Act]) -> Iterator[tuple[float, Act]]:
    for act in acts:
        yield act.begin, act
        yield act.end, act


def test_random_faults(
    world: World, possible: list[Fault], seed: int, is_long: bool, measured: Callable[[str], None]
) -> None:
    lines, count, most_seconds = (2_000, 14, 12.0) if is_long else (160, 4, 1.0)
    chance = random.Random(seed)
    acts = draw(chance, possible, count, most_seconds)
    told = ", ".join(f"{act.fault.name} {act.begin:.1f}-{act.end:.1f}" for act in acts)
    print(f"seed {seed}: {told}")  # noqa: T201 - shown where it fails
    began = time.monotonic()
    task_id = world.submit(world.urls(lines, each_seconds=0.2 if is_long else 0.3))
    perform(world, acts, chance)
    world.settle()
    outcomes = world.finish(task_id, lines, resume=any(act.fault.loses for act in acts), deadline_seconds=240)
    measured(
        f"P1 seed {seed}: {lines:,} lines, {count} faults, {time.monotonic() - began:.0f} s, "
        f"lost 0, double 0: {dict(outcomes)}; {told}"
    )
