"""The runtime of every worker: consume, hand to the handler, publish what it gives, wait for the confirms, ack.

It is the only place that acks. The handlers run on threads of their own, so that a long download or decode never
keeps the connection's thread from its heartbeats.
"""

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from queue import Empty, SimpleQueue

import pika

from common.broker import backoff, declare
from common.errors import Unavailable
from common.handling import BatchHandler
from common.load import Load
from common.message import Message, Publication
from common.session import Session
from common.topology import Topology

log = logging.getLogger(__name__)

GRACE_SECONDS = 8.0
"""How long what is being worked on may take to finish after SIGTERM; the process manager kills after 12."""


@dataclass(frozen=True, slots=True)
class _Delivery:
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
    inbox: SimpleQueue[_Delivery] = field(default_factory=SimpleQueue, repr=False)


@dataclass(slots=True)
class _Outstanding:
    """How many confirms a delivery still waits for before it is acked."""

    delivery: _Delivery
    confirms: int


class Worker:
    """Runs consumers until it is stopped, over as many connections as it takes."""

    def __init__(
        self,
        name: str,
        consumers: Sequence[Consumer],
        parameters: pika.URLParameters,
        topology: Topology,
        *,
        held_bytes: int,
    ) -> None:
        self._name = name
        self._consumers = consumers
        self._parameters = parameters
        self._topology = topology
        self._held_bytes = held_bytes
        self._load = Load(held_bytes)
        self._session: Session | None = None
        self._consumer_tags: list[str] = []
        self._stopping = threading.Event()
        self._taking = threading.Lock()

    def run(self) -> None:
        """Work until `stop`. Raises ConfigurationError when the broker's queues do not fit."""
        for consumer in self._consumers:
            for number in range(consumer.threads):
                name = f"{consumer.queue}-{number + 1}"
                threading.Thread(target=self._serve, args=[consumer], name=name, daemon=True).start()
        waits = backoff()
        while not self._stopping.is_set():
            cause = self._connect_and_work()
            if self._consumer_tags:
                waits = backoff()  # it had worked, so the next try may be soon again
            if cause is not None and not self._stopping.is_set():
                seconds = next(waits)
                log.warning("no connection to the broker, again in %.1f s: %s", seconds, cause)
                self._stopping.wait(seconds)
        log.info("stopped")

    def stop(self) -> None:
        """Take nothing new, finish what is under way, return the rest to the broker. Safe from any thread."""
        self._stopping.set()
        if self._session is not None:
            self._session.call(self._wind_down)

    def _connect_and_work(self) -> str | None:
        """Work over one connection until it ends; give what ended it, or None when it was told to."""
        self._consumer_tags = []
        load = self._load = Load(self._held_bytes)
        try:
            declare(self._parameters, self._topology)
            self._session = Session(self._parameters, self._name, on_ready=self._ready, on_blocked=self._blocked)
            return self._session.run()
        except Unavailable as error:
            return str(error)
        finally:
            load.end()

    def _ready(self, session: Session) -> None:
        if self._stopping.is_set():
            session.close()
            return
        for consumer in self._consumers:
            deliver = partial(self._deliver, session, self._load, consumer)
            tag = session.consume(self._topology.queue(consumer.queue), consumer.prefetch_count, deliver)
            self._consumer_tags.append(tag)
        log.info("consuming %s", ", ".join(consumer.queue for consumer in self._consumers))

    def _blocked(self, blocked: bool) -> None:
        self._load.shut(shut=blocked)

    @staticmethod
    def _deliver(session: Session, load: Load, consumer: Consumer, tag: int, message: Message) -> None:
        consumer.inbox.put(_Delivery(session, load, tag, message))

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

    def _next_batch(self, consumer: Consumer) -> list[_Delivery]:
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
            if self._stopping.is_set():
                return []
            session = batch[-1].session
            batch = [delivery for delivery in batch if delivery.session is session and session.alive]
            if batch:
                batch[0].load.change(0, len(batch))
        return batch

    def _handle(self, consumer: Consumer, batch: Sequence[_Delivery]) -> Sequence[Sequence[Publication]] | None:
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
                if self._stopping.is_set():
                    return None
                seconds = next(waits)
                log.warning("waiting %.1f s: %s", seconds, error)
                self._stopping.wait(seconds)
            except Exception:
                # A handler answers for its messages; this is a fault of ours. Returned, they count to the broker's
                # delivery limit, so that even this ends.
                log.exception("the handler of %s failed", consumer.queue)
                session.call(partial(session.fail, "a handler failed"))
                return None
        return None

    def _settle(self, batch: Sequence[_Delivery], given: Sequence[Sequence[Publication]]) -> None:
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
    def _done(delivery: _Delivery) -> None:
        delivery.session.ack(delivery.tag)
        delivery.load.change(0, -1)

    def _wind_down(self) -> None:
        """Cancel the consumers and close once nothing is under way, at the latest when the grace is over."""
        session = self._session
        if session is not None:
            for tag in self._consumer_tags:
                session.cancel(tag)
            session.call_later(GRACE_SECONDS, session.close)
            self._close_when_idle(session)

    def _close_when_idle(self, session: Session) -> None:
        with self._taking:
            idle = self._load.idle
        if idle or not session.alive:
            session.close()
        else:
            session.call_later(0.05, partial(self._close_when_idle, session))


def _size(publications: Sequence[Publication]) -> int:
    return sum(len(publication.message.body) for publication in publications)
