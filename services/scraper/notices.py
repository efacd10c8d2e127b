"""What a webhook is told: the state of a completed task, as JSON, signed.

Signed as the Standard Webhooks specification (1.0) says: HMAC-SHA256 over `<id>.<timestamp>.<body>`, in base64 behind
`v1,`. The key is WEBHOOK_SECRET, as UTF-8.
"""

import base64
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from common.database import Database, Document, unavailability
from common.instants import write_instant
from common.page_state import PageState, page_state


@dataclass(frozen=True, slots=True)
class Notice:
    """What is to be told, and where; `notice_id` is the same each time it is tried."""

    url: str
    notice_id: str
    body: bytes

    def headers(self, secret: str, now: datetime) -> Mapping[str, str]:
        """Give the headers that say what it is and prove who sends it."""
        timestamp = str(int(now.timestamp()))
        signed = f"{self.notice_id}.{timestamp}.".encode() + self.body
        signature = base64.b64encode(hmac.digest(secret.encode(), signed, "sha256")).decode()
        return {
            "Content-Type": "application/json",
            "webhook-id": self.notice_id,
            "webhook-timestamp": timestamp,
            "webhook-signature": f"v1,{signature}",
        }


class Notices:
    """The webhooks of tasks: what is still to be told, and what became of it. Every method raises Unavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._tasks = database["tasks"]

    def find(self, task_id: UUID) -> Notice | None:
        """Give the notice of a completed task; None when it has been given, or there is nothing to tell (any more)."""
        untold = {
            "_id": task_id,
            "webhook": {"$exists": True},
            "webhook.told": {"$exists": False},
            "deleted_at": {"$exists": False},
        }
        with unavailability():
            task = self._tasks.find_one(untold)
        state = page_state(self._database, task_id) if task else None
        if task is None or state is None or not state.is_complete:
            return None
        count = task["webhook"].get("count", 0)
        return Notice(task["webhook"]["url"], f"{task_id}.{count}", _body(task, state))

    def told(self, task_id: UUID, attempt: int) -> None:
        """Write down that it was taken."""
        told = {"webhook.told": datetime.now(UTC), "webhook.attempts": attempt}
        with unavailability():
            self._tasks.update_one(
                {"_id": task_id}, {"$set": told, "$inc": {"webhook.count": 1}, "$unset": {"webhook.error": ""}}
            )

    def failed(self, task_id: UUID, attempt: int, error: str) -> None:
        """Write down why it was not."""
        with unavailability():
            failure = {"webhook.attempts": attempt, "webhook.error": error[:300]}
            self._tasks.update_one({"_id": task_id}, {"$set": failure})


def _body(task: Document, state: PageState) -> bytes:
    images = state.images
    data: dict[str, Any] = {
        "id": str(task["_id"]),
        "kind": task["kind"],
        "url": task["page"],
        "name": task["name"],
        "status": state.status,
        "resource": f"/{task['kind']}_tasks/{task['_id']}",
        "reason": state.page.get("reason"),
        "images": {
            "total": images.total,
            "success": images.success,
            "duplicate": images.duplicate,
            "error": images.error,
        },
        "errors": [
            {"reason": failure.reason, "status": failure.status, "count": failure.count} for failure in images.failures
        ],
    }
    notice = {"type": "task.completed", "timestamp": write_instant(datetime.now(UTC)), "data": data}
    return json.dumps(notice, separators=(",", ":")).encode()
