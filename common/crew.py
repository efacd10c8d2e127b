"""The threads that handle deliveries, and the one place where a delivery is settled.

The connection's thread hands deliveries in and settles them; the handlers run on threads of their own, so that a long
download or decode never keeps the connection from its heartbeats.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from queue import Empty, SimpleQueue

from common.broker import backoff
from common.errors import Unavailable
from common.handling import BatchHandler, PutOff
from common.load import Load
from common.message import Message, Publication
from common.metrics import UNAVAILABLE, WAITED, WORKED
from common.session import Session
from common.settings import MEBIBYTE
from common.steps import now_ms, told_ms
from common.turns import Turns

log = logging.getLogger(__name__)

GLANCE_SECONDS = 0.01
LOOK_SECONDS = 0.25
"""So often the handlers look who waits for his turn for too long, while nothing new comes."""

Answers = Sequence[Sequence[Publication] | PutOff]


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

    A batch takes no more once its bodies have `batch_bytes`: to handle large ones together gains nothing, and takes
    their memory and time all at once. One that is not full waits up to `linger_seconds` for more: worth it where it
    costs little more than one. What a handler puts off is done on one of `put_off_threads` others, a message at a time,
    and at most `most_of_a_key` of one key at once. At most `prefetch_count` deliveries are held unacked; times the
    largest body, that bounds the memory.
    """

    queue: str
    handle: BatchHandler
    prefetch_count: int
    threads: int = 1
    batch_size: int = 1
    batch_bytes: int = 64 * MEBIBYTE
    linger_seconds: float = 0.0
    put_off_threads: int = 0
    most_of_a_key: int = 1
    inbox: SimpleQueue[Delivery] = field(default_factory=SimpleQueue, repr=False)
    turns: Turns[tuple[Delivery, PutOff]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        # Those who wait for their turn leave room in the prefetch window for as many as there are threads, twice.
        most_waiting = max(0, self.prefetch_count - 2 * self.put_off_threads)
        object.__setattr__(self, "turns", Turns(self.put_off_threads, self.most_of_a_key, most_waiting))


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
            for number in range(1, consumer.threads + 1):
                self._start(self._serve, consumer, f"{consumer.queue}-{number}")
            for number in range(1, consumer.put_off_threads + 1):
                self._start(self._serve_put_off, consumer, f"{consumer.queue}-put-off-{number}")

    @staticmethod
    def _start(serve: Callable[[Consumer], None], consumer: Consumer, name: str) -> None:
        threading.Thread(target=serve, args=[consumer], name=name, daemon=True).start()

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
            for (delivery, put_off), seconds in consumer.turns.overstayed():
                self._work(consumer, [delivery], partial(_alone, partial(put_off.later, seconds)))
            batch = self._next_batch(consumer)
            if batch:
                self._work(consumer, batch, partial(consumer.handle, [delivery.message for delivery in batch]))

    def _serve_put_off(self, consumer: Consumer) -> None:
        """Do for ever what handlers put off, on a thread for that."""
        while True:
            key, (delivery, put_off) = consumer.turns.get()
            delivery.load.wait()
            began = None
            if self._dismissed.is_set():
                delivery.load.change(0, -1)
            else:
                began = consumer.turns.begin(key)
                self._work(consumer, [delivery], partial(_alone, put_off.work))
            consumer.turns.done(key, began)

    def _work(self, consumer: Consumer, batch: Sequence[Delivery], handle: Callable[[], Answers]) -> None:
        """Handle a batch and have it settled, but for what is put off."""
        session, load = batch[0].session, batch[0].load
        held_bytes = sum(len(delivery.message.body) for delivery in batch)
        load.change(held_bytes)
        taken_up_ms = now_ms()
        answers = self._insist(consumer, session, handle)
        if answers is None:
            load.change(-held_bytes, -len(batch))
            return
        given = []
        for delivery, answer in zip(batch, answers, strict=True):
            if not isinstance(answer, PutOff):
                given.append((delivery, answer))
            elif (seconds := consumer.turns.put(answer.key, (delivery, answer))) is not None:
                given.append((delivery, answer.later(seconds)))
        load.change(-held_bytes + sum(_size(publications) for _delivery, publications in given))
        if given:
            _note(consumer.queue, [delivery.message for delivery, _publications in given], taken_up_ms)
            session.call(partial(self._settle, given))

    def _next_batch(self, consumer: Consumer) -> list[Delivery]:
        """Wait for a delivery and take what has come behind it, leaving out what an ended connection delivered."""
        self._load.wait()
        try:
            batch = [consumer.inbox.get(timeout=LOOK_SECONDS if consumer.turns.is_crowded else None)]
        except Empty:
            return []
        _linger(consumer)
        held_bytes = len(batch[0].message.body)
        with suppress(Empty):
            while len(batch) < consumer.batch_size and held_bytes < consumer.batch_bytes:
                batch.append(consumer.inbox.get_nowait())
                held_bytes += len(batch[-1].message.body)
        with self._taking:
            # Under the lock, so that winding down does not find the load idle while this batch is being taken.
            if self._dismissed.is_set():
                return []
            session = batch[-1].session
            batch = [delivery for delivery in batch if delivery.session is session and session.alive]
            if batch:
                batch[0].load.change(0, len(batch))
        return batch

    def _insist(self, consumer: Consumer, session: Session, handle: Callable[[], Answers]) -> Answers | None:
        """Give what the handler gives, or None when the batch must go back to the broker.

        While something the handler needs is away, the same batch is tried again: nothing is returned to the broker,
        because up to its version 4.2 each return counts to the delivery limit.
        """
        waits = backoff()
        while session.alive:
            try:
                return handle()
            except Unavailable as error:
                if self._dismissed.is_set():
                    return None
                UNAVAILABLE.labels(consumer.queue).inc()
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

    def _settle(self, given: Sequence[tuple[Delivery, Sequence[Publication]]]) -> None:
        """Publish, and ack each delivery once all that it gave is confirmed. On the session's thread."""
        for delivery, publications in given:
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
        delivery.load.settled += 1
        delivery.load.change(0, -1)


def _linger(consumer: Consumer) -> None:
    """Wait until there is a full batch, but neither longer than it may take nor once nothing more comes.

    The inbox is looked at now and then: to be woken for each delivery costs as much as to handle it.
    """
    began = grown = time.monotonic()
    count = 0
    while (now := time.monotonic()) - began < consumer.linger_seconds:
        before, count = count, consumer.inbox.qsize()
        if count >= consumer.batch_size - 1:
            break
        if count > before:
            grown = now
        elif now - grown > consumer.linger_seconds / 3:
            break
        time.sleep(min(GLANCE_SECONDS, consumer.linger_seconds))


def _note(queue: str, messages: Sequence[Message], taken_up_ms: int) -> None:
    """Count how long these waited, each from when it was told or due again, and how long they were worked on."""
    worked_ms = max(0, now_ms() - taken_up_ms)
    WORKED.note(queue, [worked_ms] * len(messages))
    WAITED.note(queue, [waited for message in messages if (waited := _waited_ms(message, taken_up_ms)) is not None])


def _waited_ms(message: Message, taken_up_ms: int) -> int | None:
    since_ms = told_ms(message.headers.get("steps"))
    if since_ms is None:
        return None
    due_ms = message.headers.get("not_before_ms")
    if isinstance(due_ms, int) and due_ms > since_ms:
        since_ms = due_ms
    return max(0, taken_up_ms - since_ms)


def _size(publications: Sequence[Publication]) -> int:
    return sum(len(publication.message.body) for publication in publications)


def _alone(work: Callable[[], Sequence[Publication]]) -> Answers:
    return [work()]
