"""Log lines: plain for people, JSON for machines; never more than one line an event."""

import json
import logging
import time
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from common.items import Item
from common.message import Message
from common.settings import Settings

CONTROL = {code: f"\\x{code:02x}" for code in (*range(32), 127, 0x85, 0x2028, 0x2029)}
"""What a stranger's URL could break a log line with."""
IDS = ("item_id", "task_id", "message_id", "request_id")
"""What a record may carry beside its message, to tell what it is about."""
LONGEST_ID = 80

current: ContextVar[Message | None] = ContextVar("current", default=None)
"""The message that is being handled on this thread: its ids are on every line that is logged meanwhile."""


def about(subject: Message | Item, message_id: UUID | None = None, **members: str) -> dict[str, dict[str, object]]:
    """Give, as a line's `extra`, the ids of what it is about, and what else is a member of its own in JSON."""
    ids: dict[str, object]
    if isinstance(subject, Item):
        ids = {"item_id": subject.item_id, "task_id": subject.task_id, "message_id": message_id}
    else:
        headers = subject.headers
        ids = {
            "item_id": headers.get("item_id"),
            "task_id": headers.get("task_id"),
            "message_id": subject.message_id,
        }
    return {"about": {**ids, **members}}


class Plain(logging.Formatter):
    """`2026-01-31T12:00:00.123Z INFO hasher common.worker: consuming hasher`."""

    converter = staticmethod(time.gmtime)

    def __init__(self, service: str) -> None:
        super().__init__(f"%(asctime)s.%(msecs)03dZ %(levelname)s {service} %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name is logging's
        """Keep the message on one line; a traceback behind it keeps its own."""
        ids = (f"{name}={value}" for name, value in _about(record).items() if name in IDS)
        record.message = " ".join([record.message, *ids])
        record.message = record.message.translate(CONTROL)
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802 - the name is logging's
        """Indent a traceback, so that no text in it can pass for a line of its own."""
        lines = super().formatException(ei).splitlines()
        return "\n".join("    " + line.translate(CONTROL) for line in lines)


class Json(logging.Formatter):
    """One JSON object a line."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """Write the record."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "service": self._service,
            "logger": record.name,
            "message": record.getMessage(),
            **_about(record),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)


def _about(record: logging.LogRecord) -> dict[str, str]:
    told: dict[str, object] | None = getattr(record, "about", None)
    if told is None:
        message = current.get()
        told = {} if message is None else about(message)["about"]
    request_id: object = getattr(record, "request_id", None)
    members = told if request_id is None else {**told, "request_id": request_id}
    return {name: str(value)[:LONGEST_ID] for name, value in members.items() if value}


def configure(settings: Settings, service: str) -> None:
    """Send the process's log lines to standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(Json(service) if settings.log_format == "json" else Plain(service))
    logging.captureWarnings(True)
    logging.basicConfig(level=settings.log_level, handlers=[handler], force=True)
    for chatty in ("pika", "urllib3", "pymongo", "PIL", "waitress"):
        # Their warnings come back as errors of ours, in one line; pika tells every lost connection in twenty.
        logging.getLogger(chatty).setLevel(logging.CRITICAL)
