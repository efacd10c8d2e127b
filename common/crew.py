"""The threads that handle deliveries, and the one place where a delivery is settled.

The connection's thread hands deliveries in and settles them; the handlers run on threads of their own, so that a long
download or decode never keeps the connection from its heartbeats.
"""

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from queue import Empty, SimpleQueue

from common.broker import backoff
from common.errors import Unavailable
from common.handling import BatchHandler
from common.load import Load
from common.message import Message, Publication
from common.session import Session

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message and the connection it came over: its tag means nothing on another one."""

    session: Session
    load: Load
    tag: int
    message: Message


@dataclass(frozen=True)
class Consumer:
    """What is consumed and how: `threads` handlers at once, each given up to `batch_size` deliveries.

    A batch that is not full waits `linger_seconds` for more: worth it where a batch costs little more than one.
    At most `prefetch_count` deliveries are held unacked; times the largest body, that bounds the memory.
    """

    queue: str
    handle: BatchHandler
    prefetch_count: int
    threads: int = 1
    batch_size: int = 1
    linger_seconds: float = 0.0
    inbox: SimpleQueue[Delivery] = field(default_factory=SimpleQueue, repr=False)


@dataclass(slots=True)
class _Outstanding:
    """How many confirms a delivery still waits for before it is acked."""

    delivery: Delivery
    confirms: int


class Crew:
    """All handler threads of a worker."""

    def __init__(self, consumers: Sequence[Consumer]) -> None:
        self._consumers = consumers
        self._load = Load(1)  # empty, so open
        self._dismissed = threading.Event()
        self._taking = threading.Lock()

    def start(self) -> None:
        """Start the threads; they end with the process."""
        for consumer in self._consumers:
            for number in range(consumer.threads):
                name = f"{consumer.queue}-{number + 1}"
                threading.Thread(target=self._serve, args=[consumer], name=name, daemon=True).start()

    def work_under(self, load: Load) -> None:
        """Keep to a new connection's load from now on."""
        self._load = load

    def dismiss(self) -> None:
        """Take nothing new."""
        self._dismissed.set()

    def is_idle(self) -> bool:
        """Tell whether nothing is under way over the current connection."""
        with self._taking:
            return self._load.idle

    def _serve(self, consumer: Consumer) -> None:
        """Handle deliveries for ever, on a handler thread."""
        while True:
            batch = self._next_batch(consumer)
            if not batch:
                continue
            session, load = batch[0].session, batch[0].load
            held_bytes = sum(len(delivery.message.body) for delivery in batch)
            load.change(held_bytes)
            given = self._handle(consumer, batch)
            if given is None:
                load.change(-held_bytes, -len(batch))
            else:
                load.change(-held_bytes + sum(_size(publications) for publications in given))
                session.call(partial(self._settle, batch, given))

    def _next_batch(self, consumer: Consumer) -> list[Delivery]:
        """Wait for a delivery and take what has come behind it, leaving out what an ended connection delivered."""
        self._load.wait()
        batch = [consumer.inbox.get()]
        full_at = time.monotonic() + consumer.linger_seconds
        while len(batch) < consumer.batch_size:
            try:
                batch.append(consumer.inbox.get(timeout=max(0.0, full_at - time.monotonic())))
            except Empty:
                break
        with self._taking:
            # Under the lock, so that winding down does not find the load idle while this batch is being taken.
            if self._dismissed.is_set():
                return []
            session = batch[-1].session
            batch = [delivery for delivery in batch if delivery.session is session and session.alive]
            if batch:
                batch[0].load.change(0, len(batch))
        return batch

    def _handle(self, consumer: Consumer, batch: Sequence[Delivery]) -> Sequence[Sequence[Publication]] | None:
        """Give what the handler gives, or None when the batch must go back to the broker.

        While something the handler needs is away, the same batch is tried again: nothing is returned to the broker,
        because up to its version 4.2 each return counts to the delivery limit.
        """
        session = batch[0].session
        waits = backoff()
        while session.alive:
            try:
                return consumer.handle([delivery.message for delivery in batch])
            except Unavailable as error:
                if self._dismissed.is_set():
                    return None
                seconds = next(waits)
                log.warning("waiting %.1f s: %s", seconds, error)
                self._dismissed.wait(seconds)
            except Exception:
                # A handler answers for its messages; this is a fault of ours. Returned, they count to the broker's
                # delivery limit, so that even this ends.
                log.exception("the handler of %s failed", consumer.queue)
                session.call(partial(session.fail, "a handler failed"))
                return None
        return None

    def _settle(self, batch: Sequence[Delivery], given: Sequence[Sequence[Publication]]) -> None:
        """Publish, and ack each delivery once all that it gave is confirmed. On the session's thread."""
        for delivery, publications in zip(batch, given, strict=True):
            if not publications:
                self._done(delivery)
            outstanding = _Outstanding(delivery, len(publications))
            for publication in publications:
                delivery.session.publish(publication, partial(self._confirmed, outstanding, publication))

    def _confirmed(self, outstanding: _Outstanding, publication: Publication) -> None:
        outstanding.delivery.load.change(-_size([publication]))
        outstanding.confirms -= 1
        if outstanding.confirms == 0:
            self._done(outstanding.delivery)

    @staticmethod
    def _done(delivery: Delivery) -> None:
        delivery.session.ack(delivery.tag)
        delivery.load.change(0, -1)


def _size(publications: Sequence[Publication]) -> int:
    return sum(len(publication.message.body) for publication in publications)
