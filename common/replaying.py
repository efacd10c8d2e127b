"""Dead letters are put back into the queues that they came from."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

from common.database import Database, unavailability
from common.dead_letters import DeadLetter, DeadLetters
from common.items import Outcome
from common.publisher import Publisher
from common.topology import BINDINGS


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many letters were put back, could not be, and are left because the time was over.

    Of those put back, `ended` are of items that have their outcome, which a message does not change any more: the items
    of `tasks` are tried again by `fetcher retry`.
    """

    replayed: int = 0
    refused: int = 0
    left: int = 0
    ended: int = 0
    tasks: frozenset[UUID] = frozenset()


def obstacle(letter: DeadLetter) -> str | None:
    """Say why a letter cannot be put back, None when it can be."""
    if letter.queue not in BINDINGS:
        return f"it does not tell which queue it came from: {letter.queue!r:.60}"
    return None if letter.is_whole else "its body is longer than what is kept"


def replay(
    database: Database,
    publisher: Publisher,
    letter_ids: Iterable[UUID],
    *,
    until: float = float("inf"),
    clock: Callable[[], float] = time.monotonic,
) -> Replayed:
    """Put letters back one by one, each thrown out once the broker has its message. Raises Unavailable.

    Who is interrupted in between has put one back that is still there; it may come twice, which harms nobody.
    """
    letters = DeadLetters(database)
    replayed = refused = ended = 0
    tasks: set[UUID] = set()
    waiting = list(letter_ids)
    while waiting and clock() < until:
        letter = letters.find(waiting.pop(0))
        if letter is None:
            continue
        if obstacle(letter) is not None:
            refused += 1
            continue
        publisher.publish([publisher.topology.direct(letter.queue, letter.message)])
        publisher.flush()
        letters.remove([letter.letter_id])
        replayed += 1
        if letter.task_id is not None and _has_ended(database, letter.item_id):
            ended += 1
            tasks.add(letter.task_id)
    return Replayed(replayed, refused, len(waiting), ended, frozenset(tasks))


def _has_ended(database: Database, item_id: UUID | None) -> bool:
    with unavailability():
        item = database["items"].find_one({"_id": item_id}, {"outcome": 1})
    return item is not None and item["outcome"] != Outcome.PENDING.value
