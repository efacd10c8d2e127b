"""Messages out of the queue `dead` become dead letters in the database."""

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from common.dead_letters import DeadLetter, DeadLetters
from common.logs import about
from common.message import Message, Publication

log = logging.getLogger(__name__)


class Keeper:
    """Keeps what others have buried."""

    def __init__(self, letters: DeadLetters, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._letters = letters
        self._now = now

    def handle(self, messages: Sequence[Message]) -> list[list[Publication]]:
        """Keep a batch. Raises Unavailable."""
        letters = [DeadLetter.of(message, self._now()) for message in messages]
        self._letters.keep(letters)
        for message, letter in zip(messages, letters, strict=True):
            log.info("kept: dead letter %s from %s", letter.letter_id, letter.queue, extra=about(message))
        return [[] for _ in messages]
