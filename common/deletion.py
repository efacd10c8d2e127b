"""Taking a task back: what is pending of it is cancelled, and its images are let go of.

The ledger keeps the task and says what became of each item. An image stays as long as an item of another task has it;
one that nobody has any more is marked as removed, and whoever reads images asks `is_removed`.
"""

import time
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from uuid import UUID

from common.database import STORED, Database, Document, unavailability
from common.items import Outcome, item_id, item_id_range
from common.reasons import Reason

PATIENCE_SECONDS = 2.0
"""So long is waited for images that are being stored at this moment: their items can no longer be cancelled."""
LOOK_SECONDS = 0.05
CANCELLED = {
    "outcome": Outcome.ERROR.value,
    "reason": Reason.CANCELLED.value,
    "detail": "the task was deleted",
    "stage": "api",
    "attempts": 1,
}


def delete_task(database: Database, task_id: UUID, *, sleep: Callable[[float], None] = time.sleep) -> None:
    """Delete a task for all but its ledger; doing it again does what was left undone. Raises Unavailable."""
    now = datetime.now(UTC)
    with unavailability():
        database["tasks"].update_one({"_id": task_id}, {"$min": {"deleted_at": now}, "$unset": {"is_current": ""}})
        database["pages"].delete_one({"_id": item_id(task_id, 0)})
        cancel(database, task_id)
        pending = {"task_id": task_id, "outcome": Outcome.PENDING.value}
        until = time.monotonic() + PATIENCE_SECONDS
        while database["items"].find_one(pending, {"_id": 1}) and time.monotonic() < until:
            sleep(LOOK_SECONDS)
        _let_go(database, task_id, now)


def cancel(database: Database, task_id: UUID) -> None:
    """End the task's items that are pending and not being stored just now. Raises Unavailable."""
    waiting = {"task_id": task_id, "outcome": Outcome.PENDING.value, "message_id": None}
    with unavailability():
        ended = {"$set": {**CANCELLED, "finished_at": datetime.now(UTC)}, "$unset": {"hashes": ""}}
        database["items"].update_many(waiting, ended)


def held(database: Database, md5s: Collection[str]) -> set[str]:
    """Give those of these images that an item has. Raises Unavailable."""
    with unavailability():
        # Of each image one entry of the index is read, however many items have it.
        return set(database["items"].distinct("md5", {"md5": {"$in": list(md5s)}}))


def is_removed(database: Database, image: Document) -> bool:
    """Tell whether an image's document (with its `removed_at`) is of one that no item has. Raises Unavailable."""
    # Another task may have found it since, or in the moment in which it was marked.
    return image.get("removed_at") is not None and not held(database, [image["_id"]])


def _let_go(database: Database, task_id: UUID, now: datetime) -> None:
    first, last = item_id_range(task_id)
    ids = {"_id": {"$gte": first, "$lte": last}}
    former: list[Document] = [{"$set": {"former_md5": "$md5"}}, {"$unset": ["md5", "file_name"]}]
    database["items"].update_many({**ids, **STORED}, former, hint="_id_")
    # Only now: of two tasks that let go of an image at once, the later one must find that nobody has it.
    gone = set(database["items"].distinct("former_md5", ids))
    gone -= held(database, gone)
    for collection in ("images", "grays", "originals"):
        database[collection].update_many({"_id": {"$in": list(gone)}}, {"$set": {"removed_at": now}})
