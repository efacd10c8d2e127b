"""From what a handler does with a message to what is published before the message is acked.

A handler sees a message and yields facts; it may raise. What its errors lead to is decided here and nowhere
else: a transient one waits in the broker and comes back, a permanent one ends the item, and what nobody foresaw
goes to the dead-letter queue and ends the item too.
"""

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from common.errors import MalformedMessage, Permanent, Transient, Unavailable
from common.facts import ItemFailed, download_of, read_item
from common.items import Item
from common.message import Message, Publication
from common.reasons import Reason
from common.steps import now_ms
from common.topology import Topology

log = logging.getLogger(__name__)

Handler = Callable[[Message], Iterable[Message]]
PutOff = Callable[[], Sequence[Publication]]
"""What is still to be done for a message, on a thread of its own."""
BatchHandler = Callable[[Sequence[Message]], Sequence[Sequence[Publication] | PutOff]]
"""Gives, for each message, what must be published and confirmed before it is acked, at once or put off.

Both raise only Unavailable."""

CLOCK_SLACK_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 2 * 86_400.0


@dataclass(frozen=True)
class Stage:
    """The queue a worker consumes, and the topology it publishes to."""

    queue: str
    topology: Topology

    def each(self, handler: Handler) -> BatchHandler:
        """Handle every message of a batch by itself."""
        return lambda messages: [self.settle(handler, message) for message in messages]

    def settle(self, handler: Handler, message: Message) -> list[Publication]:
        """Run the handler, and turn what it yields or raises into publications."""
        too_early_seconds = _not_before(message) - time.time()
        if too_early_seconds > CLOCK_SLACK_SECONDS:
            return [self.topology.delayed(self.queue, message, too_early_seconds)]
        taken_up_ms = now_ms()
        try:
            return [self.topology.fact(fact) for fact in handler(message)]
        except Unavailable:
            raise
        except Transient as error:
            return [self._again(message, error, taken_up_ms)]
        except Permanent as error:
            return [self._failed(read_item(message, taken_up_ms), message, error)]
        except MalformedMessage as error:
            return self.bury(message, str(error))
        except Exception as error:
            log.exception("not foreseen: %s message_id=%s", message.type, message.message_id)
            return self.bury(message, f"{type(error).__name__}: {error}")

    def bury(self, message: Message, sentence: str) -> list[Publication]:
        """Dead-letter a message that cannot be worked on; if it tells which item it is about, that ends as well."""
        log.error("dead-lettered: %s message_id=%s: %s", message.type, message.message_id, sentence)
        publications = [self.topology.dead(self.queue, message, sentence)]
        try:
            item = read_item(message)
        except MalformedMessage:
            return publications
        fact = ItemFailed(item, self.queue, Reason.POISON, sentence, None, attempts(message), download_of(message))
        return [*publications, self.topology.fact(fact.to_message())]

    def _again(self, message: Message, error: Transient, taken_up_ms: int) -> Publication:
        """Send it round through a delay queue, or end the item when it has had its tries."""
        attempt = attempts(message)
        delays = self.topology.delays_seconds
        if attempt > len(delays):
            return self._failed(read_item(message, taken_up_ms), message, error)
        seconds = error.after_seconds if error.after_seconds is not None else delays[attempt - 1]
        log.info(
            "try %d failed, another in %.0f s: %s item_id=%s", attempt, seconds, error, message.headers.get("item_id")
        )
        # A wait of several delay queues counts as one attempt: until `not_before_ms` the message only goes round.
        moment_ms = int((time.time() + seconds) * 1000)  # AMQP headers as pika writes them have no fractions
        later = message.with_headers(attempt=attempt + 1, not_before_ms=moment_ms)
        return self.topology.delayed(self.queue, later, seconds)

    def _failed(self, item: Item, message: Message, error: Permanent | Transient) -> Publication:
        fact = ItemFailed(item, self.queue, error.reason, error.detail, error.status, attempts(message))
        return self.topology.fact(fact.to_message())


def _not_before(message: Message) -> float:
    """Give the moment, in seconds since the epoch, before which a message is not to be worked on."""
    moment_ms = message.headers.get("not_before_ms", 0)
    latest_ms = (time.time() + LONGEST_WAIT_SECONDS) * 1000
    return moment_ms / 1000 if isinstance(moment_ms, int) and moment_ms <= latest_ms else 0.0


def attempts(message: Message) -> int:
    """Tell which try of its item this is, from 1."""
    attempt = message.headers.get("attempt", 1)
    return attempt if type(attempt) is int and attempt >= 1 else 1
