"""From what a handler does with a message to what is published before the message is acked.

A handler sees a message and yields facts; it may raise. What its errors lead to is decided here and nowhere
else: a transient one waits in the broker and comes back, a permanent one ends the item, and what nobody foresaw
goes to the dead-letter queue and ends the item too.
"""

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from common.errors import ItemError, MalformedMessage, Permanent, Poison, Postponed, Transient, Unavailable
from common.facts import ItemFailed, download_of
from common.fields import named_item, read_item
from common.items import Item
from common.logs import about, current
from common.message import Message, Publication
from common.metrics import DEAD_LETTERED, POSTPONED, RETRIES
from common.reasons import Reason
from common.steps import now_ms
from common.topology import Topology

log = logging.getLogger(__name__)

Handler = Callable[[Message], Iterable[Message]]


@dataclass(frozen=True, slots=True)
class PutOff:
    """`work` is still to be done for a message, on another thread; of one `key` only so much at once.

    When too much of the key waits already, `later` is asked instead to bring the message back after so many seconds.
    """

    key: str
    work: Callable[[], Sequence[Publication]]
    later: Callable[[float], Sequence[Publication]]


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

    def settle(self, handler: Handler, message: Message, taken_up_ms: int | None = None) -> list[Publication]:
        """Run the handler, and turn what it yields or raises into publications. Taken up now, unless said."""
        if early := self.early(message):
            return early
        taken_up_ms = now_ms() if taken_up_ms is None else taken_up_ms
        before = current.set(message)
        try:
            return [self.topology.fact(fact) for fact in handler(message)]
        except Unavailable:
            raise
        except (Postponed, Transient) as error:
            return [self._again(message, error, taken_up_ms)]
        except Permanent as error:
            return [self._failed(read_item(message, taken_up_ms), message, error)]
        except (MalformedMessage, Poison) as error:
            return self.bury(message, str(error))
        except Exception as error:
            log.exception("not foreseen: %s", message.type)
            return self.bury(message, f"{type(error).__name__}: {error}")
        finally:
            current.reset(before)

    def early(self, message: Message) -> list[Publication]:
        """Send a message round once more whose moment has not come; gives nothing for every other."""
        seconds = min(_not_before(message) - time.time(), _left_seconds(message))
        return [self._wait(message, seconds)] if seconds > CLOCK_SLACK_SECONDS else []

    def later(self, message: Message, seconds: float) -> list[Publication]:
        """Bring a message back after so many seconds, which is no try of it."""
        POSTPONED.labels(self.queue).inc()
        return [self._back(message, seconds)]

    def bury(self, message: Message, sentence: str) -> list[Publication]:
        """Dead-letter a message that cannot be worked on; if it tells which item it is about, that ends as well."""
        log.error("dead-lettered: %s: %s", message.type, sentence, extra=about(message))
        DEAD_LETTERED.labels(self.queue if self.queue in self.topology.queues else "unknown").inc()
        publications = [self.topology.dead(self.queue, message, sentence)]
        try:
            item = named_item(message)
        except MalformedMessage:
            return publications
        fact = ItemFailed(item, self.queue, Reason.POISON, sentence, None, attempts(message), download_of(message))
        return [*publications, self.topology.fact(fact.to_message())]

    def _again(self, message: Message, error: Postponed | Transient, taken_up_ms: int) -> Publication:
        """Send it round through a delay queue, or end the item when it has had its tries."""
        if isinstance(error, Postponed):
            return self._postponed(message, error, taken_up_ms)
        attempt = attempts(message)
        delays = self.topology.delays_seconds
        if attempt > len(delays):
            return self._failed(read_item(message, taken_up_ms), message, error)
        seconds = error.after_seconds if error.after_seconds is not None else delays[attempt - 1]
        log.info("try %d failed, another in %.0f s: %s", attempt, seconds, error)
        RETRIES.labels(self.queue).inc()
        return self._back(message.with_headers(attempt=attempt + 1), seconds)

    def _back(self, message: Message, seconds: float) -> Publication:
        # A wait may take several delay queues: until `not_before_ms` the message only goes round.
        moment_ms = int((time.time() + seconds) * 1000)  # AMQP headers as pika writes them have no fractions
        return self._wait(message.with_headers(not_before_ms=moment_ms), seconds)

    def _wait(self, message: Message, seconds: float) -> Publication:
        # What is left after this queue is noted, too: by a clock that is wrong for a moment nothing waits for hours.
        left_ms = int(max(0.0, seconds - self.topology.delay_seconds(seconds)) * 1000)
        return self.topology.delayed(self.queue, message.with_headers(left_ms=left_ms), seconds)

    def _postponed(self, message: Message, error: Postponed, taken_up_ms: int) -> Publication:
        """Bring it back, or end the item when it has been put off for long enough."""
        since_ms = message.headers.get("postponed_ms")
        # As large a number comes back from the broker as a type of pika's own.
        if not isinstance(since_ms, int) or isinstance(since_ms, bool) or since_ms > taken_up_ms:
            since_ms = taken_up_ms
        if taken_up_ms - since_ms >= error.most_seconds * 1000:
            return self._failed(read_item(message, taken_up_ms), message, error)
        return self.later(message.with_headers(postponed_ms=since_ms), error.after_seconds)[0]

    def _failed(self, item: Item, message: Message, error: ItemError) -> Publication:
        fact = ItemFailed(item, self.queue, error.reason, error.detail, error.status, attempts(message))
        return self.topology.fact(fact.to_message())


def _not_before(message: Message) -> float:
    """Give the moment, in seconds since the epoch, before which a message is not to be worked on."""
    moment_ms = message.headers.get("not_before_ms", 0)
    latest_ms = (time.time() + LONGEST_WAIT_SECONDS) * 1000
    return moment_ms / 1000 if isinstance(moment_ms, int) and moment_ms <= latest_ms else 0.0


def _left_seconds(message: Message) -> float:
    """Give how much longer, by what the delay queues have made it wait, a message is to wait at most."""
    left_ms = message.headers.get("left_ms")
    return left_ms / 1000 if isinstance(left_ms, int) and not isinstance(left_ms, bool) else LONGEST_WAIT_SECONDS


def attempts(message: Message) -> int:
    """Tell which try of its item this is, from 1."""
    attempt = message.headers.get("attempt", 1)
    return attempt if type(attempt) is int and attempt >= 1 else 1
