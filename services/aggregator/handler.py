"""Everything that the other stages tell, taken in batches to the join."""

from collections.abc import Callable, Sequence
from typing import Any

from common.errors import MalformedMessage
from common.facts import ImageGrayscaled, ImageHashed, ItemFailed, ItemKnown, PageScraped
from common.handling import Stage
from common.message import Message, Publication
from services.aggregator.completion import Completions
from services.aggregator.join import Join


class Aggregator:
    """Reads facts, buries what is none, and joins the rest. Tells of tasks that are completed, and nothing else."""

    def __init__(self, stage: Stage, join: Join, completions: Completions) -> None:
        self._stage = stage
        self._completions = completions
        self._readers: dict[str, Callable[[Message], Any]] = {
            fact.NAME: fact.from_message for fact in (ImageHashed, ImageGrayscaled, ItemKnown, PageScraped, ItemFailed)
        }
        # Successes before failures: of two downloads of one item, the one that has an image is worth more.
        self._takers: dict[str, Callable[[Sequence[Any]], None]] = {
            ImageHashed.NAME: join.hashed,
            ImageGrayscaled.NAME: join.grayscaled,
            ItemKnown.NAME: join.known,
            PageScraped.NAME: join.scraped,
            ItemFailed.NAME: join.failed,
        }

    def handle(self, messages: Sequence[Message]) -> list[list[Publication]]:
        """Handle a batch. Raises Unavailable; the same batch may then be given again."""
        given: list[list[Publication]] = []
        facts: dict[str, list[Any]] = {name: [] for name in self._takers}
        for message in messages:
            try:
                fact = self._read(message)
                facts[message.type].append(fact)
                given.append([])
            except MalformedMessage as error:
                given.append(self._stage.bury(message, str(error)))
        for name, take in self._takers.items():
            if facts[name]:
                take(facts[name])
        completed = self._completions.among(fact.item for taken in facts.values() for fact in taken)
        given[-1].extend(self._stage.topology.fact(message) for message in completed)
        return given

    def _read(self, message: Message) -> Any:
        reader = self._readers.get(message.type)
        if reader is None:
            raise MalformedMessage(f"type {message.type!r:.40} is not known")
        return reader(message)
