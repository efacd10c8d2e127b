"""One connection to the broker, from its opening to its first fault: consume, publish with confirms, ack.

Everything here runs on the thread that called `run`; `call` is the only way in from another one (pika is not
thread-safe). A fault of any kind ends the session: what was delivered and not acked is delivered again, what was
published and not confirmed is unknown and must be published again.
"""

import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import pika
import pika.exceptions
from pika.channel import Channel
from pika.spec import Basic

from common.acks import Acks
from common.broker import RESET_AT_ONCE, backoff, describe
from common.message import Message, Publication, encodable
from common.stream import StreamServices

log = logging.getLogger(__name__)

OnDelivery = Callable[[int, Message], None]


@dataclass(slots=True)
class _Unconfirmed:
    publication: Publication
    on_confirmed: Callable[[], None]
    refusals: int = 0


class Session:
    """A connection with one channel in confirm mode."""

    def __init__(
        self,
        parameters: pika.URLParameters,
        application: str,
        *,
        on_ready: Callable[["Session"], None],
        on_blocked: Callable[[bool], None] = lambda _blocked: None,
        on_refused: Callable[[], None] = lambda: None,
    ) -> None:
        self._parameters = parameters
        self._application = application
        self._on_ready = on_ready
        self._on_blocked = on_blocked
        self._on_refused = on_refused
        self._connection: Any = None
        self._channel: Any = None
        self._published = 0
        self._unconfirmed: dict[int, _Unconfirmed] = {}
        self._acks = Acks()
        self._calls: deque[Callable[[], None]] = deque()
        self._is_woken = False
        self._cause: str | None = None
        self._closing = False
        self._on_empty: Callable[[], None] = lambda: None
        self.alive = False

    def run(self) -> str | None:
        """Work until closed. Gives None when `close` ended it, otherwise what went wrong."""
        self._connection = pika.SelectConnection(
            self._parameters,
            on_open_callback=self._opened,
            on_open_error_callback=self._ended,
            on_close_callback=self._ended,
            custom_ioloop=StreamServices(),
        )
        try:
            self._connection.ioloop.start()
        except ValueError:
            if self.alive:
                raise  # a fault of ours
            self._cause = RESET_AT_ONCE
        finally:
            self._connection.ioloop.close()
        return self._cause or (None if self._closing else "the connection ended")

    def call(self, function: Callable[[], None]) -> None:
        """Run a function on the session's thread. After the session has ended it is never run."""
        if self._connection is None:
            return
        self._calls.append(function)
        if not self._is_woken:  # the first of several calls wakes the thread for all: it costs more than most of them
            self._is_woken = True
            self._connection.ioloop.add_callback_threadsafe(self._answer_calls)

    def call_later(self, seconds: float, function: Callable[[], None]) -> None:
        """Run a function on the session's thread after so many seconds."""
        self._connection.ioloop.call_later(seconds, function)

    def open_channel(self, on_open: Callable[[Channel], None]) -> None:
        """Open a further channel, whose faults do not end the session; one that opens after its end is left alone."""

        def opened(channel: Channel) -> None:
            if self.alive:
                on_open(channel)

        if self.alive:
            self._connection.channel(on_open_callback=opened)

    def consume(self, queue: str, prefetch_count: int, on_delivery: OnDelivery) -> str:
        """Start a consumer that holds at most so many unacked deliveries; gives its tag."""
        self._channel.basic_qos(prefetch_count=prefetch_count)
        tag: str = self._channel.basic_consume(queue, partial(_deliver, on_delivery))
        return tag

    def get(self, queue: str, on_delivery: OnDelivery, on_empty: Callable[[], None]) -> None:
        """Take one delivery out of a queue, if there is one."""
        if self.alive:
            self._on_empty = on_empty
            self._channel.basic_get(queue, partial(_deliver, on_delivery))

    def cancel(self, consumer_tag: str, on_cancelled: Callable[[], None] = lambda: None) -> None:
        """Ask for no more deliveries; those that have come can still be acked."""
        if self.alive:
            self._channel.basic_cancel(consumer_tag, callback=lambda _frame: on_cancelled())

    def ack(self, delivery_tag: int) -> None:
        """Tell the broker, soon, that a delivery is done with. An ended session lets it be delivered again."""
        if self._acks.add(delivery_tag) and self.alive:
            self.call_later(0, self._send_acks)

    def publish(self, publication: Publication, on_confirmed: Callable[[], None]) -> None:
        """Publish and call back once the broker has it on disk. A refusal of a full queue is tried again."""
        self._send(_Unconfirmed(publication, on_confirmed))

    def sound(self) -> None:
        """Publish nothing to nobody: of an alarm, the broker tells only connections that publish."""

        def publish(channel: Channel) -> None:
            channel.basic_publish("", "", b"")
            channel.close()

        self.open_channel(publish)

    def fail(self, cause: str) -> None:
        """End the session as broken."""
        if not self._closing:
            self._cause = cause
            self.close()

    def close(self) -> None:
        """End the session; what is done with is acked before."""
        self._send_acks()
        self._closing = True
        self.alive = False
        if self._connection.is_open:
            self._connection.close()

    def _answer_calls(self) -> None:
        self._is_woken = False
        while self._calls:
            self._calls.popleft()()

    def _send_acks(self) -> None:
        if self.alive and self._channel.is_open:
            up_to, singly = self._acks.take()
            if up_to is not None:
                self._channel.basic_ack(up_to, multiple=True)
            for tag in singly:
                self._channel.basic_ack(tag)

    def _opened(self, connection: Any) -> None:
        if self._closing:
            connection.close()
            return
        connection.add_on_connection_blocked_callback(self._blocked)
        connection.add_on_connection_unblocked_callback(self._unblocked)
        connection.channel(on_open_callback=self._channel_opened)

    def _channel_opened(self, channel: Any) -> None:
        self._channel = channel
        channel.add_on_close_callback(self._channel_closed)
        channel.add_on_cancel_callback(lambda _frame: self.fail("the broker cancelled a consumer"))
        channel.add_on_return_callback(self._returned)
        channel.add_callback(lambda _frame: self._on_empty(), [Basic.GetEmpty], one_shot=False)
        channel.confirm_delivery(self._confirmed, callback=self._ready)

    def _ready(self, _frame: Any) -> None:
        self.alive = True
        self._on_ready(self)

    def _ended(self, _connection: Any, error: BaseException) -> None:
        self.alive = False
        if not self._closing:
            self._cause = describe(error)
        self._connection.ioloop.stop()

    def _channel_closed(self, _channel: Any, error: BaseException) -> None:
        self.fail(describe(error))

    def _blocked(self, _connection: Any, frame: Any) -> None:
        log.warning("the broker takes no messages for now: %s", frame.method.reason)
        self._on_blocked(True)

    def _unblocked(self, _connection: Any, _frame: Any) -> None:
        log.info("the broker takes messages again")
        self._on_blocked(False)

    def _returned(self, _channel: Any, method: Any, _properties: Any, _body: bytes) -> None:
        # A queue is missing. The next session declares it again, and what is unacked comes back.
        self.fail(f"no queue is bound for {method.exchange or 'default exchange'} {method.routing_key}")

    def _send(self, unconfirmed: _Unconfirmed) -> None:
        if not self.alive:
            return
        publication, message = unconfirmed.publication, unconfirmed.publication.message
        self._published += 1
        self._unconfirmed[self._published] = unconfirmed
        self._channel.basic_publish(
            publication.exchange,
            publication.routing_key,
            message.body,
            pika.BasicProperties(
                content_type=message.content_type,
                headers=encodable(message.headers),
                delivery_mode=2,
                message_id=message.message_id,
                timestamp=int(time.time()),
                type=message.type,
                app_id=self._application,
            ),
            mandatory=True,
        )

    def _confirmed(self, frame: Any) -> None:
        method = frame.method
        for unconfirmed in self._take(method.delivery_tag, multiple=method.multiple):
            if isinstance(method, Basic.Ack):
                unconfirmed.on_confirmed()
            else:
                self._refused(unconfirmed)

    def _take(self, tag: int, *, multiple: bool) -> list[_Unconfirmed]:
        if not multiple:
            return [self._unconfirmed.pop(tag)]
        tags = []
        for earlier in self._unconfirmed:  # in the order of publishing
            if earlier > tag:
                break
            tags.append(earlier)
        return [self._unconfirmed.pop(earlier) for earlier in tags]

    def _refused(self, unconfirmed: _Unconfirmed) -> None:
        """Wait longer each time: the queue is at its limit, and trying harder would only fill its neighbours."""
        unconfirmed.refusals += 1
        self._on_refused()
        waits = backoff()
        seconds = [next(waits) for _ in range(min(unconfirmed.refusals, 5))][-1]
        if unconfirmed.refusals == 1:
            log.info("a queue for %s is full, trying again", unconfirmed.publication.message.type)
        self.call_later(seconds, partial(self._send, unconfirmed))


def _deliver(
    on_delivery: OnDelivery, _channel: Channel, method: Any, properties: pika.BasicProperties, body: bytes
) -> None:
    message = Message(
        properties.type or method.routing_key,
        properties.message_id or "",
        properties.content_type or "",
        properties.headers or {},
        body,
    )
    on_delivery(method.delivery_tag, message)
