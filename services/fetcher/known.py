"""What the ledger knows about items before anything is downloaded for them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from uuid import UUID

from common.database import Database, unavailability
from common.items import Item, Outcome


@dataclass(frozen=True, slots=True)
class Knowledge:
    """`wanted`: the item is still pending in this round. `md5`: of the image that its URL gave in another task."""

    wanted: bool
    md5: str | None = None


class Known:
    """Asks the ledger about many items at once: two questions cost little more than two of a single item."""

    def __init__(self, database: Database) -> None:
        self._items = database["items"]

    def about(self, items: Sequence[Item]) -> list[Knowledge]:
        """Look items and their URLs up, in their order. Raises Unavailable.

        Only other tasks count: lines repeated inside a task are each fetched, so that its totals do not depend on
        which of them came first.
        """
        rounds = self._pending_rounds(items)
        wanted = [item for item in items if rounds.get(item.item_id) == item.round]
        known: dict[tuple[UUID, str], str] = {}
        for task_id, of_task in groupby(sorted(wanted, key=_task_of), _task_of):
            known |= {(task_id, url): md5 for url, md5 in self._stored(task_id, {item.url for item in of_task}).items()}
        return [
            Knowledge(rounds.get(item.item_id) == item.round, known.get((item.task_id, item.url))) for item in items
        ]

    def _pending_rounds(self, items: Iterable[Item]) -> dict[UUID, int]:
        pending = {"_id": {"$in": [item.item_id for item in items]}, "outcome": Outcome.PENDING.value}
        with unavailability():
            return {document["_id"]: document["round"] for document in self._items.find(pending, {"round": 1})}

    def _stored(self, task_id: UUID, urls: set[str]) -> dict[str, str]:
        """Give the MD5 for those of the URLs that gave an image in another task."""
        md5s: dict[str, str] = {}
        while unknown := urls - md5s.keys():
            query = {"url": {"$in": list(unknown)}, "task_id": {"$ne": task_id}, "md5": {"$exists": True}}
            with unavailability():
                # A URL may be in any number of tasks: as many answers as URLs are enough to learn of one more.
                found = list(self._items.find(query, {"_id": 0, "url": 1, "md5": 1}).limit(len(unknown)))
            md5s |= {document["url"]: document["md5"] for document in found}
            if len(found) < len(unknown):
                break
        return md5s


def _task_of(item: Item) -> UUID:
    return item.task_id
