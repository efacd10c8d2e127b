"""What the services are doing, in words: who is there, and what waits for them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from common.dead_letters import DeadLetters
from common.queue_states import QueueState
from common.standstill import Standstill, standstill
from services.api.resources import now, resources

NOTHING = QueueState(0, 0)
DELAYED = "delay."
DEAD = "dead"
STAGES = {
    "fetcher": ("downloads what URLs lead to", ("fetcher",)),
    "scraper": ("reads web pages, tells webhooks", ("scraper", "webhook")),
    "hasher": ("knows images by their MD5", ("hasher",)),
    "grayscaler": ("makes gray versions", ("grayscaler",)),
    "aggregator": ("writes down how each URL ended", ("aggregator", "aggregator.gray")),
}
"""Each service by its name: what it does, and the queues it takes from, of which the first is all its workers'."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A service: how many workers take from its queues, and how many messages no worker has taken yet."""

    name: str
    does: str
    workers: int
    waiting: int

    @property
    def is_missing(self) -> bool:
        """Tell whether nobody does this work."""
        return self.workers == 0


@dataclass(frozen=True, slots=True)
class Health:
    """Who answers. `stages` is None when the broker tells nothing; `delayed` and `dead` count messages set aside.

    `standstill` names the tasks whose messages are gone.
    """

    database: bool
    broker: bool
    stages: tuple[Stage, ...] | None
    delayed: int = 0
    dead: int = 0
    standstill: Standstill | None = None

    @property
    def missing(self) -> tuple[Stage, ...]:
        """Give the stages without a worker."""
        return tuple(stage for stage in self.stages or () if stage.is_missing)

    @property
    def is_good(self) -> bool:
        """Tell whether everybody is there."""
        return self.database and self.broker and self.stages is not None and not self.missing


def current_health(*, database: bool) -> Health:
    """Ask the broker, or remember what it said a moment ago. With a database that is there, may raise Unavailable."""
    publisher = resources().publisher
    states = resources().recent_states() if publisher.ready else None
    found = health(states, database=database, broker=publisher.ready)
    if not database:
        return found
    kept = DeadLetters(resources().database).count()
    return replace(found, dead=found.dead + kept, standstill=standstill(resources().database, now()))


def health(states: Mapping[str, QueueState] | None, *, database: bool, broker: bool) -> Health:
    """Put the queues' states into words."""
    if states is None:
        return Health(database, broker, None)
    return Health(
        database,
        broker,
        tuple(
            _stage(name, does, [states.get(queue, NOTHING) for queue in queues])
            for name, (does, queues) in STAGES.items()
        ),
        sum(state.messages for queue, state in states.items() if queue.startswith(DELAYED)),
        states.get(DEAD, NOTHING).messages,
    )


def _stage(name: str, does: str, states: list[QueueState]) -> Stage:
    return Stage(name, does, states[0].consumers, sum(state.messages for state in states))
