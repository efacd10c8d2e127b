"""`task.completed` becomes a notice to the task's webhook."""

from collections.abc import Iterator
from datetime import UTC, datetime

from common.errors import ItemError
from common.facts import TaskCompleted
from common.handling import attempts
from common.message import Message
from services.scraper.notices import Notices
from services.scraper.sender import Sender


class Webhook:
    """Tells; when nobody takes it, again after the delays that every transient failure has."""

    def __init__(self, notices: Notices, sender: Sender, secret: str) -> None:
        self._notices = notices
        self._sender = sender
        self._secret = secret

    def handle(self, message: Message) -> Iterator[Message]:
        """Handle one completed task. Raises Permanent, Transient or Unavailable."""
        task_id = TaskCompleted.from_message(message).item.task_id
        notice = self._notices.find(task_id)
        if notice is None:
            return
        try:
            self._sender.post(notice.url, notice.body, notice.headers(self._secret, datetime.now(UTC)))
        except ItemError as error:
            self._notices.failed(task_id, attempts(message), str(error))
            raise
        self._notices.told(task_id, attempts(message))
        yield from ()
