"""A list of URLs, in whatever form it came, becomes a task."""

from uuid import UUID

from common.errors import Unavailable
from common.ledger import Ledger
from common.submission import submit
from services.api.resources import database, resources
from services.api.url_lists import UrlList


class HalfDone(Unavailable):
    """The database or the broker went away in the middle; the sentence says what became of the task, and what to do."""

    def __init__(self, cause: Unavailable, task_id: UUID, sentence: str) -> None:
        super().__init__(str(cause))
        self.task_id = task_id
        self.sentence = sentence


def check_broker() -> None:
    """Raise Unavailable when the broker takes no messages, before anything is written."""
    if not resources().publisher.ready:
        raise Unavailable("RabbitMQ: not ready")


def hand_in(submission: UrlList) -> UUID:
    """Write and publish a task; gives its id once the broker has every item. Raises Unavailable or HalfDone."""
    check_broker()
    written: list[UUID] = []
    try:
        return submit(
            Ledger(database()),
            resources().publisher,
            submission.urls,
            name=submission.name,
            refresh=submission.refresh,
            on_task=written.append,
        )
    except Unavailable as error:
        if not written:
            raise
        raise HalfDone(error, written[0], _half_done(written[0])) from error


def _half_done(task_id: UUID) -> str:
    return (
        f"The task {task_id} was opened, but the database or the broker went away before all of it was confirmed. Its "
        f"ledger tells what is in it; `fetcher publish --resume {task_id} FILE` does the rest. Sending the list again "
        "makes another task."
    )
