"""What the ledger knows about an item before anything is downloaded for it."""

from dataclasses import dataclass

from common.database import Database, unavailability
from common.items import Item, Outcome


@dataclass(frozen=True, slots=True)
class Knowledge:
    """`wanted`: the item is still pending in this round. `md5`: of the image that its URL gave in another task."""

    wanted: bool
    md5: str | None


class Known:
    """Asks the ledger."""

    def __init__(self, database: Database) -> None:
        self._items = database["items"]

    def about(self, item: Item) -> Knowledge:
        """Look an item and its URL up. Raises Unavailable.

        Only other tasks count: lines repeated inside a task are each fetched, so that its totals do not depend on
        which of them came first.
        """
        fields = {"_id": 1, "round": 1, "outcome": 1, "md5": 1}
        with unavailability():
            state = self._items.find_one({"_id": item.item_id}, fields)
            wanted = state is not None and state["outcome"] == Outcome.PENDING.value and state["round"] == item.round
            if not wanted:
                return Knowledge(wanted=False, md5=None)
            stored = {"url": item.url, "task_id": {"$ne": item.task_id}, "md5": {"$exists": True}}
            known = self._items.find_one(stored, {"_id": 0, "md5": 1})
        return Knowledge(wanted=True, md5=known["md5"] if known else None)
