"""Every fault by name: what it does to a world while its `with` block lasts, and for how long it may last."""

import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from tests.faults.world import WORKERS, World
from tests.tcp_proxy import Proxy

TAP = "tap"
HOUR_SECONDS = 3_600.0
SETTLED_SECONDS = 3.0
TOLD_SECONDS = 0.2
"""Before this nobody who was told can consume again."""
Doing = Callable[[World, random.Random], Iterator[None]]


@dataclass(frozen=True)
class Fault:
    """`part` is what it is done to: of two faults of one part, the first must be over.

    One that `loses` messages needs them published again; one that is `slow` is noticed by nobody for long.
    """

    name: str
    part: str
    seconds: tuple[float, float]
    do: Callable[[World, random.Random], AbstractContextManager[None]]
    loses: bool = False
    slow: bool = False


PALETTE: dict[str, Fault] = {}


def fault(part: str, shortest: float = 0.0, longest: float = 0.0, *, loses: bool = False) -> Callable[[Doing], Doing]:
    """Enter a generator function into the palette."""

    def enter(function: Doing) -> Doing:
        name = function.__name__
        PALETTE[name] = Fault(name, part, (shortest, longest), contextmanager(function), loses)
        return function

    return enter


@fault("workers", 1.5, 3.0)
def workers_killed(world: World, chance: random.Random) -> Iterator[None]:
    """One of each kind, in any order, and one of them again when it is back."""
    victims = [chance.choice(world.of(service)) for service in WORKERS]
    for victim in chance.sample(victims, k=len(victims)):
        world.kill(victim)
    yield
    world.kill(chance.choice(victims))


@fault("workers", 1.0, 8.0)
def a_worker_frozen(world: World, chance: random.Random) -> Iterator[None]:
    victim = chance.choice(world.workers)
    victim.freeze()
    yield
    victim.thaw()


@fault("workers")
def rolling_restart(world: World, chance: random.Random) -> Iterator[None]:
    """Each worker is told to end, and ends, before the next one is."""
    for worker in chance.sample(world.workers, k=len(world.workers)):
        world.restarted(worker)
    yield


@fault("workers", 2.0, 5.0)
def clocks_stepped(world: World, chance: random.Random) -> Iterator[None]:
    """Some workers' clocks go wrong by hours, each in its own way, and are put right."""
    for worker in world.workers:
        world.set_clock(worker, chance.choice((-3, 0, 3)) * HOUR_SECONDS)
    yield
    for worker in world.workers:
        world.set_clock(worker, 0)


@fault("broker", 0.0, 3.0)
def broker_killed(world: World, chance: random.Random) -> Iterator[None]:
    world.broker.kill()
    yield
    world.broker.restart()


@fault("broker", 2.0, 14.0)
def broker_frozen(world: World, chance: random.Random) -> Iterator[None]:
    """Longer than two heartbeats, or shorter."""
    world.broker.freeze()
    yield
    world.broker.thaw()


@fault("broker", 1.0, 4.0)
def memory_alarm(world: World, chance: random.Random) -> Iterator[None]:
    world.broker.control("set_vm_memory_high_watermark", "0.0001")
    yield
    world.broker.control("set_vm_memory_high_watermark", "absolute", "1GiB")


@fault("broker", 1.0, 4.0)
def disk_alarm(world: World, chance: random.Random) -> Iterator[None]:
    world.broker.control("set_disk_free_limit", "50000GB")
    yield
    world.broker.control("set_disk_free_limit", "1MB")


@fault("broker")
def connections_closed(world: World, chance: random.Random) -> Iterator[None]:
    world.broker.control("close_all_connections", "a fault")
    yield


@fault("broker", loses=True)
def queue_deleted(world: World, chance: random.Random) -> Iterator[None]:
    """With all that waits in it; publishing the task again brings that home.

    Not at once after the broker's start: a queue that is deleted just when it has elected its leader takes all quorum
    queues of RabbitMQ 3.10.8 with it, until the next start (its supervisor of dead-lettering gives up). And when
    another worker declares the queue before the broker has told those who consume it, they are never told, and nothing
    is ever delivered to them: they get new connections.
    """
    world.pass_by(max(0.0, SETTLED_SECONDS - world.broker.up_seconds))
    with world.channel() as channel:
        queue = chance.choice(("fetcher", "hasher", "grayscaler", "aggregator", "aggregator.gray"))
        channel.queue_delete(world.topology.queue(queue))
    world.pass_by(TOLD_SECONDS)
    if world.queues().get(queue, (0, 0))[1] > 0:
        world.broker.control("close_all_connections", "nobody was told")
    yield


@fault("broker", 1.0, 3.0)
def copies_delivered(world: World, chance: random.Random) -> Iterator[None]:
    """Whatever is told meanwhile is told twice more, in any order."""
    exchange = world.topology.exchange
    with world.channel() as channel:
        channel.queue_declare(TAP, arguments={"x-expires": 60_000})
        channel.queue_bind(TAP, exchange, "#")
    yield
    with world.channel() as channel:
        told = []
        while (got := channel.basic_get(TAP, auto_ack=True))[0] is not None:
            told.append(got)
        channel.queue_delete(TAP)
        copies = 2 * told
        chance.shuffle(copies)
        for method, properties, body in copies:
            channel.basic_publish(exchange, method.routing_key, body, properties)


@fault("database", 0.0, 3.0)
def mongod_killed(world: World, chance: random.Random) -> Iterator[None]:
    world.mongod.kill()
    yield
    world.mongod.restart()


@fault("database", 1.0, 8.0)
def mongod_frozen(world: World, chance: random.Random) -> Iterator[None]:
    world.mongod.freeze()
    yield
    world.mongod.thaw()


@fault("database", 1.0, 3.0)
def mongod_without_disk(world: World, chance: random.Random) -> Iterator[None]:
    """Its disk is full for a while. It may give up; then it is started again once there is room."""
    world.have_no_disk()
    yield
    world.disk.free()
    world.mongod.ensure()


def of_the_lines(
    name: str,
    shortest: float,
    longest: float,
    do: Callable[[Proxy, random.Random], None],
    *,
    slow: bool = False,
) -> None:
    """Enter a fault of the lines to the broker and to the database, both at once."""

    @contextmanager
    def doing(world: World, chance: random.Random) -> Iterator[None]:
        for line in (world.amqp, world.mongo):
            do(line, chance)
        yield
        for line in (world.amqp, world.mongo):
            line.heal()

    PALETTE[name] = Fault(name, "lines", (shortest, longest), doing, slow=slow)


def delay(line: Proxy, chance: random.Random) -> None:
    line.latency_seconds = chance.uniform(0.02, 0.2)


def narrow(line: Proxy, chance: random.Random) -> None:
    line.bytes_per_second = chance.uniform(50_000, 500_000)


def hold(line: Proxy, chance: random.Random) -> None:
    line.holds = True


def cut(line: Proxy, chance: random.Random) -> None:
    line.refuses = True
    line.reset()


of_the_lines("lines_delayed", 2.0, 5.0, delay)
of_the_lines("lines_slow", 2.0, 5.0, narrow)
of_the_lines("lines_held", 2.0, 8.0, hold)
of_the_lines("lines_cut", 1.0, 3.0, cut)
of_the_lines("connections_forgotten", 0.0, 0.0, lambda line, _chance: line.forget(), slow=True)
